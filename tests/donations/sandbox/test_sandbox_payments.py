"""Payments, fees, refunds, disputes and payouts: what the money does, to the cent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from donations.sandbox import ApiError, Sandbox
from donations.sandbox.books import default_fee

Maker = Callable[..., Any]


def rows(client: stripe.StripeClient, **filters: Any) -> list[tuple[str, int, int, int]]:
    """(category, amount, fee, net) of the balance, oldest first."""
    listed = client.v1.balance_transactions.list({"limit": 100, **filters}).data
    return [(row.reporting_category, row.amount, row.fee, row.net) for row in reversed(listed)]


def event_types(client: stripe.StripeClient) -> list[str]:
    """All event types, oldest first."""
    return [event.type for event in reversed(client.v1.events.list({"limit": 100}).data)]


@pytest.mark.parametrize(
    ("amount", "fee"), [(50, 31), (500, 41), (2500, 85), (5000, 140), (5023, 141), (10256, 256)]
)
def test_default_fee_rounds_half_up(amount: int, fee: int) -> None:
    assert default_fee(amount) == fee


def test_completed_payment_has_intent_charge_and_balance(
    stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    session = pay(fee=175, email="di@example.org", name="Di")
    intent = stripe_client.v1.payment_intents.retrieve(
        session["payment_intent"], {"expand": ["latest_charge.balance_transaction"]}
    )
    charge: Any = intent.latest_charge
    assert (intent.status, intent.amount, intent.amount_received) == ("succeeded", 5000, 5000)
    assert intent.metadata.to_dict() == charge.metadata.to_dict() == {"gift": "1"}
    assert (intent.description, intent.statement_descriptor_suffix) == ("Gift", "GIFT")
    assert (charge.status, charge.paid, charge.refunded, charge.disputed) == (
        "succeeded",
        True,
        False,
        False,
    )
    assert (charge.amount, charge.amount_refunded, charge.livemode) == (5000, 0, False)
    assert charge.payment_method_details.card.last4 == "4242"
    assert charge.outcome.type == "authorized"
    assert charge.billing_details.email == "di@example.org"
    row = charge.balance_transaction
    assert (row.amount, row.fee, row.net, row.type, row.source) == (
        5000,
        175,
        4825,
        "charge",
        charge.id,
    )
    assert [detail.amount for detail in row.fee_details] == [175]
    assert row.exchange_rate is None
    assert event_types(stripe_client) == ["checkout.session.completed", "charge.updated"]


def test_fee_settled_later_announces_itself(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    intent = stripe_client.v1.payment_intents.retrieve(pay(settle=False)["payment_intent"])
    charge_id: Any = intent.latest_charge
    assert stripe_client.v1.charges.retrieve(charge_id).balance_transaction is None
    assert event_types(stripe_client) == ["checkout.session.completed"]
    sandbox.control(f"charges/{charge_id}/settle", fee=133)
    charge: Any = stripe_client.v1.charges.retrieve(charge_id, {"expand": ["balance_transaction"]})
    assert charge.balance_transaction.fee == 133
    event: Any = stripe_client.v1.events.list({"type": "charge.updated"}).data[0]
    assert event.data.object["balance_transaction"] == charge.balance_transaction.id
    assert event.data.previous_attributes.to_dict() == {"balance_transaction": None}
    with pytest.raises(ApiError, match="settled already"):
        sandbox.control(f"charges/{charge_id}/settle", fee=1)


def test_fee_told_at_completion_is_remembered_until_it_settles(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    intent = stripe_client.v1.payment_intents.retrieve(pay(settle=False, fee=155)["payment_intent"])
    sandbox.control(f"charges/{intent.latest_charge}/settle")
    assert rows(stripe_client) == [("charge", 5000, 155, 4845)]


def test_completing_twice_is_refused(sandbox: Sandbox, pay: Maker) -> None:
    session = pay()
    with pytest.raises(ApiError, match="complete, not open"):
        sandbox.control(f"sessions/{session['id']}/complete")


def test_bank_debit_succeeds_days_later(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    session = pay(payment_status="unpaid")
    intent = stripe_client.v1.payment_intents.retrieve(
        session["payment_intent"], {"expand": ["latest_charge"]}
    )
    charge: Any = intent.latest_charge
    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    assert (intent.status, charge.status, charge.paid) == ("processing", "pending", False)
    assert rows(stripe_client) == []
    sandbox.control(f"payments/{intent.id}/async", result="succeeded", fee=40)
    after = stripe_client.v1.checkout.sessions.retrieve(
        session["id"], {"expand": ["payment_intent.latest_charge"]}
    )
    paid: Any = after.payment_intent
    assert (after.payment_status, paid.status, paid.latest_charge.paid) == (
        "paid",
        "succeeded",
        True,
    )
    assert rows(stripe_client, type="payment") == [("charge", 5000, 40, 4960)]
    assert event_types(stripe_client) == [
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "charge.updated",
    ]


def test_bank_debit_fails_days_later(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    session = pay(payment_status="unpaid")
    sandbox.control(f"payments/{session['payment_intent']}/async", result="failed")
    after = stripe_client.v1.checkout.sessions.retrieve(
        session["id"], {"expand": ["payment_intent.latest_charge"]}
    )
    intent: Any = after.payment_intent
    assert (after.payment_status, intent.status, intent.latest_charge.status) == (
        "unpaid",
        "requires_payment_method",
        "failed",
    )
    assert rows(stripe_client) == []
    assert event_types(stripe_client)[1:] == [
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]
    with pytest.raises(ApiError, match="no bank debit is under way"):
        sandbox.control(f"payments/{intent.id}/async", result="succeeded")


def test_refunds_in_part_then_the_rest_then_no_more(
    stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    intent = pay(fee=140)["payment_intent"]
    refunds = stripe_client.v1.refunds
    part = refunds.create(
        {
            "payment_intent": intent,
            "amount": 2000,
            "reason": "requested_by_customer",
            "metadata": {"refund": "r1"},
        }
    )
    assert (part.status, part.amount, part.failure_reason) == ("succeeded", 2000, None)
    assert part.metadata is not None and part.metadata.to_dict() == {"refund": "r1"}
    charge_id: Any = part.charge
    half = stripe_client.v1.charges.retrieve(charge_id)
    assert (half.amount_refunded, half.refunded) == (2000, False)
    with pytest.raises(
        stripe.InvalidRequestError, match="greater than unrefunded amount"
    ) as caught:
        refunds.create({"payment_intent": intent, "amount": 3001})
    assert caught.value.param == "amount"
    rest = refunds.create({"payment_intent": intent})
    assert rest.amount == 3000
    whole: Any = stripe_client.v1.charges.retrieve(charge_id, {"expand": ["refunds"]})
    assert (whole.amount_refunded, whole.refunded) == (5000, True)
    assert [row.id for row in whole.refunds.data] == [rest.id, part.id]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        refunds.create({"payment_intent": intent})
    assert caught.value.code == "charge_already_refunded"
    assert refunds.retrieve(part.id) == part
    assert [row.id for row in refunds.list({"payment_intent": intent}).data] == [rest.id, part.id]
    assert rows(stripe_client) == [
        ("charge", 5000, 140, 4860),
        ("refund", -2000, 0, -2000),
        ("refund", -3000, 0, -3000),
    ]
    assert event_types(stripe_client)[2:] == ["refund.created", "charge.refunded"] * 2


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"charge": "ch_1"}, None),
        ({"payment_intent": "pi_none"}, "payment_intent"),
        ({"reverse_transfer": True}, "reverse_transfer"),
    ],
)
def test_refund_that_breaks_a_rule_is_refused(
    stripe_client: stripe.StripeClient, pay: Maker, params: Any, param: str | None
) -> None:
    intent = pay()["payment_intent"]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.refunds.create({"payment_intent": intent, **params})
    assert caught.value.param == param
    assert stripe_client.v1.refunds.list().data == []


def test_refund_of_an_unpaid_debit_is_refused(
    stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    intent = pay(payment_status="unpaid")["payment_intent"]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.refunds.create({"payment_intent": intent})
    assert caught.value.code == "payment_intent_unexpected_state"


def test_refund_made_in_the_dashboard_fails_later(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    intent = pay(fee=140)["payment_intent"]
    item = sandbox.control(f"payments/{intent}/refund", amount=5000)
    sandbox.control(f"refunds/{item['id']}/fail")
    failed: Any = stripe_client.v1.refunds.retrieve(
        item["id"], {"expand": ["failure_balance_transaction", "charge"]}
    )
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert failed.failure_balance_transaction.amount == 5000
    assert (failed.charge.amount_refunded, failed.charge.refunded) == (0, False)
    assert rows(stripe_client)[1:] == [
        ("refund", -5000, 0, -5000),
        ("refund_failure", 5000, 0, 5000),
    ]
    assert event_types(stripe_client)[-2:] == ["refund.updated", "refund.failed"]
    with pytest.raises(ApiError, match="cannot fail"):
        sandbox.control(f"refunds/{item['id']}/fail")


def test_pending_refund_moves_money_when_it_succeeds(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    intent = pay(fee=140)["payment_intent"]
    item = sandbox.control(f"payments/{intent}/refund", amount=100, pending=True)
    assert (item["status"], item["balance_transaction"]) == ("pending", None)
    assert len(rows(stripe_client)) == 1
    sandbox.control(f"refunds/{item['id']}/succeed")
    assert rows(stripe_client)[1:] == [("refund", -100, 0, -100)]
    assert event_types(stripe_client)[-1] == "refund.updated"


def test_lost_dispute_takes_amount_and_fee(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    intent = pay(fee=140)["payment_intent"]
    opened = sandbox.control(f"payments/{intent}/dispute", fee=1500)
    dispute = stripe_client.v1.disputes.list({"payment_intent": intent}).data[0]
    assert (dispute.id, dispute.status, dispute.amount) == (opened["id"], "needs_response", 5000)
    assert dispute.is_charge_refundable is False
    assert dispute.evidence_details.due_by is not None
    assert dispute.evidence_details.due_by > dispute.created
    assert [row.net for row in dispute.balance_transactions] == [-6500]
    charge_id: Any = dispute.charge
    assert stripe_client.v1.charges.retrieve(charge_id).disputed is True
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.refunds.create({"payment_intent": intent})
    assert caught.value.code == "charge_disputed"
    sandbox.control(f"disputes/{dispute.id}/close", result="lost")
    assert stripe_client.v1.disputes.retrieve(dispute.id).status == "lost"
    assert rows(stripe_client)[1:] == [("dispute", -5000, 1500, -6500)]
    assert event_types(stripe_client)[2:] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    ]
    with pytest.raises(ApiError, match="closed already"):
        sandbox.control(f"disputes/{dispute.id}/close", result="won")


@pytest.mark.parametrize(("returned", "net"), [(0, 5000), (1500, 6500)])
def test_won_dispute_brings_the_amount_back_and_the_fee_only_if_stripe_does(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker, returned: int, net: int
) -> None:
    intent = pay(fee=140)["payment_intent"]
    dispute = sandbox.control(f"payments/{intent}/dispute")
    sandbox.control(f"disputes/{dispute['id']}/close", result="won", fee_returned=returned)
    won = stripe_client.v1.disputes.retrieve(dispute["id"])
    assert (won.status, won.is_charge_refundable) == ("won", True)
    assert [row.net for row in won.balance_transactions] == [-6500, net]
    assert rows(stripe_client)[1:] == [
        ("dispute", -5000, 1500, -6500),
        ("dispute_reversal", 5000, -returned, net),
    ]
    assert event_types(stripe_client)[-2:] == [
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]


def test_inquiry_moves_no_money_until_it_escalates(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    intent = pay(fee=140)["payment_intent"]
    inquiry = sandbox.control(f"payments/{intent}/dispute", inquiry=True)
    assert (inquiry["status"], inquiry["is_charge_refundable"]) == ("warning_needs_response", True)
    assert len(rows(stripe_client)) == 1
    with pytest.raises(ApiError, match="can end as warning_closed"):
        sandbox.control(f"disputes/{inquiry['id']}/close", result="lost")
    escalated = sandbox.control(f"payments/{intent}/dispute", amount=3000, fee=1500)
    assert (escalated["id"], escalated["status"]) == (inquiry["id"], "needs_response")
    assert rows(stripe_client)[1:] == [("dispute", -3000, 1500, -4500)]
    assert event_types(stripe_client)[2:] == [
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
    ]


def test_inquiry_can_rest(sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker) -> None:
    intent = pay()["payment_intent"]
    inquiry = sandbox.control(f"payments/{intent}/dispute", inquiry=True)
    closed = sandbox.control(f"disputes/{inquiry['id']}/close", result="warning_closed")
    assert (closed["status"], closed["balance_transactions"]) == ("warning_closed", [])
    assert stripe_client.v1.refunds.create({"payment_intent": intent}).amount == 5000


def test_payout_of_everything_lists_what_it_paid_out(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    pay(fee=140), pay(fee=160)
    made = sandbox.control("payouts")
    payout = stripe_client.v1.payouts.retrieve(made["id"])
    assert (payout.amount, payout.status, payout.reconciliation_status) == (
        9700,
        "paid",
        "completed",
    )
    assert sorted(rows(stripe_client, payout=payout.id)) == [
        ("charge", 5000, 140, 4860),
        ("charge", 5000, 160, 4840),
        ("payout", -9700, 0, -9700),
    ]
    assert event_types(stripe_client)[-2:] == ["payout.paid", "payout.reconciliation_completed"]
    with pytest.raises(ApiError, match="nothing to pay out"):
        sandbox.control("payouts")


def test_payout_of_the_oldest_gifts_is_automatic_and_of_any_sum_manual(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    pay(fee=140), pay(fee=160)
    first = sandbox.control("payouts", amount=4860)
    assert (first["automatic"], len(rows(stripe_client, payout=first["id"]))) == (True, 2)
    other = sandbox.control("payouts", amount=100)
    assert (other["automatic"], other["reconciliation_status"]) == (False, "not_applicable")
    with pytest.raises(stripe.InvalidRequestError, match="automatic payouts"):
        rows(stripe_client, payout=other["id"])


def test_balance_transactions_are_filtered_by_time_type_and_source(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    sandbox.control("clock", now=1_800_000_000)
    sandbox.control("balance_transactions", type="stripe_fee", amount=-200, currency="usd")
    sandbox.control("clock", now=1_800_000_100)
    sandbox.control("balance_transactions", type="adjustment", amount=700, currency="eur")
    assert rows(stripe_client, type="stripe_fee") == [("fee", -200, 0, -200)]
    assert rows(stripe_client, created={"gte": 1_800_000_100}) == [
        ("other_adjustment", 700, 0, 700)
    ]
    assert rows(stripe_client, created={"gt": 1_800_000_100}) == []
    assert rows(stripe_client, currency="eur") == [("other_adjustment", 700, 0, 700)]
    assert rows(stripe_client, source="ch_none") == []


def test_charge_is_dated_by_the_sandbox_clock_and_available_two_days_later(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker, open_session: Maker
) -> None:
    clock = sandbox.control("clock", now="2026-12-31T23:59:00-07:00")
    assert clock == {"now": 1_798_786_740, "frozen": True}
    session = open_session(expires_at=None)
    sandbox.control(f"sessions/{session.id}/complete")
    row = stripe_client.v1.balance_transactions.list().data[0]
    assert (row.created, row.available_on, row.status) == (
        1_798_786_740,
        1_798_786_740 + 172_800,
        "pending",
    )
    sandbox.control("clock", now=row.available_on)
    assert stripe_client.v1.balance_transactions.retrieve(row.id).status == "available"


def test_events_are_listed_by_type_and_forgotten_after_thirty_days(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, open_session: Maker
) -> None:
    sandbox.control("clock", now=1_800_000_000)
    sandbox.control(f"sessions/{open_session(expires_at=None).id}/complete")

    def listed(**params: Any) -> list[str]:
        return [event.type for event in stripe_client.v1.events.list(params).data]

    assert listed(types=["charge.updated", "payout.paid"]) == ["charge.updated"]
    assert listed(type="checkout.session.*") == ["checkout.session.completed"]
    assert len(listed(created={"gte": 1_800_000_000})) == 2
    assert listed(created={"gte": 1_800_000_001}) == []
    event = stripe_client.v1.events.list().data[0]
    assert (event.api_version, event.livemode) == ("2026-10-28.endive", False)
    assert listed(starting_after=event.id) == ["checkout.session.completed"]
    sandbox.control("clock", now=1_800_000_000 + 30 * 86_400 + 1)
    assert listed() == []
