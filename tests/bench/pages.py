"""Public pages: what a stored one costs, and what it costs to make one.

Goals: issue "Pages that are quick", Figures. The demo's pages; processor time, because it is the
same however busy the machine is.
"""

import functools
import selectors
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, note
from tests.bench.places import HOST, open_site, serving, used
from tests.shared import nginx

CONNECTIONS, REQUESTS, ROUNDS = 16, 1500, 4
MANY_REQUESTS = 15_000  # where one takes less than the clock of a process can tell
PAGE = "/cities/jinzhou/"
QUERIES, TEMPLATE_KB = 6, 30


# --- a stored page --------------------------------------------------------------------------


def warm(folder: Path) -> Iterator[Figure]:
    """A stored page from the server alone, beside a bare Django view and Django's page cache."""
    var = open_site(folder)
    with serving("sistercities.wsgi:application") as (port, process):
        ours = Measured(port, process)
        page = ours.first()
        (file := var / "page.br").write_bytes(page)
        note(f"{PAGE}: {len(page) / 1000:.1f} KB by brotli")
        bare = "tests.bench.bare:application"
        with (
            serving(bare, BENCH_BYTES=str(file)) as (bare_port, bare_process),
            serving(bare, BENCH_BYTES=str(file), BENCH_KEPT="on") as (
                kept_port, kept_process,
            ),
        ):  # fmt: skip
            others = [Measured(bare_port, bare_process), Measured(kept_port, kept_process)]
            in_turns(ours, *others)
    view, usual = others
    assert ours.content == view.content == usual.content == page
    unit = "ms"
    yield Figure("pages.warm.cpu", ours.cpu, view.cpu, unit, goal=1.15)
    yield Figure("pages.warm.usual_cache", usual.cpu, ours.cpu, unit, goal=3, is_floor=True)
    yield Figure("pages.warm.p99", ours.p99, view.p99, unit, goal=1.5)


def proxied(folder: Path) -> Iterator[Figure]:
    """The same through nginx as docs/operating.md sets it up, beside a file that it sends."""
    var = open_site(folder)
    if not nginx.is_here():
        note("No nginx here: no figure of it. Debian has it in the package nginx-light.")
        return
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    place = var / "nginx"
    place.mkdir()
    (files := place / "files").mkdir()
    more = f"""location /file/ {{
        alias {files}/; types {{ }} default_type "text/html; charset=utf-8";
        add_header Content-Encoding br; add_header Cache-Control "public, max-age=30";
    }}"""
    with (
        serving("sistercities.wsgi:application") as (site, _process),
        nginx.nginx(place, site=site, port=port, more=more) as process,
    ):
        ours = Measured(port, process, requests=MANY_REQUESTS)
        (files / "page").write_bytes(ours.first())
        file = Measured(port, process, "/file/page", MANY_REQUESTS)
        in_turns(ours, file)
        assert ours.content == file.content
    yield Figure("pages.nginx.rate", 1000 / ours.cpu, 1000 / file.cpu, "/s", 0.7, is_floor=True)


@dataclass
class Measured:
    """A server that is asked for one page; `cpu` and `p99` are the best of the rounds, in ms."""

    port: int
    process: subprocess.Popen
    path: str = PAGE
    requests: int = REQUESTS
    content: bytes = b""
    rounds: list[tuple[float, float]] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        return min(cpu for cpu, _p99 in self.rounds) * 1000

    @property
    def p99(self) -> float:
        return min(p99 for _cpu, p99 in self.rounds) * 1000

    def first(self) -> bytes:
        load(self.port, self.path, 50)
        self.content = load(self.port, self.path, 1)[1]
        return self.content

    def play(self) -> None:
        begun = used(self.process)
        waits, self.content = load(self.port, self.path, self.requests)
        cpu = (used(self.process) - begun) / self.requests
        self.rounds.append((cpu, statistics.quantiles(waits, n=100)[98]))


def in_turns(*servers: Measured) -> None:
    for server in servers:
        server.first()
    for _round in range(ROUNDS):
        for server in servers:
            server.play()


def load(port: int, path: str, count: int) -> tuple[list[float], bytes]:
    """Asks `count` times over several connections at once: each wait, and the last body."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n"
    ).encode()
    waits: list[float] = []
    body, left = b"", count
    with selectors.DefaultSelector() as ready:
        for _connection in range(min(CONNECTIONS, count)):
            connection = socket.create_connection((HOST, port), timeout=60)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(connection, selectors.EVENT_READ, [b"", time.perf_counter()])
            connection.sendall(request)
            left -= 1
        while ready.get_map():
            for key, _events in ready.select():
                connection: Any = key.fileobj
                key.data[0] += connection.recv(262_144)
                found = _body(key.data[0])
                if found is None:
                    continue
                body = found
                waits.append(time.perf_counter() - key.data[1])
                if left:
                    left -= 1
                    key.data[:] = [b"", time.perf_counter()]
                    connection.sendall(request)
                else:
                    ready.unregister(connection)
                    connection.close()
    return waits, body


def _body(answer: bytes) -> bytes | None:
    """The body of a whole answer; None while some of it is on its way."""
    head, mark, body = answer.partition(b"\r\n\r\n")
    if not mark:
        return None
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return body if len(body) >= length else None


# --- a page that is made --------------------------------------------------------------------


def cold(folder: Path) -> Iterator[Figure]:
    """Queries of each kind of page with the demo's rows, ten and a hundred times as many, and
    the processor time of the dearest beside a template of 30 KB that asks no database.
    """
    open_site(folder)
    pages = addresses()
    template = processor_time(plain_template())
    few = {name: queries(path) for name, path in pages.items()}
    times = {name: processor_time(lambda path=path: get(path)) for name, path in pages.items()}
    more = []
    for factor in (10, 100):
        multiply(factor)
        more.append({name: queries(path) for name, path in pages.items()})
    for name, path in pages.items():
        note(f"{name}: {path}, {times[name] * 1000:.1f} ms; {len(get(path).content) / 1000:.0f} KB")
        yield Figure(f"pages.cold.queries.{name}", more[-1][name], QUERIES)
        yield Figure(f"pages.cold.flat.{name}", max(m[name] for m in more), few[name])
    for name in pages:
        yield Figure(f"pages.cold.cpu.{name}", times[name] * 1000, template * 1000, "ms", goal=2)


def addresses() -> dict[str, str]:
    from cities.models import City
    from exchanges.models import Gallery, Visit
    from sistercities.news.models import Article

    city = City.objects.published().exclude(relationship=City.Relationship.HOME).get(slug="jinzhou")
    visit, gallery, article = (
        model.objects.published().order_by("pk").first() for model in (Visit, Gallery, Article)
    )
    return {
        "home": "/", "city": city.get_absolute_url(), "visit": visit.get_absolute_url(),
        "gallery": gallery.get_absolute_url(), "article": article.get_absolute_url(),
        "cities": "/cities/", "visits": "/visits/", "galleries": "/galleries/",
        "events": "/events/", "news": "/news/",
    }  # fmt: skip


@functools.cache
def visitor() -> Any:
    """One for all pages: each would read the list of static files anew."""
    from django.test import Client

    return Client(SERVER_NAME=HOST)


def get(path: str) -> Any:
    answer = visitor().get(path)
    assert answer.status_code == 200, path
    return answer


def queries(path: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    get(path)
    with CaptureQueriesContext(connection) as asked:
        get(path)
    return len(asked)


def processor_time(work: Callable[[], object]) -> float:
    """Seconds of this thread, the least of several."""
    work()
    least = float("inf")
    for _round in range(15):
        begun = time.thread_time()
        work()
        least = min(least, time.thread_time() - begun)
    return least


def plain_template() -> Callable[[], object]:
    """A page of 30 KB as Django makes one out of a list: a loop, conditions, filters."""
    from django.http import HttpResponse
    from django.template import engines

    line = (
        '<li class="{% cycle "odd" "even" %}"><a href="/{{ row.slug }}/">{{ row.title }}</a>'
        '{% if row.on %} <time>{{ row.on|date:"F j, Y" }}</time>{% endif %}'
        "<p>{{ row.text|truncatechars:90 }}</p></li>\n"
    )
    template = engines["django"].from_string(
        "<!doctype html><title>{{ title }}</title><ul>"
        f"{{% for row in rows %}}{line}{{% endfor %}}</ul>"
    )
    import datetime as dt

    rows = [
        {
            "slug": f"row-{n}",
            "title": f"Row {n} & more",
            "on": dt.date(2026, 1, 1),
            "text": "x" * 99,
        }
        for n in range(TEMPLATE_KB * 1000 // 185)
    ]

    def make() -> object:
        return HttpResponse(template.render({"title": "Rows", "rows": rows}))

    note(f"the plain template: {len(make().content) / 1000:.1f} KB")  # type: ignore[attr-defined]
    return make


def multiply(factor: int) -> None:
    """So many times the rows of the demo: cities, visits, galleries, photos, events, articles."""
    from cities.models import City, Fact, Place
    from exchanges.models import Day, Event, Gallery, Photo, Visit
    from sistercities.news.models import Article

    for model in (City, Visit, Gallery, Event, Article):
        have = model.objects.count()
        seed = list(model.objects.filter(pk__lte=model.objects.order_by("pk")[0].pk + 10_000))
        base = seed[: max(1, have if have < 100 else 10)]
        rows = []
        for n in range(have, _size(model) * factor):
            source = base[n % len(base)]
            values = {f.attname: getattr(source, f.attname) for f in model._meta.fields}
            values.update(id=None, slug=f"bench-{model.__name__.lower()}-{n}")
            if model is City:
                values["relationship"] = City.Relationship.SISTER
            if "answers_id" in values:
                values["answers_id"] = None
            rows.append(model(**values))
        model.objects.bulk_create(rows, batch_size=500)
    for model in (Photo, Day, Fact, Place):
        source = list(model.objects.order_by("pk")[:50])
        have, want = model.objects.count(), _size(model) * factor
        if model in (Day, Fact):  # these are numbered, or one of a kind
            continue
        rows = []
        for n in range(have, want):
            values = {
                f.attname: getattr(source[n % len(source)], f.attname) for f in model._meta.fields
            }
            rows.append(model(**{**values, "id": None}))
        model.objects.bulk_create(rows, batch_size=500)


_sizes: dict[Any, int] = {}


def _size(model: Any) -> int:
    """How many rows of it the demo has."""
    return _sizes.setdefault(model, model.objects.count())


SCENES = {"pages.warm.": warm, "pages.nginx.": proxied, "pages.cold.": cold}
