"""A reply is held, read by a person and shown; what it says can harm nobody."""

import datetime as dt
import re

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from exchanges.models import Visit
from sistercities.comments import moderating
from sistercities.comments.models import Comment
from sistercities.news.models import Article
from sistercities.shared.mail import send_waiting
from sistercities.shared.models import OutgoingMessage

SHOWN = {"status": "published"}
HOSTILE = (
    '<script>alert(1)</script>\r\n\r\n\r\n\r\n<b onclick="x">{{ 7 }}\u202e http://spam.example\x00'
)


@pytest.fixture
def city(site, make_city):
    return make_city("Jinzhou")


@pytest.fixture
def pages(city):
    """One of each thing that takes replies, by the address of its page."""
    visit = Visit.objects.create(
        title="Gardens", slug="gardens", city=city, direction="outbound", stage="completed",
        starts_on=dt.date(2013, 9, 7), summary="Five days.", **SHOWN,
    )  # fmt: skip
    article = Article.objects.create(headline="News", slug="story", lead="Who.", **SHOWN)
    return {"/cities/jinzhou/": city, "/visits/gardens/": visit, "/news/story/": article}


@pytest.fixture
def reply(client):
    def post(path: str = "/replies/cities/jinzhou/", *, place: str = "192.0.2.1", **fields):
        data = {"name": "Ann Lee", "email": "ann@example.org", "text": "I was there.", **fields}
        return client.post(path, data, REMOTE_ADDR=place)

    return post


def add(about, text: str = "Hello", **fields) -> Comment:
    values = {"name": "Ann", "text": text, "state": "published", **fields}
    return Comment.objects.create(**{type(about).__name__.lower(): about}, **values)


def main_of(response) -> str:
    return response.text.split("<main", 1)[1].split("</main>")[0]


# --- a reader leaves one --------------------------------------------------------------------


def test_a_reply_waits_until_a_person_publishes_it(client, admin_client, pages, reply):
    """From the form of each page as it stands there, to the page and the writer's mailbox."""
    for path, about in pages.items():
        page = client.get(path)
        assert not page.cookies and "csrfmiddlewaretoken" not in page.text
        form = re.search(r'<form class="form" method="post" action="(/replies/[^"]+)"', page.text)
        response = reply(form[1], text=f"About {about}\nand more.")
        assert (response.status_code, response["Location"]) == (303, f"{form[1]}?sent=1")
        thanks = main_of(client.get(response["Location"]))
        assert "Your reply waits for a person to read it." in thanks
        assert f"Back to {about}" in thanks and "<form" not in thanks
        assert "and more." not in client.get(path).text
    waiting = Comment.objects.filter(state="waiting").order_by("pk")
    assert [row.about for row in waiting] == list(pages.values())
    send_waiting()
    assert [(m.to, m.subject) for m in mail.outbox] == [
        (["hello@example.org"], "A reply waits to be read: Jinzhou")  # once a day
    ]
    action = {"action": "publish", "_selected_action": [row.pk for row in Comment.objects.all()]}
    admin_client.post("/admin/comments/comment/", action)
    admin_client.post("/admin/comments/comment/", action)
    send_waiting()
    told = [m for m in mail.outbox if m.to == ["ann@example.org"]]
    assert [m.subject for m in told] == [f"Your reply is on the site: {x}" for x in pages.values()]
    for (path, about), message in zip(pages.items(), told, strict=True):
        page = client.get(path).text
        assert f'<p dir="auto">About {about}<br>and more.</p>' in page
        assert "ann@example.org" not in page and "I was there" not in message.body
        link = re.search(r"http://127\.0\.0\.1:8000(/\S+)#replies", message.body)
        assert f"About {about}" in client.get(link[1]).text


def test_an_open_form_does_not_publish_what_somebody_rejected_meanwhile(admin_client, pages):
    city = pages["/cities/jinzhou/"]
    row = Comment.objects.create(city=city, name="Ann", text="Hello.", state="published")
    page = f"/admin/comments/comment/{row.pk}/change/"
    posted = {"state": "published", "answer": "Thanks.", "seen": "published"}
    assert 'name="seen" value="published"' in admin_client.get(page).text
    Comment.objects.update(state="rejected")
    answer = admin_client.post(page, posted)
    row.refresh_from_db()
    assert "Somebody else has decided meanwhile" in answer.text
    assert (row.state, row.answer) == ("rejected", "")
    assert admin_client.post(page, {**posted, "seen": "rejected"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.answer) == ("published", "Thanks.")


def test_what_was_typed_is_shown_where_replies_were_closed_meanwhile(reply, pages):
    pages["/cities/jinzhou/"].__class__.objects.update(takes_replies=False)
    answer = reply("/replies/cities/jinzhou/", text="A long story <b>")
    assert answer.status_code == 409
    assert "<blockquote>A long story &lt;b&gt;</blockquote>" in answer.text


def test_what_must_be_put_right_comes_back_as_it_was_typed(reply, pages):
    for fields, complaint in (
        ({"name": " "}, "Please write the name that should stand over your reply."),
        ({"name": "ann@example.org"}, "Everybody sees this"),
        ({"name": "x" * 61}, "at most 60 letters"),
        ({"name": "Ann\r\nBcc: x"}, "on one line"),
        ({"email": "ann@"}, "The part after the @ is missing"),
        ({"email": "ann@example.org\nBcc: x@example.org"}, "on one line"),
        ({"text": ""}, "Please write your reply."),
        ({"text": "x" * 3001}, "at most 3000 letters"),
    ):
        response = reply(**{"text": "Kept <words>", **fields})
        assert response.status_code == 422, fields
        main = main_of(response)
        assert complaint in main and 'id="errors"' in main and 'aria-invalid="true"' in main
        assert ("Kept &lt;words&gt;</textarea>" in main) == ("text" not in fields)
        assert response["Cache-Control"] == "private, no-store"
    assert not Comment.objects.exists()


def test_hostile_words_are_shown_as_they_are(client, pages, city, reply):
    reply(name='<img src=x onerror="1">', text=HOSTILE)
    moderating.publish(comment=Comment.objects.get())
    page = client.get("/cities/jinzhou/").text
    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt;<br><br>&lt;b onclick=&quot;x&quot;&gt;{{ 7 }}"
        " http://spam.example</p>" in page
    )
    assert "&lt;img src=x" in page and "<img src=x" not in page
    assert 'href="http://spam' not in page


def test_robots_are_thanked_and_a_button_pressed_twice_is_one_reply(reply, pages):
    assert reply(subject="Buy").status_code == 303
    assert not Comment.objects.exists()
    for _ in range(2):
        assert reply().status_code == 303
    assert Comment.objects.count() == 1


def test_a_place_without_script_has_three_an_hour_and_with_it_more(reply, pages, solved):
    answers = [reply(text=f"No {number}").status_code for number in range(4)]
    assert answers == [303, 303, 303, 429]
    assert reply(text="Elsewhere", place="198.51.100.1").status_code == 303
    proof = solved()
    assert reply(text="Solved", proof=proof).status_code == 303
    assert reply(text="Solved again", proof=proof).status_code == 422
    assert reply(text="Nonsense", proof="x").status_code == 422


def test_a_page_that_is_closed_takes_none_and_shows_what_it_has(client, city, reply):
    type(city).objects.update(takes_replies=False)
    assert 'id="replies"' not in client.get("/cities/jinzhou/").text
    assert reply().status_code == 409
    add(city, "From before")
    page = client.get("/cities/jinzhou/").text
    assert "From before" in page and 'action="/replies/' not in page
    assert "takes no more replies" in client.get("/replies/cities/jinzhou/").text


def test_what_is_not_public_takes_and_shows_none(client, pages, city, reply):
    comment = add(city)
    type(city).objects.update(status="draft")
    assert reply().status_code == 404
    for path in ("/replies/cities/jinzhou/", f"/replies/report/{comment.pk}/"):
        assert client.get(path).status_code == 404


# --- how many -------------------------------------------------------------------------------


def test_many_replies_cost_a_page_no_more_than_one(client, city, django_assert_num_queries):
    add(city, "Only one")
    for path in ("/cities/jinzhou/", "/replies/cities/jinzhou/"):
        with CaptureQueriesContext(connection) as few:
            client.get(path)
        Comment.objects.bulk_create(
            Comment(city=city, name="Ann", text=f"Number {n}.", state=state)
            for n in range(120)
            for state in ("published", "waiting", "rejected")
        )
        with django_assert_num_queries(len(few)):
            page = main_of(client.get(path))
        assert page.count('<article class="reply"') == 50
        assert "Number 119." in page and "Number 69." not in page
        Comment.objects.exclude(text="Only one").delete()


def test_every_reply_is_reached_by_the_older_ones(client, city):
    for number in range(120):
        add(city, f"Number {number}.")
    path, seen = "/replies/cities/jinzhou/", []
    while path:
        main = main_of(client.get(path))
        seen += [int(number) for number in re.findall(r"Number (\d+)\.", main)]
        older = re.search(r'href="([^"]+)" rel="nofollow">Older', main)
        path = older[1] if older else ""
    assert seen == list(range(119, -1, -1))


@pytest.mark.parametrize("before", ["-1", "0", "9" * 18, "9" * 40, "x", "\x00", "²", "1'--"])
def test_any_place_to_begin_is_an_answer(client, city, before):
    assert client.get("/replies/cities/jinzhou/", {"before": before}).status_code == 200


# --- staff ----------------------------------------------------------------------------------


def test_staff_reject_undo_answer_and_never_change_the_words(client, admin_client, city, reply):
    reply()
    row = Comment.objects.get()
    page = f"/admin/comments/comment/{row.pk}/change/"
    fields = {"text": "changed", "name": "x", "answer": "Come again.\n<b>"}
    admin_client.post(page, {**fields, "state": "published"})
    row.refresh_from_db()
    assert (row.state, row.text, row.name) == ("published", "I was there.", "Ann Lee")
    assert "Arvada Sister Cities answers</h4>" in client.get("/cities/jinzhou/").text
    assert "Come again.<br>&lt;b&gt;" in client.get("/cities/jinzhou/").text
    chosen = {"_selected_action": [row.pk]}
    for action, state in (
        ("reject", "rejected"),
        ("put_back", "waiting"),
        ("publish", "published"),
    ):
        admin_client.post("/admin/comments/comment/", {**chosen, "action": action})
        row.refresh_from_db()
        assert row.state == state
        assert ("I was there" in client.get("/cities/jinzhou/").text) == (state == "published")
    told = OutgoingMessage.objects.filter(to="ann@example.org")
    assert told.count() == 1  # however often it was published


def test_a_reported_reply_stays_until_staff_have_looked(client, admin_client, city, solved):
    row = add(city, "Rude words")
    link = re.search(r'href="(/replies/report/\d+/)"', client.get("/cities/jinzhou/").text)[1]
    page = client.get(link)
    assert "Rude words" in page.text and not page.cookies
    for reason in ("It names my child", "again"):
        response = client.post(link, {"reason": reason, "proof": solved()})
        assert (response.status_code, response["Location"]) == (303, f"{link}?sent=1")
    assert "A person will look at it." in client.get(f"{link}?sent=1").text
    assert "Rude words" in client.get("/cities/jinzhou/").text
    send_waiting()
    [message] = mail.outbox
    assert "It names my child" in message.body and message.to == ["hello@example.org"]
    listed = admin_client.get("/admin/comments/comment/?reported_at__isempty=0").text
    assert "Rude words" in listed
    chosen = {"_selected_action": [row.pk], "action": "settle"}
    admin_client.post("/admin/comments/comment/", chosen)
    row.refresh_from_db()
    assert (row.state, row.reported_at) == ("published", None)
    assert client.post(link, {"reason": "x" * 501}).status_code == 422


def test_old_addresses_and_rejected_replies_are_forgotten(city):
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with time_machine.travel(start):
        kept = add(city, email="ann@example.org")
        rejected = add(city, "Spam", state="waiting", email="bob@example.org")
        moderating.reject(comment=rejected)
    for days, emails in ((29, ["ann@example.org", "bob@example.org"]), (31, ["ann@example.org"])):
        with time_machine.travel(start + dt.timedelta(days=days)):
            call_command("daily", verbosity=0)
        assert list(Comment.objects.order_by("pk").values_list("email", flat=True)) == emails
    told = {"to": "ann@example.org", "sent_at": start}
    OutgoingMessage.objects.create(key=f"{moderating.MAIL_KEY}{kept.pk}", **told)
    with time_machine.travel(start + dt.timedelta(days=91)):
        moderating.forget_old()
    assert list(Comment.objects.values_list("pk", "email")) == [(kept.pk, "")]
    assert not OutgoingMessage.objects.filter(to="ann@example.org").exists()


def test_a_reply_is_about_one_thing(city, pages):
    for fields in ({}, {"city": city, "visit": pages["/visits/gardens/"]}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Comment.objects.create(name="Ann", text="x", **fields)
