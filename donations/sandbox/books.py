"""The balance: its transactions and the payouts that empty it. Amounts in cents, signed."""

from __future__ import annotations

from . import objects
from .errors import refused
from .store import Store
from .webhooks import emit
from .wire import Json

SETTLES_AFTER = 2 * objects.DAY


def default_fee(amount: int) -> int:
    """What a card gift costs at 2.2 % + 30 cents, rounded half up: 140 for 5000."""
    return (amount * 22 + 500) // 1000 + 30


def post(
    store: Store,
    *,
    type: str,
    amount: int,
    currency: str,
    fee: int = 0,
    source: str | None = None,
    description: str | None = None,
    category: str | None = None,
    available_on: int | None = None,
) -> Json:
    """Add a balance transaction. Call inside ``store.change()``, as for all below."""
    return store.add(
        objects.balance_transaction(
            store.new_id("txn"),
            created=store.now(),
            type=type,
            amount=amount,
            fee=fee,
            currency=currency,
            source=source,
            description=description,
            category=category,
            available_on=available_on,
        )
    )


def pay_out(store: Store, *, amount: int | None = None, currency: str = "usd") -> Json:
    """Send money to the bank, at once, and say so with ``payout.paid``.

    Without an amount everything not yet paid out goes. Where the amount is exactly the sum of the
    oldest transactions not yet paid out, the payout is automatic: ``balance_transactions?payout=``
    lists those and its own. Any other amount is a manual payout, which Stripe does not break down.
    Raises ApiError 400 where there is nothing to pay out.
    """
    waiting = [
        row
        for row in reversed(store.all("balance_transaction"))
        if row["currency"] == currency and row["_sandbox"]["payout"] is None
    ]
    if amount is None:
        amount = sum(row["net"] for row in waiting)
    if amount <= 0:
        raise refused("There is nothing to pay out.", code="balance_insufficient", param="amount")
    covered = _oldest_that_sum_to(waiting, amount)
    payout = store.add(
        objects.payout(
            store.new_id("po"),
            created=store.now(),
            amount=amount,
            currency=currency,
            is_automatic=bool(covered),
        )
    )
    own = post(
        store,
        type="payout",
        amount=-amount,
        currency=currency,
        source=payout["id"],
        description="STRIPE PAYOUT",
    )
    payout["balance_transaction"] = own["id"]
    for row in [*covered, own]:
        row["_sandbox"]["payout"] = payout["id"]
    emit(store, "payout.paid", payout)
    if covered:
        emit(store, "payout.reconciliation_completed", payout)
    return payout


def fail_payout(store: Store, payout: Json) -> Json:
    """The bank sends a payout back: its money is on the balance again. ApiError 400 if it was."""
    if payout["status"] != "paid":
        raise refused(f"This payout is {payout['status']}.")
    back = post(
        store,
        type="payout_failure",
        amount=payout["amount"],
        currency=payout["currency"],
        source=payout["id"],
        description="STRIPE PAYOUT FAILURE",
    )
    payout.update(
        status="failed",
        failure_balance_transaction=back["id"],
        failure_code="account_closed",
        failure_message="The bank account has been closed.",
    )
    emit(store, "payout.failed", payout)
    return payout


def _oldest_that_sum_to(rows: list[Json], amount: int) -> list[Json]:
    total = 0
    longest = 0
    for count, row in enumerate(rows, start=1):
        total += row["net"]
        if total == amount:
            longest = count
    return rows[:longest]
