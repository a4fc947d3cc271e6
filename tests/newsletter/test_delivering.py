"""Handing a letter over: to a real mail server, by one worker and by several."""

import base64
import datetime as dt
import email
import email.policy
import io
import json
import os
import resource
import threading
import time
from email.generator import BytesGenerator
from email.utils import parseaddr
from http.server import BaseHTTPRequestHandler, HTTPServer

import dkim
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sistercities.newsletter import delivering, journal, pacing, releasing, suppressing, writing
from sistercities.newsletter.bounce_addresses import token_in
from sistercities.newsletter.journal import Journal, Note
from sistercities.newsletter.models import (
    Consent,
    Delivery,
    Issue,
    Subscriber,
    Suppression,
    Topic,
    address_key,
)
from sistercities.newsletter.models.delivery import unsubscribe_url
from sistercities.shared.environment import Environment
from sistercities.shared.mail import send_waiting
from tests.newsletter.at_once import at_once

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def at(**later):
    return time_machine.travel(NOON + dt.timedelta(**later), tick=False)


@pytest.fixture(autouse=True)
def own_journal(settings, tmp_path):
    settings.VAR_DIR = tmp_path


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """No waiting between troubles: what counts is how many there are."""
    monkeypatch.setattr(delivering, "WAITS", [0, 0, 0, 0])


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(act)`: `act(message)` happens while each message is handed over."""

    def happens(act):
        take = delivering.Line.hand_over

        def hand_over(line, message):
            act(message)
            return take(line, message)

        monkeypatch.setattr(delivering.Line, "hand_over", hand_over)

    return happens


def states(issue) -> dict:
    tally = issue.deliveries.all().tally()
    skipped = {reason: count for reason, count in tally.pop("skipped").items() if count}
    return {state: count for state, count in tally.items() if count} | skipped


def status(issue) -> str:
    issue.refresh_from_db()
    return issue.status


def row(issue, number: int) -> Delivery:
    return issue.deliveries.get(subscriber__email=f"reader-{number}@example.net")


# --- one message after the other ------------------------------------------------------------


def test_e18_each_person_gets_it_once(sink, letter, readers, let_go):
    people = readers(5)
    let_go()
    delivering.deliver()
    delivering.deliver()
    assert sorted(sink.reached) == [person.email for person in people]
    assert (states(letter), status(letter)) == ({"sent": 5}, "sent")
    assert (sink.sessions, row(letter, 1).answer) == (1, "250 Taken as 1a2b")


def test_a_letter_costs_three_queries_a_person(letter, readers, let_go, monkeypatch):
    """Look, ask whether suppressed, write down. What a run costs is shared by all who are in it."""
    monkeypatch.setattr(delivering, "RUN_SECONDS", 60)
    readers(20)
    let_go()
    with CaptureQueriesContext(connection) as few:
        delivering.deliver()
    Issue.objects.filter(pk=letter.pk).update(status="sending")
    letter.deliveries.update(state="queued")
    readers(20, prefix="more")
    Issue.objects.filter(pk=letter.pk).update(status="draft")
    let_go()
    with CaptureQueriesContext(connection) as many:
        delivering.deliver()
    assert len(many) - len(few) <= 20 * 3 + 6


def test_e4_e5_e7_headers_of_a_letter_survive_a_signature(sink, letter, readers, let_go, settings):
    settings.SITE_URL = "https://www.example.org"
    settings.DEFAULT_FROM_EMAIL = "Arvada Sister Cities <hello@example.org>"
    readers(2)
    let_go()
    delivering.deliver()
    tokens = set()
    for got, message in zip(sink.got, sink.messages, strict=True):
        delivery = letter.deliveries.get(subscriber__email=got.rcpt_tos[0])
        headers = {name: value.strip() for name, value in message.items()}  # one is folded
        assert headers | {"Date": "", "Content-Type": ""} == {
            "From": "Arvada Sister Cities <hello@example.org>",
            "To": got.rcpt_tos[0],
            "Subject": "The gardens of Jinzhou",
            "Date": "",
            "Message-ID": delivery.message_id,
            "List-ID": "<letter.www.example.org>",
            "List-Unsubscribe":
                f"<https://www.example.org/newsletter/unsubscribe/{delivery.token}/>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Precedence": "bulk",
            "MIME-Version": "1.0",
            "Content-Type": "",
        }  # fmt: skip
        assert delivery.token not in delivery.message_id
        assert [part.get_content_type() for part in message.iter_parts()] == [
            "text/plain", "text/html",
        ]  # fmt: skip
        tokens.add(delivery.token)
    assert len(tokens) == 2

    signed, key, names = sign(sink.got[0].original_content)
    assert {b"list-unsubscribe", b"list-unsubscribe-post"} <= names
    assert dkim.verify(signed, dnsfunc=lambda *_, **__: key)
    other = signed.replace(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Click")
    assert not dkim.verify(other, dnsfunc=lambda *_, **__: key)


def test_e13_a_letter_that_only_asks_for_gifts_keeps_the_rules_of_all(sink, letter, readers):
    """A charity's appeal has the headers of every letter, the postal address and the way out."""
    readers(1)
    appeal = Issue.objects.create(slug="appeal", subject=letter.subject)
    appeal.blocks.create(
        kind="appeal", title="A bed, a bus seat", url="/donate/", label="Give to this",
        lines=[{"percent": 64, "words": "$3,840 of $6,000"}],
    )  # fmt: skip
    arrived = []
    for issue in (letter, appeal):
        releasing.release(issue=issue, by=None, people=1)
        releasing.settle()
        delivering.deliver()
        delivery, message = issue.deliveries.get(), sink.messages[-1]
        leave = unsubscribe_url(delivery.token)
        for part in message.iter_parts():
            said = part.get_content()
            assert said.count(leave) == 1
            assert "8101 Ralston Road, Arvada, CO 80002" in " ".join(said.split())
        headers = {name: value.strip() for name, value in message.items()}
        assert headers.pop("Message-ID") == delivery.message_id
        assert headers.pop("List-Unsubscribe") == f"<{leave}>"
        arrived.append(headers | {"Date": "", "Content-Type": ""})
    assert "Give to this" in said
    assert arrived[0] == arrived[1]
    assert arrived[1]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def sign(message: bytes) -> tuple[bytes, bytes, set[bytes]]:
    """The message with a signature over all its headers, the key's DNS record, and `h=`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    present = [name.encode() for name in email.message_from_bytes(message)]
    signature = dkim.sign(message, b"letters", b"example.org", pem, include_headers=present)
    value = signature.replace(b"\r\n", b"").replace(b" ", b"")
    tags = dict(tag.split(b"=", 1) for tag in value.partition(b":")[2].split(b";") if b"=" in tag)
    names = {name.lower() for name in tags[b"h"].split(b":")}
    return signature + message, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public), names


def test_the_quick_way_to_bytes_is_djangos_way(letter, readers, let_go):
    """Byte for byte what Python's generator writes, and part for part what Django would send."""
    letter.subject = "Қаланың бақтары {{ name }}"
    letter.save()
    long = "Very long. " * 300 + "中文 {{ name }} = \r\n.\r\n"
    letter.blocks.create(title=". ", text=f"<p>{long}</p>", order=1)
    readers(1, name="Гүлнар = <b>")
    let_go()
    (known,) = letter.deliveries.values(*delivering.LOOKED_AT)
    quick = writing.Writer(letter).message(known)
    plain = mail.EmailMultiAlternatives(
        quick.subject, quick.body, quick.from_email, quick.to, headers=quick.extra_headers
    )
    plain.attach_alternative(*quick.alternatives[0])
    written = quick.message()
    for end in ("\n", "\r\n"):
        file = io.BytesIO()
        BytesGenerator(file, mangle_from_=False).flatten(written, linesep=end)
        assert written.as_bytes(linesep=end) == file.getvalue()
    ours, djangos = (
        email.message_from_bytes(m.message().as_bytes(linesep="\r\n"), policy=email.policy.default)
        for m in (quick, plain)
    )
    assert {**ours, "Content-Type": ""} == {**djangos, "Content-Type": "", "Date": ours["Date"]}
    assert ours["Subject"].strip() == "Қаланың бақтары Гүлнар = <b>"
    for our, django in zip(ours.iter_parts(), djangos.iter_parts(), strict=True):
        assert our.get_content_type() == django.get_content_type()
        assert our.get_content() == django.get_content()
        payload = our.get_payload()
        assert max(map(len, payload.splitlines())) <= 76
        assert payload.isascii()


def test_e8_both_links_of_a_person_open_for_ever(client, letter, readers, let_go):
    ann = readers(1)[0]
    let_go()
    delivering.deliver()
    delivery = letter.deliveries.get()
    for token in (ann.token, delivery.token):
        assert client.get(reverse("newsletter:unsubscribe", args=[token])).status_code == 200
    ann.delete()
    path = reverse("newsletter:unsubscribe", args=[delivery.token])
    assert (client.get(path).status_code, client.post(path).status_code) == (200, 200)


def test_e6_leaving_by_a_letter_is_known_to_that_letter(client, letter, readers, let_go):
    ann, _bob = readers(2)
    let_go()
    delivering.deliver()
    path = reverse("newsletter:unsubscribe", args=[row(letter, 1).token])
    assert client.get(path).status_code == 200
    assert row(letter, 1).left_at is None
    for _again in range(2):
        response = client.post(path, {"List-Unsubscribe": "One-Click"})
        assert response.status_code == 200
    ann.refresh_from_db()
    assert (ann.status, row(letter, 2).left_at) == ("unsubscribed", None)
    assert row(letter, 1).left_at == ann.unsubscribed_at
    assert Consent.objects.get().how == "one-click"


def test_readers_see_only_the_blocks_of_what_they_follow(letter, readers, let_go):
    jinzhou, events = (
        Topic.objects.create(slug=slug, title=slug) for slug in ("jinzhou", "events")
    )
    letter.blocks.create(title="Only Jinzhou", topic=jinzhou)
    ann, bob, _carol = readers(3)
    ann.topics.add(jinzhou)
    bob.topics.add(events)
    let_go()
    delivering.deliver()
    assert {m.to[0]: "Only Jinzhou" in m.body for m in mail.outbox} == {
        "reader-1@example.net": True,
        "reader-2@example.net": False,
        "reader-3@example.net": True,
    }


def test_the_envelope_carries_a_signed_bounce_address(sink, letter, readers, let_go, settings):
    settings.BOUNCE_ADDRESS = "bounce@example.org"
    readers(1)
    let_go()
    delivering.deliver()
    sender, token = sink.got[0].mail_from, letter.deliveries.get().token
    assert sender.startswith(f"bounce+{token}.")
    assert sender.endswith("@example.org")
    assert len(sender.rpartition("@")[0]) <= 64
    assert token_in(sender) == token
    assert parseaddr(sink.messages[0]["From"])[1] == parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    assert token_in(sender.replace("bounce+", "bounce+x")) == ""
    assert token_in("bounce@example.org") == ""


# --- E10: as things stand at the moment of handing over -------------------------------------


def test_e10_who_leaves_between_queue_and_send_gets_nothing(letter, readers, let_go):
    left, erased, paused, dead, complained, _stays = readers(6)
    let_go()
    Subscriber.objects.filter(pk=left.pk).update(status="unsubscribed", unsubscribed_at=NOON)
    Suppression.objects.create(address_key=address_key(left.email), reason="left")
    erased.delete()
    Suppression.objects.create(address_key=address_key(erased.email), reason="erased")
    Subscriber.objects.filter(pk=paused.pk).update(
        paused_until=dt.datetime.now(dt.UTC).date() + dt.timedelta(days=3)
    )
    Suppression.objects.create(address_key=address_key(dead.email), reason="hard_bounce")
    Subscriber.objects.filter(pk=complained.pk).update(status="unsubscribed", unsubscribed_at=NOON)
    Suppression.objects.create(address_key=address_key(complained.email), reason="complaint")
    delivering.deliver()
    assert [m.to for m in mail.outbox] == [["reader-6@example.net"]]
    assert states(letter) == {"sent": 1, "unsubscribed": 2, "paused": 1, "suppressed": 2}
    assert status(letter) == "sent"


def test_e10_leaving_while_the_one_before_is_handed_over(letter, readers, let_go, meanwhile):
    """The row is in this worker's hands already; still, its person gets nothing."""
    _ann, _bob, carol = readers(3)
    let_go()
    found = []

    def leave(message) -> None:
        if message.to == ["reader-2@example.net"]:
            found.append(row(letter, 3).state)
            suppressing.suppress(address=carol.email, reason=Suppression.Reason.LEFT)

    meanwhile(leave)
    delivering.deliver()
    assert found == ["claimed"]
    assert (len(mail.outbox), states(letter)) == (2, {"sent": 2, "unsubscribed": 1})
    assert row(letter, 3).attempts == 0


def test_e17_suppressions_under_a_former_key_are_kept(letter, readers, let_go, settings):
    """Both when the letter is released and, for who left since, when it is handed over."""
    ann, bob, _carol = readers(3)
    new, old = "new " * 20, settings.SECRET_KEY
    Suppression.objects.create(address_key=address_key(ann.email), reason="hard_bounce")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = new, [old]
    assert releasing.reach(letter) == 2
    let_go()
    assert letter.deliveries.count() == 2
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = old, [new]
    Suppression.objects.create(address_key=address_key(bob.email), reason="hard_bounce")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = new, [old]
    delivering.deliver()
    assert [m.to for m in mail.outbox] == [["reader-3@example.net"]]
    assert states(letter) == {"sent": 1, "suppressed": 1}


@pytest.mark.parametrize(
    ("act", "then"), [(releasing.pause, "paused"), (releasing.stop, "cancelled")]
)
def test_a_button_takes_effect_within_a_message(letter, readers, let_go, monkeypatch, act, then):
    readers(5)
    let_go()
    write = delivering.Writer.message

    def press_at_the_third(writer, known):
        if len(mail.outbox) == 2:
            act(issue=letter)
        return write(writer, known)

    monkeypatch.setattr(delivering.Writer, "message", press_at_the_third)
    delivering.deliver()
    assert (states(letter), status(letter)) == ({"sent": 3, "queued": 2}, then)
    monkeypatch.undo()
    if releasing.resume(issue=letter):
        delivering.deliver()
        assert (states(letter), status(letter)) == ({"sent": 5}, "sent")


# --- what the mail server says --------------------------------------------------------------


@pytest.mark.parametrize("where", ["", "RCPT "])
def test_451_is_asked_again_later_and_not_for_ever(sink, letter, readers, let_go, where):
    readers(3)
    sink.answers[f"{where}reader-2@example.net"] = "451 Try again later"
    with at():
        let_go()
        delivering.deliver()
        delivering.deliver()
        assert states(letter) == {"sent": 2, "queued": 1}
        assert row(letter, 2).answer == "451 Try again later"
    minutes = 0
    for pause in delivering.MINUTES:
        minutes += pause
        with at(minutes=minutes, seconds=-1):
            releasing.resume(issue=letter)
            delivering.deliver()
            assert (states(letter), sink.reached.count("reader-2@example.net")) == (
                {"sent": 2, "queued": 1}, 0,
            )  # fmt: skip
        with at(minutes=minutes):
            delivering.deliver()
    assert (states(letter), status(letter)) == ({"sent": 2, "failed": 1}, "sent")
    assert row(letter, 2).attempts == delivering.TRIES


def test_451_once_and_then_it_arrives(sink, letter, readers, let_go):
    readers(2)
    sink.answers["reader-1@example.net"] = "451 Try again later"
    with at():
        let_go()
        delivering.deliver()
    sink.answers.clear()
    with at(minutes=5):
        delivering.deliver()
    assert sorted(sink.reached) == ["reader-1@example.net", "reader-2@example.net"]
    assert (states(letter), status(letter)) == ({"sent": 2}, "sent")


@pytest.mark.parametrize("where", ["", "RCPT "])
def test_550_is_final(sink, letter, readers, let_go, where):
    readers(3)
    sink.answers[f"{where}reader-2@example.net"] = "550 No such mailbox"
    let_go()
    delivering.deliver()
    assert sorted(sink.reached) == ["reader-1@example.net", "reader-3@example.net"]
    assert (states(letter), status(letter)) == ({"sent": 2, "failed": 1}, "sent")
    assert row(letter, 2).answer == "550 No such mailbox"


@pytest.mark.parametrize("how", ["hang", "drop"])
def test_no_answer_after_the_text_is_unknown_and_not_sent_again(sink, letter, readers, let_go, how):
    readers(4)
    sink.answers["reader-2@example.net"] = how
    let_go()
    delivering.deliver()
    delivering.deliver()
    assert sorted(sink.reached) == [f"reader-{number}@example.net" for number in (1, 2, 3, 4)]
    assert (states(letter), status(letter)) == ({"sent": 3, "unknown": 1}, "sent")
    assert row(letter, 2).state == "unknown"


@pytest.mark.parametrize("how", ["drop", "421 Not this one"])
def test_one_at_whom_the_server_hangs_up_does_not_stop_the_others(
    sink, letter, readers, let_go, how
):
    """It is asked for again later and not for ever, and nobody has to press anything."""
    readers(8)
    sink.answers["RCPT reader-2@example.net"] = how
    minutes = 0
    with at():
        let_go()
        delivering.deliver()
        assert (states(letter), status(letter)) == ({"sent": 7, "queued": 1}, "sending")
    for pause in delivering.MINUTES:
        minutes += pause
        with at(minutes=minutes):
            Issue.objects.filter(pk=letter.pk).update(
                worked_at=NOON + dt.timedelta(minutes=minutes)
            )
            delivering.deliver()
    assert (states(letter), status(letter)) == ({"sent": 7, "failed": 1}, "sent")
    assert (row(letter, 2).attempts, len(sink.reached)) == (delivering.TRIES, 7)


def test_staff_say_what_became_of_the_unknown(sink, letter, readers, let_go):
    readers(3)
    sink.answers = {"reader-1@example.net": "drop", "reader-2@example.net": "drop"}
    let_go()
    delivering.deliver()
    sink.answers.clear()
    sent = row(letter, 3)
    assert releasing.resend(issue=letter, chosen=[row(letter, 1).pk, sent.pk]) == 1
    assert releasing.mark_sent(issue=letter, chosen=[row(letter, 2).pk, sent.pk]) == 1
    delivering.deliver()
    assert sink.reached.count("reader-1@example.net") == 2
    assert (states(letter), status(letter)) == ({"sent": 3}, "sent")


def test_a_server_that_takes_nothing_from_us_fails_nobody(sink, letter, readers, let_go):
    readers(20)
    sink.answers["MAIL"] = "550 Who are you?"
    let_go()
    delivering.deliver()
    send_waiting()
    assert (states(letter), status(letter)) == ({"queued": 20}, "paused")
    assert letter.problem == "The mail server takes nothing from us: 550 Who are you?"
    sink.answers.clear()
    releasing.settle()
    assert status(letter) == "paused"  # it answers, as before: a person has to look
    releasing.resume(issue=letter)
    delivering.deliver()
    assert (states(letter), len(set(sink.reached) - {"hello@example.org"})) == ({"sent": 20}, 20)


def test_a_server_that_is_away_pauses_the_letter_until_it_is_back(
    sink, letter, readers, let_go, settings
):
    readers(3)
    there, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    let_go()
    delivering.deliver()
    assert (states(letter), status(letter)) == ({"queued": 3}, "paused")
    assert letter.problem == "The mail server does not answer (ConnectionRefusedError)."
    releasing.settle()
    assert status(letter) == "paused"
    settings.EMAIL_PORT = there
    releasing.settle()
    delivering.deliver()
    assert (states(letter), status(letter), letter.problem) == ({"sent": 3}, "sent", "")


def test_refusals_without_end_pause_it(sink, letter, readers, let_go, monkeypatch):
    monkeypatch.setattr(delivering, "REFUSALS", 3)
    for person in readers(6):
        sink.answers[person.email] = "554 Spam"
    let_go()
    delivering.deliver()
    assert (states(letter), status(letter)) == ({"failed": 3, "queued": 3}, "paused")
    assert letter.problem == "The mail server refused 3 letters in a row: 554 Spam"


def test_a_letter_that_cannot_be_written_fails_nobody(letter, readers, let_go, monkeypatch):
    readers(3)
    let_go()

    def broken(*_, **__):
        raise RuntimeError

    monkeypatch.setattr(writing, "skeleton", broken)
    delivering.deliver()
    assert (states(letter), status(letter)) == ({"queued": 3}, "paused")


def test_an_address_that_no_mail_can_go_to_holds_nobody_up(sink, letter, readers, let_go):
    ann, *_others = readers(3)
    Subscriber.objects.filter(pk=ann.pk).update(email="ann@exa mple..org")
    let_go()
    delivering.deliver()
    assert (states(letter), status(letter)) == ({"failed": 1, "sent": 2}, "sent")


# --- several workers, and those that died ---------------------------------------------------


def test_e18_of_a_dead_worker_only_the_message_in_flight_is_unknown(letter, readers, let_go):
    """The journal says what it had begun, and what the server answered before it died."""
    readers(4)
    with at():
        let_go()
        with Journal(letter) as died:
            claim = died.new_claim()
            notes = {1: [Note.BEGUN], 2: [Note.BEGUN, Note.TAKEN], 3: [Note.BEGUN, Note.NOT_TAKEN]}
            for number, noted in notes.items():
                for what in noted:
                    died.note(row(letter, number).address_key, 1, what)
        claimed = {"state": "claimed", "claim": claim, "claimed_at": NOON, "attempts": 1}
        letter.deliveries.update(**claimed)
    with at(minutes=10):
        delivering.deliver()
        assert states(letter) == {"claimed": 4}
    with at(minutes=10, seconds=1):
        delivering.deliver()
    assert [row(letter, number).state for number in (1, 2, 3, 4)] == [
        "unknown", "sent", "sent", "sent",
    ]  # fmt: skip
    assert sorted(m.to[0] for m in mail.outbox) == ["reader-3@example.net", "reader-4@example.net"]
    assert [row(letter, number).attempts for number in (1, 2, 3, 4)] == [1, 1, 2, 1]
    assert status(letter) == "sent"


@pytest.mark.parametrize("why", ["another machine", "started anew"])
def test_e18_what_no_journal_can_tell_is_unknown(letter, readers, let_go, monkeypatch, why):
    """Of a worker elsewhere, or of one before the power went: what it had in hand, all of it."""
    readers(3)
    with at():
        let_go()
        with Journal(letter) as journal_here:
            claim = journal_here.new_claim() if why == "started anew" else "elsewhere.1"
        claimed = {"state": "claimed", "claim": claim, "claimed_at": NOON, "attempts": 1}
        letter.deliveries.exclude(pk=row(letter, 3).pk).update(**claimed)
        monkeypatch.setattr(journal, "_started", lambda: "another time")
        delivering.deliver()
    with at(minutes=20):
        delivering.deliver()
        assert (states(letter), status(letter)) == ({"claimed": 2, "sent": 1}, "sending")
    with at(minutes=20, seconds=1):
        delivering.deliver()
    assert (states(letter), status(letter)) == ({"unknown": 2, "sent": 1}, "sent")
    assert [m.to for m in mail.outbox] == [["reader-3@example.net"]]


def test_e18_a_slow_worker_or_a_wrong_clock_doubles_nobody(
    sink, letter, readers, let_go, meanwhile
):
    """Another one, whose clock is an hour ahead, gives up what it has in hand and sends that."""
    readers(3)
    let_go()
    given_up = []

    def give_up(message) -> None:
        if message.to == ["reader-2@example.net"] and not given_up:
            with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)):
                given_up.append(releasing.give_up_on_the_lost())
                assert [row(letter, 2).state, row(letter, 3).state] == ["unknown", "queued"]
                delivering.deliver()

    meanwhile(give_up)
    delivering.deliver()
    assert given_up == [2]
    assert sorted(sink.reached) == [f"reader-{number}@example.net" for number in (1, 2, 3)]
    assert (states(letter), status(letter)) == ({"sent": 3}, "sent")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("workers", [2, 4])
def test_e18_workers_at_once_send_each_letter_once(sink, letter, readers, let_go, workers):
    people = readers(40)
    let_go()
    at_once(workers, delivering.deliver)
    assert sorted(sink.reached) == sorted(person.email for person in people)
    assert (states(letter), status(letter)) == ({"sent": 40}, "sent")


@pytest.mark.django_db(transaction=True)
def test_several_connections_share_the_work(sink, letter, readers, let_go, settings):
    settings.MAIL_CONNECTIONS = sink.wait_for_sessions = 3
    readers(30)
    let_go()
    delivering.deliver()
    assert (states(letter), len(set(sink.reached)), sink.sessions) == ({"sent": 30}, 30, 3)


# --- how fast -------------------------------------------------------------------------------


def test_mail_rate_holds(sink, letter, readers, let_go, settings):
    settings.MAIL_RATE = 20
    readers(10)
    let_go()
    begun = time.monotonic()
    delivering.deliver()
    assert (states(letter), time.monotonic() - begun >= 9 / 20) == ({"sent": 10}, True)


@pytest.mark.django_db(transaction=True)
def test_mail_rate_holds_over_all_workers(settings):
    """Nobody's place is anybody else's: twenty moments of four askers fill a second."""
    settings.MAIL_RATE = 20
    moments = []

    def ask() -> None:
        for _turn in range(5):
            wait = pacing.seconds_to_wait()
            moments.append(time.time() + wait)
            time.sleep(wait)

    at_once(4, ask)
    assert len(moments) == 20
    assert max(moments) - min(moments) > 18 / 20


def test_without_the_shared_cache_nothing_is_sent_too_fast(letter, readers, let_go, settings):
    readers(1)
    let_go()
    settings.MAIL_RATE = 10
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    with pytest.raises(Exception, match="Connection refused|Error 111"):
        delivering.deliver()
    cache.close()
    assert (states(letter), mail.outbox) == ({"queued": 1}, [])


# --- a database from yesterday --------------------------------------------------------------


def test_a_restored_database_sends_nothing_twice(letter, readers, let_go):
    """What was sent since is unknown; the rest waits for a person's word and then goes."""
    readers(6)
    let_go()
    yesterday, issue = list(letter.deliveries.values()), Issue.objects.values().get()
    pause_after(letter, 4)
    assert len(mail.outbox) == 4
    Issue.objects.filter(pk=letter.pk).update(**issue)
    for old in yesterday:
        Delivery.objects.filter(pk=old.pop("id")).update(**old)
    assert states(letter) == {"queued": 6}

    delivering.deliver()

    assert (states(letter), status(letter)) == ({"unknown": 4, "queued": 2}, "paused")
    assert letter.problem.startswith("The database is older than what was sent. 4 letters")
    releasing.resume(issue=letter)
    delivering.deliver()
    assert sorted(m.to[0] for m in mail.outbox) == [f"reader-{n}@example.net" for n in range(1, 7)]
    assert (states(letter), status(letter)) == ({"unknown": 4, "sent": 2}, "sent")


def test_a_database_from_before_the_release_sends_nothing_twice(letter, readers, let_go):
    readers(3)
    let_go()
    delivering.deliver()
    letter.deliveries.all().delete()
    Issue.objects.filter(pk=letter.pk).update(status="draft", worked_at=None)
    readers(1, prefix="new")
    let_go()
    delivering.deliver()
    assert (states(letter), status(letter), len(mail.outbox)) == (
        {"unknown": 3, "queued": 1}, "paused", 3,
    )  # fmt: skip


def test_a_copy_on_another_machine_waits_for_a_person(letter, readers, let_go, settings, tmp_path):
    readers(4)
    with at():
        let_go()
        pause_after(letter, 2)
        releasing.resume(issue=letter)
    settings.VAR_DIR = tmp_path / "elsewhere"
    with at(minutes=11):
        delivering.deliver()
    assert (states(letter), status(letter)) == ({"sent": 2, "queued": 2}, "paused")
    assert letter.problem.startswith("This machine has not sent this letter before")


def test_a_second_machine_may_help_a_sending_that_goes_on(
    letter, readers, let_go, settings, tmp_path
):
    readers(4)
    with at():
        let_go()
        pause_after(letter, 2)
        releasing.resume(issue=letter)
    settings.VAR_DIR = tmp_path / "elsewhere"
    with at(minutes=2):
        delivering.deliver()
    assert (states(letter), status(letter)) == ({"sent": 4}, "sent")


def pause_after(letter, count: int) -> None:
    """Sends so many, then is paused."""
    write = delivering.Writer.message

    def message(writer, known):
        if len(mail.outbox) == count - 1:
            releasing.pause(issue=letter)
        return write(writer, known)

    delivering.Writer.message = message
    try:
        delivering.deliver()
    finally:
        delivering.Writer.message = write


def test_the_journal_holds_no_address_and_only_we_may_read_it(letter, readers, let_go, tmp_path):
    readers(3)
    let_go()
    delivering.deliver()
    (path,) = (tmp_path / "letters").iterdir()
    content = path.read_bytes()
    assert len(content) == 3 * 2 * 36  # before and after each message
    assert b"reader" not in content
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_torn_end_of_the_journal_harms_nobody(letter, readers, let_go):
    readers(2)
    let_go()
    with Journal(letter) as begun:
        begun.path.write_bytes(b"torn")
    delivering.deliver()
    with Journal(letter) as ended:
        assert not ended.is_ahead()
    assert states(letter) == {"sent": 2}


def test_a_full_disk_leaves_no_half_note_behind(letter):
    """A note of which a part was written would put all that follow out of step."""
    with Journal(letter) as begun, begun.alone():
        begun.note("ab" * 32, 1)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (36 + 10, limits[1]))
        try:
            with pytest.raises(OSError, match="No room"):
                begun.note("cd" * 32, 1)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        begun.note("ef" * 32, 1)
    content = begun.path.read_bytes()
    assert (len(content), content[36:38].hex()) == (72, "efef")


def test_a_journal_goes_ninety_days_after_its_last_letter(letter, readers, let_go, tmp_path):
    readers(1)
    let_go()
    delivering.deliver()
    (path,) = (tmp_path / "letters").iterdir()
    assert journal.forget_old() == 0
    long_ago = time.time() - 91 * 24 * 60 * 60
    os.utime(path, (long_ago, long_ago))
    assert (journal.forget_old(), list((tmp_path / "letters").iterdir())) == (1, [])


# --- through a provider ---------------------------------------------------------------------


@pytest.fixture
def provider(settings):
    """A provider on this machine that speaks as Postmark does; `answers[address]` is a status."""

    class Provider(BaseHTTPRequestHandler):
        answers: dict[str, int] = {}  # noqa: RUF012
        got: list[dict] = []  # noqa: RUF012

        def do_POST(self):
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = self.answers.get(said["To"], 200)
            if status == 0:
                self.connection.close()
                return
            self.got.append(said)
            body = {"ErrorCode": 0 if status == 200 else 300, "Message": "OK", "MessageID": "1",
                    "To": said["To"], "SubmittedAt": "2026"}  # fmt: skip
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    Provider.answers, Provider.got = {}, []
    server = HTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.DEFAULT_FROM_EMAIL = "Arvada Sister Cities <hello@example.org>"
    config = Environment().email_from_url(
        f"postmark://secret-token?api_url=http://127.0.0.1:{server.server_port}/"
    )
    for name, value in config.items():
        setattr(settings, name, value)
    yield Provider
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_provider_goes_the_same_way(provider, letter, readers, let_go):
    readers(4)
    provider.answers = {"reader-2@example.net": 422, "reader-3@example.net": 500}
    let_go()
    delivering.deliver()
    assert (states(letter), status(letter)) == ({"sent": 2, "failed": 1, "unknown": 1}, "sent")
    first = provider.got[0]
    assert first["Metadata"] == {"delivery": row(letter, 1).token}
    headers = {header["Name"]: header["Value"] for header in first["Headers"]}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Message-ID"] == row(letter, 1).message_id


def test_a_provider_that_does_not_know_us_fails_nobody(provider, letter, readers, let_go):
    provider.answers = {person.email: 401 for person in readers(9)}
    let_go()
    delivering.deliver()
    assert (states(letter), status(letter)) == ({"queued": 9}, "paused")
    assert "HTTP 401" in letter.problem


# --- from a shell ---------------------------------------------------------------------------


def test_e24_send_issue_wants_the_number(letter, readers, capsys):
    readers(2)
    call_command("send_issue", "november")
    assert capsys.readouterr().out == "It would reach 2 people. Nothing was sent.\n"
    with pytest.raises(CommandError, match="2 people"):
        call_command("send_issue", "november", "--yes", "3")
    with pytest.raises(CommandError, match="no letter"):
        call_command("send_issue", "other", "--yes", "3")
    call_command("send_issue", "november", "--yes", "2")
    assert status(letter) == "scheduled"
    with pytest.raises(CommandError, match="already"):
        call_command("send_issue", "november", "--yes", "2")


def test_deliveries_as_json(letter, readers, let_go, capsys):
    readers(3)
    let_go()
    Subscriber.objects.filter(email="reader-3@example.net").update(
        status="unsubscribed", unsubscribed_at=NOON
    )
    delivering.deliver()
    call_command("deliveries", "november", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "queued": 0, "claimed": 0, "sent": 2, "failed": 0, "unknown": 0,
        "skipped": {"unsubscribed": 1, "suppressed": 0, "paused": 0},
    }  # fmt: skip
    call_command("deliveries", "november")
    assert "2\tsent\n" in capsys.readouterr().out


def test_the_whole_way_from_the_queue(letter, readers, django_capture_on_commit_callbacks):
    """Releasing wakes the job, which writes the rows and sends."""
    readers(3)
    with django_capture_on_commit_callbacks(execute=True):
        call_command("send_issue", "november", "--yes", "3")
    assert (states(letter), status(letter)) == ({"sent": 3}, "sent")
