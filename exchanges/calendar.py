"""Events as iCalendar (RFC 5545), for phones that subscribe and for a single date."""

import datetime as dt
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import icalendar
from django.conf import settings
from django.utils.translation import gettext as _

from exchanges.models import Event

REFRESH = dt.timedelta(hours=6)
# Control characters have no place in the format; the library escapes the rest.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def to_ical(events: Iterable[Event], *, name: str) -> bytes:
    """A calendar of `events`, with the time zones that they use. The same events, the same bytes.

    All-day events are days with an exclusive end, as the standard asks. Nothing personal is in
    it: title, summary, days, hours, place and address of the page.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Sister Cities//Events//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _clean(name))
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", REFRESH)
    timed = []
    for event in events:
        calendar.add_component(_entry(event))
        if not event.is_all_day:
            timed.append(event)
    if timed:
        years = [day.year for event in timed for day in (event.starts_on, _last_day(event))]
        calendar.add_missing_timezones(
            first_date=dt.date(min(years) - 1, 1, 1), last_date=dt.date(max(years) + 2, 1, 1)
        )
    return calendar.to_ical()


def _entry(event: Event) -> icalendar.Event:
    entry = icalendar.Event()
    address = f"{settings.SITE_URL}{event.get_absolute_url()}"
    entry.add("uid", f"event-{event.pk}@{urlsplit(settings.SITE_URL).hostname}")
    entry.add("summary", _clean(event.title))
    entry.add("description", _clean(f"{event.summary}\n\n{address}"))
    entry.add("url", address)
    changed = event.updated_at.astimezone(dt.UTC).replace(microsecond=0)
    entry.add("dtstamp", changed)
    entry.add("last-modified", changed)
    if event.start is None:
        entry.add("dtstart", event.starts_on)
        entry.add("dtend", _last_day(event) + dt.timedelta(days=1))
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


def _last_day(event: Event) -> dt.date:
    return event.ends_on or event.starts_on


def _where(event: Event) -> str:
    parts = [event.place, event.address]
    if event.is_online:
        parts.append(event.online_url or _("online"))
    return ", ".join(part for part in parts if part)


def _clean(text: str) -> str:
    return CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
