"""Checkout Sessions: the rules of their creation and their end by time."""

from __future__ import annotations

import re

from . import addresses, objects, payments, prices, subscriptions
from .errors import missing, no_such, not_spoken, refused
from .store import Store
from .webhooks import emit
from .wire import Json

HALF_HOUR = 1800
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def create(store: Store, params: Json) -> Json:
    """Open a session for a one-time payment or a subscription. Call inside ``store.change()``.

    ``params`` have passed ``lint.coerce``. Raises ApiError 400 where they break a rule of Stripe's
    (expiry 30 minutes to 24 hours ahead, whole and large enough amounts, one currency, data of
    one mode only) or ask for what the sandbox does not speak.
    """
    _check_mode(params)
    _check_addresses(params)
    _check_customer(store, params)
    _check_expiry(params.get("expires_at"), store.now())
    _check_payment_data(params.get("payment_intent_data", {}))
    _check_subscription_data(params.get("subscription_data", {}))
    amount = _total(store, params.get("line_items", []), mode=params["mode"])
    _name_products(store, params["line_items"])
    return store.add(
        objects.checkout_session(
            store.new_id("cs_test", 58),
            created=store.now(),
            base_url=store.base_url,
            params=params,
            amount=amount,
        )
    )


def complete(
    store: Store,
    session: Json,
    *,
    is_paid: bool = True,
    fee: int | None = None,
    settle_now: bool = True,
    email: str | None = None,
    name: str | None = None,
) -> Json:
    """The donor finishes an open session; see ``payments.complete``, ``subscriptions.start``."""
    if session["mode"] == "payment":
        return payments.complete(
            store,
            session,
            is_paid=is_paid,
            fee=fee,
            settle_now=settle_now,
            email=email,
            name=name,
        )
    if not is_paid:
        raise not_spoken("a subscription by bank debit", param="payment_status")
    return subscriptions.start(
        store, session, fee=fee, settle_now=settle_now, email=email, name=name
    )


def expire(store: Store, session: Json) -> Json:
    """End an open session; ApiError 400 for any other. Call inside ``store.change()``."""
    if session["status"] != "open":
        raise refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {session['status']}."
        )
    session.update(status="expired", url=None)
    intent = payments.attempted(store, session)
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
    if mode not in ("payment", "subscription"):
        raise not_spoken(f"mode={mode}", param="mode")
    if mode == "subscription" and "customer_creation" in params:
        raise refused(
            "`customer_creation` can only be used in `payment` mode.", param="customer_creation"
        )
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_spoken(f"ui_mode={params['ui_mode']}", param="ui_mode")


def _check_addresses(params: Json) -> None:
    if "success_url" not in params:
        raise missing("success_url")
    for name in ("success_url", "cancel_url"):
        if name in params:
            addresses.check(params[name], name)


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


def _check_subscription_data(data: Json) -> None:
    for name in data.keys() - {"description", "metadata"}:
        raise not_spoken(f"subscription_data[{name}]", param=f"subscription_data[{name}]")


def _name_products(store: Store, items: list[Json]) -> None:
    """Give a line that names a product what the page shows of it."""
    for item in items:
        product = store.get("product", item["price_data"].get("product", ""))
        if product is not None:
            item["price_data"]["product_data"] = {
                "name": product["name"],
                "description": product["description"] or "",
            }


def _total(store: Store, items: list[Json], *, mode: str) -> int:
    if not items:
        raise missing("line_items")
    if mode == "subscription" and len(items) > 1:
        raise not_spoken("a subscription of more than one line", param="line_items")
    currencies = {
        _check_item(store, item, f"line_items[{i}]", mode=mode) for i, item in enumerate(items)
    }
    if len(currencies) > 1:
        raise refused("All line items must have the same currency.", param="line_items")
    currency = currencies.pop()
    total: int = sum(item["price_data"]["unit_amount"] * item["quantity"] for item in items)
    prices.check_total(
        total, currency, what="The Checkout Session's total amount due", param="line_items"
    )
    return total


def _check_item(store: Store, item: Json, path: str, *, mode: str) -> str:
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
        raise prices.below_one(f"{path}[quantity]")
    price = item["price_data"]
    if "recurring" in price and mode == "payment":
        raise refused(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            param="mode",
        )
    if "recurring" not in price and mode == "subscription":
        raise refused(
            "You must provide at least one recurring price in `subscription` mode when using "
            "prices.",
            param="mode",
        )
    return prices.check(store, price, f"{path}[price_data]")
