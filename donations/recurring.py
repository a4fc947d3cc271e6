"""Makes a gift that repeats, and the gift of each of its invoices, say what the processor says now.

The same few steps as in `sync`: be alone with the plan, fetch, converge in one short transaction.
The money of an invoice is then looked at under the lease of its own gift, by `sync.sync_payment`,
so that a renewal is booked, receipted and refunded like any gift (giving.md D4).
"""

import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from donations import due_days, plan_letters, sync
from donations.models import CheckoutAttempt, Donation, RecurringGift
from donations.providers import provider
from donations.providers.base import (
    CheckoutSnap,
    EventHint,
    InvoiceSnap,
    NotFound,
    PlanSnap,
    ProviderDown,
)
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings
from sistercities.shared.signing import fingerprint, new_token

logger = logging.getLogger(__name__)
State = RecurringGift.State
AT_ONCE = 50
LOOK_AGAIN = dt.timedelta(hours=6)
STALE_AGAIN = dt.timedelta(minutes=10)
LATE = dt.timedelta(minutes=2)
MIRRORED = [
    "state", "provider_reference", "customer_reference", "amount_cents", "covered_fee_cents",
    "next_on", "pay_url", "ended_at", "looked_at",
]  # fmt: skip
TOKEN_LENGTH = 40  # 160 bits
STATES = {
    "incomplete": State.INCOMPLETE,
    "incomplete_expired": State.EXPIRED,
    "past_due": State.PAST_DUE,
    "unpaid": State.PAST_DUE,
    "paused": State.PAUSED,
    "canceled": State.CANCELED,
}


@dataclass(frozen=True)
class Seen:
    """What the processor said in one fetch."""

    checkout: CheckoutSnap | None
    plan: PlanSnap | None
    invoice: InvoiceSnap | None


def sync_plan(
    *,
    plan: RecurringGift,
    session_id: str = "",
    plan_ref: str = "",
    invoice_ref: str = "",
    wait: float = 0,
) -> RecurringGift:
    """Fetches a plan and one of its invoices, by default the last; returns it as it then is.

    Safe to repeat and to run in parallel. Raises `GiftBusy`, `ProviderDown`, `ProviderRefused`;
    then the plan was not changed, or its gift waits for the next look.
    """
    with sync.alone_with(plan, wait) as lease:
        present = RecurringGift.objects.get(pk=plan.pk)
        seen = _fetch(present, session_id, plan_ref, invoice_ref)
        if seen is None:
            return present
        site = SiteSettings.load()
        with transaction.atomic():
            held = RecurringGift.objects.select_for_update().filter(pk=plan.pk, lease=lease).first()
            if held is None:
                raise sync.GiftBusy
            gift = _converge(held, seen, site)
    if gift and gift.state != Donation.State.PAID and seen.invoice and seen.invoice.payment_ref:
        sync.sync_payment(donation=gift, payment_ref=seen.invoice.payment_ref, wait=wait)
    return held


def sync_invoice(*, plan: RecurringGift, invoice_ref: str, wait: float = 0) -> RecurringGift:
    """The same for one invoice, which need not be the last."""
    return sync_plan(plan=plan, invoice_ref=invoice_ref, wait=wait)


def _fetch(plan: RecurringGift, session_id: str, plan_ref: str, invoice_ref: str) -> Seen | None:
    """A subscription that is new to us is looked at together with its payment page: that it names
    our plan is not enough.
    """
    checkout = None
    known = plan.provider_reference or ""
    if not known:
        page = session_id or sync.last_session_id(plan)
        if page:
            checkout = provider.fetch_checkout(page)
        elif plan_ref:
            checkout = provider.find_plan_checkout(plan_ref)
        if checkout is None:
            return None
        known = checkout.plan_ref
        if not known:
            return Seen(checkout, None, None)
    snap = provider.fetch_plan(plan_ref or known)
    wanted = invoice_ref or snap.invoice_ref
    return Seen(checkout, snap, provider.fetch_invoice(wanted) if wanted else None)


def _converge(plan: RecurringGift, seen: Seen, site: SiteSettings) -> Donation | None:
    """Writes what `seen` says; returns the gift of its invoice if that was paid. Runs inside the
    transaction that holds the plan.
    """
    if problems := list(_problems(plan, seen)):
        for problem in problems:
            sync.flag(plan, problem)
        plan.looked_at = clock.now()
        plan.save(update_fields=["looked_at"])
        return None
    if seen.checkout:
        plan.attempts.filter(number=int(seen.checkout.attempt), session_id=None).update(
            session_id=seen.checkout.session_id
        )
    was_running, had_ended = plan.is_running, plan.state == State.CANCELED
    if seen.plan is None:
        if seen.checkout and plan.state in RecurringGift.NOT_BEGUN:
            is_over = seen.checkout.status == "expired"
            plan.state = State.EXPIRED if is_over else State.OPEN
        plan.looked_at = clock.now()
        plan.save(update_fields=MIRRORED)
        return None
    gift, is_failing = None, False
    _mirror(plan, seen.plan, site)
    if seen.invoice:
        is_failing = seen.invoice.status == "open" and plan.state == State.PAST_DUE
        if is_failing:
            plan.pay_url = seen.invoice.pay_url
        gift = _gift_of(plan, seen.invoice)
    if plan.state != State.PAST_DUE:
        plan.pay_url = ""
    plan.save(update_fields=MIRRORED)
    if plan.is_running and not was_running:
        plan_letters.began(plan=plan, site=site)
    if is_failing and seen.invoice and seen.invoice.attempts:
        plan_letters.failing(plan=plan, invoice=seen.invoice, site=site)
    if plan.state == State.CANCELED and not had_ended:
        is_card = seen.plan.end_reason == "payment_failed"
        plan_letters.ended(plan=plan, is_card=is_card, site=site)
    return gift if seen.invoice and seen.invoice.status == "paid" else None


def _mirror(plan: RecurringGift, snap: PlanSnap, site: SiteSettings) -> None:
    plan.provider_reference = snap.plan_ref
    plan.customer_reference = snap.customer_ref
    if plan.state != State.CANCELED:  # never left
        plan.state = _state(snap)
    if plan.amount_cents != snap.amount_cents:
        plan.amount_cents, plan.covered_fee_cents = snap.amount_cents, 0
    goes_on = plan.is_running and plan.state != State.CANCELING
    plan.next_on = None
    if goes_on and not (snap.is_paused and snap.paused_until is None):
        moment = due_days.next_charge(
            period_ends_at=snap.period_ends_at,
            interval=plan.interval,
            anchor_day=snap.anchored_at.day,
            paused_until=snap.paused_until,
        )
        plan.next_on = timezone.localdate(moment, site.zone)
    plan.ended_at = snap.ended_at
    plan.looked_at = clock.now()


def _state(snap: PlanSnap) -> State:
    if snap.status in STATES:
        return STATES[snap.status]
    if snap.cancels_at_end:
        return State.CANCELING
    return State.PAUSED if snap.is_paused else State.ACTIVE


def _gift_of(plan: RecurringGift, invoice: InvoiceSnap) -> Donation | None:
    """The one gift of an invoice: `processing` until its payment was looked at, or `failed`, from
    which it may rise. None for an invoice that nobody was asked to pay, such as that of a pause.
    """
    # A bank debit is tried, and open, for days: only the plan's own state says that it failed.
    was_tried = invoice.status in {"open", "uncollectible"} and invoice.attempts > 0
    has_failed = was_tried and plan.state not in {State.ACTIVE, State.PAUSED, State.CANCELING}
    if invoice.amount_cents <= 0 or not (has_failed or invoice.status == "paid"):
        return None
    state = Donation.State.FAILED if has_failed else Donation.State.PROCESSING
    gift, is_new = Donation.objects.get_or_create(
        invoice_reference=invoice.invoice_ref,
        defaults={**_fields_of(plan, invoice), "state": state},
    )
    if not is_new and gift.plan_id == plan.pk:
        rows = Donation.objects.filter(pk=gift.pk).exclude(state=Donation.State.PAID)
        rows.update(provider_reference=invoice.payment_ref)
        if has_failed:
            rows.filter(state=Donation.State.PROCESSING).update(state=state)
        gift.refresh_from_db()
    if invoice.status == "paid" and not invoice.payment_ref:
        sync.flag(plan, _("Invoice %s was marked as paid without a payment.") % invoice.invoice_ref)
    return gift


def _fields_of(plan: RecurringGift, invoice: InvoiceSnap) -> dict:
    """A comment and a tribute belong to the first gift alone: a family is told once (D18).

    Its address follows from the invoice, so that the donor's link works after a restore (F10).
    """
    once = ("message", "tribute_kind", "tribute_name", "notice_name", "notice_email",
            "notice_address")  # fmt: skip
    first = {name: getattr(plan, name) for name in once} if invoice.is_first else {}
    is_as_chosen = invoice.amount_cents == plan.amount_cents
    return {
        **first,
        "token": fingerprint("gift of an invoice", invoice.invoice_ref)[:TOKEN_LENGTH],
        "form_token": new_token(),
        "kind": plan.interval,
        "plan": plan,
        "provider_reference": invoice.payment_ref,
        "amount_cents": invoice.amount_cents,
        "covered_fee_cents": plan.covered_fee_cents if is_as_chosen else 0,
        "currency": plan.currency,
        "campaign": plan.campaign,
        "designation": plan.designation,
        "donor_name": plan.donor_name,
        "email": plan.email,
        "donor_address": plan.donor_address,
        "employer": plan.employer,
        "is_anonymous": plan.is_anonymous,
        "is_listed": plan.is_listed,
        "goods_services": Donation.GoodsServices.NONE,
        "livemode": plan.livemode,
    }


def _problems(plan: RecurringGift, seen: Seen) -> Iterator[str]:
    """Why what we fetched cannot be this plan's, in words for staff."""
    sessions = {str(attempt.number): attempt.session_id for attempt in plan.attempts.all()}
    checkout, snap, invoice = seen.checkout, seen.plan, seen.invoice
    if checkout:
        name = checkout.session_id
        if checkout.gift_token != plan.token:
            yield _("%s names another gift.") % name
        if (checkout.amount_cents, checkout.currency) != (plan.amount_cents, plan.currency):
            yield _("%s is for another amount than this gift.") % name
        if checkout.attempt not in sessions:
            yield _("%s was not opened by this site.") % name
        elif sessions[checkout.attempt] not in (None, name):
            yield _("%s is not the payment page that this gift was given.") % name
        if snap and checkout.plan_ref != snap.plan_ref:
            yield _("%s did not begin on this gift's payment page.") % snap.plan_ref
    if snap:
        name = snap.plan_ref
        if snap.plan_token != plan.token:
            yield _("%s names another gift.") % name
        if plan.provider_reference not in (None, name):
            yield _("%s is a second subscription for this gift.") % name
        if (snap.interval, snap.interval_count) != (plan.interval, 1):
            yield _("%s is charged in other intervals than this gift.") % name
        if snap.amount_cents <= 0:
            yield _("%s charges nothing.") % name
    if snap and invoice and invoice.plan_ref != snap.plan_ref:
        yield _("%s belongs to another gift.") % invoice.invoice_ref
    if invoice and invoice.payment_ref:
        others = Donation.objects.filter(provider_reference=invoice.payment_ref)
        if others.exclude(invoice_reference=invoice.invoice_ref).exists():
            yield _("%s belongs to another gift.") % invoice.payment_ref
    for found in (checkout, snap, invoice):
        if found and found.currency != plan.currency:
            yield _("Another currency than %s was charged.") % plan.currency
        if found and {found.livemode, plan.livemode} != {settings.STRIPE_LIVE_MODE}:
            yield _("Test money and real money are mixed.")


def follow(hint: EventHint, *, wait: float) -> RecurringGift | None:
    """Looks at the plan that an event points to; None if it points to none of ours.

    A payment says nothing of its plan: the way leads through its invoice (giving.md).
    """
    refs = dict(hint.refs)
    if "payment" in refs and not {"session", "subscription"} & refs.keys():
        invoice_ref = provider.find_invoice(refs["payment"])
        if not invoice_ref:
            return None
        invoice = provider.fetch_invoice(invoice_ref)
        refs |= {
            "invoice": invoice_ref, "subscription": invoice.plan_ref, "plan": invoice.plan_token
        }  # fmt: skip
    plan = find(refs)
    if plan is None:
        return None
    return sync_plan(
        plan=plan,
        session_id=refs.get("session", ""),
        plan_ref=refs.get("subscription", ""),
        invoice_ref=refs.get("invoice", ""),
        wait=wait,
    )


def find(refs: Mapping[str, str]) -> RecurringGift | None:
    """By its subscription, its payment page, or the token that we gave along (hazard 6)."""
    plans = RecurringGift.objects
    found = None
    if "subscription" in refs:
        found = plans.filter(provider_reference=refs["subscription"]).first()
    if found is None and "session" in refs:
        attempt = CheckoutAttempt.objects.filter(session_id=refs["session"]).first()
        found = attempt.plan if attempt else None
    tokens = [refs[name] for name in ("plan", "gift") if refs.get(name)]
    return found or plans.filter(token__in=tokens).first()


def sync_history(*, plan: RecurringGift) -> None:
    """Looks at every invoice of a plan, for the months of which no event came (F10)."""
    if plan.provider_reference:
        for invoice_ref in provider.invoices_of(plan.provider_reference):
            known = Donation.objects.filter(invoice_reference=invoice_ref)
            if not known.filter(state=Donation.State.PAID).exists():
                sync_invoice(plan=plan, invoice_ref=invoice_ref, wait=5)


def sweep() -> int:
    """The minute's work on plans: pages that ended without a word, paid invoices whose payment was
    not looked at, and plans of which something should have been heard: a charge is due, a card is
    failing, or the end is near.
    """
    now = clock.now()
    not_lately = Q(looked_at=None) | Q(looked_at__lt=now - LOOK_AGAIN)
    stale = (
        RecurringGift.objects.filter(state=State.OPEN)
        .annotate(page_ends_at=Max("attempts__expires_at"))
        .filter(Q(looked_at=None) | Q(looked_at__lt=now - STALE_AGAIN), page_ends_at__lt=now)
        .order_by("page_ends_at", "pk")
    )
    unheard = (
        RecurringGift.objects.running()
        .filter(Q(next_on__lt=clock.today()) | Q(state__in=[State.PAST_DUE, State.CANCELING]))
        .filter(not_lately)
        .order_by("looked_at", "pk")
    )
    unfinished = Donation.objects.filter(
        plan__isnull=False, state=Donation.State.PROCESSING, created_at__lt=now - LATE
    ).order_by("pk")
    done = 0
    try:
        for plan in stale[:AT_ONCE]:
            done += _look(plan, is_stale=True)
        for silent in unheard[:AT_ONCE]:
            done += _look(silent)
        for gift in unfinished.exclude(provider_reference="")[:AT_ONCE]:
            done += _finish(gift)
    except ProviderDown:
        logger.warning("Monthly and yearly gifts were not checked: the processor does not answer")
    return done


def _look(plan: RecurringGift, *, is_stale: bool = False) -> int:
    try:
        if not is_stale:
            sync_history(plan=plan)
        return int(sync_plan(plan=plan).state != plan.state)
    except sync.GiftBusy:
        return 0
    except NotFound:
        # Nobody can pay on a page that does not exist.
        rows = RecurringGift.objects.filter(pk=plan.pk)
        rows.update(looked_at=clock.now())
        return rows.filter(state=State.OPEN).update(state=State.EXPIRED)
    except ProviderDown:
        raise
    except Exception:  # one odd plan must not keep the others waiting
        logger.exception("Monthly or yearly gift %s could not be checked", plan.pk)
        RecurringGift.objects.filter(pk=plan.pk).update(looked_at=clock.now())
        return 0


def _finish(gift: Donation) -> int:
    try:
        found = sync.sync_payment(donation=gift, payment_ref=gift.provider_reference)
    except sync.GiftBusy:
        return 0
    except ProviderDown:
        raise
    except Exception:
        logger.exception("Gift %s could not be checked", gift.pk)
        return 0
    return int(found.state == Donation.State.PAID)
