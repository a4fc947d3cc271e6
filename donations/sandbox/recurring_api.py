"""The endpoints of recurring gifts: subscriptions, invoices, the portal, and their setup."""

from __future__ import annotations

from stripe import params as shapes
from stripe.params import billing_portal as portal_shapes

from . import (
    addresses,
    changes,
    invoices,
    metadata,
    objects,
    portal,
    reading,
    recurring_objects,
    subscriptions,
)
from .endpoints import CURSORS, Endpoint, get, listable, readable
from .errors import not_spoken
from .store import Store
from .wire import Json


def _update_subscription(store: Store, params: Json, id: str) -> Json:
    return store.present(changes.update(store, get(store, "subscription", id), params))


def _cancel_subscription(store: Store, params: Json, id: str) -> Json:
    return store.present(subscriptions.cancel(store, get(store, "subscription", id)))


def _list_subscriptions(store: Store, params: Json) -> Json:
    """Without ``status`` those that are not canceled, as with Stripe."""
    status = params.get("status")
    rows = [
        row
        for row in store.all("subscription")
        if params.get("customer", row["customer"]) == row["customer"]
        and _has_status(row["status"], status)
    ]
    return reading.page(store, rows, params, url=_SUBSCRIPTIONS)


def _has_status(status: str, wanted: str | None) -> bool:
    if wanted is None:
        return status != "canceled"
    if wanted == "ended":
        return status in subscriptions.ENDED
    return wanted in ("all", status)


def _list_invoices(store: Store, params: Json) -> Json:
    filters = {name: params[name] for name in ("customer", "status") if name in params}
    rows = [
        row
        for row in store.all("invoice")
        if all(row[name] == value for name, value in filters.items())
        and params.get("subscription") in (None, invoices.subscription_of(row))
    ]
    return reading.page(store, rows, params, url=_INVOICES)


def _list_invoice_payments(store: Store, params: Json) -> Json:
    filters = {name: params[name] for name in ("invoice", "status") if name in params}
    payment = params.get("payment", {})
    rows = [
        row
        for row in store.all("invoice_payment")
        if all(row[name] == value for name, value in filters.items())
        and all(row["payment"].get(name) == value for name, value in payment.items())
    ]
    return reading.page(store, rows, params, url=_INVOICE_PAYMENTS)


def _open_portal(store: Store, params: Json) -> Json:
    return store.present(portal.open_session(store, params))


def _configure_portal(store: Store, params: Json) -> Json:
    metadata.clean(params, "metadata")
    return store.present(portal.configure(store, params))


def _create_product(store: Store, params: Json) -> Json:
    metadata.clean(params, "metadata")
    product = recurring_objects.product(store.new_id("prod"), created=store.now(), params=params)
    return store.present(store.add(product))


def _create_webhook_endpoint(store: Store, params: Json) -> Json:
    """Only registers it: the sandbox sends to ``Sandbox.webhook_url`` and signs with its secrets.

    So the ``secret``, which is shown here and never again as with Stripe, signs nothing.
    """
    metadata.clean(params, "metadata")
    addresses.check(params["url"], "url")
    version = params.get("api_version", objects.API_VERSION)
    if version != objects.API_VERSION:
        raise not_spoken(f"api_version={version}", param="api_version")
    endpoint = recurring_objects.webhook_endpoint(
        store.new_id("we"), created=store.now(), params=params
    )
    return {**store.present(store.add(endpoint)), "secret": store.new_id("whsec", 32)}


_SUBSCRIPTIONS = "/v1/subscriptions"
_INVOICES = "/v1/invoices"
_INVOICE_PAYMENTS = "/v1/invoice_payments"
_CONFIGURATIONS = "/v1/billing_portal/configurations"
_ENDPOINTS = "/v1/webhook_endpoints"

ENDPOINTS = [
    readable(_SUBSCRIPTIONS, "subscription", shapes.SubscriptionRetrieveParams),
    Endpoint(
        "POST",
        _SUBSCRIPTIONS + "/{id}",
        "subscription",
        shapes.SubscriptionUpdateParams,
        frozenset(
            {
                "cancel_at_period_end",
                "items",
                "metadata",
                "pause_collection",
                "proration_behavior",
                "trial_end",
            }
        ),
        _update_subscription,
    ),
    Endpoint(
        "DELETE",
        _SUBSCRIPTIONS + "/{id}",
        "subscription",
        shapes.SubscriptionCancelParams,
        frozenset(),
        _cancel_subscription,
    ),
    Endpoint(
        "GET",
        _SUBSCRIPTIONS,
        "subscription",
        shapes.SubscriptionListParams,
        CURSORS | {"customer", "status"},
        _list_subscriptions,
    ),
    readable(_INVOICES, "invoice", shapes.InvoiceRetrieveParams),
    Endpoint(
        "GET",
        _INVOICES,
        "invoice",
        shapes.InvoiceListParams,
        CURSORS | {"customer", "status", "subscription"},
        _list_invoices,
    ),
    readable(_INVOICE_PAYMENTS, "invoice_payment", shapes.InvoicePaymentRetrieveParams),
    Endpoint(
        "GET",
        _INVOICE_PAYMENTS,
        "invoice_payment",
        shapes.InvoicePaymentListParams,
        CURSORS | {"invoice", "payment", "status"},
        _list_invoice_payments,
    ),
    Endpoint(
        "POST",
        "/v1/billing_portal/sessions",
        "billing_portal.session",
        portal_shapes.SessionCreateParams,
        frozenset({"configuration", "customer", "flow_data", "locale", "return_url"}),
        _open_portal,
    ),
    Endpoint(
        "POST",
        _CONFIGURATIONS,
        portal.KIND,
        portal_shapes.ConfigurationCreateParams,
        frozenset({"business_profile", "default_return_url", "features", "metadata", "name"}),
        _configure_portal,
    ),
    readable(_CONFIGURATIONS, portal.KIND, portal_shapes.ConfigurationRetrieveParams),
    listable(
        _CONFIGURATIONS,
        portal.KIND,
        portal_shapes.ConfigurationListParams,
        *("active", "is_default"),
    ),
    Endpoint(
        "POST",
        "/v1/products",
        "product",
        shapes.ProductCreateParams,
        frozenset(
            {
                "active",
                "description",
                "images",
                "metadata",
                "name",
                "statement_descriptor",
                "url",
            }
        ),
        _create_product,
    ),
    readable("/v1/products", "product", shapes.ProductRetrieveParams),
    listable("/v1/products", "product", shapes.ProductListParams, "active"),
    Endpoint(
        "POST",
        _ENDPOINTS,
        "webhook_endpoint",
        shapes.WebhookEndpointCreateParams,
        frozenset({"api_version", "description", "enabled_events", "metadata", "url"}),
        _create_webhook_endpoint,
    ),
    readable(_ENDPOINTS, "webhook_endpoint", shapes.WebhookEndpointRetrieveParams),
    listable(_ENDPOINTS, "webhook_endpoint", shapes.WebhookEndpointListParams),
]
