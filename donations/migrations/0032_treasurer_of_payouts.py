from django.contrib.auth.management import create_permissions
from django.db import migrations

MAY = ["view_payout", "change_payout", "view_payoutline", "add_ledgerentry"]


def allow(apps, schema_editor):
    """The treasurer ticks payouts and explains what stands in suspense."""
    config = apps.get_app_config("donations")
    before = getattr(config, "models_module", None)
    config.models_module = True  # else Django makes no permissions for it
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = before
    for group in apps.get_model("auth", "Group").objects.filter(name="Treasurer"):
        group.permissions.add(*_permissions(apps))


def take_back(apps, schema_editor):
    for group in apps.get_model("auth", "Group").objects.filter(name="Treasurer"):
        group.permissions.remove(*_permissions(apps))


def _permissions(apps):
    return apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="donations", codename__in=MAY
    )


class Migration(migrations.Migration):

    dependencies = [
        ("donations", "0031_payouts"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(allow, take_back)]
