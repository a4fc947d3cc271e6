"""Somebody writes to us: a row that staff keep, and a mail to them that they can reply to."""

import datetime as dt

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse

from sistercities.pages.models import Message
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import OutgoingMessage, SiteSettings

MAIL_KEY = "contact:"
SAME_AGAIN = dt.timedelta(hours=1)
KEEP_ANSWERED = dt.timedelta(days=365)
KEEP = dt.timedelta(days=2 * 365)


@transaction.atomic
def write(*, name: str, email: str, about: str, text: str) -> None:
    """Keeps a message and mails it to the address in the site settings, if there is one.

    The very same message within an hour is the button pressed twice, and is kept once.
    """
    same = {"name": name, "email": email, "about": about, "text": text}
    now = clock.now()
    if Message.objects.filter(**same, written_at__gt=now - SAME_AGAIN).exists():
        return
    message = Message.objects.create(**same, written_at=now)
    site = SiteSettings.load()
    if site.email:
        page = reverse("admin:pages_message_change", args=[message.pk])
        queue_mail(
            key=f"{MAIL_KEY}{message.pk}",
            template="pages/emails/message",
            to=site.email,
            context={
                "message": message,
                "page_url": settings.SITE_URL + page,
                "organization": site,
            },
            headers={"Reply-To": email},
        )


def mark_answered(messages: QuerySet[Message], *, by: User) -> int:
    """Says who answered and when; how many were open."""
    return messages.filter(answered_at=None).update(answered_at=clock.now(), answered_by=by)


def mark_open(messages: QuerySet[Message]) -> int:
    return messages.exclude(answered_at=None).update(answered_at=None, answered_by=None)


def forget_old() -> int:
    """Deletes messages a year after they were answered, and any two years after they came."""
    now = clock.now()
    old = Q(answered_at__lt=now - KEEP_ANSWERED) | Q(written_at__lt=now - KEEP)
    return delete(Message.objects.filter(old))


@transaction.atomic
def delete(rows: QuerySet[Message]) -> int:
    """With their mails in the outbox, which say the same; how many messages."""
    keys = [f"{MAIL_KEY}{pk}" for pk in rows.values_list("pk", flat=True)]
    OutgoingMessage.objects.filter(key__in=keys).delete()
    return rows.delete()[0]
