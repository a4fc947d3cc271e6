"""A reply is left, read by a person, published or rejected; readers may ask to look again.

Every step is one conditional update, so a button pressed twice is one step.
"""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from sistercities.comments.models import SUBJECTS, Comment, Subject
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import OutgoingMessage, SiteSettings

MAIL_KEY = "comment-published:"
SAME_AGAIN = dt.timedelta(hours=1)
KEEP_ADDRESS = dt.timedelta(days=90)
KEEP_REJECTED = dt.timedelta(days=30)
State = Comment.State


@transaction.atomic
def leave(*, about: Subject, name: str, email: str, text: str) -> None:
    """Holds a reply for a person to read, and tells staff once a day that some wait.

    The very same reply within an hour is the button pressed twice, and is kept once.
    """
    kind = next(kind for kind, model in SUBJECTS.items() if isinstance(about, model))
    same = {kind: about, "name": name, "text": text}
    now = clock.now()
    if Comment.objects.filter(**same, written_at__gt=now - SAME_AGAIN).exists():
        return
    Comment.objects.create(**same, email=email, written_at=now)
    _tell_staff(f"comments-waiting:{now:%Y-%m-%d}", "comments/emails/waiting", {"about": about})


@transaction.atomic
def publish(*, comment: Comment) -> bool:
    """Shows it, and tells its writer, who hears of it once. False: it was published already."""
    is_first = (
        Comment.objects.filter(pk=comment.pk)
        .exclude(state=State.PUBLISHED)
        .update(state=State.PUBLISHED, decided_at=clock.now())
    )
    if is_first and comment.email and comment.about.is_public:
        queue_mail(
            key=f"{MAIL_KEY}{comment.pk}",
            template="comments/emails/published",
            to=comment.email,
            context={
                "about": comment.about,
                # This address is led on where the page moves (`redirects`).
                "page_url": f"{settings.SITE_URL}{comment.about.get_absolute_url()}#replies",
                "organization": SiteSettings.load(),
            },
        )
    return bool(is_first)


def reject(*, comment: Comment) -> bool:
    """Takes it off the site, or never shows it; it is deleted 30 days later. Its writer hears
    nothing. False: it was rejected already.
    """
    return _move(comment, State.REJECTED, reported_at=None)


def put_back(*, comment: Comment) -> bool:
    """Takes a decision back: it waits again. False: it was waiting."""
    return _move(comment, State.WAITING)


def _move(comment: Comment, state: Comment.State, **besides: None) -> bool:
    others = Comment.objects.filter(pk=comment.pk).exclude(state=state)
    return bool(others.update(state=state, decided_at=clock.now(), **besides))


@transaction.atomic
def report(*, comment: Comment, reason: str) -> None:
    """A reader asks staff to look again. The first reason stands until they have; the reply
    stays on the site, or anybody could take away anybody's.
    """
    is_first = (
        Comment.objects.published()
        .filter(pk=comment.pk, reported_at=None)
        .update(reported_at=clock.now(), report=reason)
    )
    if is_first:
        _tell_staff(
            f"comment-reported:{comment.pk}:{clock.now():%Y-%m-%d}",
            "comments/emails/reported",
            {"comment": comment, "reason": reason},
        )


def settle(*, comment: Comment) -> bool:
    """Staff have looked at a report and the reply stays. False: nobody had reported it."""
    reported = Comment.objects.filter(pk=comment.pk, reported_at__isnull=False)
    return bool(reported.update(reported_at=None))


def _tell_staff(key: str, template: str, context: dict) -> None:
    site = SiteSettings.load()
    if site.email:
        list_url = settings.SITE_URL + reverse("admin:comments_comment_changelist")
        queue_mail(
            key=key,
            template=template,
            to=site.email,
            context={**context, "list_url": list_url, "organization": site},
        )


def forget_old() -> int:
    """Forgets mail addresses after 90 days, in the outbox as well, and deletes what was rejected
    30 days ago.
    """
    now = clock.now()
    old = Comment.objects.exclude(email="").filter(written_at__lt=now - KEEP_ADDRESS)
    keys = [f"{MAIL_KEY}{pk}" for pk in old.values_list("pk", flat=True)]
    OutgoingMessage.objects.filter(key__in=keys).delete()  # also what could never be sent
    rejected = Comment.objects.filter(state=State.REJECTED, decided_at__lt=now - KEEP_REJECTED)
    return rejected.delete()[0] + old.update(email="")
