"""The demo's readers, all invented: they signed up and confirmed as readers do, and got letters."""

import datetime as dt
import re

from sistercities.newsletter import composing, subscribing
from sistercities.newsletter.models import Consent, Delivery, Issue, Subscriber, address_key
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
    for issue in Issue.objects.filter(status=Issue.Status.SENT):
        _deliver(issue, list(readers))
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


def _deliver(issue: Issue, readers: list[Subscriber]) -> None:
    Delivery.objects.bulk_create(
        Delivery(
            issue=issue, subscriber=reader, address_key=address_key(reader.email),
            state=Delivery.State.SENT, attempts=1, sent_at=issue.began_at,
        )
        for reader in readers
    )  # fmt: skip
