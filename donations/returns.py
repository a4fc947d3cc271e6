"""What went back to donors and delegates, as the processor has it: refunds from here and from its
dashboard (giving.md F9), and what banks ask or take. Runs inside the transaction that holds the
gift or the trip fee.
"""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from donations.models import Dispute, Donation, Refund, TripFee
from donations.providers.base import DisputeSnap, RefundSnap
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import OutgoingMessage, SiteSettings
from sistercities.shared.money import format_exact

State = Refund.State
# Banks dispute such a charge within days. The card network names no day, so this one is ours.
WARNING_LASTS = dt.timedelta(days=3)
STATES = {
    "pending": State.PENDING,
    "requires_action": State.PENDING,
    "succeeded": State.DONE,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}


def mirror_refunds(*, of: Donation | TripFee, refunds: Iterable[RefundSnap]) -> None:
    """Brings the refunds of a payment in line; one made in the dashboard becomes a row."""
    for snap in refunds:
        ours = of.refunds.filter(provider_refund_id=snap.id).first()
        if ours is None and snap.refund_token:
            ours = of.refunds.filter(token=snap.refund_token, provider_refund_id=None).first()
        if ours is None:
            ours = Refund(**_owner(of), amount_cents=snap.amount_cents)
            ours.asked_at = snap.created_at
        ours.provider_refund_id = snap.id
        ours.state = STATES.get(snap.status, State.PENDING)
        ours.save()


def _owner(of: Donation | TripFee) -> dict[str, Donation | TripFee]:
    return {"donation" if isinstance(of, Donation) else "trip_fee": of}


def mirror_disputes(
    *, of: Donation | TripFee, disputes: Iterable[DisputeSnap], site: SiteSettings
) -> None:
    """The same for disputes. Staff get one mail for each that is new."""
    for snap in disputes:
        dispute, is_new = Dispute.objects.update_or_create(
            provider_dispute_id=snap.id,
            defaults={
                **_owner(of),
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
                    "donor": _payer(of),
                    "given_on": of.given_on if isinstance(of, Donation) else of.paid_on,
                    "is_trip_fee": isinstance(of, TripFee),
                    "reason": snap.reason.replace("_", " "),
                    "due_at": snap.due_at,
                    "dispute_url": f"{settings.SITE_URL}{page}",
                    "organization": site.name,
                },
            )


def _payer(of: Donation | TripFee) -> str:
    return of.donor_name if isinstance(of, Donation) else of.delegate_name


def warn_of_fraud(*, of: Donation | TripFee, warning_id: str) -> None:
    """Makes a card network's warning a task for staff, once: giving the money back before the
    payer's bank disputes it saves the dispute fee. Opens its own transaction.
    """
    site = SiteSettings.load()
    key = f"fraud:{warning_id}"
    due = date_format(clock.today() + WARNING_LASTS, "F j")
    text = _("A card network warns that the card may not be the payer's. Look at this by %s, and "
             "give the money back before the bank disputes it.") % due  # fmt: skip
    with transaction.atomic():
        gift = type(of)._default_manager.select_for_update().get(pk=of.pk)
        if OutgoingMessage.objects.filter(key=key).exists():
            return
        lines = gift.needs_attention.splitlines()
        if text not in lines:
            gift.needs_attention = "\n".join([*lines, text])
            gift.save(update_fields=["needs_attention"])
        if site.email:
            page = reverse(f"admin:donations_{gift._meta.model_name}_change", args=[gift.pk])
            queue_mail(
                key=key,
                template="donations/emails/fraud_warning",
                to=site.email,
                context={
                    "amount": format_exact(gift.amount_cents, gift.currency),
                    "donor": _payer(gift),
                    "due": due,
                    "is_trip_fee": isinstance(gift, TripFee),
                    "gift_url": f"{settings.SITE_URL}{page}",
                },
            )
