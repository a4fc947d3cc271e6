"""Payments and refunds: what a donor, a bank and the dashboard do to them.

Every function here writes and must be called inside ``store.change()``. All checks come before
the first write, so a refusal (ApiError 400) leaves everything as it was. Amounts and fees are in
cents, and a fee is exactly what the caller says.
"""

from __future__ import annotations

from . import books, objects
from .errors import ApiError, refused
from .store import Store
from .webhooks import emit
from .wire import Json

EMAIL = "test.donor@example.com"
NAME = "Test Donor"
DECLINES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "lost_card": "Your card was declined.",
    "stolen_card": "Your card was declined.",
}


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
    """The donor finishes an open session: by card, or unpaid by a bank debit that takes days.

    A card payment without ``fee`` costs ``books.default_fee``. With ``settle_now`` false the
    charge has no balance transaction until ``settle``, which remembers the fee given here.
    """
    check_open(session)
    intent = intent_of(store, session)
    payer = donor(store, session, email, name)
    if session["customer"] is None and session["customer_creation"] == "always":
        params = {"email": payer["email"], "name": payer["name"]}
        customer = objects.customer(store.new_id("cus"), created=store.now(), params=params)
        session["customer"] = intent["customer"] = store.add(customer)["id"]
    method, last4 = ("card", "4242") if is_paid else ("us_bank_account", "6789")
    charge = attempt(store, intent, payer, method=method, last4=last4)
    charge["_sandbox"]["fee"] = fee
    session.update(
        status="complete",
        url=None,
        customer_details=payer,
        payment_intent=intent["id"],
        payment_status="paid" if is_paid else "unpaid",
    )
    if is_paid:
        succeed(intent, charge)
        emit(store, "checkout.session.completed", session)
        if settle_now:
            settle(store, charge)
    else:
        intent["status"] = "processing"
        emit(store, "checkout.session.completed", session)
    return session


def decline(
    store: Store,
    session: Json,
    *,
    decline_code: str = "generic_decline",
    email: str | None = None,
    name: str | None = None,
) -> Json:
    """The donor's card is refused; the session stays open for another try.

    A session for a subscription does not name its PaymentIntent, and makes no subscription yet.
    """
    check_open(session)
    intent = intent_of(store, session)
    charge = attempt(store, intent, donor(store, session, email, name), last4="0002")
    session["_sandbox"]["payment_intent"] = intent["id"]
    if session["mode"] == "payment":
        session["payment_intent"] = intent["id"]
    fail(store, intent, charge, decline_code)
    return session


def finish_debit(store: Store, intent: Json, *, succeeded: bool, fee: int | None = None) -> Json:
    """A bank debit's outcome, days after its session was completed."""
    if intent["status"] != "processing":
        raise refused(f"{intent['id']} is {intent['status']}: no bank debit is under way.")
    charge = _latest_charge(store, intent)
    session = _session(store, intent)
    if succeeded:
        succeed(intent, charge)
        session["payment_status"] = "paid"
        emit(store, "checkout.session.async_payment_succeeded", session)
        settle(store, charge, fee=fee)
    else:
        fail(store, intent, charge, "insufficient_funds")
        emit(store, "checkout.session.async_payment_failed", session)
    return intent


def settle(store: Store, charge: Json, *, fee: int | None = None) -> Json:
    """Stripe learns the fee: the charge gets its balance transaction and ``charge.updated``."""
    if charge["status"] != "succeeded":
        raise refused(f"{charge['id']} is {charge['status']}: there is nothing to settle.")
    if charge["balance_transaction"] is not None:
        raise refused(f"{charge['id']} is settled already.")
    if fee is None:
        fee = charge["_sandbox"]["fee"]
    is_card = charge["payment_method_details"]["type"] == "card"
    row = books.post(
        store,
        type="charge" if is_card else "payment",
        amount=charge["amount"],
        fee=books.default_fee(charge["amount"]) if fee is None else fee,
        currency=charge["currency"],
        source=charge["id"],
        description=charge["description"],
        available_on=store.now() + books.SETTLES_AFTER,
    )
    charge["balance_transaction"] = row["id"]
    emit(store, "charge.updated", charge, previous={"balance_transaction": None})
    return charge


def refund(
    store: Store,
    charge: Json,
    *,
    amount: int | None = None,
    reason: str | None = None,
    metadata: Json | None = None,
    is_pending: bool = False,
) -> Json:
    """Give money back: all that is left of the charge, or ``amount`` of it.

    Raises ApiError 400 for a charge that was not paid, is refunded in full
    (``charge_already_refunded``) or charged back (``charge_disputed``), and for more than is left.
    """
    if charge["status"] != "succeeded":
        raise refused(f"{charge['id']} is {charge['status']}: it has nothing to refund.")
    if any(
        row["charge"] == charge["id"] and not row["is_charge_refundable"]
        for row in store.all("dispute")
    ):
        raise refused(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise refused(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if amount is None:
        amount = left
    if amount <= 0:
        raise refused(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount > left:
        raise refused(
            f"Refund amount ({amount} cents) is greater than unrefunded amount on charge "
            f"({left} cents)",
            param="amount",
        )
    item = store.add(
        objects.refund(
            store.new_id("re"),
            created=store.now(),
            charge=charge,
            amount=amount,
            reason=reason,
            metadata=metadata or {},
        )
    )
    previous = {name: charge[name] for name in ("amount_refunded", "refunded")}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    if not is_pending:
        _move_refund(store, item, charge)
    emit(store, "refund.created", item)
    emit(store, "charge.refunded", charge, previous=previous)
    return item


def succeed_refund(store: Store, item: Json) -> Json:
    """A pending refund arrives."""
    if item["status"] != "pending":
        raise refused(f"{item['id']} is {item['status']}, not pending.")
    _move_refund(store, item, _charge(store, item["charge"]))
    emit(store, "refund.updated", item, previous={"status": "pending"})
    return item


def fail_refund(store: Store, item: Json, *, reason: str = "expired_or_canceled_card") -> Json:
    """The donor's bank sends a refund back, days later; the money is ours again."""
    if item["status"] not in ("pending", "succeeded"):
        raise refused(f"{item['id']} is {item['status']}: it cannot fail.")
    charge = _charge(store, item["charge"])
    previous = {"status": item["status"], "failure_reason": None}
    if item["status"] == "succeeded":
        row = books.post(
            store,
            type="refund_failure",
            amount=item["amount"],
            currency=item["currency"],
            source=item["id"],
            description="REFUND FAILURE",
        )
        item["failure_balance_transaction"] = row["id"]
    item.update(status="failed", failure_reason=reason)
    charge["amount_refunded"] -= item["amount"]
    charge["refunded"] = False
    emit(store, "refund.updated", item, previous=previous)
    emit(store, "refund.failed", item)
    return item


def charge_of(store: Store, intent: Json) -> Json:
    """The succeeded charge of a PaymentIntent; ApiError 400 where none is."""
    if intent["status"] != "succeeded":
        raise refused(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    return _latest_charge(store, intent)


def cancel(intent: Json, *, at: int) -> None:
    """An attempted payment ends with its session."""
    intent.update(status="canceled", canceled_at=at, cancellation_reason="automatic")


def check_open(session: Json) -> None:
    """Refuse a session that is over."""
    if session["status"] != "open":
        raise refused(f"This Checkout Session is {session['status']}, not open: {session['id']}")


def attempted(store: Store, session: Json) -> Json | None:
    """The PaymentIntent that an open session's attempts so far were made with."""
    known = session["payment_intent"] or session["_sandbox"].get("payment_intent")
    return store.get("payment_intent", known or "")


def intent_of(store: Store, session: Json) -> Json:
    """The PaymentIntent of a session; the first attempt makes it.

    A subscription's has no metadata: Stripe copies none to it.
    """
    known = attempted(store, session)
    if known is not None:
        return known
    data = session["_sandbox"]["payment_intent_data"]
    if session["mode"] == "subscription":
        data = {"description": "Subscription creation"}
    return store.add(
        objects.payment_intent(
            store.new_id("pi"),
            created=store.now(),
            amount=session["amount_total"],
            currency=session["currency"],
            customer=session["customer"],
            data=data,
        )
    )


def donor(store: Store, session: Json, email: str | None, name: str | None) -> Json:
    """Who pays, as the session's ``customer_details`` tell it."""
    customer = store.get("customer", session["customer"] or "") or {}
    return details(
        email=email or session["customer_email"] or customer.get("email"),
        name=name or customer.get("name"),
    )


def details(*, email: str | None, name: str | None) -> Json:
    """A payer with an address in Arvada; a test donor stands in for what is not known."""
    return {
        "address": {**objects.NO_ADDRESS, "country": "US", "postal_code": "80002"},
        "business_name": None,
        "email": email or EMAIL,
        "individual_name": None,
        "name": name or NAME,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def attempt(
    store: Store,
    intent: Json,
    payer: Json,
    *,
    method: str = "card",
    last4: str,
    payment_method: str | None = None,
) -> Json:
    """Begin to charge: a pending charge, with a payment method of its own unless one is given."""
    charge = objects.charge(
        store.new_id("ch" if method == "card" else "py"),
        created=store.now(),
        intent=intent,
        method=method,
        last4=last4,
        details=payer,
        payment_method=payment_method or store.new_id("pm"),
    )
    intent["latest_charge"] = charge["id"]
    intent["payment_method"] = charge["payment_method"]
    intent["payment_method_types"] = [method]
    return store.add(charge)


def succeed(intent: Json, charge: Json) -> None:
    """The bank says yes to a pending charge."""
    charge.update(
        status="succeeded",
        paid=True,
        captured=True,
        amount_captured=charge["amount"],
        outcome=objects.outcome(
            "authorized", message="Payment complete.", network="approved_by_network"
        ),
    )
    intent.update(status="succeeded", amount_received=intent["amount"], last_payment_error=None)


def fail(store: Store, intent: Json, charge: Json, decline_code: str) -> None:
    """The bank says no to a pending charge: ``payment_intent.payment_failed``."""
    is_card = charge["payment_method_details"]["type"] == "card"
    code = "card_declined" if is_card else decline_code
    message = DECLINES.get(decline_code, DECLINES["generic_decline"])
    charge.update(
        status="failed",
        failure_code=code,
        failure_message=message,
        outcome=objects.outcome(
            "issuer_declined",
            message="The bank did not approve the payment.",
            network="declined_by_network",
            reason=decline_code,
        ),
    )
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        last_payment_error={
            "charge": charge["id"],
            "code": code,
            "decline_code": decline_code if is_card else None,
            "message": message,
            "payment_method_type": charge["payment_method_details"]["type"],
            "type": "card_error" if is_card else "invalid_request_error",
        },
    )
    emit(store, "payment_intent.payment_failed", intent)


def _move_refund(store: Store, item: Json, charge: Json) -> None:
    is_card = charge["payment_method_details"]["type"] == "card"
    row = books.post(
        store,
        type="refund" if is_card else "payment_refund",
        amount=-item["amount"],
        currency=item["currency"],
        source=item["id"],
        description="REFUND FOR CHARGE",
    )
    item.update(status="succeeded", balance_transaction=row["id"])


def _charge(store: Store, id: str) -> Json:
    return required(store.get("charge", id))


def _latest_charge(store: Store, intent: Json) -> Json:
    return _charge(store, intent["latest_charge"])


def _session(store: Store, intent: Json) -> Json:
    found = [row for row in store.all("checkout.session") if row["payment_intent"] == intent["id"]]
    return required(found[0] if found else None)


def required(item: Json | None) -> Json:
    """What must be there since another object names it."""
    if item is None:
        raise ApiError(500, "The sandbox has lost an object.", type="api_error")
    return item
