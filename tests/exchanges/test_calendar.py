"""What calendars on phones receive, read back with the library that wrote it."""

import datetime as dt

import icalendar
import pytest
from django.core.exceptions import ValidationError
from django_countries.data import COUNTRIES

from cities.national_days import checked, national_days
from exchanges.models import Participant


def read(client, address: str) -> icalendar.Calendar:
    response = client.get(address)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=900"
    assert not response.cookies
    return icalendar.Calendar.from_ical(response.content)


def entries(client, address: str = "/events/calendar.ics") -> dict[str, icalendar.Event]:
    return {str(entry["SUMMARY"]): entry for entry in read(client, address).walk("VEVENT")}


def test_timed_event_keeps_its_hour_and_zone(client, site, make_event, jinzhou):
    event = make_event(
        city=jinzhou, starts_at=dt.time(18), ends_at=dt.time(19, 30), place="The Library",
        address="7525 West 57th Avenue", is_online=True, online_url="https://example.org/meet",
    )  # fmt: skip
    calendar = read(client, "/events/supper.ics")
    (entry,) = calendar.walk("VEVENT")
    denver = dt.timedelta(hours=-7)
    assert entry["UID"] == f"event-{event.pk}@127.0.0.1"
    assert entry["DTSTART"].params["TZID"] == "America/Denver"
    assert entry.start.replace(tzinfo=None) == dt.datetime(2027, 2, 6, 18)
    assert (entry.start.utcoffset(), entry.end - entry.start) == (denver, dt.timedelta(minutes=90))
    assert str(entry["LOCATION"]) == (
        "The Library, 7525 West 57th Avenue, https://example.org/meet"
    )
    assert str(entry["URL"]) == "http://127.0.0.1:8000/events/supper/"
    assert entry["LAST-MODIFIED"].dt == event.updated_at.replace(microsecond=0)
    assert entry["DTSTAMP"].dt == entry["LAST-MODIFIED"].dt
    assert [zone.tz_name for zone in calendar.timezones] == ["America/Denver"]
    assert calendar.get_missing_tzids() == set()


def test_all_day_event_ends_before_the_next_day(client, site, make_event):
    make_event()
    make_event("fair", starts_on=dt.date(2026, 12, 5), ends_on=dt.date(2026, 12, 7))
    calendar = read(client, "/events/calendar.ics")
    found = {str(e["SUMMARY"]): (e["DTSTART"].dt, e["DTEND"].dt) for e in calendar.walk("VEVENT")}
    assert found == {
        "The supper": (dt.date(2027, 2, 6), dt.date(2027, 2, 7)),
        "The fair": (dt.date(2026, 12, 5), dt.date(2026, 12, 8)),
    }
    assert b"DTSTART;VALUE=DATE:20270206" in calendar.to_ical()
    assert calendar.timezones == []


def test_event_that_has_begun_to_run_ends_with_its_last_day(client, site, make_event):
    make_event("night", starts_at=dt.time(22), ends_on=dt.date(2027, 2, 7), ends_at=dt.time(1))
    make_event("camp", starts_at=dt.time(9), ends_on=dt.date(2027, 2, 8))
    make_event("open", starts_at=dt.time(9))
    found = entries(client)
    assert found["The night"].end.replace(tzinfo=None) == dt.datetime(2027, 2, 7, 1)
    assert found["The camp"].end.replace(tzinfo=None) == dt.datetime(2027, 2, 9)
    assert "DTEND" not in found["The open"]


def test_hours_are_right_on_both_sides_of_a_change_of_clocks(client, site, make_event):
    make_event("winter", starts_on=dt.date(2027, 3, 13), starts_at=dt.time(18))
    make_event("summer", starts_on=dt.date(2027, 3, 14), starts_at=dt.time(18))
    make_event("late", starts_on=dt.date(2045, 7, 1), starts_at=dt.time(18))
    found = entries(client)
    offsets = {name: entry.start.utcoffset() for name, entry in found.items()}
    assert offsets == {
        "The winter": dt.timedelta(hours=-7),
        "The summer": dt.timedelta(hours=-6),
        "The late": dt.timedelta(hours=-6),
    }


def test_calendar_holds_what_comes_and_the_past_year(client, site, make_event):
    make_event("comes")
    make_event("lately", starts_on=dt.date(2025, 11, 21))
    make_event("long", starts_on=dt.date(2025, 11, 1), ends_on=dt.date(2025, 11, 30))
    make_event("once", starts_on=dt.date(2025, 11, 1))
    assert sorted(entries(client)) == ["The comes", "The lately", "The long"]


def test_calendar_of_a_city_holds_its_own(client, site, make_event, make_city, jinzhou):
    make_event("ours", city=jinzhou)
    make_event("theirs", city=make_city("Midleton"))
    make_event("nobodys")
    calendar = read(client, "/cities/jinzhou/calendar.ics")
    told = [str(entry["SUMMARY"]) for entry in calendar.walk("VEVENT")]
    assert told == ["The ours", "China: National Day"]
    assert str(calendar["X-WR-CALNAME"]) == str(calendar["NAME"]) == "Arvada Sister Cities: Jinzhou"
    assert b"\r\nX-PUBLISHED-TTL:PT6H\r\n" in calendar.to_ical()


def test_hidden_rows_are_in_no_calendar(client, site, make_event, make_visit, jinzhou, hidden):
    make_event("secret", city=jinzhou, **hidden)
    make_visit("secret", starts_on=dt.date(2026, 12, 1), ends_on=None, **hidden)
    for address in ("/events/calendar.ics", "/cities/jinzhou/calendar.ics"):
        assert "ecret" not in client.get(address).text
    assert client.get("/events/secret.ics").status_code == 404


def test_hidden_city_has_no_calendar(client, site, make_city, hidden):
    make_city("Midleton", **hidden)
    assert client.get("/cities/midleton/calendar.ics").status_code == 404
    assert client.get("/cities/nowhere/calendar.ics").status_code == 404


@pytest.mark.parametrize(
    "text",
    [
        "Semicolon; comma, back\\slash",
        "END:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:forged",
        "lone\rreturn",
        "=cmd|' /C calc'!A0",
        "锦州夜市与春节" * 17,
        "Қызылорда: егін жинау мерекесі",
        "🎏 👩‍🌾",
        "a\x0bb\x07c\x1fd",
    ],
)
def test_any_text_comes_back_and_forges_nothing(client, site, make_event, text):
    make_event(title=text[:120], summary=text[:300], place=text[:120])
    calendar = read(client, "/events/calendar.ics")
    (entry,) = calendar.walk("VEVENT")
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    for control in "\x0b\x07\x1f":
        expected = expected.replace(control, "")
    assert str(entry["SUMMARY"]) == expected[:120].strip()
    raw = client.get("/events/calendar.ics").content
    assert raw.count(b"BEGIN:VEVENT\r\n") == 1
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))


def test_calendar_names_nobody(client, site, make_event, make_visit):
    visit = make_visit()
    Participant.objects.create(visit=visit, name="Ann Lee", agreed_to_be_named=True)
    make_event(visit=visit)
    raw = client.get("/events/calendar.ics").text
    assert "Ann Lee" not in raw
    assert "ATTENDEE" not in raw
    assert "ORGANIZER" not in raw


def test_same_events_give_the_same_bytes(client, site, make_event):
    make_event("a", starts_at=dt.time(18))
    make_event("b", starts_at=dt.time(9), time_zone="Asia/Shanghai")
    first, second = (client.get("/events/calendar.ics").content for _ in range(2))
    assert first == second


def test_empty_calendar_is_a_calendar(client, site):
    assert read(client, "/events/calendar.ics").walk("VEVENT") == []


@pytest.mark.parametrize(
    ("address", "queries"),
    [("/events/calendar.ics", 3), ("/cities/jinzhou/calendar.ics", 4), ("/events/e0.ics", 2),
     ("/events/national-days.ics", 2)],
)  # fmt: skip
@pytest.mark.parametrize("count", [2, 20])
def test_calendars_ask_the_same_number_of_questions(
    client, site, make_event, make_visit, make_city, jinzhou, address, queries, count,
    django_assert_num_queries,
):  # fmt: skip
    for number in range(count):
        make_event(f"e{number}", city=jinzhou, starts_at=dt.time(18))
        make_visit(f"v{number}", starts_on=dt.date(2026, 12, 1), ends_on=None)
        make_city(f"City {number}", country="DE")
    with django_assert_num_queries(queries):
        client.get(address)


@pytest.mark.parametrize("slug", ["calendar", "national-days"])
def test_event_called_like_a_calendar_is_refused(site, make_event, slug):
    with pytest.raises(ValidationError, match="belongs to a calendar"):
        make_event(slug).clean()


def test_visits_are_whole_days_that_leave_the_hours_free(client, site, make_visit):
    visit = make_visit("out", starts_on=dt.date(2026, 12, 30), ends_on=dt.date(2027, 1, 2))
    make_visit("off", starts_on=dt.date(2027, 5, 1), ends_on=None, stage="cancelled")
    make_visit("vague", starts_on=dt.date(2027, 5, 1), ends_on=None, precision="month")
    make_visit("long-ago")
    found = entries(client)
    assert sorted(found) == ["The off visit", "The out visit"]
    out, off = found["The out visit"], found["The off visit"]
    assert (out["DTSTART"].dt, out["DTEND"].dt) == (dt.date(2026, 12, 30), dt.date(2027, 1, 3))
    assert (off["DTSTART"].dt, off["DTEND"].dt) == (dt.date(2027, 5, 1), dt.date(2027, 5, 2))
    assert out["UID"] == f"visit-{visit.pk}@127.0.0.1"
    assert (out["TRANSP"], str(out["LOCATION"])) == ("TRANSPARENT", "Jinzhou, China")
    assert (out.get("STATUS"), off["STATUS"]) == (None, "CANCELLED")
    visit.slug = "renamed"
    visit.save()
    assert entries(client)["The out visit"]["UID"] == out["UID"]


def test_national_days_of_partners_come_back_each_year(client, site, home_city, make_city):
    for name, country in (("A", "KZ"), ("B", "IE"), ("C", "IE"), ("D", "GB")):
        make_city(name, country=country)
    make_city("Hidden", country="DE", status="draft")
    found = entries(client, "/events/national-days.ics")
    assert list(found) == ["Ireland: Saint Patrick’s Day", "Kazakhstan: Republic Day"]
    entry = found["Kazakhstan: Republic Day"]
    assert (entry["DTSTART"].dt, entry["DTEND"].dt) == (
        dt.date(checked(), 10, 25), dt.date(checked(), 10, 26),
    )  # fmt: skip
    assert entry["RRULE"].to_ical() == b"FREQ=YEARLY"
    assert entry["UID"] == "national-day-kz@127.0.0.1"
    assert "World Factbook" in entry["DESCRIPTION"]


def test_every_national_day_is_a_day_of_a_country():
    found = national_days(COUNTRIES)
    assert len(found) > 200
    assert all(day.on(2027) and day.name and day.country_name for day in found)
    assert national_days(["GB", "", "??"]) == []
