"""Events from the processor: stored first, answered, then followed up (giving.md D22, F4, F5)."""

import datetime as dt
import logging
from collections.abc import Mapping
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from donations import posting, recurring, returns, sync
from donations.models import Donation, LedgerEntry, ProviderEvent
from donations.providers import provider
from donations.providers.base import EventHint, ProviderDown, ProviderRefused
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
    hint = provider.verify_event(raw_body, headers)
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
        note = follow(provider.read_event(event.body))
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
        txn = provider.fetch_payout_txn(hint.object_id)
        with transaction.atomic():
            rows = [(LedgerEntry.Kind.PAYOUT, txn)] if txn else []
            booked = posting.post_new(rows=rows)
        return _("Payout booked.") if booked else _("Nothing new.")
    if not hint.type.startswith(FOLLOWED):
        return _("Nothing to do for this type.")
    donation = find_gift(hint)
    if donation is None:
        plan = recurring.follow(hint, wait=wait)
        if plan is None:
            return _("Not one of our gifts.")
        return _("Monthly or yearly gift %d looked at.") % plan.pk
    if hint.claimed_cents not in (None, donation.amount_cents):
        _flag_claim(donation, hint)
    if session_id := hint.refs.get("session"):
        sync.sync_checkout(donation=donation, session_id=session_id, wait=wait)
    else:
        sync.sync_payment(donation=donation, payment_ref=hint.refs["payment"], wait=wait)
    if hint.type == FRAUD:
        returns.warn_of_fraud(donation=donation, warning_id=hint.object_id)
    return _("Gift %d looked at.") % donation.pk


def find_gift(hint: EventHint) -> Donation | None:
    """The gift of an event: by its payment page, its payment, or the token that we gave along,
    for an event can come before we have stored either (hazard 6).
    """
    refs = hint.refs
    found = None
    if "session" in refs:
        found = sync.find_by_session(refs["session"])
    elif "payment" in refs:
        found = Donation.objects.filter(provider_reference=refs["payment"]).first()
        if found is None and "gift" not in refs:
            refs = {"gift": provider.fetch_payment(refs["payment"]).gift_token}
    else:
        return None
    return found or Donation.objects.filter(token=refs.get("gift", "")).first()


def _flag_claim(donation: Donation, hint: EventHint) -> None:
    """An event that speaks of another amount than the gift's is kept and shown to staff."""
    with transaction.atomic():
        gift = Donation.objects.select_for_update().get(pk=donation.pk)
        claim = _("Event %(event)s speaks of %(claim)s.") % {
            "event": hint.id, "claim": format_exact(hint.claimed_cents or 0, gift.currency),
        }  # fmt: skip
        sync.flag(gift, claim)
