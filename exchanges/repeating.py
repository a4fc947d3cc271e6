"""Events that come back: each date is a row of its own, with a page, seats and a line in calendars.

So one date can move or fall out without a rule for exceptions.
"""

import datetime as dt
import re
import uuid
from collections.abc import Iterator

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from exchanges.models import Event

MOST_DATES = 60
DATED = re.compile(r"-\d{4}-\d\d-\d\d$")  # the end of the address of a further date
# What all dates of a series say alike; picture and seats belong to one date.
ALIKE = (
    "title", "native_title", "native_language", "summary", "body", "city", "starts_at", "ends_at",
    "time_zone", "place", "address", "is_online", "online_url",
)  # fmt: skip


class Rhythm(models.TextChoices):
    WEEKLY = "weekly", _("Every week")
    FORTNIGHTLY = "fortnightly", _("Every two weeks")
    MONTHLY = "monthly", _("Every month, on the same weekday (such as the second Thursday)")
    YEARLY = "yearly", _("Every year, on the same day")


def dates_of(first: dt.date, rhythm: str, until: dt.date) -> list[dt.date]:
    """The dates after `first`, `until` included. A fifth Thursday comes only in some months."""
    dates: list[dt.date] = []
    for date in _endlessly(first, Rhythm(rhythm)):
        if date > until:
            return dates
        dates.append(date)
    return dates


def _endlessly(first: dt.date, rhythm: Rhythm) -> Iterator[dt.date]:
    """Until the calendar of this program ends."""
    days = {Rhythm.WEEKLY: 7, Rhythm.FORTNIGHTLY: 14}.get(rhythm, 1)
    date = first
    while date < dt.date.max - dt.timedelta(days=days):
        date += dt.timedelta(days=days)
        is_same_week = (date.day - 1) // 7 == (first.day - 1) // 7
        if rhythm == Rhythm.MONTHLY and not (is_same_week and date.weekday() == first.weekday()):
            continue
        if rhythm == Rhythm.YEARLY and (date.month, date.day) != (first.month, first.day):
            continue
        yield date


@transaction.atomic
def repeat(*, event: Event, rhythm: str, until: dt.date) -> list[Event]:
    """Makes the other dates of `event`, published as it is. Those that are there already stay, also
    where they were moved to another day and kept their address.
    """
    if not event.series:
        event.series = uuid.uuid4()
        event.save(update_fields=["series", "updated_at"])
    known = set(event.dates.values_list("starts_on", flat=True))
    lasts = (event.ends_on or event.starts_on) - event.starts_on
    name = DATED.sub("", event.slug)[:69]
    taken = set(Event.objects.filter(slug__startswith=f"{name}-").values_list("slug", flat=True))
    made = []
    for date in dates_of(event.starts_on, rhythm, until):
        slug = f"{name}-{date:%Y-%m-%d}"
        if date in known or slug in taken:
            continue
        other = Event(
            series=event.series,
            slug=slug,
            status=event.status,
            publish_at=event.publish_at,
            starts_on=date,
            ends_on=date + lasts if lasts else None,
            **{field: getattr(event, field) for field in ALIKE},
        )
        other.save()
        made.append(other)
    return made


@transaction.atomic
def carry_over(*, event: Event) -> int:
    """Gives all later dates of its series what this one says; returns how many there are."""
    later = list(event.dates.filter(starts_on__gt=event.starts_on))
    lasts = (event.ends_on or event.starts_on) - event.starts_on
    for other in later:
        other.ends_on = other.starts_on + lasts if lasts else None
        for name in ALIKE:
            setattr(other, name, getattr(event, name))
        other.save(update_fields=[*ALIKE, "ends_on", "updated_at"])
    return len(later)
