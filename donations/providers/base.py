"""What the rest of the app may ask of a card processor, and what it gets to see.

Amounts are whole cents, currencies are ISO codes in capitals, moments are aware and in UTC.
`gift_token` is the token of our gift as we gave it to the processor, empty where there is none.
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
    `session`, `payment`, `gift`. `claimed_cents` is what the event says of the amount; it is only
    ever compared, never booked.
    """

    id: str
    type: str
    object_type: str
    object_id: str
    livemode: bool
    refs: Mapping[str, str] = field(default_factory=dict)
    claimed_cents: int | None = None


class Provider(Protocol):
    """Every method but `verify_event` and `read_event` speaks over the network and raises
    `ProviderDown` or `ProviderRefused`; none may be called inside a transaction.
    """

    def start_checkout(self, *, key: str, params: Mapping[str, Any]) -> CheckoutRef:
        """Opens a payment page. The same key with the same params opens it once."""
        ...

    def fetch_checkout(self, session_id: str) -> CheckoutSnap: ...

    def find_checkout(self, payment_ref: str) -> CheckoutSnap | None:
        """The payment page of a payment; None for one that was made in another way."""
        ...

    def fetch_payment(self, payment_ref: str) -> PaymentSnap: ...

    def refund(self, *, key: str, params: Mapping[str, Any]) -> RefundSnap:
        """Gives money back. The same key with the same params does it once, for a day."""
        ...

    def find_refund(self, payment_ref: str, refund_token: str) -> RefundSnap | None:
        """Our refund of a payment, if the processor made it, however long ago."""
        ...

    def fetch_payout_txn(self, payout_id: str) -> TxnSnap | None: ...

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
