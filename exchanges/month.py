"""One month as a sheet of weeks: events, visits and the national days of partner countries."""

import calendar
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cities.national_days import NationalDay
from exchanges.models import Event, Visit

WEEKS = calendar.Calendar(calendar.SUNDAY)
FIRST_YEAR, LAST_YEAR = 1900, 2200
MONTH = re.compile(r"([12][0-9]{3})-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Entry:
    """What stands on a day. `kind` is event, visit or country; what goes on is told again."""

    kind: str
    title: str
    address: str = ""
    city: str = ""  # slug, for its colours
    country: str = ""
    goes_on: bool = False


@dataclass(frozen=True)
class SheetDay:
    on: dt.date
    is_in_month: bool
    entries: list[Entry]


@dataclass(frozen=True)
class Month:
    """A month by its first day."""

    first: dt.date

    @classmethod
    def read(cls, text: str) -> "Month | None":
        """`2026-12`; None for anything else, and for years in which nothing can be."""
        match = MONTH.fullmatch(text)
        if not match or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
            return None
        return cls(dt.date(int(match[1]), int(match[2]), 1))

    @property
    def days(self) -> list[dt.date]:
        """All days of the sheet, from a Sunday to a Saturday."""
        return list(WEEKS.itermonthdates(self.first.year, self.first.month))

    @property
    def before(self) -> str:
        return f"{self.first - dt.timedelta(days=1):%Y-%m}"

    @property
    def after(self) -> str:
        return f"{self.first + dt.timedelta(days=32):%Y-%m}"

    def weeks(
        self, events: Iterable[Event], visits: Iterable[Visit], national: Iterable[NationalDay]
    ) -> list[list[SheetDay]]:
        days = self.days
        by_day: dict[dt.date, list[Entry]] = defaultdict(list)
        for day in national:
            for year in {days[0].year, days[-1].year}:
                by_day[day.on(year)].append(Entry("country", day.name, country=day.country))
        for kind, rows in (("visit", visits), ("event", events)):
            for row in rows:
                self._tell(by_day, kind, row)
        sheet = [SheetDay(on, on.month == self.first.month, by_day[on]) for on in days]
        return [sheet[start : start + 7] for start in range(0, len(sheet), 7)]

    def _tell(self, by_day: dict[dt.date, list[Entry]], kind: str, row: Any) -> None:
        city = row.city.slug if row.city and row.city.is_public else ""
        last = row.ends_on or row.starts_on
        for on in self.days:
            if row.starts_on <= on <= last:
                by_day[on].append(
                    Entry(kind, row.title, row.get_absolute_url(), city, goes_on=on > row.starts_on)
                )
