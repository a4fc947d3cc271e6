"""The mailbox to which letters come back, read over IMAP where there is no provider to tell us."""

import contextlib
import imaplib
import logging
from urllib.parse import unquote, urlsplit

from django.conf import settings

from sistercities.newsletter import bounce_mail
from sistercities.newsletter.bounces import take_note

logger = logging.getLogger(__name__)
AT_ONCE = 200
LARGEST = 2_000_000  # bytes
TIMEOUT = 20


class BoxDown(Exception):
    """The mailbox did not let us in or broke off; in plain words."""


def poll() -> int:
    """Reads new mail of BOUNCE_IMAP_URL; how many bounces and complaints were news.

    A message is marked as read after what it told is kept, so one that was cut off is read again
    and counts once. Nothing is deleted. Raises `BoxDown`; without a mailbox does nothing.
    """
    if not settings.BOUNCE_IMAP_URL:
        return 0
    parts = urlsplit(settings.BOUNCE_IMAP_URL)
    kind = imaplib.IMAP4_SSL if parts.scheme == "imaps" else imaplib.IMAP4
    port = parts.port or (993 if parts.scheme == "imaps" else 143)
    try:
        box = kind(parts.hostname or "", port, timeout=TIMEOUT)
        try:
            box.login(unquote(parts.username or ""), unquote(parts.password or ""))
            folder = unquote(parts.path.strip("/")) or "INBOX"
            _checked(box.select(f'"{folder}"'))
            (numbers,) = _checked(box.uid("SEARCH", "UNSEEN")) or [b""]
            return sum(_read(box, number) for number in (numbers or b"").split()[:AT_ONCE])
        finally:
            _leave(box)
    except (imaplib.IMAP4.error, OSError) as error:
        raise BoxDown(f"{type(error).__name__}: {error}") from error


def poll_every_minute() -> None:
    """As `poll`; a mailbox that is down is a line in the log, and the next minute comes."""
    try:
        poll()
    except BoxDown as error:
        logger.warning("The bounce mailbox was not read: %s", error)


def _leave(box: imaplib.IMAP4) -> None:
    """Says goodbye, and shuts the line where nobody listens any more."""
    try:
        box.logout()
    except (imaplib.IMAP4.error, OSError):
        with contextlib.suppress(OSError):
            box.shutdown()


def _read(box: imaplib.IMAP4, number: bytes) -> bool:
    uid = number.decode()
    fetched = _checked(box.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST}>)"))
    raw = next((part[1] for part in fetched if isinstance(part, tuple)), b"")
    told = bounce_mail.read(raw)
    is_news = take_note(told) if told else False
    _checked(box.uid("STORE", uid, "+FLAGS", r"(\Seen)"))
    return is_news


def _checked(answer: tuple[str, list]) -> list:
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(str(data))
    return data
