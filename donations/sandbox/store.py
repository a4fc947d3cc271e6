"""Everything the sandbox knows, in memory and, if asked, in one JSON file."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from threading import Condition, RLock
from typing import Any

from .wire import Json

FORMAT = 1
LOG_LENGTH = 5000  # requests and delivery attempts kept; older ones are forgotten


def _empty() -> Json:
    return {
        "format": FORMAT,
        "frozen_at": None,
        "objects": {},
        "requests": [],
        "keys": {},
        "queue": [],
        "attempts": [],
        "delivery": {"auto": True, "order": "in_order", "seed": 0, "repeat": 0, "drop": 0},
        "faults": [],
    }


class Store:
    """The sandbox's state behind one lock.

    Whoever reads holds ``lock``; whoever writes does so inside ``change()``. With a file, leaving
    the outermost ``change()`` replaces it in one step, so a killed process leaves the old or the
    new state and never half of one. A power cut is not covered.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.lock = RLock()
        self.changed = Condition(self.lock)
        self.base_url = ""
        self.state = _empty()
        self._file = file
        self._depth = 0
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.exists():
                self.state = _load(file)

    @contextmanager
    def change(self) -> Iterator[Json]:
        """Hold the lock, hand out the state, then save it and wake whoever waits on it."""
        with self.lock:
            self._depth += 1
            try:
                yield self.state
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._save()
                    self.changed.notify_all()

    def reset(self) -> None:
        """Forget everything, the clock, faults and delivery settings included."""
        with self.change():
            self.state = _empty()

    def now(self) -> int:
        """The sandbox's time in Unix seconds: frozen by the test control, else the real one."""
        frozen: int | None = self.state["frozen_at"]
        return int(time.time()) if frozen is None else frozen

    def new_id(self, prefix: str, length: int = 24) -> str:
        """An id in Stripe's manner, such as ``ch_`` and hexadecimal digits."""
        return f"{prefix}_{secrets.token_hex(length // 2)}"

    def add(self, item: Json) -> Json:
        """Keep a new object under its ``object`` kind; creation order is list order."""
        self.state["objects"].setdefault(item["object"], {})[item["id"]] = item
        return item

    def get(self, kind: str, id: str) -> Json | None:
        """The object of that kind and id itself, not a copy."""
        found: Json | None = self.state["objects"].get(kind, {}).get(id)
        return found

    def find(self, id: str) -> Json | None:
        """The object with that id, whatever its kind."""
        for items in self.state["objects"].values():
            if id in items:
                found: Json = items[id]
                return found
        return None

    def all(self, kind: str) -> list[Json]:
        """All objects of a kind, newest first."""
        return list(reversed(self.state["objects"].get(kind, {}).values()))

    def log(self, name: str, entry: Json) -> None:
        """Append to the ``requests`` or ``attempts`` log."""
        entries: list[Json] = self.state[name]
        entries.append(entry)
        del entries[:-LOG_LENGTH]

    def present(self, item: Json) -> Json:
        """A copy as Stripe would show it: without our private notes, up to date."""
        shown = deepcopy(item)
        shown.pop("_sandbox", None)
        if shown["object"] == "balance_transaction" and shown["available_on"] <= self.now():
            shown["status"] = "available"
        if shown["object"] == "radar.early_fraud_warning":
            charge = self.get("charge", shown["charge"]) or {}
            # Stripe: actionable until it is disputed or refunded in full.
            shown["actionable"] = not (charge.get("refunded") or charge.get("disputed"))
        return shown

    def _save(self) -> None:
        if self._file is None:
            return
        draft = self._file.with_name(f".{self._file.name}.draft")
        draft.write_text(json.dumps(self.state), encoding="utf-8")
        draft.replace(self._file)


def _load(file: Path) -> Json:
    try:
        state: Any = json.loads(file.read_text(encoding="utf-8"))
        known = state["format"] == FORMAT
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise RuntimeError(f"{file} is not a state file of this sandbox; remove it to start anew.")
    # What was under way when the process ended has no one left to finish it.
    state["keys"] = {key: kept for key, kept in state["keys"].items() if kept["status"]}
    for entry in state["queue"]:
        entry["sending"] = False
    return dict(state)
