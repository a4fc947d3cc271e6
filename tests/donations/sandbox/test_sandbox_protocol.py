"""Keys, envelopes, lists, expansion, idempotency and faults, through the real library."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from donations.sandbox import Sandbox, objects
from donations.sandbox.wire import Request

Maker = Callable[..., Any]


def last_requests(sandbox: Sandbox, path: str) -> list[dict[str, Any]]:
    return [entry for entry in sandbox.control("state")["requests"] if entry["path"] == path]


def test_wrong_key_is_401(sandbox: Sandbox, connect: Maker) -> None:
    with pytest.raises(stripe.AuthenticationError) as caught:
        connect(sandbox, key="sk_test_other").v1.events.list()
    assert caught.value.http_status == 401
    assert "sk_test_other" not in str(caught.value)


def test_missing_key_is_401(sandbox: Sandbox, http: requests.Session) -> None:
    reply = http.get(f"{sandbox.base_url}/v1/events")
    assert reply.status_code == 401
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert reply.headers["Request-Id"].startswith("req_")


def test_request_is_recorded_with_version_and_key(
    sandbox: Sandbox, stripe_client: stripe.StripeClient
) -> None:
    customer = stripe_client.v1.customers.create({"name": "Ana"}, {"idempotency_key": "k1"})
    entry = last_requests(sandbox, "/v1/customers")[0]
    assert entry["stripe_version"] == stripe.api_version == "2026-10-28.endive"
    assert entry["idempotency_key"] == "k1"
    assert entry["params"] == {"name": "Ana"}
    assert entry["status"] == 200
    assert customer.last_response is not None
    assert customer.last_response.headers["Request-Id"] == entry["id"]


def test_other_api_version_is_refused(stripe_client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="2026-10-28.endive only"):
        stripe_client.v1.events.list(options={"stripe_version": "2024-06-20"})


def test_unknown_object_is_404_and_unknown_address_too(
    auth: dict[str, str],
    sandbox: Sandbox,
    stripe_client: stripe.StripeClient,
    http: requests.Session,
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.charges.retrieve("ch_none")
    assert caught.value.http_status == 404
    assert caught.value.code == "resource_missing"
    assert http.get(f"{sandbox.base_url}/v1/subscriptions/sub_1", headers=auth).status_code == 404
    assert http.delete(f"{sandbox.base_url}/v1/customers/cus_1", headers=auth).status_code == 404


def test_parameter_that_stripe_knows_and_the_sandbox_does_not_is_refused(
    stripe_client: stripe.StripeClient, open_session: Maker
) -> None:
    with pytest.raises(
        stripe.InvalidRequestError, match="does not speak the parameter `discounts`"
    ):
        open_session(discounts=[{"coupon": "x"}])


def test_list_is_newest_first_in_pages(stripe_client: stripe.StripeClient) -> None:
    ids = [stripe_client.v1.customers.create({"name": str(number)}).id for number in range(5)]
    first = stripe_client.v1.customers.list({"limit": 2})
    assert [row.id for row in first.data] == [ids[4], ids[3]]
    assert (first.has_more, first.url) == (True, "/v1/customers")
    rest = stripe_client.v1.customers.list({"limit": 10, "starting_after": ids[3]})
    assert [row.id for row in rest.data] == [ids[2], ids[1], ids[0]]
    assert rest.has_more is False
    back = stripe_client.v1.customers.list({"limit": 2, "ending_before": ids[0]})
    assert [row.id for row in back.data] == [ids[2], ids[1]]
    assert [row.id for row in first.auto_paging_iter()] == ids[::-1]


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"starting_after": "cus_none"}])
def test_list_refuses_bad_limits_and_cursors(
    stripe_client: stripe.StripeClient, params: dict[str, Any]
) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        stripe_client.v1.customers.list(params)


def test_expand_opens_references(
    stripe_client: stripe.StripeClient, open_session: Maker, pay: Maker
) -> None:
    session = stripe_client.v1.checkout.sessions.retrieve(
        pay(fee=140)["id"],
        {"expand": ["payment_intent.latest_charge.balance_transaction", "line_items"]},
    )
    assert session.payment_intent.latest_charge.balance_transaction.fee == 140
    assert session.line_items.data[0].amount_total == 5000
    listed = stripe_client.v1.checkout.sessions.list(
        {"expand": ["data.payment_intent.latest_charge"]}
    )
    assert listed.data[0].payment_intent.latest_charge.amount == 5000
    row = stripe_client.v1.balance_transactions.list({"expand": ["data.source"]}).data[0]
    assert row.source.object == "charge"


@pytest.mark.parametrize(
    "path",
    [
        "payment_intent.latest_charge.balance_transaction.source.customer",
        "amount_total",
        "payment_intent.nothing",
        "data.payment_intent",
    ],
)
def test_expand_refuses_depth_and_what_is_no_reference(
    stripe_client: stripe.StripeClient, pay: Maker, path: str
) -> None:
    session = pay()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client.v1.checkout.sessions.retrieve(session["id"], {"expand": [path]})
    assert (caught.value.http_status, caught.value.param) == (400, "expand")


def test_bad_expand_leaves_no_effect(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    intent = pay()["payment_intent"]
    with pytest.raises(stripe.InvalidRequestError):
        stripe_client.v1.refunds.create({"payment_intent": intent, "expand": ["nothing"]})
    assert stripe_client.v1.refunds.list({"payment_intent": intent}).data == []


def test_same_key_replays_the_first_answer(
    session_params: Maker, sandbox: Sandbox, stripe_client: stripe.StripeClient, open_session: Maker
) -> None:
    params = session_params()
    first = stripe_client.v1.checkout.sessions.create(params, {"idempotency_key": "gift:1"})
    sandbox.control(f"sessions/{first.id}/expire")
    again = stripe_client.v1.checkout.sessions.create(params, {"idempotency_key": "gift:1"})
    assert (again.id, again.status) == (first.id, "open")
    assert again.last_response is not None and first.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert len(stripe_client.v1.checkout.sessions.list().data) == 1
    replays = [entry["replayed"] for entry in last_requests(sandbox, "/v1/checkout/sessions")]
    assert replays[:2] == [False, True]


def test_same_key_with_other_params_is_refused(stripe_client: stripe.StripeClient) -> None:
    stripe_client.v1.customers.create({"name": "Ana"}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters") as caught:
        stripe_client.v1.customers.create({"name": "Bo"}, {"idempotency_key": "k"})
    assert caught.value.http_status == 400
    assert len(stripe_client.v1.customers.list().data) == 1


def test_same_key_at_another_path_is_refused(
    stripe_client: stripe.StripeClient, open_session: Maker
) -> None:
    sessions = stripe_client.v1.checkout.sessions
    first, second = open_session(), open_session()
    sessions.expire(first.id, options={"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError, match="same endpoint") as caught:
        sessions.expire(second.id, options={"idempotency_key": "k"})
    assert caught.value.http_status == 400
    assert sessions.retrieve(second.id).status == "open"


def test_refusal_by_the_endpoint_is_stored_and_one_by_the_linter_is_not(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, open_session: Maker, pay: Maker
) -> None:
    intent = pay()["payment_intent"]
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
            stripe_client.v1.refunds.create(
                {"payment_intent": intent, "amount": 9999}, {"idempotency_key": "k1"}
            )
    with pytest.raises(stripe.InvalidRequestError):
        stripe_client.v1.customers.create({"nickname": "A"}, {"idempotency_key": "k2"})
    stripe_client.v1.customers.create({"name": "A"}, {"idempotency_key": "k2"})
    assert [entry["replayed"] for entry in last_requests(sandbox, "/v1/refunds")] == [False, True]


def test_same_key_at_the_same_time_is_409(
    auth: dict[str, str], sandbox: Sandbox, connect: Maker, http: requests.Session
) -> None:
    sandbox.control("faults", path="/v1/customers", latency_ms=300)
    statuses: list[int] = []

    def post() -> None:
        with requests.Session() as own:
            headers = {**auth, "Idempotency-Key": "k"}
            reply = own.post(f"{sandbox.base_url}/v1/customers", {"name": "A"}, headers=headers)
            statuses.append(reply.status_code)

    slow = threading.Thread(target=post)
    slow.start()
    deadline = time.monotonic() + 5
    while not last_requests(sandbox, "/v1/customers") and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    post()
    slow.join()
    post()
    assert statuses == [409, 200, 200]
    assert len(sandbox.control("state")["objects"]["customer"]) == 1


def test_many_at_once_under_one_key_have_one_effect(
    auth: dict[str, str], sandbox: Sandbox, pay: Maker
) -> None:
    intent = pay()["payment_intent"]
    statuses: list[int] = []

    def post() -> None:
        with requests.Session() as own:
            reply = own.post(
                f"{sandbox.base_url}/v1/refunds",
                {"payment_intent": intent, "amount": "100"},
                headers={**auth, "Idempotency-Key": "refund:1"},
            )
            statuses.append(reply.status_code)

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 409} and 200 in statuses
    assert len(sandbox.control("state")["objects"]["refund"]) == 1


def test_many_refunds_at_once_never_give_back_more_than_was_paid(
    auth: dict[str, str], sandbox: Sandbox, pay: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent = pay()["payment_intent"]
    headers = {"host": f"127.0.0.1:{sandbox.port}", "authorization": auth["Authorization"]}
    body = f"payment_intent={intent}&amount=100".encode()
    statuses: list[int] = []
    build = objects.refund

    def build_slowly(*args: Any, **fields: Any) -> Any:
        time.sleep(0.001)  # between the check and the write: without the lock, all pass the check
        return build(*args, **fields)

    monkeypatch.setattr(objects, "refund", build_slowly)

    def post() -> None:
        for _ in range(8):
            reply = sandbox.handle(Request("POST", "/v1/refunds", "", headers, body))
            statuses.append(reply.status)

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 50 + [400] * 14
    assert sandbox.control("state")["objects"]["charge"][0]["amount_refunded"] == 5000


def test_stored_500_is_replayed_until_keys_are_forgotten(
    sandbox: Sandbox, stripe_client: stripe.StripeClient
) -> None:
    sandbox.control("faults", path="/v1/customers", status=500)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            stripe_client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
        assert caught.value.http_status == 500
    assert caught.value.headers is not None
    assert caught.value.headers["Idempotent-Replayed"] == "true"
    sandbox.control("faults", forget_keys=True)
    stripe_client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
    assert len(stripe_client.v1.customers.list().data) == 1


def test_key_is_forgotten_after_a_day(sandbox: Sandbox, stripe_client: stripe.StripeClient) -> None:
    sandbox.control("clock", now=1_800_000_000)
    stripe_client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
    sandbox.control("clock", now=1_800_000_000 + 86_399)
    stripe_client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
    assert len(stripe_client.v1.customers.list().data) == 1
    sandbox.control("clock", now=1_800_000_000 + 86_400)
    stripe_client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
    assert len(stripe_client.v1.customers.list().data) == 2


@pytest.mark.parametrize(("status", "kind"), [(429, stripe.RateLimitError), (409, stripe.APIError)])
def test_turned_away_request_leaves_its_key_free(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, status: int, kind: type[Exception]
) -> None:
    sandbox.control("faults", path="/v1/customers", status=status)
    with pytest.raises(kind):
        stripe_client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"})
    assert stripe_client.v1.customers.create({"name": "A"}, {"idempotency_key": "k"}).name == "A"


def test_dropped_reply_then_repeat_gives_the_same_session(
    session_params: Maker, sandbox: Sandbox, stripe_client: stripe.StripeClient
) -> None:
    params = session_params()
    sandbox.control("faults", path="/v1/checkout/sessions", drop_reply=True)
    with pytest.raises(stripe.APIConnectionError):
        stripe_client.v1.checkout.sessions.create(params, {"idempotency_key": "gift:1"})
    created = sandbox.control("state")["objects"]["checkout.session"]
    again = stripe_client.v1.checkout.sessions.create(params, {"idempotency_key": "gift:1"})
    assert [row["id"] for row in created] == [again.id]
    assert [row.id for row in stripe_client.v1.checkout.sessions.list().data] == [again.id]


def test_dropped_reply_then_repeat_under_a_new_key_doubles(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    intent = pay()["payment_intent"]
    sandbox.control("faults", path="/v1/refunds", drop_reply=True)
    with pytest.raises(stripe.APIConnectionError):
        stripe_client.v1.refunds.create({"payment_intent": intent, "amount": 100})
    stripe_client.v1.refunds.create({"payment_intent": intent, "amount": 100})
    assert len(stripe_client.v1.refunds.list({"payment_intent": intent}).data) == 2


def test_fault_covers_what_is_below_its_path_and_counts_down(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    charge = stripe_client.v1.payment_intents.retrieve(pay()["payment_intent"]).latest_charge
    assert isinstance(charge, str)
    sandbox.control("faults", path="/v1/charges", times=2, status=503)
    stripe_client.v1.events.list()
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            stripe_client.v1.charges.retrieve(charge)
    assert stripe_client.v1.charges.retrieve(charge).id == charge
    assert sandbox.control("state")["faults"] == []


def test_fault_with_no_times_disarms(sandbox: Sandbox, stripe_client: stripe.StripeClient) -> None:
    sandbox.control("faults", path="/v1/events", times=5, status=500)
    sandbox.control("faults", path="/v1/events", times=0)
    assert stripe_client.v1.events.list().data == []
