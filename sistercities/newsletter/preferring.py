"""What a reader may do on the page of their own wishes: change, pause, take along, be forgotten.

Each is known by the token of the link; each leaves a line of proof but for being forgotten, which
leaves a keyed hash of the address and of the link, and nothing else (mail.md E8, E17, E25).
"""

import calendar
import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q

from sistercities.newsletter import subscribing, suppressing, welcoming
from sistercities.newsletter.models import (
    Consent,
    Delivery,
    Subscriber,
    Suppression,
    Topic,
    address_key,
    token_key,
)
from sistercities.newsletter.subscribing import Erased, find
from sistercities.shared import clock
from sistercities.shared.models import OutgoingMessage

PAUSE_MONTHS = 3


@transaction.atomic
def change(
    *,
    token: str,
    name: str,
    language: str,
    topics: Iterable[str],
    frequency: str,
    address_fingerprint: str = "",
) -> None:
    """Keeps what the person chose; `topics` are slugs, none means all. Nothing new leaves no line.

    Raises `UnknownToken`, `Erased`.
    """
    row = _mine(token)
    wished = set(Topic.objects.filter(slug__in=list(topics)))
    before = (row.name, row.language, row.frequency, set(row.topics.all()))
    if before == (name, language, frequency, wished):
        return
    Subscriber.objects.filter(pk=row.pk).update(name=name, language=language, frequency=frequency)
    row.topics.set(wished)
    slugs = sorted(topic.slug for topic in wished)
    _note(row, address_fingerprint, topics=slugs, language=language, frequency=frequency)


@transaction.atomic
def pause(*, token: str, address_fingerprint: str = "") -> dt.date:
    """No letter for three months; the day on which they come again.

    Raises `UnknownToken`, `Erased`.
    """
    row = _mine(token)
    until = _months_later(clock.today(), PAUSE_MONTHS)
    Subscriber.objects.filter(pk=row.pk).update(paused_until=until)
    _note(row, address_fingerprint, paused_until=until.isoformat())
    return until


@transaction.atomic
def resume(*, token: str, address_fingerprint: str = "") -> None:
    """Ends a pause. Raises `UnknownToken`, `Erased`."""
    row = _mine(token)
    if Subscriber.objects.filter(pk=row.pk).exclude(paused_until=None).update(paused_until=None):
        _note(row, address_fingerprint, paused_until=None)


def everything_about(*, token: str) -> dict[str, Any]:
    """All that is kept about the person, ready for JSON (E25). Raises `UnknownToken`, `Erased`."""
    row = find(token)
    return {
        "address": row.email,
        "name": row.name,
        "language": row.language,
        "status": row.status,
        "topics": list(row.topics.values_list("slug", flat=True)),
        "frequency": row.frequency,
        "paused_until": row.paused_until,
        "first_signed_up": row.created_at,
        "last_signed_up": row.asked_at,
        "confirmation_mail_sent": row.confirm_sent_at,
        "confirmed": row.confirmed_at,
        "left": row.unsubscribed_at,
        "not_written_to_because": suppressing.reason_for(row.email),
        "what_you_did": list(
            row.consents.order_by("at", "pk").values(
                "at", "event", "how", "wording_version", "wording", "chosen", "source",
                "address_fingerprint",
            )
        ),
        "letters": list(
            row.deliveries.order_by("pk").values(
                "issue__subject", "state", "skip_reason", "sent_at", "answer", "bounced_at",
                "complained_at", "left_at",
            )
        ),
    }  # fmt: skip


@transaction.atomic
def erase(*, token: str) -> None:
    """Removes the person with all proof and mail; a second call changes nothing (E25).

    What remains is a keyed hash of the address, so that nobody writes to it again, one of the
    link, so that old letters still lead to a true answer (E8), and the deliveries without a
    person. Raises `UnknownToken`, `Erased`.
    """
    row = find(token)
    suppressing.suppress(address=row.email, reason=Suppression.Reason.ERASED)
    Suppression.objects.filter(address_key=address_key(row.email)).update(
        token_key=token_key(row.token), note=""
    )
    # A mail server's answer repeats the address that it refused.
    row.deliveries.update(answer="")
    row.deliveries.waiting().update(
        state=Delivery.State.SKIPPED, skip_reason=Delivery.Skip.UNSUBSCRIBED
    )
    mails = Q(key__startswith=subscribing.MAIL_KEY) | Q(key__startswith=welcoming.MAIL_KEY)
    OutgoingMessage.objects.filter(mails, to__iexact=row.email).delete()
    row.delete()


def _mine(token: str) -> Subscriber:
    """The person's row, held until the end: nothing is noted for one who is erased meanwhile."""
    row = Subscriber.objects.select_for_update().filter(pk=find(token).pk).first()
    if row is None:
        raise Erased
    return row


def _months_later(day: dt.date, months: int) -> dt.date:
    """The same day some months later, or the last of that month where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _note(row: Subscriber, place: str, **chosen: object) -> None:
    Consent.objects.create(
        subscriber=row,
        event=Consent.Event.CHANGED,
        how=Consent.How.PREFERENCES,
        chosen=chosen,
        address_fingerprint=place,
    )
