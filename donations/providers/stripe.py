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
    InvoiceSnap,
    NotFound,
    PageSnap,
    PaymentSnap,
    PayoutSnap,
    PlanSnap,
    ProviderDown,
    ProviderRefused,
    RefundSnap,
    TxnSnap,
)

API_VERSION = "2026-10-28.endive"  # docs/operating.md names it for the webhook
TIMEOUT = (4, 12)  # seconds to connect, then to answer: a donor waits for this
RETRIES = 1
TOLERANCE = 300  # seconds (giving.md F12)
PAYMENT_PARTS = ["latest_charge.balance_transaction"]
RETURNABLE_PARTS = ["balance_transaction", "failure_balance_transaction"]
TYPES_AT_ONCE = 20  # Stripe's list takes no more
ENDED = {"canceled", "incomplete_expired"}
ONE_PAUSE = "void"  # what becomes of an invoice that falls due meanwhile
INTERVALS = {"month": "monthly", "year": "yearly"}
# giving.md, "Events to subscribe to".
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
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "radar.early_fraud_warning.created",
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

    @property
    def api_version(self) -> str:
        return API_VERSION

    @property
    def spoken_version(self) -> str:
        return stripe.api_version

    def start_checkout(self, *, key: str, params: Mapping[str, Any]) -> CheckoutRef:
        session = _ask(
            lambda: self._v1.checkout.sessions.create(
                dict(params), options={"idempotency_key": key}
            )
        )
        return CheckoutRef(session["id"], session["url"] or "", _moment(session["expires_at"]))

    def end_checkout(self, session_id: str) -> None:
        try:
            _ask(lambda: self._v1.checkout.sessions.expire(session_id))
        except ProviderRefused:
            # What has ended cannot be ended; what is open must not be called ended.
            if self.fetch_checkout(session_id).status == "open":
                raise

    def fetch_checkout(self, session_id: str) -> CheckoutSnap:
        return _checkout(_ask(lambda: self._v1.checkout.sessions.retrieve(session_id)))

    def find_checkout(self, payment_ref: str) -> CheckoutSnap | None:
        found = self._all(self._v1.checkout.sessions, payment_intent=payment_ref)
        return _checkout(found[0]) if found else None

    def iter_pages(self, since: dt.datetime) -> Iterator[PageSnap]:
        rows = self._all(self._v1.checkout.sessions, created={"gte": int(since.timestamp())})
        return (_page(row) for row in reversed(rows))

    def find_plan_checkout(self, plan_ref: str) -> CheckoutSnap | None:
        found = self._all(self._v1.checkout.sessions, subscription=plan_ref)
        return _checkout(found[0]) if found else None

    def fetch_plan(self, plan_ref: str) -> PlanSnap:
        return _plan(_ask(lambda: self._v1.subscriptions.retrieve(plan_ref)))

    def fetch_invoice(self, invoice_ref: str) -> InvoiceSnap:
        return _invoice(
            _ask(lambda: self._v1.invoices.retrieve(invoice_ref, {"expand": ["payments"]}))
        )

    def find_invoice(self, payment_ref: str) -> str:
        found = self._all(
            self._v1.invoice_payments,
            payment={"type": "payment_intent", "payment_intent": payment_ref},
        )
        return _id(found[0]["invoice"]) if found else ""

    def invoices_of(self, plan_ref: str) -> list[str]:
        found = self._all(self._v1.invoices, subscription=plan_ref)
        return [row["id"] for row in reversed(found)]

    def amount_params(self, plan: PlanSnap, cents: int) -> dict[str, Any]:
        back = {ours: theirs for theirs, ours in INTERVALS.items()}
        return {
            "proration_behavior": "none",
            "items": [
                {
                    "id": plan.item_ref,
                    "price_data": {
                        "currency": plan.currency.lower(),
                        "product": plan.product_ref,
                        "unit_amount": cents,
                        "recurring": {"interval": back[plan.interval]},
                    },
                }
            ],
        }

    def day_params(self, moment: dt.datetime) -> dict[str, Any]:
        # A trial is the only way to move a charge without charging a part of a period.
        return {"proration_behavior": "none", "trial_end": int(moment.timestamp())}

    def pause_params(self, until: dt.datetime) -> dict[str, Any]:
        return {"pause_collection": {"behavior": ONE_PAUSE, "resumes_at": int(until.timestamp())}}

    def resume_params(self) -> dict[str, Any]:
        return {"pause_collection": "", "cancel_at_period_end": False}

    def change_plan(self, *, plan_ref: str, key: str, params: Mapping[str, Any]) -> None:
        _ask(
            lambda: self._v1.subscriptions.update(
                plan_ref, dict(params), options={"idempotency_key": key}
            )
        )

    def cancel_plan(self, *, plan_ref: str) -> None:
        try:
            _ask(lambda: self._v1.subscriptions.cancel(plan_ref))
        except NotFound:
            # What is canceled cannot be canceled; what never was must not be called canceled.
            if _ask(lambda: self._v1.subscriptions.retrieve(plan_ref))["status"] not in ENDED:
                raise

    def portal_url(self, *, customer_ref: str, return_url: str) -> str:
        after = {"type": "redirect", "redirect": {"return_url": return_url}}
        flow = {"type": "payment_method_update", "after_completion": after}
        session = _ask(
            lambda: self._v1.billing_portal.sessions.create(
                {"customer": customer_ref, "return_url": return_url, "flow_data": flow}
            )
        )
        return session["url"]

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
            gift_token=_token(metadata),
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
                {**params, "expand": RETURNABLE_PARTS}, options={"idempotency_key": key}
            )
        )
        return _refund(item, params["payment_intent"])

    def find_refund(self, payment_ref: str, refund_token: str) -> RefundSnap | None:
        found = [_refund(item, payment_ref) for item in self._refunds(payment_ref)]
        return next((item for item in found if item.refund_token == refund_token), None)

    def _refunds(self, payment_ref: str) -> list[dict]:
        parts = [f"data.{part}" for part in RETURNABLE_PARTS]
        return self._all(self._v1.refunds, payment_intent=payment_ref, expand=parts)

    def fetch_payout(self, payout_ref: str) -> PayoutSnap:
        payout = _ask(lambda: self._v1.payouts.retrieve(payout_ref, {"expand": RETURNABLE_PARTS}))
        return PayoutSnap(
            payout_ref=payout["id"],
            amount_cents=payout["amount"],
            currency=payout["currency"].upper(),
            arrives_on=_moment(payout["arrival_date"]).date(),  # midnight in UTC of that day
            status=payout["status"],
            is_automatic=payout["automatic"],
            is_listed=payout["automatic"] and payout["reconciliation_status"] == "completed",
            txn=_txn(payout.get("balance_transaction")),
            failure_txn=_txn(payout.get("failure_balance_transaction")),
        )

    def payout_txns(self, payout_ref: str) -> list[TxnSnap]:
        return list(self._txns(payout=payout_ref))

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
        events = []
        for first in range(0, len(EVENT_TYPES), TYPES_AT_ONCE):
            types = EVENT_TYPES[first : first + TYPES_AT_ONCE]
            events += reversed(self._all(self._v1.events, types=types, created=created))
        yield from (_hint(event) for event in sorted(events, key=lambda event: event["created"]))
        yield from self._txns(created=created)

    def iter_txns(self, since: dt.datetime, until: dt.datetime) -> Iterator[TxnSnap]:
        return self._txns(created={"gte": int(since.timestamp()), "lt": int(until.timestamp())})

    def _txns(self, **which: Any) -> Iterator[TxnSnap]:
        rows = self._all(self._v1.balance_transactions, expand=["data.source"], **which)
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


def _token(metadata: dict) -> str:
    """Our token of the gift or the trip fee that a payment is for."""
    return metadata.get("gift") or metadata.get("trip_fee") or ""


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
        plan_ref=_id(session.get("subscription")),
    )


def _page(session: dict) -> PageSnap:
    return PageSnap(
        checkout=_checkout(session),
        url=session.get("url") or "",
        email=session.get("customer_email") or "",
        created_at=_moment(session["created"]),
        expires_at=_moment(session["expires_at"]),
        words=session.get("metadata") or {},
    )


def _plan(subscription: dict) -> PlanSnap:
    metadata = subscription.get("metadata") or {}
    item = subscription["items"]["data"][0]
    price = item["price"]
    recurring = price["recurring"]
    pause = subscription.get("pause_collection")
    until = pause.get("resumes_at") if pause else None
    ended = subscription.get("ended_at")
    return PlanSnap(
        plan_ref=subscription["id"],
        status=subscription["status"],
        amount_cents=(price["unit_amount"] or 0) * (item.get("quantity") or 1),
        currency=subscription["currency"].upper(),
        interval=INTERVALS.get(recurring["interval"], recurring["interval"]),
        interval_count=recurring["interval_count"],
        livemode=subscription["livemode"],
        plan_token=metadata.get("plan", ""),
        attempt=metadata.get("attempt", ""),
        customer_ref=_id(subscription["customer"]),
        period_ends_at=_moment(item["current_period_end"]),
        anchored_at=_moment(subscription["billing_cycle_anchor"]),
        cancels_at_end=subscription["cancel_at_period_end"],
        is_paused=bool(pause),
        paused_until=_moment(until) if until else None,
        ended_at=_moment(ended) if ended else None,
        end_reason=(subscription.get("cancellation_details") or {}).get("reason") or "",
        invoice_ref=_id(subscription.get("latest_invoice")),
        item_ref=item["id"],
        product_ref=_id(price["product"]),
    )


def _invoice(invoice: dict) -> InvoiceSnap:
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    next_attempt = invoice.get("next_payment_attempt")
    return InvoiceSnap(
        invoice_ref=invoice["id"],
        plan_ref=_id(details.get("subscription")),
        plan_token=(details.get("metadata") or {}).get("plan", ""),
        status=invoice["status"] or "",
        is_first=invoice["billing_reason"] == "subscription_create",
        amount_cents=invoice["amount_due"],
        currency=invoice["currency"].upper(),
        livemode=invoice["livemode"],
        payment_ref=_payment_of(invoice),
        attempts=invoice["attempt_count"],
        next_attempt_at=_moment(next_attempt) if next_attempt else None,
        pay_url=invoice.get("hosted_invoice_url") or "",
    )


def _payment_of(invoice: dict) -> str:
    """The payment that paid an invoice; while none did, the one that is tried."""
    rows = (invoice.get("payments") or {}).get("data") or []
    rows = [row for row in rows if row["payment"]["type"] == "payment_intent"]
    for fits in (lambda row: row["status"] == "paid", lambda row: row["status"] == "open"):
        for row in rows:
            if fits(row):
                return _id(row["payment"]["payment_intent"])
    return ""


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
    details = (body.get("parent") or {}).get("subscription_details") or {}
    is_session = kind == "checkout.session"
    is_plan = kind == "subscription"
    refs = {
        "session": body["id"] if is_session else "",
        "payment": body["id"] if kind == "payment_intent" else _id(body.get("payment_intent")),
        "gift": body.get("client_reference_id") or _token(metadata),
        "plan": metadata.get("plan", "") or (details.get("metadata") or {}).get("plan", ""),
        "subscription": body["id"]
        if is_plan
        else _id(body.get("subscription") or details.get("subscription")),
        "invoice": body["id"] if kind == "invoice" else "",
    }
    return EventHint(
        id=event["id"],
        type=event["type"],
        object_type=kind,
        object_id=body.get("id") or "",
        livemode=event["livemode"],
        refs={name: ref for name, ref in refs.items() if ref},
        claimed_cents=body.get("amount_total") if is_session else None,
        api_version=event.get("api_version") or "",
    )
