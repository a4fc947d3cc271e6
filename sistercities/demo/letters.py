"""The demo's readers, all invented: they signed up and confirmed as readers do, and got letters."""

import contextlib
import datetime as dt
import re
import tempfile
from collections.abc import Iterator

from django.conf import settings

from sistercities.newsletter import composing, delivering, releasing, subscribing
from sistercities.newsletter.models import Consent, Issue, Subscriber
from sistercities.shared import clock
from sistercities.shared.models import OutgoingMessage

READERS = ("Ann Lee", "Bob Ortega", "Gulnara S.", "Niamh Walsh", "Wei Chen", "")
DOMAIN = "readers.example"
SIGNED_UP = dt.timedelta(days=120)
LINK = re.compile(r"/newsletter/confirm/([\w-]+)/")


def load() -> None:
    """Readers who got what was sent so far, and a draft of the next letter. In a transaction."""
    for number, name in enumerate(READERS, start=1):
        _sign_up(f"reader{number}@{DOMAIN}", name)
    at = clock.now() - SIGNED_UP
    readers = Subscriber.objects.filter(email_key__endswith=f"@{DOMAIN}")
    readers.update(created_at=at, asked_at=at, confirm_sent_at=at, confirmed_at=at)
    Consent.objects.filter(subscriber__in=readers).update(at=at)
    for issue in Issue.objects.exclude(send_at=None).order_by("send_at"):
        _send(issue)
    composing.draft()


def draft_again() -> None:
    """The draft tells how far the appeal has come, so it is made anew once gifts are there."""
    Issue.objects.filter(status=Issue.Status.DRAFT).delete()
    composing.draft()


def _sign_up(email: str, name: str) -> None:
    """Through the form's and the mail's own functions; the mail itself goes to nobody."""
    subscribing.subscribe(email=email, name=name, source="/")
    mails = OutgoingMessage.objects.filter(to=email)
    found = LINK.search(mails.latest("pk").text)
    assert found
    subscribing.confirm(token=found[1])
    mails.delete()


def _send(issue: Issue) -> None:
    """As the worker does, at the letter's own time; the mail goes to nobody."""
    assert issue.send_at
    Issue.objects.filter(pk=issue.pk).update(status=Issue.Status.SCHEDULED)
    with tempfile.TemporaryDirectory() as folder, _settings(
        CLOCK=issue.send_at, VAR_DIR=folder, MAIL_RATE=0,
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    ):  # fmt: skip
        releasing.settle()
        delivering.deliver_over_one(seconds=60)
        releasing.finish()


@contextlib.contextmanager
def _settings(**values: object) -> Iterator[None]:
    before = {name: getattr(settings, name) for name in values}
    try:
        for name, value in values.items():
            setattr(settings, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)
