"""Subscriptions: how they begin, renew, are paid after a failure, and end.

Every function here writes and must be called inside ``store.change()``. All checks come before
the first write, so a refusal (ApiError 400) leaves everything as it was. Amounts and fees are in
cents, and a fee is exactly what the caller says.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime

from . import invoices, objects, payments, recurring_objects
from .errors import no_such, refused
from .store import Store
from .webhooks import emit
from .wire import Json

ENDED = ("canceled", "incomplete_expired")
_EVERY_MONTHS = {"month": 1, "year": 12}
_EVERY_DAYS = {"day": 1, "week": 7}


def start(
    store: Store,
    session: Json,
    *,
    fee: int | None = None,
    settle_now: bool = True,
    email: str | None = None,
    name: str | None = None,
) -> Json:
    """The donor finishes an open session in subscription mode by card; returns the session.

    Makes the customer (unless the session names one), the product, the subscription and its first
    invoice, paid. Without ``fee`` it costs ``books.default_fee``; with ``settle_now`` false the
    charge has no balance transaction until ``payments.settle``.
    """
    payments.check_open(session)
    payer = payments.donor(store, session, email, name)
    intent = payments.intent_of(store, session)
    customer = store.get("customer", session["customer"] or "")
    if customer is None:
        params = {"email": payer["email"], "name": payer["name"]}
        customer = store.add(
            objects.customer(store.new_id("cus"), created=store.now(), params=params)
        )
    intent["customer"] = customer["id"]
    charge = payments.attempt(store, intent, payer, last4=invoices.card_of(customer))
    charge["_sandbox"]["fee"] = fee
    subscription = _create(store, session, customer, charge["payment_method"])
    now = store.now()
    invoice = invoices.make(
        store, subscription, reason="subscription_create", looks_back_on=(now, now)
    )
    invoices.attach(store, invoice, intent)
    invoices.collect(store, invoice, charge)
    session.update(
        status="complete",
        url=None,
        customer=customer["id"],
        customer_details=payer,
        invoice=invoice["id"],
        payment_status="paid",
        subscription=subscription["id"],
    )
    emit(store, "checkout.session.completed", session)
    emit(store, "customer.subscription.created", subscription)
    emit(store, "invoice.paid", invoice)
    if settle_now:
        payments.settle(store, charge)
    return session


def cancel(store: Store, subscription: Json) -> Json:
    """End a subscription at once; ApiError 404, as with Stripe, for one that has ended."""
    if subscription["status"] in ENDED:
        raise no_such("subscription", subscription["id"])
    return _end(store, subscription, reason="cancellation_requested")


def renew(
    store: Store,
    subscription: Json,
    *,
    result: str,
    fee: int | None = None,
    settle_now: bool = True,
) -> Json:
    """The next payment is ``paid``, ``failed``, or failed for the last time (``final_failure``).

    With an invoice open that is the next attempt at this invoice. Otherwise the next period
    begins, with an invoice of its own; where collection is paused nobody tries to collect it. A
    subscription that is canceled at the end of its period ends instead. Raises ApiError 400 for
    one that has ended.
    """
    if subscription["status"] in ENDED:
        raise refused(f"{subscription['id']} is {subscription['status']}: it cannot be renewed.")
    invoice = invoices.open_one(store, subscription)
    if invoice is None:
        if subscription["cancel_at_period_end"]:
            return _end(store, subscription, reason="cancellation_requested")
        invoice = _begin_period(store, subscription)
        if subscription["pause_collection"] is not None:
            behavior = subscription["pause_collection"]["behavior"]
            invoices.set_aside(store, invoice, behavior=behavior)
            return subscription
    before = store.present(subscription)
    if result == "paid":
        invoices.pay(store, invoice, subscription, fee=fee, settle_now=settle_now, is_retry=True)
        subscription["status"] = "active"
        announce(store, subscription, before)
    elif result == "failed":
        invoices.fail(store, invoice, subscription, is_final=False)
        subscription["status"] = "past_due"
        announce(store, subscription, before)
    else:
        invoices.fail(store, invoice, subscription, is_final=True)
        _end(store, subscription, reason="payment_failed")
    return subscription


def pay_invoice(store: Store, invoice: Json) -> None:
    """The donor pays an open invoice with a new card, which the subscription keeps.

    The subscription is active again unless it has ended.
    """
    subscription = payments.required(store.get("subscription", invoices.subscription_of(invoice)))
    customer = payments.required(store.get("customer", invoice["customer"]))
    _pay_with(store, subscription, invoice, _new_card(store, customer))


def replace_card(store: Store, customer: Json) -> None:
    """The donor gives a card that works; every subscription uses it and open invoices are paid."""
    card = _new_card(store, customer)
    for subscription in running(store, customer):
        _pay_with(store, subscription, invoices.open_one(store, subscription), card)


def running(store: Store, customer: Json) -> list[Json]:
    """A customer's subscriptions that have not ended, newest first."""
    return [
        row
        for row in store.all("subscription")
        if row["customer"] == customer["id"] and row["status"] not in ENDED
    ]


def resume_due(store: Store) -> None:
    """Resume collection wherever ``pause_collection[resumes_at]`` has passed."""
    with store.lock:
        due = [row for row in store.all("subscription") if _is_pause_over(row, store.now())]
        if due:
            with store.change():
                for subscription in reversed(due):
                    before = store.present(subscription)
                    subscription["pause_collection"] = None
                    announce(store, subscription, before)


def say_why(subscription: Json, reason: str | None) -> None:
    """Note why a subscription ends, or with None that it does not."""
    subscription["cancellation_details"] = {"comment": None, "feedback": None, "reason": reason}


def announce(store: Store, subscription: Json, before: Json) -> None:
    """Send ``customer.subscription.updated`` if anything is no longer as it was ``before``."""
    now = store.present(subscription)
    previous = {name: old for name, old in before.items() if now[name] != old}
    if previous:
        emit(store, "customer.subscription.updated", subscription, previous=previous)


def period_end(anchor: int, start: int, recurring: Json) -> int:
    """The end of the period that begins at ``start``, all in Unix seconds, counted in UTC.

    Months keep the anchor's day where they have it: 31 January, 28 February, 31 March.
    """
    interval, count = recurring["interval"], recurring["interval_count"]
    if interval in _EVERY_DAYS:
        days: int = _EVERY_DAYS[interval] * count
        return start + days * objects.DAY
    first, current = datetime.fromtimestamp(anchor, UTC), datetime.fromtimestamp(start, UTC)
    passed = (current.year - first.year) * 12 + current.month - first.month
    years, month = divmod(first.month - 1 + passed + _EVERY_MONTHS[interval] * count, 12)
    year = first.year + years
    day = min(first.day, monthrange(year, month + 1)[1])
    return int(first.replace(year=year, month=month + 1, day=day).timestamp())


def _create(store: Store, session: Json, customer: Json, payment_method: str) -> Json:
    line = session["_sandbox"]["line_items"][0]
    data, now = line["price_data"], store.now()
    if "product" in data:
        product_id = data["product"]
    else:
        product = recurring_objects.product(
            store.new_id("prod"), created=now, params=data["product_data"]
        )
        product_id = store.add(product)["id"]
    price = recurring_objects.price(
        store.new_id("price"), created=now, product=product_id, data=data
    )
    return store.add(
        recurring_objects.subscription(
            store.new_id("sub"),
            item_id=store.new_id("si"),
            created=now,
            period_end=period_end(now, now, price["recurring"]),
            customer=customer["id"],
            price=price,
            quantity=line["quantity"],
            payment_method=payment_method,
            data=session["_sandbox"]["subscription_data"],
        )
    )


def _begin_period(store: Store, subscription: Json) -> Json:
    before = store.present(subscription)
    item = subscription["items"]["data"][0]
    old = (item["current_period_start"], item["current_period_end"])
    item["current_period_start"] = old[1]
    item["current_period_end"] = period_end(
        subscription["billing_cycle_anchor"], old[1], item["price"]["recurring"]
    )
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    invoice = invoices.make(store, subscription, reason="subscription_cycle", looks_back_on=old)
    announce(store, subscription, before)
    return invoice


def _end(store: Store, subscription: Json, *, reason: str) -> Json:
    subscription["canceled_at"] = subscription["canceled_at"] or store.now()
    subscription.update(status="canceled", ended_at=store.now())
    say_why(subscription, reason)
    invoices.stop_retries(store, subscription)
    emit(store, "customer.subscription.deleted", subscription)
    return subscription


def _new_card(store: Store, customer: Json) -> str:
    """Give a customer a new card, a payment method, and return its id."""
    customer["_sandbox"] = {"card": invoices.NEW_CARD}
    card = store.new_id("pm")
    customer["invoice_settings"]["default_payment_method"] = card
    return card


def _pay_with(store: Store, subscription: Json, invoice: Json | None, card: str) -> None:
    before = store.present(subscription)
    subscription["default_payment_method"] = card
    if invoice is not None:
        invoices.pay(store, invoice, subscription)
    if subscription["status"] in ENDED:
        return
    if invoice is not None:
        subscription["status"] = "active"
    announce(store, subscription, before)


def _is_pause_over(subscription: Json, now: int) -> bool:
    pause = subscription["pause_collection"]
    return (
        pause is not None
        and pause["resumes_at"] is not None
        and pause["resumes_at"] <= now
        and subscription["status"] not in ENDED
    )
