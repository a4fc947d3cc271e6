"""What a letter can tell of the site, asked from the layers above, which know visits and news.

The newsletter imports none of them: they register a source when the site starts.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from sistercities.newsletter.models import Block


@dataclass(frozen=True)
class Picture:
    """A picture whose files are public. `source` names a photo of people, such as photo:12, which
    may stand in a letter only while consent lasts.
    """

    name: str
    width: int
    height: int
    colour: str
    alt: str
    caption: str = ""
    credit: str = ""
    source: str = ""


@dataclass(frozen=True)
class Material:
    """One published thing, as a letter would tell it."""

    kind: Block.Kind
    key: str  # never told twice: visit:gardens:completed
    title: str
    url: str
    label: str
    weight: int  # the heaviest comes first
    summary: str = ""
    day: dt.date | None = None  # to sort by
    when: str = ""  # its days in words, no more exact than what is on file
    topic: str = ""  # slug; only who follows it, or has chosen nothing, is told of it
    about: str = ""  # slug; whose flag and colors it bears, told to everybody
    picture: Picture | None = None
    left_out: str = ""  # why there is no picture, in words for staff
    lines: list[dict] = field(default_factory=list)  # as in newsletter/lines.py


@dataclass(frozen=True)
class Offer:
    """A topic that readers should be able to choose, with what dresses it."""

    slug: str
    title: str
    description: str = ""
    order: int = 0
    native_title: str = ""
    native_language: str = ""
    country: str = ""
    accent: str = ""
    accent_dark: str = ""


class Source(Protocol):
    def topics(self) -> list[Offer]:
        """What readers can choose to hear of."""

    def since(self, moment: dt.datetime) -> list[Material]:
        """What was published after `moment` and is public now, and what lies ahead."""

    def public(self, paths: set[str]) -> set[str]:
        """Those of these paths of the site that anybody can open now."""

    def allowed(self, pictures: set[str]) -> set[str]:
        """Those of these photos, by their `source`, that consent lets stand in letters."""


_sources: list[Source] = []


def register(source: Source) -> None:
    _sources.append(source)


def topics() -> list[Offer]:
    return [offer for source in _sources for offer in source.topics()]


def since(moment: dt.datetime) -> list[Material]:
    """The heaviest first; of one weight the latest, but what lies ahead in its own order."""
    found = [material for source in _sources for material in source.since(moment)]
    return sorted(found, key=lambda each: (-each.weight, -(each.day or dt.date.min).toordinal()))


def public(paths: Iterable[str]) -> set[str]:
    wanted = set(paths)
    return {path for source in _sources for path in source.public(wanted)} if wanted else set()


def allowed(pictures: Iterable[str]) -> set[str]:
    wanted = set(pictures)
    return {name for source in _sources for name in source.allowed(wanted)} if wanted else set()
