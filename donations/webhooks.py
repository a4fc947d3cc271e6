"""Events from the processor: stored first, answered, then followed up (giving.md D22, F4, F5)."""

import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from donations import alarming, payouts, recurring, returns, sync, trip_fees
from donations.models import Donation, ProviderEvent, TripFee
from donations.providers import provider
from donations.providers.base import BadSignature, EventHint, ProviderDown, ProviderRefused
from sistercities.shared import clock
from sistercities.shared.money import format_exact

logger = logging.getLogger(__name__)
LEASE = dt.timedelta(minutes=5)
PAUSES = [dt.timedelta(seconds=seconds) for seconds in (20, 60, 300, 1800, 7200, 43200)]
BUSY_PAUSE = dt.timedelta(seconds=5)
MOST_TRIES = 16  # about five days
WAIT = 5.0  # seconds in line for a gift that another process is looking at
FOLLOWED = (
    "checkout.session.", "charge.updated", "charge.refunded", "refund.", "charge.dispute.",
    "customer.subscription.", "invoice.", "radar.early_fraud_warning.",
)  # fmt: skip
FRAUD = "radar.early_fraud_warning.created"


class WrongMode(Exception):
    """An event of test money on a site that takes real money, or the other way round."""


def receive(*, raw_body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
    """Stores a signed event, once, and wakes the work on it. Whoever calls may then answer 200:
    from here on the sweep finishes it, whatever happens to this process.

    Raises `BadSignature` or `WrongMode`; then nothing was stored.
    """
    try:
        hint = provider.verify_event(raw_body, headers)
    except BadSignature:
        if headers.get("Stripe-Signature"):  # else somebody looks for open doors
            alarming.count_refused()
        raise
    if hint.livemode != settings.STRIPE_LIVE_MODE:
        raise WrongMode
    with transaction.atomic():
        event, is_new = ProviderEvent.objects.get_or_create(
            event_id=hint.id,
            defaults={"type": hint.type, "body": raw_body.decode(), "livemode": hint.livemode},
        )
        if is_new:
            transaction.on_commit(partial(_wake, event.pk))
    return event


def _wake(pk: int) -> None:
    """A queue that is down costs a minute: the sweep finds the row."""
    from donations.tasks import process_event

    try:
        process_event.enqueue(pk)
    except Exception:
        logger.exception("The task queue did not answer; the next sweep will do the work")


def process_waiting() -> int:
    """Works through the events that are due, oldest first; the number finished."""
    due = list(ProviderEvent.objects.due().values_list("pk", flat=True)[:200])
    return sum(process(pk) for pk in due)


def process(pk: int) -> bool:
    """Follows one event; True if that finished it. Two workers cannot follow the same at once
    (F11), and a failure brings the event back later (F5).
    """
    now = timezone.now()
    claimed = ProviderEvent.objects.filter(
        pk=pk, state=ProviderEvent.State.RECEIVED, next_try_at__lte=now
    ).update(next_try_at=now + LEASE, attempts=F("attempts") + 1)
    if not claimed:
        return False
    event = ProviderEvent.objects.get(pk=pk)
    try:
        hint = provider.read_event(event.body)
        note = " ".join([follow(hint), *_other_version(hint)])
    except sync.GiftBusy:
        return _try_later(event, _("Another process was looking at this gift."), BUSY_PAUSE)
    except ProviderDown as error:
        return _try_later(event, _("The processor did not answer: %s") % error)
    except ProviderRefused as error:
        return _try_later(event, _("The processor refused: %s") % error)
    except Exception as error:
        logger.exception("Event %s could not be followed", event.event_id)
        return _try_later(event, f"{type(error).__name__}: {error}")
    ProviderEvent.objects.filter(pk=pk).update(
        state=ProviderEvent.State.PROCESSED, processed_at=clock.now(), note=note[:300]
    )
    return True


def _other_version(hint: EventHint) -> Iterator[str]:
    """What staff read of an event that was written in another version than our code reads."""
    if hint.api_version and hint.api_version != provider.api_version:
        logger.error("Event %s is of API version %s", hint.id, hint.api_version)
        yield _(
            "It was written in API version %(theirs)s, this site reads %(ours)s: change the "
            "version of the webhook."
        ) % {"theirs": hint.api_version, "ours": provider.api_version}


def _try_later(event: ProviderEvent, why: str, pause: dt.timedelta | None = None) -> bool:
    pause = pause or PAUSES[min(event.attempts, len(PAUSES)) - 1]
    is_over = event.attempts >= MOST_TRIES
    ProviderEvent.objects.filter(pk=event.pk).update(
        state=ProviderEvent.State.FAILED if is_over else ProviderEvent.State.RECEIVED,
        next_try_at=timezone.now() + pause,
        note=why[:300],
    )
    return False


def retry(*, events: QuerySet[ProviderEvent]) -> int:
    """Puts events that were given up, or wait long, back in line; the number put."""
    pks = list(events.exclude(state=ProviderEvent.State.PROCESSED).values_list("pk", flat=True))
    with transaction.atomic():
        ProviderEvent.objects.filter(pk__in=pks).update(
            state=ProviderEvent.State.RECEIVED, next_try_at=timezone.now(), attempts=0
        )
        for pk in pks:
            transaction.on_commit(partial(_wake, pk))
    return len(pks)


def follow(hint: EventHint, *, wait: float = WAIT) -> str:
    """Looks at what an event points to; returns what came of it, for staff.

    The event's own figures are never used, so old, repeated and shuffled events all lead to the
    same end (hazard 2). Raises `GiftBusy`, `ProviderDown`, `ProviderRefused`.
    """
    if hint.type.startswith("payout."):
        payout = payouts.keep(payouts.read(hint.object_id))
        return payout.problem or _("Payout %s compared with the books.") % payout
    if not hint.type.startswith(FOLLOWED):
        return _("Nothing to do for this type.")
    found = find_payment(hint)
    if found is None:
        plan = recurring.follow(hint, wait=wait)
        if plan is None:
            return _("Not one of our gifts.")
        return _("Monthly or yearly gift %d looked at.") % plan.pk
    if hint.claimed_cents not in (None, found.amount_cents):
        _flag_claim(found, hint)
    session_id = hint.refs.get("session", "")
    payment_ref = hint.refs.get("payment", "")
    if isinstance(found, TripFee):
        trip_fees.sync_fee(fee=found, session_id=session_id, payment_ref=payment_ref, wait=wait)
        text = _("Trip fee %d looked at.")
    elif session_id:
        sync.sync_checkout(donation=found, session_id=session_id, wait=wait)
        text = _("Gift %d looked at.")
    else:
        sync.sync_payment(donation=found, payment_ref=payment_ref, wait=wait)
        text = _("Gift %d looked at.")
    if hint.type == FRAUD:
        returns.warn_of_fraud(of=found, warning_id=hint.object_id)
    return text % found.pk


def find_payment(hint: EventHint) -> Donation | TripFee | None:
    """The gift or trip fee of an event: by its payment page, its payment, or the token that we gave
    along, for an event can come before we have stored either (hazard 6).
    """
    refs = hint.refs
    found = None
    if "session" in refs:
        found = sync.find_by_session(refs["session"])
    elif "payment" in refs:
        found = _first(provider_reference=refs["payment"])
        if found is None and "gift" not in refs:
            refs = {"gift": provider.fetch_payment(refs["payment"]).gift_token}
    else:
        return None
    return found or _first(token=refs.get("gift", ""))


def _first(**known: str) -> Donation | TripFee | None:
    return Donation.objects.filter(**known).first() or TripFee.objects.filter(**known).first()


def _flag_claim(found: Donation | TripFee, hint: EventHint) -> None:
    """An event that speaks of another amount than ours is kept and shown to staff."""
    with transaction.atomic():
        gift = type(found)._default_manager.select_for_update().get(pk=found.pk)
        claim = _("Event %(event)s speaks of %(claim)s.") % {
            "event": hint.id, "claim": format_exact(hint.claimed_cents or 0, gift.currency),
        }  # fmt: skip
        sync.flag(gift, claim)
