"""Letting a letter go: who gets it, when, and what a person may still decide while it goes.

draft → scheduled → (its time) a row for each person → sending → sent. Every step is one
conditional update, so a button pressed twice is one step (mail.md E18, E20, E24).
"""

import datetime as dt
import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import get_connection
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sistercities.newsletter import checking, suppressing
from sistercities.newsletter.journal import Journal
from sistercities.newsletter.models import (
    Delivery,
    Issue,
    Subscriber,
    Suppression,
    address_key,
)
from sistercities.newsletter.models.subscriber import SubscriberQuerySet
from sistercities.newsletter.own_domain import belong_together, from_domain
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings
from sistercities.shared.queue import wake
from sistercities.shared.signing import fingerprint, new_token
from sistercities.shared.site import at_home

logger = logging.getLogger(__name__)
Status, State = Issue.Status, Delivery.State
SEASON = dt.timedelta(days=80)
LEASE = dt.timedelta(minutes=10)  # far beyond what one message may take
GATHERING_LEASE = dt.timedelta(minutes=1)
AT_ONCE = 500
FREE_MAIL = {
    "163.com", "aol.com", "gmail.com", "gmx.com", "gmx.net", "googlemail.com", "hotmail.com",
    "icloud.com", "live.com", "mail.com", "mail.ru", "me.com", "msn.com", "outlook.com",
    "proton.me", "protonmail.com", "qq.com", "yahoo.com", "yandex.ru",
}  # fmt: skip


class CannotRelease(Exception):
    """Why a letter cannot go out, in a sentence for staff."""


class WrongCount(CannotRelease):
    """The number that was typed is not the number of people that it would reach (E24)."""

    def __init__(self, reached: int) -> None:
        self.reached = reached
        super().__init__(
            ngettext(
                "It would reach %d person. Type that number.",
                "It would reach %d people. Type that number.",
                reached,
            )
            % reached
        )


# --- before it goes -------------------------------------------------------------------------


def obstacles(issue: Issue) -> list[str]:
    """What must be mended before this letter can go, in sentences (E11, E12)."""
    found = [problem.text for problem in checking.problems(issue) if problem.is_blocking]
    sender = from_domain()
    if sender in FREE_MAIL or not _is_our_domain(sender):
        found.append(
            _("Letters must come from an address of your own domain: DEFAULT_FROM_EMAIL is at %s.")
            % (sender or "?")
        )
    return found


def _is_our_domain(domain: str) -> bool:
    """One's own machine has none."""
    host = urlsplit(settings.SITE_URL).hostname or ""
    if host == "localhost" or ":" in host or host.replace(".", "").isdigit():
        return True
    return belong_together(domain, host.removeprefix("www."))


@at_home()
def audience(issue: Issue) -> SubscriberQuerySet:
    """Who would get it now: confirmed, not pausing, following it, and not too often for them.

    Without those whose address is suppressed: their keys are compared where rows are read.
    """
    now = clock.now()
    people = Subscriber.objects.confirmed().exclude(paused_until__gt=clock.today())
    lately = Delivery.objects.filter(subscriber=OuterRef("pk"), sent_at__gt=now - SEASON)
    people = people.filter(
        ~Q(frequency=Subscriber.Frequency.SEASONAL) | ~Exists(lately.exclude(issue=issue))
    )
    topics = list(issue.topics.values_list("pk", flat=True))
    if topics:
        chosen = Subscriber.topics.through.objects.filter(subscriber=OuterRef("pk"))
        people = people.filter(~Exists(chosen) | Exists(chosen.filter(topic__in=topics)))
    return people


def reach(issue: Issue) -> int:
    """How many people it would reach now."""
    if not Suppression.objects.exists():
        return audience(issue).count()
    return sum(len(chunk) for chunk in _chunks(issue))


def _chunks(issue: Issue) -> Iterable[list[tuple[int, str]]]:
    """Key and fingerprint of each person, some hundreds a time by rising key."""
    last = 0
    while people := list(
        audience(issue).filter(pk__gt=last).order_by("pk").values_list("pk", "email_key")[:AT_ONCE]
    ):
        last = people[-1][0]
        suppressed = suppressing.suppressed_among(email for _pk, email in people)
        yield [(pk, address_key(email)) for pk, email in people if email not in suppressed]


@transaction.atomic
def release(*, issue: Issue, by: User | None, people: int, at: dt.datetime | None = None) -> None:
    """Lets a draft, or one that was held, go now or at a time. `people` is the number it reaches,
    as a person typed it (E24). Raises `CannotRelease`; of two at once, one succeeds.
    """
    for obstacle in obstacles(issue):
        raise CannotRelease(obstacle)
    reached = reach(issue)
    if not reached:
        raise CannotRelease(_("Nobody would get it: there is no confirmed subscriber for it."))
    if reached != people:
        raise WrongCount(reached)
    now = clock.now()
    is_first = Issue.objects.filter(pk=issue.pk, status__in=[Status.DRAFT, Status.HELD]).update(
        status=Status.SCHEDULED,
        send_at=max(at or now, now),
        released_by=by,
        people=people,
        problem="",
        worked_at=None,
    )
    if not is_first:
        raise CannotRelease(_("It is on its way already."))
    _drop_rows(issue)
    _wake()


@transaction.atomic
def take_back(*, issue: Issue) -> bool:
    """A letter that waits for its time, or for a person, is a draft again. False: too late."""
    is_first = Issue.objects.filter(pk=issue.pk, status__in=[Status.SCHEDULED, Status.HELD]).update(
        status=Status.DRAFT, send_at=None, people=None, problem=""
    )
    if is_first:
        _drop_rows(issue)
    return bool(is_first)


def _drop_rows(issue: Issue) -> None:
    """Of people who were gathered when it was to go before; nothing of it was sent."""
    issue.deliveries.waiting().filter(attempts=0).delete()


# --- while it goes --------------------------------------------------------------------------


def pause(*, issue: Issue) -> bool:
    """No further message is begun. False: it was not being sent."""
    return _move(issue, [Status.SENDING], status=Status.PAUSED)


def resume(*, issue: Issue) -> bool:
    """A person has looked: it goes on. False: it was not paused."""
    is_first = _move(
        issue,
        [Status.PAUSED],
        status=Status.SENDING,
        problem="",
        worked_at=clock.now(),
        server_lost_at=None,
        troubles=0,
        refusals=0,
    )
    if is_first:
        _wake()
    return is_first


def stop(*, issue: Issue) -> bool:
    """For good: who waits gets nothing. False: it was not on its way."""
    return _move(
        issue, [Status.SENDING, Status.PAUSED], status=Status.CANCELLED, ended_at=clock.now()
    )


@transaction.atomic
def resend(*, issue: Issue, chosen: Iterable[int]) -> int:
    """A person's word that these unknown ones shall go again; how many."""
    now = clock.now()
    count = issue.deliveries.filter(pk__in=chosen, state=State.UNKNOWN).update(
        state=State.QUEUED, next_try_at=now, claim="", answer=""
    )
    if count and _move(issue, [Status.SENT], status=Status.SENDING, ended_at=None, worked_at=now):
        _wake()
    return count


def mark_sent(*, issue: Issue, chosen: Iterable[int]) -> int:
    """A person's word that these unknown ones did go out; how many."""
    return issue.deliveries.filter(pk__in=chosen, state=State.UNKNOWN).update(
        state=State.SENT, sent_at=clock.now(), answer=_("Marked as sent by staff."), claim=""
    )


def interrupt(*, issue: Issue, problem: str, server_lost: bool = False) -> None:
    """Pauses a letter that cannot go on, and tells staff by mail, once a day and letter."""
    now = clock.now()
    with transaction.atomic():
        is_first = _move(
            issue,
            [Status.SENDING],
            status=Status.PAUSED,
            problem=problem[:300],
            server_lost_at=now if server_lost else None,
        )
        if is_first:
            logger.error("Letter %s is paused", issue.pk)
            _tell(issue, problem)


def _move(issue: Issue, before: list[Issue.Status], **after: object) -> bool:
    return bool(Issue.objects.filter(pk=issue.pk, status__in=before).update(**after))


def _tell(issue: Issue, problem: str) -> None:
    site = SiteSettings.load()
    if site.email:
        queue_mail(
            key=f"newsletter-problem:{issue.pk}:{clock.now():%Y-%m-%d}",
            template="newsletter/emails/problem",
            to=site.email,
            context={
                "issue": issue,
                "problem": problem,
                "page_url": settings.SITE_URL
                + reverse("admin:newsletter_issue_progress", args=[issue.pk]),
                "organization": site,
            },
        )


def _wake() -> None:
    from sistercities.newsletter.tasks import send_letters

    transaction.on_commit(lambda: wake(send_letters))


# --- each minute ----------------------------------------------------------------------------


def settle() -> None:
    """Brings every letter on its way one step further. Safe to run twice at once."""
    give_up_on_the_lost()
    now = clock.now()
    for issue in Issue.objects.filter(status=Status.SCHEDULED, send_at__lte=now):
        if issue.send_at and issue.send_at < now - held_after():
            _hold(issue)
        else:
            _gather(issue)
    _go_on_where_the_server_is_back()
    finish()


def held_after() -> dt.timedelta:
    return dt.timedelta(hours=settings.MAIL_HELD_AFTER)


def give_up_on_the_lost() -> int:
    """What a worker had in hand when it died: of its machine's the journal says what became of it;
    of another's, which may do so itself for a while, it is `unknown`. How many (E18).

    A worker that is only slow, or whose clock is wrong, still writes down what became of it.
    """
    now = clock.now()
    lost = Delivery.objects.filter(state=State.CLAIMED, claimed_at__lt=now - LEASE)
    count = lost.count()
    if count:
        for issue in Issue.objects.filter(pk__in=lost.values("issue")):
            journal = Journal(issue)
            if not journal.is_new:
                with journal:
                    journal.judge(lost.filter(issue=issue))
        lost.filter(claimed_at__lt=now - 2 * LEASE).update(state=State.UNKNOWN)
    return count


@transaction.atomic
def _hold(issue: Issue) -> None:
    problem = _("Its time has long passed. Look whether it is still right, then send it.")
    if _move(issue, [Status.SCHEDULED], status=Status.HELD, problem=problem):
        _tell(issue, problem)


def _gather(issue: Issue) -> None:
    """Writes a row for each person and lets it go. Whoever died over it is followed by another,
    who begins again: a person who has a row gets no second one.
    """
    mine = clock.now()
    is_free = Q(worked_at=None) | Q(worked_at__lte=mine - GATHERING_LEASE)
    waiting = Issue.objects.filter(pk=issue.pk, status=Status.SCHEDULED)
    if not waiting.filter(is_free).update(worked_at=mine):
        return
    host = urlsplit(settings.SITE_URL).hostname
    for chunk in _chunks(issue):
        with transaction.atomic():
            now = clock.now()
            # Whoever took the letter back, or took this over, ends it here.
            if not waiting.filter(worked_at=mine).update(worked_at=now):
                return
            mine = now
            Delivery.objects.bulk_create(
                [_row(issue, pk, key, now, host) for pk, key in chunk], ignore_conflicts=True
            )
    with transaction.atomic():
        waiting.filter(worked_at=mine).update(
            status=Status.SENDING,
            began_at=clock.now(),
            people=issue.deliveries.count(),
            worked_at=clock.now(),
            troubles=0,
            refusals=0,
        )


def _row(issue: Issue, pk: int, key: str, now: dt.datetime, host: str | None) -> Delivery:
    token = new_token()
    return Delivery(
        issue=issue,
        subscriber_id=pk,
        address_key=key,
        token=token,
        next_try_at=now,
        # Replies quote it, so it must not hold the token that opens the page for leaving.
        message_id=f"<letter.{fingerprint('message-id', token)[:32]}@{host}>",
    )


def _go_on_where_the_server_is_back() -> None:
    """A server that was away stopped a letter; it goes on by itself, but not after many hours."""
    waiting = Issue.objects.filter(
        status=Status.PAUSED, server_lost_at__gt=clock.now() - held_after()
    )
    if not waiting.exists():
        return
    connection = get_connection()
    try:
        connection.open()
        connection.close()
    except OSError:  # of smtplib as well: its errors are of this kind
        return
    for issue in waiting:
        resume(issue=issue)


def finish() -> None:
    """Letters of which nothing is left to do are sent."""
    left = Delivery.objects.unfinished().filter(issue=OuterRef("pk"))
    Issue.objects.filter(~Exists(left), status=Status.SENDING).update(
        status=Status.SENT, ended_at=clock.now()
    )
