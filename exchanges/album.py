"""A gallery's photos in the order in which visitors turn them: day by day, piece by piece."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

from django.core.paginator import Page, Paginator

from exchanges.models import Day, Gallery, Photo
from exchanges.models.gallery import PhotoQuerySet

MANY = 40
PIECE = 24  # photos that a gallery's page shows at once

Moment = tuple[int, dt.datetime | None]  # a photo's key and when it was taken


@dataclass
class Chapter:
    """A day with its photos. It has a `day` of the itinerary, or only a date, or neither.

    `keys` are those of all its photos in order, `photos` the ones that stand on this page.
    `on` is None where the date is not to be shown.
    """

    anchor: str
    on: dt.date | None = None
    day: Day | None = None
    keys: list[int] = field(default_factory=list)
    photos: list[Photo] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.keys)

    @property
    def is_many(self) -> bool:
        """Whether the rows should be lower, so that the day stays one look."""
        return self.count > MANY

    @property
    def is_single(self) -> bool:
        return self.count == 1


def in_chapters(
    moments: Iterable[Moment], days: Iterable[Day], zone: ZoneInfo, *, exact: bool
) -> list[Chapter]:
    """Photos by the day in `zone` on which they were taken, in their given order.

    First a chapter for each of `days`, with photos or without; then one for each other date;
    last `more`, if any photo belongs to no date. Unless `exact`, no chapter carries a date, and
    photos of other dates belong to none.
    """
    chapters = [Chapter(f"day-{day.number}", day.on if exact else None, day) for day in days]
    by_date = {c.day.on: c for c in reversed(chapters) if c.day and c.day.on}
    others: dict[dt.date, Chapter] = {}
    more = Chapter("more")
    for key, taken_at in moments:
        on = taken_at.astimezone(zone).date() if taken_at else None
        if on in by_date:
            chapter = by_date[on]
        elif on and exact:
            chapter = others.setdefault(on, Chapter(f"on-{on.isoformat()}", on))
        else:
            chapter = more
        chapter.keys.append(key)
    chapters += [others[on] for on in sorted(others)]
    return [*chapters, more] if more.keys else chapters


@dataclass
class Album:
    """The photos of one gallery in chapters, and where each of them stands.

    `address` is that of the gallery's page: photos and pieces have theirs under it. It knows
    all photos by their keys alone; `load` reads those that a page shows.
    """

    photos: PhotoQuerySet
    chapters: list[Chapter]
    address: str
    cover: int | None = None

    @classmethod
    def of(
        cls, gallery: Gallery, photos: PhotoQuerySet, *, home: ZoneInfo, address: str = ""
    ) -> Self:
        """Asks two questions, whatever the number of photos; one for a gallery without a visit.

        `gallery.visit` and the cities of both should be at hand. `home` is the clock at home.
        """
        rows = list(photos.in_order().values_list("pk", "taken_at", "is_cover"))
        visit = gallery.visit if gallery.visit and gallery.visit.is_public else None
        chapters = in_chapters(
            [(key, taken_at) for key, taken_at, _ in rows],
            Day.objects.filter(visit=visit).order_by("number", "pk").defer("text"),
            gallery.zone(home),
            exact=not gallery.visit or gallery.visit.has_exact_days,
        )
        chapters = [chapter for chapter in chapters if chapter.keys]
        first = chapters[0].keys[0] if chapters else None
        cover = next((key for key, _, is_cover in rows if is_cover), first)
        return cls(photos, chapters, address or gallery.get_absolute_url(), cover)

    @cached_property
    def keys(self) -> list[int]:
        return [key for chapter in self.chapters for key in chapter.keys]

    def load(self, keys: Iterable[int | None]) -> dict[int, Photo]:
        """These photos by their keys, in one query; without those hidden since."""
        return self.photos.in_bulk([key for key in keys if key is not None])

    def piece(self, number: str | None) -> Page:
        """The keys of one piece; the first or the last where there is no such piece."""
        return Paginator(self.keys, PIECE).get_page(number)

    def page_of(self, key: int) -> str:
        """Where a photo has a page of its own."""
        return f"{self.address}{key}/"

    def address_of(self, key: int, anchor: str) -> str:
        """Where in the gallery a photo stands: the piece that it is in, and `#anchor` there."""
        piece = self.keys.index(key) // PIECE + 1
        return f"{self.address}{f'?page={piece}' if piece > 1 else ''}#{anchor}"

    def contents(self, keys: Sequence[int]) -> list[tuple[Chapter, str]]:
        """Each chapter with the way to its beginning, from the page that shows `keys`."""
        here = set(keys)
        return [
            (
                chapter,
                f"#{chapter.anchor}"
                if chapter.keys[0] in here
                else self.address_of(chapter.keys[0], chapter.anchor),
            )
            for chapter in self.chapters
        ]

    def chapter_of(self, key: int) -> Chapter:
        return next(chapter for chapter in self.chapters if key in chapter.keys)
