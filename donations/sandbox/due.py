"""What happens by itself once its time has come."""

from __future__ import annotations

from . import checkout, subscriptions
from .store import Store


def catch_up(store: Store) -> None:
    """End the sessions whose time has passed and resume the subscriptions whose pause has."""
    checkout.expire_due(store)
    subscriptions.resume_due(store)
