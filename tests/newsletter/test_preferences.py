import datetime as dt
import json

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from sistercities.newsletter import preferring, subscribing, suppressing
from sistercities.newsletter.models import (
    Consent,
    Delivery,
    Issue,
    Subscriber,
    Suppression,
    Topic,
    address_key,
)
from sistercities.shared.models import OutgoingMessage
from tests.newsletter.at_once import at_once

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def at(**later):
    return time_machine.travel(NOON + dt.timedelta(**later), tick=False)


def page_of(person: Subscriber) -> str:
    return reverse("newsletter:preferences", args=[person.token])


def leave_path(person: Subscriber) -> str:
    return reverse("newsletter:unsubscribe", args=[person.token])


def followed(person: Subscriber) -> list[str]:
    return list(person.topics.order_by("slug").values_list("slug", flat=True))


@pytest.fixture
def topics(db):
    return [
        Topic.objects.create(slug="jinzhou", title="Jinzhou", description="In Liaoning."),
        Topic.objects.create(slug="kyzylorda", title="Kyzylorda"),
        Topic.objects.create(slug="past", title="What was", is_offered=False),
    ]


@pytest.fixture
def deliver(site):
    """`deliver(person)`: the row of a letter that reached a person."""

    def make(person: Subscriber, **fields) -> Delivery:
        issue = Issue.objects.create(
            slug=f"letter-{Issue.objects.count()}", subject="Autumn", status="sent", people=1,
            send_at=NOON, began_at=NOON,
        )  # fmt: skip
        values = {"state": "sent", "sent_at": NOON, **fields}
        return Delivery.objects.create(
            issue=issue, subscriber=person, address_key=address_key(person.email), **values
        )

    return make


# --- signing up with topics -----------------------------------------------------------------


def test_e3_proof_keeps_the_chosen_topics(client, topics, link):
    path = link(topics=["kyzylorda", "jinzhou", "no-such-thing"])
    proof = Consent.objects.get()
    assert proof.chosen == {"topics": ["jinzhou", "kyzylorda"], "language": "en"}
    client.post(path)
    assert followed(Subscriber.objects.get()) == ["jinzhou", "kyzylorda"]


def test_e1_a_stranger_changes_no_topics_of_the_confirmed(client, topics, link, sign_up):
    with at():
        client.post(link(topics=["jinzhou"]))
    with at(days=3):
        sign_up(topics=["kyzylorda"])
    assert followed(Subscriber.objects.get()) == ["jinzhou"]


def test_e1_topics_of_one_who_left_change_with_the_press(client, topics, link):
    with at():
        client.post(link(topics=["jinzhou"]))
        client.post(leave_path(Subscriber.objects.get()))
    with at(days=3):
        path = link(topics=["kyzylorda"])
        assert followed(Subscriber.objects.get()) == ["jinzhou"]
        client.post(path)
    assert followed(Subscriber.objects.get()) == ["kyzylorda"]


def test_sign_up_page_offers_topics_and_keeps_ticks(client, topics, sign_up):
    page = client.get("/newsletter/").content.decode()
    assert 'value="jinzhou" id="id_topic_jinzhou"' in page
    assert 'value="past"' not in page
    again = sign_up("nonsense", topics=["kyzylorda"])
    assert again.status_code == 422
    assert 'value="kyzylorda" id="id_topic_kyzylorda" checked' in again.content.decode()


def test_language_is_asked_for_where_there_are_several(client, site, settings, link):
    assert 'name="language"' not in client.get("/newsletter/").content.decode()
    settings.LANGUAGES = [("en", "English"), ("kk", "Қазақша")]
    assert '<option value="kk"' in client.get("/newsletter/").content.decode()
    client.post(link(language="kk"))
    assert Subscriber.objects.get().language == "kk"


# --- the page -------------------------------------------------------------------------------


def test_page_is_personal_and_repeats_no_token(client, confirmed, topics):
    person = confirmed()
    response = client.get(page_of(person))
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert person.token not in response.content.decode()
    assert not response.cookies


def test_opening_changes_nothing(client, confirmed, topics):
    person = confirmed()
    before = Subscriber.objects.values().get()
    client.get(page_of(person))
    client.head(page_of(person))
    assert Subscriber.objects.values().get() == before
    assert person.consents.count() == 2


def test_wishes_are_kept_with_their_proof(client, confirmed, topics):
    person = confirmed()
    response = client.post(
        page_of(person),
        {"do": "save", "name": "Ann Lee", "topics": ["jinzhou"], "frequency": "seasonal"},
        follow=True,
    )
    assert "Kept. It holds from the next letter on." in response.content.decode()
    person.refresh_from_db()
    assert (person.name, person.frequency, followed(person)) == (
        "Ann Lee", "seasonal", ["jinzhou"],
    )  # fmt: skip
    proof = person.consents.get(event="changed")
    assert (proof.how, proof.chosen) == (
        "preferences",
        {"topics": ["jinzhou"], "language": "en", "frequency": "seasonal"},
    )


def test_nothing_new_leaves_no_line(client, confirmed, topics):
    person = confirmed()
    client.post(page_of(person), {"do": "save", "name": "", "frequency": "every"})
    assert not person.consents.filter(event="changed").exists()


def test_a_topic_that_is_no_longer_offered_can_be_kept(client, confirmed, topics):
    person = confirmed()
    person.topics.add(topics[2])
    assert 'value="past" id="id_topic_past" checked' in client.get(page_of(person)).content.decode()
    client.post(page_of(person), {"do": "save", "topics": ["past", "jinzhou"]})
    assert followed(person) == ["jinzhou", "past"]


def test_e22_name_with_a_line_break_is_refused_and_shown(client, confirmed):
    person = confirmed()
    response = client.post(page_of(person), {"do": "save", "name": "Ann\r\nBcc: bob@example.org"})
    assert response.status_code == 422
    assert "Please write this on one line" in response.content.decode()
    person.refresh_from_db()
    assert person.name == ""


def test_an_act_that_there_is_not_changes_nothing(client, confirmed):
    assert client.post(page_of(confirmed()), {"do": "dance"}).status_code == 422


@pytest.mark.parametrize(
    ("today", "until"),
    [("2026-11-21", "2027-02-21"), ("2026-11-30", "2027-02-28"), ("2026-01-31", "2026-04-30")],
)
def test_pausing_takes_three_months(client, confirmed, today, until):
    person = confirmed()
    with time_machine.travel(dt.datetime.fromisoformat(f"{today}T20:00+00:00"), tick=False):
        response = client.post(page_of(person), {"do": "pause"}, follow=True)
        person.refresh_from_db()
        assert person.paused_until == dt.date.fromisoformat(until)
        assert person.is_paused
        assert "pauses until" in response.content.decode()
        client.post(page_of(person), {"do": "resume"})
    person.refresh_from_db()
    assert person.paused_until is None
    assert [line.chosen for line in person.consents.filter(event="changed").order_by("pk")] == [
        {"paused_until": until}, {"paused_until": None},
    ]  # fmt: skip


# --- leaving and coming back ----------------------------------------------------------------


def test_e8_leaving_can_be_taken_back_for_seven_days(client, confirmed):
    with at():
        person = confirmed()
        client.post(page_of(person), {"do": "leave"})
        person.refresh_from_db()
        assert person.status == "unsubscribed"
        assert suppressing.is_suppressed(person.email)
    with at(days=7, seconds=-1):
        assert "Take it back" in client.get(page_of(person)).content.decode()
        assert client.post(page_of(person), {"do": "return"}).status_code == 303
    person.refresh_from_db()
    assert (person.status, person.unsubscribed_at) == ("confirmed", None)
    assert not suppressing.is_suppressed(person.email)
    assert person.consents.filter(event="returned", how="preferences").count() == 1


def test_e8_after_seven_days_only_a_new_sign_up_helps(client, confirmed):
    with at():
        person = confirmed()
        client.post(page_of(person), {"do": "leave"})
    with at(days=7):
        page = client.get(page_of(person))
        assert page.status_code == 200
        assert "Take it back" not in page.content.decode()
        assert client.post(page_of(person), {"do": "return"}).status_code == 409
    person.refresh_from_db()
    assert person.status == "unsubscribed"


def test_e6_a_slip_of_one_click_is_taken_back_on_the_page_for_leaving(client, confirmed):
    person = confirmed()
    left = client.post(leave_path(person))
    assert "Pressed by mistake?" in left.content.decode()
    back = client.post(leave_path(person), {"do": "return"})
    assert (back.status_code, "You are on the list" in back.content.decode()) == (200, True)
    person.refresh_from_db()
    assert person.status == "confirmed"


@pytest.mark.parametrize("reason", ["complaint", "hard_bounce", "soft_bounces", "staff"])
def test_e17_what_the_person_did_not_do_cannot_be_taken_back(client, confirmed, reason):
    person = confirmed()
    suppressing.suppress(address=person.email, reason=Suppression.Reason(reason))
    client.post(page_of(person), {"do": "leave"})
    assert client.post(page_of(person), {"do": "return"}).status_code == 409
    person.refresh_from_db()
    assert person.status == "unsubscribed"


def test_e1_leaving_and_returning_is_no_way_around_confirming(client, sign_up):
    sign_up()
    person = Subscriber.objects.get()
    client.post(page_of(person), {"do": "leave"})
    assert client.post(page_of(person), {"do": "return"}).status_code == 409
    assert Subscriber.objects.get().status == "unsubscribed"


# --- taking along and being forgotten -------------------------------------------------------


def test_e25_everything_is_taken_along(client, confirmed, topics, deliver):
    person = confirmed()
    client.post(page_of(person), {"do": "save", "name": "Ann", "topics": ["jinzhou"]})
    deliver(person, answer="250 ok")
    response = client.post(page_of(person), {"do": "export"})
    assert response["Content-Disposition"] == 'attachment; filename="my-newsletter-data.json"'
    assert response["Cache-Control"] == "private, no-store"
    data = json.loads(response.content)
    assert (data["address"], data["name"], data["topics"]) == (
        "ann@example.org", "Ann", ["jinzhou"],
    )  # fmt: skip
    assert [line["event"] for line in data["what_you_did"]] == ["signed-up", "confirmed", "changed"]
    assert [line["issue__subject"] for line in data["letters"]] == ["Autumn"]


def test_e25_export_leaves_out_no_column_of_the_person(client, confirmed):
    """A column that is added later must be told as well, or be named here as a secret."""
    secrets = {"id", "email_key", "token", "earlier_token_key", "confirm_fingerprint"}
    told = {
        "email", "name", "language", "status", "frequency", "paused_until", "created_at",
        "asked_at", "confirm_sent_at", "confirmed_at", "unsubscribed_at",
    }  # fmt: skip
    assert {field.name for field in Subscriber._meta.concrete_fields} == secrets | told


def test_e25_erasing_asks_first(client, confirmed):
    person = confirmed()
    page = client.post(page_of(person), {"do": "ask-to-erase"})
    assert "Erase what we know of you?" in page.content.decode()
    assert person.token not in page.content.decode()
    assert Subscriber.objects.exists()


def test_e25_erasing_leaves_keyed_hashes_only(client, confirmed, deliver, mails):
    person = confirmed()
    mails()
    sent = deliver(person, answer="250 <ann@example.org> ok")
    waiting = deliver(person, state="queued", sent_at=None)
    OutgoingMessage.objects.create(
        key="receipt:1", to="ann@example.org", subject="x", text="x", html="x", message_id="x"
    )

    response = client.post(page_of(person), {"do": "erase"})

    assert "It is done." in response.content.decode()
    assert not Subscriber.objects.exists()
    assert not Consent.objects.exists()
    assert [message.key for message in OutgoingMessage.objects.all()] == ["receipt:1"]
    row = Suppression.objects.get()
    assert (row.reason, row.note) == ("erased", "")
    for model in (Suppression, Delivery):
        for values in model.objects.values_list():
            assert not any("ann" in str(value) or person.token in str(value) for value in values)
    sent.refresh_from_db()
    waiting.refresh_from_db()
    assert (sent.subscriber, sent.state, sent.address_key) == (
        None, "sent", address_key("ann@example.org"),
    )  # fmt: skip
    assert (waiting.state, waiting.skip_reason) == ("skipped", "unsubscribed")


def test_e8_links_of_an_erased_person_say_that_they_get_no_letter(client, confirmed):
    person = confirmed()
    client.post(page_of(person), {"do": "erase"})
    for path in (page_of(person), leave_path(person)):
        for response in (client.get(path), client.post(path), client.post(path, {"do": "erase"})):
            assert response.status_code == 200
            assert "You get no letter" in response.content.decode()
    one_click = client.post(leave_path(person), {"List-Unsubscribe": "One-Click"})
    assert one_click.status_code == 200


def test_e8_old_links_work_when_an_erased_person_comes_back(client, confirmed, link):
    with at():
        person = confirmed()
        client.post(page_of(person), {"do": "erase"})
    with at(days=2):
        client.post(link())
    assert client.post(leave_path(person)).status_code == 200
    assert Subscriber.objects.get().status == "unsubscribed"


@pytest.mark.django_db(transaction=True)
def test_e25_erasing_changing_and_leaving_at_once_ends_erased(confirmed, deliver):
    person = confirmed()
    letter = deliver(person)
    acts = iter(["erase", "save", "leave", "pause", "one-click", "erase"])

    def act() -> int:
        do = next(acts)
        if do == "one-click":
            path = reverse("newsletter:unsubscribe", args=[letter.token])
            return Client().post(path, {"List-Unsubscribe": "One-Click"}).status_code
        return Client().post(page_of(person), {"do": do, "name": "Ann"}).status_code

    assert set(at_once(6, act)) <= {200, 303}
    assert (Subscriber.objects.count(), Suppression.objects.get().reason) == (0, "erased")


def test_e17_suppression_outlives_erasure(client, confirmed):
    person = confirmed()
    client.post(page_of(person), {"do": "erase"})
    assert suppressing.is_suppressed("ann@example.org")
    with pytest.raises(subscribing.Erased):
        preferring.erase(token=person.token)


# --- the welcome ----------------------------------------------------------------------------


def test_e21_welcome_is_no_bulk_mail_and_asks_for_nothing(client, confirmed, mails):
    from exchanges.models import Event

    Event.objects.create(
        title="Supper", slug="supper", summary="Eat.", status="published",
        place="The Arvada Center",
        starts_on=dt.date.today() + dt.timedelta(days=3),
    )  # fmt: skip
    person = confirmed()
    welcome = mails()[-1]
    assert welcome.subject == "Welcome: the letter of Arvada Sister Cities"
    assert not {"List-Unsubscribe", "List-Unsubscribe-Post"} & set(welcome.extra_headers)
    assert "/events/supper/" in welcome.body
    assert "The Arvada Center" in welcome.body
    assert person.preferences_url in welcome.body
    assert "/donate/" not in welcome.body + welcome.alternatives[0].content


def test_welcome_comes_once(client, confirmed, link, mails):
    with at():
        person = confirmed()
        client.post(leave_path(person))
    with at(days=2):
        client.post(link())
    assert [message.subject for message in mails()].count(
        "Welcome: the letter of Arvada Sister Cities"
    ) == 1


def test_a_source_that_fails_keeps_nobody_off(client, site, link, monkeypatch):
    from sistercities.newsletter import welcoming

    monkeypatch.setattr(welcoming, "_sources", [lambda: Topic.objects.raw("nonsense")[0]])
    assert client.post(link()).status_code == 200
    assert Subscriber.objects.get().status == "confirmed"
