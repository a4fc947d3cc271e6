"""Idempotency keys: one effect for one key, and the first answer again for every repeat."""

from __future__ import annotations

from .errors import ApiError
from .objects import DAY
from .store import Store
from .wire import Json


def begin(store: Store, key: str, path: str, params: Json) -> Json | None:
    """Claim a key for a POST; the kept record (``status``, ``body``, ``request_id``) if it is old.

    Raises ApiError 400 ``idempotency_error`` for the same key with another path or other
    parameters and 409 while its first request is under way. Keys are forgotten after 24 hours of
    the sandbox's time. Call inside ``store.change()``.
    """
    keys = store.state["keys"]
    kept: Json | None = keys.get(key)
    if kept is not None and store.now() - kept["created"] >= DAY:
        kept = None
    if kept is None:
        keys[key] = {
            "path": path,
            "params": params,
            "created": store.now(),
            "status": None,
            "body": None,
            "request_id": None,
        }
        return None
    if kept["path"] != path:
        raise _error(
            400,
            "Keys for idempotent requests can only be used for the same endpoint they were first "
            f"used for ('{path}' vs '{kept['path']}'). Try using a key other than '{key}' if you "
            "meant to execute a different request.",
        )
    if kept["params"] != params:
        raise _error(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{key}' if you meant to execute a "
            "different request.",
        )
    if kept["status"] is None:
        raise _error(
            409,
            "There is currently another in-progress request using this Idempotency-Key. Please "
            f"try again later: {key}",
            code="idempotency_key_in_use",
        )
    return kept


def finish(store: Store, key: str, status: int, body: Json, request_id: str) -> None:
    """Keep the outcome. Call in the same ``store.change()`` as the effect itself."""
    # A reset while the request was under way has already forgotten the key.
    if key in store.state["keys"]:
        store.state["keys"][key].update(status=status, body=body, request_id=request_id)


def abandon(store: Store, key: str) -> None:
    """Let go of a key whose request was turned away before it began to run."""
    store.state["keys"].pop(key, None)


def forget(store: Store) -> None:
    """Forget every key, as Stripe may after a day."""
    store.state["keys"].clear()


def _error(status: int, message: str, *, code: str | None = None) -> ApiError:
    return ApiError(status, message, type="idempotency_error", code=code, stored=False)
