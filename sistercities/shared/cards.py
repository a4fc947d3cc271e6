"""A card: the short form in which any public thing is listed beside others.

Pages show many small lists from many tables. `gather` reads them in one query, whatever their
number, so a page costs the same with three lists or ten (docs/decisions/0002-cards.md).
"""

import datetime as dt
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Expression, F, Value
from django.db.models.functions import Cast, JSONObject
from django.urls import reverse

TEXT = models.TextField()
COLUMNS: dict[str, models.Field] = {
    "slug": TEXT, "title": TEXT, "native": TEXT, "language": TEXT, "summary": TEXT,
    "on": models.DateField(), "until": models.DateField(),
    "picture": TEXT, "picture_width": models.IntegerField(),
    "picture_height": models.IntegerField(), "picture_colour": TEXT, "picture_alt": TEXT,
    "picture_has_avif": models.BooleanField(),
    "rank": models.IntegerField(),
}  # fmt: skip


class Nothing(Expression):
    """An empty column, in the type that the tables beside it have there.

    Half of all columns of a page's header and footer are empty. This one is written as it stands:
    Django would copy and resolve a `Cast` of a `Value` for each of them, for each page.
    """

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Self:
        return self

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[()]]:
        value = "''" if self.output_field is TEXT else "NULL"
        return f"CAST({value} AS {self.output_field.cast_db_type(connection)})", ()

    def get_group_by_cols(self) -> list:
        return []


EMPTY = {name: Nothing(output) for name, output in COLUMNS.items()}


@dataclass
class Card:
    """`on` and `until` are days; `more` holds what only this kind has. Texts are never None."""

    kind: str
    pk: int
    slug: str
    title: str
    native: str
    language: str
    summary: str
    on: dt.date | None
    until: dt.date | None
    picture: str
    picture_width: int
    picture_height: int
    picture_colour: str
    picture_alt: str
    picture_has_avif: bool
    rank: int
    more: dict[str, Any] = field(default_factory=dict)

    picture_base: ClassVar[str] = settings.MEDIA_URL
    ROUTES = {
        "city": "cities:detail", "visit": "exchanges:visit", "gallery": "exchanges:gallery",
        "event": "exchanges:event", "article": "news:detail", "campaign": "donations:campaign",
        "page": "pages:page", "document": "pages:document", "issue": "newsletter:issue",
    }  # fmt: skip

    def get_absolute_url(self) -> str:
        return reverse(self.ROUTES[self.kind], args=[self.slug]) if self.kind in self.ROUTES else ""


def as_cards(
    queryset: models.QuerySet, kind: str, *, more: dict[str, Any] | None = None, **columns: Any
) -> models.QuerySet:
    """`queryset` in the shape of cards: `columns` name a field or give an expression.

    `more` becomes a JSON object, so its dates arrive as ISO text and its numbers as they are.
    A JSON column inside it arrives as text from SQLite: `as_list` reads both.
    """
    unknown = set(columns) - set(COLUMNS)
    if unknown:
        raise TypeError(f"no such card column: {', '.join(sorted(unknown))}")
    shape: dict[str, Any] = {"kind_": Value(kind, output_field=TEXT), "pk_": F("pk")}
    for name, output in COLUMNS.items():
        given = columns.get(name)
        if given is None:
            shape[f"{name}_"] = EMPTY[name]
        else:  # a column as it stands: to cast each costs as much as all the rest
            shape[f"{name}_"] = F(given) if isinstance(given, str) else Cast(given, output)
    shape["more_"] = JSONObject(**(more or {"kind": Value(kind)}))
    return queryset.order_by().values_list(*[]).annotate(**shape).values_list(*shape)


def as_list(value: list | str | None) -> list:
    """A JSON list out of `Card.more`, whichever database it came from."""
    return json.loads(value) if isinstance(value, str) else value or []


def as_time(value: str | None) -> dt.time | None:
    """An hour out of `Card.more`."""
    return dt.time.fromisoformat(value) if value else None


def newest_first(card: Card) -> tuple[int, int]:
    """A sort key: the latest day first, of one day the row that was written last."""
    return -(card.on.toordinal() if card.on else 0), -card.pk


def picture_columns(prefix: str = "") -> dict[str, str]:
    names = (
        "picture", "picture_width", "picture_height", "picture_colour", "picture_alt",
        "picture_has_avif",
    )  # fmt: skip
    return {name: f"{prefix}{name}" for name in names}


def gather(*querysets: models.QuerySet) -> dict[str, list[Card]]:
    """The cards of all `querysets` by kind, read in one query; a kind without rows is empty.

    Each list is ordered by rank, then day, then title.
    """
    first, *others = querysets
    by_kind: dict[str, list[Card]] = defaultdict(list)
    for kind, pk, *values, more in first.union(*others, all=True) if others else first:
        columns: dict[str, Any] = {
            name: ("" if value is None and COLUMNS[name] is TEXT else value)
            for name, value in zip(COLUMNS, values, strict=True)
        }
        by_kind[kind].append(Card(kind=kind, pk=pk, more=more, **columns))
    for cards in by_kind.values():
        cards.sort(key=lambda card: (card.rank or 0, card.on or dt.date.max, card.title))
    return by_kind
