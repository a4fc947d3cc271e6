"""A gallery's page: its questions to the database, its weight, whether it stands still.

Goals: issue "Photo galleries", Figures. The photos are the demo's.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.bench.figures import Figure, note
from tests.bench.places import HOST, open_site, server

QUERIES, FEW, MANY = 6, 12, 120
DESKTOP = {"viewport": {"width": 1280, "height": 800}, "device_scale_factor": 1}
NARROW = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1}
PHONE = {**NARROW, "device_scale_factor": 3}
# Sums what moved without being asked to, from the first paint on.
WATCH_SHIFT = """
window.shift = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""
TO_THE_END = """async () => {
  while (scrollY + innerHeight < document.documentElement.scrollHeight - 1) {
    scrollBy(0, innerHeight / 2);
    await new Promise(done => setTimeout(done, 150));
  }
}"""


def pages(folder: Path) -> Iterator[Figure]:
    var = open_site(folder)
    few, many = make_gallery(FEW), make_gallery(MANY)
    asked = {gallery: count_queries(gallery) for gallery in (few, many)}
    yield Figure("photos.page.queries_120", asked[many], QUERIES)
    yield Figure("photos.page.queries_12", asked[few], asked[many])
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        note("No Chromium here: no figures of pages. Debian has it in the package chromium.")
        return
    with server() as port, browser(chromium) as chrome:
        site = f"http://{HOST}:{port}"

        loaded = Visit(chrome, site + many.get_absolute_url(), NARROW)
        yield Figure("photos.page.before_scroll", loaded.bytes / 1024, 200, "KB")
        note(", ".join(f"{kind} {size / 1024:.0f} KB" for kind, size in loaded.kinds.items()))
        loaded.scroll()
        yield Figure("photos.page.shift_phone", loaded.shift, 0)
        loaded = Visit(chrome, site + many.get_absolute_url(), DESKTOP)
        loaded.scroll()
        yield Figure("photos.page.shift_1280", loaded.shift, 0)

        for name, device, limit in (
            ("weight_1280", DESKTOP, 340), ("weight_phone", PHONE, 1.4 * 1024),
        ):  # fmt: skip
            loaded = Visit(chrome, site + few.get_absolute_url(), device)
            loaded.scroll()
            files = loaded.pictures(var)
            if len(files) != FEW:
                note(f"{name}: {len(files)} files for {FEW} photos")
            weight = sum(file.stat().st_size for file in files)
            yield Figure(f"photos.page.{name}", weight / 1024, limit, "KB")


def make_gallery(count: int) -> Any:
    """A published gallery of so many of the demo's photos, over the days of its visit."""
    from exchanges.models import Gallery, Photo
    from sistercities.shared import clock

    largest = Gallery.objects.published().with_cover().order_by("-photo_count").first()
    assert largest
    gallery = Gallery.objects.create(
        slug=f"bench-{count}", title=f"{count} pictures", summary=largest.summary,
        city=largest.city, visit=largest.visit, taken_on=largest.taken_on,
        status=Gallery.Status.PUBLISHED, publish_at=clock.now(),
    )  # fmt: skip
    own = list(largest.photos.published().in_order())
    others = list(Photo.objects.published().exclude(gallery=largest).in_order())
    photos = list(islice(cycle([*own, *others]), count))
    Photo.objects.bulk_create([copy_of(photo, gallery) for photo in photos])
    return gallery


def copy_of(photo: Any, gallery: Any) -> Any:
    fields = {field.attname: getattr(photo, field.attname) for field in photo._meta.fields}
    return type(photo)(**{**fields, "id": None, "gallery_id": gallery.pk})


def count_queries(gallery: Any) -> int:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME=HOST)
    client.get(gallery.get_absolute_url())  # what is read once a process
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(gallery.get_absolute_url())
    assert answer.status_code == 200
    return len(asked)


@contextmanager
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        )
        yield chrome
        chrome.close()


class Visit:
    """One visit of a page with an empty cache, and all that it made the browser fetch."""

    def __init__(self, chrome: Any, address: str, device: dict[str, Any]) -> None:
        self.page = chrome.new_context(**device).new_page()
        self.page.add_init_script(WATCH_SHIFT)
        self.fetched: dict[str, dict[str, Any]] = {}
        self.protocol = self.page.context.new_cdp_session(self.page)
        self.protocol.on("Network.responseReceived", self._note_response)
        self.protocol.on("Network.loadingFinished", self._note_end)
        self.protocol.send("Network.enable")
        self.page.goto(address, wait_until="networkidle")

    def _note_response(self, event: dict[str, Any]) -> None:
        response = {"url": event["response"]["url"], "kind": event["type"], "bytes": 0}
        self.fetched[event["requestId"]] = response

    def _note_end(self, event: dict[str, Any]) -> None:
        self.fetched[event["requestId"]]["bytes"] = event["encodedDataLength"]

    def scroll(self) -> None:
        self.page.evaluate(TO_THE_END)
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(500)

    @property
    def bytes(self) -> int:
        """All that came over the line: heads and bodies, compressed as they were."""
        return sum(response["bytes"] for response in self.fetched.values())

    @property
    def kinds(self) -> Counter[str]:
        """The same by kind of file."""
        sizes: Counter[str] = Counter()
        for response in self.fetched.values():
            sizes[response["kind"]] += response["bytes"]
        return sizes

    @property
    def shift(self) -> float:
        return self.page.evaluate("window.shift")

    def pictures(self, var: Path) -> set[Path]:
        """The stored files of the photos that it fetched."""
        paths = {unquote(urlsplit(response["url"]).path) for response in self.fetched.values()}
        return {var / path.lstrip("/") for path in paths if path.startswith("/media/photos/")}


SCENES = {"photos.page.": pages}
