"""The test controls under ``/_sandbox/``: what a donor, a bank, Stripe or the network would do.

JSON in, JSON out; amounts and fees in cents, moments in Unix seconds (the clock also takes
ISO 8601 with an offset). A field that a control does not know is refused, so that a slip of the
pen in a test does not pass for a test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any

from . import books, checkout, disputes, due, faults, fraud, idempotency, payments, subscriptions
from .errors import ApiError, no_such, refused
from .store import Store
from .webhooks import Deliverer
from .wire import Json

ORDERS = ("in_order", "reverse", "shuffle")
LATENCY_AT_MOST = 60_000
SHOWN = ("requests", "queue", "attempts", "delivery", "faults")

Control = Callable[..., Json]


def run(store: Store, deliverer: Deliverer, method: str, path: str, body: Json) -> Json:
    """Carry out one control, ``path`` being what follows ``/_sandbox/``; ApiError if it cannot."""
    for wanted, pattern, control in CONTROLS:
        found = re.fullmatch(pattern, path)
        if found and wanted == method:
            if control is _deliver:
                # Holds no lock: the receiver may ask the sandbox back before it answers.
                return control(store, deliverer, body)
            with store.change():
                due.catch_up(store)
                return control(store, deliverer, body, *found.groups())
    raise ApiError(404, f"There is no control {method} /_sandbox/{path}.")


def read_body(raw: bytes) -> Json:
    """The JSON object of a request; an empty body is an empty object."""
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise ApiError(400, "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise ApiError(400, "The body is not a JSON object.")
    return body


def _fields(body: Json, **kinds: type | tuple[type, ...]) -> Json:
    """The fields by name, None where absent; refuses unknown ones and other types."""
    for name, value in body.items():
        if name not in kinds:
            known = ", ".join(kinds) or "no fields"
            raise refused(f"Unknown field `{name}`; this control reads {known}.", param=name)
        kind = kinds[name]
        wanted = kind if isinstance(kind, tuple) else (kind,)
        # An exact match, since to Python true is also a whole number.
        if value is not None and type(value) not in wanted:
            names = " or ".join(each.__name__ for each in wanted)
            raise refused(f"`{name}` must be {names}.", param=name)
    return {name: body.get(name) for name in kinds}


def _positive(fields: Json, *names: str) -> None:
    for name in names:
        if fields[name] is not None and fields[name] < 0:
            raise refused(f"`{name}` must not be negative.", param=name)


def _choice(value: Any, allowed: tuple[str, ...], name: str) -> None:
    if value not in allowed:
        raise refused(f"`{name}` must be one of {', '.join(allowed)}.", param=name)


def _get(store: Store, kind: str, id: str) -> Json:
    found = store.get(kind, id)
    if found is None:
        raise no_such(kind, id)
    return found


def _reset(store: Store, deliverer: Deliverer, body: Json) -> Json:
    _fields(body)
    store.reset()
    deliverer.forget()
    return {"reset": True}


def _clock(store: Store, deliverer: Deliverer, body: Json) -> Json:
    """Stop the clock at ``now``; null lets it run with the real time again."""
    if "now" not in body:
        raise refused("`now` is missing.", param="now")
    now = _fields(body, now=(int, float, str))["now"]
    if isinstance(now, str):
        try:
            moment = datetime.fromisoformat(now)
        except ValueError:
            raise refused("`now` is neither Unix seconds nor ISO 8601.", param="now") from None
        if moment.tzinfo is None:
            raise refused("`now` needs an offset, such as Z or -07:00.", param="now")
        now = moment.timestamp()
    store.state["frozen_at"] = None if now is None else int(now)
    due.catch_up(store)
    return {"now": store.now(), "frozen": now is not None}


def _state(store: Store, deliverer: Deliverer, body: Json) -> Json:
    state = store.state
    return {
        "now": store.now(),
        "objects": {
            kind: [store.present(item) for item in items.values()]
            for kind, items in state["objects"].items()
        },
        **{name: deepcopy(state[name]) for name in SHOWN},
    }


def _complete(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    fields = _fields(body, payment_status=str, fee=int, settle=bool, email=str, name=str)
    status = fields["payment_status"] or "paid"
    _choice(status, ("paid", "unpaid"), "payment_status")
    _positive(fields, "fee")
    session = checkout.complete(
        store,
        _get(store, "checkout.session", id),
        is_paid=status == "paid",
        fee=fields["fee"],
        settle_now=fields["settle"] is not False,
        email=fields["email"],
        name=fields["name"],
    )
    return store.present(session)


def _decline(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    fields = _fields(body, decline_code=str, email=str, name=str)
    session = payments.decline(
        store,
        _get(store, "checkout.session", id),
        decline_code=fields["decline_code"] or "generic_decline",
        email=fields["email"],
        name=fields["name"],
    )
    return store.present(session)


def _expire(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    _fields(body)
    return store.present(checkout.expire(store, _get(store, "checkout.session", id)))


def _finish_debit(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    fields = _fields(body, result=str, fee=int)
    _choice(fields["result"], ("succeeded", "failed"), "result")
    _positive(fields, "fee")
    intent = payments.finish_debit(
        store,
        _get(store, "payment_intent", id),
        succeeded=fields["result"] == "succeeded",
        fee=fields["fee"],
    )
    return store.present(intent)


def _settle(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    fields = _fields(body, fee=int)
    _positive(fields, "fee")
    return store.present(payments.settle(store, _get(store, "charge", id), fee=fields["fee"]))


def _refund(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    """As if in the dashboard; ``pending`` leaves it under way until it succeeds or fails."""
    fields = _fields(body, amount=int, pending=bool)
    item = payments.refund(
        store,
        payments.charge_of(store, _get(store, "payment_intent", id)),
        amount=fields["amount"],
        is_pending=fields["pending"] is True,
    )
    return store.present(item)


def _succeed_refund(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    _fields(body)
    return store.present(payments.succeed_refund(store, _get(store, "refund", id)))


def _fail_refund(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    _fields(body)
    return store.present(payments.fail_refund(store, _get(store, "refund", id)))


def _dispute(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    fields = _fields(body, amount=int, fee=int, inquiry=bool)
    _positive(fields, "fee")
    item = disputes.open_dispute(
        store,
        payments.charge_of(store, _get(store, "payment_intent", id)),
        amount=fields["amount"],
        fee=disputes.FEE if fields["fee"] is None else fields["fee"],
        is_inquiry=fields["inquiry"] is True,
    )
    return store.present(item)


def _close_dispute(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    """``fee_returned`` is what Stripe gives back of its fee when the dispute is won."""
    fields = _fields(body, result=str, fee_returned=int)
    _choice(fields["result"], ("won", "lost", "warning_closed"), "result")
    _positive(fields, "fee_returned")
    item = disputes.close(
        store,
        _get(store, "dispute", id),
        result=fields["result"],
        fee_returned=fields["fee_returned"] or 0,
    )
    return store.present(item)


def _pay_out(store: Store, deliverer: Deliverer, body: Json) -> Json:
    return store.present(books.pay_out(store, amount=_fields(body, amount=int)["amount"]))


def _fail_payout(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    _fields(body)
    return store.present(books.fail_payout(store, _get(store, "payout", id)))


def _post(store: Store, deliverer: Deliverer, body: Json) -> Json:
    """A balance transaction from nowhere, of any type and currency."""
    fields = _fields(body, type=str, amount=int, currency=str, fee=int, description=str)
    if not fields["type"] or fields["amount"] is None:
        raise refused("`type` and `amount` are needed.")
    row = books.post(
        store,
        type=fields["type"],
        amount=fields["amount"],
        fee=fields["fee"] or 0,
        currency=fields["currency"] or "usd",
        description=fields["description"],
    )
    return store.present(row)


def _set_delivery(store: Store, deliverer: Deliverer, body: Json) -> Json:
    """How events travel from now on; what is not named stays as it is.

    ``auto`` false holds events back until ``deliver``. ``order`` and ``seed`` arrange the events
    of one batch. ``repeat``: a whole number of extra copies of each event, or a share (0.3) of
    events sent twice. ``drop``: a whole number of coming events that are lost, a share, true for
    all, or a list of types.
    """
    fields = _fields(
        body,
        auto=bool,
        order=str,
        seed=int,
        repeat=(int, float, bool),
        drop=(int, float, bool, list),
    )
    given = {name: value for name, value in fields.items() if value is not None}
    if "order" in given:
        _choice(given["order"], ORDERS, "order")
    if isinstance(given.get("repeat"), bool):
        given["repeat"] = int(given["repeat"])
    if isinstance(given.get("drop"), bool):
        given["drop"] = 1.0 if given["drop"] else 0
    for name in ("repeat", "drop"):
        value = given.get(name, 0)
        if isinstance(value, int | float) and (
            value < 0 or (isinstance(value, float) and value > 1)
        ):
            raise refused(f"`{name}` must be a whole number or a share from 0.0 to 1.0.")
    return deliverer.configure(**given)


def _deliver(store: Store, deliverer: Deliverer, body: Json) -> Json:
    """Send what is held or waits for another try; answer once that is done.

    ``waiting`` counts the events that are still to be sent, because no address is known or the
    receiver did not answer with 2xx.
    """
    _fields(body)
    attempts = deliverer.deliver()
    with store.lock:
        return {"attempts": attempts, "waiting": len(store.state["queue"])}


def _arm_fault(store: Store, deliverer: Deliverer, body: Json) -> Json:
    fields = _fields(
        body,
        path=str,
        method=str,
        times=int,
        drop_reply=bool,
        status=int,
        latency_ms=int,
        forget_keys=bool,
    )
    _positive(fields, "times", "latency_ms")
    status = fields["status"]
    if status is not None and not 400 <= status <= 599:
        raise refused("`status` must be 400 to 599.", param="status")
    if fields.pop("forget_keys"):
        idempotency.forget(store)
    fields["times"] = 1 if fields["times"] is None else fields["times"]
    fields["latency_ms"] = min(fields["latency_ms"] or 0, LATENCY_AT_MOST)
    if fields["drop_reply"] or status or fields["latency_ms"] or fields["times"] == 0:
        faults.add(store, fields)
    return {"faults": deepcopy(store.state["faults"])}


def _renew(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    """A subscription's next day of payment, or the next attempt at an invoice still open.

    ``fee`` and ``settle`` are those of a completed session; they matter for ``paid`` alone.
    """
    fields = _fields(body, result=str, fee=int, settle=bool)
    result = fields["result"] or "paid"
    _choice(result, ("paid", "failed", "final_failure"), "result")
    _positive(fields, "fee")
    subscription = subscriptions.renew(
        store,
        _get(store, "subscription", id),
        result=result,
        fee=fields["fee"],
        settle_now=fields["settle"] is not False,
    )
    return store.present(subscription)


def _warn(store: Store, deliverer: Deliverer, body: Json, id: str) -> Json:
    _fields(body)
    return store.present(fraud.warn(store, _get(store, "charge", id)))


CONTROLS: list[tuple[str, str, Control]] = [
    ("POST", "reset", _reset),
    ("POST", "clock", _clock),
    ("GET", "state", _state),
    ("POST", "sessions/([^/]+)/complete", _complete),
    ("POST", "sessions/([^/]+)/decline", _decline),
    ("POST", "sessions/([^/]+)/expire", _expire),
    ("POST", "payments/([^/]+)/async", _finish_debit),
    ("POST", "payments/([^/]+)/refund", _refund),
    ("POST", "payments/([^/]+)/dispute", _dispute),
    ("POST", "charges/([^/]+)/settle", _settle),
    ("POST", "charges/([^/]+)/fraud_warning", _warn),
    ("POST", "refunds/([^/]+)/succeed", _succeed_refund),
    ("POST", "refunds/([^/]+)/fail", _fail_refund),
    ("POST", "disputes/([^/]+)/close", _close_dispute),
    ("POST", "subscriptions/([^/]+)/renew", _renew),
    ("POST", "payouts", _pay_out),
    ("POST", "payouts/([^/]+)/fail", _fail_payout),
    ("POST", "balance_transactions", _post),
    ("POST", "delivery", _set_delivery),
    ("POST", "deliver", _deliver),
    ("POST", "faults", _arm_fault),
]
