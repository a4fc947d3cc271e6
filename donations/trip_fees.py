"""What delegates pay for a trip: asked for by staff, paid by card or by hand, and never a gift
(giving.md D17).

The money comes the same way as that of a gift, with the same care: be alone with the fee, fetch,
converge. What is booked goes to accounts and kinds of entries that no sum of gifts reads.
"""

import contextlib
import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from donations import checkout, posting, returns, sync, trip_fee_letters
from donations.models import Account, Donation, LedgerEntry, Refund, TripFee
from donations.providers import provider
from donations.providers.base import CheckoutSnap, PaymentSnap
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings

State = TripFee.State
Kind = LedgerEntry.Kind
# What a gift's transactions are called when they are a trip fee's.
KINDS = {
    Kind.CHARGE: Kind.TRIP_FEE,
    Kind.REFUND: Kind.TRIP_REFUND,
    Kind.REFUND_FAILURE: Kind.TRIP_REFUND_BACK,
    Kind.DISPUTE: Kind.TRIP_DISPUTE,
}
# What a payment page means for a fee that it did not pay: one that ended may be begun again.
UNPAID_STATES = {
    Donation.State.OPEN: State.OPEN,
    Donation.State.PROCESSING: State.PROCESSING,
    Donation.State.EXPIRED: State.ASKED,
    Donation.State.FAILED: State.ASKED,
}
WAIT = 5.0  # seconds in line for a fee that another process is looking at


class CannotChange(Exception):
    """The fee is not in a state for this; the message says why, for staff. Nothing was changed."""


def ask(*, fee: TripFee, by: User) -> None:
    """Keeps a new fee and mails its link to the delegate."""
    fee.asked_by, fee.livemode = by, settings.STRIPE_LIVE_MODE
    with transaction.atomic():
        fee.save()
        send(fee=fee, number=1)


def send(*, fee: TripFee, number: int) -> TripFee:
    """Mails the link for the `number`th time; the same number twice sends it once.

    Raises `CannotChange` for a fee that is paid or withdrawn.
    """
    with transaction.atomic():
        held = TripFee.objects.select_for_update().select_related("visit").get(pk=fee.pk)
        if held.times_sent >= number:
            return held
        if not held.is_unpaid:
            raise CannotChange(_("This fee is paid or withdrawn: there is nothing to ask for."))
        held.times_sent += 1
        held.sent_at = clock.now()
        held.save(update_fields=["times_sent", "sent_at"])
        trip_fee_letters.asked(fee=held, site=SiteSettings.load())
    return held


def withdraw(*, fee: TripFee) -> TripFee:
    """Asks for a fee no longer. A payment page that is open is closed first, so that nobody pays
    what is not asked for. A second call changes nothing.

    Raises `CannotChange` for a fee that is paid, and what `sync_fee` raises; then it is asked for
    as before.
    """
    with _without_page(fee) as held:
        if held.state != State.WITHDRAWN:
            _refuse_unless_asked(held)
            held.state = State.WITHDRAWN
            held.save(update_fields=["state"])
    return held


def take_by_hand(
    *, fee: TripFee, method: str, on: dt.date, check_number: str = "", is_at_bank: bool = False
) -> TripFee:
    """Books a fee that came as a check, in cash or by transfer, and thanks for it by mail.

    `on` is the day that staff got it; a check or cash that `is_at_bank` already is booked there.
    A second call changes nothing. Raises `CannotChange` for a fee that is withdrawn or paid by
    card, or a day to come, and what `sync_fee` raises.
    """
    if on > clock.today():
        raise CannotChange(_("This day is still to come."))
    site = SiteSettings.load()
    with _without_page(fee) as held:
        if held.state == State.PAID and held.is_by_hand:
            return held
        _refuse_unless_asked(held)
        held.state, held.provider, held.livemode = State.PAID, TripFee.Provider.OFFLINE, True
        held.method, held.check_number, held.paid_on = method, check_number, on
        if is_at_bank or method == TripFee.Method.TRANSFER:
            held.deposited_on = on
        held.save()
        posting.post_offline(
            kind=Kind.TRIP_RECEIVED,
            offline_id=held.token,
            trip_fee=held,
            occurred_at=clock.noon_of(on, site.zone),
            note=check_number,
            moves=[(_place_of_money(held), Account.TRIP_FEES, held.amount_cents)],
        )
        trip_fee_letters.paid(fee=held, site=site)
    return held


@contextlib.contextmanager
def _without_page(fee: TripFee) -> Iterator[TripFee]:
    """The fee, held in a transaction, after its payment page was closed if one was open."""
    present = TripFee.objects.get(pk=fee.pk)
    if present.state == State.OPEN:
        provider.end_checkout(sync.last_session_id(present))
    if present.state in (State.OPEN, State.PROCESSING):
        sync_fee(fee=present, wait=WAIT)
    with sync.alone_with(fee, WAIT), transaction.atomic():
        yield TripFee.objects.select_for_update().select_related("visit").get(pk=fee.pk)


def _refuse_unless_asked(fee: TripFee) -> None:
    if fee.state == State.WITHDRAWN:
        raise CannotChange(_("This fee is withdrawn."))
    if fee.state == State.PAID:
        raise CannotChange(_("This fee is paid."))
    if fee.state != State.ASKED:
        raise CannotChange(
            _("The delegate is paying at this moment, or the bank works on it. Look again later.")
        )


def deposit(*, fee: TripFee, on: dt.date) -> TripFee:
    """Says that a check or cash is at the bank since `on`. A second call changes nothing.

    Raises `CannotChange` for a fee that is not with us, or a day to come.
    """
    with transaction.atomic():
        held = TripFee.objects.select_for_update().with_returned().get(pk=fee.pk)
        if held.is_by_hand and held.deposited_on:
            return held
        if not held.is_with_us:
            raise CannotChange(_("No check and no cash of this fee is with us."))
        if on > clock.today():
            raise CannotChange(_("This day is still to come."))
        left = held.amount_cents - held.refunded_cents
        posting.post_offline(
            kind=Kind.DEPOSIT,
            offline_id=held.token,
            trip_fee=held,
            occurred_at=clock.noon_of(on, SiteSettings.load().zone),
            moves=[(Account.BANK, Account.UNDEPOSITED_CHECKS, left)],
        )
        held.deposited_on = on
        held.save(update_fields=["deposited_on"])
    return held


def give_back_by_hand(*, refund: Refund) -> None:
    """Books that staff gave a fee back, or that its check came back. Runs inside the transaction
    that holds the fee.
    """
    fee = refund.payment
    assert isinstance(fee, TripFee)
    posting.post_offline(
        kind=Kind.TRIP_REFUND,
        offline_id=refund.token,
        trip_fee=fee,
        occurred_at=clock.now(),
        note=refund.note,
        moves=[(Account.TRIP_FEES, _place_of_money(fee), refund.amount_cents)],
    )
    refund.state = Refund.State.DONE
    refund.save(update_fields=["state"])
    trip_fee_letters.given_back(refund=refund, fee=fee, site=SiteSettings.load())


def _place_of_money(fee: TripFee) -> Account:
    return Account.UNDEPOSITED_CHECKS if fee.is_with_us else Account.BANK


def pay(*, fee: TripFee) -> str:
    """The address to send the delegate to: the payment page, always the same while it is open, or
    the fee's own page where there is nothing to pay.

    Raises `GiftBusy`, and `ProviderDown` or `ProviderRefused`: no money moved.
    """
    if fee.state in (State.OPEN, State.PROCESSING):
        sync_fee(fee=fee, wait=WAIT)
    with sync.alone_with(fee, WAIT):
        present = TripFee.objects.select_related("visit").get(pk=fee.pk)
        return checkout.open_page(present) if present.is_payable else present.get_absolute_url()


def sync_fee(
    *, fee: TripFee, session_id: str = "", payment_ref: str = "", wait: float = 0
) -> TripFee:
    """Fetches a fee's payment, or its payment page, by default the last one, and makes the fee say
    what the processor says; the fee as it then is.

    Safe to repeat and to run in parallel. Raises `GiftBusy`, `ProviderDown`, `ProviderRefused`;
    then nothing was changed.
    """

    def fetch() -> sync.Seen | None:
        if payment_ref and not session_id:
            return sync.fetch_payment(fee, payment_ref)
        return sync.fetch_page(fee, session_id)

    return sync.converge_alone(fee, fetch, _converge, wait)


def _converge(fee: TripFee, seen: sync.Seen, site: SiteSettings) -> None:
    """Writes what `seen` says. Runs inside the transaction that holds the fee."""
    rows = posting.rows_of(seen.payment) if seen.payment else []
    if found := list(_problems(fee, seen)):
        for problem in found:
            sync.flag(fee, problem)
        suspense = [(Kind.SUSPENSE, txn) for _kind, txn in rows]
        posting.post_new(rows=suspense, trip_fee=fee, note=found[0])
        return
    if seen.checkout:
        fee.attempts.filter(number=int(seen.checkout.attempt), session_id=None).update(
            session_id=seen.checkout.session_id
        )
    if seen.payment and seen.payment.has_succeeded:
        _take(fee, seen.payment, site)
        posting.post_new(rows=[(KINDS[kind], txn) for kind, txn in rows], trip_fee=fee)
        returns.mirror_refunds(of=fee, refunds=seen.payment.refunds)
        returns.mirror_disputes(of=fee, disputes=seen.payment.disputes, site=site)
        for refund in fee.refunds.filter(state=Refund.State.DONE).order_by("pk"):
            trip_fee_letters.given_back(refund=refund, fee=fee, site=site)
    elif fee.is_unpaid and seen.checkout and _is_last_page(fee, seen.checkout):
        reached = sync.target(seen)
        if reached:
            fee.state = UNPAID_STATES[reached]
            fee.save(update_fields=["state"])


def _take(fee: TripFee, payment: PaymentSnap, site: SiteSettings) -> None:
    """Marks a fee as paid by card, and thanks for it. What is paid stays paid."""
    if fee.state == State.PAID:
        return
    if fee.state == State.WITHDRAWN:
        sync.flag(fee, _("It was paid by card although it was withdrawn. Give it back."))
    fee.state = State.PAID
    fee.provider_reference, fee.method = payment.payment_ref, payment.method
    fee.paid_on = timezone.localdate(sync.paid_at(payment), site.zone)
    fee.save(update_fields=["state", "provider_reference", "method", "paid_on"])
    trip_fee_letters.paid(fee=fee, site=site)


def _is_last_page(fee: TripFee, page: CheckoutSnap) -> bool:
    """What an older page says, that has long ended, means nothing for the one that is open."""
    last = fee.attempts.order_by("-number").values_list("number", flat=True).first()
    return page.attempt == str(last)


def _problems(fee: TripFee, seen: sync.Seen) -> Iterator[str]:
    yield from sync.problems(fee, seen)
    if seen.payment and seen.payment.has_succeeded and fee.is_by_hand:
        yield _("%s came by card, and this fee was paid by hand.") % seen.payment.payment_ref


def sweep() -> int:
    """The minute's work: asks about payment pages that ended without a word."""
    return sync.check_stale(
        TripFee.objects.filter(state=State.OPEN), lambda fee: sync_fee(fee=fee), gone=State.ASKED
    )
