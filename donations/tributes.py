"""Gifts in honor or memory of somebody: who is told, and that nobody reads the amount (D18)."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from donations.models import Donation
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings

CARD, NOTE = "donations/emails/tribute_card", "donations/emails/tribute_note"


def announce(*, donation: Donation, site: SiteSettings) -> None:
    """Puts the mails of a paid tribute into the outbox, each once however often this is called.

    The family gets a card only where the donor gave its mail address. Staff always get a note: it
    says where to post a card, if the donor gave a postal address alone. Must run in the
    transaction that makes the gift paid. giving.md D18: the receipt goes to the payer alone, and
    neither mail names the amount.
    """
    if not donation.tribute_kind:
        return
    unnamed = _("Somebody who wishes to stay unnamed")
    context = {
        "kind": donation.tribute_kind,
        "person": donation.tribute_name,
        "reader": donation.notice_name,
        "organization": site.name,
        "postal_address": site.postal_address,
        "designation": donation.designation,
        "notice_email": donation.notice_email,
        "notice_address": donation.notice_address,
        "is_by_post": bool(donation.notice_address and not donation.notice_email),
        "is_anonymous": donation.is_anonymous,
        "is_test": not donation.livemode,
    }
    if donation.notice_email:
        queue_mail(
            key=f"tribute-card:{donation.token}",
            template=CARD,
            to=donation.notice_email,
            context={
                **context,
                "donor": unnamed if donation.is_anonymous else donation.donor_name,
            },
        )
    if site.email:
        page = reverse("admin:donations_donation_change", args=[donation.pk])
        queue_mail(
            key=f"tribute-note:{donation.token}",
            template=NOTE,
            to=site.email,
            context={
                **context,
                "donor": donation.donor_name,
                "gift_url": f"{settings.SITE_URL}{page}",
            },
        )
