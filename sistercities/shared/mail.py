"""Mail that is neither lost nor sent twice by us: a row first, a message second.

`queue_mail` writes the finished message in the caller's transaction. A job sends it after the
commit; the minute's sweep sends what a lost job left behind (giving.md F6, F7).
"""

import datetime as dt
import logging
from collections.abc import Callable
from email.utils import make_msgid
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string

from sistercities.shared import clock
from sistercities.shared.models import OutgoingMessage
from sistercities.shared.queue import wake

logger = logging.getLogger(__name__)
LEASE = dt.timedelta(minutes=5)
KEEP_TEXTS = dt.timedelta(days=90)
PAUSES = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720)]
HOLD = dt.timedelta(hours=12)
INLINER = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


_reasons_to_hold: list[Callable[[OutgoingMessage], str]] = []


def hold_back(reason: Callable[[OutgoingMessage], str]) -> None:
    """Asks `reason` before each message is sent; one that gets a text for an answer waits, with
    the text as its last error, and is asked about again twice a day.
    """
    if reason not in _reasons_to_hold:
        _reasons_to_hold.append(reason)


def queue_mail(
    *, key: str, template: str, to: str, context: dict, headers: dict[str, str] | None = None
) -> OutgoingMessage:
    """Writes one message to the outbox; a second call with the same `key` changes nothing.

    `template` names `<template>.subject.txt`, `.txt` and `.html`. Must run inside the
    transaction whose outcome it announces. Line breaks in the subject become spaces, and what
    is beyond its 250 characters is left out.
    """
    context = {**context, "site_url": settings.SITE_URL}
    subject = " ".join(render_to_string(f"{template}.subject.txt", context).split())[:250]
    message, is_new = OutgoingMessage.objects.get_or_create(
        key=key,
        defaults={
            "to": to,
            "subject": subject,
            "text": render_to_string(f"{template}.txt", context).strip() + "\n",
            "html": INLINER.inline(render_to_string(f"{template}.html", context)),
            "headers": headers or {},
            "message_id": make_msgid(domain=urlsplit(settings.SITE_URL).hostname),
        },
    )
    if is_new:
        wake_sender()
    return message


def wake_sender() -> None:
    """Has waiting mail sent soon after this transaction. Harmless when nothing waits."""
    from sistercities.shared.tasks import send_waiting_mail

    transaction.on_commit(lambda: wake(send_waiting_mail))


def send_waiting() -> int:
    """Sends every message that is due, oldest first; the number sent. Safe to run twice at once."""
    sent = 0
    now = clock.now()
    due = OutgoingMessage.objects.filter(sent_at=None, next_try_at__lte=now)
    if not due.exists():
        return 0
    connection = get_connection()
    try:
        connection.open()
    except OSError as error:
        # One wait a run, not one a message: a worker has other work than a silent server.
        logger.warning("The mail server does not answer: %s", type(error).__name__)
        return 0
    try:
        for pk in due.order_by("next_try_at", "pk").values_list("pk", flat=True)[:500]:
            sent += _send_one(pk, connection)
    finally:
        connection.close()
    return sent


def _send_one(pk: int, connection) -> int:
    now = clock.now()
    claimed = OutgoingMessage.objects.filter(Q(pk=pk), sent_at=None, next_try_at__lte=now).update(
        next_try_at=now + LEASE, attempts=F("attempts") + 1
    )
    if not claimed:
        return 0  # another worker has it
    message = OutgoingMessage.objects.get(pk=pk)
    if reason := next(filter(None, (ask(message) for ask in _reasons_to_hold)), ""):
        OutgoingMessage.objects.filter(pk=pk).update(
            next_try_at=now + HOLD, attempts=message.attempts - 1, last_error=reason[:300]
        )
        return 0
    mail = EmailMultiAlternatives(
        message.subject,
        message.text,
        to=[message.to],
        headers={"Message-ID": message.message_id, **message.headers},
        connection=connection,
    )
    mail.attach_alternative(message.html, "text/html")
    try:
        mail.send()
    except Exception as error:
        connection.close()  # a broken connection stays broken until it is opened again
        pause = PAUSES[min(message.attempts, len(PAUSES)) - 1]
        OutgoingMessage.objects.filter(pk=pk).update(
            next_try_at=clock.now() + pause, last_error=f"{type(error).__name__}: {error}"[:300]
        )
        logger.warning("Message %s was not sent: %s", pk, type(error).__name__)
        return 0
    OutgoingMessage.objects.filter(pk=pk).update(sent_at=clock.now(), last_error="")
    return 1


def forget_old_texts() -> int:
    """Empties what was sent more than 90 days ago; who, what and when stay. The number emptied."""
    old = OutgoingMessage.objects.filter(sent_at__lt=clock.now() - KEEP_TEXTS).exclude(text="")
    return old.update(text="", html="", headers={})
