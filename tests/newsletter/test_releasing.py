"""Who gets a letter, when it goes, and what a person may still decide."""

import datetime as dt

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sistercities.newsletter import delivering, releasing
from sistercities.newsletter.models import Delivery, Issue, Suppression, Topic, address_key
from sistercities.newsletter.releasing import CannotRelease, WrongCount
from sistercities.shared.mail import send_waiting
from sistercities.shared.models import SiteSettings
from tests.newsletter.at_once import at_once

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def at(**later):
    return time_machine.travel(NOON + dt.timedelta(**later), tick=False)


def addressed(issue) -> list[str]:
    return list(issue.deliveries.order_by("pk").values_list("subscriber__email", flat=True))


def status(issue) -> str:
    return Issue.objects.values_list("status", flat=True).get(pk=issue.pk)


# --- who gets it ----------------------------------------------------------------------------


def test_only_the_confirmed_get_it(letter, readers, let_go):
    readers(2)
    readers(1, prefix="pending", status="pending", confirmed_at=None)
    readers(1, prefix="gone", status="unsubscribed", unsubscribed_at=NOON)
    let_go()
    assert addressed(letter) == ["reader-1@example.net", "reader-2@example.net"]
    assert (letter.status, letter.people) == ("sending", 2)


def test_followers_of_its_topics_get_it_and_who_chose_none(letter, readers, let_go):
    jinzhou, events = (
        Topic.objects.create(slug=slug, title=slug) for slug in ("jinzhou", "events")
    )
    letter.topics.add(jinzhou)
    ann, bob, carol, dave = readers(4)
    ann.topics.add(jinzhou)
    bob.topics.add(events)
    carol.topics.add(events, jinzhou)
    let_go()
    assert addressed(letter) == [ann.email, carol.email, dave.email]


def test_who_pauses_is_left_out_until_the_day(letter, readers, let_go):
    today = SiteSettings.load().today()
    readers(1, prefix="paused", paused_until=today + dt.timedelta(days=1))
    readers(1, prefix="back", paused_until=today)
    let_go()
    assert addressed(letter) == ["back-1@example.net"]


def test_a_few_times_a_year_means_80_days_between(letter, readers, let_go):
    recent, long_ago, never = readers(3, frequency="seasonal")
    often = readers(1, prefix="every")[0]
    earlier = Issue.objects.create(slug="autumn", subject="Autumn")
    with at():
        for person, days in ((recent, 79), (long_ago, 80), (often, 1)):
            Delivery.objects.create(
                issue=earlier, subscriber=person, address_key=address_key(person.email),
                state="sent", sent_at=NOON - dt.timedelta(days=days),
            )  # fmt: skip
        let_go()
    assert addressed(letter) == [long_ago.email, never.email, often.email]


def test_e17_a_suppressed_address_is_left_out_and_not_counted(letter, readers, let_go):
    readers(3)
    Suppression.objects.create(address_key=address_key("Reader-2@example.net "), reason="complaint")
    assert releasing.reach(letter) == 2
    let_go()
    assert addressed(letter) == ["reader-1@example.net", "reader-3@example.net"]


def test_e18_a_snapshot_that_is_made_again_doubles_nobody(letter, readers, let_go, monkeypatch):
    """Its process dies after 500 rows; another one takes over."""
    readers(1200)
    write_row = releasing._row
    written = []

    def die_at_the_700th(*known):
        written.append(known)
        if len(written) == 700:
            raise KeyboardInterrupt
        return write_row(*known)

    with at():
        monkeypatch.setattr(releasing, "_row", die_at_the_700th)
        with pytest.raises(KeyboardInterrupt):
            let_go()
        monkeypatch.undo()
        releasing.settle()  # the dead one's turn is not over
        assert (status(letter), letter.deliveries.count()) == ("scheduled", 500)
    with at(minutes=1):
        releasing.settle()
    assert (status(letter), letter.deliveries.count()) == ("sending", 1200)
    assert letter.deliveries.values("subscriber").distinct().count() == 1200


def test_a_snapshot_costs_the_same_for_each_five_hundred(letter, readers, let_go):
    readers(500)
    with CaptureQueriesContext(connection) as few:
        let_go()
    Issue.objects.filter(pk=letter.pk).update(status="draft")
    letter.deliveries.all().delete()
    readers(500, prefix="more")
    with CaptureQueriesContext(connection) as many:
        let_go()
    assert len(many) - len(few) <= 20  # SQLite takes about fifty rows a statement


# --- what stands in the way -----------------------------------------------------------------


def test_e24_the_typed_number_must_be_the_number_of_people(letter, readers):
    readers(3)
    for typed in (0, 2, 4):
        with pytest.raises(WrongCount, match=r"3 people") as wrong:
            releasing.release(issue=letter, by=None, people=typed)
        assert wrong.value.reached == 3
    assert status(letter) == "draft"


def test_a_letter_to_nobody_is_refused(letter):
    with pytest.raises(CannotRelease, match="Nobody"):
        releasing.release(issue=letter, by=None, people=0)


@pytest.mark.parametrize("address", ["", " \n "])
def test_e11_without_a_postal_address_nothing_goes(letter, readers, address):
    readers(1)
    SiteSettings.objects.update(postal_address=address)
    with pytest.raises(CannotRelease, match="postal address"):
        releasing.release(issue=letter, by=None, people=1)


@pytest.mark.parametrize(
    ("sender", "site_url", "is_ours"),
    [
        ("hello@example.org", "https://www.example.org", True),
        ("Us <hello@mail.example.org>", "https://example.org", True),
        ("Us <hello@Example.org>", "https://letters.example.org", True),
        ("hello@example.com", "https://www.example.org", False),
        ("hello@notexample.org", "https://example.org", False),
        ("us@gmail.com", "https://www.example.org", False),
        ("us@gmail.com", "http://127.0.0.1:8000", False),
        ("hello@example.org", "http://127.0.0.1:8000", True),
        ("nobody", "https://www.example.org", False),
    ],
)
def test_e12_from_is_on_our_own_domain(letter, readers, settings, sender, site_url, is_ours):
    settings.DEFAULT_FROM_EMAIL, settings.SITE_URL = sender, site_url
    assert bool(releasing.obstacles(letter)) is not is_ours


# --- its time -------------------------------------------------------------------------------


def test_it_waits_for_its_time(letter, readers, let_go):
    readers(1)
    with at():
        let_go(at=NOON + dt.timedelta(hours=1))
        assert (letter.status, letter.deliveries.count()) == ("scheduled", 0)
    with at(minutes=59):
        releasing.settle()
        assert status(letter) == "scheduled"
    with at(hours=1):
        releasing.settle()
        assert status(letter) == "sending"


def test_e20_far_past_its_time_it_is_held_and_staff_hear_of_it(letter, readers, let_go):
    readers(2)
    with at():
        let_go(at=NOON + dt.timedelta(hours=1))
    with at(hours=7, seconds=1):
        releasing.settle()
        releasing.settle()
        send_waiting()
    letter.refresh_from_db()
    assert (letter.status, letter.deliveries.count()) == ("held", 0)
    assert "long passed" in letter.problem
    assert [(m.to, m.subject) for m in mail.outbox] == [
        (["hello@example.org"], "A letter waits for you: The gardens of Jinzhou")
    ]
    with at(hours=8):
        let_go()
    assert (letter.status, letter.problem) == ("sending", "")


def test_e20_a_little_late_it_still_goes(letter, readers, let_go):
    readers(1)
    with at():
        let_go(at=NOON + dt.timedelta(hours=1))
    with at(hours=7):
        releasing.settle()
    assert status(letter) == "sending"


def test_e20_a_letter_half_sent_many_hours_ago_waits_for_a_person(letter, readers, let_go):
    readers(2)
    with at():
        let_go()
    with at(hours=6, seconds=1):
        delivering.deliver()
        letter.refresh_from_db()
        assert (letter.status, mail.outbox) == ("paused", [])
        assert "Nothing was sent for many hours" in letter.problem
        releasing.resume(issue=letter)
        delivering.deliver()
    assert (status(letter), len(mail.outbox)) == ("sent", 2)


# --- a person's word ------------------------------------------------------------------------


def test_send_pressed_twice_is_one_sending(letter, readers, let_go):
    readers(2)
    let_go()
    with pytest.raises(CannotRelease, match="on its way already"):
        releasing.release(issue=letter, by=None, people=2)
    assert letter.deliveries.count() == 2


@pytest.mark.django_db(transaction=True)
def test_send_pressed_twice_at_the_same_moment(letter, readers, monkeypatch):
    monkeypatch.setattr(releasing, "_wake", lambda: None)
    readers(2)

    def press() -> str:
        try:
            releasing.release(issue=letter, by=None, people=2)
        except CannotRelease as reason:
            return str(reason)
        return "gone"

    assert sorted(at_once(4, press)) == ["It is on its way already."] * 3 + ["gone"]


@pytest.mark.django_db(transaction=True)
def test_e18_two_clocks_at_the_same_moment_make_one_row_each(letter, readers, monkeypatch):
    monkeypatch.setattr(releasing, "_wake", lambda: None)
    readers(1100)
    releasing.release(issue=letter, by=None, people=1100)
    at_once(3, releasing.settle)
    letter.refresh_from_db()
    assert (letter.status, letter.people, letter.deliveries.count()) == ("sending", 1100, 1100)


def test_a_letter_is_taken_back_before_its_time(letter, readers, let_go):
    readers(1)
    let_go(at=releasing.clock.now() + dt.timedelta(hours=1))
    assert releasing.take_back(issue=letter)
    assert (status(letter), letter.deliveries.count()) == ("draft", 0)
    let_go()
    assert not releasing.take_back(issue=letter)
    assert status(letter) == "sending"


def test_a_stopped_letter_never_goes_on(letter, readers, let_go):
    readers(2)
    let_go()
    assert releasing.stop(issue=letter)
    assert not releasing.resume(issue=letter)
    releasing.settle()
    delivering.deliver()
    assert (status(letter), mail.outbox) == ("cancelled", [])
