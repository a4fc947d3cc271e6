"""What the rest of the app may ask of a card processor, and what it gets to see.

Amounts are whole cents, currencies are ISO codes in capitals, moments are aware and in UTC.
`gift_token` is the token of our gift or trip fee as we gave it to the processor, empty where there
is none.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class ProviderDown(Exception):
    """No usable answer: try again later. What was asked for may or may not have happened.

    `is_key_spent`: the processor keeps its error under our key and would only repeat it.
    """

    def __init__(self, reason: str, *, is_key_spent: bool = False) -> None:
        super().__init__(reason)
        self.is_key_spent = is_key_spent


class ProviderRefused(Exception):
    """The processor understood and said no; asking the same again will not help.

    `param` names the field that it did not like, if it said so.
    """

    def __init__(self, reason: str, *, param: str = "") -> None:
        super().__init__(reason)
        self.param = param


class NotFound(ProviderRefused):
    """The processor knows no such object."""


class BadSignature(Exception):
    """This event was not signed by the processor with one of our secrets in the last minutes."""


@dataclass(frozen=True)
class CheckoutRef:
    session_id: str
    url: str
    expires_at: dt.datetime


@dataclass(frozen=True)
class TxnSnap:
    """A movement of the balance: net = amount - fee, amount signed from our point of view.

    `payment_ref` is the payment that it belongs to, empty for payouts, fees and the like.
    """

    id: str
    type: str
    amount_cents: int
    fee_cents: int
    currency: str
    created_at: dt.datetime
    source: str = ""
    payment_ref: str = ""


@dataclass(frozen=True)
class PayoutSnap:
    """Money on its way to the bank. `status`: pending, in_transit, paid, failed or canceled.

    `is_listed` says that `payout_txns` is complete; never so for one that was asked for by hand.
    `txn` took the money from the balance, `failure_txn` brought it back.
    """

    payout_ref: str
    amount_cents: int
    currency: str
    arrives_on: dt.date
    status: str
    is_automatic: bool
    is_listed: bool
    txn: TxnSnap | None
    failure_txn: TxnSnap | None


@dataclass(frozen=True)
class RefundSnap:
    """`status`: pending, requires_action, succeeded, failed or canceled; `refund_token` is that of
    our refund, empty for one that was made in the dashboard.
    """

    id: str
    amount_cents: int
    status: str
    refund_token: str
    created_at: dt.datetime
    txn: TxnSnap | None
    failure_txn: TxnSnap | None


@dataclass(frozen=True)
class DisputeSnap:
    """`txns` are what it moved: none for an inquiry, one when withdrawn, two when given back.
    `due_at` is when the bank wants an answer.
    """

    id: str
    amount_cents: int
    currency: str
    status: str
    reason: str
    due_at: dt.datetime | None
    opened_at: dt.datetime
    is_charge_refundable: bool
    txns: tuple[TxnSnap, ...] = ()


@dataclass(frozen=True)
class CheckoutSnap:
    """A payment page. `status`: open, complete or expired; `payment_status`: paid or unpaid."""

    session_id: str
    status: str
    payment_status: str
    amount_cents: int
    currency: str
    livemode: bool
    gift_token: str
    attempt: str
    payment_ref: str
    plan_ref: str = ""


@dataclass(frozen=True)
class PageSnap:
    """A payment page with all that was said when it was opened. `url` is empty once it has ended;
    `words` is its metadata.
    """

    checkout: CheckoutSnap
    url: str
    email: str
    created_at: dt.datetime
    expires_at: dt.datetime
    words: Mapping[str, str]


@dataclass(frozen=True)
class PlanSnap:
    """A gift that repeats, as it is now. `status`: incomplete, incomplete_expired, trialing,
    active, past_due, unpaid, paused or canceled.

    `period_ends_at` is when the next charge is due. `is_paused` says that charges are left out
    until `paused_until`, or until further notice where that is None. `end_reason` is
    `payment_failed` where no card could be charged any more. `item_ref` and `product_ref` are
    what a change of the amount must name.
    """

    plan_ref: str
    status: str
    amount_cents: int
    currency: str
    interval: str
    interval_count: int
    livemode: bool
    plan_token: str
    attempt: str
    customer_ref: str
    period_ends_at: dt.datetime
    anchored_at: dt.datetime
    cancels_at_end: bool
    is_paused: bool
    paused_until: dt.datetime | None
    ended_at: dt.datetime | None
    end_reason: str
    invoice_ref: str
    item_ref: str
    product_ref: str


@dataclass(frozen=True)
class InvoiceSnap:
    """One charge of a gift that repeats. `status`: draft, open, paid, void or uncollectible.

    `attempts` counts the tries to charge the card; `next_attempt_at` is None when there will be no
    other. `pay_url` is the processor's page on which the donor can pay it with another card.
    """

    invoice_ref: str
    plan_ref: str
    plan_token: str
    status: str
    is_first: bool
    amount_cents: int
    currency: str
    livemode: bool
    payment_ref: str
    attempts: int
    next_attempt_at: dt.datetime | None
    pay_url: str


@dataclass(frozen=True)
class PaymentSnap:
    """A payment as it is now. `txn` is None until the processor knows its fee.

    `status`: succeeded, processing, requires_payment_method, canceled and others. `charged_at` is
    when the last charge was made, whatever became of it.
    """

    payment_ref: str
    status: str
    gross_cents: int
    currency: str
    livemode: bool
    gift_token: str
    attempt: str
    method: str
    charged_at: dt.datetime | None
    txn: TxnSnap | None
    refunds: tuple[RefundSnap, ...] = ()
    disputes: tuple[DisputeSnap, ...] = ()

    @property
    def has_succeeded(self) -> bool:
        return self.status == "succeeded"


@dataclass(frozen=True)
class EventHint:
    """That something happened to an object. `refs` holds what leads to our gift, if it was said:
    `session`, `payment`, `gift` (the token of a gift or a trip fee), and of one that repeats `plan`
    (our token), `subscription`, `invoice`. `claimed_cents` is what the event says of the amount;
    it is only ever compared, never booked.
    """

    id: str
    type: str
    object_type: str
    object_id: str
    livemode: bool
    refs: Mapping[str, str] = field(default_factory=dict)
    claimed_cents: int | None = None
    api_version: str = ""


class Provider(Protocol):
    """Every method but `verify_event` and `read_event` speaks over the network and raises
    `ProviderDown` or `ProviderRefused`; none may be called inside a transaction.
    """

    @property
    def api_version(self) -> str:
        """The version of the processor's interface that this code was written for."""
        ...

    @property
    def spoken_version(self) -> str:
        """The version that the installed library speaks."""
        ...

    def start_checkout(self, *, key: str, params: Mapping[str, Any]) -> CheckoutRef:
        """Opens a payment page. The same key with the same params opens it once."""
        ...

    def end_checkout(self, session_id: str) -> None:
        """Closes a payment page; one that has ended already is left as it is."""
        ...

    def fetch_checkout(self, session_id: str) -> CheckoutSnap: ...

    def find_checkout(self, payment_ref: str) -> CheckoutSnap | None:
        """The payment page of a payment; None for one that was made in another way."""
        ...

    def iter_pages(self, since: dt.datetime) -> Iterator[PageSnap]:
        """Every payment page that was opened from `since` on, oldest first."""
        ...

    def find_plan_checkout(self, plan_ref: str) -> CheckoutSnap | None:
        """The payment page on which a gift that repeats began."""
        ...

    def fetch_plan(self, plan_ref: str) -> PlanSnap: ...

    def fetch_invoice(self, invoice_ref: str) -> InvoiceSnap: ...

    def find_invoice(self, payment_ref: str) -> str:
        """The invoice that a payment paid; empty for a payment of a single gift."""
        ...

    def invoices_of(self, plan_ref: str) -> list[str]:
        """Every invoice of a gift that repeats, oldest first."""
        ...

    def amount_params(self, plan: PlanSnap, cents: int) -> dict[str, Any]:
        """What `change_plan` sends for another amount, from the next charge on."""
        ...

    def day_params(self, moment: dt.datetime) -> dict[str, Any]:
        """What it sends to move the next charge, and the day of those that follow."""
        ...

    def pause_params(self, until: dt.datetime) -> dict[str, Any]:
        """What it sends to leave out the charges before a moment."""
        ...

    def resume_params(self) -> dict[str, Any]:
        """What it sends to end a pause, or to go on after all."""
        ...

    def change_plan(self, *, plan_ref: str, key: str, params: Mapping[str, Any]) -> None:
        """Changes a gift that repeats. The same key with the same params does it once."""
        ...

    def cancel_plan(self, *, plan_ref: str) -> None:
        """Ends it at once; one that has ended already is left as it is."""
        ...

    def portal_url(self, *, customer_ref: str, return_url: str) -> str:
        """The processor's page on which a donor gives another card, then goes to `return_url`."""
        ...

    def fetch_payment(self, payment_ref: str) -> PaymentSnap: ...

    def refund(self, *, key: str, params: Mapping[str, Any]) -> RefundSnap:
        """Gives money back. The same key with the same params does it once, for a day."""
        ...

    def find_refund(self, payment_ref: str, refund_token: str) -> RefundSnap | None:
        """Our refund of a payment, if the processor made it, however long ago."""
        ...

    def fetch_payout(self, payout_ref: str) -> PayoutSnap: ...

    def payout_txns(self, payout_ref: str) -> list[TxnSnap]:
        """The movements that an automatic payout settles, and its own, oldest first."""
        ...

    def verify_event(self, raw_body: bytes, headers: Mapping[str, str]) -> EventHint:
        """The event, if the signature over the raw bytes holds; else `BadSignature`."""
        ...

    def read_event(self, raw_body: str) -> EventHint:
        """The event in a body that was verified before."""
        ...

    def iter_txns(self, since: dt.datetime, until: dt.datetime) -> Iterator[TxnSnap]:
        """Every balance transaction from `since` to before `until`, oldest first."""
        ...

    def iter_changes(self, since: dt.datetime) -> Iterator[EventHint | TxnSnap]:
        """Every event and every balance transaction from `since` on, oldest first of each."""
        ...
