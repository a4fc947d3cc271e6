"""What a read answers: lists in pages, and references opened by ``expand[]``."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from . import objects
from .errors import ApiError
from .store import Store
from .wire import Json

DEPTH = 4
PAGE = 10
PAGE_AT_MOST = 100

# What each kind of object can open, and the kinds that may be found there. A hash inside an object,
# which a path goes through, is named by its way.
_REFERENCES: dict[str, dict[str, tuple[str, ...]]] = {
    "balance_transaction": {"source": ("charge", "dispute", "payout", "refund")},
    "charge": {
        "balance_transaction": ("balance_transaction",),
        "customer": ("customer",),
        "failure_balance_transaction": ("balance_transaction",),
        "payment_intent": ("payment_intent",),
        "refunds": ("list:refund",),
    },
    "checkout.session": {
        "customer": ("customer",),
        "invoice": ("invoice",),
        "line_items": ("list:item",),
        "payment_intent": ("payment_intent",),
        "subscription": ("subscription",),
    },
    "dispute": {
        "balance_transactions": ("balance_transaction",),
        "charge": ("charge",),
        "payment_intent": ("payment_intent",),
    },
    "invoice": {
        "customer": ("customer",),
        "parent": ("invoice.parent",),
        "payments": ("list:invoice_payment",),
    },
    "invoice.parent": {"subscription_details": ("invoice.parent.subscription_details",)},
    "invoice.parent.subscription_details": {"subscription": ("subscription",)},
    "invoice_payment": {"invoice": ("invoice",), "payment": ("invoice_payment.payment",)},
    "invoice_payment.payment": {"payment_intent": ("payment_intent",)},
    "payment_intent": {"customer": ("customer",), "latest_charge": ("charge",)},
    "payout": {
        "balance_transaction": ("balance_transaction",),
        "failure_balance_transaction": ("balance_transaction",),
    },
    "refund": {
        "balance_transaction": ("balance_transaction",),
        "charge": ("charge",),
        "failure_balance_transaction": ("balance_transaction",),
        "payment_intent": ("payment_intent",),
    },
    "radar.early_fraud_warning": {
        "charge": ("charge",),
        "payment_intent": ("payment_intent",),
    },
    "price": {"product": ("product",)},
    "subscription": {
        "customer": ("customer",),
        "items": ("list:subscription_item",),
        "latest_invoice": ("invoice",),
    },
    "subscription_item": {"price": ("price",)},
}


def page(store: Store, rows: list[Json], params: Json, *, url: str) -> Json:
    """Stripe's list envelope over ``rows`` (newest first), already filtered.

    Reads ``created`` (a number or gt/gte/lt/lte), ``limit`` (1 to 100, else 10),
    ``starting_after`` and ``ending_before``. Raises ApiError 400 for a cursor that is not among
    the rows and a limit out of range.
    """
    limit = params.get("limit", PAGE)
    if not 1 <= limit <= PAGE_AT_MOST:
        raise ApiError(400, f"Invalid limit: must be 1 to {PAGE_AT_MOST}.", param="limit")
    rows = [row for row in rows if _is_in_range(row["created"], params.get("created"))]
    ids = [row["id"] for row in rows]
    if "ending_before" in params:
        end = _index(ids, params["ending_before"], "ending_before")
        start = max(0, end - limit)
        has_more = start > 0
    else:
        after = params.get("starting_after")
        start = _index(ids, after, "starting_after") + 1 if after else 0
        end = start + limit
        has_more = end < len(rows)
    data = [store.present(row) for row in rows[start:end]]
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def _index(ids: list[str], id: str, param: str) -> int:
    if id not in ids:
        raise ApiError(400, f"No such object: '{id}'", code="resource_missing", param=param)
    return ids.index(id)


def _is_in_range(moment: int, wanted: Any) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return moment == wanted
    return all(_COMPARE[word](moment, bound) for word, bound in wanted.items())


def check_expand(kind: str, paths: list[str]) -> None:
    """Refuse, before any work is done, what ``expand`` could not open in an answer of ``kind``.

    A list's kind is ``list:`` and that of its objects. Raises ApiError 400 for more than four
    levels and for a property that is no reference.
    """
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEPTH:
            raise _not_expandable(
                f"You cannot expand more than {DEPTH} levels of a property. Property: {path}"
            )
        kinds: tuple[str, ...] = (kind,)
        for step in steps:
            kinds = tuple(found for each in kinds for found in _found_at(each, step))
            if not kinds:
                hint = f" You may want to try 'data.{path}'." if kind.startswith("list:") else ""
                raise _not_expandable(f"This property cannot be expanded ({path}).{hint}")


def _not_expandable(message: str) -> ApiError:
    return ApiError(400, message, param="expand", stored=False)


def _found_at(kind: str, step: str) -> tuple[str, ...]:
    if kind.startswith("list:"):
        return (kind.removeprefix("list:"),) if step == "data" else ()
    return _REFERENCES.get(kind, {}).get(step, ())


def expand(store: Store, answer: Json, paths: list[str]) -> Json:
    """Put objects in the place of their ids in ``answer``, a copy, along checked dotted paths."""
    for path in paths:
        _open(store, answer, path.split("."))
    return answer


def _open(store: Store, node: Json, steps: list[str]) -> None:
    name, rest = steps[0], steps[1:]
    inside = node.get(name)
    computed = _COMPUTED.get((node.get("object", ""), name))
    if computed is not None and inside is None:
        node[name] = computed(store, node)
    elif isinstance(inside, str):
        found = store.find(inside)
        if found is not None:
            node[name] = store.present(found)
    inside = node.get(name)
    for child in inside if isinstance(inside, list) else [inside]:
        if rest and isinstance(child, dict):
            _open(store, child, rest)


def _line_items(store: Store, session: Json) -> Json:
    stored = store.get("checkout.session", session["id"])
    items = stored["_sandbox"]["line_items"] if stored else []
    tail = session["id"].rsplit("_", 1)[1][:20]
    lines = [objects.line_item(f"li_{tail}{index}", item) for index, item in enumerate(items)]
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return {"object": "list", "data": lines, "has_more": False, "url": url}


def _refunds(store: Store, charge: Json) -> Json:
    rows = [row for row in store.all("refund") if row["charge"] == charge["id"]]
    return page(store, rows, {}, url=f"/v1/charges/{charge['id']}/refunds")


def _invoice_payments(store: Store, invoice: Json) -> Json:
    rows = [row for row in store.all("invoice_payment") if row["invoice"] == invoice["id"]]
    return page(store, rows, {}, url=f"/v1/invoice_payments?invoice={invoice['id']}")


_COMPUTED: dict[tuple[str, str], Callable[[Store, Json], Json]] = {
    ("charge", "refunds"): _refunds,
    ("checkout.session", "line_items"): _line_items,
    ("invoice", "payments"): _invoice_payments,
}
