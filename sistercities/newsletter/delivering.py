"""Handing a letter over, person by person. Any number of workers may do it at once (mail.md E18).

A row is taken by a conditional update, looked at once more (E10), handed over, and written down.
A worker that dies leaves the one row that it had in hand: after its lease that is `unknown`, and
only a person can send it again.
"""

import datetime as dt
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connections, transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import translation
from django.utils.translation import gettext as _

from sistercities.newsletter import bounces, counting, pacing, releasing
from sistercities.newsletter.bounce_addresses import bounce_address
from sistercities.newsletter.handing_over import Kind, Line, Outcome
from sistercities.newsletter.journal import Journal
from sistercities.newsletter.models import Delivery, Issue, Subscriber, Suppression
from sistercities.newsletter.models.delivery import unsubscribe_url
from sistercities.newsletter.rendering import Letter, personal, skeleton
from sistercities.shared import clock
from sistercities.shared.site import at_home

logger = logging.getLogger(__name__)
State = Delivery.State
MINUTES = [5, 30, 120, 360, 720]  # between the tries of a row that is to be asked again later
TRIES = len(MINUTES) + 1
WAITS = [0, 1, 2, 4]  # seconds, between troubles in a row with the server; then it is paused
REFUSALS = 50  # in a row: something is wrong with the letter or with us
SKIPPED_AT_ONCE = 200
SKELETONS = 200
# The connections of one process write in turn: SQLite lets in one, and who finds its door shut
# sleeps longer each time.
WRITING = threading.Lock()
LEFT_BY_THEMSELVES = {
    Suppression.Reason.LEFT, Suppression.Reason.ERASED, Suppression.Reason.STAFF,
}  # fmt: skip


def deliver(*, seconds: float = 20) -> None:
    """Sends what waits, for about so long, over `MAIL_CONNECTIONS` connections."""
    releasing.give_up_on_the_lost()
    if settings.MAIL_CONNECTIONS > 1:
        with ThreadPoolExecutor(settings.MAIL_CONNECTIONS) as pool:
            list(pool.map(_deliver_in_thread, [seconds] * settings.MAIL_CONNECTIONS))
    else:
        deliver_over_one(seconds=seconds)
    releasing.finish()


def _deliver_in_thread(seconds: float) -> None:
    try:
        deliver_over_one(seconds=seconds)
    finally:
        connections.close_all()


@at_home()
def deliver_over_one(*, seconds: float) -> None:
    """What one connection does."""
    until = time.monotonic() + seconds
    for issue in Issue.objects.filter(status=Issue.Status.SENDING).order_by("began_at", "pk"):
        # Asked before the journal is looked for: whoever begins here at this moment makes it first.
        has_begun = issue.deliveries.filter(attempts__gt=0).exists()
        with Journal(issue) as journal:
            if _may_go_on(issue, journal, has_begun=has_begun):
                Round(issue, journal, until).go()


def is_waiting() -> bool:
    """Whether there is anything to send at this moment."""
    return (
        Delivery.objects.waiting()
        .filter(issue__status=Issue.Status.SENDING, next_try_at__lte=clock.now())
        .exists()
    )


def _may_go_on(issue: Issue, journal: Journal, *, has_begun: bool) -> bool:
    """Whether database and journal tell the same story (docs/decisions/0020); also E20."""
    now = clock.now()
    idle = now - (issue.worked_at or now)
    if journal.is_ahead():
        count = journal.catch_up()
        problem = _(
            "The database is older than what was sent. %d letters went out that it did not know "
            "of: they are marked as unknown. Look at them, then resume."
        )
        releasing.interrupt(issue=issue, problem=problem % count)
        return False
    if journal.is_new and idle > releasing.LEASE and has_begun:
        problem = _(
            "This machine has not sent this letter before and cannot know what went out since its "
            "database was copied. Look, then resume or stop."
        )
    elif idle > releasing.held_after() and issue.deliveries.waiting().filter(attempts=0).exists():
        problem = _("Nothing was sent for many hours. Look whether it is still right, then resume.")
    else:
        still = Issue.objects.filter(pk=issue.pk, status=Issue.Status.SENDING)
        return bool(still.update(worked_at=now))
    releasing.interrupt(issue=issue, problem=problem)
    return False


class Round:
    """One worker's share of one letter, over one connection, until the time is up."""

    def __init__(self, issue: Issue, journal: Journal, until: float) -> None:
        self.issue, self.journal, self.until = issue, journal, until
        self.line = Line()
        self.writer = Writer(issue)
        self.done: tuple[dict[str, Any], Outcome] | None = None
        self.has_more = True
        self.waiting = (
            Delivery.objects.waiting()
            .filter(issue=issue, issue__status=Issue.Status.SENDING)
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("next_try_at", "pk")
            .values(
                "pk", "token", "address_key", "message_id", "attempts", "subscriber",
                "subscriber__email", "subscriber__name", "subscriber__language",
                "subscriber__status", "subscriber__paused_until", "subscriber__token",
                suppressed=Subquery(
                    Suppression.objects.filter(address_key=OuterRef("address_key"))
                    .values("reason")[:1]
                ),
            )
        )  # fmt: skip

    def go(self) -> None:
        with ExitStack() as ending:
            ending.callback(self.line.close)
            ending.callback(self._write_down)
            while self.has_more and time.monotonic() < self.until:
                if not self._has_line():
                    return
                wait = pacing.seconds_to_wait()
                if wait > 0:
                    self._write_down()
                    time.sleep(wait)
                taken = self._next()
                if taken and not self._hand_over(taken):
                    return

    def _has_line(self) -> bool:
        """Opens the connection, again after a while where nobody answers; False: not now."""
        while True:
            try:
                self.line.open()
                return True
            except OSError as error:
                logger.warning("The mail server does not answer: %s", type(error).__name__)
                self.line.close()
                said = _("The mail server does not answer (%s).") % type(error).__name__
                if not self._wait_after_trouble(said, server_lost=True):
                    return False

    def _next(self) -> dict[str, Any] | None:
        """Writes down what became of the one before and takes the next, in one transaction."""
        with WRITING, transaction.atomic():
            if self.done:
                self._update(*self.done)
            taken = self._take()
        self.done = None
        return taken

    def _write_down(self) -> None:
        if self.done:
            with WRITING:
                self._update(*self.done)
            self.done = None

    def _take(self) -> dict[str, Any] | None:
        """The next row, now in this worker's hands. Rows that must not go are left out on the way;
        None: there is none left, or so many were left out that others should have their turn.
        """
        now, today = clock.now(), clock.today()
        for _turn in range(SKIPPED_AT_ONCE):
            found = self.waiting.filter(next_try_at__lte=now).first()
            if found is None:
                self.has_more = False
                return None
            row: dict[str, Any] = {**found, "attempts": found["attempts"] + 1}
            mine = Delivery.objects.waiting().filter(pk=row["pk"])
            if reason := _left_out_because(row, today):
                mine.update(state=State.SKIPPED, skip_reason=reason)
                continue
            row["claim"] = f"{row['attempts']}:{row['token']}"
            if mine.update(
                state=State.CLAIMED, claimed_at=now, claim=row["claim"], attempts=row["attempts"]
            ):
                return row
        return None

    def _hand_over(self, row: dict[str, Any]) -> bool:
        """Sends one. False: the worker had better stop."""
        try:
            message = self.writer.message(row)
        except Exception as error:
            # The letter itself is broken; it would be for everybody.
            logger.exception("Letter %s could not be written", self.issue.pk)
            self.done = row, Outcome(Kind.NOT_SENT, type(error).__name__)
            problem = _("The letter could not be written (%s).") % type(error).__name__
            releasing.interrupt(issue=self.issue, problem=problem)
            return False
        try:
            self.journal.note(row["address_key"], row["attempts"])
        except OSError as error:
            outcome = Outcome(Kind.NOT_SENT, f"journal: {type(error).__name__}")
        else:
            outcome = self.line.hand_over(message)
        self.done = row, outcome
        if outcome.kind in {Kind.NOT_SENT, Kind.UNKNOWN}:
            self._write_down()
            self.line.close()
            problem = _("The mail server takes nothing from us: %s") % outcome.answer
            return self._wait_after_trouble(problem)
        return self._count_refusals(outcome)

    def _update(self, row: dict[str, Any], outcome: Outcome) -> None:
        """Writes down what became of a row. Nothing where a person has decided meanwhile."""
        now = clock.now()
        changes: dict[str, Any] = {"answer": outcome.answer}
        kind = outcome.kind
        if kind == Kind.LATER and row["attempts"] >= TRIES:
            kind = Kind.REFUSED
        match kind:
            case Kind.SENT:
                changes |= {"state": State.SENT, "sent_at": now}
            case Kind.REFUSED:
                changes |= {"state": State.FAILED}
                bounces.refused(token=row["token"], answer=outcome.answer)
            case Kind.UNKNOWN:
                changes |= {"state": State.UNKNOWN}
            case Kind.NOT_SENT:
                changes |= {"state": State.QUEUED, "claim": ""}
            case Kind.LATER:
                pause = dt.timedelta(minutes=MINUTES[row["attempts"] - 1])
                changes |= {"state": State.QUEUED, "claim": "", "next_try_at": now + pause}
        # One whose lease ended meanwhile is unknown no more.
        Delivery.objects.filter(
            pk=row["pk"], claim=row["claim"], state__in=[State.CLAIMED, State.UNKNOWN]
        ).update(**changes)

    def _count_refusals(self, outcome: Outcome) -> bool:
        own = Issue.objects.filter(pk=self.issue.pk)
        if outcome.kind == Kind.SENT:
            if self.issue.troubles or self.issue.refusals:
                self.issue.troubles = self.issue.refusals = 0
                own.update(troubles=0, refusals=0)
            return True
        self.issue.refusals += 1
        own.update(refusals=F("refusals") + 1)
        if self.issue.refusals >= REFUSALS:
            self._write_down()
            problem = _("The mail server refused %(count)d letters in a row: %(answer)s")
            words = {"count": self.issue.refusals, "answer": outcome.answer}
            releasing.interrupt(issue=self.issue, problem=problem % words)
            return False
        return True

    def _wait_after_trouble(self, problem: str, *, server_lost: bool = False) -> bool:
        """Waits longer each time; after some in a row the letter is paused. False: stop."""
        self._write_down()
        self.issue.troubles += 1
        Issue.objects.filter(pk=self.issue.pk).update(troubles=F("troubles") + 1)
        if self.issue.troubles > len(WAITS):
            releasing.interrupt(issue=self.issue, problem=problem, server_lost=server_lost)
            return False
        time.sleep(WAITS[self.issue.troubles - 1])
        return True


def _left_out_because(row: Mapping[str, Any], today: dt.date) -> Delivery.Skip | None:
    """Why this person gets no letter after all, as things stand now (E10)."""
    is_confirmed = row["subscriber__status"] == Subscriber.Status.CONFIRMED
    if row["suppressed"] and (is_confirmed or row["suppressed"] not in LEFT_BY_THEMSELVES):
        return Delivery.Skip.SUPPRESSED
    if not is_confirmed:
        return Delivery.Skip.UNSUBSCRIBED
    until = row["subscriber__paused_until"]
    return Delivery.Skip.PAUSED if until and until > today else None


class Writer:
    """Writes each person's message. One skeleton serves all who read the same blocks."""

    def __init__(self, issue: Issue) -> None:
        self.issue = issue
        self.host = urlsplit(settings.SITE_URL).hostname
        # A provider hears of bounces itself and sets the envelope's sender.
        self.has_provider = settings.EMAIL_BACKEND.startswith("anymail.")
        self.topics = frozenset(
            issue.blocks.exclude(topic=None).values_list("topic__slug", flat=True)
        )
        self.skeletons: dict[tuple[str, frozenset[str]], Letter] = {}

    def message(self, row: Mapping[str, Any]) -> EmailMultiAlternatives:
        language = row["subscriber__language"]
        letter = personal(
            self._skeleton(language, self._follows(row["subscriber"])),
            {
                "name": row["subscriber__name"] or self._friend(language),
                **addresses(self.issue, row["token"], row["subscriber__token"]),
            },
        )
        sender = "" if self.has_provider else bounce_address(row["token"])
        message = EmailMultiAlternatives(
            letter.subject,
            letter.text,
            from_email=sender or settings.DEFAULT_FROM_EMAIL,
            to=[row["subscriber__email"]],
            headers={
                **({"From": settings.DEFAULT_FROM_EMAIL} if sender else {}),
                "Message-ID": row["message_id"],
                "List-ID": f"<letter.{self.host}>",
                "List-Unsubscribe": f"<{unsubscribe_url(row['token'])}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "Precedence": "bulk",  # old answering machines know this one
            },
        )
        message.attach_alternative(letter.html, "text/html")
        # A provider tells it again with each bounce and complaint; SMTP knows no such thing.
        message.metadata = {"delivery": row["token"]}  # type: ignore[attr-defined]
        return message

    def _follows(self, subscriber: int) -> frozenset[str]:
        """The topics of this person, as far as this letter has blocks of them; none means all."""
        if not self.topics:
            return frozenset()
        chosen = frozenset(
            Subscriber.topics.through.objects.filter(subscriber=subscriber).values_list(
                "topic__slug", flat=True
            )
        )
        return chosen & self.topics or frozenset(sorted(chosen)[:1])

    def _skeleton(self, language: str, follows: frozenset[str]) -> Letter:
        if (language, follows) not in self.skeletons:
            if len(self.skeletons) >= SKELETONS:
                self.skeletons.clear()
            letter = skeleton(self.issue, language=language, follows=follows)
            self.skeletons[language, follows] = counting.counted(letter, self.issue)
        return self.skeletons[language, follows]

    def _friend(self, language: str) -> str:
        with translation.override(language):
            return _("friend")


def addresses(issue: Issue, token: str, subscriber_token: str) -> dict[str, str]:
    """What stands in the foot of one person's letter."""
    return {
        "unsubscribe_url": unsubscribe_url(token),
        "preferences_url": f"{settings.SITE_URL}/newsletter/preferences/{subscriber_token}/",
        "web_url": f"{settings.SITE_URL}/newsletter/issues/{issue.slug}/",
    }
