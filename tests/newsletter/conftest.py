"""The visitor's side of the letter: a box to post, a mailbox to look into, a link to open."""

import re

import pytest
from django.core import mail
from django.urls import reverse

from sistercities.newsletter.models import Subscriber
from sistercities.shared.mail import send_waiting

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
