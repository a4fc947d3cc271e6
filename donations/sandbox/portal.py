"""The customer portal: its configurations and the sessions that lead into it."""

from __future__ import annotations

from . import addresses, recurring_objects
from .errors import missing, no_such, not_spoken, refused
from .store import Store
from .wire import Json

KIND = "billing_portal.configuration"
_CARD_ONLY: Json = {"features": {"payment_method_update": {"enabled": True}}}


def configure(store: Store, params: Json, *, is_default: bool = False) -> Json:
    """Keep a configuration. Call inside ``store.change()``, as for all below."""
    if params.get("default_return_url"):
        addresses.check(params["default_return_url"], "default_return_url")
    return store.add(
        recurring_objects.portal_configuration(
            store.new_id("bpc"), created=store.now(), params=params, is_default=is_default
        )
    )


def open_session(store: Store, params: Json) -> Json:
    """A way in for one customer, with or without the flow that replaces the card.

    Without a configuration the default one counts, which the first session makes. Raises ApiError
    400 for an unknown customer or configuration, another flow, and a flow that is switched off.
    """
    if "customer" not in params:
        raise missing("customer")
    if store.get("customer", params["customer"]) is None:
        raise no_such("customer", params["customer"], param="customer", status=400)
    if "return_url" in params:
        addresses.check(params["return_url"], "return_url")
    flow = params.get("flow_data")
    if flow is not None:
        _check_flow(flow)
    configuration = _configuration(store, params.get("configuration"))
    if flow is not None and not configuration["features"]["payment_method_update"]["enabled"]:
        raise refused(
            "This configuration does not let customers update their payment method.",
            param="flow_data[type]",
        )
    return store.add(
        recurring_objects.portal_session(
            store.new_id("bps"),
            created=store.now(),
            base_url=store.base_url,
            configuration=configuration,
            params=params,
        )
    )


def goes_back_to(session: Json) -> str | None:
    """Where the portal sends a customer who is done."""
    after = (session["flow"] or {}).get("after_completion", {})
    url: str | None = after.get("redirect", {}).get("return_url", session["return_url"])
    return url


def _check_flow(flow: Json) -> None:
    if flow["type"] != "payment_method_update":
        raise not_spoken(f"flow_data[type]={flow['type']}", param="flow_data[type]")
    after = flow.get("after_completion", {})
    if after.get("type", "redirect") != "redirect":
        raise not_spoken(
            f"flow_data[after_completion][type]={after['type']}",
            param="flow_data[after_completion][type]",
        )
    path = "flow_data[after_completion][redirect]"
    if after and "redirect" not in after:
        raise missing(path)
    if after:
        addresses.check(after["redirect"]["return_url"], f"{path}[return_url]")


def _configuration(store: Store, id: str | None) -> Json:
    if id is not None:
        found = store.get(KIND, id)
        if found is None:
            raise no_such("configuration", id, param="configuration", status=400)
        return found
    defaults = [row for row in store.all(KIND) if row["is_default"]]
    return defaults[0] if defaults else configure(store, _CARD_ONLY, is_default=True)
