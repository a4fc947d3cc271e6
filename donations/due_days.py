"""When a gift that repeats is charged next. Days are those of the organisation's time zone."""

import datetime as dt
from calendar import monthrange

from donations.models import RecurringGift

MONTHS = {RecurringGift.Interval.MONTHLY: 1, RecurringGift.Interval.YEARLY: 12}


def after(day: dt.date, months: int, on: int = 0) -> dt.date:
    """So many months later, on day `on` (by default the same one), or on the last of a month that
    has no such day.
    """
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return dt.date(year, month, min(on or day.day, monthrange(year, month)[1]))


def next_charge(
    *, period_ends_at: dt.datetime, interval: str, anchor_day: int, paused_until: dt.datetime | None
) -> dt.datetime:
    """The end of the present period, or of the first one that ends after a pause."""
    moment = period_ends_at
    while paused_until and moment < paused_until:
        moment = one_later(moment, interval, anchor_day)
    return moment


def one_later(moment: dt.datetime, interval: str, anchor_day: int) -> dt.datetime:
    """The charge after the one at `moment`."""
    day = after(moment.date(), MONTHS[RecurringGift.Interval(interval)], anchor_day)
    return dt.datetime.combine(day, moment.timetz())


def moved_to(next_on: dt.date, on: int, today: dt.date) -> dt.date:
    """The next charge with another day of the month: in the same month if that day is to come."""
    day = after(next_on, 0, on)
    return day if day > today else after(next_on, 1, on)
