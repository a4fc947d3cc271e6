"""Gifts are tested against the sandbox: the real Stripe library speaks to it over HTTP."""

import datetime as dt
import json
import re
import time
from html.parser import HTMLParser
from importlib import import_module
from types import SimpleNamespace

import pytest
import requests
from django.test import Client

from donations.sandbox import Sandbox
from donations.sandbox.webhooks import signature

SECRET_KEY = "sk_test_for_these_tests"
WEBHOOK_SECRET = "whsec_for_these_tests"


@pytest.fixture(scope="session")
def sandbox_server():
    sandbox = Sandbox(secret_key=SECRET_KEY, webhook_secret=WEBHOOK_SECRET, debug=True)
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def stripe(sandbox_server, settings):
    """An empty sandbox. Events wait in it until a test hands them over with `deliver`."""
    settings.STRIPE_API_BASE = sandbox_server.base_url
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    settings.STRIPE_WEBHOOK_SECRETS = [WEBHOOK_SECRET]
    settings.STRIPE_LIVE_MODE = False
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
    stripe = Stripe(sandbox_server)
    stripe.control("reset")
    return stripe


class Stripe:
    """What a donor, a bank and Stripe's servers do in a test."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def control(self, control: str, **body) -> dict:
        """One of the sandbox's test controls, such as `control("payouts", amount=4860)`."""
        address = f"{self.sandbox.base_url}/_sandbox/{control}"
        answer = requests.post(address, json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    @property
    def state(self) -> dict:
        return requests.get(f"{self.sandbox.base_url}/_sandbox/state", timeout=30).json()

    def objects(self, kind: str) -> list[dict]:
        return self.state["objects"].get(kind, [])

    def latest(self, path: str, **wanted) -> list[dict]:
        """One page of a list of the API, the newest first: `latest("events", limit=2)`."""
        address = f"{self.sandbox.base_url}/v1/{path}"
        headers = {"Authorization": f"Bearer {SECRET_KEY}"}
        return requests.get(address, wanted, headers=headers, timeout=30).json()["data"]

    def requests(self, path: str, method: str = "POST") -> list[dict]:
        return [
            row
            for row in self.state["requests"]
            if row["path"].startswith(path) and row["method"] == method
        ]

    def pay(self, donation, **how) -> dict:
        """The donor pays on the hosted page."""
        session_id = donation.attempts.get().session_id
        return self.control(f"sessions/{session_id}/complete", **{"fee": 140, **how})

    def events(self, *types: str) -> list[dict]:
        return [e for e in self.objects("event") if not types or e["type"] in types]


def send_event(
    event: dict | bytes, *, secret: str | tuple = WEBHOOK_SECRET, at: int | None = None, **headers
):
    """Posts an event to our door as Stripe would; the response."""
    body = event if isinstance(event, bytes) else json.dumps(event, indent=2).encode()
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if "HTTP_STRIPE_SIGNATURE" not in headers and secrets:
        moment = int(time.time()) if at is None else at
        headers["HTTP_STRIPE_SIGNATURE"] = signature(body, secrets, moment)
    return Client(enforce_csrf_checks=True).post(
        "/webhooks/stripe/", body, content_type="application/json", **headers
    )


@pytest.fixture
def deliver(django_capture_on_commit_callbacks):
    """Hands over events, jobs included: `deliver(*events)`."""

    def hand_over(*events: dict) -> list[int]:
        answers = []
        for event in events:
            with django_capture_on_commit_callbacks(execute=True):
                answers.append(send_event(event).status_code)
        return answers

    return hand_over


@pytest.fixture
def gift_form(client):
    """`gift_form(amount="25")`: what the form of a fresh page posts, as a browser would fill it."""

    def fill(page: str = "/donate/", **fields) -> dict:
        typed = form_fields(client.get(page).content.decode())
        return {**typed, "name": "Ann Lee", "email": "ann@example.org", **fields}

    return fill


@pytest.fixture(scope="session")
def usual_form():
    """What the general page's form posts unless somebody types; read from the page once."""
    return {}


@pytest.fixture
def quick_form(usual_form, gift_form):
    """As `gift_form`, where what counts comes after the form: the general page is not fetched anew
    for each gift, only a new token is made.
    """
    from donations.forms import new_form_token

    def fill(page: str, **fields) -> dict:
        if page != "/donate/":
            return gift_form(page, **fields)
        if not usual_form:
            usual_form.update(gift_form(page))
        return {**usual_form, "form_token": new_form_token(), **fields}

    return fill


@pytest.fixture
def begin(site, stripe, client, quick_form):
    """`begin(amount="25")`: a gift whose donor stands at the hosted page."""
    from donations.models import Donation

    def start(page: str = "/donate/", **fields) -> Donation:
        fields = quick_form(page, **{"preset": "other", "amount": "50", **fields})
        response = client.post(page, fields)
        assert response.status_code == 303, response.content.decode()[:3000]
        token = re.search(r"cs_test_\w+", response["Location"])[0]
        return Donation.objects.get(attempts__session_id=token)

    return start


@pytest.fixture
def give(begin, stripe, deliver):
    """`give(amount="25")`: a gift that was paid and of which all events have arrived."""

    def pay(page: str = "/donate/", fee: int = 140, **fields):
        donation = begin(page, **fields)
        known = {event["id"] for event in stripe.events()}
        stripe.pay(donation, fee=fee)
        deliver(*(event for event in stripe.events() if event["id"] not in known))
        donation.refresh_from_db()
        return donation

    return pay


@pytest.fixture
def begin_plan(site, stripe, client, quick_form):
    """`begin_plan(amount="25")`: a monthly gift whose donor stands at the hosted page."""
    from donations.models import RecurringGift

    def start(page: str = "/donate/", **fields) -> RecurringGift:
        fields = quick_form(
            page, **{"preset": "other", "amount": "25", "frequency": "monthly", **fields}
        )
        response = client.post(page, fields)
        assert response.status_code == 303, response.content.decode()[:3000]
        token = re.search(r"cs_test_\w+", response["Location"])[0]
        return RecurringGift.objects.get(attempts__session_id=token)

    return start


@pytest.fixture
def hand_over_new(stripe, deliver):
    """Delivers the events that were not delivered before, in order; their types."""
    known: set[str] = set()

    def hand_over() -> list[str]:
        events = [event for event in stripe.events() if event["id"] not in known]
        known.update(event["id"] for event in events)
        assert set(deliver(*events)) <= {200}
        return [event["type"] for event in events]

    return hand_over


@pytest.fixture
def give_plan(begin_plan, stripe, hand_over_new):
    """`give_plan(amount="25")`: a monthly gift whose first payment was made and is known to us."""

    def pay(page: str = "/donate/", fee: int = 85, **fields):
        plan = begin_plan(page, **fields)
        stripe.pay(plan, fee=fee)
        hand_over_new()
        plan.refresh_from_db()
        return plan

    return pay


@pytest.fixture
def at(stripe, time_machine):
    """`at("2026-12-21")`: noon in UTC of that day, here and at the processor."""

    def move(day: str) -> None:
        moment = dt.datetime.fromisoformat(f"{day}T12:00:00+00:00")
        time_machine.move_to(moment, tick=False)
        stripe.control("clock", now=moment.isoformat())

    return move


@pytest.fixture
def renew(stripe, hand_over_new):
    """`renew(plan, result="failed")`: the next charge, or the next try, and its events."""

    def run(plan, *, deliver: bool = True, **how):
        stripe.control(f"subscriptions/{plan.provider_reference}/renew", **{"fee": 85, **how})
        if deliver:
            hand_over_new()
        plan.refresh_from_db()
        return plan

    return run


@pytest.fixture
def later(time_machine):
    """`later(minutes=32)`: the clock jumps ahead and goes on."""
    return lambda **span: time_machine.move_to(dt.datetime.now(dt.UTC) + dt.timedelta(**span))


@pytest.fixture
def make_campaign(db):
    from django.utils.text import slugify

    from donations.models import Campaign

    def make(title: str = "Kyzylorda comes to Arvada", **fields) -> Campaign:
        values = {
            "title": title,
            "slug": slugify(title),
            "status": "published",
            "summary": "Young entrepreneurs see how a small American city works.",
            "goal_cents": 600_000,
            "designation": f"The fund of {title}",
            **fields,
        }
        campaign = Campaign(**values)
        campaign.full_clean()
        campaign.save()
        return campaign

    return make


@pytest.fixture
def treasurer(db):
    """Somebody on the staff who may see gifts and give them back."""
    from django.contrib.auth.models import Permission, User

    user = User.objects.create_user("tess", "tess@example.org", "x", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_donation", "refund_donation"])
    )
    return user


@pytest.fixture
def treasurers_group(db):
    """Made by migrations. They run here: a test that empties all tables takes the group away."""
    from django.apps import apps
    from django.contrib.auth.models import Group
    from django.db import connection

    editor = SimpleNamespace(connection=connection)
    for migration, verb in (
        ("0014_treasurer", "make_treasurer"),
        ("0023_treasurer_of_campaigns", "add_to_treasurer"),
        ("0027_treasurer_of_trip_fees", "may_ask"),
        ("0029_treasurer_of_tickets", "let_treasurer_sell"),
        ("0032_treasurer_of_payouts", "allow"),
    ):
        getattr(import_module(f"donations.migrations.{migration}"), verb)(apps, editor)
    return Group.objects.get(name="Treasurer")


@pytest.fixture
def ask(treasurer):
    """`ask(gift, 2000)`: the treasurer's wish, as the page hands it on."""

    from donations import refunds
    from donations.models import Refund

    def wish(gift, cents: int, form_token: str = "form-1") -> Refund:
        return refunds.ask(
            donation=gift, cents=cents, reason="donor", note="She wrote on Monday.",
            asked_by=treasurer, form_token=form_token,
        )  # fmt: skip

    return wish


@pytest.fixture
def by_hand(site, admin_user):
    """`by_hand("Ann Lee", 5000)`: a gift that staff booked; keywords change its line."""

    from donations import offline
    from donations.models import Donation, GiftBatch, OfflineGift

    def book(name: str, cents: int = 5000, **fields) -> Donation:
        batch = GiftBatch.objects.create(title="Batch")
        line = {"method": "transfer", "given_on": dt.date(2026, 11, 20), **fields}
        row = OfflineGift.objects.create(batch=batch, donor_name=name, amount_cents=cents, **line)
        GiftBatch.objects.filter(pk=batch.pk).update(deposit_cents=batch.entered_cents)
        offline.book(batch=batch, by=admin_user)
        return Donation.objects.get(offline=row)

    return book


class _Fields(HTMLParser):
    """The fields of the donate form with the values that a browser would send."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.values: dict[str, str] = {}
        self._select = ""
        self._area = ""

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.inside = "give-form" in (given.get("class") or "")
        if not self.inside:
            return
        name = given.get("name") or ""
        if tag == "input":
            kind = given.get("type")
            if kind not in {"radio", "checkbox"} or "checked" in given:
                self.values[name] = given.get("value") or ("on" if kind == "checkbox" else "")
        elif tag == "select":
            self._select = name
            self.values.setdefault(name, "")
        elif tag == "option" and self._select and "selected" in given:
            self.values[self._select] = given.get("value") or ""
        elif tag == "textarea":
            self._area = name
            self.values[name] = ""

    def handle_data(self, data):
        if self.inside and self._area:
            self.values[self._area] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""


def form_fields(html: str) -> dict[str, str]:
    reader = _Fields()
    reader.feed(html)
    reader.values = {name: value.lstrip("\n") for name, value in reader.values.items()}
    return reader.values
