"""What follows when mail comes back or is reported as spam (mail.md E15, E16).

A hard bounce or a complaint stops the letter to that address at once; soft bounces of three
letters within a year do. Too many complaints about one letter stop all letters until a person has
looked. Who tells us is `webhooks` (a provider) or `bounce_mail` (the bounce mailbox).
"""

import datetime as dt
import logging
import re
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from sistercities.newsletter import releasing, suppressing
from sistercities.newsletter.models import (
    Consent,
    Delivery,
    Issue,
    MailEvent,
    Subscriber,
    Suppression,
    normalise,
)
from sistercities.shared import clock

logger = logging.getLogger(__name__)
Kind = MailEvent.Kind
SOFT_LIMIT = 3  # letters, each counted once
SOFT_WITHIN = dt.timedelta(days=365)
WARN_AT, STOP_AT = 10, 30  # complaints for 10,000 letters: 0.10 % and 0.30 %
# A first complaint among the first ten letters of a large list says little.
AT_LEAST = 1000
KEEP_EVENTS = dt.timedelta(days=730)
NO_MAILBOX = re.compile(r"\b5\.1\.(1|2|3|6|10)\b")
ADDRESS = re.compile(r"\S+@\S+")


@dataclass(frozen=True)
class Told:
    """One thing that somebody told us. `token` is that of a delivery, "" for other mail, which
    `address` then names; `event_id` is the same when the same thing is told again.
    """

    source: str
    event_id: str
    kind: MailEvent.Kind
    token: str = ""
    address: str = ""
    said: str = ""


@transaction.atomic
def take_note(told: Told) -> bool:
    """Acts on what was told; False, and nothing changed, where it was told before."""
    delivery = None
    if told.token:
        rows = Delivery.objects.select_related("subscriber", "issue")
        delivery = rows.filter(token=told.token).first()
    said = ADDRESS.sub("…", " ".join(told.said.split()))[:300]
    _event, is_new = MailEvent.objects.get_or_create(
        source=told.source[:20],
        event_id=told.event_id[:100],
        defaults={"kind": told.kind, "delivery": delivery, "said": said},
    )
    if not is_new:
        return False
    if delivery:
        _mark(delivery, told.kind, said)
    address = told.address
    if delivery and delivery.subscriber:
        address = delivery.subscriber.email
    if address:
        _act_on(address, told.kind, said)
    if delivery and told.kind == Kind.COMPLAINT:
        _watch(delivery.issue)
    return True


def refused(*, token: str, answer: str) -> None:
    """A mail server refused a letter for good while it was handed over.

    Only an answer that says that there is no such mailbox counts against the address: every other
    refusal is about us, and would else take many readers off the list at once.
    """
    kind = Kind.HARD if NO_MAILBOX.search(answer) else Kind.REJECTED
    take_note(Told("handing over", token, kind, token=token, said=answer))


def arrived(*, token: str) -> None:
    """A letter that had been put off has reached its mailbox: it no longer counts as a bounce."""
    Delivery.objects.filter(token=token, is_hard_bounce=False).exclude(bounced_at=None).update(
        bounced_at=None
    )


def forget_old() -> int:
    """Removes what was told two years ago; how many. What followed from it stays."""
    return MailEvent.objects.filter(at__lt=clock.now() - KEEP_EVENTS).delete()[0]


def complaint_rate(issue: Issue) -> tuple[int, int]:
    """How many complained about a letter, and out of how many that is counted."""
    rows = issue.deliveries
    complaints = rows.exclude(complained_at=None).count()
    sent = rows.filter(state=Delivery.State.SENT).count()
    return complaints, max(sent, min(issue.people or 0, AT_LEAST), 1)


def is_at_least(complaints: int, letters: int, limit: int) -> bool:
    """Whether complaints reach a limit, given for 10,000 letters. Whole numbers, no rounding."""
    return complaints * 10_000 >= limit * letters


def percent(complaints: int, letters: int) -> str:
    """The rate with two digits, such as `0.33`."""
    hundredths = complaints * 10_000 // letters
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _mark(delivery: Delivery, kind: MailEvent.Kind, said: str) -> None:
    """Writes down on the delivery what became of it; what came first stays."""
    row = Delivery.objects.filter(pk=delivery.pk)
    now = clock.now()
    match kind:
        case Kind.HARD:
            row.filter(is_hard_bounce=False).update(bounced_at=now, is_hard_bounce=True)
        case Kind.SOFT:
            row.filter(bounced_at=None).update(bounced_at=now)
        case Kind.COMPLAINT:
            row.filter(complained_at=None).update(complained_at=now)
        case Kind.LEFT:
            row.filter(left_at=None).update(left_at=now)
    if kind in {Kind.HARD, Kind.SOFT, Kind.REJECTED} and delivery.subscriber_id:
        row.update(answer=said)


def _act_on(address: str, kind: MailEvent.Kind, said: str) -> None:
    match kind:
        case Kind.HARD:
            _suppress(address, Suppression.Reason.HARD_BOUNCE, said)
        case Kind.COMPLAINT:
            _suppress(address, Suppression.Reason.COMPLAINT, said)
        case Kind.LEFT:
            _suppress(address, Suppression.Reason.LEFT, said, Consent.How.ONE_CLICK)
        case Kind.SOFT if _soft_bounces(address) >= SOFT_LIMIT:
            _suppress(address, Suppression.Reason.SOFT_BOUNCES, said)


def _suppress(
    address: str, reason: Suppression.Reason, said: str, how: Consent.How | None = None
) -> None:
    suppressing.suppress(address=address, reason=reason, note=said, how=how)


def _soft_bounces(address: str) -> int:
    """How many letters came back softly within a year, and since the reader last confirmed."""
    since = clock.now() - SOFT_WITHIN
    person = Subscriber.objects.filter(email_key=normalise(address)).first()
    if person and person.confirmed_at:
        since = max(since, person.confirmed_at)
    bounced = Q(bounced_at__gte=since, is_hard_bounce=False)
    return Delivery.objects.filter(bounced, address_key__in=suppressing.keys_of(address)).count()


def _watch(issue: Issue) -> None:
    """Warns at 0.10 % of complaints and stops bulk mail at 0.30 %, until a person goes on (E15)."""
    complaints, letters = complaint_rate(issue)
    if not is_at_least(complaints, letters, WARN_AT):
        return
    rate = percent(complaints, letters)
    logger.warning("Letter %s: %s %% of its readers reported it as spam", issue.pk, rate)
    if not is_at_least(complaints, letters, STOP_AT):
        return
    problem = _(
        "%(count)d readers of “%(subject)s” reported it as spam: %(rate)s %%. At 0.3 %% mail "
        "programs begin to hide all our mail, so nothing more is sent until a person goes on. "
        "Look first at who is on the list and why."
    ) % {"count": complaints, "subject": issue.subject[:60], "rate": rate}
    for going in Issue.objects.filter(status=Issue.Status.SENDING):
        releasing.interrupt(issue=going, problem=problem[:300])
    Issue.objects.filter(status=Issue.Status.SCHEDULED).update(
        status=Issue.Status.HELD, problem=problem[:300]
    )
