"""Each person's message. One skeleton serves all who read the same blocks."""

from binascii import b2a_qp
from collections.abc import Mapping
from email.message import Message
from email.mime.nonmultipart import MIMENonMultipart
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import SafeMIMEMultipart
from django.utils import translation
from django.utils.translation import gettext as _

from sistercities.newsletter import counting
from sistercities.newsletter.bounce_addresses import bounce_address
from sistercities.newsletter.models import Issue, Subscriber
from sistercities.newsletter.models.delivery import unsubscribe_url
from sistercities.newsletter.rendering import Letter, personal, skeleton

SKELETONS = 200


class Writer:
    """Writes the messages of one letter."""

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
        message = QuickMessage(
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


# --- as bytes -------------------------------------------------------------------------------


class QuickMessage(EmailMultiAlternatives):
    """Django's message of a text and its HTML, put into bytes in a third of the time: what is long
    goes through the encoder that is written in C.
    """

    def _create_message(self, msg: object) -> "Alternatives":
        texts = [(self.body, "text/plain"), *self.alternatives]
        return Alternatives(*(_QuotedText(str(text), str(kind)) for text, kind in texts))


class _QuotedText(MIMENonMultipart):
    def __init__(self, text: str, kind: str) -> None:
        super().__init__(*kind.split("/"), charset="utf-8")
        self["Content-Transfer-Encoding"] = "quoted-printable"
        lines = text.replace("\r\n", "\n").replace("\r", "\n")
        self.set_payload(b2a_qp(lines.encode(), istext=True).decode("ascii"))


class Alternatives(SafeMIMEMultipart):
    BOUNDARY = "=_letter"  # what begins with =_ never stands in quoted-printable text (RFC 2045)

    def __init__(self, *parts: _QuotedText) -> None:
        super().__init__("alternative", self.BOUNDARY, parts)

    def as_bytes(  # type: ignore[override]  # as Django's own do
        self, unixfrom: bool = False, linesep: str = "\n"
    ) -> bytes:
        """What Python's generator makes of it, without its look at every line of every part."""
        policy = self.policy.clone(linesep=linesep)

        def head(of: Message) -> bytes:
            return b"".join(policy.fold_binary(*header) for header in of.raw_items())

        end, border = linesep.encode(), f"--{self.BOUNDARY}".encode()
        pieces = [head(self)]
        for part in cast(list[Message], self.get_payload()):
            text = str(part.get_payload()).replace("\n", linesep).encode("ascii")
            pieces += [end, border, end, head(part), end, text]
        return b"".join([*pieces, end, border, b"--", end])
