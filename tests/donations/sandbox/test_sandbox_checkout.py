"""Checkout Sessions: creation, its rules, expiry, and the hosted page as a browser sees it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from donations.sandbox import Sandbox

Maker = Callable[..., Any]
NOW = 1_800_000_000


def line(**price: Any) -> list[dict[str, Any]]:
    data = {"currency": "usd", "unit_amount": 5000, "product_data": {"name": "Gift"}, **price}
    return [{"price_data": {k: v for k, v in data.items() if v is not None}, "quantity": 1}]


def test_created_session_reads_back(
    stripe_client: stripe.StripeClient, open_session: Maker
) -> None:
    before = int(time.time())
    session = open_session()
    assert stripe_client.v1.checkout.sessions.retrieve(session.id) == session
    assert session.to_dict() == {
        **session.to_dict(),
        "object": "checkout.session",
        "livemode": False,
        "mode": "payment",
        "status": "open",
        "payment_status": "unpaid",
        "amount_total": 5000,
        "currency": "usd",
        "customer": None,
        "customer_details": None,
        "customer_email": "ana@example.org",
        "payment_intent": None,
        "subscription": None,
        "invoice": None,
        "client_reference_id": "gift-1",
        "metadata": {"gift": "1"},
        "submit_type": "donate",
        "adaptive_pricing": {"enabled": False},
        "allowed_payment_method_types": ["card", "link"],
    }
    assert session.id.startswith("cs_test_")
    assert before <= session.created <= time.time()
    assert session.url.endswith(f"/c/pay/{session.id}")
    assert "_sandbox" not in session


def test_removed_payment_method_types_is_refused(open_session: Maker) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        open_session(payment_method_types=["card"])
    assert (caught.value.http_status, caught.value.code) == (400, "parameter_unknown")
    assert caught.value.param == "payment_method_types"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"mode": None}, "mode"),
        ({"mode": "setup", "payment_intent_data": None}, "mode"),
        ({"mode": "subscription"}, "payment_intent_data"),
        ({"subscription_data": {"metadata": {"a": "b"}}}, "subscription_data"),
        ({"ui_mode": "elements"}, "ui_mode"),
        ({"success_url": None}, "success_url"),
        ({"success_url": "/thanks/"}, "success_url"),
        ({"cancel_url": "javascript:alert(1)"}, "cancel_url"),
        ({"customer_email": "ana"}, "customer_email"),
        ({"customer": "cus_1"}, "customer"),
        ({"customer": "cus_1", "customer_email": None}, "customer"),
        ({"client_reference_id": "x" * 201}, "client_reference_id"),
        ({"line_items": None}, "line_items"),
        ({"line_items": line(unit_amount=49)}, "line_items"),
        ({"line_items": line(unit_amount=0)}, "line_items[0][price_data][unit_amount]"),
        ({"line_items": line(unit_amount=-500)}, "line_items[0][price_data][unit_amount]"),
        ({"line_items": line(unit_amount=100_000_000)}, "line_items"),
        ({"line_items": line(currency="xau")}, "line_items[0][price_data][currency]"),
        ({"line_items": line() + line(currency="eur")}, "line_items"),
        ({"line_items": line(recurring={"interval": "month"})}, "mode"),
        ({"line_items": line(product_data=None)}, "line_items[0][price_data][product_data]"),
        ({"line_items": line(product="prod_1")}, "line_items[0][price_data][product]"),
        (
            {"line_items": line(product="prod_1", product_data=None)},
            "line_items[0][price_data][product]",
        ),
        ({"line_items": [{"price_data": line()[0]["price_data"]}]}, "line_items[0][quantity]"),
        ({"line_items": [{"price": "price_1", "quantity": 1}]}, "line_items[0][price]"),
        ({"metadata": {"k" * 41: "v"}}, "metadata[" + "k" * 41 + "]"),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]"),
        ({"metadata": {str(n): "v" for n in range(51)}}, "metadata"),
        (
            {"payment_intent_data": {"statement_descriptor_suffix": "2026"}},
            "payment_intent_data[statement_descriptor_suffix]",
        ),
        (
            {"payment_intent_data": {"capture_method": "manual"}},
            "payment_intent_data[capture_method]",
        ),
    ],
)
def test_session_that_breaks_a_rule_is_refused(
    sandbox: Sandbox, open_session: Maker, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        open_session(**changes)
    assert (caught.value.http_status, caught.value.param) == (400, param)
    assert sandbox.control("state")["objects"] == {}


@pytest.mark.parametrize(
    ("ahead", "is_taken"), [(1799, False), (1800, True), (86_400, True), (86_401, False)]
)
def test_expiry_is_half_an_hour_to_a_day_ahead(
    sandbox: Sandbox, open_session: Maker, ahead: int, is_taken: bool
) -> None:
    sandbox.control("clock", now=NOW)
    if is_taken:
        assert open_session(expires_at=NOW + ahead).expires_at == NOW + ahead
    else:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            open_session(expires_at=NOW + ahead)
        assert caught.value.param == "expires_at"


def test_session_expires_by_itself(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, open_session: Maker
) -> None:
    sandbox.control("clock", now=NOW)
    session = open_session(expires_at=NOW + 1800)
    sandbox.control("clock", now=NOW + 1799)
    assert stripe_client.v1.checkout.sessions.retrieve(session.id).status == "open"
    sandbox.control("clock", now=NOW + 1800)
    expired = stripe_client.v1.checkout.sessions.retrieve(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    events = stripe_client.v1.events.list({"types": ["checkout.session.expired"]}).data
    assert [event.data.object["id"] for event in events] == [session.id]


def test_expire_ends_an_open_session_only(
    stripe_client: stripe.StripeClient, open_session: Maker
) -> None:
    session = open_session()
    assert stripe_client.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError):
        stripe_client.v1.checkout.sessions.expire(session.id)


def test_sessions_are_listed_by_payment_and_status(
    stripe_client: stripe.StripeClient, open_session: Maker, pay: Maker
) -> None:
    waiting, paid = open_session(), pay()
    sessions = stripe_client.v1.checkout.sessions
    by_payment = sessions.list({"payment_intent": paid["payment_intent"]}).data
    assert [row.id for row in by_payment] == [paid["id"]]
    assert [row.id for row in sessions.list({"status": "open"}).data] == [waiting.id]
    assert sessions.list({"subscription": "sub_1"}).data == []


def test_session_of_a_customer(
    stripe_client: stripe.StripeClient, sandbox: Sandbox, open_session: Maker
) -> None:
    customer = stripe_client.v1.customers.create(
        {"email": "bo@example.org", "name": "Bo", "metadata": {"donor": "7", "gone": ""}}
    )
    assert customer.to_dict()["metadata"] == {"donor": "7"}
    session = open_session(customer=customer.id, customer_email=None)
    done = sandbox.control(f"sessions/{session.id}/complete")
    intent = stripe_client.v1.payment_intents.retrieve(done["payment_intent"])
    assert (done["customer"], intent.customer) == (customer.id, customer.id)
    assert (done["customer_details"]["email"], done["customer_details"]["name"]) == (
        "bo@example.org",
        "Bo",
    )


def test_page_shows_the_gift_and_says_that_it_is_a_test(
    open_session: Maker, http: requests.Session
) -> None:
    lines = line(product_data={"name": "<b>Gift</b> & more", "description": "Қызылорда 锦州"})
    page = http.get(open_session(line_items=lines).url)
    assert page.status_code == 200
    assert "This is the test page. No card is charged." in page.text
    assert "Give $50.00 with a test card" in page.text
    assert "&lt;b&gt;Gift&lt;/b&gt; &amp; more" in page.text
    assert "Қызылорда 锦州" in page.text
    assert 'value="ana@example.org"' in page.text
    assert 'href="http://127.0.0.1:9/donate/"' in page.text
    assert page.headers["Content-Security-Policy"] == (
        "default-src 'self'; form-action 'self' http://127.0.0.1:9; base-uri 'none'; "
        "object-src 'none'; frame-ancestors 'none'"
    )
    assert "<script" not in page.text and "style=" not in page.text


def test_page_has_its_own_style_sheet(sandbox: Sandbox, http: requests.Session) -> None:
    sheet = http.get(f"{sandbox.base_url}/c/style.css")
    assert sheet.headers["Content-Type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in sheet.text


def test_paying_on_the_page_completes_and_returns_to_the_site(
    stripe_client: stripe.StripeClient, open_session: Maker, http: requests.Session
) -> None:
    session = open_session()
    form = {"email": "cy@example.org", "name": "Cy", "card": "good"}
    reply = http.post(session.url, form, allow_redirects=False)
    assert (reply.status_code, reply.headers["Location"]) == (
        303,
        f"http://127.0.0.1:9/thanks/?s={session.id}",
    )
    paid = stripe_client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge.balance_transaction"]}
    )
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert (paid.customer_details.email, paid.customer_details.name) == ("cy@example.org", "Cy")
    assert paid.payment_intent.latest_charge.balance_transaction.fee == 140


def test_paying_twice_on_the_page_pays_once(
    sandbox: Sandbox, open_session: Maker, http: requests.Session
) -> None:
    session = open_session()
    form = {"email": "cy@example.org", "card": "good"}
    replies = [http.post(session.url, form, allow_redirects=False) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [303, 303]
    assert len(sandbox.control("state")["objects"]["charge"]) == 1


def test_declined_card_shows_an_error_and_stays(
    sandbox: Sandbox,
    stripe_client: stripe.StripeClient,
    open_session: Maker,
    http: requests.Session,
) -> None:
    session = open_session()
    form = {"email": "cy@example.org", "card": "declined"}
    reply = http.post(session.url, form, allow_redirects=False)
    assert reply.status_code == 200
    assert "The card was declined." in reply.text
    assert 'value="cy@example.org"' in reply.text
    still = stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (still.status, still.payment_status) == ("open", "unpaid")
    assert still.payment_intent.status == "requires_payment_method"
    assert still.payment_intent.last_payment_error.code == "card_declined"
    assert still.payment_intent.last_payment_error.decline_code == "generic_decline"
    assert (
        sandbox.control("state")["objects"]["event"][0]["type"] == "payment_intent.payment_failed"
    )
    http.post(session.url, {**form, "card": "good"}, allow_redirects=False)
    paid = stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert paid.payment_intent.id == still.payment_intent.id
    assert (paid.status, paid.payment_intent.status) == ("complete", "succeeded")
    assert paid.payment_intent.last_payment_error is None


def test_bad_email_on_the_page_is_said_beside_the_field(
    sandbox: Sandbox, open_session: Maker, http: requests.Session
) -> None:
    session = open_session()
    reply = http.post(session.url, {"email": "cy@", "card": "good"}, allow_redirects=False)
    assert reply.status_code == 200
    assert 'aria-describedby="email-error"' in reply.text
    assert "Enter an email address" in reply.text
    assert "charge" not in sandbox.control("state")["objects"]


def test_page_says_so_after_completion_expiry_and_for_unknown_ids(
    sandbox: Sandbox, open_session: Maker, http: requests.Session
) -> None:
    done, gone = open_session(), open_session()
    sandbox.control(f"sessions/{done.id}/complete")
    sandbox.control(f"sessions/{gone.id}/expire")
    assert "This payment is complete." in http.get(done.url).text
    assert "This payment page has expired." in http.get(gone.url).text
    late = http.post(gone.url, {"email": "cy@example.org", "card": "good"}, allow_redirects=False)
    assert (late.status_code, late.text) == (200, http.get(gone.url).text)
    assert http.get(f"{sandbox.base_url}/c/pay/cs_test_none").status_code == 404
    assert len(sandbox.control("state")["objects"]["charge"]) == 1
