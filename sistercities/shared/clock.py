"""The site's clock: the one place that says what time it is, and what day at home."""

import datetime as dt

from django.conf import settings
from django.utils import timezone


def now() -> dt.datetime:
    """The present moment, aware. `CLOCK` (only with DEBUG) holds it still for tests."""
    return settings.CLOCK or timezone.now()


def today() -> dt.date:
    """The calendar day in the organisation's time zone (`TIME_ZONE`)."""
    return timezone.localdate(now())


def noon_of(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """The middle of a calendar day in a time zone, for what has no hour of its own."""
    return dt.datetime.combine(day, dt.time(12), zone)
