"""When the sandbox may run, what it keeps, whom it listens to, and its controls over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from donations.sandbox import ApiError, Sandbox, refuse_unless_debug

Maker = Callable[..., Any]


def build(**changes: Any) -> Sandbox:
    keys = {"secret_key": "sk_test_sandbox", "webhook_secret": "whsec_sandbox"}
    return Sandbox(**{**keys, "debug": True, **changes})


def test_refuses_to_run_without_debug(settings: Any) -> None:
    with pytest.raises(RuntimeError, match="DEBUG"):
        refuse_unless_debug(False)
    with pytest.raises(RuntimeError, match="DEBUG"):
        build(debug=False)
    settings.DEBUG = False
    with pytest.raises(RuntimeError, match="DEBUG"):
        build(debug=None)
    settings.DEBUG = True
    build(debug=None)


@pytest.mark.parametrize(
    "changes",
    [
        {"secret_key": ""},
        {"webhook_secret": ""},
        {"webhook_secret": " , "},
        {"secret_key": "sk_live_1"},
        {"webhook_url": "example.org"},
    ],
)
def test_refuses_empty_and_live_keys(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        build(**changes)


def test_address_is_known_after_start_only() -> None:
    sandbox = build()
    with pytest.raises(RuntimeError, match="not been started"):
        _ = sandbox.base_url
    sandbox.start()
    try:
        assert sandbox.base_url == f"http://127.0.0.1:{sandbox.port}"
        with pytest.raises(RuntimeError, match="already"):
            sandbox.start()
    finally:
        sandbox.stop()
    sandbox.stop()


def test_serve_forever_ends_with_stop(http: requests.Session) -> None:
    sandbox = build()
    thread = threading.Thread(target=sandbox.serve_forever)
    thread.start()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            assert http.get(f"{sandbox.base_url}/_sandbox/state").status_code == 200
            break
        except (RuntimeError, requests.ConnectionError):
            time.sleep(0.01)
    sandbox.stop()
    thread.join(5)
    assert not thread.is_alive()


def test_restart_keeps_everything(
    tmp_path: Path, connect: Maker, session_params: Maker, receiver: Any
) -> None:
    file = tmp_path / "sandbox.json"
    first = build(state_file=file)
    first.start()
    client = connect(first)
    params = session_params()
    paid = client.v1.checkout.sessions.create(params, {"idempotency_key": "gift:1"})
    waiting = client.v1.checkout.sessions.create(session_params(client_reference_id="gift-2"))
    first.control(f"sessions/{paid.id}/complete", fee=140)
    first.control("delivery", seed=7)
    first.control("faults", path="/v1/events", status=500)
    before = first.control("state")
    first.stop()

    second = build(state_file=file)
    second.start()
    try:
        client = connect(second)
        after = second.control("state")
        for name in ("requests", "queue", "attempts", "delivery", "faults"):
            assert after[name] == before[name]
        assert after["objects"].keys() == before["objects"].keys()
        assert after["objects"]["charge"] == before["objects"]["charge"]
        assert [row.fee for row in client.v1.balance_transactions.list().data] == [140]
        moved = client.v1.checkout.sessions.retrieve(waiting.id)
        assert moved.url == f"{second.base_url}/c/pay/{waiting.id}"
        again = client.v1.checkout.sessions.create(params, {"idempotency_key": "gift:1"})
        assert again.id == paid.id
        second.webhook_url = receiver.url
        assert second.wait_for_deliveries()
        assert receiver.types == ["checkout.session.completed", "charge.updated"]
    finally:
        second.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox.json"]


def test_request_under_way_when_the_process_ended_leaves_its_key_free(
    tmp_path: Path, connect: Maker
) -> None:
    file = tmp_path / "sandbox.json"
    first = build(state_file=file)
    with first._store.change() as state:
        state["keys"]["k"] = {"path": "POST /v1/customers", "params": {"name": "A"}}
        state["keys"]["k"] |= {"created": first._store.now()}
        state["keys"]["k"] |= {"status": None, "body": None, "request_id": None}
    second = build(state_file=file)
    second.start()
    try:
        options = {"idempotency_key": "k"}
        assert connect(second).v1.customers.create({"name": "A"}, options).name == "A"
    finally:
        second.stop()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}'])
def test_foreign_state_file_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sandbox.json"
    file.write_text(text)
    with pytest.raises(RuntimeError, match="not a state file"):
        build(state_file=file)
    assert file.read_text() == text


def test_reset_forgets_everything(
    sandbox: Sandbox, stripe_client: stripe.StripeClient, pay: Maker
) -> None:
    pay()
    sandbox.control("clock", now=1_800_000_000)
    sandbox.control("delivery", auto=False)
    sandbox.control("faults", status=500)
    assert sandbox.control("reset") == {"reset": True}
    state = sandbox.control("state")
    assert (state["objects"], state["requests"], state["faults"]) == ({}, [], [])
    assert state["delivery"]["auto"] is True
    assert abs(state["now"] - time.time()) < 5
    assert stripe_client.v1.events.list().data == []


def test_controls_answer_over_http(
    sandbox: Sandbox, open_session: Maker, http: requests.Session
) -> None:
    session = open_session()
    base = f"{sandbox.base_url}/_sandbox"
    done = http.post(f"{base}/sessions/{session.id}/complete", json={"fee": 140, "settle": True})
    assert (done.status_code, done.json()["payment_status"]) == (200, "paid")
    state = http.get(f"{base}/state").json()
    assert [row["fee"] for row in state["objects"]["balance_transaction"]] == [140]
    assert [entry["path"] for entry in state["requests"]] == ["/v1/checkout/sessions"]
    assert state["requests"][0]["idempotency_key"]
    assert http.post(f"{base}/reset").json() == {"reset": True}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("sessions/cs_none/complete", {}, 404),
        ("charges/ch_none/settle", {}, 404),
        ("subscriptions/sub_1/renew", {"result": "paid"}, 404),
        ("subscriptions/sub_1/renew", {"result": "late"}, 400),
        ("subscriptions/sub_1/renew", {"result": "paid", "fee": -1}, 400),
        ("charges/ch_1/fraud_warning", {}, 404),
        ("nothing", {}, 404),
        ("state", {}, 404),
        ("clock", {}, 400),
        ("clock", {"now": "2026-12-31T23:59:00"}, 400),
        ("clock", {"now": "soon"}, 400),
        ("delivery", {"order": "sideways"}, 400),
        ("delivery", {"repeat": -1}, 400),
        ("delivery", {"drop": 1.5}, 400),
        ("delivery", {"autom": True}, 400),
        ("faults", {"status": 200}, 400),
        ("faults", {"times": "2"}, 400),
        ("balance_transactions", {"type": "stripe_fee"}, 400),
        ("payouts", {"amount": True}, 400),
        ("payouts", [], 400),
    ],
)
def test_control_that_cannot_be_done_is_said_in_words(
    sandbox: Sandbox, http: requests.Session, path: str, body: Any, status: int
) -> None:
    reply = http.post(f"{sandbox.base_url}/_sandbox/{path}", json=body)
    assert reply.status_code == status
    assert reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "body", [{"fee": 1.4}, {"fee": -1}, {"fees": 140}, {"payment_status": "free"}, {"settle": 1}]
)
def test_slip_in_a_control_changes_nothing(
    sandbox: Sandbox, open_session: Maker, body: dict[str, Any]
) -> None:
    session = open_session()
    with pytest.raises(ApiError):
        sandbox.control(f"sessions/{session.id}/complete", **body)
    assert sandbox.control("state")["objects"]["checkout.session"][0]["status"] == "open"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
def test_other_sites_do_not_reach_the_controls(
    sandbox: Sandbox, http: requests.Session, headers: dict[str, str], status: int
) -> None:
    reply = http.post(f"{sandbox.base_url}/_sandbox/reset", headers=headers)
    assert reply.status_code == status


def test_long_body_is_refused(sandbox: Sandbox, http: requests.Session) -> None:
    headers = {"Content-Length": "2000000", "Connection": "close"}
    reply = http.post(f"{sandbox.base_url}/_sandbox/reset", headers=headers)
    assert reply.status_code == 413


def test_connection_that_a_client_keeps_open_ends_with_the_server(
    connect: Maker, tmp_path: Path
) -> None:
    sandbox = build(state_file=tmp_path / "sandbox.json")
    sandbox.start()
    client = connect(sandbox)
    client.v1.customers.create({"name": "A"})
    sandbox.stop()
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.list()


def test_many_clients_at_once_lose_nothing(sandbox: Sandbox, auth: dict[str, str]) -> None:
    def create(number: int) -> None:
        with requests.Session() as own:
            for count in range(5):
                data = {"name": f"{number}-{count}"}
                own.post(f"{sandbox.base_url}/v1/customers", data, headers=auth)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {row["name"] for row in sandbox.control("state")["objects"]["customer"]}
    assert names == {f"{number}-{count}" for number in range(8) for count in range(5)}
