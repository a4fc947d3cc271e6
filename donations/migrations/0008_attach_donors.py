import secrets

from django.db import migrations


def attach_donors(apps, schema_editor):
    """Each paid gift gets the donor of its mailbox, or of its name and address."""
    Donation = apps.get_model("donations", "Donation")
    Donor = apps.get_model("donations", "Donor")
    known = {}
    for gift in Donation.objects.filter(state="paid", donor=None).order_by("pk").iterator():
        key = gift.email.strip().lower()
        who = key or (gift.donor_name.strip().lower(), gift.donor_address.strip().lower())
        if who not in known:
            known[who] = Donor.objects.create(
                name=gift.donor_name, email_key=key, address=gift.donor_address.strip()
            )
        Donation.objects.filter(pk=gift.pk).update(donor=known[who])


def leave_donors(apps, schema_editor):
    """The column goes with its table."""


def give_tokens(apps, schema_editor):
    Receipt = apps.get_model("donations", "Receipt")
    for pk in Receipt.objects.values_list("pk", flat=True):
        Receipt.objects.filter(pk=pk).update(token=secrets.token_urlsafe(24))


def leave_tokens(apps, schema_editor):
    """The column goes."""


class Migration(migrations.Migration):

    dependencies = [("donations", "0007_donors")]

    operations = [
        migrations.RunPython(attach_donors, leave_donors),
        migrations.RunPython(give_tokens, leave_tokens),
    ]
