from django.contrib.auth.management import create_permissions
from django.db import migrations

MAY = [
    "view_expectedmatch", "add_expectedmatch", "change_expectedmatch", "delete_expectedmatch",
    "view_campaignupdate", "add_campaignupdate", "change_campaignupdate", "delete_campaignupdate",
    "view_campaignletter",
]  # fmt: skip


def permissions(apps):
    rows = apps.get_model("auth", "Permission").objects
    return rows.filter(content_type__app_label="donations", codename__in=MAY)


def add_to_treasurer(apps, schema_editor):
    """Matches, updates and letters are settled by who settles the money (giving.md D15)."""
    config = apps.get_app_config("donations")
    before = getattr(config, "models_module", None)
    config.models_module = True  # else Django makes no permissions for it
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = before
    for group in apps.get_model("auth", "Group").objects.filter(name="Treasurer"):
        group.permissions.add(*permissions(apps))


def take_from_treasurer(apps, schema_editor):
    for group in apps.get_model("auth", "Group").objects.filter(name="Treasurer"):
        group.permissions.remove(*permissions(apps))


class Migration(migrations.Migration):

    dependencies = [
        ("donations", "0022_updates_and_letters"),
    ]

    operations = [migrations.RunPython(add_to_treasurer, take_from_treasurer)]
