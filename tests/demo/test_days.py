import datetime as dt

import pytest

from sistercities.demo.days import find_day

TODAY = dt.date(2026, 11, 21)


@pytest.mark.parametrize(
    ("rule", "day"),
    [
        ({"days": -9}, dt.date(2026, 11, 12)),
        ({"nth": 2, "weekday": "Tuesday"}, dt.date(2026, 12, 8)),
        ({"nth": 3, "weekday": "Saturday"}, dt.date(2026, 12, 19)),  # today is one, too
        ({"nth": 2, "weekday": "Friday", "month": 6}, dt.date(2027, 6, 11)),
        ({"month": 3, "day": 22}, dt.date(2027, 3, 22)),
        ({"month": 5, "day": 1, "ahead": 100}, dt.date(2027, 5, 1)),
        ({"month": 12, "day": 1, "ahead": 100}, dt.date(2027, 12, 1)),
        ({"nth": 3, "weekday": "Thursday", "past": True}, dt.date(2026, 11, 19)),
    ],
)
def test_rule_names_a_day(rule, day):
    assert find_day(rule, TODAY) == day


def test_no_rule_means_today():
    assert find_day({"month": 11, "day": 21}, TODAY) == dt.date(2027, 11, 21)
