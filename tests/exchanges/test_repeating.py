"""Events that come back."""

import datetime as dt

import pytest
from django.urls import reverse

from exchanges.models import Event
from exchanges.repeating import carry_over, dates_of, repeat
from tests.exchanges.test_calendar import entries, read
from tests.exchanges.test_event_pages import PAGE_QUERIES, slugs

pytestmark = pytest.mark.usefixtures("told_templates")

THURSDAY = dt.date(2026, 12, 10)  # the second of its month


@pytest.fixture
def club(make_event, jinzhou):
    return make_event(
        "club", city=jinzhou, starts_on=THURSDAY, starts_at=dt.time(18), ends_at=dt.time(19),
        place="The Library", body="<p>Come.</p>", picture="pictures/aa/bb.webp",
        picture_width=1600, picture_height=900, picture_alt="A table",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "rhythm", "until", "expected"),
    [
        ("2026-12-10", "weekly", "2026-12-24", ["2026-12-17", "2026-12-24"]),
        ("2026-12-10", "fortnightly", "2027-01-06", ["2026-12-24"]),
        ("2026-12-10", "monthly", "2027-03-31", ["2027-01-14", "2027-02-11", "2027-03-11"]),
        ("2026-10-29", "monthly", "2027-07-01", ["2026-12-31", "2027-04-29"]),
        ("2024-02-29", "yearly", "2032-03-01", ["2028-02-29", "2032-02-29"]),
        ("2026-12-10", "weekly", "2026-12-16", []),
        ("2026-12-10", "weekly", "2020-01-01", []),
    ],
)
def test_dates_of_a_rhythm(first, rhythm, until, expected):
    first, until = dt.date.fromisoformat(first), dt.date.fromisoformat(until)
    assert [str(date) for date in dates_of(first, rhythm, until)] == expected


def test_each_date_is_an_event_of_its_own(client, site, home_city, club):
    made = repeat(event=club, rhythm="monthly", until=dt.date(2027, 3, 31))
    assert [event.slug for event in made] == [
        "club-2027-01-14", "club-2027-02-11", "club-2027-03-11",
    ]  # fmt: skip
    again = repeat(event=made[0], rhythm="monthly", until=dt.date(2027, 4, 30))
    assert [event.slug for event in again] == ["club-2027-04-08"]
    page = client.get(made[2].get_absolute_url()).text
    for expected in (
        "Thu 6 p.m. to 7 p.m. <small>in Arvada</small>", "Come.", "The Library", 'alt="A table"',
        'href="/events/club/">Thursday, December 10, 2026</a>', "Thursday, April 8, 2027",
    ):  # fmt: skip
        assert expected in page, expected
    assert "March 11, 2027</a>" not in page
    assert len(entries(client, "/events/club-2027-04-08.ics")) == 1
    told = read(client, "/events/calendar.ics").walk("VEVENT")
    assert len({str(entry["UID"]) for entry in told}) == 5


def test_a_date_that_was_moved_is_not_made_again(club):
    moved, _last = repeat(event=club, rhythm="weekly", until=dt.date(2026, 12, 24))
    moved.starts_on += dt.timedelta(days=1)
    moved.save()
    again = repeat(event=club, rhythm="weekly", until=dt.date(2026, 12, 31))
    assert [event.slug for event in again] == ["club-2026-12-31"]


def test_lists_name_the_next_date_of_each_series(client, site, club, make_event):
    repeat(event=club, rhythm="weekly", until=dt.date(2027, 1, 31))
    make_event("single", starts_on=dt.date(2026, 12, 18))
    make_event("twin", starts_on=dt.date(2026, 12, 18))
    assert slugs(client, "/events/") == ["club", "single", "twin"]
    club.delete()
    assert slugs(client, "/events/") == ["club-2026-12-17", "single", "twin"]
    Event.objects.filter(slug="club-2026-12-17").update(status="draft")
    assert slugs(client, "/events/") == ["single", "twin", "club-2026-12-24"]


def test_later_dates_take_over_what_one_of_them_says(club):
    _january, february, march = repeat(event=club, rhythm="monthly", until=dt.date(2027, 3, 31))
    february.place, february.starts_at, february.ends_at = "City Hall", dt.time(21), dt.time(1)
    february.ends_on = dt.date(2027, 2, 12)
    february.save()
    assert carry_over(event=february) == 1
    march.refresh_from_db()
    assert (march.place, march.starts_at, march.starts_on, march.ends_on) == (
        "City Hall", dt.time(21), dt.date(2027, 3, 11), dt.date(2027, 3, 12),
    )  # fmt: skip
    assert Event.objects.get(slug="club-2027-01-14").place == "The Library"


@pytest.mark.parametrize("count", [1, 12])
def test_a_page_of_a_series_asks_one_question_more(
    client, site, club, count, django_assert_num_queries
):
    repeat(event=club, rhythm="weekly", until=THURSDAY + dt.timedelta(weeks=count))
    with django_assert_num_queries(PAGE_QUERIES + 1):
        client.get(club.get_absolute_url())


def test_staff_say_how_often_it_comes_back(admin_client, site, club):
    address = reverse("admin:exchanges_event_change", args=[club.pk])
    form = admin_client.get(address).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields if name != "picture"}
    data |= {"publish_at_0": "2026-01-01", "publish_at_1": "00:00:00", "is_online": ""}
    for wrong, words in (
        ({"rhythm": "weekly"}, "Until which day"),
        ({"until": "2027-01-07"}, "How often"),
        ({"rhythm": "weekly", "until": "2030-01-01"}, "between 1 and 60"),
        ({"rhythm": "weekly", "until": "2026-12-11"}, "between 1 and 60"),
        ({"rhythm": "weekly", "until": "9999-12-31"}, "between 1 and 60"),
    ):
        assert words in admin_client.post(address, data | wrong).content.decode()
    assert Event.objects.count() == 1
    answer = admin_client.post(
        address, data | {"rhythm": "weekly", "until": "2026-12-24"}, follow=True
    )
    assert "2 further dates made." in answer.content.decode()
    answer = admin_client.post(
        reverse("admin:exchanges_event_changelist"),
        {"action": "carry_over_to_later", "_selected_action": [club.pk]},
        follow=True,
    )
    assert "2 later dates changed." in answer.content.decode()
