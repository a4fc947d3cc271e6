"""The lines of a block that lists events or tells how far an appeal has come.

They are kept as JSON when a letter is drafted, so that it stays what was sent. An event is
{"day": ISO date, "title", "native", "language", "words": hours and place, "url"}; an appeal is
{"percent": 0 to 100, "words"}. Every key may be missing.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format

from sistercities.newsletter.links import public_address
from sistercities.newsletter.models import Block


@dataclass(frozen=True)
class Line:
    title: str = ""
    native: str = ""
    language: str = ""
    words: str = ""
    url: str = ""
    day: dt.date | None = None
    percent: int | None = None

    @property
    def public_url(self) -> str:
        return public_address(self.url)

    @property
    def month(self) -> str:
        """The month in the active language, short: `Jan`."""
        return date_format(self.day, "M") if self.day else ""

    @property
    def number(self) -> int | None:
        return self.day.day if self.day else None


def lines_of(block: Block) -> list[Line]:
    """What the block lists, oldest form included: a line that cannot be read is left out."""
    return [line for line in map(_line, block.lines or []) if line]


def _line(data: Any) -> Line | None:
    if not isinstance(data, dict):
        return None
    texts = {
        name: str(data.get(name) or "") for name in ("title", "native", "language", "words", "url")
    }
    try:
        day = dt.date.fromisoformat(data["day"]) if data.get("day") else None
        percent = max(0, min(100, int(data["percent"]))) if "percent" in data else None
    except (TypeError, ValueError):
        return None
    return Line(**texts, day=day, percent=percent)
