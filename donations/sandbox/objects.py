"""Builders of Stripe objects as API version 2026-10-28.endive shows them.

Each returns a plain dict that is ready for JSON. References hold ids; ``reading.expand`` puts the
objects in. The key ``_sandbox`` holds notes of our own and is never shown. Amounts and fees are
integers in the currency's smallest unit (cents), moments are Unix seconds.
"""

from __future__ import annotations

from typing import Any

from .addresses import PAY
from .wire import Json

API_VERSION = "2026-10-28.endive"
DAY = 86_400
NO_ADDRESS: Json = {
    "city": None,
    "country": None,
    "line1": None,
    "line2": None,
    "postal_code": None,
    "state": None,
}
CATEGORY = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failure",
    "payment_failure_refund": "charge_failure",
    "adjustment": "other_adjustment",
    "stripe_fee": "fee",
    "payout": "payout",
    "payout_failure": "payout_reversal",
}


def checkout_session(id: str, *, created: int, base_url: str, params: Json, amount: int) -> Json:
    """An open Checkout Session; ``params`` are the checked ones of its creation."""
    is_recurring = params["mode"] == "subscription"
    echoed = {
        name: params.get(name)
        for name in (
            "allowed_payment_method_types",
            "billing_address_collection",
            "branding_settings",
            "cancel_url",
            "client_reference_id",
            "consent_collection",
            "customer",
            "customer_email",
            "excluded_payment_method_types",
            "integration_identifier",
            "locale",
            "name_collection",
            "origin_context",
            "submit_type",
            "success_url",
        )
    }
    return {
        "id": id,
        "object": "checkout.session",
        **echoed,
        "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled", True)},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "created": created,
        "currency": params["line_items"][0]["price_data"]["currency"],
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
            **params.get("custom_text", {}),
        },
        "customer_account": None,
        "customer_creation": None
        if is_recurring
        else params.get("customer_creation", "if_required"),
        "customer_details": None,
        "discounts": [],
        "expires_at": params.get("expires_at", created + DAY),
        "invoice": None,
        "invoice_creation": None,
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "mode": params["mode"],
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "always" if is_recurring else "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": params.get("payment_method_options", {}),
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": params.get("phone_number_collection", {"enabled": False}),
        "presentment_details": None,
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "subscription": None,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{base_url}{PAY}{id}",
        "wallet_options": None,
        "_sandbox": {
            "line_items": params["line_items"],
            "payment_intent_data": params.get("payment_intent_data", {}),
            "subscription_data": params.get("subscription_data", {}),
            "payment_intent": None,
        },
    }


def line_item(id: str, item: Json) -> Json:
    """A line of a Checkout Session, seen by expanding ``line_items``."""
    price = item["price_data"]
    amount = price["unit_amount"] * item["quantity"]
    return {
        "id": id,
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": price["product_data"]["name"],
        "metadata": item.get("metadata", {}),
        "quantity": item["quantity"],
    }


def payment_intent(
    id: str, *, created: int, amount: int, currency: str, customer: str | None, data: Json
) -> Json:
    """A PaymentIntent before any attempt; ``data`` is the session's ``payment_intent_data``."""
    return {
        "id": id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": None,
        "confirmation_method": "automatic",
        "created": created,
        "currency": currency,
        "customer": customer,
        "description": data.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": data.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": data.get("receipt_email"),
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": data.get("statement_descriptor"),
        "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
    }


def charge(
    id: str,
    *,
    created: int,
    intent: Json,
    method: str,
    last4: str,
    details: Json,
    payment_method: str,
) -> Json:
    """A pending charge of a PaymentIntent by ``card`` or ``us_bank_account``."""
    return {
        "id": id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {
            "address": details["address"],
            "email": details["email"],
            "name": details["name"],
            "phone": None,
            "tax_id": None,
        },
        "captured": False,
        "created": created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": payment_method,
        "payment_method_details": {"type": method, method: _method_details(method, last4)},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "_sandbox": {"fee": None},
    }


def _method_details(method: str, last4: str) -> Json:
    if method == "us_bank_account":
        return {
            "account_holder_type": "individual",
            "account_type": "checking",
            "bank_name": "STRIPE TEST BANK",
            "fingerprint": None,
            "last4": last4,
            "routing_number": "110000000",
        }
    return {
        "brand": "visa",
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": "pass",
            "cvc_check": "pass",
        },
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": None,
        "funding": "credit",
        "last4": last4,
        "network": "visa",
        "wallet": None,
    }


def outcome(kind: str, *, message: str, network: str, reason: str | None = None) -> Json:
    """A charge's ``outcome``: what the network and the risk check made of it."""
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network,
        "reason": reason,
        "risk_level": "normal",
        "seller_message": message,
        "type": kind,
    }


def balance_transaction(
    id: str,
    *,
    created: int,
    type: str,
    amount: int,
    fee: int,
    currency: str,
    source: str | None,
    description: str | None = None,
    category: str | None = None,
    available_on: int | None = None,
) -> Json:
    """A line of the balance: ``net`` = ``amount`` - ``fee``, all signed and in cents."""
    fee_details: list[Json] = []
    if fee:
        fee_details.append(
            {
                "amount": fee,
                "application": None,
                "currency": currency,
                "description": "Stripe processing fees" if source else "Stripe fee",
                "type": "stripe_fee",
            }
        )
    return {
        "id": id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created if available_on is None else available_on,
        "balance_type": "payments",
        "created": created,
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": fee_details,
        "net": amount - fee,
        "reporting_category": category or CATEGORY.get(type, type),
        "source": source,
        "status": "pending",
        "type": type,
        "_sandbox": {"payout": None},
    }


def refund(
    id: str, *, created: int, charge: Json, amount: int, reason: str | None, metadata: Json
) -> Json:
    """A refund that has not moved money yet."""
    return {
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "description": None,
        "destination_details": {"type": charge["payment_method_details"]["type"]},
        "failure_balance_transaction": None,
        "failure_reason": None,
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "pending_reason": None,
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }


def dispute(id: str, *, created: int, charge: Json, amount: int, is_inquiry: bool) -> Json:
    """A fresh dispute (or inquiry, which moves no money); evidence is due in seven days."""
    return {
        "id": id,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": created + 7 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": is_inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "inquiry" if is_inquiry else "chargeback",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": "fraudulent",
        "status": "warning_needs_response" if is_inquiry else "needs_response",
    }


def payout(id: str, *, created: int, amount: int, currency: str, is_automatic: bool) -> Json:
    """A payout that has arrived."""
    return {
        "id": id,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": created - created % DAY,
        "automatic": is_automatic,
        "balance_transaction": None,
        "created": created,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "reconciliation_status": "completed" if is_automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "paid",
        "trace_id": None,
        "type": "bank_account",
    }


def customer(id: str, *, created: int, params: Json) -> Json:
    """A customer with what was sent of it."""
    return {
        "id": id,
        "object": "customer",
        "address": params.get("address"),
        "balance": 0,
        "created": created,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": params.get("description"),
        "email": params.get("email"),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "name": params.get("name"),
        "phone": params.get("phone"),
        "preferred_locales": params.get("preferred_locales", []),
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def early_fraud_warning(id: str, *, created: int, charge: Json) -> Json:
    """A card network's report that a charge may be fraud; ``Store.present`` knows its rest."""
    return {
        "id": id,
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": charge["id"],
        "created": created,
        "fraud_type": "made_with_stolen_card",
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }


def event(id: str, *, created: int, type: str, snapshot: Json, previous: Json | None) -> Json:
    """An event around a snapshot of its object; ``previous`` holds the old values of an update."""
    data: dict[str, Any] = {"object": snapshot}
    if previous is not None:
        data["previous_attributes"] = previous
    return {
        "id": id,
        "object": "event",
        "account": None,
        "api_version": API_VERSION,
        "context": None,
        "created": created,
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": type,
    }
