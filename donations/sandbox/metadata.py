"""Metadata: Stripe's limits, and how an update changes what is kept."""

from __future__ import annotations

from .errors import refused
from .wire import Json

KEYS_AT_MOST = 50


def clean(holder: Json, path: str) -> None:
    """Drop emptied keys and hold to Stripe's limits: 50 keys of 40 characters, values of 500."""
    metadata = holder.get("metadata") or {}
    if len(metadata) > KEYS_AT_MOST:
        raise refused(f"Metadata can have up to {KEYS_AT_MOST} keys.", param=path)
    for key, value in metadata.items():
        if len(key) > 40:
            raise refused("Metadata keys can have up to 40 characters.", param=f"{path}[{key}]")
        if len(value) > 500:
            raise refused("Metadata values can have up to 500 characters.", param=f"{path}[{key}]")
    if "metadata" in holder:
        holder["metadata"] = {key: value for key, value in metadata.items() if value != ""}


def merged(kept: Json, given: Json | str) -> Json:
    """What an update makes of metadata: new keys join, emptied ones go, ``""`` empties it all."""
    joined = {**kept, **given} if isinstance(given, dict) else {}
    holder = {"metadata": {key: value for key, value in joined.items() if value != ""}}
    clean(holder, "metadata")
    return holder["metadata"]
