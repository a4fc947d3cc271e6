"""Photos sorted into the days on which they were taken."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from exchanges.models import Day, Photo

MANY = 40


@dataclass
class Chapter:
    """A day with its photos. It has a `day` of the itinerary, or only a date, or neither.

    `on` is None where the date is not to be shown.
    """

    anchor: str
    on: dt.date | None = None
    day: Day | None = None
    photos: list[Photo] = field(default_factory=list)

    @property
    def is_many(self) -> bool:
        """Whether the rows should be lower, so that the day stays one look."""
        return len(self.photos) > MANY

    @property
    def is_single(self) -> bool:
        return len(self.photos) == 1


def in_chapters(
    photos: Iterable[Photo], days: Iterable[Day], zone: ZoneInfo, *, exact: bool
) -> tuple[list[Chapter], list[Chapter], list[Photo]]:
    """Photos by the day in `zone` on which they were taken, in their given order.

    Returns a chapter for each of `days` (some may have no photos), a chapter for each other
    date in order, and the photos that belong to no date. Unless `exact`, no chapter carries a
    date, and photos of other dates belong to none.
    """
    chapters = [Chapter(f"day-{day.number}", day.on if exact else None, day) for day in days]
    by_date = {c.day.on: c for c in reversed(chapters) if c.day and c.day.on}
    others: dict[dt.date, Chapter] = {}
    loose: list[Photo] = []
    for photo in photos:
        on = photo.taken_at.astimezone(zone).date() if photo.taken_at else None
        if on in by_date:
            by_date[on].photos.append(photo)
        elif on and exact:
            chapter = others.setdefault(on, Chapter(f"on-{on.isoformat()}", on))
            chapter.photos.append(photo)
        else:
            loose.append(photo)
    return chapters, [others[on] for on in sorted(others)], loose
