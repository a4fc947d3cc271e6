"""Makes our gift say what the processor says now, whatever brought us here.

Events, the return page, the sweep and `reconcile` all end in the same few lines: be alone with the
gift, fetch, converge in one short transaction (giving.md, hazards 2, 3, 6 and 7).
"""

import contextlib
import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from donations import donors, posting, receipts, returns, selling, tributes
from donations.models import CheckoutAttempt, Donation, LedgerEntry, RecurringGift, TripFee
from donations.providers import provider
from donations.providers.base import (
    CheckoutSnap,
    NotFound,
    PaymentSnap,
    ProviderDown,
)
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings
from sistercities.shared.money import format_exact
from sistercities.shared.signing import new_token

logger = logging.getLogger(__name__)
State = Donation.State
# Leases are kept by the machine's own clock: `CLOCK` may stand still, a crash must not last.
LEASE = dt.timedelta(minutes=3)
STALE_AT_ONCE = 50
DELAYED_METHODS = {"us_bank_account"}
# What a card pays for, once.
Payment = TypeVar("Payment", Donation, TripFee)


class GiftBusy(Exception):
    """Another process is looking at this gift, plan or trip fee. Nothing was done; what it fetched
    may be older than what brought us here, so an event must come back.
    """


@dataclass(frozen=True)
class Seen:
    """What the processor said in one fetch."""

    checkout: CheckoutSnap | None
    payment: PaymentSnap | None


def sync_checkout(*, donation: Donation, session_id: str = "", wait: float = 0) -> Donation:
    """Fetches a gift's payment page, by default the last one, and its payment; returns the gift
    as it then is. `wait`: seconds to stand in line for a gift that is busy.

    Safe to repeat and to run in parallel. Raises `GiftBusy`, `ProviderDown`, `ProviderRefused`;
    then nothing was changed.
    """
    return _sync(donation, lambda: fetch_page(donation, session_id), wait)


def sync_payment(*, donation: Donation, payment_ref: str, wait: float = 0) -> Donation:
    """The same from a payment, for facts that come after: its fee, refunds, disputes.

    A payment that we have not yet seen for this gift is looked at together with its page: that
    it names our gift is not enough.
    """
    return _sync(donation, lambda: fetch_payment(donation, payment_ref), wait)


def fetch_page(gift: Donation | TripFee, session_id: str = "") -> Seen | None:
    """A payment page, by default the last one, with its payment; None where there is no page."""
    page = session_id or last_session_id(gift)
    if not page:
        return None
    checkout = provider.fetch_checkout(page)
    payment = checkout.payment_ref and provider.fetch_payment(checkout.payment_ref)
    return Seen(checkout, payment or None)


def fetch_payment(gift: Donation | TripFee, payment_ref: str) -> Seen:
    """A payment, with its page if it is new to us."""
    is_known = gift.provider_reference == payment_ref
    checkout = None if is_known else provider.find_checkout(payment_ref)
    return Seen(checkout, provider.fetch_payment(payment_ref))


def last_session_id(gift: Donation | RecurringGift | TripFee) -> str:
    attempts = gift.attempts.exclude(session_id=None).order_by("-number")
    return attempts.values_list("session_id", flat=True).first() or ""


def _sync(donation: Donation, fetch: Callable[[], Seen | None], wait: float) -> Donation:
    return converge_alone(donation, fetch, _converge, wait)


def converge_alone(
    gift: Payment,
    fetch: Callable[[], Seen | None],
    converge: Callable[[Payment, Seen, SiteSettings], None],
    wait: float,
) -> Payment:
    """Is alone with a gift or a trip fee, fetches, and has `converge` write what was seen in one
    short transaction; the row as it then is. Raises what `sync_checkout` raises.
    """
    rows = type(gift)._default_manager
    with alone_with(gift, wait) as lease:
        seen = fetch()
        if seen is None:
            return rows.get(pk=gift.pk)
        site = SiteSettings.load()
        with transaction.atomic():
            held = rows.select_for_update().filter(pk=gift.pk, lease=lease).first()
            if held is None:
                raise GiftBusy  # we were too slow and someone took over: what we saw is old
            converge(held, seen, site)
        return held


@contextlib.contextmanager
def alone_with(gift: Donation | RecurringGift | TripFee, wait: float) -> Iterator[str]:
    """Takes a lease on the gift with one conditional update, the same on every database.

    Nothing is locked while we speak to the processor: on SQLite an open write transaction would
    stop every other writer.
    """
    lease = new_token()
    row = type(gift)._default_manager.filter(pk=gift.pk)
    deadline = time.monotonic() + wait
    while True:
        now = timezone.now()
        is_free = Q(lease_until=None) | Q(lease_until__lte=now)
        if row.filter(is_free).update(lease=lease, lease_until=now + LEASE):
            break
        if time.monotonic() >= deadline:
            raise GiftBusy
        time.sleep(0.05)
    try:
        yield lease
    finally:
        row.filter(lease=lease).update(lease="", lease_until=None)


def _converge(gift: Donation, seen: Seen, site: SiteSettings) -> None:
    """Writes what `seen` says. Runs inside the transaction that holds the gift."""
    rows = posting.rows_of(seen.payment) if seen.payment else []
    if found := list(problems(gift, seen)):
        for problem in found:
            flag(gift, problem)
        suspense = [(LedgerEntry.Kind.SUSPENSE, txn) for _kind, txn in rows]
        posting.post_new(rows=suspense, donation=gift, note=found[0])
        return
    if seen.checkout:
        gift.attempts.filter(number=int(seen.checkout.attempt), session_id=None).update(
            session_id=seen.checkout.session_id
        )
    if seen.payment:
        gift.provider_reference = seen.payment.payment_ref
        gift.method = seen.payment.method or gift.method
    reached = target(seen)
    if reached and gift.rise_to(reached) and reached == State.PAID and seen.payment:
        gift.paid_at = paid_at(seen.payment)
        gift.given_on = timezone.localdate(gift.paid_at, site.zone)  # D14
        donors.attach(donation=gift)
        for shortage in selling.shortages(donation=gift):
            flag(gift, shortage)
    gift.save(
        update_fields=["state", "provider_reference", "method", "paid_at", "given_on", "donor"]
    )
    if gift.state == State.PAID:
        for payment in _as_receipted(gift, seen.payment):
            _book(gift, payment, site)
        tributes.announce(donation=gift, site=site)


def _book(gift: Donation, payment: PaymentSnap | None, site: SiteSettings) -> None:
    """Books what a paid gift's payment says, and writes the receipt that is due then."""
    if payment:
        posting.post_new(rows=posting.rows_of(payment), donation=gift)
        returns.mirror_refunds(of=gift, refunds=payment.refunds)
        returns.mirror_disputes(of=gift, disputes=payment.disputes, site=site)
    try:
        receipts.issue(donation=gift, site=site)
    except receipts.ReceiptBlocked as reason:
        flag(gift, _("No receipt could be written. %s") % reason)


def _as_receipted(gift: Donation, payment: PaymentSnap | None) -> Iterator[PaymentSnap | None]:
    """The payment as it is. Where a restore has lost several receipts of this gift, first as it was
    before each refund, so that each of them is written again and has its number (F10).
    """
    if payment and payment.refunds and receipts.lost_of(gift) > 1:
        for known in range(len(payment.refunds)):
            yield replace(payment, refunds=payment.refunds[:known], disputes=())
    yield payment


def target(seen: Seen) -> State | None:
    """The state that this calls for; None where it says nothing."""
    checkout, payment = seen.checkout, seen.payment
    if payment and payment.has_succeeded:
        return State.PAID  # only ever from the payment itself (D21)
    if checkout is None:
        return State.PROCESSING if payment and payment.status == "processing" else None
    if checkout.status == "open":
        return State.OPEN
    if checkout.status == "expired":
        return State.EXPIRED
    has_failed = payment and payment.status in {"requires_payment_method", "canceled"}
    return State.FAILED if has_failed else State.PROCESSING


def paid_at(payment: PaymentSnap) -> dt.datetime:
    """When it was charged; for a bank debit, which takes days, when the money moved (D14)."""
    if payment.method not in DELAYED_METHODS and payment.charged_at:
        return payment.charged_at
    return payment.txn.created_at if payment.txn else clock.now()


def problems(gift: Donation | TripFee, seen: Seen) -> Iterator[str]:
    """Why what we fetched cannot be the payment of this gift or trip fee, in words for staff."""
    sessions = {str(attempt.number): attempt.session_id for attempt in gift.attempts.all()}
    checkout, payment = seen.checkout, seen.payment
    fetched: list[tuple[str, int, CheckoutSnap | PaymentSnap]] = []
    if checkout:
        fetched.append((checkout.session_id, checkout.amount_cents, checkout))
    if payment:
        fetched.append((payment.payment_ref, payment.gross_cents, payment))
    # The payment of an invoice carries no words of ours: `recurring` was led to it by the invoice.
    is_by_invoice = isinstance(gift, Donation) and gift.plan_id is not None
    for name, cents, found in fetched:
        if found.gift_token != gift.token and not is_by_invoice:
            yield _("%s names another gift or trip fee.") % name
        if (cents, found.currency) != (gift.amount_cents, gift.currency):
            yield _("%(name)s is for %(cents)d cents %(currency)s, and not for %(amount)s.") % {
                "name": name, "cents": cents, "currency": found.currency,
                "amount": format_exact(gift.amount_cents, gift.currency),
            }  # fmt: skip
        if found.livemode != gift.livemode or found.livemode != settings.STRIPE_LIVE_MODE:
            yield _("%s mixes test money and real money.") % name
        if found.attempt not in sessions and not is_by_invoice:
            yield _("%s was not opened by this site.") % name
    if checkout and sessions.get(checkout.attempt) not in (None, checkout.session_id):
        yield _("%s is not the payment page that was opened here.") % checkout.session_id
    if checkout is None and payment and payment.payment_ref != gift.provider_reference:
        yield _("%s was not made on a payment page.") % payment.payment_ref
    if payment and gift.provider_reference not in ("", payment.payment_ref):
        yield _("%s is a second payment.") % payment.payment_ref
    if payment and _pays_another(payment.payment_ref, gift):
        yield _("%s belongs to another gift or trip fee.") % payment.payment_ref


def _pays_another(payment_ref: str, gift: Donation | TripFee) -> bool:
    gifts = Donation.objects.filter(provider_reference=payment_ref)
    fees = TripFee.objects.filter(provider_reference=payment_ref)
    if isinstance(gift, TripFee):
        fees = fees.exclude(pk=gift.pk)
    else:
        gifts = gifts.exclude(pk=gift.pk)
    return gifts.exists() or fees.exists()


def flag(gift: Donation | RecurringGift | TripFee, problem: str) -> None:
    """Writes a line for staff on the row, once."""
    lines = gift.needs_attention.splitlines()
    if problem not in lines:
        gift.needs_attention = "\n".join([*lines, problem])
        gift.save(update_fields=["needs_attention"])
        logger.error("%s %s needs a person", type(gift).__name__, gift.pk)


def sweep() -> int:
    """The minute's work: events that wait, payment pages that ended without a word, refunds
    without an answer, receipts that were blocked. Returns how many things it did; a second run
    finds nothing to do.
    """
    from donations import changing, recurring, refunds, trip_fees, webhooks  # they call this module

    return (
        webhooks.process_waiting()
        + check_stale(Donation.objects.filter(state=State.OPEN), _look, gone=State.EXPIRED)
        + recurring.sweep()
        + trip_fees.sweep()
        + changing.carry_out_waiting()
        + refunds.carry_out_waiting()
        + receipts.issue_missing()
    )


def _look(gift: Donation) -> Donation:
    return sync_checkout(donation=gift)


def check_stale(
    open_ones: QuerySet[Payment], look: Callable[[Payment], Payment], *, gone: str
) -> int:
    """Asks about those of `open_ones` whose page has ended and of which no event came (F5,
    hazard 11); how many are not open any more. `gone` is the state of one whose page the processor
    does not know.
    """
    stale = (
        open_ones.annotate(page_ends_at=Max("attempts__expires_at"))
        .filter(page_ends_at__lt=clock.now())
        .order_by("page_ends_at", "pk")
    )
    checked = 0
    for gift in stale[:STALE_AT_ONCE]:
        try:
            checked += look(gift).state != gift.state
        except GiftBusy:
            continue
        except NotFound:
            # Nobody can pay on a page that does not exist.
            checked += open_ones.filter(pk=gift.pk).update(state=gone)
        except ProviderDown:
            logger.warning("Open pages were not checked: the processor does not answer")
            break
        except Exception:  # one odd row must not keep the others waiting
            logger.exception("%s %s could not be checked", type(gift).__name__, gift.pk)
    return checked


def find_by_session(session_id: str) -> Donation | TripFee | None:
    attempts = CheckoutAttempt.objects.select_related("donation", "trip_fee")
    attempt = attempts.filter(session_id=session_id).first()
    return (attempt.donation or attempt.trip_fee) if attempt else None
