"""Checkout Sessions: the rules of their creation and their end by time."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from . import objects, payments
from .errors import missing, no_such, not_spoken, refused
from .store import Store
from .webhooks import emit
from .wire import Json

HALF_HOUR = 1800
MINIMUM = {"usd": 50, "eur": 50, "gbp": 30}  # cents and pence; other currencies are refused
MAXIMUM = 99_999_999
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def create(store: Store, params: Json) -> Json:
    """Open a session for a one-time payment. Call inside ``store.change()``.

    ``params`` have passed ``lint.coerce``. Raises ApiError 400 where they break a rule of Stripe's
    (expiry 30 minutes to 24 hours ahead, whole and large enough amounts, one currency, data of
    one mode only) or ask for what the sandbox does not speak.
    """
    _check_mode(params)
    _check_addresses(params)
    _check_customer(store, params)
    _check_expiry(params.get("expires_at"), store.now())
    _check_payment_data(params.get("payment_intent_data", {}))
    amount = _total(params.get("line_items", []))
    return store.add(
        objects.checkout_session(
            store.new_id("cs_test", 58),
            created=store.now(),
            base_url=store.base_url,
            params=params,
            amount=amount,
        )
    )


def expire(store: Store, session: Json) -> Json:
    """End an open session; ApiError 400 for any other. Call inside ``store.change()``."""
    if session["status"] != "open":
        raise refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {session['status']}."
        )
    session.update(status="expired", url=None)
    intent = store.get("payment_intent", session["payment_intent"] or "")
    if intent is not None:
        payments.cancel(intent, at=store.now())
    emit(store, "checkout.session.expired", session)
    return session


def expire_due(store: Store) -> None:
    """End every open session whose time has passed."""
    with store.lock:
        now = store.now()
        due = [
            row
            for row in store.all("checkout.session")
            if row["status"] == "open" and row["expires_at"] <= now
        ]
        if due:
            with store.change():
                for session in reversed(due):
                    expire(store, session)


def move(store: Store, base_url: str) -> None:
    """Give open sessions the address that the sandbox answers at since it was started again."""
    with store.change():
        store.base_url = base_url
        for session in store.all("checkout.session"):
            if session["url"]:
                session["url"] = f"{base_url}/c/pay/{session['id']}"


def _check_mode(params: Json) -> None:
    mode = params.get("mode")
    if mode is None:
        raise missing("mode")
    for data, own_mode in (
        ("payment_intent_data", "payment"),
        ("subscription_data", "subscription"),
    ):
        if data in params and mode != own_mode:
            raise refused(f"You can not pass `{data}` in `{mode}` mode.", param=data)
    if mode == "subscription":
        raise not_spoken("subscriptions (mode=subscription)", param="mode")
    if mode != "payment":
        raise not_spoken(f"mode={mode}", param="mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_spoken(f"ui_mode={params['ui_mode']}", param="ui_mode")


def _check_addresses(params: Json) -> None:
    if "success_url" not in params:
        raise missing("success_url")
    for name in ("success_url", "cancel_url"):
        parts = urlsplit(params.get(name, "https://example.com/"))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise refused("Not a valid URL", param=name, code="url_invalid")


def _check_customer(store: Store, params: Json) -> None:
    if "customer" in params and "customer_email" in params:
        raise refused(
            "You may only specify one of these parameters: customer, customer_email.",
            param="customer",
        )
    if "customer" in params and store.get("customer", params["customer"]) is None:
        raise no_such("customer", params["customer"], param="customer", status=400)
    email = params.get("customer_email")
    if email is not None and not EMAIL.fullmatch(email):
        raise refused(
            f"Invalid email address: {email}", param="customer_email", code="email_invalid"
        )
    if len(params.get("client_reference_id", "")) > 200:
        raise refused("Invalid string: must be at most 200 characters", param="client_reference_id")


def _check_expiry(expires_at: int | None, now: int) -> None:
    if expires_at is None:
        return
    if expires_at < now + HALF_HOUR:
        raise refused(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session "
            "creation.",
            param="expires_at",
        )
    if expires_at > now + objects.DAY:
        raise refused(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )


def _check_payment_data(data: Json) -> None:
    for name in data.keys() - {
        "description",
        "metadata",
        "receipt_email",
        "statement_descriptor_suffix",
    }:
        raise not_spoken(f"payment_intent_data[{name}]", param=f"payment_intent_data[{name}]")
    suffix = data.get("statement_descriptor_suffix")
    if suffix is not None and (
        len(suffix) > 22 or re.search(r"[<>\\'\"*]", suffix) or not re.search("[A-Za-z]", suffix)
    ):
        raise refused(
            "The statement descriptor suffix must have a letter, at most 22 characters and none "
            "of < > \\ ' \" *.",
            param="payment_intent_data[statement_descriptor_suffix]",
        )


def _total(items: list[Json]) -> int:
    if not items:
        raise missing("line_items")
    currencies = {_check_item(item, f"line_items[{i}]") for i, item in enumerate(items)}
    if len(currencies) > 1:
        raise refused("All line items must have the same currency.", param="line_items")
    currency = currencies.pop()
    total: int = sum(item["price_data"]["unit_amount"] * item["quantity"] for item in items)
    if total < MINIMUM[currency]:
        raise refused(
            f"The Checkout Session's total amount due must add up to at least "
            f"{MINIMUM[currency]} cents {currency}",
            code="amount_too_small",
            param="line_items",
        )
    if total > MAXIMUM:
        raise refused(
            f"The total amount due must be at most {MAXIMUM} cents {currency}",
            code="amount_too_large",
            param="line_items",
        )
    return total


def _check_item(item: Json, path: str) -> str:
    """Check one line and return its currency."""
    for name in item.keys() - {"price_data", "quantity", "metadata", "price"}:
        raise not_spoken(f"{path}[{name}]", param=f"{path}[{name}]")
    if "price" in item:
        raise no_such("price", item["price"], param=f"{path}[price]", status=400)
    if "price_data" not in item:
        raise missing(f"{path}[price_data]")
    if "quantity" not in item:
        raise missing(f"{path}[quantity]")
    if item["quantity"] < 1:
        raise _below_one(f"{path}[quantity]")
    price, path = item["price_data"], f"{path}[price_data]"
    if "unit_amount_decimal" in price:
        raise not_spoken(f"{path}[unit_amount_decimal]", param=f"{path}[unit_amount_decimal]")
    if "recurring" in price:
        raise refused(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            param="mode",
        )
    if "product" in price:
        raise no_such("product", price["product"], param=f"{path}[product]", status=400)
    if "product_data" not in price:
        raise missing(f"{path}[product_data]")
    if "unit_amount" not in price:
        raise missing(f"{path}[unit_amount]")
    if price["unit_amount"] < 1:
        raise _below_one(f"{path}[unit_amount]")
    currency: str = price["currency"]
    if currency not in MINIMUM:
        raise refused(
            f"Invalid currency: {currency}. The sandbox takes {', '.join(MINIMUM)}.",
            param=f"{path}[currency]",
        )
    return currency


def _below_one(param: str) -> Exception:
    return refused(
        "This value must be greater than or equal to 1.",
        code="parameter_invalid_integer",
        param=param,
    )
