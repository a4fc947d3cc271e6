"""Stored pages: compressed bytes of anonymous pages, given out before Django begins.

`StoredPages` stands in front of the whole application and answers what is stored; `KeepPages` is
among the first middleware and stores what may be. Only an answer that says `Cache-Control: public`
is stored, for a minute at most; docs/decisions/0022 says what drops it sooner, and why so.
"""

import contextlib
import datetime as dt
import functools
import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import brotli
from django.apps import apps
from django.conf import settings
from django.core.handlers.wsgi import get_bytes_from_wsgi
from django.db import connection
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

from sistercities.shared import clock, stamps
from sistercities.shared.compression import TEXTS
from sistercities.shared.stamps import Stamps

LONGEST = dt.timedelta(seconds=60)  # whatever breaks, no page is older (trust.md, Minors)
QUARTER = 15 * 60  # seconds; with one of them a day begins in every time zone, and clocks change
PATIENCE = 2.0  # seconds in line for a page that another thread is making
MOST_PATHS = 20_000
LONGEST_ADDRESS = 1000  # characters
NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)
SHORT = 200  # bytes that are not worth compressing
QUALITY = 5  # of brotli: a fiftieth of the time that the best takes
ASKED = "sistercities.asked"
NOT_STORED = {"private", "no-store", "no-cache"}

Key = tuple[str, ...]
Headers = list[tuple[str, str]]


# --- what is asked --------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """An address that somebody without a name asks for, and the state of all tables then."""

    site: tuple[str, str, str]  # scheme, what the proxy says of it, host
    path: str
    query: bytes
    stamps: Stamps

    def key(self, names: Iterable[str]) -> Key:
        """Where its page is stored, if pages of this path depend on these parameters."""
        given = QueryDict(self.query) if self.query else {}
        values = (f"{name}={given[name]}" if name in given else name for name in names)
        return (*self.site, self.path, *values)


def ask(environ: dict[str, Any]) -> Asked | None:
    """What a request wants of the store; None where it is none of the store's business."""
    path, query = environ.get("PATH_INFO", ""), get_bytes_from_wsgi(environ, "QUERY_STRING", "")
    host = environ.get("HTTP_HOST", "")
    if (
        environ["REQUEST_METHOD"] not in {"GET", "HEAD"}
        or not host
        or not settings.PAGE_STORE_MB
        or len(host) + len(path) + len(query) > LONGEST_ADDRESS
        or path.startswith((settings.STATIC_URL, settings.MEDIA_URL))
        or "HTTP_AUTHORIZATION" in environ
        or _has_cookie_that_matters(environ.get("HTTP_COOKIE", ""))
        or (now := stamps.stamps()) is None
    ):
        return None
    proxy = settings.SECURE_PROXY_SSL_HEADER
    said = environ.get(proxy[0], "") if proxy else ""
    return Asked((environ["wsgi.url_scheme"], said, host), path, query, now)


def _has_cookie_that_matters(header: str) -> bool:
    """Who signed in, has a form open or is told something. No view reads another cookie."""
    names = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "messages")
    return bool(header) and any(f"{name}=" in header for name in names)


class Parameters(QueryDict):
    """Notes the names that a view asks for; `all_read` when it looked at all there are."""

    def __init__(self, query: bytes) -> None:
        self.names: set[str] = set()
        super().__init__(query)
        self.names.clear()  # to fill it is not to read it
        self.all_read = False

    def __getitem__(self, name):
        self.names.add(name)
        return super().__getitem__(name)

    def __contains__(self, name):
        self.names.add(name)
        return super().__contains__(name)

    def __iter__(self):
        self.all_read = True
        return super().__iter__()

    def __len__(self):
        self.all_read = True
        return super().__len__()

    def keys(self):
        self.all_read = True
        return super().keys()

    def lists(self):
        self.all_read = True
        return super().lists()

    def getlist(self, key, default=None):
        self.all_read = True
        return super().getlist(key, default)


# --- what is stored -------------------------------------------------------------------------


@dataclass(eq=False)
class Page:
    """One answer, with what it was made from."""

    headers: Headers
    etag: str
    content: bytes  # by brotli, unless it is short
    is_short: bool
    tables: dict[str, str]  # the tables that it was read from, each with its stamp
    newest: str  # the last stamp of all with which these were compared
    begun_at: dt.datetime
    until: dt.datetime
    variants: dict[str, tuple[Headers, bytes]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes in memory, about: brotli's, gzip's and the rest."""
        return 3 * len(self.content) + 2000

    def holds(self, seen: Stamps) -> bool:
        if not self.begun_at <= clock.now() < self.until:
            return False
        if self.newest != seen.newest:
            if self.tables != seen.of(self.tables):
                return False
            self.newest = seen.newest
        return True

    def answer(self, environ: dict[str, Any]) -> tuple[str, Headers, bytes]:
        """Status, headers and bytes for a request whose page this is."""
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known and ({"*", self.etag, self.etag.removeprefix("W/")} & set(parse_etags(known))):
            return "304 Not Modified", self.headers, b""
        accepted = _encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))
        headers, body = self._variant("" if self.is_short else accepted)
        return "200 OK", headers, b"" if environ["REQUEST_METHOD"] == "HEAD" else body

    def _variant(self, encoding: str) -> tuple[Headers, bytes]:
        found = self.variants.get(encoding)
        if found is None:
            body = self.content
            if encoding != "br" and not self.is_short:
                body = brotli.decompress(body)
            if encoding == "gzip":
                body = gzip.compress(body, 6, mtime=0)
            headers = [*self.headers, ("Content-Length", str(len(body)))]
            if encoding:
                headers.append(("Content-Encoding", encoding))
            found = headers, body
            if encoding or self.is_short:  # hardly anybody asks for the long form
                self.variants[encoding] = found
        return found


@functools.lru_cache(maxsize=200)
def _encoding(header: str) -> str:
    """The shortest form that a browser takes: `br`, `gzip`, or none."""
    taken = {}
    for part in header.lower().split(","):
        name, _semicolon, weight = part.replace(" ", "").partition(";q=")
        taken[name] = weight.strip("0.") != "" if weight else True
    return next((name for name in ("br", "gzip") if taken.get(name)), "")


class Store:
    """The pages of this process, the least recently asked for first to go."""

    def __init__(self) -> None:
        self.pages: OrderedDict[Key, Page] = OrderedDict()
        self.size = 0  # bytes
        self._names: dict[str, tuple[str, ...]] = {}
        self._in_work: dict[Key, threading.Event] = {}
        self._moments: tuple[str, dt.datetime, dict[str, dt.datetime]] = ("", NEVER, {})
        self._lock = threading.Lock()

    def find(self, asked: Asked) -> Page | None:
        names = self._names.get(asked.path)
        if names is None:
            return None
        key = asked.key(names)
        page = self.pages.get(key)
        if page is None or not page.holds(asked.stamps):
            return None
        with self._lock:
            if key in self.pages:
                self.pages.move_to_end(key)
        return page

    @contextlib.contextmanager
    def turn(self, asked: Asked) -> Iterator[None]:
        """Lets one thread at a time make a page that was stored before; the others wait a little
        and then look again. Nobody waits for an address that never was stored.
        """
        names = self._names.get(asked.path)
        if names is None:
            yield
            return
        key = asked.key(names)
        with self._lock:
            before = self._in_work.get(key)
            mine = self._in_work.setdefault(key, threading.Event())
        if before:
            before.wait(PATIENCE)
            yield
            return
        try:
            yield
        finally:
            with self._lock:
                del self._in_work[key]
            mine.set()

    def keep(self, page: Page, asked: Asked, names: set[str]) -> None:
        with self._lock:
            if len(self._names) >= MOST_PATHS:
                self._names.clear()
            # Names are only added: a page reads some parameters only if others say so.
            known = tuple(sorted(names.union(self._names.get(asked.path, ()))))
            self._names[asked.path] = known
            key = asked.key(known)
            if before := self.pages.pop(key, None):
                self.size -= before.size
            self.pages[key] = page
            self.size += page.size
            while self.size > settings.PAGE_STORE_MB * 1_000_000:
                _key, oldest = self.pages.popitem(last=False)
                self.size -= oldest.size

    def holds_until(
        self, begun_at: dt.datetime, tables: Iterable[str], seen: Stamps
    ) -> dt.datetime:
        """When a page of these tables may look different although nobody wrote anything."""
        newest, asked_at, moments = self._moments
        if newest != seen.newest or not asked_at <= begun_at < min(moments.values(), default=NEVER):
            moments = next_moments(begun_at)
            self._moments = (seen.newest, begun_at, moments)
        quarter = (int(begun_at.timestamp()) // QUARTER + 1) * QUARTER
        falling_due = (moments[table] for table in tables if table in moments)
        return min(begun_at + LONGEST, dt.datetime.fromtimestamp(quarter, dt.UTC), *falling_due)


def next_moments(after: dt.datetime) -> dict[str, dt.datetime]:
    """When the next row of each table falls due, such as an article that is scheduled. One query.

    Models name the columns as `turns_at`.
    """
    quote = connection.ops.quote_name
    columns = [
        (model._meta.db_table, stamps.column_of(model, name))
        for model in apps.get_models()
        for name in getattr(model, "turns_at", ())
    ]
    selects = (
        f"SELECT '{table}', MIN({quote(column)}) FROM {quote(table)} WHERE {quote(column)} > %s"
        for table, column in columns
    )
    moment = connection.ops.adapt_datetimefield_value(after)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(selects), [moment] * len(columns))
        rows = cursor.fetchall()
    return {table: _aware(found) for table, found in rows if found is not None}


def _aware(moment: dt.datetime | str) -> dt.datetime:
    """A moment as a database gives it: SQLite as text, in UTC and without saying so."""
    if isinstance(moment, str):
        moment = dt.datetime.fromisoformat(moment)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


store = Store()


# --- giving out, and keeping ----------------------------------------------------------------


class StoredPages:
    """The application with the stored pages in front of it."""

    def __init__(self, application: Callable) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        asked = ask(environ)
        if asked is None:
            return self.application(environ, start_response)
        page = store.find(asked)
        if page is None:
            with store.turn(asked):
                page = store.find(asked)
                if page is None:
                    environ[ASKED] = asked
                    return self.application(environ, start_response)
        status, headers, body = page.answer(environ)
        start_response(status, headers)
        return [body]


class KeepPages:
    """Stores what may be stored. What compresses stands before it, all that adds headers after."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = request.META.get(ASKED)
        if asked is None or request.method != "GET":
            return self.get_response(request)
        parameters = Parameters(asked.query)
        request.GET = parameters  # type: ignore[assignment]
        begun_at = clock.now()
        with stamps.tables_read() as tables:
            response = self.get_response(request)
        if parameters.all_read or not _may_be_stored(response, tables):
            return response
        page = _page(response, asked, tables, begun_at)
        store.keep(page, asked, parameters.names)
        status, headers, body = page.answer(request.META)
        return HttpResponse(body, status=int(status[:3]), headers=dict(headers))


def _may_be_stored(response: HttpResponseBase, tables: set[str]) -> bool:
    """Whether an answer is the same for all, by its own word and by what it was made from."""
    said = {part.strip().lower() for part in response.get("Cache-Control", "").split(",")}
    return (
        response.status_code == 200
        and not response.streaming
        and response.get("Content-Type", "").startswith(TEXTS)
        and "public" in said
        and not NOT_STORED & said
        and not response.cookies
        and response.get("Vary", "Accept-Encoding").lower() == "accept-encoding"
        and "Content-Encoding" not in response
        and "'nonce-" not in response.get("Content-Security-Policy", "")
        and tables <= stamps.shown_tables().keys()
    )


def _page(
    response: HttpResponseBase, asked: Asked, tables: set[str], begun_at: dt.datetime
) -> Page:
    content = response.content  # type: ignore[attr-defined]
    is_short = len(content) < SHORT
    etag = f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    own = {"Vary": "Accept-Encoding", "ETag": etag}
    headers = [
        (name, value) for name, value in response.items() if name not in {*own, "Content-Length"}
    ]
    return Page(
        headers=[*headers, *own.items()],
        etag=etag,
        content=content if is_short else brotli.compress(content, quality=QUALITY),
        is_short=is_short,
        tables=asked.stamps.of(tables),
        newest=asked.stamps.newest,
        begun_at=begun_at,
        until=store.holds_until(begun_at, tables, asked.stamps),
    )
