"""What went back to donors, as the processor has it: refunds from here and from its dashboard
(giving.md F9), and what donors' banks ask or take. Runs inside the transaction that holds the gift.
"""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from donations.models import Dispute, Donation, Refund
from donations.providers.base import DisputeSnap, RefundSnap
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import OutgoingMessage, SiteSettings
from sistercities.shared.money import format_exact

State = Refund.State
STATES = {
    "pending": State.PENDING,
    "requires_action": State.PENDING,
    "succeeded": State.DONE,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}


def mirror_refunds(*, donation: Donation, refunds: Iterable[RefundSnap]) -> None:
    """Brings the refunds of a gift in line; one that was made in the dashboard becomes a row."""
    for snap in refunds:
        ours = donation.refunds.filter(provider_refund_id=snap.id).first()
        if ours is None and snap.refund_token:
            ours = donation.refunds.filter(token=snap.refund_token, provider_refund_id=None).first()
        if ours is None:
            ours = Refund(donation=donation, amount_cents=snap.amount_cents)
            ours.asked_at = snap.created_at
        ours.provider_refund_id = snap.id
        ours.state = STATES.get(snap.status, State.PENDING)
        ours.save()


def mirror_disputes(
    *, donation: Donation, disputes: Iterable[DisputeSnap], site: SiteSettings
) -> None:
    """The same for disputes. Staff get one mail for each that is new."""
    for snap in disputes:
        dispute, is_new = Dispute.objects.update_or_create(
            provider_dispute_id=snap.id,
            defaults={
                "donation": donation,
                "amount_cents": snap.amount_cents,
                "currency": snap.currency,
                "status": snap.status,
                "reason": snap.reason,
                "is_charge_refundable": snap.is_charge_refundable,
                "due_at": snap.due_at,
                "opened_at": snap.opened_at,
            },
        )
        if is_new and dispute.is_open and site.email:
            page = reverse("admin:donations_dispute_change", args=[dispute.pk])
            queue_mail(
                key=f"dispute:{snap.id}",
                template="donations/emails/dispute",
                to=site.email,
                context={
                    "amount": format_exact(snap.amount_cents, snap.currency),
                    "donor": donation.donor_name,
                    "given_on": donation.given_on,
                    "reason": snap.reason.replace("_", " "),
                    "due_at": snap.due_at,
                    "dispute_url": f"{settings.SITE_URL}{page}",
                    "organization": site.name,
                },
            )


def warn_of_fraud(*, donation: Donation, warning_id: str) -> None:
    """Makes a card network's warning a task for staff, once: giving the gift back before the
    donor's bank disputes it saves the dispute fee. Opens its own transaction.
    """
    site = SiteSettings.load()
    key = f"fraud:{warning_id}"
    text = _("A card network warns that the card may not be the giver's. Look at this gift, and "
             "give it back before the bank disputes it.")  # fmt: skip
    with transaction.atomic():
        gift = Donation.objects.select_for_update().get(pk=donation.pk)
        if OutgoingMessage.objects.filter(key=key).exists():
            return
        lines = gift.needs_attention.splitlines()
        if text not in lines:
            gift.needs_attention = "\n".join([*lines, text])
            gift.save(update_fields=["needs_attention"])
        if site.email:
            page = reverse("admin:donations_donation_change", args=[gift.pk])
            queue_mail(
                key=key,
                template="donations/emails/fraud_warning",
                to=site.email,
                context={
                    "amount": format_exact(gift.amount_cents, gift.currency),
                    "donor": gift.donor_name,
                    "gift_url": f"{settings.SITE_URL}{page}",
                },
            )
