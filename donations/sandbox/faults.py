"""Faults that a test asks for: lost replies, error statuses and slow answers."""

from __future__ import annotations

from fnmatch import fnmatchcase

from .errors import ApiError
from .store import Store
from .wire import Json

_TYPES = {
    401: "invalid_request_error",
    402: "card_error",
    404: "invalid_request_error",
    409: "idempotency_error",
    429: "rate_limit_error",
}
_CODES = {402: "card_declined", 409: "lock_timeout", 429: "rate_limit"}


def add(store: Store, fault: Json) -> None:
    """Arm a fault ``{path, method, times, drop_reply, status, latency_ms}`` for coming requests.

    ``times`` 0 disarms what was armed for that path. Call inside ``store.change()``.
    """
    armed = store.state["faults"]
    if fault["times"] == 0:
        armed[:] = [other for other in armed if other["path"] != fault["path"]]
    else:
        armed.append(fault)


def take(store: Store, method: str, path: str) -> Json | None:
    """The first armed fault for this request, counted down. Call with the lock held."""
    armed = store.state["faults"]
    for fault in armed:
        if fault["method"] in (None, method) and _covers(fault["path"], path):
            fault["times"] -= 1
            if fault["times"] == 0:
                armed.remove(fault)
            return dict(fault)
    return None


def _covers(pattern: str | None, path: str) -> bool:
    """A pattern covers its own path, everything below it and what its ``*`` stand for."""
    return (
        pattern is None
        or path == pattern
        or path.startswith(pattern.rstrip("/") + "/")
        or fnmatchcase(path, pattern)
    )


def as_error(status: int) -> ApiError:
    """The error that a faulty Stripe answers with.

    A 402 or 5xx is remembered under the request's key, for Stripe had begun to run it; 409 and
    429 turn the request away before that.
    """
    return ApiError(
        status,
        f"A fault that was asked for in the sandbox (status {status}).",
        type=_TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error"),
        code=_CODES.get(status),
        decline_code="generic_decline" if status == 402 else None,
        stored=status == 402 or status >= 500,
    )
