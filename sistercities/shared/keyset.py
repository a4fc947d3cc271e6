"""Long lists, page by page: the thousandth costs what the first one costs.

A page says after which row it begins, not how many to leave out, so no row is counted or skipped.
The place is written into the address by value: it holds when that row is deleted meanwhile.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

LONGEST = 200
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class KeysetPage:
    """Some rows of a list; `next` and `previous` are queries for links, empty at its ends."""

    object_list: list[Any]
    next: str
    previous: str

    def __iter__(self) -> Iterator[Any]:
        return iter(self.object_list)


@dataclass(frozen=True)
class Keyset:
    """The order of a list: fields or annotations, each with the reader of its value in an address.

    The last one must tell any two rows apart; all go the same way.
    """

    keys: dict[str, Callable[[str], Any]]
    is_descending: bool = True

    def page(self, request: HttpRequest, rows: QuerySet, size: int) -> KeysetPage:
        """What `?after=` or `?before=` asks for; the first page where that says nothing."""
        after = self._read(request.GET.get("after", ""))
        before = None if after else self._read(request.GET.get("before", ""))
        if place := after or before:
            rows = rows.filter(self._beyond(place, is_backwards=before is not None))
            # Of two bounds for one index SQLite takes the first: the place, not the present moment.
            rows.query.where.children.reverse()
        found = list(rows.order_by(*self._order(is_backwards=before is not None))[: size + 1])
        has_more, found = len(found) > size, found[:size]
        if before:
            found.reverse()
        is_first = not (after or before) or (before is not None and not has_more)
        is_last = not has_more if before is None else False
        return KeysetPage(
            found,
            next=f"after={self._place(found[-1])}" if found and not is_last else "",
            previous=f"before={self._place(found[0])}" if found and not is_first else "",
        )

    def _order(self, *, is_backwards: bool) -> list[str]:
        sign = "-" if self.is_descending != is_backwards else ""
        return [f"{sign}{key}" for key in self.keys]

    def _beyond(self, place: list[Any], *, is_backwards: bool) -> Q:
        """Rows further on than `place`. The first condition alone says where an index begins."""
        sign = "lt" if self.is_descending != is_backwards else "gt"
        names, values = list(self.keys), place
        beyond = Q(**{f"{names[-1]}__{sign}": values[-1]})
        for name, value in zip(names[-2::-1], values[-2::-1], strict=True):
            beyond = Q(**{f"{name}__{sign}": value}) | (Q(**{name: value}) & beyond)
        return Q(**{f"{names[0]}__{sign}e": values[0]}) & beyond

    def _place(self, row: Model) -> str:
        return "~".join(_written(getattr(row, key)) for key in self.keys)

    def _read(self, text: str) -> list[Any] | None:
        """The values of a place, or None for what is none."""
        words = text.split("~")
        if len(text) > LONGEST or len(words) != len(self.keys):
            return None
        try:
            return [read(word) for read, word in zip(self.keys.values(), words, strict=True)]
        except (ValueError, OverflowError):
            return None


def _written(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat()
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def moment(text: str) -> dt.datetime:
    """A moment in UTC, written without its zone."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def hour(text: str) -> dt.time:
    """A time of day without a zone: SQLite takes no other."""
    return dt.time.fromisoformat(text).replace(tzinfo=None)


def number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > LARGEST:
        raise ValueError(text)
    return int(text)
