"""The national days of countries, from one file that says where it is from and when it was checked.

Days are fixed in the civil calendar; what moves with another calendar is not in the file.
"""

import datetime as dt
import functools
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django_countries import countries

FILE = Path(__file__).parent / "national_days.toml"


@dataclass(frozen=True)
class NationalDay:
    """`country` is an ISO 3166 code."""

    country: str
    month: int
    day: int
    name: str

    @property
    def country_name(self) -> str:
        return countries.name(self.country)

    def on(self, year: int) -> dt.date:
        return dt.date(year, self.month, self.day)

    def next_on(self, today: dt.date) -> dt.date:
        this_year = self.on(today.year)
        return this_year if this_year >= today else self.on(today.year + 1)


@functools.cache
def _file() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def source() -> str:
    return _file()["source"]


def checked() -> int:
    """The year in which the file was last checked."""
    return _file()["checked"]


def national_days(codes: Iterable[str]) -> list[NationalDay]:
    """Those of the countries that are in the file, in the order of the year."""
    days = _file()["days"]
    found = []
    for code in {str(code) for code in codes} & days.keys():
        when, _blank, name = days[code].partition(" ")
        month, day = (int(part) for part in when.split("-"))
        found.append(NationalDay(code, month, day, name))
    return sorted(found, key=lambda day: (day.month, day.day, day.country))
