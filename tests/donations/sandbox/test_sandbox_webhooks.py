"""Signed events over real HTTP, and what the delivery controls do to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from donations.sandbox import Sandbox
from donations.sandbox.webhooks import signature

Maker = Callable[..., Any]
SECRET = "whsec_sandbox"
COMPLETED, UPDATED = "checkout.session.completed", "charge.updated"


@pytest.fixture
def listening(sandbox: Sandbox, receiver: Any) -> Any:
    sandbox.webhook_url = receiver.url
    return receiver


def test_event_arrives_signed_for_the_real_library(
    sandbox: Sandbox, listening: Any, pay: Maker
) -> None:
    session = pay()
    assert sandbox.wait_for_deliveries()
    event = stripe.Webhook.construct_event(listening.bodies[0], listening.signatures[0], SECRET)
    assert (event.type, event.api_version, event.livemode) == (
        COMPLETED,
        "2026-10-28.endive",
        False,
    )
    assert event.data.object["id"] == session["id"]
    assert event.data.object["payment_status"] == "paid"
    assert listening.types == [COMPLETED, UPDATED]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(listening.bodies[0], listening.signatures[0], "whsec_other")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(listening.bodies[0] + b" ", listening.signatures[0], SECRET)


def test_signature_names_every_secret_while_they_rotate() -> None:
    header = signature(b"{}", ["old", "new"], int(time.time()))
    for secret in ("old", "new"):
        stripe.WebhookSignature.verify_header(b"{}", header, secret, tolerance=300)
    assert header.count("v1=") == 2


def test_old_signature_is_refused_by_the_library() -> None:
    header = signature(b"{}", ["s"], int(time.time()) - 301)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(b"{}", header, "s", tolerance=300)


def test_signature_uses_the_real_time_when_the_clock_is_elsewhere(
    sandbox: Sandbox, listening: Any, open_session: Maker
) -> None:
    sandbox.control("clock", now=1_700_000_000)
    sandbox.control(f"sessions/{open_session(expires_at=None).id}/complete")
    assert sandbox.wait_for_deliveries()
    event = stripe.Webhook.construct_event(listening.bodies[0], listening.signatures[0], SECRET)
    assert event.created == 1_700_000_000


def test_events_wait_for_an_address(sandbox: Sandbox, receiver: Any, pay: Maker) -> None:
    pay()
    assert receiver.bodies == []
    sandbox.webhook_url = receiver.url
    assert sandbox.wait_for_deliveries()
    assert receiver.types == [COMPLETED, UPDATED]


def test_held_events_are_sent_on_deliver(sandbox: Sandbox, listening: Any, pay: Maker) -> None:
    sandbox.control("delivery", auto=False)
    pay()
    time.sleep(0.05)
    assert listening.bodies == []
    assert [entry["attempts"] for entry in sandbox.control("state")["queue"]] == [0, 0]
    sent = sandbox.control("deliver")
    assert [(each["type"], each["status"]) for each in sent["attempts"]] == [
        (COMPLETED, 200),
        (UPDATED, 200),
    ]
    assert sent["waiting"] == 0
    assert listening.types == [COMPLETED, UPDATED]
    assert sandbox.control("deliver") == {"attempts": [], "waiting": 0}


def test_held_event_that_fails_stays_held(sandbox: Sandbox, listening: Any, pay: Maker) -> None:
    sandbox.control("delivery", auto=False)
    pay(settle=False)
    listening.answers = [500] * 5
    for _ in range(5):
        assert sandbox.control("deliver")["waiting"] == 1
    assert sandbox.control("deliver")["waiting"] == 0


def test_event_under_way_is_not_sent_a_second_time_by_deliver(
    sandbox: Sandbox, listening: Any, pay: Maker
) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        arrived.set()
        go_on.wait(5)

    listening.meanwhile = hold
    pay(settle=False)
    assert arrived.wait(5)
    threading.Timer(0.1, go_on.set).start()
    assert sandbox.control("deliver") == {"attempts": [], "waiting": 0}
    assert listening.types == [COMPLETED]


def test_receiver_may_ask_the_sandbox_before_it_answers(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, listening: Any, pay: Maker
) -> None:
    sandbox.control("delivery", auto=False)
    session = pay(settle=False)
    seen = []

    def ask() -> None:
        fetched = stripe_client.v1.checkout.sessions.retrieve(session["id"])
        seen.append(fetched.payment_status)

    listening.meanwhile = ask
    assert [each["status"] for each in sandbox.control("deliver")["attempts"]] == [200]
    assert seen == ["paid"]


def test_reverse_order(sandbox: Sandbox, listening: Any, pay: Maker) -> None:
    sandbox.control("delivery", auto=False, order="reverse")
    pay()
    sandbox.control("deliver")
    assert listening.types == [UPDATED, COMPLETED]


def test_shuffle_depends_on_the_seed_alone(sandbox: Sandbox, listening: Any, pay: Maker) -> None:
    sandbox.control("delivery", auto=False)
    orders = []
    for seed in (1, 1, 2):
        sandbox.control("delivery", order="shuffle", seed=seed)
        for _ in range(4):
            pay()
        listening.bodies.clear()
        sandbox.control("deliver")
        orders.append(listening.types)
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])


def test_repeat_sends_extra_copies(sandbox: Sandbox, listening: Any, pay: Maker) -> None:
    sandbox.control("delivery", repeat=2)
    pay(settle=False)
    assert sandbox.wait_for_deliveries()
    assert listening.types == [COMPLETED] * 3
    assert len(set(listening.bodies)) == 1


def test_repeat_of_a_share_sends_some_twice(sandbox: Sandbox, listening: Any, pay: Maker) -> None:
    sandbox.control("delivery", auto=False, repeat=0.5, seed=3)
    for _ in range(10):
        pay(settle=False)
    sandbox.control("deliver")
    assert 10 < len(listening.bodies) < 20


def test_drop_loses_events_that_stay_listed(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, listening: Any, pay: Maker
) -> None:
    sandbox.control("delivery", drop=1)
    pay()
    assert sandbox.wait_for_deliveries()
    assert listening.types == [UPDATED]
    listed = {event.type: event.pending_webhooks for event in stripe_client.v1.events.list().data}
    assert listed == {COMPLETED: 1, UPDATED: 0}


@pytest.mark.parametrize(
    ("drop", "left"), [(True, []), (1.0, []), ([COMPLETED], [UPDATED]), (0, [COMPLETED, UPDATED])]
)
def test_drop_by_share_and_type(
    sandbox: Sandbox, listening: Any, pay: Maker, drop: Any, left: list[str]
) -> None:
    sandbox.control("delivery", drop=drop)
    pay()
    assert sandbox.wait_for_deliveries()
    assert listening.types == left


def test_failed_delivery_is_tried_again_until_it_is_answered(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, listening: Any, pay: Maker
) -> None:
    listening.answers = [500, 302, 200]
    pay(settle=False)
    assert sandbox.wait_for_deliveries()
    assert [each["status"] for each in sandbox.control("state")["attempts"]] == [500, 302, 200]
    assert len(set(listening.bodies)) == 1
    assert stripe_client.v1.events.list().data[0].pending_webhooks == 0


def test_failed_delivery_is_given_up_after_the_last_pause(
    sandbox: Sandbox, listening: Any, pay: Maker
) -> None:
    listening.answers = [500] * 9
    pay(settle=False)
    assert sandbox.wait_for_deliveries()
    assert len(listening.bodies) == 3
    assert sandbox.control("state")["objects"]["event"][0]["pending_webhooks"] == 1


def test_receiver_that_is_down_counts_as_failed(sandbox: Sandbox, pay: Maker) -> None:
    sandbox.webhook_url = "http://127.0.0.1:9/webhooks/stripe/"
    pay(settle=False)
    assert sandbox.wait_for_deliveries()
    attempts = sandbox.control("state")["attempts"]
    assert [each["status"] for each in attempts] == [None] * 3
    assert "refused" in attempts[0]["error"]


@pytest.mark.parametrize("url", ["", "webhooks/stripe/", "ftp://127.0.0.1/", "http://"])
def test_address_that_cannot_be_sent_to_is_refused(sandbox: Sandbox, url: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        sandbox.webhook_url = url
