"""Events: record them, sign them, send them, and the tricks that a network plays on them."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import random
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Thread
from urllib.parse import urlsplit

from . import objects
from .store import Store
from .wire import Json

log = logging.getLogger("donations.sandbox")

# The events a giving site subscribes to (giving.md). Stripe has more, such as charge.succeeded,
# which say again what one of these says; the sandbox neither sends nor lists those.
TYPES = frozenset(
    {
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.refunded",
        "charge.updated",
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "checkout.session.expired",
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.updated",
        "invoice.marked_uncollectible",
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.voided",
        "payment_intent.payment_failed",
        "payout.failed",
        "payout.paid",
        "payout.reconciliation_completed",
        "radar.early_fraud_warning.created",
        "refund.created",
        "refund.failed",
        "refund.updated",
    }
)
PAUSES = (1.0, 3.0, 9.0, 27.0, 81.0)
TIMEOUT = 10.0


def emit(store: Store, type: str, item: Json, *, previous: Json | None = None) -> Json:
    """Record an event about ``item`` as it is now and queue it. Call inside ``store.change()``."""
    if type not in TYPES:
        raise ValueError(f"{type} is not among the events of the sandbox")
    event = objects.event(
        store.new_id("evt"),
        created=store.now(),
        type=type,
        snapshot=store.present(item),
        previous=previous,
    )
    store.add(event)
    store.state["queue"].append({"event": event["id"], "attempts": 0, "sending": False})
    return event


def signature(body: bytes, secrets: Sequence[str], at: int) -> str:
    """The ``Stripe-Signature`` header, with one ``v1`` for each secret while they rotate."""
    signed = str(at).encode() + b"." + body
    digests = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={digest}" for digest in digests)])


class Deliverer:
    """Sends queued events, in the background while ``delivery.auto`` is on.

    An event counts as delivered once any copy of it is answered with 2xx. Otherwise it is sent
    again after each of ``pauses`` (seconds), then given up. Events held because ``auto`` is off
    are never given up. Without an address everything waits.
    """

    def __init__(
        self,
        store: Store,
        *,
        secrets: Sequence[str],
        url: str | None,
        pauses: Sequence[float] = PAUSES,
        tick: Callable[[Store], None],
    ) -> None:
        self._store = store
        self._secrets = tuple(secrets)
        self._url = url
        self._pauses = tuple(pauses)
        self._tick = tick
        self._random = random.Random(store.state["delivery"]["seed"])
        self._due: dict[str, float] = {}
        self._stopping = False
        self._thread: Thread | None = None

    @property
    def url(self) -> str | None:
        """Where events go."""
        return self._url

    @url.setter
    def url(self, url: str | None) -> None:
        with self._store.lock:
            self._url = url
            self._store.changed.notify_all()

    def start(self) -> None:
        """Begin to send in a daemon thread."""
        self._stopping = False
        self._thread = Thread(target=self._run, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the delivery it may be in."""
        with self._store.lock:
            self._stopping = True
            self._store.changed.notify_all()
        if self._thread is not None:
            self._thread.join(TIMEOUT + 1)
            self._thread = None

    def configure(self, **settings: int | float | bool | str | list[str]) -> Json:
        """Change delivery settings (see ``controls.delivery``) and start the seed's row anew."""
        with self._store.change() as state:
            state["delivery"].update(settings)
            self._random = random.Random(state["delivery"]["seed"])
            return dict(state["delivery"])

    def forget(self) -> None:
        """Drop what only this object knows, after the store was reset."""
        with self._store.lock:
            self._due.clear()
            self._random = random.Random(self._store.state["delivery"]["seed"])

    def deliver(self) -> list[Json]:
        """Send everything that is queued, now and in this thread; return the attempts made.

        Waits as well for what the background thread is sending at the moment.
        """
        made = self._send(self._claim(due_only=False))
        with self._store.lock:
            self._store.changed.wait_for(
                lambda: not any(entry["sending"] for entry in self._store.state["queue"]),
                timeout=3 * TIMEOUT,
            )
        return made

    def wait(self, timeout: float = 10.0) -> bool:
        """Wait until nothing is left to send in the background; False if time ran out first."""

        def is_idle() -> bool:
            state = self._store.state
            waits_for_no_one = self._url is None or not state["delivery"]["auto"]
            return not any(entry["sending"] or not waits_for_no_one for entry in state["queue"])

        with self._store.lock:
            return self._store.changed.wait_for(is_idle, timeout=timeout)

    def _run(self) -> None:
        while not self._stopping:
            self._tick(self._store)
            batch = self._claim(due_only=True)
            if batch:
                self._send(batch)
                continue
            with self._store.lock:
                if not self._stopping and not self._is_due():
                    self._store.changed.wait(self._pause())

    def _waiting(self) -> list[Json]:
        return [entry for entry in self._store.state["queue"] if not entry["sending"]]

    def _is_due(self) -> bool:
        if self._url is None or not self._store.state["delivery"]["auto"]:
            return False
        return any(self._wait_of(entry) <= 0 for entry in self._waiting())

    def _wait_of(self, entry: Json) -> float:
        return self._due.get(entry["event"], 0.0) - time.monotonic()

    def _pause(self) -> float:
        """Until the next retry, at most a second: sessions expire by themselves."""
        waits = [self._wait_of(entry) for entry in self._waiting()]
        return max(0.01, min([1.0, *(wait for wait in waits if wait > 0)]))

    def _claim(self, *, due_only: bool) -> list[Json]:
        with self._store.lock:
            if self._url is None or (due_only and not self._is_due()):
                return []
            batch = [
                entry for entry in self._waiting() if not due_only or self._wait_of(entry) <= 0
            ]
            for entry in batch:
                entry["sending"] = True
            return batch

    def _send(self, batch: list[Json]) -> list[Json]:
        made = []
        for entry in self._plan(batch):
            with self._store.lock:
                event = self._store.get("event", entry["event"])
                url = self._url
            if event is None or url is None:
                continue
            status, error = self._post(url, event)
            made.append(self._record(entry, event, status, error))
        with self._store.change():
            for entry in batch:
                self._settle(entry)
        return made

    def _plan(self, batch: list[Json]) -> list[Json]:
        """The copies to send, in order: some dropped, some repeated, as the settings say."""
        with self._store.lock:
            settings = self._store.state["delivery"]
            copies: list[Json] = []
            for entry in batch:
                entry["answered"] = False
                event = self._store.get("event", entry["event"])
                if event is None or self._is_dropped(settings, event["type"]):
                    entry["answered"] = None
                    if event is not None:
                        self._record(entry, event, None, "dropped on purpose")
                else:
                    copies += [entry] * (1 + self._extra(settings["repeat"]))
            if settings["order"] == "reverse":
                copies.reverse()
            elif settings["order"] == "shuffle":
                self._random.shuffle(copies)
            return copies

    def _is_dropped(self, settings: Json, type: str) -> bool:
        drop = settings["drop"]
        if isinstance(drop, list):
            return type in drop
        if isinstance(drop, float):
            return self._random.random() < drop
        if drop > 0:
            settings["drop"] = drop - 1
            return True
        return False

    def _extra(self, repeat: int | float) -> int:
        if isinstance(repeat, float):
            return int(self._random.random() < repeat)
        return repeat

    def _post(self, url: str, event: Json) -> tuple[int | None, str | None]:
        # As it was when first sent: copies and further tries are the same bytes.
        body = json.dumps({**event, "pending_webhooks": 1}, indent=2).encode()
        parts = urlsplit(url)
        connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT)
        # Signed with the real time even when the sandbox's clock is elsewhere: the receiver
        # compares it with its own.
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, self._secrets, int(time.time())),
            "User-Agent": "Stripe/1.0 (sandbox)",
        }
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", target, body, headers)
            response = connection.getresponse()
            response.read()
            return response.status, None
        except (OSError, HTTPException) as error:
            return None, f"{type(error).__name__}: {error}"
        finally:
            connection.close()

    def _record(self, entry: Json, event: Json, status: int | None, error: str | None) -> Json:
        attempt = {
            "event": event["id"],
            "type": event["type"],
            "at": int(time.time()),
            "status": status,
            "error": error,
        }
        # Saved with the batch: a restart in between sends once more, which a receiver must bear.
        with self._store.lock:
            self._store.log("attempts", attempt)
            if status is not None and 200 <= status < 300:
                entry["answered"] = True
                event["pending_webhooks"] = 0
        return attempt

    def _settle(self, entry: Json) -> None:
        state = self._store.state
        id = entry["event"]
        answered = entry.pop("answered", False)
        entry["sending"] = False
        entry["attempts"] += 1
        is_last = entry["attempts"] > len(self._pauses)
        if answered is False and (not is_last or not state["delivery"]["auto"]):
            pause = 0.0 if is_last else self._pauses[entry["attempts"] - 1]
            self._due[id] = time.monotonic() + pause
            return
        if answered is False:
            log.warning("sandbox: gave up sending %s after %s tries", id, entry["attempts"])
        self._due.pop(id, None)
        if entry in state["queue"]:
            state["queue"].remove(entry)
