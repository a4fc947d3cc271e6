"""Whose name stands on a campaign's page: who wished it, gave, and is neither unnamed nor withheld.

A monthly gift is one wish: what changes at one of its gifts holds for all, and for those to come.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet, Window
from django.db.models.functions import Coalesce

from donations.models import Campaign, Donation, RecurringGift

SHOWN = 60


@dataclass(frozen=True)
class Names:
    """The names of those who gave last, and how many more there are."""

    shown: list[str]
    more: int


def names_of(campaign: Campaign) -> Names:
    """One question. A donor stands there once, under each name that was given."""
    if not campaign.has_names:
        return Names([], 0)
    gifts = Donation.objects.counting().filter(
        campaign=campaign, is_listed=True, is_anonymous=False, is_withheld=False
    )
    people = (
        gifts.kept()
        .order_by()
        .values("donor_name", root=Coalesce("donor__merged_into", "donor"))
        .annotate(newest=Max("paid_at"), last=Max("pk"), all=Window(Count("*")))
        .order_by("-newest", "-last")
        .values_list("donor_name", "all")
    )
    rows = list(people[:SHOWN])
    return Names([name for name, _all in rows], rows[0][1] - len(rows) if rows else 0)


def may_be_named(gift: Donation) -> bool:
    """Whether its donor can choose to be named: needs the campaign."""
    has_names = bool(gift.campaign and gift.campaign.has_names)
    is_free = not (gift.is_anonymous or gift.is_withheld)
    return has_names and is_free and gift.state == Donation.State.PAID


def change(*, gift: Donation, is_listed: bool) -> None:
    """The donor's own wish. It can always be taken back; what staff withhold stays off."""
    if not (is_listed and _all_of(gift).filter(is_withheld=True).exists()):
        _write(gift, is_listed=is_listed)


def withhold(*, gift: Donation) -> None:
    """Takes the name of a gift off for good, whatever its donor wishes later."""
    with transaction.atomic():
        _write(gift, is_listed=False)
        _all_of(gift).update(is_withheld=True)


def _write(gift: Donation, *, is_listed: bool) -> None:
    with transaction.atomic():
        if gift.plan_id:
            RecurringGift.objects.filter(pk=gift.plan_id).update(is_listed=is_listed)
        _all_of(gift).update(is_listed=is_listed)


def _all_of(gift: Donation) -> QuerySet[Donation]:
    same = Q(plan=gift.plan_id) if gift.plan_id else Q(pk=gift.pk)
    return Donation.objects.filter(same)
