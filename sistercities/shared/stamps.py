"""Which tables changed: a stamp a table in the shared cache, new with each write that pages show.

Whoever writes, a view, a job or a command, row by row or in bulk, does it through a connection of
this project, so one watcher on each connection sees all of it. A model says `shown_on_pages`:

- `True`: every change of a row may change a page.
- names of fields: only an update that sets one of them, or a deletion. For tables where most
  writes show nowhere.
- nothing: pages show none of it. A page that reads such a table is not stored.
"""

import functools
import logging
import math
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

from django.apps import apps
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Field, Model
from redis import RedisError

logger = logging.getLogger(__name__)
TROUBLE = (DatabaseError, RedisError, OSError)
# `OLDEST` stands for the stamp of a table that had none since the cache began.
NEWEST, OLDEST, OF_TABLE = "pages:newest", "pages:oldest", "pages:of:"
ONE_LOOK, AFTER_TROUBLE = 0.01, 5  # seconds until the shared cache is asked again
NAME = re.compile(r'"(\w+)"')
WRITE = re.compile(r'(INSERT|REPLACE|UPDATE|DELETE)\b[^"(]*"(\w+)"')
ASSIGNED = re.compile(r'"(\w+)" = ')
# A new form of a table comes with new code, and processes that start anew.
NO_WRITE = (
    "SELECT", "(", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "PRAGMA", "SET", "SHOW",
    "EXPLAIN", "DECLARE", "FETCH", "CLOSE", "CREATE", "ALTER", "DROP", "ANALYZE", "VACUUM", "LOCK",
)  # fmt: skip
_reading: ContextVar[set[str] | None] = ContextVar("tables_read", default=None)


# --- what there is --------------------------------------------------------------------------


@functools.cache
def shown_tables() -> dict[str, frozenset[str] | None]:
    """The tables that pages show, each with the columns whose update counts; None: all of them."""
    found: dict[str, frozenset[str] | None] = {}
    for model in apps.get_models(include_auto_created=True):
        shown = getattr(model._meta.auto_created or model, "shown_on_pages", False)
        if shown is True:
            found[model._meta.db_table] = None
        elif shown:
            found[model._meta.db_table] = frozenset(column_of(model, name) for name in shown)
    return found


def column_of(model: type[Model], name: str) -> str:
    return cast(str, cast(Field, model._meta.get_field(name)).column)


@functools.cache
def _all_tables() -> frozenset[str]:
    return frozenset(m._meta.db_table for m in apps.get_models(include_auto_created=True))


# --- watching -------------------------------------------------------------------------------


def watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Connected to the making of each database connection."""
    if _watched not in connection.execute_wrappers:
        connection.execute_wrappers.append(_watched)


def _watched(execute: Callable, sql: Any, params: Any, many: bool, context: dict) -> Any:
    result = execute(sql, params, many, context)
    text = str(sql).lstrip()
    reading = _reading.get()
    if reading is not None:
        reading |= _tables_in(text)
    if not text[:12].upper().startswith(NO_WRITE):
        _note_write(context["cursor"], text)
    return result


@functools.lru_cache(maxsize=200)
def _tables_in(sql: str) -> frozenset[str]:
    return _all_tables().intersection(NAME.findall(sql))


@contextmanager
def tables_read() -> Iterator[set[str]]:
    """The tables that this thread asks until the end of the block, growing."""
    tables: set[str] = set()
    token = _reading.set(tables)
    try:
        yield tables
    finally:
        _reading.reset(token)


@dataclass
class Renewal:
    """New stamps for these tables, once everybody can see what was written."""

    tables: set[str]

    def __call__(self) -> None:
        renew(self.tables)


def _note_write(cursor: CursorWrapper, sql: str) -> None:
    connection, tables = cursor.db, _changed_by(sql)
    if tables and not connection.in_atomic_block and " RETURNING " in sql:
        _renew_when_closed(cursor, tables)
        return
    for level, hook, _robust in connection.run_on_commit:
        if isinstance(hook, Renewal):
            if level == set(connection.savepoint_ids):
                hook.tables |= tables
            tables = tables - hook.tables
    if tables:
        transaction.on_commit(Renewal(set(tables)), using=connection.alias, robust=True)


def _renew_when_closed(cursor: CursorWrapper, tables: Iterable[str]) -> None:
    """SQLite ends a statement that returns rows, and commits it, with the last row it gives."""
    close = cursor.cursor.close

    def close_and_renew() -> None:
        close()
        renew(tables)

    cursor.close = close_and_renew  # type: ignore[attr-defined]


def _changed_by(sql: str) -> frozenset[str]:
    """What pages show and this statement changes: everything, where it cannot be told."""
    found = WRITE.match(sql)
    if found is None:
        return frozenset(shown_tables())
    verb, table = found.groups()
    columns = shown_tables().get(table, frozenset())
    if columns is None:
        return frozenset({table})
    assigned = ASSIGNED.findall(sql.partition(" WHERE ")[0]) if verb == "UPDATE" else ()
    is_shown = bool(columns) and (verb == "DELETE" or not columns.isdisjoint(assigned))
    return frozenset({table} if is_shown else ())


# --- stamps ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stamps:
    """The stamps of all tables as they were at one look. `newest` is the last that was given."""

    newest: str
    tables: dict[str, str]

    def of(self, tables: Iterable[str]) -> dict[str, str]:
        return {table: self.tables[table] for table in tables}


_seen: Stamps | None = None
_looked_at = -math.inf
_lock = threading.Lock()


def renew(tables: Iterable[str]) -> None:
    """Gives these tables a new stamp, for all processes.

    Never raises, for what was written stays. If the shared cache is away, other processes may show
    what they have stored for as long as a page is ever stored: a minute.
    """
    global _looked_at
    stamp = secrets.token_urlsafe(9)
    stamps = {f"{OF_TABLE}{table}": stamp for table in sorted(tables)}
    try:
        with transaction.atomic():  # one commit, where the cache is in the database
            cache.set_many({**stamps, NEWEST: stamp}, timeout=None)  # in this order
    except DatabaseError:  # no table for the cache yet: then nothing is stored either
        logger.debug("Stored pages will not hear of a change", exc_info=True)
    except TROUBLE as error:
        logger.warning("Stored pages will not hear of a change: %s", type(error).__name__)
    _looked_at = -math.inf


def stamps() -> Stamps | None:
    """What holds now, at most ten milliseconds old; None while the shared cache is away.

    One question to the cache, and a second one after something changed.
    """
    global _seen, _looked_at
    now = time.monotonic()
    seen, age = _seen, now - _looked_at
    if age < (ONE_LOOK if seen else AFTER_TROUBLE):
        return seen
    try:
        newest = cache.get(NEWEST) or _begin(NEWEST)
        if seen is None or newest != seen.newest:
            keys = {f"{OF_TABLE}{table}": table for table in shown_tables()}
            found = cache.get_many([*keys, OLDEST])
            oldest = found.get(OLDEST) or _begin(OLDEST)
            seen = Stamps(newest, {table: found.get(key, oldest) for key, table in keys.items()})
    except TROUBLE:
        seen = None
    with _lock:
        _seen, _looked_at = seen, now
    return seen


def _begin(key: str) -> str:
    """For a new cache, or one that lost its memory: nothing stored before holds any more."""
    return str(cache.get_or_set(key, secrets.token_urlsafe(9), timeout=None))
