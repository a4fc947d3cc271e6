"""The mail after confirming: what is next and what was last (mail.md E21: it asks for nothing).

The newsletter knows no events and visits. Who does registers a source; see
`sistercities.pages.welcome`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils import translation

from sistercities.newsletter.models import Subscriber
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings

logger = logging.getLogger(__name__)
MAIL_KEY = "newsletter-welcome:"


@dataclass(frozen=True)
class Something:
    """One thing of the site to look at. `url` is absolute; `line` is a day, a place or ""."""

    heading: str
    title: str
    url: str
    line: str = ""


Source = Callable[[], list[Something]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Adds a source, asked in the reader's language each time somebody is welcomed."""
    if source not in _sources:
        _sources.append(source)


def welcome(person: Subscriber) -> None:
    """Writes the mail of welcome to the outbox: once for each person, however often they confirm.

    Must run inside the transaction that confirms.
    """
    with translation.override(person.language):
        queue_mail(
            key=f"{MAIL_KEY}{person.pk}",
            template="newsletter/emails/welcome",
            to=person.email,
            context={
                "organization": SiteSettings.load(),
                "person": person,
                "things": _things(),
            },
        )


def _things() -> list[Something]:
    """What the sources offer; a source that fails must not keep anybody off the list."""
    found: list[Something] = []
    for source in _sources:
        try:
            with transaction.atomic():
                found += source()
        except Exception:
            logger.exception("A source of the welcome mail failed")
    return found
