"""What a request changes of a subscription. Call inside ``store.change()``."""

from __future__ import annotations

from . import metadata, objects, prices, recurring_objects, subscriptions
from .errors import missing, no_such, not_spoken, refused
from .store import Store
from .wire import Json

TRIAL_AT_MOST = 730 * objects.DAY


def update(store: Store, subscription: Json, params: Json) -> Json:
    """Change a subscription as a request asks; ``params`` have passed ``lint.coerce``.

    The amount and the day of the next payment (``trial_end``, which makes the subscription
    ``trialing`` until then) change without proration only, and how often it is charged not at
    all. Raises ApiError 400 for what the sandbox or Stripe refuses; a subscription that has ended
    takes new metadata alone.
    """
    if subscription["status"] in subscriptions.ENDED and params.keys() - {"metadata"}:
        raise refused(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    is_rebilled = "items" in params or "trial_end" in params
    if is_rebilled and params.get("proration_behavior") != "none":
        raise not_spoken("prorations (send proration_behavior=none)", param="proration_behavior")
    if "items" in params:
        _check_items(store, subscription, params["items"])
    if "trial_end" in params:
        _check_trial(store, subscription, params["trial_end"])
    pause = params.get("pause_collection") or None
    if pause is not None and pause.get("resumes_at", store.now() + 1) <= store.now():
        raise refused(
            "Invalid timestamp: must be in the future.", param="pause_collection[resumes_at]"
        )
    if "metadata" in params:
        params["metadata"] = metadata.merged(subscription["metadata"], params["metadata"])
    before = store.present(subscription)
    if "metadata" in params:
        subscription["metadata"] = params["metadata"]
    if "items" in params:
        item, data = subscription["items"]["data"][0], params["items"][0]["price_data"]
        item["price"] = recurring_objects.price(
            store.new_id("price"), created=store.now(), product=data["product"], data=data
        )
    if "trial_end" in params:
        _begin_trial(store, subscription, params["trial_end"])
    if "pause_collection" in params:
        subscription["pause_collection"] = pause and {
            "behavior": pause["behavior"],
            "resumes_at": pause.get("resumes_at"),
        }
    if "cancel_at_period_end" in params:
        is_leaving = params["cancel_at_period_end"]
        subscription["cancel_at_period_end"] = is_leaving
        subscription["canceled_at"] = store.now() if is_leaving else None
        subscriptions.say_why(subscription, "cancellation_requested" if is_leaving else None)
    if subscription["status"] not in subscriptions.ENDED:
        period_end = subscription["items"]["data"][0]["current_period_end"]
        subscription["cancel_at"] = period_end if subscription["cancel_at_period_end"] else None
    subscriptions.announce(store, subscription, before)
    return subscription


def _check_items(store: Store, subscription: Json, items: list[Json]) -> None:
    kept = subscription["items"]["data"][0]
    if len(items) != 1 or "id" not in items[0]:
        raise not_spoken("a second item (name the one there is by items[0][id])", param="items")
    for name in items[0].keys() - {"id", "price_data"}:
        raise not_spoken(f"items[0][{name}]", param=f"items[0][{name}]")
    if items[0]["id"] != kept["id"]:
        raise no_such("subscription item", items[0]["id"], param="items[0][id]", status=400)
    if "price_data" not in items[0]:
        raise missing("items[0][price_data]")
    data, path = items[0]["price_data"], "items[0][price_data]"
    currency = prices.check(store, data, path)
    if currency != subscription["currency"]:
        raise refused(
            f"The currency must be that of the subscription: {subscription['currency']}.",
            param=f"{path}[currency]",
        )
    prices.check_total(
        data["unit_amount"] * kept["quantity"],
        currency,
        what="The subscription's amount",
        param=f"{path}[unit_amount]",
    )
    often = {"interval_count": 1, **data["recurring"]}
    if any(often[name] != kept["price"]["recurring"][name] for name in often):
        raise not_spoken("another interval for a subscription", param=f"{path}[recurring]")


def _check_trial(store: Store, subscription: Json, trial_end: int | str) -> None:
    if not isinstance(trial_end, int):
        raise not_spoken(f"trial_end={trial_end}", param="trial_end")
    if not store.now() < trial_end <= store.now() + TRIAL_AT_MOST:
        raise refused(
            "Invalid timestamp: `trial_end` must be in the future and at most two years ahead.",
            param="trial_end",
        )
    if subscription["status"] not in ("active", "trialing"):
        raise not_spoken(
            f"a trial for a subscription that is {subscription['status']}", param="trial_end"
        )


def _begin_trial(store: Store, subscription: Json, trial_end: int) -> None:
    """Move the next payment to ``trial_end``, and the days of those that follow with it."""
    item = subscription["items"]["data"][0]
    item.update(current_period_start=store.now(), current_period_end=trial_end)
    subscription.update(
        status="trialing",
        billing_cycle_anchor=trial_end,
        trial_start=store.now(),
        trial_end=trial_end,
    )
