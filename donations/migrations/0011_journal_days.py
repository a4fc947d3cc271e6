import zoneinfo

from django.db import migrations


def set_journal_days(apps, schema_editor):
    """No month was closed so far: each entry stands on its own day of the organisation's zone."""
    LedgerEntry = apps.get_model("donations", "LedgerEntry")
    settings = apps.get_model("shared", "SiteSettings").objects.first()
    zone = zoneinfo.ZoneInfo(settings.time_zone if settings else "America/Denver")
    for entry in LedgerEntry.objects.filter(journal_on=None).iterator():
        day = entry.occurred_at.astimezone(zone).date()
        LedgerEntry.objects.filter(pk=entry.pk).update(journal_on=day)


def leave_journal_days(apps, schema_editor):
    """The column goes."""


class Migration(migrations.Migration):

    dependencies = [
        ("donations", "0010_closed_months"),
        ("shared", "__first__"),
    ]

    operations = [migrations.RunPython(set_journal_days, leave_journal_days)]
