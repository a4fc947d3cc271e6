"""The shape of an endpoint, and what the endpoints of every kind of object share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from . import reading
from .errors import no_such
from .store import Store
from .wire import Json

CURSORS = frozenset({"limit", "starting_after", "ending_before", "created", "expand"})
NAMES = {
    "balance_transaction": "balance transaction",
    "checkout.session": "checkout.session",
}


@dataclass(frozen=True)
class Endpoint:
    """One method and path, answering with an object of ``kind`` or a list of them.

    ``shape`` is the library's TypedDict that requests are checked against and ``spoken`` the
    parameters that the sandbox acts on: one that Stripe knows and the sandbox does not is refused
    in words rather than ignored. ``run`` gets the store, the checked parameters and the ids of the
    path; for anything but a GET it runs inside ``store.change()``.
    """

    method: str
    path: str
    kind: str
    shape: Any
    spoken: frozenset[str]
    run: Callable[..., Json]

    @property
    def answers(self) -> str:
        """The kind of the answer, as ``reading.check_expand`` names it."""
        is_list = self.method == "GET" and not self.path.endswith("{id}")
        return f"list:{self.kind}" if is_list else self.kind

    def match(self, path: str) -> list[str] | None:
        """The ids in a path of this endpoint, or None for another one's path."""
        pattern = re.sub(r"\{id\}", "([^/]+)", self.path)
        found = re.fullmatch(pattern, path)
        return [unquote(id) for id in found.groups()] if found else None


def readable(path: str, kind: str, shape: Any) -> Endpoint:
    """GET of one object by its id."""

    def retrieve(store: Store, params: Json, id: str) -> Json:
        return store.present(get(store, kind, id))

    return Endpoint("GET", path + "/{id}", kind, shape, frozenset(), retrieve)


def listable(path: str, kind: str, shape: Any, *filters: str) -> Endpoint:
    """GET of a list whose filters are fields of its objects."""

    def list_all(store: Store, params: Json) -> Json:
        wanted = {name: params[name] for name in filters if name in params}
        rows = [
            row
            for row in store.all(kind)
            if all(row[name] == value for name, value in wanted.items())
        ]
        return reading.page(store, rows, params, url=path)

    return Endpoint("GET", path, kind, shape, CURSORS.union(filters), list_all)


def get(store: Store, kind: str, id: str) -> Json:
    found = store.get(kind, id)
    if found is None:
        raise no_such(NAMES.get(kind, kind), id)
    return found
