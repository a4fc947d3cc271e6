"""Events, visits and national days as iCalendar (RFC 5545), for phones and for a single date."""

import datetime as dt
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import icalendar
from django.conf import settings
from django.utils.translation import gettext as _
from django_countries import countries

from cities.national_days import NationalDay, checked, source
from exchanges.models import Event, Visit

REFRESH = dt.timedelta(hours=6)
# Control characters have no place in the format; the library escapes the rest.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def to_ical(
    events: Iterable[Event], *, name: str, visits: Iterable[Visit] = (),
    national: Iterable[NationalDay] = (),
) -> bytes:  # fmt: skip
    """A calendar with the time zones that it uses. The same rows, the same bytes.

    All-day events, visits and national days are days with an exclusive end, as the standard asks;
    national days come back each year. Nothing personal is in it: title, summary, days, hours,
    place and address of the page.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Sister Cities//Events//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", _clean(name))
    calendar.add("x-wr-calname", _clean(name))
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", icalendar.vDuration(REFRESH))
    timed = []
    for event in events:
        calendar.add_component(_event(event))
        if not event.is_all_day:
            timed.append(event)
    for visit in visits:
        calendar.add_component(_visit(visit))
    for day in national:
        calendar.add_component(_national_day(day))
    if timed:
        years = [day.year for event in timed for day in (event.starts_on, _last_day(event))]
        calendar.add_missing_timezones(
            first_date=dt.date(min(years) - 1, 1, 1), last_date=dt.date(max(years) + 2, 1, 1)
        )
    return calendar.to_ical()


def _entry(row: Event | Visit, kind: str) -> icalendar.Event:
    """What an event and a visit have in common. Its name stays when its address changes."""
    entry = icalendar.Event()
    address = f"{settings.SITE_URL}{row.get_absolute_url()}"
    entry.add("uid", _uid(f"{kind}-{row.pk}"))
    entry.add("summary", _clean(row.title))
    entry.add("description", _clean(f"{row.summary}\n\n{address}"))
    entry.add("url", address)
    changed = row.updated_at.astimezone(dt.UTC).replace(microsecond=0)
    entry.add("dtstamp", changed)
    entry.add("last-modified", changed)
    return entry


def _event(event: Event) -> icalendar.Event:
    entry = _entry(event, "event")
    if event.start is None:
        _add_days(entry, event.starts_on, _last_day(event))
    else:
        entry.add("dtstart", event.start)
        end = event.end
        if end is None and _last_day(event) > event.starts_on:
            midnight = _last_day(event) + dt.timedelta(days=1)
            end = dt.datetime.combine(midnight, dt.time(), event.start.tzinfo)
        if end is not None:
            entry.add("dtend", end)
    if where := _where(event):
        entry.add("location", _clean(where))
    return entry


def _visit(visit: Visit) -> icalendar.Event:
    """Whole days. It leaves the hours of the day free: few of its readers travel along."""
    entry = _entry(visit, "visit")
    _add_days(entry, visit.starts_on, _last_day(visit))
    entry.add("transp", "TRANSPARENT")
    if visit.is_cancelled:
        entry.add("status", "CANCELLED")
    if visit.is_outbound:
        entry.add(
            "location", _clean(f"{visit.city.name}, {countries.name(str(visit.city.country))}")
        )
    return entry


def _national_day(day: NationalDay) -> icalendar.Event:
    entry = icalendar.Event()
    entry.add("uid", _uid(f"national-day-{day.country.lower()}"))
    entry.add("summary", f"{day.country_name}: {day.name}")
    entry.add("description", _("Source: %(source)s") % {"source": source()})
    entry.add("dtstamp", dt.datetime(checked(), 1, 1, tzinfo=dt.UTC))
    _add_days(entry, day.on(checked()), day.on(checked()))
    entry.add("rrule", {"freq": "yearly"})
    entry.add("transp", "TRANSPARENT")
    return entry


def _add_days(entry: icalendar.Event, first: dt.date, last: dt.date) -> None:
    entry.add("dtstart", first)
    entry.add("dtend", last + dt.timedelta(days=1))


def _uid(name: str) -> str:
    return f"{name}@{urlsplit(settings.SITE_URL).hostname}"


def _last_day(row: Event | Visit) -> dt.date:
    return row.ends_on or row.starts_on


def _where(event: Event) -> str:
    parts = [event.place, event.address]
    if event.is_online:
        parts.append(event.online_url or _("online"))
    return ", ".join(part for part in parts if part)


def _clean(text: str) -> str:
    return CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
