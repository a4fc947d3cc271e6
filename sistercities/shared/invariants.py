"""What must be true at any moment, whatever went wrong before (trust.md, "Invariants").

Each app has such a module. `CHECKS` names its invariants; each check only reads and yields what
breaks it, so that none means true.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection

from sistercities.shared import sweeping


@dataclass(frozen=True)
class Broken:
    """`row` is like `donations.Donation 12`; `why` is for whoever mends it."""

    row: str
    why: str


Check = Callable[[], Iterator[Broken]]


def files_and_rows() -> Iterator[Broken]:
    """I5: each photo has all its files, and each file its row."""
    report = sweeping.sweep()
    for why, part in (
        ("A file is missing", report.rows_without_files),
        ("No row names this file", report.files_without_rows),
        ("Work got stuck", report.stuck),
    ):
        for found in part:
            yield Broken(found.row, f"{why}: {found.storage}:{found.file}")


def whole_database() -> Iterator[Broken]:
    """I6. PostgreSQL holds what it has once validated, so there what it has not is told."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA integrity_check")
            for (said,) in cursor.fetchall():
                if said != "ok":
                    yield Broken("", said)
            cursor.execute("PRAGMA foreign_key_check")
            for table, row, parent, _number in cursor.fetchall():
                yield Broken(f"{table} {row}", f"The row of {parent} that it names is gone")
            return
        cursor.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE NOT convalidated"
            " UNION ALL SELECT indrelid::regclass::text, indexrelid::regclass::text"
            " FROM pg_index WHERE NOT indisvalid"
        )
        for table, name in cursor.fetchall():
            yield Broken(table, f"{name} was never validated")


CHECKS: dict[str, Check] = {"I5": files_and_rows, "I6": whole_database}
