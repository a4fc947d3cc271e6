"""Whose gift it is, and whose rows are one person."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from donations.models import Donation, Donor, RecurringGift
from donations.models.donation import DonationQuerySet
from donations.models.donor import email_key


class CannotMerge(Exception):
    """These two are not to be merged; the message says why, for staff."""


def attach(*, donation: Donation) -> None:
    """Says whose a paid gift is: its mailbox's, or of the same name and postal address.

    Inside the transaction that holds the gift; the caller saves it.
    """
    address = donation.donor_address.strip()
    if key := email_key(donation.email):
        donation.donor, is_new = Donor.objects.get_or_create(
            email_key=key, defaults={"name": donation.donor_name, "address": address}
        )
        if address and not donation.donor.address:
            Donor.objects.filter(pk=donation.donor.pk).update(address=address)
        return
    same = Donor.objects.filter(email_key="", name__iexact=donation.donor_name.strip())
    donation.donor = same.filter(address__iexact=address).first() or Donor.objects.create(
        name=donation.donor_name.strip(), address=address
    )


def gifts_of(donor: Donor) -> DonationQuerySet:
    """The gifts that count, of this donor and of those who were merged into it."""
    return Donation.objects.counting().filter(donor__in=Donor.objects.same_as(donor.pk))


def plans_of(donor: Donor) -> QuerySet[RecurringGift]:
    """The running monthly and yearly gifts of this donor and of those merged into it."""
    return (
        RecurringGift.objects.running()
        .filter(donations__donor__in=Donor.objects.same_as(donor.pk))
        .distinct()
        .order_by("-created_at", "-pk")
    )


def merge(*, donor: Donor, into: Donor) -> None:
    """Says that two donors are one. Every gift keeps what its donor typed. `split` undoes it.

    Raises `CannotMerge` for a donor and itself.
    """
    with transaction.atomic():
        rows = {
            row.pk: row
            for row in Donor.objects.select_for_update().filter(pk__in=[donor.pk, into.pk])
        }
        donor, root = rows[donor.pk], rows[into.pk].root
        if donor.pk == root.pk:
            raise CannotMerge(_("This is one donor already."))
        donor.merged.update(merged_into=root)
        donor.merged_into = root
        donor.save(update_fields=["merged_into"])


def split(*, donor: Donor) -> None:
    """Undoes a merge of this donor into another."""
    Donor.objects.filter(pk=donor.pk).update(merged_into=None)
