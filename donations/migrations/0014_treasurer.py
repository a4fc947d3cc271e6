from django.contrib.auth.management import create_permissions
from django.db import migrations

MAY = [
    "view_", "add_giftbatch", "change_giftbatch", "delete_giftbatch", "add_offlinegift",
    "change_offlinegift", "delete_offlinegift", "change_donation", "change_donor",
    "change_receipt", "change_providerevent", "add_closedmonth", "refund_donation",
    "cancel_recurringgift", "add_campaign", "change_campaign", "add_campaigncost",
    "change_campaigncost", "delete_campaigncost",
]  # fmt: skip


def make_treasurer(apps, schema_editor):
    """The group that may see and settle everything about money (giving.md D20)."""
    config = apps.get_app_config("donations")
    before = getattr(config, "models_module", None)
    config.models_module = True  # else Django makes no permissions for it
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = before
    group, _is_new = apps.get_model("auth", "Group").objects.get_or_create(name="Treasurer")
    permissions = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="donations"
    )
    group.permissions.add(*(row for row in permissions if row.codename.startswith(tuple(MAY))))


def remove_treasurer(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name="Treasurer").delete()


class Migration(migrations.Migration):

    dependencies = [
        ("donations", "0013_recurring_gifts"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_treasurer, remove_treasurer)]
