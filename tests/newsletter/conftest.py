"""The visitor's side of the letter: a box to post, a mailbox to look into, a link to open."""

import re

import pytest
from django.core import mail
from django.urls import reverse

from sistercities.newsletter.models import Issue, Subscriber
from sistercities.shared.mail import send_waiting
from tests.newsletter.mail_server import Sink

LINK = re.compile(r"http://127\.0\.0\.1:8000(/newsletter/\S+)")


@pytest.fixture
def sign_up(client, site):
    """`sign_up("ann@example.org", name=…)`: posts the box as a page without script does."""

    def post(email: str = "ann@example.org", *, place: str = "192.0.2.1", **fields):
        data = {"email": email, "source": "/cities/jinzhou/", "wording": "2026-11", **fields}
        return client.post(reverse("newsletter:newsletter"), data, REMOTE_ADDR=place)

    return post


@pytest.fixture
def mails(site):
    """`mails()`: everything that has reached a mailbox by now, as Django's message objects."""

    def deliver():
        send_waiting()
        return mail.outbox

    return deliver


@pytest.fixture
def link(sign_up, mails):
    """`link()`: signs up and gives the path of the link in the mail."""

    def make(email: str = "ann@example.org", **fields) -> str:
        sign_up(email, **fields)
        return LINK.search(mails()[-1].body)[1]

    return make


@pytest.fixture
def confirmed(client, link):
    """`confirmed("ann@example.org")`: a reader who went all the way."""

    def make(email: str = "ann@example.org") -> Subscriber:
        client.post(link(email))
        return Subscriber.objects.get(email_key=email)

    return make


@pytest.fixture
def issue(db):
    """A letter that nobody has written anything into."""
    return Issue.objects.create(
        slug="autumn-2026", subject="A supper to book", preheader="And a tide to catch."
    )


@pytest.fixture
def readers(db):
    """`readers(3, …)`: confirmed subscribers reader-1@… and so on; keywords change their fields."""
    from django.utils import timezone

    def make(count: int, prefix: str = "reader", **fields) -> list[Subscriber]:
        values = {"status": "confirmed", "confirmed_at": timezone.now(), **fields}
        emails = [f"{prefix}-{number}@example.net" for number in range(1, count + 1)]
        return Subscriber.objects.bulk_create(
            Subscriber(email=email, email_key=email, **values) for email in emails
        )

    return make


@pytest.fixture
def letter(site, settings):
    """A letter that is ready to go, with one block of text. Letters go as fast as they can."""
    from sistercities.newsletter.models import Issue

    settings.MAIL_RATE = 0
    issue = Issue.objects.create(slug="november", subject="The gardens of Jinzhou")
    issue.blocks.create(title="The gardens", text="<p>Chrysanthemums, mostly.</p>")
    return issue


@pytest.fixture
def let_go(letter, monkeypatch):
    """`let_go()`: releases the letter to everybody and writes their rows, as the clock does.

    The queue loses the wake-up, so that nothing is sent before the test says so.
    """
    from sistercities.newsletter import releasing

    monkeypatch.setattr(releasing, "_wake", lambda: None)

    def release(**fields):
        people = releasing.reach(letter)
        releasing.release(issue=letter, by=None, people=people, **fields)
        releasing.settle()
        letter.refresh_from_db()
        return letter

    return release


@pytest.fixture
def sink(settings, unused_port_number):
    """A mail server that the site uses."""
    server = Sink(unused_port_number)
    server.controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = unused_port_number
    settings.EMAIL_TIMEOUT = 0.5
    yield server
    server.closing.set()
    server.controller.stop()
