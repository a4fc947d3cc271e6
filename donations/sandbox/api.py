"""Stripe's API: one table of endpoints, and the way every request takes through it."""

from __future__ import annotations

import hmac
import re
import time

from stripe import params as shapes
from stripe.params import checkout as checkout_shapes
from stripe.params import radar as radar_shapes

from . import (
    checkout,
    due,
    faults,
    idempotency,
    lint,
    metadata,
    objects,
    payments,
    reading,
    recurring_api,
)
from .endpoints import CURSORS, Endpoint, get, listable, readable
from .errors import ApiError, no_such, not_spoken, refused
from .store import Store
from .wire import Json, Reply, Request, json_reply, parse_form

EVENTS_KEPT = 30 * objects.DAY


def answer(store: Store, request: Request, *, secret_key: str) -> Reply:
    """Answer one API request; every one is recorded in the ``requests`` log.

    Armed faults are met on the way: a delay comes after the idempotency key is claimed, an error
    status instead of the effect, a dropped reply after it.
    """
    entry: Json = {
        "id": store.new_id("req"),
        "at": store.now(),
        "method": request.method,
        "path": request.path,
        "params": {},
        "idempotency_key": request.headers.get("idempotency-key"),
        "stripe_version": request.headers.get("stripe-version"),
        "status": None,
        "replayed": False,
        "reply_dropped": False,
    }
    with store.lock:
        store.log("requests", entry)
    try:
        reply = _answer(store, request, entry, secret_key)
    except ApiError as error:
        reply = json_reply(error.status, error.envelope())
    with store.lock:
        entry["status"] = reply.status
    headers = {"Request-Id": entry["id"], "Stripe-Version": objects.API_VERSION}
    return Reply(reply.status, reply.body, {**headers, **reply.headers}, entry["reply_dropped"])


def _answer(store: Store, request: Request, entry: Json, secret_key: str) -> Reply:
    _check_key(request, secret_key)
    _check_version(request)
    is_post, is_read = request.method == "POST", request.method == "GET"
    try:
        entry["params"] = given = parse_form(request.body.decode() if is_post else request.query)
    except UnicodeDecodeError:
        raise ApiError(400, "The body is not UTF-8.", stored=False) from None
    with store.change():
        fault = faults.take(store, request.method, request.path) or {}
        entry["reply_dropped"] = bool(fault.get("drop_reply"))
        key = entry["idempotency_key"] if is_post else None
        kept = None
        if key:
            path = f"{request.method} {request.path}"
            kept = idempotency.begin(store, key, path, given)
            entry["replayed"] = kept is not None
    time.sleep(fault.get("latency_ms", 0) / 1000)
    if kept is not None:
        headers = {"Idempotent-Replayed": "true", "Original-Request": kept["request_id"]}
        return json_reply(kept["status"], kept["body"], headers)
    try:
        if is_read:
            with store.lock:
                return json_reply(200, _run(store, request, given, fault))
        with store.change():
            status, body = 200, {}
            try:
                body = _run(store, request, given, fault)
            except ApiError as error:
                if not error.stored:
                    raise
                status, body = error.status, error.envelope()
            if key:
                idempotency.finish(store, key, status, body, entry["id"])
            return json_reply(status, body)
    except Exception:
        if key:
            with store.change():
                idempotency.abandon(store, key)
        raise


def _run(store: Store, request: Request, given: Json, fault: Json) -> Json:
    if fault.get("status"):
        raise faults.as_error(fault["status"])
    endpoint, ids = _find(request)
    params = lint.coerce(given, endpoint.shape)
    for name in params.keys() - endpoint.spoken - {"expand"}:
        raise not_spoken(f"the parameter `{name}`", param=name)
    paths: list[str] = params.pop("expand", [])
    reading.check_expand(endpoint.answers, paths)
    due.catch_up(store)
    return reading.expand(store, endpoint.run(store, params, *ids), paths)


def _check_key(request: Request, secret_key: str) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise ApiError(
            401,
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
            "YOUR_SECRET_KEY').",
        )
    if not hmac.compare_digest(key.strip().encode(), secret_key.encode()):
        # The key is not repeated, not even in part: it may be another account's real one.
        raise ApiError(401, "Invalid API Key provided.")


def _check_version(request: Request) -> None:
    version = request.headers.get("stripe-version")
    if version not in (None, objects.API_VERSION):
        raise ApiError(
            400, f"The sandbox speaks API version {objects.API_VERSION} only, not {version}."
        )


def _find(request: Request) -> tuple[Endpoint, list[str]]:
    for endpoint in ENDPOINTS:
        if endpoint.method == request.method:
            ids = endpoint.match(request.path)
            if ids is not None:
                return endpoint, ids
    raise ApiError(
        404,
        f"Unrecognized request URL ({request.method}: {request.path}). The sandbox may not speak "
        "it yet.",
        stored=False,
    )


def _create_session(store: Store, params: Json) -> Json:
    for path, holder in (
        ("metadata", params),
        ("payment_intent_data[metadata]", params.get("payment_intent_data", {})),
        ("subscription_data[metadata]", params.get("subscription_data", {})),
    ):
        metadata.clean(holder, path)
    return store.present(checkout.create(store, params))


def _expire_session(store: Store, params: Json, id: str) -> Json:
    return store.present(checkout.expire(store, get(store, "checkout.session", id)))


def _create_refund(store: Store, params: Json) -> Json:
    metadata.clean(params, "metadata")
    charge = _charge_to_refund(store, params)
    return store.present(
        payments.refund(
            store,
            charge,
            amount=params.get("amount"),
            reason=params.get("reason"),
            metadata=params.get("metadata"),
        )
    )


def _charge_to_refund(store: Store, params: Json) -> Json:
    if ("charge" in params) == ("payment_intent" in params):
        raise refused("One of the following params should be provided: payment_intent or charge.")
    kind = "charge" if "charge" in params else "payment_intent"
    found = store.get(kind, params[kind])
    if found is None:
        raise no_such(kind, params[kind], param=kind)
    return found if kind == "charge" else payments.charge_of(store, found)


def _create_customer(store: Store, params: Json) -> Json:
    metadata.clean(params, "metadata")
    _check_email(params)
    customer = objects.customer(store.new_id("cus"), created=store.now(), params=params)
    return store.present(store.add(customer))


def _update_customer(store: Store, params: Json, id: str) -> Json:
    customer = get(store, "customer", id)
    _check_email(params)
    if "metadata" in params:
        params["metadata"] = metadata.merged(customer["metadata"], params["metadata"])
    # An empty text unsets: of these parameters Stripe takes it for the address alone.
    customer.update({name: None if value == "" else value for name, value in params.items()})
    return store.present(customer)


def _check_email(params: Json) -> None:
    if "email" in params and not checkout.EMAIL.fullmatch(params["email"]):
        raise refused(
            f"Invalid email address: {params['email']}", param="email", code="email_invalid"
        )


def _list_balance_transactions(store: Store, params: Json) -> Json:
    filters = {name: params[name] for name in ("type", "source", "currency") if name in params}
    rows = store.all("balance_transaction")
    if "payout" in params:
        payout = store.get("payout", params["payout"])
        if payout is None:
            raise no_such("payout", params["payout"], param="payout", status=400)
        if not payout["automatic"]:
            raise refused(
                "Balance transaction history can only be filtered on automatic payouts, not "
                "manual.",
                param="payout",
            )
        rows = [row for row in rows if row["_sandbox"]["payout"] == payout["id"]]
    rows = [row for row in rows if all(row[name] == value for name, value in filters.items())]
    return reading.page(store, rows, params, url=_BALANCE)


def _list_events(store: Store, params: Json) -> Json:
    if "type" in params and "types" in params:
        raise refused("You may only specify one of these parameters: type, types.", param="type")
    names = params.get("types", [params["type"]] if "type" in params else ["*"])
    if len(names) > 20:
        raise refused("Invalid array: at most 20 types.", param="types")
    patterns = [re.escape(name).replace(r"\*", ".*") for name in names]
    oldest = store.now() - EVENTS_KEPT
    rows = [
        row
        for row in store.all("event")
        if row["created"] >= oldest
        and any(re.fullmatch(pattern, row["type"]) for pattern in patterns)
    ]
    return reading.page(store, rows, params, url="/v1/events")


_SESSION = frozenset(
    {
        "adaptive_pricing",
        "allowed_payment_method_types",
        "billing_address_collection",
        "branding_settings",
        "cancel_url",
        "client_reference_id",
        "consent_collection",
        "custom_text",
        "customer",
        "customer_creation",
        "customer_email",
        "excluded_payment_method_types",
        "expires_at",
        "integration_identifier",
        "line_items",
        "locale",
        "metadata",
        "mode",
        "name_collection",
        "origin_context",
        "payment_intent_data",
        "payment_method_options",
        "phone_number_collection",
        "submit_type",
        "subscription_data",
        "success_url",
        "ui_mode",
    }
)


_SESSIONS = "/v1/checkout/sessions"
_BALANCE = "/v1/balance_transactions"
_WARNINGS = "/v1/radar/early_fraud_warnings"
_CUSTOMER = frozenset(
    {"address", "description", "email", "metadata", "name", "phone", "preferred_locales"}
)
_REFUND = frozenset({"amount", "charge", "metadata", "payment_intent", "reason"})

ENDPOINTS = [
    Endpoint(
        "POST",
        _SESSIONS,
        "checkout.session",
        checkout_shapes.SessionCreateParams,
        _SESSION,
        _create_session,
    ),
    Endpoint(
        "POST",
        _SESSIONS + "/{id}/expire",
        "checkout.session",
        checkout_shapes.SessionExpireParams,
        frozenset(),
        _expire_session,
    ),
    readable(_SESSIONS, "checkout.session", checkout_shapes.SessionRetrieveParams),
    listable(
        _SESSIONS,
        "checkout.session",
        checkout_shapes.SessionListParams,
        *("customer", "payment_intent", "status", "subscription"),
    ),
    readable("/v1/payment_intents", "payment_intent", shapes.PaymentIntentRetrieveParams),
    readable("/v1/charges", "charge", shapes.ChargeRetrieveParams),
    Endpoint("POST", "/v1/refunds", "refund", shapes.RefundCreateParams, _REFUND, _create_refund),
    readable("/v1/refunds", "refund", shapes.RefundRetrieveParams),
    listable("/v1/refunds", "refund", shapes.RefundListParams, "charge", "payment_intent"),
    readable("/v1/disputes", "dispute", shapes.DisputeRetrieveParams),
    listable("/v1/disputes", "dispute", shapes.DisputeListParams, "charge", "payment_intent"),
    readable(_BALANCE, "balance_transaction", shapes.BalanceTransactionRetrieveParams),
    Endpoint(
        "GET",
        _BALANCE,
        "balance_transaction",
        shapes.BalanceTransactionListParams,
        CURSORS | {"currency", "payout", "source", "type"},
        _list_balance_transactions,
    ),
    Endpoint(
        "POST",
        "/v1/customers",
        "customer",
        shapes.CustomerCreateParams,
        _CUSTOMER,
        _create_customer,
    ),
    Endpoint(
        "POST",
        "/v1/customers/{id}",
        "customer",
        shapes.CustomerUpdateParams,
        _CUSTOMER,
        _update_customer,
    ),
    readable("/v1/customers", "customer", shapes.CustomerRetrieveParams),
    listable("/v1/customers", "customer", shapes.CustomerListParams, "email"),
    readable("/v1/events", "event", shapes.EventRetrieveParams),
    Endpoint(
        "GET",
        "/v1/events",
        "event",
        shapes.EventListParams,
        CURSORS | {"type", "types"},
        _list_events,
    ),
    readable("/v1/payouts", "payout", shapes.PayoutRetrieveParams),
    readable(_WARNINGS, "radar.early_fraud_warning", radar_shapes.EarlyFraudWarningRetrieveParams),
    listable(
        _WARNINGS,
        "radar.early_fraud_warning",
        radar_shapes.EarlyFraudWarningListParams,
        *("charge", "payment_intent"),
    ),
    *recurring_api.ENDPOINTS,
]
