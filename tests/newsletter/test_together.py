"""Where sending, leaving, bounces and counting meet: one letter from its release to its report."""

import re

import pytest

from sistercities.newsletter import releasing, suppressing
from sistercities.newsletter.bounces import Told, take_note
from sistercities.newsletter.delivering import deliver_over_one
from sistercities.newsletter.models import Delivery, LinkCount, MailEvent, Suppression
from sistercities.shared.models import OutgoingMessage

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_journal(settings, tmp_path):
    settings.VAR_DIR = tmp_path


def row(number: int) -> Delivery:
    return Delivery.objects.select_related("subscriber").get(
        subscriber__email=f"reader-{number}@example.net"
    )


def test_e16_no_such_mailbox_at_the_door_ends_it_and_another_refusal_does_not(
    sink, readers, let_go
):
    readers(3)
    sink.answers["RCPT reader-1@example.net"] = "550 5.1.1 No such mailbox"
    sink.answers["RCPT reader-2@example.net"] = "550 5.7.1 We do not like your network"
    let_go()
    deliver_over_one(seconds=5)

    assert [row(number).state for number in (1, 2, 3)] == ["failed", "failed", "sent"]
    assert suppressing.reason_for("reader-1@example.net") == Suppression.Reason.HARD_BOUNCE
    assert not suppressing.is_suppressed("reader-2@example.net")


def test_e15_too_many_complaints_pause_a_letter_on_its_way_and_tell_staff(sink, readers, let_go):
    readers(3)
    issue = let_go()
    Delivery.objects.filter(pk=row(1).pk).update(state="sent", sent_at=issue.began_at)
    take_note(Told("test", "1", MailEvent.Kind.COMPLAINT, token=row(1).token))
    issue.refresh_from_db()
    assert issue.status == "paused"
    assert OutgoingMessage.objects.get(key__startswith="newsletter-problem:").to == (
        "hello@example.org"
    )
    deliver_over_one(seconds=5)
    assert sink.reached == []

    releasing.resume(issue=issue)
    deliver_over_one(seconds=5)
    assert sorted(sink.reached) == ["reader-2@example.net", "reader-3@example.net"]


def test_e8_links_of_a_letter_work_for_its_reader_and_after_erasure(client, sink, readers, let_go):
    readers(2)
    let_go()
    deliver_over_one(seconds=5)
    first, second = row(1), row(2)

    one_click = {"List-Unsubscribe": "One-Click"}
    assert client.post(f"/newsletter/unsubscribe/{first.token}/", one_click).status_code == 200
    first = row(1)
    assert (first.left_at is None, first.subscriber.status) == (False, "unsubscribed")
    assert suppressing.is_suppressed("reader-1@example.net")

    own_page = f"/newsletter/preferences/{second.subscriber.token}/"
    assert own_page in sink.messages[1].get_body(("plain",)).get_content()
    client.post(own_page, {"do": "erase"})
    for path in (f"/newsletter/unsubscribe/{second.token}/", own_page):
        for answer in (client.get(path), client.post(path, one_click)):
            assert answer.status_code == 200
            assert "You get no letter" in answer.content.decode()


def test_e23_letters_go_out_with_counted_links_only_where_that_is_on(
    client, sink, letter, readers, let_go, settings
):
    settings.MAIL_LINK_COUNTS = True
    letter.blocks.create(kind="button", title="Look", label="Look", url="/cities/", order=2)
    readers(2)
    let_go()
    deliver_over_one(seconds=5)
    pages = [message.get_body(("html",)).get_content() for message in sink.messages]
    counted = [sorted(set(re.findall(r"/newsletter/go/[^\"]+", page))) for page in pages]
    assert counted[0] == counted[1] != []  # nothing of the reader is in them
    client.get(counted[0][0], headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"})
    assert LinkCount.objects.get().count == 1
