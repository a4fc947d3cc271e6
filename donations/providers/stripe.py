"""Stripe through its own library: the only module of the site that imports it."""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import stripe
from django.conf import settings

from donations.providers.base import (
    BadSignature,
    CheckoutRef,
    CheckoutSnap,
    DisputeSnap,
    EventHint,
    NotFound,
    PaymentSnap,
    ProviderDown,
    ProviderRefused,
    RefundSnap,
    TxnSnap,
)

TIMEOUT = (4, 12)  # seconds to connect, then to answer: a donor waits for this
RETRIES = 1
TOLERANCE = 300  # seconds (giving.md F12)
PAYMENT_PARTS = ["latest_charge.balance_transaction"]
REFUND_PARTS = ["balance_transaction", "failure_balance_transaction"]
# Never more: Stripe's list takes at most 20 types (giving.md, "Events to subscribe to").
EVENT_TYPES = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "charge.updated",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
]


@lru_cache(maxsize=4)
def _client(secret_key: str, api_base: str) -> stripe.StripeClient:
    """One client a process and configuration: it keeps its connections open."""
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": api_base},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT),
    )


class StripeProvider:
    """Reads settings at each call, so a changed key needs no new object."""

    @property
    def _v1(self) -> Any:
        return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE).v1

    def start_checkout(self, *, key: str, params: Mapping[str, Any]) -> CheckoutRef:
        session = _ask(
            lambda: self._v1.checkout.sessions.create(
                dict(params), options={"idempotency_key": key}
            )
        )
        return CheckoutRef(session["id"], session["url"] or "", _moment(session["expires_at"]))

    def fetch_checkout(self, session_id: str) -> CheckoutSnap:
        return _checkout(_ask(lambda: self._v1.checkout.sessions.retrieve(session_id)))

    def find_checkout(self, payment_ref: str) -> CheckoutSnap | None:
        found = self._all(self._v1.checkout.sessions, payment_intent=payment_ref)
        return _checkout(found[0]) if found else None

    def fetch_payment(self, payment_ref: str) -> PaymentSnap:
        intent = _ask(
            lambda: self._v1.payment_intents.retrieve(payment_ref, {"expand": PAYMENT_PARTS})
        )
        charge = intent.get("latest_charge") or {}
        metadata = intent.get("metadata") or {}
        refunds: list[dict] = []
        disputes: list[dict] = []
        if intent["status"] == "succeeded":
            refunds = self._refunds(payment_ref)
            disputes = self._all(self._v1.disputes, payment_intent=payment_ref)
        return PaymentSnap(
            payment_ref=intent["id"],
            status=intent["status"],
            gross_cents=intent["amount"],
            currency=intent["currency"].upper(),
            livemode=intent["livemode"],
            gift_token=metadata.get("gift", ""),
            attempt=metadata.get("attempt", ""),
            method=(charge.get("payment_method_details") or {}).get("type", ""),
            charged_at=_moment(charge["created"]) if charge else None,
            txn=_txn(charge.get("balance_transaction"), payment_ref),
            refunds=tuple(_refund(item, payment_ref) for item in reversed(refunds)),
            disputes=tuple(_dispute(item, payment_ref) for item in reversed(disputes)),
        )

    def refund(self, *, key: str, params: Mapping[str, Any]) -> RefundSnap:
        item = _ask(
            lambda: self._v1.refunds.create(
                {**params, "expand": REFUND_PARTS}, options={"idempotency_key": key}
            )
        )
        return _refund(item, params["payment_intent"])

    def find_refund(self, payment_ref: str, refund_token: str) -> RefundSnap | None:
        found = [_refund(item, payment_ref) for item in self._refunds(payment_ref)]
        return next((item for item in found if item.refund_token == refund_token), None)

    def _refunds(self, payment_ref: str) -> list[dict]:
        parts = [f"data.{part}" for part in REFUND_PARTS]
        return self._all(self._v1.refunds, payment_intent=payment_ref, expand=parts)

    def fetch_payout_txn(self, payout_id: str) -> TxnSnap | None:
        payout = _ask(
            lambda: self._v1.payouts.retrieve(payout_id, {"expand": ["balance_transaction"]})
        )
        return _txn(payout.get("balance_transaction"))

    def verify_event(self, raw_body: bytes, headers: Mapping[str, str]) -> EventHint:
        signature = headers.get("Stripe-Signature", "")
        for secret in settings.STRIPE_WEBHOOK_SECRETS:
            # An empty secret would let anyone sign (CVE-2026-110285).
            if not secret.strip():
                continue
            try:
                stripe.Webhook.construct_event(raw_body, signature, secret, TOLERANCE)
                return self.read_event(raw_body.decode())
            except (stripe.SignatureVerificationError, UnicodeDecodeError):
                continue
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise BadSignature("This is signed, but it is not an event.") from error
        raise BadSignature("No secret of ours fits this signature.")

    def read_event(self, raw_body: str) -> EventHint:
        return _hint(json.loads(raw_body))

    def iter_changes(self, since: dt.datetime) -> Iterator[EventHint | TxnSnap]:
        created = {"gte": int(since.timestamp())}
        events = self._all(self._v1.events, types=EVENT_TYPES, created=created)
        yield from (_hint(event) for event in reversed(events))
        yield from self._txns(created)

    def iter_txns(self, since: dt.datetime, until: dt.datetime) -> Iterator[TxnSnap]:
        return self._txns({"gte": int(since.timestamp()), "lt": int(until.timestamp())})

    def _txns(self, created: dict[str, int]) -> Iterator[TxnSnap]:
        rows = self._all(self._v1.balance_transactions, created=created, expand=["data.source"])
        for row in reversed(rows):
            txn = _txn(row)
            if txn is not None:
                yield txn

    def _all(self, service: Any, **params: Any) -> list[dict]:
        """Every page of a list, newest first."""
        return _ask(
            lambda: [
                row.to_dict() for row in service.list({"limit": 100, **params}).auto_paging_iter()
            ]
        )


def _ask(call: Callable[[], Any]) -> Any:
    """Runs one call and turns the library's errors into ours; objects come back as plain dicts."""
    try:
        answer = call()
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise ProviderDown(type(error).__name__) from error
    except stripe.StripeError as error:
        status = error.http_status or 0
        if error.code == "resource_missing" and status == 404:
            raise NotFound(str(error.user_message)) from error
        if status >= 500 or status in {401, 403} or status == 409:
            # A wrong key of ours is no fault of the donor's: to them the processor is down.
            raise ProviderDown(
                f"{type(error).__name__} {status}", is_key_spent=status >= 500
            ) from error
        raise ProviderRefused(
            str(error.user_message), param=getattr(error, "param", "") or ""
        ) from error
    return answer.to_dict() if isinstance(answer, stripe.StripeObject) else answer


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _id(value: Any) -> str:
    """The id of a reference, opened or not."""
    return value["id"] if isinstance(value, dict) else value or ""


def _checkout(session: dict) -> CheckoutSnap:
    return CheckoutSnap(
        session_id=session["id"],
        status=session["status"],
        payment_status=session["payment_status"],
        amount_cents=session["amount_total"],
        currency=session["currency"].upper(),
        livemode=session["livemode"],
        gift_token=session.get("client_reference_id") or "",
        attempt=(session.get("metadata") or {}).get("attempt", ""),
        payment_ref=_id(session.get("payment_intent")),
    )


def _txn(row: dict | str | None, payment_ref: str = "") -> TxnSnap | None:
    if not isinstance(row, dict):
        return None
    source = row.get("source")
    if isinstance(source, dict) and not payment_ref:
        payment_ref = _id(source.get("payment_intent"))
    return TxnSnap(
        id=row["id"],
        type=row["type"],
        amount_cents=row["amount"],
        fee_cents=row["fee"],
        currency=row["currency"].upper(),
        created_at=_moment(row["created"]),
        source=_id(source),
        payment_ref=payment_ref,
    )


def _refund(item: dict, payment_ref: str) -> RefundSnap:
    return RefundSnap(
        id=item["id"],
        amount_cents=item["amount"],
        status=item["status"] or "",
        refund_token=(item.get("metadata") or {}).get("refund", ""),
        created_at=_moment(item["created"]),
        txn=_txn(item.get("balance_transaction"), payment_ref),
        failure_txn=_txn(item.get("failure_balance_transaction"), payment_ref),
    )


def _dispute(item: dict, payment_ref: str) -> DisputeSnap:
    due = (item.get("evidence_details") or {}).get("due_by")
    return DisputeSnap(
        id=item["id"],
        amount_cents=item["amount"],
        currency=item["currency"].upper(),
        status=item["status"],
        reason=item.get("reason") or "",
        due_at=_moment(due) if due else None,
        opened_at=_moment(item["created"]),
        is_charge_refundable=item["is_charge_refundable"],
        txns=tuple(txn for row in item["balance_transactions"] if (txn := _txn(row, payment_ref))),
    )


def _hint(event: dict) -> EventHint:
    body = event["data"]["object"]
    kind = body.get("object", "")
    metadata = body.get("metadata") or {}
    is_session = kind == "checkout.session"
    refs = {
        "session": body["id"] if is_session else "",
        "payment": body["id"] if kind == "payment_intent" else _id(body.get("payment_intent")),
        "gift": body.get("client_reference_id") or metadata.get("gift", ""),
    }
    return EventHint(
        id=event["id"],
        type=event["type"],
        object_type=kind,
        object_id=body.get("id") or "",
        livemode=event["livemode"],
        refs={name: ref for name, ref in refs.items() if ref},
        claimed_cents=body.get("amount_total") if is_session else None,
    )
