"""Renewals: what a paid, failed or last failed payment does to invoices and subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from donations.sandbox import ApiError, Sandbox

Maker = Callable[..., Any]
DAY = 86_400
UPDATED, DELETED = "customer.subscription.updated", "customer.subscription.deleted"
PAID, FAILED = "invoice.paid", "invoice.payment_failed"


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


JANUARY, FEBRUARY, MARCH, APRIL = (moment(f"2027-0{n}-15T12:00:00") for n in range(1, 5))


@pytest.fixture
def plan(sandbox: Sandbox, open_recurring: Maker) -> str:
    """The id of a subscription of $25.00 each month, a month old, its first events forgotten."""
    sandbox.control("clock", now=JANUARY)
    session = open_recurring(expires_at=None)
    done = sandbox.control(f"sessions/{session.id}/complete", fee=85)
    sandbox.control("clock", now=FEBRUARY)
    id: str = done["subscription"]
    return id


@pytest.fixture
def renew(sandbox: Sandbox, plan: str) -> Maker:
    def run(**how: Any) -> dict[str, Any]:
        return sandbox.control(f"subscriptions/{plan}/renew", **how)

    return run


def events(client: stripe.StripeClient) -> list[str]:
    """The types of the events since the plan is a month old, oldest first."""
    listed = client.v1.events.list({"limit": 100, "created": {"gte": FEBRUARY}}).data
    return [event.type for event in reversed(listed)]


def invoices(client: stripe.StripeClient, plan: str) -> list[Any]:
    """A plan's invoices with their payments, newest first."""
    return list(client.v1.invoices.list({"subscription": plan, "expand": ["data.payments"]}).data)


def test_paid_renewal_moves_the_period_and_makes_an_invoice(
    stripe_client: stripe.StripeClient, plan: str, renew: Maker
) -> None:
    assert renew(result="paid", fee=91)["status"] == "active"
    subscription = stripe_client.v1.subscriptions.retrieve(plan, {"expand": ["latest_invoice"]})
    invoice, first = invoices(stripe_client, plan)
    item = subscription["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (FEBRUARY, MARCH)
    assert subscription.latest_invoice.id == invoice.id
    assert (first.billing_reason, invoice.billing_reason) == (
        "subscription_create",
        "subscription_cycle",
    )
    assert (invoice.status, invoice.amount_due, invoice.amount_paid, invoice.attempt_count) == (
        "paid",
        2500,
        2500,
        1,
    )
    assert invoice.status_transitions.paid_at == FEBRUARY
    assert invoice.parent.subscription_details.to_dict() == {
        "metadata": {"plan": "1"},
        "subscription": plan,
    }
    assert invoice.lines.data[0].period.to_dict() == {"start": FEBRUARY, "end": MARCH}
    assert (invoice.period_start, invoice.period_end) == (JANUARY, FEBRUARY)
    intent = stripe_client.v1.payment_intents.retrieve(
        invoice.payments.data[0].payment.payment_intent,
        {"expand": ["latest_charge.balance_transaction"]},
    )
    charge: Any = intent.latest_charge
    assert (charge.amount, charge.balance_transaction.fee) == (2500, 91)
    assert intent.metadata.to_dict() == charge.metadata.to_dict() == {}
    assert charge.billing_details.email == "ana@example.org"
    assert events(stripe_client) == [UPDATED, PAID, "charge.updated"]


def test_fee_of_a_renewal_may_come_later(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, renew: Maker
) -> None:
    renew(result="paid", fee=91, settle=False)
    assert events(stripe_client) == [UPDATED, PAID]
    charge = sandbox.control("state")["objects"]["charge"][-1]
    sandbox.control(f"charges/{charge['id']}/settle")
    assert [row.fee for row in stripe_client.v1.balance_transactions.list().data] == [91, 85]


def test_payment_leads_back_to_its_invoice_only_through_invoice_payments(
    stripe_client: stripe.StripeClient, plan: str, renew: Maker
) -> None:
    renew(result="paid")
    invoice, first = invoices(stripe_client, plan)
    intent = first.payments.data[0].payment.payment_intent
    found = stripe_client.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": intent}}
    ).data
    assert [(row.invoice, row.amount_paid, row.status) for row in found] == [
        (first.id, 2500, "paid")
    ]
    of_invoice = stripe_client.v1.invoice_payments.list(
        {"invoice": invoice.id, "expand": ["data.payment.payment_intent", "data.invoice"]}
    ).data
    assert of_invoice[0].invoice.id == invoice.id
    assert of_invoice[0].payment.payment_intent.status == "succeeded"


def test_payments_of_an_invoice_are_shown_where_asked_for(
    stripe_client: stripe.StripeClient, plan: str
) -> None:
    id = stripe_client.v1.subscriptions.retrieve(plan).latest_invoice
    assert isinstance(id, str)
    assert "payments" not in stripe_client.v1.invoices.retrieve(id)
    opened: Any = stripe_client.v1.invoices.retrieve(
        id,
        {
            "expand": [
                "payments.data.payment.payment_intent",
                "parent.subscription_details.subscription",
            ]
        },
    )
    assert opened.payments.data[0].payment.payment_intent.amount == 2500
    assert opened.parent.subscription_details.subscription.id == plan


def test_failed_renewal_leaves_an_open_invoice(
    stripe_client: stripe.StripeClient, plan: str, renew: Maker
) -> None:
    assert renew(result="failed")["status"] == "past_due"
    invoice = invoices(stripe_client, plan)[0]
    assert (invoice.status, invoice.amount_paid, invoice.attempt_count, invoice.attempted) == (
        "open",
        0,
        1,
        True,
    )
    assert invoice.next_payment_attempt == FEBRUARY + 3 * DAY
    assert invoice.status_transitions.paid_at is None
    assert invoice.hosted_invoice_url.endswith(f"/c/invoice/{invoice.id}")
    payment = invoice.payments.data[0]
    assert (payment.status, payment.amount_paid) == ("open", None)
    intent = stripe_client.v1.payment_intents.retrieve(payment.payment.payment_intent)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.decline_code == "generic_decline"
    assert events(stripe_client) == [UPDATED, "payment_intent.payment_failed", FAILED, UPDATED]
    told = stripe_client.v1.events.list({"type": UPDATED}).data[0].data
    assert told.object["status"] == "past_due"
    assert told.previous_attributes.to_dict() == {"status": "active"}
    assert len(stripe_client.v1.balance_transactions.list().data) == 1


def test_failing_again_is_the_next_attempt_at_the_same_invoice(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, plan: str, renew: Maker
) -> None:
    renew(result="failed")
    sandbox.control("clock", now=FEBRUARY + 3 * DAY)
    renew(result="failed")
    both = invoices(stripe_client, plan)
    assert [(row.status, row.attempt_count) for row in both] == [("open", 2), ("paid", 1)]
    assert both[0].next_payment_attempt == FEBRUARY + 6 * DAY
    assert len(both[0].payments.data) == 1
    assert events(stripe_client).count(FAILED) == 2
    item = stripe_client.v1.subscriptions.retrieve(plan)["items"].data[0]
    assert item.current_period_end == MARCH


def test_paid_renewal_pays_the_open_invoice(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, plan: str, renew: Maker
) -> None:
    renew(result="failed")
    sandbox.control("clock", now=FEBRUARY + 3 * DAY)
    assert renew(result="paid", fee=99)["status"] == "active"
    both = invoices(stripe_client, plan)
    assert [(row.status, row.attempt_count) for row in both] == [("paid", 2), ("paid", 1)]
    assert both[0].next_payment_attempt is None
    assert both[0].status_transitions.paid_at == FEBRUARY + 3 * DAY
    assert events(stripe_client)[-3:] == [PAID, "charge.updated", UPDATED]
    assert [row.fee for row in stripe_client.v1.balance_transactions.list().data] == [99, 85]
    sandbox.control("clock", now=MARCH)
    renew(result="paid")
    assert len(invoices(stripe_client, plan)) == 3
    item = stripe_client.v1.subscriptions.retrieve(plan)["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (MARCH, APRIL)


@pytest.mark.parametrize("before", [0, 2])
def test_final_failure_ends_the_subscription(
    stripe_client: stripe.StripeClient, plan: str, renew: Maker, before: int
) -> None:
    for _ in range(before):
        renew(result="failed")
    assert renew(result="final_failure")["status"] == "canceled"
    subscription = stripe_client.v1.subscriptions.retrieve(plan)
    invoice = invoices(stripe_client, plan)[0]
    assert (subscription.ended_at, subscription.canceled_at) == (FEBRUARY, FEBRUARY)
    assert subscription.cancellation_details.reason == "payment_failed"
    assert (invoice.status, invoice.attempt_count, invoice.next_payment_attempt) == (
        "open",
        before + 1,
        None,
    )
    assert events(stripe_client)[-2:] == [FAILED, DELETED]
    told = stripe_client.v1.events.list({"type": FAILED}).data[0].data.object
    assert (told["attempt_count"], told["next_payment_attempt"]) == (before + 1, None)
    with pytest.raises(ApiError, match="is canceled"):
        renew(result="paid")


def test_cancellation_stops_the_attempts_at_an_open_invoice(
    stripe_client: stripe.StripeClient, plan: str, renew: Maker
) -> None:
    renew(result="failed")
    stripe_client.v1.subscriptions.cancel(plan)
    invoice = invoices(stripe_client, plan)[0]
    assert (invoice.status, invoice.next_payment_attempt) == ("open", None)


@pytest.mark.parametrize(
    ("behavior", "status", "told"),
    [
        ("void", "void", ["invoice.voided"]),
        ("mark_uncollectible", "uncollectible", ["invoice.marked_uncollectible"]),
        ("keep_as_draft", "draft", []),
    ],
)
def test_paused_subscription_makes_an_invoice_that_nobody_pays(
    stripe_client: stripe.StripeClient,
    plan: str,
    renew: Maker,
    behavior: Any,
    status: str,
    told: list[str],
) -> None:
    stripe_client.v1.subscriptions.update(plan, {"pause_collection": {"behavior": behavior}})
    assert renew(result="paid")["status"] == "active"
    invoice = invoices(stripe_client, plan)[0]
    assert (invoice.status, invoice.attempt_count, invoice.payments.data) == (status, 0, [])
    assert invoice.status_transitions.paid_at is None
    assert events(stripe_client) == [UPDATED, UPDATED, *told]
    assert len(stripe_client.v1.balance_transactions.list().data) == 1
    item = stripe_client.v1.subscriptions.retrieve(plan)["items"].data[0]
    assert item.current_period_end == MARCH


def test_renewal_after_the_pause_is_paid(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, plan: str, renew: Maker
) -> None:
    stripe_client.v1.subscriptions.update(
        plan, {"pause_collection": {"behavior": "void", "resumes_at": FEBRUARY + DAY}}
    )
    renew(result="paid")
    sandbox.control("clock", now=MARCH)
    renew(result="paid")
    assert [row.status for row in invoices(stripe_client, plan)] == ["paid", "void", "paid"]


def test_subscription_that_leaves_ends_with_its_period(
    stripe_client: stripe.StripeClient, plan: str, renew: Maker
) -> None:
    stripe_client.v1.subscriptions.update(plan, {"cancel_at_period_end": True})
    ended = renew(result="paid")
    assert (ended["status"], ended["canceled_at"], ended["ended_at"]) == (
        "canceled",
        FEBRUARY,
        FEBRUARY,
    )
    assert len(invoices(stripe_client, plan)) == 1
    assert events(stripe_client) == [UPDATED, DELETED]


def test_renewals_are_refunded_like_any_payment(
    stripe_client: stripe.StripeClient, plan: str, renew: Maker
) -> None:
    renew(result="paid", fee=85)
    intent = invoices(stripe_client, plan)[0].payments.data[0].payment.payment_intent
    refund = stripe_client.v1.refunds.create({"payment_intent": intent})
    assert (refund.amount, refund.status) == (2500, "succeeded")
    assert invoices(stripe_client, plan)[0].status == "paid"


def test_invoices_are_listed_by_customer_and_status(
    sandbox: Sandbox,
    stripe_client: stripe.StripeClient,
    plan: str,
    renew: Maker,
    open_recurring: Maker,
) -> None:
    sandbox.control(f"sessions/{open_recurring(expires_at=None).id}/complete")
    renew(result="failed")
    mine = [row.id for row in invoices(stripe_client, plan)]
    list_all = stripe_client.v1.invoices.list
    customer = stripe_client.v1.subscriptions.retrieve(plan).customer
    assert isinstance(customer, str)
    assert [row.id for row in list_all({"status": "open"}).data] == mine[:1]
    assert [row.id for row in list_all({"customer": customer}).data] == mine
    assert len(list_all().data) == 3


def test_invoice_keeps_the_metadata_that_the_subscription_had(
    stripe_client: stripe.StripeClient, plan: str, renew: Maker
) -> None:
    stripe_client.v1.subscriptions.update(plan, {"metadata": {"plan": "2"}})
    renew(result="paid")
    kept = [
        row.parent.subscription_details.metadata.to_dict() for row in invoices(stripe_client, plan)
    ]
    assert kept == [{"plan": "2"}, {"plan": "1"}]
