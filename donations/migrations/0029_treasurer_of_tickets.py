from django.contrib.auth.management import create_permissions
from django.db import migrations

MAY = ["view_ticket", "add_ticket", "change_ticket", "delete_ticket", "view_ticketline"]


def let_treasurer_sell(apps, schema_editor):
    """Who settles money also says what seats cost, and sees who bought them."""
    config = apps.get_app_config("donations")
    before = getattr(config, "models_module", None)
    config.models_module = True  # else Django makes no permissions for it
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = before
    group, _is_new = apps.get_model("auth", "Group").objects.get_or_create(name="Treasurer")
    group.permissions.add(*_permissions(apps))


def take_tickets_from_treasurer(apps, schema_editor):
    group = apps.get_model("auth", "Group").objects.filter(name="Treasurer").first()
    if group:
        group.permissions.remove(*_permissions(apps))


def _permissions(apps):
    return apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="donations", codename__in=MAY
    )


class Migration(migrations.Migration):

    dependencies = [
        ("donations", "0028_tickets"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(let_treasurer_sell, take_tickets_from_treasurer)]
