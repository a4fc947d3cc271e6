"""Days that the demo names by rule, so that something is always coming up."""

import datetime as dt
from typing import Any

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def find_day(rule: dict[str, Any], today: dt.date) -> dt.date:
    """The day that `rule` means, seen from `today`.

    `{days = -9}` counts from today. Otherwise the rule names what the day must be (`month`, `day`,
    or `nth` with `weekday`) and the next such day is found; `ahead` asks for at least that many
    days until then, `past` looks back instead.
    """
    if "days" in rule:
        return today + dt.timedelta(days=rule["days"])
    step = dt.timedelta(days=-1 if rule.get("past") else 1)
    day = today + step * rule.get("ahead", 1)
    while not _fits(day, rule):
        day += step
    return day


def _fits(day: dt.date, rule: dict[str, Any]) -> bool:
    return (
        rule.get("month", day.month) == day.month
        and rule.get("day", day.day) == day.day
        and rule.get("weekday", WEEKDAYS[day.weekday()]) == WEEKDAYS[day.weekday()]
        and rule.get("nth", (day.day + 6) // 7) == (day.day + 6) // 7
    )
