"""Subscriptions: how they begin at Checkout and change through the API, by the real library."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import stripe

from donations.sandbox import ApiError, Sandbox
from donations.sandbox.subscriptions import period_end

Maker = Callable[..., Any]
DAY = 86_400


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


JANUARY = moment("2027-01-31T12:00:00")


def price(**changes: Any) -> list[dict[str, Any]]:
    data = {
        "currency": "usd",
        "unit_amount": 2500,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Monthly gift"},
        **changes,
    }
    return [{"price_data": {k: v for k, v in data.items() if v is not None}, "quantity": 1}]


def events(client: stripe.StripeClient) -> list[str]:
    """All event types, oldest first."""
    return [event.type for event in reversed(client.v1.events.list({"limit": 100}).data)]


def last_event(client: stripe.StripeClient, type: str) -> Any:
    return client.v1.events.list({"type": type}).data[0].data


@pytest.fixture
def plan(sandbox: Sandbox, stripe_client: stripe.StripeClient, open_recurring: Maker) -> Any:
    """A subscription of $25.00 each month that began on 31 January 2027 at noon UTC."""
    sandbox.control("clock", now=JANUARY)
    session = open_recurring(expires_at=None)
    done = sandbox.control(f"sessions/{session.id}/complete", fee=85)
    return stripe_client.v1.subscriptions.retrieve(done["subscription"])


def new_price(plan: Any, **changes: Any) -> dict[str, Any]:
    """What a site sends to change the amount of a subscription."""
    item = plan["items"].data[0]
    data = {
        "currency": "usd",
        "product": item.price.product,
        "unit_amount": 4000,
        "recurring": {"interval": "month"},
        **changes,
    }
    return {"items": [{"id": item.id, "price_data": data}], "proration_behavior": "none"}


def test_open_session_in_subscription_mode_has_no_subscription_yet(open_recurring: Maker) -> None:
    session = open_recurring()
    assert (session.mode, session.status, session.payment_status) == (
        "subscription",
        "open",
        "unpaid",
    )
    assert (session.amount_total, session.submit_type) == (2500, "donate")
    assert (session.subscription, session.invoice, session.payment_intent) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"payment_intent_data": {"metadata": {"a": "b"}}}, "payment_intent_data"),
        ({"customer_creation": "always"}, "customer_creation"),
        ({"line_items": price(recurring=None)}, "mode"),
        ({"line_items": price() + price()}, "line_items"),
        ({"line_items": price(unit_amount=49)}, "line_items"),
        ({"line_items": price(product="prod_1")}, "line_items[0][price_data][product]"),
        (
            {"line_items": price(recurring={"interval": "month", "interval_count": 37})},
            "line_items[0][price_data][recurring][interval_count]",
        ),
        (
            {"line_items": price(recurring={"interval": "month", "interval_count": 0})},
            "line_items[0][price_data][recurring][interval_count]",
        ),
        ({"subscription_data": {"trial_period_days": 7}}, "subscription_data[trial_period_days]"),
        ({"subscription_data": {"metadata": {"k": "v" * 501}}}, "subscription_data[metadata][k]"),
    ],
)
def test_recurring_session_that_breaks_a_rule_is_refused(
    sandbox: Sandbox, open_recurring: Maker, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        open_recurring(**changes)
    assert (caught.value.http_status, caught.value.param) == (400, param)
    assert sandbox.control("state")["objects"] == {}


def test_completion_makes_everything_that_stripe_makes(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, open_recurring: Maker
) -> None:
    sandbox.control("clock", now=JANUARY)
    id = open_recurring(expires_at=None).id
    sandbox.control(f"sessions/{id}/complete", fee=85, email="di@example.org", name="Di")
    session = stripe_client.v1.checkout.sessions.retrieve(
        id, {"expand": ["customer", "subscription", "invoice.payments"]}
    )
    customer: Any = session.customer
    plan: Any = session.subscription
    invoice: Any = session.invoice
    assert (session.status, session.payment_status, session.payment_intent, session.url) == (
        "complete",
        "paid",
        None,
        None,
    )
    assert (customer.email, customer.name) == ("di@example.org", "Di")
    item = plan["items"].data[0]
    assert (plan.status, plan.customer, plan.latest_invoice, plan.metadata.to_dict()) == (
        "active",
        customer.id,
        invoice.id,
        {"plan": "1"},
    )
    assert (item.current_period_start, item.current_period_end) == (
        JANUARY,
        moment("2027-02-28T12:00:00"),
    )
    assert (item.price.unit_amount, item.price.currency, item.quantity) == (2500, "usd", 1)
    assert (item.price.recurring.interval, item.price.recurring.interval_count) == ("month", 1)
    assert stripe_client.v1.products.retrieve(item.price.product).name == "Monthly gift"
    assert (invoice.status, invoice.billing_reason, invoice.attempt_count) == (
        "paid",
        "subscription_create",
        1,
    )
    assert (invoice.amount_due, invoice.amount_paid, invoice.currency, invoice.livemode) == (
        2500,
        2500,
        "usd",
        False,
    )
    assert invoice.parent.to_dict() == {
        "quote_details": None,
        "subscription_details": {"metadata": {"plan": "1"}, "subscription": plan.id},
        "type": "subscription_details",
    }
    assert (invoice.status_transitions.paid_at, invoice.created) == (JANUARY, JANUARY)
    assert invoice.next_payment_attempt is None
    payment = invoice.payments.data[0]
    assert (payment.status, payment.amount_paid, payment.payment.type) == (
        "paid",
        2500,
        "payment_intent",
    )
    intent = stripe_client.v1.payment_intents.retrieve(
        payment.payment.payment_intent, {"expand": ["latest_charge.balance_transaction"]}
    )
    charge: Any = intent.latest_charge
    assert intent.metadata.to_dict() == charge.metadata.to_dict() == {}
    assert (intent.status, intent.customer, charge.status) == (
        "succeeded",
        customer.id,
        "succeeded",
    )
    assert charge.billing_details.email == "di@example.org"
    assert (charge.balance_transaction.amount, charge.balance_transaction.fee) == (2500, 85)
    assert events(stripe_client) == [
        "checkout.session.completed",
        "customer.subscription.created",
        "invoice.paid",
        "charge.updated",
    ]
    told = last_event(stripe_client, "checkout.session.completed").object
    assert (told["subscription"], told["invoice"], told["payment_status"]) == (
        plan.id,
        invoice.id,
        "paid",
    )


def test_fee_of_the_first_payment_may_come_later(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, subscribe: Maker
) -> None:
    subscribe(fee=77, settle=False)
    charge = sandbox.control("state")["objects"]["charge"][0]
    assert charge["balance_transaction"] is None
    assert "charge.updated" not in events(stripe_client)
    sandbox.control(f"charges/{charge['id']}/settle")
    assert [row.fee for row in stripe_client.v1.balance_transactions.list().data] == [77]


def test_session_of_a_known_customer_makes_no_second_one(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, open_recurring: Maker
) -> None:
    customer = stripe_client.v1.customers.create({"email": "bo@example.org", "name": "Bo"})
    session = open_recurring(customer=customer.id, customer_email=None)
    done = sandbox.control(f"sessions/{session.id}/complete")
    assert done["customer"] == customer.id
    assert [row.id for row in stripe_client.v1.customers.list().data] == [customer.id]


def test_product_made_before_is_used(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, open_recurring: Maker, http: Any
) -> None:
    product = stripe_client.v1.products.create({"name": "Recurring gift", "metadata": {"a": "b"}})
    session = open_recurring(line_items=price(product=product.id, product_data=None))
    assert "Recurring gift" in http.get(session.url).text
    done = sandbox.control(f"sessions/{session.id}/complete")
    plan = stripe_client.v1.subscriptions.retrieve(done["subscription"])
    assert plan["items"].data[0].price.product == product.id
    assert [row.id for row in stripe_client.v1.products.list().data] == [product.id]


def test_bank_debit_for_a_subscription_is_refused_in_words(
    sandbox: Sandbox, open_recurring: Maker
) -> None:
    session = open_recurring()
    with pytest.raises(ApiError, match="does not speak a subscription by bank debit"):
        sandbox.control(f"sessions/{session.id}/complete", payment_status="unpaid")
    assert list(sandbox.control("state")["objects"]) == ["checkout.session"]


def test_declined_card_leaves_the_session_open_without_a_subscription(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, open_recurring: Maker
) -> None:
    session = open_recurring()
    sandbox.control(f"sessions/{session.id}/decline", decline_code="insufficient_funds")
    still = stripe_client.v1.checkout.sessions.retrieve(session.id)
    assert (still.status, still.payment_intent, still.subscription) == ("open", None, None)
    assert stripe_client.v1.subscriptions.list({"status": "all"}).data == []
    assert events(stripe_client) == ["payment_intent.payment_failed"]
    sandbox.control(f"sessions/{session.id}/complete")
    state = sandbox.control("state")["objects"]
    assert [row["status"] for row in state["payment_intent"]] == ["succeeded"]
    assert [row["status"] for row in state["charge"]] == ["failed", "succeeded"]


def test_session_that_expires_after_a_decline_cancels_its_payment(
    sandbox: Sandbox, open_recurring: Maker
) -> None:
    session = open_recurring()
    sandbox.control(f"sessions/{session.id}/decline")
    sandbox.control(f"sessions/{session.id}/expire")
    assert sandbox.control("state")["objects"]["payment_intent"][0]["status"] == "canceled"


@pytest.mark.parametrize(
    ("recurring", "words"),
    [
        ({"interval": "month"}, "$25.00 each month"),
        ({"interval": "year"}, "$25.00 each year"),
        ({"interval": "month", "interval_count": 3}, "$25.00 every 3 months"),
    ],
)
def test_page_says_what_is_charged_how_often(
    open_recurring: Maker, http: requests.Session, recurring: dict[str, Any], words: str
) -> None:
    page = http.get(open_recurring(line_items=price(recurring=recurring)).url).text
    assert f"<h1>Give {words}</h1>" in page
    assert f"Give {words} with a test card" in page
    assert f"The card pays $25.00 now and then {words}, until you cancel." in page


def test_page_of_a_single_gift_says_nothing_of_that(
    open_session: Maker, http: requests.Session
) -> None:
    assert "until you cancel" not in http.get(open_session().url).text


def test_paying_on_the_page_begins_the_subscription(
    stripe_client: stripe.StripeClient, open_recurring: Maker, http: requests.Session
) -> None:
    session = open_recurring()
    form = {"email": "cy@example.org", "name": "Cy", "card": "good"}
    for _ in range(2):
        reply = http.post(session.url, form, allow_redirects=False)
        assert (reply.status_code, reply.headers["Location"]) == (
            303,
            f"http://127.0.0.1:9/thanks/?s={session.id}",
        )
    plans = stripe_client.v1.subscriptions.list({"expand": ["data.customer"]}).data
    assert [(plan.status, plan.customer.email) for plan in plans] == [("active", "cy@example.org")]


@pytest.mark.parametrize(
    ("anchor", "start", "recurring", "end"),
    [
        ("2027-01-31", "2027-01-31", ("month", 1), "2027-02-28"),
        ("2027-01-31", "2027-02-28", ("month", 1), "2027-03-31"),
        ("2027-01-31", "2027-12-31", ("month", 1), "2028-01-31"),
        ("2027-11-15", "2027-11-15", ("month", 3), "2028-02-15"),
        ("2028-02-29", "2028-02-29", ("year", 1), "2029-02-28"),
        ("2028-02-29", "2031-02-28", ("year", 1), "2032-02-29"),
        ("2027-01-31", "2027-01-31", ("week", 2), "2027-02-14"),
        ("2027-01-31", "2027-01-31", ("day", 1), "2027-02-01"),
    ],
)
def test_period_keeps_the_day_of_the_month(
    anchor: str, start: str, recurring: tuple[str, int], end: str
) -> None:
    often = {"interval": recurring[0], "interval_count": recurring[1]}
    assert period_end(moment(anchor), moment(start), often) == moment(end)


def test_amount_changes_without_a_charge(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, plan: Any
) -> None:
    changed = stripe_client.v1.subscriptions.update(plan.id, new_price(plan))
    old, new = plan["items"].data[0], changed["items"].data[0]
    assert (new.id, new.price.unit_amount, new.price.product) == (old.id, 4000, old.price.product)
    assert new.current_period_end == old.current_period_end
    assert len(stripe_client.v1.invoices.list({"subscription": plan.id}).data) == 1
    told = last_event(stripe_client, "customer.subscription.updated")
    assert told.object["items"]["data"][0]["price"]["unit_amount"] == 4000
    assert told.previous_attributes["items"]["data"][0]["price"]["unit_amount"] == 2500
    sandbox.control(f"subscriptions/{plan.id}/renew", fee=118)
    invoice = stripe_client.v1.invoices.list({"subscription": plan.id}).data[0]
    assert (invoice.amount_due, invoice.amount_paid) == (4000, 4000)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"unit_amount": 49}, "items[0][price_data][unit_amount]"),
        ({"unit_amount": 0}, "items[0][price_data][unit_amount]"),
        ({"currency": "eur"}, "items[0][price_data][currency]"),
        ({"product": "prod_1"}, "items[0][price_data][product]"),
        ({"recurring": {"interval": "year"}}, "items[0][price_data][recurring]"),
    ],
)
def test_amount_that_breaks_a_rule_is_refused(
    stripe_client: stripe.StripeClient, plan: Any, changes: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.subscriptions.update(plan.id, new_price(plan, **changes))
    assert caught.value.param == param
    assert stripe_client.v1.subscriptions.retrieve(plan.id) == plan


def item(plan: Any, *, without: str = "", **changes: Any) -> dict[str, Any]:
    """A change of the amount whose one item has other fields."""
    whole = {**new_price(plan)["items"][0], **changes}
    whole.pop(without, None)
    return {"items": [whole], "proration_behavior": "none"}


@pytest.mark.parametrize(
    ("build", "param"),
    [
        (lambda plan: {**new_price(plan), "proration_behavior": "always_invoice"},
         "proration_behavior"),
        (lambda plan: {"items": new_price(plan)["items"]}, "proration_behavior"),
        (lambda plan: {"trial_end": JANUARY + DAY}, "proration_behavior"),
        (lambda plan: item(plan, without="id"), "items"),
        (lambda plan: item(plan, id="si_1"), "items[0][id]"),
        (lambda plan: item(plan, deleted=True), "items[0][deleted]"),
        (lambda plan: item(plan, without="price_data"), "items[0][price_data]"),
        (lambda plan: {"trial_end": JANUARY, "proration_behavior": "none"}, "trial_end"),
        (lambda plan: {"trial_end": JANUARY + 731 * DAY, "proration_behavior": "none"},
         "trial_end"),
        (lambda plan: {"trial_end": "now", "proration_behavior": "none"}, "trial_end"),
        (lambda plan: {"pause_collection": {"behavior": "void", "resumes_at": JANUARY}},
         "pause_collection[resumes_at]"),
        (lambda plan: {"pause_collection": {"behavior": "forget"}}, "pause_collection[behavior]"),
        (lambda plan: {"metadata": {"k" * 41: "v"}, "cancel_at_period_end": True},
         "metadata[" + "k" * 41 + "]"),
        (lambda plan: {"default_source": "card_1"}, "default_source"),
    ],
)  # fmt: skip
def test_change_that_breaks_a_rule_is_refused(
    stripe_client: stripe.StripeClient, plan: Any, build: Maker, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.subscriptions.update(plan.id, build(plan))
    assert (caught.value.http_status, caught.value.param) == (400, param)
    assert stripe_client.v1.subscriptions.retrieve(plan.id) == plan
    assert "customer.subscription.updated" not in events(stripe_client)


def test_day_moves_by_a_trial(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, plan: Any
) -> None:
    day = moment("2027-02-15T12:00:00")
    moved = stripe_client.v1.subscriptions.update(
        plan.id, {"trial_end": day, "proration_behavior": "none"}
    )
    item = moved["items"].data[0]
    assert (moved.status, moved.trial_end, moved.billing_cycle_anchor) == ("trialing", day, day)
    assert (item.current_period_start, item.current_period_end) == (JANUARY, day)
    sandbox.control("clock", now=day)
    sandbox.control(f"subscriptions/{plan.id}/renew")
    after = stripe_client.v1.subscriptions.retrieve(plan.id)
    item = after["items"].data[0]
    assert after.status == "active"
    assert (item.current_period_start, item.current_period_end) == (
        day,
        moment("2027-03-15T12:00:00"),
    )


def test_trial_is_over_at_its_end_even_while_collection_is_paused(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, plan: Any
) -> None:
    stripe_client.v1.subscriptions.update(
        plan.id,
        {
            "trial_end": JANUARY + DAY,
            "proration_behavior": "none",
            "pause_collection": {"behavior": "void"},
        },
    )
    assert sandbox.control(f"subscriptions/{plan.id}/renew")["status"] == "active"


def test_metadata_of_a_subscription_and_a_customer_is_merged(
    stripe_client: stripe.StripeClient, plan: Any
) -> None:
    subscriptions, customers = stripe_client.v1.subscriptions, stripe_client.v1.customers
    subscriptions.update(plan.id, {"metadata": {"a": "1"}})
    changed = subscriptions.update(plan.id, {"metadata": {"b": "2", "plan": ""}})
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
    assert subscriptions.update(plan.id, {"metadata": ""}).metadata.to_dict() == {}
    customers.update(plan.customer, {"metadata": {"donor": "7"}, "name": "Ana B."})
    customer = customers.update(
        plan.customer, {"metadata": {"since": "2027"}, "email": "b@example.org"}
    )
    assert (customer.name, customer.email) == ("Ana B.", "b@example.org")
    assert customer.metadata.to_dict() == {"donor": "7", "since": "2027"}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        customers.update(plan.customer, {"email": "b@"})
    assert caught.value.param == "email"


def test_change_to_the_same_tells_no_one(stripe_client: stripe.StripeClient, plan: Any) -> None:
    stripe_client.v1.subscriptions.update(plan.id, {"metadata": {"plan": "1"}})
    assert "customer.subscription.updated" not in events(stripe_client)


def test_pause_and_resume(stripe_client: stripe.StripeClient, plan: Any) -> None:
    update = stripe_client.v1.subscriptions.update
    paused = update(
        plan.id, {"pause_collection": {"behavior": "void", "resumes_at": JANUARY + 60 * DAY}}
    )
    assert (paused.status, paused.pause_collection.to_dict()) == (
        "active",
        {"behavior": "void", "resumes_at": JANUARY + 60 * DAY},
    )
    assert update(plan.id, {"pause_collection": ""}).pause_collection is None
    assert events(stripe_client)[-2:] == ["customer.subscription.updated"] * 2
    told = last_event(stripe_client, "customer.subscription.updated")
    assert told.previous_attributes["pause_collection"]["behavior"] == "void"


def test_pause_ends_by_itself(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, plan: Any
) -> None:
    end = JANUARY + 20 * DAY
    stripe_client.v1.subscriptions.update(
        plan.id, {"pause_collection": {"behavior": "void", "resumes_at": end}}
    )
    sandbox.control("clock", now=end - 1)
    assert stripe_client.v1.subscriptions.retrieve(plan.id).pause_collection is not None
    sandbox.control("clock", now=end)
    assert stripe_client.v1.subscriptions.retrieve(plan.id).pause_collection is None
    assert events(stripe_client)[-2:] == ["customer.subscription.updated"] * 2


def test_cancel_at_the_end_and_undo(stripe_client: stripe.StripeClient, plan: Any) -> None:
    update = stripe_client.v1.subscriptions.update
    leaving = update(plan.id, {"cancel_at_period_end": True})
    assert (leaving.status, leaving.cancel_at_period_end, leaving.canceled_at) == (
        "active",
        True,
        JANUARY,
    )
    assert leaving.cancel_at == moment("2027-02-28T12:00:00")
    staying = update(plan.id, {"cancel_at_period_end": False})
    assert (staying.cancel_at_period_end, staying.cancel_at, staying.canceled_at) == (
        False,
        None,
        None,
    )


def test_cancel_now(sandbox: Sandbox, stripe_client: stripe.StripeClient, plan: Any) -> None:
    subscriptions = stripe_client.v1.subscriptions
    ended = subscriptions.cancel(plan.id)
    assert (ended.status, ended.canceled_at, ended.ended_at) == ("canceled", JANUARY, JANUARY)
    assert ended.cancellation_details.reason == "cancellation_requested"
    assert events(stripe_client)[-1] == "customer.subscription.deleted"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        subscriptions.cancel(plan.id)
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription can only"):
        subscriptions.update(plan.id, {"pause_collection": {"behavior": "void"}})
    assert subscriptions.update(plan.id, {"metadata": {"why": "x"}}).metadata["why"] == "x"
    with pytest.raises(ApiError, match="is canceled: it cannot be renewed"):
        sandbox.control(f"subscriptions/{plan.id}/renew")
    assert events(stripe_client).count("customer.subscription.deleted") == 1


def test_dropped_reply_to_a_cancellation_has_canceled(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, plan: Any
) -> None:
    sandbox.control("faults", path="/v1/subscriptions", drop_reply=True)
    with pytest.raises(stripe.APIConnectionError):
        stripe_client.v1.subscriptions.cancel(plan.id)
    assert stripe_client.v1.subscriptions.retrieve(plan.id).status == "canceled"


def test_change_under_one_key_happens_once(stripe_client: stripe.StripeClient, plan: Any) -> None:
    for _ in range(2):
        stripe_client.v1.subscriptions.update(
            plan.id, new_price(plan), {"idempotency_key": "plan:1:set_amount:1"}
        )
    assert events(stripe_client).count("customer.subscription.updated") == 1


def test_subscriptions_are_listed_by_customer_and_status(
    stripe_client: stripe.StripeClient, subscribe: Maker
) -> None:
    first, second = subscribe(), subscribe()
    list_all = stripe_client.v1.subscriptions.list
    stripe_client.v1.subscriptions.cancel(first["subscription"])
    assert [row.id for row in list_all().data] == [second["subscription"]]
    assert [row.id for row in list_all({"status": "all"}).data] == [
        second["subscription"],
        first["subscription"],
    ]
    for status in ("canceled", "ended"):
        assert [row.id for row in list_all({"status": status}).data] == [first["subscription"]]
    assert list_all({"customer": first["customer"]}).data == []
    assert [row.id for row in list_all({"customer": first["customer"], "status": "all"}).data] == [
        first["subscription"]
    ]


def test_session_is_found_by_its_subscription(
    stripe_client: stripe.StripeClient, subscribe: Maker
) -> None:
    subscribe()
    wanted = subscribe()
    found = stripe_client.v1.checkout.sessions.list({"subscription": wanted["subscription"]}).data
    assert [row.id for row in found] == [wanted["id"]]


def test_unknown_subscription_is_404(stripe_client: stripe.StripeClient) -> None:
    for call in (
        stripe_client.v1.subscriptions.retrieve,
        stripe_client.v1.subscriptions.update,
        stripe_client.v1.subscriptions.cancel,
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            call("sub_none")
        assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
