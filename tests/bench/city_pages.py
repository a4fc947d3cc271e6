"""A city's page: its questions to the database, its weight, how soon a slow line shows it.

Limits: look.md, Weight. The city is the demo's with twelve pictures on its page.
"""

import gzip
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli

from tests.bench.figures import Figure, note
from tests.bench.gallery_pages import DESKTOP, NARROW, Visit, browser, count_queries
from tests.bench.places import HOST, open_site, server

SLUG, FULL, PICTURES = "midleton", "jinzhou", 12
QUERIES = 6
TIMES = 10  # so many times its rows, and that again
# A phone's processor and line: Chromium's own "slow 4G", as Lighthouse uses it.
SLOWER, LINE = 4, {"offline": False, "latency": 150, "downloadThroughput": 200e3,
                   "uploadThroughput": 94e3}  # fmt: skip
# The largest paint and what kept the processor from answering, as the browser counts them.
WATCH_PAINT = """
window.paint = 0; window.blocked = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.paint = entry.startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.blocked += Math.max(0, entry.duration - 50);
}).observe({type: "longtask", buffered: true});
"""


def pages(folder: Path) -> Iterator[Figure]:
    open_site(folder)
    from django.test import Client

    from cities.models import City

    city = City.objects.get(slug=SLUG)
    yield Figure("pages.city.queries", count_queries(city), QUERIES)
    for name, slug in (("", SLUG), ("_full", FULL)):
        html = Client(SERVER_NAME=HOST).get(f"/cities/{slug}/").content
        found = len(re.findall(rb"<picture>", html))
        note(f"{slug}: {found} pictures, {len(gzip.compress(html, 6)) / 1024:.1f} KB with gzip")
        if slug == SLUG and found != PICTURES:
            note(f"The limit is for {PICTURES} pictures.")
        yield Figure(f"pages.city.html{name}", len(html) / 1024, 24, "KB")
        yield Figure(f"pages.city.html{name}_brotli", len(brotli.compress(html)) / 1024, 6, "KB")
    for times in (TIMES, TIMES**2):
        multiply(city, TIMES)
        yield Figure(f"pages.city.queries_{times}x", count_queries(city), QUERIES)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        note("No Chromium here: no figures of pages. Debian has it in the package chromium.")
        return
    with server() as port, browser(chromium) as chrome:
        address = f"http://{HOST}:{port}/cities/{FULL}/"
        for name, device in (("phone", NARROW), ("1280", DESKTOP)):
            loaded = Visit(chrome, address, device)
            yield Figure(f"pages.city.before_scroll_{name}", loaded.bytes / 1024, 200, "KB")
            kinds = loaded.kinds
            note(", ".join(f"{kind} {size / 1024:.0f} KB" for kind, size in kinds.items()))
            if name == "phone":
                code = [r for r in loaded.fetched.values() if r["kind"] in ("Stylesheet", "Script")]
                yield Figure("pages.city.code_files", len(code), 2)
                weight = sum(response["bytes"] for response in code)
                yield Figure("pages.city.code", weight / 1024, 15, "KB")
                yield Figure("pages.city.fonts", kinds["Font"] / 1024, 90, "KB")
            loaded.scroll()
            yield Figure(f"pages.city.shift_{name}", loaded.shift, 0)
        slow = [SlowVisit(chrome, address) for _ in range(5)]
        yield Figure("pages.city.largest_paint", middle(v.paint for v in slow), 2.0, "s")
        yield Figure("pages.city.blocked", middle(v.blocked for v in slow), 50, "ms")


def multiply(city: Any, times: int) -> None:
    """Adds rows until the city has so many times what it had of everything on its page."""
    for rows in (
        city.facts, city.places, city.sections, city.honours, city.people,
        city.partner_organisations, city.district_links, city.visits, city.events, city.galleries,
    ):  # fmt: skip
        have = list(rows.all())
        wanted = [copy_of(row, f"{len(have)}-{n}") for n in range(times - 1) for row in have]
        rows.model.objects.bulk_create(wanted)


def copy_of(row: Any, name: str) -> Any:
    fields = {field.attname: getattr(row, field.attname) for field in row._meta.fields}
    changed = {"slug": f"{fields['slug']}-{name}"} if "slug" in fields else {}
    if "answers_id" in fields:
        changed["answers_id"] = None
    return type(row)(**{**fields, "id": None, **changed})


def middle(values: Iterator[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


class SlowVisit:
    """A phone's processor on a slow line, with an empty cache: seconds until the largest paint,
    milliseconds in which the page could not answer.
    """

    def __init__(self, chrome: Any, address: str) -> None:
        context = chrome.new_context(**NARROW)
        page = context.new_page()
        page.add_init_script(WATCH_PAINT)
        protocol = context.new_cdp_session(page)
        protocol.send("Network.enable")
        protocol.send("Network.emulateNetworkConditions", LINE)
        protocol.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(address, wait_until="networkidle")
        page.wait_for_timeout(500)
        self.paint = page.evaluate("window.paint") / 1000
        self.blocked = page.evaluate("window.blocked")
        context.close()


SCENES = {"pages.city.": pages}
