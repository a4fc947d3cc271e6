"""The staff's pages of sending: try, send, watch, decide (E20, E24)."""

import datetime as dt
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.urls import reverse

from sistercities.newsletter import delivering, releasing
from sistercities.newsletter.models import Delivery, Issue, Topic, address_key
from sistercities.shared.mail import send_waiting
from sistercities.shared.models import SiteSettings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_journal(settings, tmp_path):
    settings.VAR_DIR = tmp_path


def page(issue, name: str) -> str:
    return reverse(f"admin:newsletter_issue_{name}", args=[issue.pk])


def press(client, issue, order: str):
    return client.post(page(issue, "order"), {"order": order}, follow=True).content.decode()


@pytest.fixture
def editor(client):
    """Somebody who writes letters and may not send them."""
    user = User.objects.create_user("ed", email="ed@example.org", is_staff=True)
    names = ["view_issue", "change_issue"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


# --- E24: a test ----------------------------------------------------------------------------


def test_e24_a_test_reaches_the_ticked_staff_is_marked_and_counts_nowhere(
    admin_client, letter, readers
):
    reader = readers(1)[0]
    ann = User.objects.create_user("ann", email="ann@example.org", is_staff=True)
    User.objects.create_user("bob", email="bob@example.org", is_staff=True)
    User.objects.create_user("gone", email="gone@example.org", is_staff=True, is_active=False)
    outsider = User.objects.create_user("eve", email="eve@example.org")
    shown = admin_client.get(page(letter, "test")).content.decode()
    assert "ann, ann@example.org" in shown
    assert "eve@" not in shown
    assert "gone@" not in shown

    refused = admin_client.post(page(letter, "test"), {"to": [outsider.pk]})
    assert refused.status_code == 200
    admin_client.post(page(letter, "test"), {"to": [ann.pk]})
    send_waiting()

    assert [(m.to, m.subject) for m in mail.outbox] == [
        (["ann@example.org"], "TEST: The gardens of Jinzhou")
    ]
    message = mail.outbox[0]
    assert not {"List-Unsubscribe", "List-Unsubscribe-Post"} & set(message.extra_headers)
    assert reader.token not in message.body
    letter.refresh_from_db()
    assert (letter.status, Delivery.objects.count()) == ("draft", 0)


# --- E24: the real thing --------------------------------------------------------------------


def test_e24_sending_asks_to_type_the_number(admin_client, letter, readers):
    readers(3)
    shown = admin_client.get(page(letter, "send")).content.decode()
    assert "It would reach <strong>3</strong> people." in shown
    assert "only for who follows" not in shown
    assert [
        label in shown
        for label in ('aria-label="Not before: day"', 'aria-label="Not before: time"')
    ] == [True, True]
    topic = Topic.objects.create(slug="jinzhou", title="Jinzhou")
    letter.topics.add(topic)
    wrong = admin_client.post(page(letter, "send"), {"people": "30"}).content.decode()
    assert "It is only for who follows Jinzhou, or has chosen nothing." in wrong
    assert "It would reach 3 people. Type that number." in wrong
    assert Issue.objects.get().status == "draft"

    shown = admin_client.post(page(letter, "send"), {"people": "3"}, follow=True)
    assert shown.redirect_chain == [(page(letter, "progress"), 302)]
    letter.refresh_from_db()
    assert (letter.status, letter.released_by.username) == ("scheduled", "admin")
    assert "It starts in a moment</h2>" in shown.content.decode()
    again = admin_client.post(page(letter, "send"), {"people": "3"})
    assert again["Location"] == page(letter, "progress")


def test_a_letter_is_sent_at_a_time_of_the_clock_at_home(admin_client, letter, readers):
    readers(1)
    when = {"people": "1", "at_0": "2031-03-01", "at_1": "09:30"}
    admin_client.post(page(letter, "send"), when)
    letter.refresh_from_db()
    assert letter.send_at == dt.datetime(2031, 3, 1, 16, 30, tzinfo=dt.UTC)
    shown = admin_client.get(page(letter, "progress")).content.decode()
    assert "Waits for its time: March 1, 2031, 9:30 a.m.</h2>" in shown
    assert "It is for 1 person." in shown
    assert "it is a draft again" in press(admin_client, letter, "take_back")
    past = admin_client.post(page(letter, "send"), {**when, "at_0": "2020-03-01"})
    assert "This moment has passed" in past.content.decode()


def test_e11_the_page_says_what_is_in_the_way(admin_client, letter, readers):
    readers(1)
    SiteSettings.objects.update(postal_address="")
    shown = admin_client.get(page(letter, "send")).content.decode()
    assert "Your postal address is missing in the site settings." in shown
    assert "Send it" not in shown
    admin_client.post(page(letter, "send"), {"people": "1"})
    assert Issue.objects.get().status == "draft"


def test_who_writes_letters_need_not_be_who_sends_them(editor, letter, readers, let_go):
    readers(1)
    change = editor.get(reverse("admin:newsletter_issue_change", args=[letter.pk]))
    assert "Send a test" in change.content.decode()
    assert "Send…" not in change.content.decode()
    assert editor.get(page(letter, "test")).status_code == 200
    assert editor.get(page(letter, "send")).status_code == 403
    assert editor.post(page(letter, "send"), {"people": "1"}).status_code == 403
    let_go()
    assert editor.post(page(letter, "order"), {"order": "stop"}).status_code == 403
    assert editor.post(page(letter, "unknown"), {"decision": "resend"}).status_code == 403
    assert Issue.objects.get().status == "sending"


# --- on its way -----------------------------------------------------------------------------


def test_the_page_of_progress_counts_and_follows_it(
    admin_client, letter, readers, let_go, django_assert_max_num_queries
):
    readers(1200)
    let_go()
    letter.deliveries.filter(pk__in=letter.deliveries.values("pk")[:300]).update(
        state="sent", sent_at=letter.began_at
    )
    with django_assert_max_num_queries(12):
        shown = admin_client.get(page(letter, "progress")).content.decode()
    assert "300 of 1,200 handed over" in shown
    assert re.search(r'<meter id="progress" min="0" max="1200" value="300">', shown)
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in shown
    assert '<section id="state" role="status" data-refresh="5">' in shown
    assert "<p>Since " in shown
    assert " got it." not in shown
    assert "<script" not in shown.partition('id="content"')[2].partition("<footer")[0]


def test_who_got_it_and_what_is_next_stands_there_once_it_is_sent(
    admin_client, editor, letter, readers, let_go
):
    readers(3)
    let_go()
    letter.deliveries.filter(pk=letter.deliveries.first().pk).update(
        state="skipped", skip_reason="paused"
    )
    delivering.deliver()
    at = dt.datetime(2031, 3, 1, 16, 30, tzinfo=dt.UTC)
    Issue.objects.update(began_at=at, ended_at=at + dt.timedelta(minutes=2))
    shown = admin_client.get(page(letter, "progress")).content.decode()
    assert "Sent</h2>" in shown
    assert "<p>From March 1, 2031, 9:30 a.m. to 9:32 a.m.</p>" in shown
    assert "<strong>2 people got it.</strong>" in shown
    assert "Pauses: 1" in shown
    assert "refresh" not in shown
    deliveries = reverse("admin:newsletter_delivery_changelist")
    for path in (
        letter.get_absolute_url(),
        reverse("admin:newsletter_letterreport_change", args=[letter.pk]),
        f"{deliveries}?issue__id__exact={letter.pk}",
    ):
        assert f'<a href="{path}">' in shown
        assert admin_client.get(path).status_code == 200
    Issue.objects.update(is_in_archive=False)
    editor.force_login(User.objects.create_user("sender", is_staff=True))
    User.objects.get(username="sender").user_permissions.set(
        Permission.objects.filter(codename="release_issue")
    )
    shown = editor.get(page(letter, "progress")).content.decode()
    assert 'class="onward"' in shown
    assert letter.get_absolute_url() not in shown
    assert deliveries not in shown


def test_buttons_pause_resume_and_stop(admin_client, letter, readers, let_go):
    readers(1)
    let_go()
    shown = press(admin_client, letter, "pause")
    assert 'http-equiv="refresh"' not in shown
    assert Issue.objects.get().status == "paused"
    press(admin_client, letter, "resume")
    assert Issue.objects.get().status == "sending"
    assert "not possible any more" in press(admin_client, letter, "take_back")
    press(admin_client, letter, "pause")
    press(admin_client, letter, "stop")
    assert Issue.objects.get().status == "cancelled"
    assert "not possible any more" in press(admin_client, letter, "resume")
    press(admin_client, letter, "nonsense")
    assert Issue.objects.get().status == "cancelled"


def test_unknown_ones_are_listed_and_decided(admin_client, letter, readers, let_go):
    readers(3)
    let_go()
    letter.deliveries.update(state="unknown", answer="SMTPServerDisconnected")
    releasing.finish()
    shown = admin_client.get(page(letter, "progress")).content.decode()
    keys = re.findall(r'name="chosen" value="(\d+)"', shown)
    assert len(keys) == 3
    admin_client.post(page(letter, "unknown"), {"chosen": keys[:1], "decision": "sent"})
    admin_client.post(page(letter, "unknown"), {"chosen": keys[1:2], "decision": "resend"})
    admin_client.post(page(letter, "unknown"), {"chosen": ["x"], "decision": "resend"})
    assert letter.deliveries.all().tally() | {"skipped": 0} == {
        "queued": 1, "claimed": 0, "sent": 1, "failed": 0, "unknown": 1, "skipped": 0,
    }  # fmt: skip
    delivering.deliver()
    assert len(mail.outbox) == 1


# --- did Ann get it? ------------------------------------------------------------------------


def test_did_ann_get_it(admin_client, letter, readers, let_go, django_assert_max_num_queries):
    ann, bob, *_others = readers(50)
    let_go()
    delivering.deliver()
    bob.delete()
    path = reverse("admin:newsletter_delivery_changelist")
    with django_assert_max_num_queries(12):
        shown = admin_client.get(path, {"q": " Reader-1@Example.net "}).content.decode()
    assert "reader-1@example.net" in shown
    assert "Handed over" in shown
    assert "reader-3@example.net" not in shown
    erased = admin_client.get(path, {"q": "reader-2@example.net"}).content.decode()
    assert "1 delivery" in erased
    delivery = letter.deliveries.get(address_key=address_key(ann.email))
    change = reverse("admin:newsletter_delivery_change", args=[delivery.pk])
    seen = admin_client.get(change).content.decode()
    assert delivery.token not in seen
    assert admin_client.post(change, {"state": "failed"}).status_code == 403
