"""Writing to us: a mail that can be replied to, and a row, so that nothing is lost."""

import datetime as dt
import re

import time_machine
from django.core import mail
from django.core.management import call_command

from sistercities.pages.models import Message, Page
from sistercities.shared.mail import send_waiting
from sistercities.shared.models import OutgoingMessage, SiteSettings

TYPED = {
    "name": "Ann Lee", "email": "ann@example.org", "about": "A room", "text": "I have <one>.\nBye",
}  # fmt: skip


def main_of(response) -> str:
    return response.text.split("<main", 1)[1].split("</main>")[0]


def test_a_message_is_kept_and_mailed_so_that_staff_can_reply(client, admin_client, site):
    Page.objects.create(
        title="Write to us here",
        slug="contact",
        body="<p>On paper: PO Box.</p>",
        status="published",
    )
    page = client.get("/contact/")
    assert not page.cookies and "csrfmiddlewaretoken" not in page.text
    assert "<h1>Write to us here</h1>" in page.text and "On paper: PO Box." in page.text
    fields = set(re.findall(r'<(?:input|textarea)[^>]* name="(\w+)"', main_of(page)))
    assert fields == {*TYPED, "proof", "subject"}
    for _ in range(2):  # the button pressed twice
        response = client.post("/contact/", TYPED)
        assert (response.status_code, response["Location"]) == (303, "/contact/?sent=1")
    assert "Your message is with us." in main_of(client.get("/contact/?sent=1"))
    send_waiting()
    [sent] = mail.outbox
    assert (sent.to, sent.subject) == (["hello@example.org"], "A room")
    assert sent.extra_headers["Reply-To"] == "ann@example.org"
    assert "I have <one>.\nBye" in sent.body
    assert "I have &lt;one&gt;.<br>Bye" in sent.alternatives[0][0]
    row = Message.objects.get()
    shown = admin_client.get(f"/admin/pages/message/{row.pk}/change/").text
    assert "mailto:ann@example.org?subject=Re%3A%20A%20room" in shown
    assert "I have &lt;one&gt;." in shown
    for ticked, is_answered in (("on", True), ("", False)):
        was = "" if ticked else "True"  # as the form found it
        page = f"/admin/pages/message/{row.pk}/change/"
        admin_client.post(page, {"is_answered": ticked, "initial-is_answered": was})
        # One that was opened before, and in which nothing was changed, undoes nothing.
        admin_client.post(page, {"is_answered": was and "on", "initial-is_answered": was})
        row.refresh_from_db()
        assert (row.answered_at is not None, row.text) == (is_answered, TYPED["text"])
    for action, is_answered in (("mark_answered", True), ("mark_open", False)):
        chosen = {"action": action, "_selected_action": [row.pk]}
        admin_client.post("/admin/pages/message/", chosen)
        row.refresh_from_db()
        assert (row.answered_at is not None, row.answered_by is not None) == (is_answered,) * 2


def test_a_message_is_kept_where_no_mail_can_go(client, db):
    SiteSettings.objects.create(name="No address")
    assert client.get("/contact/").status_code == 200  # without a page of that name, too
    assert client.post("/contact/", TYPED).status_code == 303
    assert Message.objects.get().text == "I have <one>.\nBye"
    assert not OutgoingMessage.objects.exists()


def test_what_must_be_put_right_comes_back_as_it_was_typed(client, site):
    for fields, complaint in (
        ({"name": ""}, "Please write your name."),
        ({"name": "Ann\r\nBcc: x@example.org"}, "on one line"),
        ({"email": ""}, "or we cannot answer"),
        ({"email": "ann@example.org\r\nBcc: x@example.org"}, "on one line"),
        ({"email": "ann@example.org, bob@example.org"}, "A mail address has"),
        ({"about": "x\nBcc: y@example.org"}, "on one line"),
        ({"text": "\x00 \u202e"}, "Please write your message."),
        ({"text": "x" * 5001}, "at most 5000 letters"),
    ):
        response = client.post("/contact/", TYPED | fields)
        assert response.status_code == 422, fields
        main = main_of(response)
        assert complaint in main and 'id="errors"' in main
        [field] = fields
        assert f'<li><a href="#id_{field}">' in main
        assert re.search(rf'<[^>]*id="id_{field}"[^>]*aria-invalid="true"', main) or re.search(
            rf'<[^>]*aria-invalid="true"[^>]*id="id_{field}"', main
        )
        assert ("I have &lt;one&gt;." in main) == (field != "text")
        assert response["Cache-Control"] == "private, no-store"
    assert not Message.objects.exists() and not OutgoingMessage.objects.exists()


def test_limits_robots_and_proofs(client, site, solved):
    assert client.post("/contact/", TYPED | {"subject": "Buy"}).status_code == 303
    assert not Message.objects.exists()
    answers = [client.post("/contact/", TYPED | {"text": f"{n}"}).status_code for n in range(3)]
    assert answers == [303, 303, 429]
    assert client.post("/contact/", TYPED | {"proof": solved()}).status_code == 303
    assert client.post("/contact/", TYPED | {"proof": "x"}).status_code == 422


def test_messages_are_forgotten_after_a_year_or_two(site):
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for answered_at in (None, start):
        row = Message.objects.create(
            name="Ann", email="ann@example.org", text="x", written_at=start, answered_at=answered_at
        )
        OutgoingMessage.objects.create(key=f"contact:{row.pk}", to="hello@example.org")
    for days, left in ((364, 2), (366, 1), (729, 1), (731, 0)):
        with time_machine.travel(start + dt.timedelta(days=days)):
            call_command("daily", verbosity=0)
        assert Message.objects.count() == left, days
        assert OutgoingMessage.objects.count() == left, days
