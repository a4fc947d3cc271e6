from django.contrib.auth.management import create_permissions
from django.db import migrations

MAY = ["view_tripfee", "add_tripfee", "change_tripfee"]


def may_ask(apps, schema_editor):
    """The treasurer's group asks delegates for the trip's cost (giving.md D17)."""
    config = apps.get_app_config("donations")
    before = getattr(config, "models_module", None)
    config.models_module = True  # else Django makes no permissions for it
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = before
    for group in apps.get_model("auth", "Group").objects.filter(name="Treasurer"):
        group.permissions.add(*_permissions(apps))


def may_not(apps, schema_editor):
    for group in apps.get_model("auth", "Group").objects.filter(name="Treasurer"):
        group.permissions.remove(*_permissions(apps))


def _permissions(apps):
    return apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="donations", codename__in=MAY
    )


class Migration(migrations.Migration):

    dependencies = [
        ("donations", "0026_account_of_trip_fees"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(may_ask, may_not)]
