"""One kept connection to the mail server or provider, and what each answer means for a letter.

Whatever `EMAIL_URL` names is used through Django's own interface, so SMTP and every provider go
the same way. What decides is whether the other side may have the message already (mail.md E18).
"""

import contextlib
import smtplib
from dataclasses import dataclass
from enum import Enum, auto

import requests
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.core.mail import EmailMessage, get_connection
from django.utils.translation import gettext as _


class Kind(Enum):
    SENT = auto()  # taken over
    LATER = auto()  # not taken over now; ask again later (4xx)
    REFUSED = auto()  # not taken over, nor will it be (5xx)
    UNKNOWN = auto()  # the answer never came: it may be on its way
    BROKEN = auto()  # not taken over, and the connection ended: over this one, or for everybody
    NOT_SENT = auto()  # it is certain that nothing was handed over; the next will fare no better


@dataclass(frozen=True)
class Outcome:
    kind: Kind
    answer: str = ""


class Line:
    """Stays open from message to message. After any error it is closed and opened anew: a broken
    connection of smtplib stays broken.
    """

    def __init__(self) -> None:
        self._connection = get_connection()
        self.is_open = False
        self._may_have_it = True
        self._answer = ""

    def open(self) -> None:
        """Raises `OSError` where nobody answers, or where we may not sign in."""
        if self.is_open:
            return
        self._connection.open()
        self.is_open = True
        server = getattr(self._connection, "connection", None)
        if isinstance(server, smtplib.SMTP):
            self._watch(server)

    def _watch(self, server: smtplib.SMTP) -> None:
        """Notes when the text begins to go out, and what the server says at the end of it."""
        send_text = server.data

        def data(text: str) -> tuple[int, bytes]:
            self._may_have_it = True
            code, said = send_text(text)
            self._answer = _words(code, said)
            return code, said

        server.data = data  # type: ignore[method-assign, assignment]

    def hand_over(self, message: EmailMessage) -> Outcome:
        """Hands over one message with one recipient. Never raises for what the other side does."""
        self._answer = ""
        self._may_have_it = not isinstance(
            getattr(self._connection, "connection", None), smtplib.SMTP
        )
        message.connection = self._connection
        try:
            message.send()
        except Exception as error:
            self.close()
            return outcome(error, may_have_it=self._may_have_it)
        return Outcome(Kind.SENT, self._answer)

    def close(self) -> None:
        self.is_open = False
        with contextlib.suppress(OSError):
            self._connection.close()


def outcome(error: Exception, *, may_have_it: bool) -> Outcome:
    """What an error of the server or the provider says of the message.

    `may_have_it`: whether its text, or the request with it, had begun to go out.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _judged(*next(iter(error.recipients.values())))
    if isinstance(error, smtplib.SMTPDataError):
        return _judged(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPSenderRefused):  # it would refuse us for everybody
        return Outcome(Kind.NOT_SENT, _words(error.smtp_code, error.smtp_error))
    if isinstance(error, AnymailRecipientsRefused):
        return Outcome(Kind.REFUSED, _("The provider refused this address."))
    if isinstance(error, AnymailError) and error.status_code:
        said = f"HTTP {error.status_code}"
        if error.status_code in {400, 413, 422}:
            return Outcome(Kind.REFUSED, said)
        return Outcome(Kind.NOT_SENT if error.status_code < 500 else Kind.UNKNOWN, said)
    if isinstance(error, ValueError):  # it could not even be written
        return Outcome(Kind.REFUSED, type(error).__name__)
    if isinstance(error.__cause__, requests.ConnectTimeout):
        return Outcome(Kind.NOT_SENT, type(error).__name__)
    if not may_have_it:
        return Outcome(Kind.BROKEN, type(error).__name__)
    return Outcome(Kind.UNKNOWN, _("No answer came (%s).") % type(error).__name__)


def _judged(code: int, said: bytes | str) -> Outcome:
    words = _words(code, said)
    if code == 421:  # it hangs up
        return Outcome(Kind.BROKEN, words)
    return Outcome(Kind.LATER if 400 <= code < 500 else Kind.REFUSED, words)


def _words(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(text.split())}"[:300]
