"""Tells the donors of a campaign what their gifts made possible: one letter, once, to each person.

It is private mail about what was given for, so those who gave unnamed get it too.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from donations.models import Campaign, CampaignLetter, Donation
from donations.models.donation import DonationQuerySet
from exchanges.models import Gallery, Visit
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings

LETTER = "donations/emails/made_possible"


class CannotTell(Exception):
    """This letter cannot go out as it stands; the message says why, for staff. None was sent."""


@dataclass(frozen=True)
class Reader:
    donor: int  # the row that stays where several were merged
    name: str
    email: str


@dataclass(frozen=True)
class Due:
    """A campaign whose donors have not been told yet, and how many people they are."""

    campaign: int
    title: str
    readers: int


def due() -> list[Due]:
    """Campaigns that have something to show and somebody to tell. One question."""
    campaigns = Campaign.objects.published().filter(visit__in=_told_visits(), letter=None)
    rows = (
        _gifts()
        .filter(campaign__in=campaigns)
        .order_by("campaign__title", "campaign")
        .values_list("campaign", "campaign__title")
        .annotate(readers=Count("root", distinct=True))
    )
    return [Due(*row) for row in rows]


def has_something_to_show(campaign: Campaign) -> bool:
    return _told_visits().filter(pk=campaign.visit_id).exists()


def readers_of(campaign: Campaign) -> list[Reader]:
    """Each person once, under the name and at the address of the latest gift."""
    rows = _gifts().filter(campaign=campaign).order_by("-paid_at", "-pk")
    found: dict[int, Reader] = {}
    for donor, name, email in rows.values_list("root", "donor_name", "email"):
        found.setdefault(donor, Reader(donor, name, email))
    return list(found.values())


def preview(*, campaign: Campaign, subject: str, opening: str) -> str:
    """The letter as plain text, for nobody in particular."""
    context = _context(campaign, subject, opening, SiteSettings.load())
    context |= {"reader": _("(name)"), "site_url": settings.SITE_URL}
    return render_to_string(f"{LETTER}.txt", context).strip()


def release(
    *, campaign: Campaign, subject: str, opening: str, readers: int, by: User
) -> CampaignLetter:
    """Queues the letter to each of the `readers` people whom `by` was shown.

    A campaign whose letter is released already keeps that one, also if two release it at once.
    Raises `CannotTell` where nothing is published to show, or where they are other people by now.
    """
    if not has_something_to_show(campaign):
        raise CannotTell(_("Nothing is published yet that you could show."))
    with transaction.atomic():
        letter, is_new = CampaignLetter.objects.get_or_create(
            campaign=campaign,
            defaults={
                "subject": subject, "opening": opening, "readers": readers, "released_by": by,
            },
        )  # fmt: skip
        if not is_new:
            return letter
        people = readers_of(campaign)
        if not people or len(people) != readers:
            text = ngettext(
                "The letter would reach %d person. Nothing was sent.",
                "The letter would reach %d people. Nothing was sent.",
                len(people),
            )
            raise CannotTell(text % len(people))
        context = _context(campaign, subject, opening, SiteSettings.load())
        for person in people:
            queue_mail(
                key=f"made-possible:{campaign.pk}:{person.donor}",
                template=LETTER,
                to=person.email,
                context={**context, "reader": person.name},
            )
    return letter


def _gifts() -> DonationQuerySet:
    """The gifts whose donors are told: `root` is the donor whom merged rows stand for."""
    gifts = Donation.objects.counting().kept().exclude(email="").filter(donor__isnull=False)
    return gifts.annotate(root=Coalesce("donor__merged_into", "donor"))


def _told_visits() -> Any:
    """Visits that took place and of which a story or a gallery can be read."""
    galleries = Gallery.objects.published().filter(visit=OuterRef("pk"))
    return Visit.objects.published().made().filter(~Q(story="") | Exists(galleries)).order_by()


def _context(campaign: Campaign, subject: str, opening: str, site: SiteSettings) -> dict[str, Any]:
    visit = campaign.visit
    galleries = Gallery.objects.published().filter(visit=visit).newest()
    return {
        "subject": subject,
        "opening": opening,
        "campaign": campaign.title,
        "visit": visit,
        "visit_url": f"{settings.SITE_URL}{visit.get_absolute_url()}" if visit else "",
        "galleries": [
            (gallery.title, f"{settings.SITE_URL}{gallery.get_absolute_url()}")
            for gallery in galleries
        ],
        "organization": site.name,
        "postal_address": site.postal_address,
    }
