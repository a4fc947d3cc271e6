"""Handing a letter over, person by person. Any number of workers may do it at once (mail.md E18).

A worker takes a run of rows, what goes out in half a second, and writes down what became
of it together with taking the next: one commit for many letters. Each row is looked at once more
(E10) and noted in the journal just before its message goes out, so of a worker that dies only the
one message in flight is `unknown` (docs/decisions/0021).
"""

import contextlib
import datetime as dt
import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from sistercities.newsletter import bounces, pacing, releasing, suppressing
from sistercities.newsletter.handing_over import Kind, Line, Outcome
from sistercities.newsletter.journal import Journal, Note
from sistercities.newsletter.models import Delivery, Issue, Subscriber, Suppression
from sistercities.newsletter.writing import Writer
from sistercities.shared import clock
from sistercities.shared.site import at_home

logger = logging.getLogger(__name__)
State = Delivery.State
RUN_SECONDS, RUN_MOST = 0.5, 100  # what one connection has in hand at a time
MINUTES = [5, 30, 120, 360, 720]  # between the tries of a row that is to be asked again later
TRIES = len(MINUTES) + 1
WAITS = [0, 1, 2, 4]  # seconds, between troubles in a row with the server; then it is paused
REFUSALS = 50  # in a row: something is wrong with the letter or with us
# The connections of one process write in turn: SQLite lets in one, and who finds its door shut
# sleeps longer each time.
WRITING = threading.Lock()
LEFT_BY_THEMSELVES = {
    Suppression.Reason.LEFT, Suppression.Reason.ERASED, Suppression.Reason.STAFF,
}  # fmt: skip
LOOKED_AT = (
    "pk", "token", "address_key", "message_id", "attempts", "issue__status", "subscriber",
    "subscriber__email", "subscriber__name", "subscriber__language", "subscriber__status",
    "subscriber__paused_until", "subscriber__token",
)  # fmt: skip


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
        self.size = 1  # of the next run
        self.in_hand: deque[int] = deque()  # what of the run is still to go out
        self.done: list[tuple[Mapping[str, Any], dict[str, Any]]] = []  # each with its end
        self.has_place = False  # the moment for one more has come (`pacing`)
        self.waiting = (
            Delivery.objects.waiting()
            .filter(issue=issue, issue__status=Issue.Status.SENDING)
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("next_try_at", "pk")
            .values_list("pk", flat=True)
        )
        self.claim = journal.new_claim()
        # One whose lease ended is unknown no more once its end is known.
        self.own = Delivery.objects.filter(
            claim=self.claim, state__in=[State.CLAIMED, State.UNKNOWN]
        )
        self.look = self.own.order_by().values(*LOOKED_AT)  # made once: half of what a look costs

    def go(self) -> None:
        try:
            while time.monotonic() < self.until and self._has_line() and self._take():
                if not self._send_run():
                    return
        finally:
            self._put_down()
            self.line.close()

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

    # --- the rows ---

    def _take(self) -> bool:
        """Writes down what became of one run and takes the next, in one transaction. False: there
        is nothing to take.
        """
        now = clock.now()
        with WRITING, transaction.atomic():
            self._write_down()
            taken = list(self.waiting.filter(next_try_at__lte=now)[: self.size])
            Delivery.objects.filter(pk__in=taken).update(
                state=State.CLAIMED, claimed_at=now, claim=self.claim, attempts=F("attempts") + 1
            )
        self.done, self.in_hand = [], deque(taken)
        return bool(taken)

    def _put_down(self) -> None:
        """Writes down what became of the run, and leaves the rest of it to others."""
        if self.done or self.in_hand:
            with WRITING, transaction.atomic():
                self._write_down()
            self.done, self.in_hand = [], deque()

    def _write_down(self) -> None:
        for row, end in self.done:
            self.own.filter(pk=row["pk"]).update(**end)
            if end["state"] == State.FAILED:
                bounces.refused(token=row["token"], answer=end["answer"])
        if self.in_hand:
            self.own.filter(pk__in=self.in_hand).update(
                state=State.QUEUED, claim="", attempts=F("attempts") - 1
            )

    def _look_again(self) -> Mapping[str, Any] | None:
        """The next row as it stands now, noted in the journal; None: this person gets nothing."""
        with self.journal.alone():  # so nobody gives it up between the look and the note
            row = next(iter(self.look.filter(pk=self.in_hand[0])), None)
            if row and row["issue__status"] != Issue.Status.SENDING:
                return row
            if row and (reason := _left_out_because(row)):
                end = {"state": State.SKIPPED, "skip_reason": reason, "claim": ""}
                self.done.append((row, end | {"attempts": row["attempts"] - 1}))
                row = None
            if row:
                self.journal.note(row["address_key"], row["attempts"])
            self.in_hand.popleft()
        return row

    def _end(self, row: Mapping[str, Any], outcome: Outcome) -> None:
        self.done.append((row, _what_became_of(row, outcome)))
        if outcome.kind != Kind.UNKNOWN:
            what = Note.TAKEN if outcome.kind == Kind.SENT else Note.NOT_TAKEN
            with contextlib.suppress(OSError), self.journal.alone():
                self.journal.note(row["address_key"], row["attempts"], what)

    # --- the messages ---

    def _send_run(self) -> bool:
        """Sends what is in hand, as far as that goes quickly. False: the worker had better stop."""
        begun, count = time.monotonic(), len(self.in_hand)
        while self.in_hand and self.line.is_open and time.monotonic() < begun + 2 * RUN_SECONDS:
            if not self.has_place:
                time.sleep(pacing.seconds_to_wait())
                self.has_place = True  # where this one gets nothing, it is the next one's
            if not self._send_next():
                return False
        speed = (count - len(self.in_hand)) / (time.monotonic() - begun)
        self.size = max(1, min(int(speed * RUN_SECONDS), 4 * self.size, RUN_MOST))
        return True

    def _send_next(self) -> bool:
        try:
            row = self._look_again()
        except OSError as error:
            said = _("The journal of letters cannot be written (%s).") % type(error).__name__
            return self._wait_after_trouble(said)
        if row is None:
            return True
        if row["issue__status"] != Issue.Status.SENDING:
            return False
        self.has_place = False
        try:
            message = self.writer.message(row)
        except Exception as error:
            # The letter itself is broken; it would be for everybody.
            logger.exception("Letter %s could not be written", self.issue.pk)
            self._end(row, Outcome(Kind.NOT_SENT, type(error).__name__))
            problem = _("The letter could not be written (%s).") % type(error).__name__
            releasing.interrupt(issue=self.issue, problem=problem)
            return False
        outcome = self.line.hand_over(message)
        self._end(row, outcome)
        return self._may_go_on_after(outcome, is_first=row["attempts"] == 1)

    def _may_go_on_after(self, outcome: Outcome, *, is_first: bool) -> bool:
        if outcome.kind == Kind.SENT:
            self._count(troubles=0, refusals=0)
            return True
        # A server that hangs up over the same person again has nothing against the others.
        if outcome.kind in {Kind.NOT_SENT, Kind.UNKNOWN} or (
            outcome.kind == Kind.BROKEN and is_first
        ):
            problem = _("The mail server takes nothing from us: %s") % outcome.answer
            return self._wait_after_trouble(problem)
        self._count(troubles=0, refusals=self.issue.refusals + 1)
        if self.issue.refusals < REFUSALS:
            return True
        problem = _("The mail server refused %(count)d letters in a row: %(answer)s")
        words = {"count": self.issue.refusals, "answer": outcome.answer}
        self._put_down()
        releasing.interrupt(issue=self.issue, problem=problem % words)
        return False

    def _wait_after_trouble(self, problem: str, *, server_lost: bool = False) -> bool:
        """Waits longer each time; after some in a row the letter is paused. False: stop."""
        self._put_down()
        self._count(troubles=self.issue.troubles + 1)
        if self.issue.troubles > len(WAITS):
            releasing.interrupt(issue=self.issue, problem=problem, server_lost=server_lost)
            return False
        time.sleep(WAITS[self.issue.troubles - 1])
        return True

    def _count(self, **counts: int) -> None:
        """Keeps in the letter what came in a row, as far as this worker knows."""
        changed = {name: n for name, n in counts.items() if getattr(self.issue, name) != n}
        if changed:
            Issue.objects.filter(pk=self.issue.pk).update(**changed)
            for name, count in changed.items():
                setattr(self.issue, name, count)


def _what_became_of(row: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    """What is to be written down of a row that was begun."""
    now, said = clock.now(), {"answer": outcome.answer}
    match outcome.kind:
        case Kind.SENT:
            return said | {"state": State.SENT, "sent_at": now}
        case Kind.UNKNOWN:
            return said | {"state": State.UNKNOWN}
        case Kind.NOT_SENT:
            return said | {"state": State.QUEUED, "claim": ""}
        case Kind.LATER | Kind.BROKEN if row["attempts"] < TRIES:
            then = now + dt.timedelta(minutes=MINUTES[row["attempts"] - 1])
            return said | {"state": State.QUEUED, "claim": "", "next_try_at": then}
    return said | {"state": State.FAILED}


def _left_out_because(row: Mapping[str, Any]) -> Delivery.Skip | None:
    """Why this person gets no letter after all, as things stand now (E10)."""
    if row["subscriber"] is None:
        return Delivery.Skip.UNSUBSCRIBED
    reason = suppressing.reason_for(row["subscriber__email"])
    is_confirmed = row["subscriber__status"] == Subscriber.Status.CONFIRMED
    if reason and (is_confirmed or reason not in LEFT_BY_THEMSELVES):
        return Delivery.Skip.SUPPRESSED
    if not is_confirmed:
        return Delivery.Skip.UNSUBSCRIBED
    until = row["subscriber__paused_until"]
    return Delivery.Skip.PAUSED if until and until > clock.today() else None
