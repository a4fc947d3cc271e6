"""Many rows, and many writers."""

from collections.abc import Iterator
from typing import TypeVar

from django.db import connection, models

AT_ONCE = 500
Row = TypeVar("Row", bound=models.Model)


def each(rows: "models.QuerySet[Row]") -> Iterator[Row]:
    """Every row by rising key, 500 a question, so that the caller may write in between.

    `iterator()` keeps its one question open: where another process wrote meanwhile, SQLite then
    refuses our own write with "database is locked" at once.
    """
    found = list(rows.order_by("pk")[:AT_ONCE])
    while found:
        last = found[-1].pk  # before the caller deletes that row
        yield from found
        found = list(rows.filter(pk__gt=last).order_by("pk")[:AT_ONCE])


def stand_in_line(name: str) -> None:
    """Until the transaction ends, whoever calls this with the same name waits.

    For what no row stands for yet. SQLite lets one writer in at a time, and this writer is in.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
