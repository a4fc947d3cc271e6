"""Early fraud warnings of the card networks."""

from __future__ import annotations

from . import objects
from .errors import refused
from .store import Store
from .webhooks import emit
from .wire import Json


def warn(store: Store, charge: Json) -> Json:
    """A card network warns of a paid charge. Call inside ``store.change()``.

    The warning is ``actionable`` until the charge is disputed or refunded in full. Raises ApiError
    400 for a charge that was not paid or has its warning.
    """
    if charge["status"] != "succeeded":
        raise refused(f"{charge['id']} is {charge['status']}: no network warns of it.")
    if any(row["charge"] == charge["id"] for row in store.all("radar.early_fraud_warning")):
        raise refused(f"{charge['id']} has its warning already.")
    item = store.add(
        objects.early_fraud_warning(store.new_id("issfr"), created=store.now(), charge=charge)
    )
    emit(store, "radar.early_fraud_warning.created", item)
    return item
