"""Gives gifts and trip fees back, in whole or in part (giving.md D17, D20, F8).

A refund changes no total here: `sync` books what the processor says that it moved.
"""

import logging
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from donations import offline, sync, trip_fees
from donations.models import Donation, Refund, TripFee
from donations.providers import provider
from donations.providers.base import ProviderDown, ProviderRefused
from sistercities.shared.money import format_exact

logger = logging.getLogger(__name__)
State, Reason = Refund.State, Refund.Reason
STRIPE_REASONS = {
    Reason.DONOR: "requested_by_customer",
    Reason.DUPLICATE: "duplicate",
    Reason.FRAUD: "fraudulent",
}
WAIT = 5.0  # seconds in line for a gift that an event looks at


class CannotRefund(Exception):
    """This much cannot be given back; the message says why, for staff."""


def refundable_cents(payment: Donation | TripFee) -> int:
    """What can still be given back: nothing of what is not paid or what a bank disputes."""
    held = any(not dispute.is_charge_refundable for dispute in payment.disputes.open())
    if payment.state != Donation.State.PAID or held or payment.disputes.lost().exists():
        return 0
    gone = payment.refunds.holding_money().aggregate(cents=Sum("amount_cents"))["cents"] or 0
    return payment.amount_cents - gone


def ask(
    *,
    donation: Donation,
    cents: int,
    reason: str,
    note: str,
    asked_by: User,
    form_token: str,
) -> Refund:
    """Keeps the wish to give `cents` back and carries it out; the refund as it then is.

    The same form twice gives back once. Raises `CannotRefund` for more than is left (then nothing
    was kept). Where the processor does not answer the refund stays asked for, and the sweep
    carries it out.
    """
    with transaction.atomic():
        gift = Donation.objects.select_for_update().get(pk=donation.pk)
        refund = Refund(
            donation=gift, amount_cents=cents, reason=reason, note=note,
            asked_by=asked_by, form_token=form_token,
        )  # fmt: skip
        refund, is_new = _keep(refund)
        if is_new and gift.provider == Donation.Provider.OFFLINE:
            offline.give_back(refund=refund)
    return _answered(refund)


def ask_of_fee(
    *, fee: TripFee, cents: int, reason: str, note: str, asked_by: User, form_token: str
) -> Refund:
    """The same for a trip fee, of a delegate who withdrew or paid too much. No gift is touched."""
    with transaction.atomic():
        held = TripFee.objects.select_for_update().get(pk=fee.pk)
        refund = Refund(
            trip_fee=held, amount_cents=cents, reason=reason, note=note,
            asked_by=asked_by, form_token=form_token,
        )  # fmt: skip
        refund, is_new = _keep(refund)
        if is_new and held.is_by_hand:
            trip_fees.give_back_by_hand(refund=refund)
    return _answered(refund)


def _keep(wish: Refund) -> tuple[Refund, bool]:
    """The refund of this form, and whether it is new. The caller holds the row of its payment."""
    payment = wish.payment
    known = Refund.objects.filter(form_token=wish.form_token).first()
    if known:
        return known, False
    left = refundable_cents(payment)
    if not 0 < wish.amount_cents <= left:
        raise CannotRefund(
            _("At most %s of this can be given back.") % format_exact(left, payment.currency)
        )
    if payment.provider != Donation.Provider.OFFLINE:
        wish.params = _params(wish)
    wish.save()
    return wish, True


def _answered(refund: Refund) -> Refund:
    """A refund that was kept, after the processor was asked for it if need be."""
    if refund.state != State.ASKED:
        return refund
    try:
        carry_out(refund=refund)
    except (ProviderDown, sync.GiftBusy) as error:
        logger.warning("Refund %s waits: %s", refund.pk, type(error).__name__)
    refund.refresh_from_db()
    return refund


def _params(refund: Refund) -> dict[str, Any]:
    payment = refund.payment
    kind = "gift" if isinstance(payment, Donation) else "trip_fee"
    params = {
        "payment_intent": payment.provider_reference,
        "amount": refund.amount_cents,
        "metadata": {"refund": refund.token, kind: payment.token},
    }
    if refund.reason in STRIPE_REASONS:
        params["reason"] = STRIPE_REASONS[Reason(refund.reason)]
    return params


def carry_out(*, refund: Refund) -> None:
    """Has the processor make a refund that was asked for, and books what came of it.

    Safe to repeat at any time: what the processor made under our token is found before it is
    asked again, since its memory of our key ends after a day (F8). Raises `ProviderDown` and
    `GiftBusy`; a refund that the processor does not want to make is marked so.
    """
    paid = refund.payment
    if refund.state == State.ASKED:
        payment = refund.params["payment_intent"]
        try:
            if provider.find_refund(payment, refund.token) is None:
                provider.refund(key=refund.idempotency_key, params=refund.params)
        except ProviderRefused as error:
            Refund.objects.filter(pk=refund.pk, state=State.ASKED).update(
                state=State.REFUSED, problem=str(error)[:300]
            )
    if isinstance(paid, TripFee):
        trip_fees.sync_fee(fee=paid, payment_ref=paid.provider_reference, wait=WAIT)
    else:
        sync.sync_payment(donation=paid, payment_ref=paid.provider_reference, wait=WAIT)


def carry_out_waiting() -> int:
    """Asks again for the refunds of which no answer came; the number that has one now."""
    done = 0
    waiting = Refund.objects.unanswered().select_related("donation", "trip_fee")
    for refund in waiting.order_by("pk")[:50]:
        try:
            carry_out(refund=refund)
        except (ProviderDown, sync.GiftBusy):
            continue
        done += 1
    return done
