"""A month of events, visits and national days on one sheet."""

import datetime as dt
import re

import pytest

MONTH_QUERIES = 5  # site, chrome, events, visits, countries of partners


def sheet(client, month: str) -> dict[str, list[str]]:
    """What stands on each day of the sheet that has something, in words."""
    response = client.get(f"/events/?month={month}")
    assert response.status_code == 200
    days = {}
    for cell in re.findall(r"<td.*?</td>", response.text, flags=re.S):
        (day,) = re.findall(r'datetime="([^"]+)"', cell)
        entries = re.findall(r"<li.*?</li>", cell, flags=re.S)
        if entries:
            days[day] = [" ".join(re.sub(r"<[^>]+>", " ", entry).split()) for entry in entries]
    return days


def test_a_month_has_events_visits_and_national_days(
    client, site, make_event, make_visit, make_city, jinzhou, hidden
):
    make_city("Kyzylorda", country="KZ")
    make_event("supper", starts_on=dt.date(2026, 10, 25), starts_at=dt.time(18))
    make_event("fair", starts_on=dt.date(2026, 9, 29), ends_on=dt.date(2026, 10, 1))
    make_visit(starts_on=dt.date(2026, 10, 31), ends_on=dt.date(2026, 11, 1))
    make_visit("off", starts_on=dt.date(2026, 10, 5), ends_on=None, stage="cancelled")
    make_visit("vague", starts_on=dt.date(2026, 10, 1), ends_on=None, precision="month")
    make_event("secret", starts_on=dt.date(2026, 10, 6), **hidden)
    make_visit("secret", starts_on=dt.date(2026, 10, 6), ends_on=None, **hidden)
    assert sheet(client, "2026-10") == {
        "2026-09-29": ["The fair"],
        "2026-09-30": ["The fair"],
        "2026-10-01": ["China: National Day", "The fair"],
        "2026-10-25": ["Kazakhstan: Republic Day", "The supper"],
        "2026-10-31": ["The gardens visit"],
    }
    text = client.get("/events/?month=2026-10").text
    assert "checked in 2026" in text
    assert 'href="?month=2026-09" rel="prev' in text
    assert 'href="?month=2026-11" rel="next' in text
    assert 'data-city="jinzhou"' in text
    assert "webcal://127.0.0.1:8000/events/calendar.ics" in text


def test_a_month_over_new_year_knows_both_years(client, site, make_city):
    make_city("Havana", country="CU")
    assert sheet(client, "2026-12") == {"2027-01-01": ["Cuba: Triumph of the Revolution"]}
    assert "Nothing is on file for this month." in client.get("/events/?month=2026-12").text
    assert sheet(client, "2027-01") == {"2027-01-01": ["Cuba: Triumph of the Revolution"]}


@pytest.mark.parametrize(
    "month", ["", "2026", "2026-00", "2026-13", "1899-12", "2201-01", "2026-1", "x", "%00",
              "9" * 5000, "2026-10'--", "2026-10%0A"],
)  # fmt: skip
def test_what_is_no_month_is_not_found(client, site, month):
    assert client.get(f"/events/?month={month}").status_code == 404


def test_the_first_and_the_last_month_open(client, site, make_city):
    make_city()
    assert client.get("/events/?month=1900-01").status_code == 200
    assert client.get("/events/?month=2200-12").status_code == 200


@pytest.mark.parametrize("count", [2, 20])
def test_a_month_asks_the_same_number_of_questions(
    client, site, make_event, make_visit, make_city, count, django_assert_num_queries
):
    for number in range(count):
        city = make_city(f"City {number}")
        make_event(f"e{number}", city=city, starts_on=dt.date(2026, 10, 1 + number))
        make_visit(f"v{number}", city=city, starts_on=dt.date(2026, 10, 1 + number), ends_on=None)
    with django_assert_num_queries(MONTH_QUERIES):
        assert len(sheet(client, "2026-10")) == count


def test_the_list_names_the_next_national_days(client, site, make_city):
    """It is November 21: Kazakhstan's day in October is the next year's."""
    for name, country in (("A", "KZ"), ("B", "IE"), ("C", "FI")):
        make_city(name, country=country)
    text = client.get("/events/").text.split("National days of our partners")[1]
    assert re.findall(r"<p>(\w+ \d+): ", text) == ["December 6", "March 17", "October 25"]
