"""Photos on their way in: rendering, memory, the answer to an upload, an evening with 500.

Goals: issue "Photo galleries", Figures.
"""

import datetime as dt
import io
import random
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from tests.bench.cameras import CAMERAS, Camera, photos
from tests.bench.figures import Figure, note
from tests.bench.places import open_site, peak_memory, server, wait_for, worker
from tests.bench.visitors import Staff, readers

SOME, MANY, AT_ONCE = 15, 500, 3
FIRST_DAY, DAYS = dt.date(2013, 9, 7), 5


def rendering(folder: Path) -> Iterator[Figure]:
    """Photos per second of processor time, the better of two turns each, taken alternately."""
    var = open_site(folder)
    from django.core.files.base import ContentFile
    from django.core.files.storage import storages

    from sistercities.shared.images import (
        ENCODERS,
        JPEG_STEPS,
        STEPS,
        WIDEST,
        prepare,
        random_name,
    )

    def ours(path: Path) -> None:
        with path.open("rb") as file:
            files = prepare(file).named(random_name("bench", ".webp"))
        for name, content in files.items():
            storages["default"].save(name, ContentFile(content))

    def bare(path: Path) -> None:
        with Image.open(path) as image:
            image.draft("RGB", (WIDEST, 1))
            picture = ImageOps.exif_transpose(image)
            for width in (WIDEST, *reversed(STEPS)):
                picture.thumbnail((width, 4 * width), Image.Resampling.LANCZOS)
                for suffix in (".webp", ".jpg"):
                    if suffix == ".webp" or width in (WIDEST, *JPEG_STEPS):
                        picture.save(var / f"{path.stem}-{width}{suffix}", **ENCODERS[suffix])

    spent: dict = {ours: [], bare: []}
    for shot in shots(photos(folder), SOME):
        path = var / shot.name
        path.write_bytes(shot.content)
        turns: dict = {ours: [], bare: []}
        for render in (ours, bare, bare, ours):
            begun = time.process_time()
            render(path)
            turns[render].append(time.process_time() - begun)
        for render, seconds in turns.items():
            spent[render].append(min(seconds))
    rates = {render: len(seconds) / sum(seconds) for render, seconds in spent.items()}
    yield Figure("photos.rendering", rates[ours], rates[bare], "/s", 0.95, is_floor=True)


def memory(folder: Path) -> Iterator[Figure]:
    """The peak of a real worker that renders some photos and then tries AVIF for each."""
    open_site(folder)
    from exchanges.intake import take_in
    from exchanges.models import Photo
    from sistercities.shared.queue import wake
    from sistercities.shared.rendering import AvifTrial
    from sistercities.shared.tasks import try_avif

    batch = make_batch()
    for shot in shots(photos(folder), SOME):
        content = shot.content
        take_in(batch=batch, file=io.BytesIO(content), size=len(content), name=shot.name)
    with worker() as process:
        waiting = Photo.objects.filter(batch=batch, picture_width=0)
        wait_for(lambda: not waiting.exists(), seconds=300)
        wake(try_avif)
        wait_for(lambda: not AvifTrial.objects.exists(), seconds=600)
        yield Figure("photos.memory", peak_memory(process), 200, "MB")
    gained = Photo.objects.filter(batch=batch, picture_has_avif=True).count()
    note(f"{gained} of {batch.photos.count()} photos gained AVIF")


def answer(folder: Path) -> Iterator[Figure]:
    """The median of 15 uploads over HTTP beside the median of decoding the same files whole."""
    open_site(folder)
    batch = make_batch()
    sent, decoded = [], []
    with server() as port:
        staff = Staff.of(port, batch)
        for number, shot in enumerate(shots(photos(folder), SOME + 1)):
            content = shot.content
            seconds = staff.bring(shot.name, content)
            begun = time.perf_counter()
            with Image.open(io.BytesIO(content)) as image:
                image.load()
            if number:  # the first one warms both up
                decoded.append(time.perf_counter() - begun)
                sent.append(seconds)
    yield Figure(
        "photos.answer", statistics.median(sent) * 1e3, statistics.median(decoded) * 1e3, "ms"
    )


def five_hundred(folder: Path) -> Iterator[Figure]:
    """An evening: 500 photos over HTTP, three at once, while a worker renders and people read."""
    open_site(folder)
    from exchanges.models import Gallery, Photo
    from exchanges.sorting.clocks import set_clock

    batch = make_batch()
    evening = shots(photos(folder), MANY)
    mine = Photo.objects.filter(batch=batch)
    public = Gallery.objects.published().with_cover().order_by("-photo_count").first()
    assert public
    paths = ("/", "/cities/jinzhou/", public.get_absolute_url(), "/healthz/")
    with server() as port, worker(), readers(port, paths) as seen:
        staff = Staff.of(port, batch)
        begun = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sent = list(pool.map(lambda shot: staff.bring(shot.name, shot.content), evening))
        stored_at, stored = time.monotonic(), mine.count()
        known = next(shot for shot in evening if shot.camera.behind)
        set_clock(
            gallery=batch.gallery, photo=mine.get(file_name=known.name), real_time=known.taken
        )
        rendered = mine.filter(picture_width__gt=0)
        wait_for(lambda: rendered.count() == MANY, seconds=1200)
        rendered_at = time.monotonic()
    note(f"{MANY / (stored_at - begun):.1f} photos/s stored, {MANY / (rendered_at - begun):.1f} "
         "photos/s rendered")  # fmt: skip
    yield Figure("photos.500.stored", stored, MANY, is_floor=True)
    yield Figure("photos.500.rendered", rendered.count(), MANY, is_floor=True)
    for phase, since, until in (
        ("storing", begun, stored_at), ("rendering", stored_at, rendered_at),
    ):  # fmt: skip
        wait, path = seen.slowest(since, until)
        note(f"slowest page while {phase}: {path}")
        if phase == "storing":
            wait = max(wait, *sent)
        yield Figure(f"photos.500.slowest_{phase}", wait, 1, "s")
    yield Figure("photos.500.misplaced", misplaced(batch.gallery, evening), 0)


@dataclass(frozen=True)
class Shot:
    """`taken` is the wall clock of the place where it was taken, and its own."""

    name: str
    path: Path
    taken: dt.datetime
    camera: Camera

    @property
    def content(self) -> bytes:
        return self.camera.developed(self.path.read_bytes(), self.taken)


def shots(paths: list[Path], count: int) -> list[Shot]:
    """So many different files, by three cameras over five days, in no order."""
    seed = random.Random(500)
    moments = [
        dt.datetime.combine(FIRST_DAY + dt.timedelta(days=day), dt.time(6)) +
        dt.timedelta(seconds=second)
        for day in range(DAYS)
        for second in seed.sample(range(17 * 3600), -(-count // DAYS))
    ]  # fmt: skip
    seed.shuffle(moments)
    return [
        Shot(f"IMG_{n:04}.JPG", paths[n % len(paths)], moment, CAMERAS[n % len(CAMERAS)])
        for n, moment in enumerate(moments[:count])
    ]


def make_batch():
    """Of a gallery with a visit to Jinzhou of five days."""
    from cities.models import City
    from exchanges.models import Batch, Day, Gallery, Visit
    from sistercities.shared import clock

    city = City.objects.get(slug="jinzhou")
    visit = Visit.objects.create(
        slug="bench", title="Bench", city=city, direction=Visit.Direction.OUTBOUND,
        stage=Visit.Stage.COMPLETED, starts_on=FIRST_DAY,
        ends_on=FIRST_DAY + dt.timedelta(days=DAYS - 1), status=Visit.Status.PUBLISHED,
        publish_at=clock.now(),
    )  # fmt: skip
    for number in range(1, DAYS + 1):
        on = FIRST_DAY + dt.timedelta(days=number - 1)
        Day.objects.create(visit=visit, number=number, on=on, title=f"Day {number}")
    gallery = Gallery.objects.create(slug="bench", title="Bench", city=city, visit=visit)
    return Batch.objects.create(gallery=gallery, credit="Bench", people="none")


def misplaced(gallery, evening: list[Shot]) -> int:
    """How many photos stand in a wrong day or at a wrong place of it."""
    from exchanges.album import Album

    names = dict(gallery.photos.values_list("pk", "file_name"))
    album = Album.of(gallery, gallery.photos.kept(), home=gallery.local_zone)
    found = [
        (chapter.day and chapter.day.number, names[key])
        for chapter in album.chapters
        for key in chapter.keys
    ]
    right = [
        ((shot.taken.date() - FIRST_DAY).days + 1, shot.name)
        for shot in sorted(evening, key=lambda shot: shot.taken)
    ]
    matching = sum(one == other for one, other in zip(found, right, strict=False))
    return len(right) - matching


SCENES = {
    "photos.rendering": rendering,
    "photos.memory": memory,
    "photos.answer": answer,
    "photos.500.": five_hundred,
}
