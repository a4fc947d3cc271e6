"""Disputes and inquiries. Call everything inside ``store.change()``; amounts and fees in cents."""

from __future__ import annotations

from . import books, objects
from .errors import refused
from .store import Store
from .webhooks import emit
from .wire import Json

FEE = 1500
OPEN = ("warning_needs_response", "needs_response")


def open_dispute(
    store: Store,
    charge: Json,
    *,
    amount: int | None = None,
    fee: int = FEE,
    is_inquiry: bool = False,
) -> Json:
    """The donor's bank disputes a charge and takes the money and a fee, or only inquires.

    A dispute of a charge with an open inquiry escalates that inquiry. Raises ApiError 400 for a
    charge that was not paid or is disputed already, and for more than it took.
    """
    if charge["status"] != "succeeded":
        raise refused(f"{charge['id']} is {charge['status']}: it cannot be disputed.")
    if amount is None:
        amount = charge["amount"]
    if not 0 < amount <= charge["amount"]:
        raise refused(f"The amount must be 1 to {charge['amount']} cents.", param="amount")
    running = [
        row
        for row in store.all("dispute")
        if row["charge"] == charge["id"] and row["status"] in OPEN
    ]
    if running and (is_inquiry or running[0]["status"] == "needs_response"):
        raise refused(f"{charge['id']} is disputed already: {running[0]['id']}")
    if running:
        item = running[0]
        previous = {"status": item["status"], "is_charge_refundable": True}
        item.update(status="needs_response", is_charge_refundable=False, amount=amount)
        item["payment_method_details"]["card"]["case_type"] = "chargeback"
        _withdraw(store, item, fee)
        emit(store, "charge.dispute.updated", item, previous=previous)
    else:
        item = store.add(
            objects.dispute(
                store.new_id("dp"),
                created=store.now(),
                charge=charge,
                amount=amount,
                is_inquiry=is_inquiry,
            )
        )
        charge["disputed"] = True
        if not is_inquiry:
            _withdraw(store, item, fee)
        emit(store, "charge.dispute.created", item)
    if not is_inquiry:
        emit(store, "charge.dispute.funds_withdrawn", item)
    return item


def close(store: Store, item: Json, *, result: str, fee_returned: int = 0) -> Json:
    """Decide a dispute (``won``, ``lost``) or let an inquiry rest (``warning_closed``).

    A dispute that is won brings the amount back, and of the fee what ``fee_returned`` says.
    """
    wanted = ("warning_closed",) if item["status"] == OPEN[0] else ("won", "lost")
    if item["status"] not in OPEN:
        raise refused(f"{item['id']} is closed already: {item['status']}.")
    if result not in wanted:
        raise refused(
            f"{item['id']} is {item['status']}: it can end as {' or '.join(wanted)}.",
            param="result",
        )
    previous = {"status": item["status"]}
    item["status"] = result
    if result == "won":
        item["is_charge_refundable"] = True
        row = books.post(
            store,
            type="adjustment",
            amount=item["amount"],
            fee=-fee_returned,
            currency=item["currency"],
            source=item["id"],
            description=f"Chargeback reversal for {item['charge']}",
            category="dispute_reversal",
        )
        item["balance_transactions"].append(store.present(row))
        emit(store, "charge.dispute.funds_reinstated", item)
    emit(store, "charge.dispute.closed", item, previous=previous)
    return item


def _withdraw(store: Store, item: Json, fee: int) -> None:
    row = books.post(
        store,
        type="adjustment",
        amount=-item["amount"],
        fee=fee,
        currency=item["currency"],
        source=item["id"],
        description=f"Chargeback withdrawal for {item['charge']}",
        category="dispute",
    )
    item["balance_transactions"].append(store.present(row))
