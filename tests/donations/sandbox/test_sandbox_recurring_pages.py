"""The pages for a failing card, the portal's sessions, and what a site sets up once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from donations.sandbox import Sandbox

Maker = Callable[..., Any]
BACK = "http://127.0.0.1:9/donate/my-gifts/?card=новая"
CARD_FLOW = {"type": "payment_method_update"}
UPDATED, PAID = "customer.subscription.updated", "invoice.paid"


@pytest.fixture
def failing(sandbox: Sandbox, subscribe: Maker) -> dict[str, Any]:
    """A subscription whose second payment failed, as JSON."""
    plan = subscribe()["subscription"]
    return sandbox.control(f"subscriptions/{plan}/renew", result="failed")


def page_of(client: stripe.StripeClient, plan: dict[str, Any]) -> str:
    url = client.v1.invoices.retrieve(plan["latest_invoice"]).hosted_invoice_url
    assert url is not None
    return url


def events_after(client: stripe.StripeClient, count: int) -> list[str]:
    return [event.type for event in reversed(client.v1.events.list({"limit": 100}).data)][count:]


def count_events(client: stripe.StripeClient) -> int:
    return len(client.v1.events.list({"limit": 100}).data)


def test_open_invoice_is_paid_on_its_page_once(
    sandbox: Sandbox,
    stripe_client: stripe.StripeClient,
    failing: dict[str, Any],
    http: requests.Session,
) -> None:
    url = page_of(stripe_client, failing)
    shown = http.get(url)
    assert shown.status_code == 200
    assert "This is the test page. No card is charged." in shown.text
    assert "Pay $25.00 with another test card" in shown.text
    assert "<script" not in shown.text and "style=" not in shown.text
    before = count_events(stripe_client)
    for _ in range(2):
        assert "This payment is complete." in http.post(url).text
    invoice = stripe_client.v1.invoices.retrieve(failing["latest_invoice"])
    assert (invoice.status, invoice.amount_paid, invoice.attempt_count) == ("paid", 2500, 1)
    assert stripe_client.v1.subscriptions.retrieve(failing["id"]).status == "active"
    assert events_after(stripe_client, before) == [PAID, "charge.updated", UPDATED]
    charges = sandbox.control("state")["objects"]["charge"]
    assert [(row["status"], row["payment_method_details"]["card"]["last4"]) for row in charges] == [
        ("succeeded", "4242"),
        ("failed", "4242"),
        ("succeeded", "4444"),
    ]


def test_invoice_of_an_ended_subscription_is_paid_without_reviving_it(
    sandbox: Sandbox,
    stripe_client: stripe.StripeClient,
    failing: dict[str, Any],
    http: requests.Session,
) -> None:
    sandbox.control(f"subscriptions/{failing['id']}/renew", result="final_failure")
    before = count_events(stripe_client)
    http.post(page_of(stripe_client, failing))
    assert events_after(stripe_client, before) == [PAID, "charge.updated"]
    assert stripe_client.v1.invoices.retrieve(failing["latest_invoice"]).status == "paid"
    assert stripe_client.v1.subscriptions.retrieve(failing["id"]).status == "canceled"


def test_page_of_a_voided_invoice_takes_nothing(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, subscribe: Maker, http: requests.Session
) -> None:
    plan = subscribe()["subscription"]
    stripe_client.v1.subscriptions.update(plan, {"pause_collection": {"behavior": "void"}})
    url = page_of(stripe_client, sandbox.control(f"subscriptions/{plan}/renew"))
    assert "There is nothing to do here." in http.post(url).text
    assert len(sandbox.control("state")["objects"]["charge"]) == 1


@pytest.mark.parametrize("path", ["/c/invoice/in_none", "/c/portal/bps_none"])
def test_unknown_page_is_404(sandbox: Sandbox, http: requests.Session, path: str) -> None:
    assert http.get(sandbox.base_url + path).status_code == 404
    assert http.post(sandbox.base_url + path).status_code == 404


def test_portal_replaces_the_card_and_goes_back(
    sandbox: Sandbox,
    stripe_client: stripe.StripeClient,
    failing: dict[str, Any],
    http: requests.Session,
) -> None:
    session = stripe_client.v1.billing_portal.sessions.create(
        {
            "customer": failing["customer"],
            "return_url": BACK,
            "flow_data": {"type": "payment_method_update"},
        }
    )
    assert (session.customer, session.return_url, session.livemode) == (
        failing["customer"],
        BACK,
        False,
    )
    assert session.flow is not None and session.flow.type == "payment_method_update"
    shown = http.get(session.url)
    assert "card ending in 4242" in shown.text
    assert "$25.00 each month" in shown.text
    assert "The last payment failed." in shown.text
    assert "form-action 'self' http://127.0.0.1:9;" in shown.headers["Content-Security-Policy"]
    before = count_events(stripe_client)
    reply = http.post(session.url, allow_redirects=False)
    assert reply.status_code == 303
    assert reply.headers["Location"] == (
        "http://127.0.0.1:9/donate/my-gifts/?card=%D0%BD%D0%BE%D0%B2%D0%B0%D1%8F"
    )
    assert events_after(stripe_client, before) == [PAID, "charge.updated", UPDATED]
    plan = stripe_client.v1.subscriptions.retrieve(failing["id"], {"expand": ["latest_invoice"]})
    customer: Any = stripe_client.v1.customers.retrieve(failing["customer"])
    assert plan.status == "active"
    assert plan.latest_invoice.status == "paid"
    assert plan.default_payment_method != failing["default_payment_method"]
    assert plan.default_payment_method == customer.invoice_settings.default_payment_method
    assert "card ending in 4444" in http.get(session.url).text
    sandbox.control(f"subscriptions/{plan.id}/renew", result="paid")
    charge = sandbox.control("state")["objects"]["charge"][-1]
    assert charge["payment_method_details"]["card"]["last4"] == "4444"


def test_portal_leaves_ended_subscriptions_alone(
    stripe_client: stripe.StripeClient, failing: dict[str, Any], http: requests.Session
) -> None:
    stripe_client.v1.subscriptions.cancel(failing["id"])
    session = stripe_client.v1.billing_portal.sessions.create(
        {"customer": failing["customer"], "return_url": BACK}
    )
    assert "each month" not in http.get(session.url).text
    http.post(session.url, allow_redirects=False)
    assert stripe_client.v1.invoices.retrieve(failing["latest_invoice"]).status == "open"


def test_portal_without_a_way_back_says_so(
    stripe_client: stripe.StripeClient, failing: dict[str, Any], http: requests.Session
) -> None:
    session = stripe_client.v1.billing_portal.sessions.create({"customer": failing["customer"]})
    assert "The new card will be used from now on." in http.post(session.url).text


def test_portal_goes_where_the_flow_says(
    stripe_client: stripe.StripeClient, failing: dict[str, Any], http: requests.Session
) -> None:
    session = stripe_client.v1.billing_portal.sessions.create(
        {
            "customer": failing["customer"],
            "return_url": BACK,
            "flow_data": {
                "type": "payment_method_update",
                "after_completion": {
                    "type": "redirect",
                    "redirect": {"return_url": "http://127.0.0.1:9/done/"},
                },
            },
        }
    )
    reply = http.post(session.url, allow_redirects=False)
    assert reply.headers["Location"] == "http://127.0.0.1:9/done/"


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"customer": None}, "customer"),
        ({"customer": "cus_none"}, "customer"),
        ({"configuration": "bpc_none"}, "configuration"),
        ({"return_url": "/my-gifts/"}, "return_url"),
        ({"flow_data": {"type": "subscription_cancel"}}, "flow_data[type]"),
        (
            {
                "flow_data": {
                    "type": "payment_method_update",
                    "after_completion": {"type": "redirect"},
                }
            },
            "flow_data[after_completion][redirect]",
        ),
        ({"on_behalf_of": "acct_1"}, "on_behalf_of"),
    ],
)
def test_portal_session_that_breaks_a_rule_is_refused(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, changes: dict[str, Any], param: str
) -> None:
    customer = stripe_client.v1.customers.create({"email": "ana@example.org"})
    params = {"customer": customer.id, "return_url": BACK, **changes}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.billing_portal.sessions.create(
            {name: value for name, value in params.items() if value is not None}
        )
    assert (caught.value.http_status, caught.value.param) == (400, param)
    assert list(sandbox.control("state")["objects"]) == ["customer"]


def test_portal_uses_the_configuration_that_it_is_given(
    stripe_client: stripe.StripeClient,
) -> None:
    customer = stripe_client.v1.customers.create({"email": "ana@example.org"})
    configurations = stripe_client.v1.billing_portal.configurations
    card = configurations.create(
        {
            "features": {"payment_method_update": {"enabled": True}},
            "default_return_url": BACK,
            "metadata": {"site": "1"},
        }
    )
    assert (card.is_default, card.features.payment_method_update.enabled) == (False, True)
    assert card.features.subscription_cancel.enabled is False
    create = stripe_client.v1.billing_portal.sessions.create
    session = create({"customer": customer.id, "configuration": card.id})
    assert (session.configuration, session.return_url) == (card.id, BACK)
    bare = configurations.create({"features": {"invoice_history": {"enabled": True}}})
    with pytest.raises(stripe.InvalidRequestError, match="does not let customers update"):
        create(
            {
                "customer": customer.id,
                "configuration": bare.id,
                "flow_data": {"type": "payment_method_update"},
            }
        )
    first, second = (create({"customer": customer.id}).configuration for _ in range(2))
    assert first == second
    assert [row.id for row in configurations.list({"is_default": True}).data] == [first]


def test_webhook_endpoint_is_registered_with_the_pinned_version(
    stripe_client: stripe.StripeClient,
) -> None:
    endpoints = stripe_client.v1.webhook_endpoints
    made = endpoints.create(
        {
            "url": "https://example.org/webhooks/stripe/",
            "enabled_events": ["invoice.paid", "charge.updated"],
            "api_version": "2026-10-28.endive",
        }
    )
    assert (made.url, made.enabled_events, made.api_version, made.status) == (
        "https://example.org/webhooks/stripe/",
        ["invoice.paid", "charge.updated"],
        "2026-10-28.endive",
        "enabled",
    )
    assert made.secret is not None and made.secret.startswith("whsec_")
    assert [row.id for row in endpoints.list().data] == [made.id]
    assert "secret" not in endpoints.retrieve(made.id)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"api_version": "2024-06-20"}, "api_version"),
        ({"url": "example.org"}, "url"),
        ({"enabled_events": ["invoice.payed"]}, "enabled_events[0]"),
    ],
)
def test_wrong_webhook_endpoint_is_refused(
    stripe_client: stripe.StripeClient, changes: Any, param: str
) -> None:
    params = {"url": "https://example.org/", "enabled_events": ["*"], **changes}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.webhook_endpoints.create(params)
    assert caught.value.param == param


def kept_in(file: Path) -> Sandbox:
    return Sandbox(
        secret_key="sk_test_sandbox", webhook_secret="whsec_sandbox", debug=True, state_file=file
    )


def test_restart_keeps_subscriptions_and_moves_their_pages(
    tmp_path: Path, connect: Maker, recurring_params: Maker
) -> None:
    first = kept_in(tmp_path / "sandbox.json")
    first.start()
    client = connect(first)
    ids = [client.v1.checkout.sessions.create(recurring_params()).id for _ in range(2)]
    plan, ended = (first.control(f"sessions/{id}/complete")["subscription"] for id in ids)
    first.control(f"subscriptions/{plan}/renew", result="failed")
    customer = client.v1.subscriptions.retrieve(plan).customer
    way_in = client.v1.billing_portal.sessions.create({"customer": customer})
    client.v1.subscriptions.cancel(ended)
    first.stop()

    second = kept_in(tmp_path / "sandbox.json")
    second.start()
    try:
        base = second.base_url
        client = connect(second)
        assert client.v1.subscriptions.retrieve(ended).status == "canceled"
        renewed = second.control(f"subscriptions/{plan}/renew", result="paid")
        assert renewed["status"] == "active"
        invoice = client.v1.invoices.retrieve(renewed["latest_invoice"])
        assert invoice.hosted_invoice_url == f"{base}/c/invoice/{invoice.id}"
        portals = second.control("state")["objects"]["billing_portal.session"]
        assert [row["url"] for row in portals] == [f"{base}/c/portal/{way_in.id}"]
    finally:
        second.stop()


def test_fraud_warning_is_actionable_until_the_gift_is_refunded(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    intent = pay()["payment_intent"]
    charge = stripe_client.v1.payment_intents.retrieve(intent).latest_charge
    made = sandbox.control(f"charges/{charge}/fraud_warning")
    warnings = stripe_client.v1.radar.early_fraud_warnings
    warning = warnings.retrieve(made["id"], {"expand": ["charge"]})
    assert (warning.actionable, warning.fraud_type, warning.payment_intent) == (
        True,
        "made_with_stolen_card",
        intent,
    )
    assert warning.charge.id == charge
    event = stripe_client.v1.events.list({"type": "radar.early_fraud_warning.created"}).data[0]
    assert event.data.object["id"] == made["id"]
    assert [row.id for row in warnings.list({"payment_intent": intent}).data] == [made["id"]]
    assert warnings.list({"payment_intent": "pi_none"}).data == []
    stripe_client.v1.refunds.create({"payment_intent": intent, "amount": 100})
    assert warnings.retrieve(made["id"]).actionable is True
    stripe_client.v1.refunds.create({"payment_intent": intent})
    assert warnings.retrieve(made["id"]).actionable is False


def test_fraud_warning_needs_a_paid_charge_and_comes_once(
    sandbox: Sandbox, open_session: Maker, pay: Maker, http: requests.Session
) -> None:
    sandbox.control(f"sessions/{open_session().id}/decline")
    pay()
    failed, paid = sandbox.control("state")["objects"]["charge"]
    base = f"{sandbox.base_url}/_sandbox/charges"
    assert http.post(f"{base}/{failed['id']}/fraud_warning").status_code == 400
    assert http.post(f"{base}/{paid['id']}/fraud_warning").status_code == 200
    assert http.post(f"{base}/{paid['id']}/fraud_warning").status_code == 400
