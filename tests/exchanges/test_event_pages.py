"""Events as visitors read them."""

import datetime as dt
import json
import re
from zoneinfo import ZoneInfo

import pytest

from exchanges.models import Event
from exchanges.models.event import LocalTime

LIST_QUERIES = 4  # site, chrome, events, countries of partners
PAGE_QUERIES = 4  # site, chrome, event, tickets


def test_event_page_gives_both_clocks(client, site, home_city, make_visit, make_event, jinzhou):
    visit = make_visit()
    event = make_event(
        city=jinzhou, visit=visit, starts_at=dt.time(18), ends_at=dt.time(19, 30),
        place="The Library", address="7525 West 57th Avenue", native_title="春节",
        native_language="zh-Hans", body="<p>Bring a story.</p>", is_online=True,
        online_url="https://example.org/meet",
    )  # fmt: skip
    html = client.get(event.get_absolute_url()).text
    for expected in (
        "February 6, 2027", "Saturday", "Sat 6 p.m. to 7:30 p.m. <small>in Arvada</small>",
        "Sun 9 a.m. to 10:30 a.m. <small>in Jinzhou</small>",
        "The Library", "7525 West 57th Avenue",
        '<span class="native" lang="zh-Hans">春节</span>', "Bring a story.",
        'href="https://example.org/meet"', 'href="/events/supper.ics"',
        f'href="{visit.get_absolute_url()}"', 'href="/cities/jinzhou/"',
        '<body data-city="jinzhou">',
    ):  # fmt: skip
        assert expected in html, expected


def test_all_day_event_has_no_clocks(client, site, make_event, jinzhou):
    html = client.get(make_event(city=jinzhou).get_absolute_url()).text
    assert "all day" in html
    assert "in Jinzhou</small>" not in html


def test_event_of_several_days(client, site, make_event):
    html = client.get(make_event(ends_on=dt.date(2027, 2, 8)).get_absolute_url()).text
    assert "February 6 to 8, 2027" in html
    assert "all day, each day" in html


def test_event_that_is_over_says_so(client, site, make_event):
    html = client.get(make_event(starts_on=dt.date(2026, 11, 20)).get_absolute_url()).text
    assert "This event is over." in html
    assert "Add to your calendar" not in html


def times(event: Event, city) -> list[tuple[str, str]]:
    found = event.local_times(ZoneInfo("America/Denver"), city)
    assert all(isinstance(time, LocalTime) for time in found)
    return [(time.place, time.words) for time in found]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"starts_at": dt.time(18)}, [("", "Sat 6 p.m."), ("Jinzhou", "Sun 9 a.m.")]),
        (
            {"starts_at": dt.time(9), "time_zone": "Asia/Shanghai"},
            [("", "Fri 6 p.m."), ("Jinzhou", "Sat 9 a.m.")],
        ),
        (
            {"starts_at": dt.time(22), "ends_on": dt.date(2027, 2, 7), "ends_at": dt.time(1)},
            [("", "Sat 10 p.m. to Sun 1 a.m."), ("Jinzhou", "Sun 1 p.m. to 4 p.m.")],
        ),
        (
            {"starts_at": dt.time(12), "time_zone": "Europe/Berlin"},
            [("Berlin", "Sat noon"), ("", "Sat 4 a.m."), ("Jinzhou", "Sat 7 p.m.")],
        ),
        # The night in which Arvada's clocks skip from two to three.
        (
            {"starts_on": dt.date(2027, 3, 14), "starts_at": dt.time(3)},
            [("", "Sun 3 a.m."), ("Jinzhou", "Sun 5 p.m.")],
        ),
    ],
)
def test_local_times(make_event, jinzhou, fields, expected):
    assert times(make_event(**fields), jinzhou) == expected


def test_clocks_that_agree_are_told_once(make_event, make_city):
    boise = make_city("Boise", country="US", time_zone="America/Boise")
    assert times(make_event(starts_at=dt.time(18)), boise) == [("", "Sat 6 p.m.")]
    assert times(make_event("other", starts_at=dt.time(18)), None) == [("", "Sat 6 p.m.")]


def test_event_list_has_the_next_first(client, site, make_event):
    make_event("later", starts_on=dt.date(2027, 1, 1))
    make_event("today", starts_on=dt.date(2026, 11, 21))
    make_event("running", starts_on=dt.date(2026, 11, 1), ends_on=dt.date(2026, 11, 21))
    make_event("over", starts_on=dt.date(2026, 11, 20))
    make_event("long-over", starts_on=dt.date(2020, 1, 1))
    assert slugs(client, "/events/") == ["running", "today", "later"]
    assert slugs(client, "/events/?past=1") == ["over", "long-over"]


def slugs(client, address: str) -> list[str]:
    return re.findall(r'<h2><a href="/events/([\w-]+)/"', client.get(address).text)


def test_today_is_the_day_in_arvada(client, site, make_event, settings):
    settings.CLOCK = dt.datetime(2026, 11, 22, 5, 0, tzinfo=dt.UTC)  # ten in the evening before
    make_event("tonight", starts_on=dt.date(2026, 11, 21))
    assert slugs(client, "/events/") == ["tonight"]


def test_event_lists_without_events_say_so(client, site):
    assert "Nothing is on the calendar at the moment." in client.get("/events/").text
    assert "No past events are on file." in client.get("/events/?past=1").text


def test_hidden_event_is_nowhere(client, site, make_event, hidden):
    event = make_event("secret", **hidden)
    make_event("old-secret", starts_on=dt.date(2026, 5, 5), **hidden)
    for address in (event.get_absolute_url(), "/events/secret.ics"):
        assert client.get(address).status_code == 404
    for address in ("/events/", "/events/?past=1"):
        assert "secret" not in client.get(address).text


def test_event_tells_nothing_of_a_hidden_visit_or_city(
    client, site, make_event, make_visit, make_city, hidden
):
    city = make_city("Secretville", **hidden)
    event = make_event(visit=make_visit("secret", **hidden), city=city)
    html = client.get(event.get_absolute_url()).text
    assert "/visits/secret/" not in html
    assert "/cities/secretville/" not in html
    assert "secretville" not in html


@pytest.mark.parametrize("count", [3, 30])
def test_event_list_asks_the_same_number_of_questions(
    client, site, make_event, make_city, count, django_assert_num_queries
):
    for number in range(count):
        make_event(f"e{number}", city=make_city(f"City {number}"), starts_at=dt.time(18))
    with django_assert_num_queries(LIST_QUERIES):
        client.get("/events/")


def test_event_page_asks_few_questions(
    client, site, make_event, make_visit, jinzhou, django_assert_num_queries
):
    event = make_event(city=jinzhou, visit=make_visit())
    with django_assert_num_queries(PAGE_QUERIES):
        client.get(event.get_absolute_url())


def test_event_pages_keep_the_list_while_turning(client, site, make_event):
    for count in range(41):
        make_event(f"e{count}", starts_on=dt.date(2020, 1, 1))
    second = next_page(client, "/events/?past=1")
    assert "past=1&after=2020-01-01~" in second
    assert slugs(client, second) == ["e0"]


def test_events_of_one_day_are_turned_by_the_hour(client, site, make_event):
    for hour in range(23, -1, -1):
        make_event(f"h{hour}", starts_at=dt.time(hour))
        make_event(f"n{hour}", starts_on=dt.date(2027, 2, 7))
    first = slugs(client, "/events/")
    second = slugs(client, next_page(client, "/events/"))
    assert first[:24] == [f"h{hour}" for hour in range(24)]
    assert (len(first), len(second), len({*first, *second})) == (40, 8, 48)


def next_page(client, address: str) -> str:
    (query,) = re.findall(r'<a href="([^"]+)" rel="next"', client.get(address).text)
    return "/events/" + query.replace("&amp;", "&")


def test_event_texts_are_never_markup(client, site, make_event):
    bad = '"><script>alert(1)</script>'
    event = make_event(
        title=f"T{bad}", summary=f"S{bad}", place=f"P{bad}", address=f"A{bad}",
        native_title=f"N{bad}", body=f"<p>{bad}</p>",
    )  # fmt: skip
    for address in (event.get_absolute_url(), "/events/"):
        assert "<script>alert" not in client.get(address).text


def test_programs_read_when_and_where_it_is(client, site, make_event):
    def told(event) -> dict:
        text, _breadcrumbs = re.findall(
            r'<script type="application/ld\+json"[^>]*>(.*?)</script>',
            client.get(event.get_absolute_url()).text,
        )
        return json.loads(text)

    fair = told(make_event("fair", ends_on=dt.date(2027, 2, 7), place="Hall", address="5 Elm St"))
    hour = told(make_event("hour", starts_at=dt.time(18), ends_at=dt.time(19), is_online=True,
                           online_url="https://example.org/meet"))  # fmt: skip
    assert (fair["startDate"], fair["endDate"]) == ("2027-02-06", "2027-02-07")
    assert fair["location"] == [{"@type": "Place", "name": "Hall", "address": "5 Elm St"}]
    assert fair["organizer"]["@id"].endswith("/#organization")
    assert hour["startDate"] == "2027-02-06T18:00:00-07:00"
    assert hour["eventAttendanceMode"] == "https://schema.org/OnlineEventAttendanceMode"
    assert hour["location"][0]["url"] == "https://example.org/meet"


def test_event_on_a_visit_page_is_told_as_on_its_own(client, site, make_visit, make_event):
    visit = make_visit()
    make_event(visit=visit, starts_at=dt.time(18), ends_at=dt.time(19))
    html = client.get(visit.get_absolute_url()).text
    assert "Sat 6 p.m. to 7 p.m. in our city" in html
    assert "Sun 9 a.m. to 10 a.m. in Jinzhou" in html
