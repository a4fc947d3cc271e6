"""Checkout, webhook, refund and receipts, killed at each of their places: one session, one gift,
one refund, one receipt, one mail, and the books of Stripe (giving.md F1 to F8; trust.md I1 to I3).
"""

import json
import os
import random
import signal
import time

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from donations.sandbox import Sandbox
from donations.sandbox.webhooks import signature
from tests.donations.conftest import SECRET_KEY, WEBHOOK_SECRET, Stripe
from tests.thoroughness import rounds

from .conftest import Stage

pytestmark = pytest.mark.xdist_group("faults")  # one site for all of them
# Every so many of the places, beginning anywhere. THOROUGH=1 takes each: three minutes.
STEP = rounds(24, in_ci=20, thorough=1)
ALL_WELL = {"unsent": 0, "waiting": 0, "broken": {}}


class Gifts(Stage):
    """A site that takes gifts, beside a sandbox that outlives its processes."""

    def __init__(self, folder, sandbox: Sandbox, **environment: str) -> None:
        super().__init__(
            folder, "gift_stage", TASKS_URL="immediate:", STRIPE_API_BASE=sandbox.base_url,
            STRIPE_SECRET_KEY=SECRET_KEY, STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET, **environment,
        )  # fmt: skip
        self.sandbox = sandbox
        self.known: set[str] = set()

    def dies_at(self, place: int, job: str, *arguments) -> bool:
        """Runs a job that is killed there; False if it was done before it came so far."""
        counted = self.folder / "counted"
        code = self.end(self.start("dying_at", place, counted, job, *arguments))
        assert code in (0, -signal.SIGKILL), self.errors()
        return code != 0

    def places(self, job: str, *arguments) -> list[int]:
        """Does a job; the places at which it could have been killed, or some of them."""
        assert not self.dies_at(0, job, *arguments)
        count = int((self.folder / "counted").read_text())
        places = list(range(1, count + 1))[random.randrange(STEP) :: STEP]
        print(f"{job}: {len(places)} of {count} places")
        return places

    def go_on(self, key: str, job: str, *arguments) -> dict:
        path = self.folder / "said"
        self.run("go_on", path, key, job, *arguments)
        return json.loads(path.read_text())

    def tell(self, key: str) -> dict:
        path = self.folder / "said"
        self.run("tell", path, key)
        return json.loads(path.read_text())

    def pay(self, key: str) -> list[str]:
        """The donor pays; the names of the events that come of it, ready to be handed over."""
        [gift] = self.tell(key)["gifts"]
        self.sandbox.control(f"sessions/{gift['sessions'][0]}/complete", fee=140)
        names = []
        for event in reversed(Stripe(self.sandbox).latest("events", limit=10)):
            if event["id"] not in self.known:
                self.known.add(event["id"])
                body = json.dumps(event).encode()
                path = self.folder / f"{event['id']}.json"
                path.write_bytes(body)
                header = signature(body, [WEBHOOK_SECRET], int(time.time()))
                path.with_suffix(".signature").write_text(header)
                names.append(path.name)
        return names

    def stripes_balance(self) -> int:
        rows = self.sandbox.control("state")["objects"]["balance_transaction"]
        return sum(row["net"] for row in rows)

    def message_ids(self) -> list[str]:
        """Of each mail that was handed to the mail server."""
        texts = [path.read_text() for path in (self.folder / "mail").iterdir()]
        lines = [line for text in texts for line in text.splitlines()]
        return [line for line in lines if line.startswith("Message-ID: ")]


@pytest.fixture(scope="module")
def gifts(built_stage, tmp_path_factory, django_db_setup):
    folder = tmp_path_factory.mktemp("gifts")
    sandbox = Sandbox(secret_key=SECRET_KEY, webhook_secret=WEBHOOK_SECRET, debug=True)
    sandbox.start()
    environment = {}
    if connection.vendor == "postgresql":
        name, server = f"{settings.DATABASES['default']['NAME']}_kills", os.environ["DATABASE_URL"]
        with psycopg.connect(server, autocommit=True) as other:
            other.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            template = settings.DATABASES["default"]["TEST"]["TEMPLATE"]
            other.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        environment["DATABASE_URL"] = f"{server.rpartition('/')[0]}/{name}"
    stage = Gifts(folder, sandbox, **environment)
    if environment:
        stage.run("prepare_database")
    else:
        stage.database.write_bytes(built_stage.empty_database)
    stage.run("prepare_giving")
    stage.run("begin", "earlier")  # a first gift finds empty tables: it passes other places
    stage.run("take_events", folder, *stage.pay("earlier"))
    yield stage
    stage.close()
    sandbox.stop()


def given(receipts: list, refunds: list | None = None) -> dict:
    """A gift with one payment page that was paid and booked, its page left out."""
    refunds = refunds or []
    kinds = ["charge", *("refund" for _refund in refunds)]
    return {"state": "paid", "receipts": receipts, "refunds": refunds, "booked": kinds}


def assert_whole(gifts: Gifts) -> None:
    """The books are Stripe's, and a mail that was sent twice has its own Message-ID both times:
    nobody can tell the repeat from the first (F7).
    """
    said = gifts.tell("nobody")
    assert said["clearing"] == gifts.stripes_balance()
    assert len(set(gifts.message_ids())) == said["outbox"]


def test_f1_f2_checkout_killed_at_each_place(gifts):
    for place in gifts.places("begin", "begun"):
        key = f"begun-{place}"
        assert gifts.dies_at(place, "begin", key)
        said = gifts.go_on(key, "begin", key)
        [gift] = said["gifts"]
        assert (gift["state"], said) == ("open", {**said, **ALL_WELL}), place
        opened = Stripe(gifts.sandbox).latest("checkout/sessions", limit=10)
        pages = [row["id"] for row in opened if row["customer_email"] == f"{key}@example.org"]
        assert gift["sessions"] == pages, place


def test_f3_f4_f6_webhook_killed_at_each_place(gifts):
    """From the first byte to the mail: stored, followed, booked, receipted, sent."""
    gifts.run("begin", "told")
    places = gifts.places("take_events", gifts.folder, *gifts.pay("told"))
    gifts.run("begin", *(f"told-{place}" for place in places))
    for place in places:
        key = f"told-{place}"
        events = gifts.pay(key)
        assert gifts.dies_at(place, "take_events", gifts.folder, *events)
        said = gifts.go_on(key, "take_lost_events", gifts.folder, *events)
        [gift] = said["gifts"]
        assert len(gift.pop("sessions")) == said["mails"] == 1, place
        assert (gift, said) == (given([["current", 5000]]), {**said, **ALL_WELL}), place
    assert_whole(gifts)


def test_f8_refund_killed_at_each_place(gifts):
    def give(*keys: str) -> None:
        gifts.run("begin", *keys)
        events = [name for key in keys for name in gifts.pay(key)]
        gifts.run("take_events", gifts.folder, *events)

    give("back")
    places = gifts.places("give_back", "back")
    give(*(f"back-{place}" for place in places))
    for place in places:
        key = f"back-{place}"
        assert gifts.dies_at(place, "give_back", key)
        said = gifts.go_on(key, "give_back", key)
        [gift] = said["gifts"]
        assert (len(gift.pop("sessions")), said["mails"]) == (1, 2), place
        receipts = [["void", 5000], ["current", 3000]]
        assert gift == given(receipts, [["done", 2000]]), place
        assert said == {**said, **ALL_WELL}, place
    assert_whole(gifts)


def test_i3_booking_checks_killed_at_each_place(gifts):
    gifts.run("write_down", "slip")
    places = gifts.places("book", "slip")
    gifts.run("write_down", *(f"slip-{place}" for place in places))
    for place in places:
        key = f"slip-{place}"
        assert gifts.dies_at(place, "book", key)
        said = gifts.go_on(key, "book", key)
        booked = {**given([["current", 5000]]), "booked": ["received"], "sessions": []}
        assert (said["gifts"], said["mails"]) == ([booked, booked], 2), place
        assert said == {**said, **ALL_WELL}, place
    assert_whole(gifts)
