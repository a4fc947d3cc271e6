"""Invoices of subscriptions and the attempts to collect them.

Call everything inside ``store.change()``. What an invoice does to its subscription's state is
written in ``subscriptions``.
"""

from __future__ import annotations

from . import objects, payments, recurring_objects
from .store import Store
from .webhooks import emit
from .wire import Json

RETRY_AFTER = 3 * objects.DAY
CARD = "4242"  # what a new customer pays with
NEW_CARD = "4444"  # what a customer pays with after replacing a card


def make(store: Store, subscription: Json, *, reason: str, looks_back_on: tuple[int, int]) -> Json:
    """An open invoice for a subscription's current period, that nobody has tried to collect."""
    item = subscription["items"]["data"][0]
    invoice = store.add(
        recurring_objects.invoice(
            store.new_id("in"),
            line_id=store.new_id("il"),
            number=f"SANDBOX-{len(store.all('invoice')) + 1:04}",
            created=store.now(),
            base_url=store.base_url,
            subscription=subscription,
            customer=payments.required(store.get("customer", subscription["customer"])),
            product=payments.required(store.get("product", item["price"]["product"])),
            reason=reason,
            looks_back_on=looks_back_on,
        )
    )
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def attach(store: Store, invoice: Json, intent: Json) -> Json:
    """Let a PaymentIntent collect an invoice."""
    return store.add(
        recurring_objects.invoice_payment(
            store.new_id("inpay"), created=store.now(), invoice=invoice, intent=intent
        )
    )


def collect(store: Store, invoice: Json, charge: Json) -> None:
    """Mark an invoice as paid by a pending charge, which succeeds; tells no one yet."""
    payment = _payment(store, invoice)
    payments.succeed(_intent(store, payment), charge)
    payment.update(status="paid", amount_paid=invoice["amount_due"])
    payment["status_transitions"]["paid_at"] = store.now()
    if invoice["attempt_count"] == 0:
        invoice["attempt_count"] = 1
    invoice.update(
        status="paid",
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        attempted=True,
        auto_advance=False,
        next_payment_attempt=None,
    )
    invoice["status_transitions"]["paid_at"] = store.now()


def pay(
    store: Store,
    invoice: Json,
    subscription: Json,
    *,
    fee: int | None = None,
    settle_now: bool = True,
    is_retry: bool = False,
) -> None:
    """Collect an open invoice with the customer's card: ``invoice.paid``, ``charge.updated``.

    A retry by the schedule counts as one more attempt, a donor's own payment does not.
    """
    charge = _charge(store, invoice, subscription)
    charge["_sandbox"]["fee"] = fee
    if is_retry:
        invoice["attempt_count"] += 1
    collect(store, invoice, charge)
    emit(store, "invoice.paid", invoice)
    if settle_now:
        payments.settle(store, charge)


def fail(store: Store, invoice: Json, subscription: Json, *, is_final: bool) -> None:
    """The bank refuses the card: one more attempt, and a day for the next unless it is final."""
    charge = _charge(store, invoice, subscription)
    payments.fail(store, _intent(store, _payment(store, invoice)), charge, "generic_decline")
    invoice.update(
        attempt_count=invoice["attempt_count"] + 1,
        attempted=True,
        auto_advance=not is_final,
        next_payment_attempt=None if is_final else store.now() + RETRY_AFTER,
    )
    emit(store, "invoice.payment_failed", invoice)


def set_aside(store: Store, invoice: Json, *, behavior: str) -> None:
    """Do with a fresh invoice what ``pause_collection`` says instead of collecting it."""
    invoice["auto_advance"] = False
    if behavior == "void":
        invoice["status"] = "void"
        invoice["status_transitions"]["voided_at"] = store.now()
        emit(store, "invoice.voided", invoice)
    elif behavior == "mark_uncollectible":
        invoice["status"] = "uncollectible"
        invoice["status_transitions"]["marked_uncollectible_at"] = store.now()
        emit(store, "invoice.marked_uncollectible", invoice)
    else:
        invoice.update(status="draft", hosted_invoice_url=None, effective_at=None)
        invoice["status_transitions"]["finalized_at"] = None


def stop_retries(store: Store, subscription: Json) -> None:
    """A subscription has ended: its open invoices stay open and are not tried again."""
    for invoice in of(store, subscription):
        if invoice["status"] == "open":
            invoice.update(auto_advance=False, next_payment_attempt=None)


def of(store: Store, subscription: Json) -> list[Json]:
    """A subscription's invoices, newest first."""
    return [row for row in store.all("invoice") if subscription_of(row) == subscription["id"]]


def open_one(store: Store, subscription: Json) -> Json | None:
    """The invoice of a subscription that is waiting for a better card."""
    waiting = [row for row in of(store, subscription) if row["status"] == "open"]
    return waiting[0] if waiting else None


def subscription_of(invoice: Json) -> str:
    """The id of an invoice's subscription."""
    id: str = invoice["parent"]["subscription_details"]["subscription"]
    return id


def card_of(customer: Json) -> str:
    """The last four digits of the card that a customer pays with."""
    last4: str = customer.get("_sandbox", {}).get("card", CARD)
    return last4


def _charge(store: Store, invoice: Json, subscription: Json) -> Json:
    """A pending charge of the customer's card for an invoice."""
    customer = payments.required(store.get("customer", invoice["customer"]))
    attached = [row for row in store.all("invoice_payment") if row["invoice"] == invoice["id"]]
    if attached:
        intent = _intent(store, attached[0])
    else:
        intent = store.add(
            objects.payment_intent(
                store.new_id("pi"),
                created=store.now(),
                amount=invoice["amount_due"],
                currency=invoice["currency"],
                customer=customer["id"],
                data={"description": "Subscription update"},
            )
        )
        attach(store, invoice, intent)
    return payments.attempt(
        store,
        intent,
        payments.details(email=customer["email"], name=customer["name"]),
        last4=card_of(customer),
        payment_method=subscription["default_payment_method"],
    )


def _payment(store: Store, invoice: Json) -> Json:
    found = [row for row in store.all("invoice_payment") if row["invoice"] == invoice["id"]]
    return payments.required(found[0] if found else None)


def _intent(store: Store, payment: Json) -> Json:
    return payments.required(store.get("payment_intent", payment["payment"]["payment_intent"]))
