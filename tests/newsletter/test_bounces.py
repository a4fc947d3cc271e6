import base64
import datetime as dt
import hmac
import json
import time
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client

from sistercities.newsletter import bounce_box, bounce_mail, bounces, suppressing
from sistercities.newsletter.bounce_addresses import bounce_address
from sistercities.newsletter.bounces import Told, take_note
from sistercities.newsletter.models import (
    Delivery,
    Issue,
    MailEvent,
    Subscriber,
    Suppression,
    address_key,
)
from sistercities.shared.mail import send_waiting
from sistercities.shared.models import OutgoingMessage
from tests.newsletter.at_once import at_once
from tests.newsletter.imap import ImapServer

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
SECRET = "hook:a-long-secret"
Kind = MailEvent.Kind
Reason = Suppression.Reason


@pytest.fixture
def make_issue(site):
    def make(status: str = "sent", people: int = 1) -> Issue:
        return Issue.objects.create(
            slug=f"letter-{Issue.objects.count()}", subject="Autumn", status=status, people=people,
            send_at=NOON, began_at=NOON,
        )  # fmt: skip

    return make


@pytest.fixture
def letter(make_issue):
    """`letter("ann@example.org")`: a letter that was handed over to a reader."""

    def make(email: str = "ann@example.org", issue: Issue | None = None) -> Delivery:
        person, _new = Subscriber.objects.get_or_create(
            email_key=email,
            defaults={
                "email": email, "status": "confirmed",
                "confirmed_at": NOON - dt.timedelta(days=900),
            },
        )  # fmt: skip
        return Delivery.objects.create(
            issue=issue or make_issue(), subscriber=person, address_key=address_key(email),
            state="sent", sent_at=NOON,
        )  # fmt: skip

    return make


def tell(kind: str, delivery: Delivery | None = None, **fields) -> bool:
    values = {"event_id": str(MailEvent.objects.count()), "said": "", **fields}
    return take_note(
        Told("test", kind=Kind(kind), token=delivery.token if delivery else "", **values)
    )


def reason(email: str = "ann@example.org") -> str | None:
    return suppressing.reason_for(email)


def status(email: str = "ann@example.org") -> str:
    return Subscriber.objects.get(email_key=email).status


# --- the rules ------------------------------------------------------------------------------


def test_e16_one_hard_bounce_suppresses(letter):
    row = letter()
    assert tell("hard", row, said="550 5.1.1 <ann@example.org> no such user") is True
    row.refresh_from_db()
    assert (row.is_hard_bounce, row.bounced_at is not None) == (True, True)
    assert (reason(), status()) == ("hard_bounce", "unsubscribed")
    assert MailEvent.objects.get().said == "550 5.1.1 … no such user"


def test_e16_one_complaint_suppresses_on_any_letter(letter):
    row = letter()
    tell("complaint", row)
    row.refresh_from_db()
    assert row.complained_at is not None
    assert (reason(), status()) == ("complaint", "unsubscribed")


def test_e16_soft_bounces_of_three_letters_suppress(letter):
    rows = [letter() for _ in range(3)]
    for row in rows[:2]:
        tell("soft", row)
        tell("soft", row)  # the same letter counts once
    assert (reason(), status()) == (None, "confirmed")
    tell("soft", rows[2])
    assert (reason(), status()) == ("soft_bounces", "unsubscribed")


def test_e16_soft_bounces_a_year_apart_do_not_add_up(letter):
    rows = [letter() for _ in range(3)]
    with time_machine.travel(NOON, tick=False):
        tell("soft", rows[0])
    with time_machine.travel(NOON + dt.timedelta(days=366), tick=False):
        tell("soft", rows[1])
        tell("soft", rows[2])
    assert reason() is None


def test_e16_counting_starts_anew_with_a_new_double_opt_in(letter):
    rows = [letter() for _ in range(3)]
    with time_machine.travel(NOON, tick=False):
        tell("soft", rows[0])
        tell("soft", rows[1])
    Subscriber.objects.update(confirmed_at=NOON + dt.timedelta(days=1))
    with time_machine.travel(NOON + dt.timedelta(days=2), tick=False):
        tell("soft", rows[2])
    assert reason() is None


def test_e16_a_letter_that_arrived_late_is_no_bounce(letter):
    row = letter()
    tell("soft", row)
    bounces.arrived(token=row.token)
    row.refresh_from_db()
    assert row.bounced_at is None


def test_e16_what_was_told_twice_counts_once(letter):
    row = letter()
    assert tell("complaint", row, event_id="e1") is True
    Suppression.objects.all().delete()
    Subscriber.objects.update(status="confirmed", unsubscribed_at=None)
    assert tell("complaint", row, event_id="e1") is False
    assert (reason(), status(), MailEvent.objects.count()) == (None, "confirmed", 1)


def test_a_refusal_is_shown_to_staff_and_costs_nobody_the_letter(letter):
    row = letter()
    tell("rejected", row, said="550 5.7.1 listed at a blocklist")
    row.refresh_from_db()
    assert (row.answer, row.bounced_at) == ("550 5.7.1 listed at a blocklist", None)
    assert (reason(), status()) == (None, "confirmed")


def test_a_bounce_of_an_erased_person_names_nobody(client, letter):
    row = letter()
    token = Subscriber.objects.get().token
    client.post(f"/newsletter/preferences/{token}/", {"do": "erase"})
    tell("hard", row, said="550 <ann@example.org> no such user")
    row.refresh_from_db()
    assert (row.is_hard_bounce, row.answer) == (True, "")


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("550 5.1.1 <ann@example.org>: no such user", "hard_bounce"),
        ("550 5.7.1 our listserver does not like you", None),
        ("554 refused", None),
    ],
)
def test_e16_refusal_at_the_door_counts_only_where_there_is_no_mailbox(letter, answer, wanted):
    row = letter()
    for _again in range(2):
        bounces.refused(token=row.token, answer=answer)
    assert (reason(), MailEvent.objects.count()) == (wanted, 1)


# --- receipts -------------------------------------------------------------------------------


@pytest.fixture
def receipt(site):
    def make(to: str = "ann@example.org", key: str = "receipt:1") -> OutgoingMessage:
        return OutgoingMessage.objects.create(
            key=key, to=to, subject="Receipt", text="x", html="x", message_id=f"<{key}@x>"
        )

    return make


@pytest.mark.parametrize("why", ["left", "erased", "complaint", "soft_bounces", "staff"])
def test_e16_suppression_never_blocks_a_receipt(receipt, why):
    suppressing.suppress(address="ann@example.org", reason=Reason(why))
    receipt()
    assert send_waiting() == 1


def test_e16_a_dead_address_gets_no_receipt_until_it_is_back(client, receipt, link):
    suppressing.suppress(address="ann@example.org", reason=Reason.HARD_BOUNCE)
    with time_machine.travel(NOON, tick=False):
        path = link()  # the mail to confirm goes out all the same
        message = receipt()
    with time_machine.travel(NOON + dt.timedelta(days=1), tick=False):
        assert send_waiting() == 0
    message.refresh_from_db()
    assert (message.sent_at, message.attempts) == (None, 0)
    assert "The mailbox does not exist" in message.last_error

    with time_machine.travel(NOON + dt.timedelta(days=1), tick=False):
        client.post(path)
    with time_machine.travel(NOON + dt.timedelta(days=1, hours=13), tick=False):
        send_waiting()
    message.refresh_from_db()
    assert message.sent_at is not None


# --- complaints of many ---------------------------------------------------------------------


def complain(issue: Issue, count: int, start: int = 0) -> None:
    rows = Delivery.objects.filter(issue=issue).order_by("pk")[start : start + count]
    for row in rows:
        tell("complaint", row)


@pytest.fixture
def sent_to(make_issue):
    def make(count: int, status: str = "sending") -> Issue:
        issue = make_issue(status=status, people=count)
        Delivery.objects.bulk_create(
            Delivery(issue=issue, address_key=f"{issue.pk}-{n}", state="sent", sent_at=NOON)
            for n in range(count)
        )
        return issue

    return make


def test_e15_complaints_warn_at_one_in_a_thousand_and_stop_at_three(sent_to, make_issue, caplog):
    issue, other = sent_to(2000), make_issue(status="sending")
    waiting = make_issue(status="scheduled")
    complain(issue, 1)
    assert caplog.text == ""
    complain(issue, 4, start=1)
    assert "0.25 % of its readers reported it as spam" in caplog.text
    issue.refresh_from_db()
    assert (issue.status, issue.problem) == ("sending", "")

    complain(issue, 1, start=5)

    for row, wanted in ((issue, "paused"), (other, "paused"), (waiting, "held")):
        row.refresh_from_db()
        assert row.status == wanted
        assert "0.30 %" in row.problem
        assert "6 readers" in row.problem


def test_e15_a_person_may_go_on_and_the_next_complaint_stops_again(sent_to):
    issue = sent_to(1000)
    complain(issue, 3)
    Issue.objects.filter(pk=issue.pk).update(status="sending", problem="")
    complain(issue, 1, start=3)
    issue.refresh_from_db()
    assert (issue.status, "0.40 %" in issue.problem) == ("paused", True)


def test_e15_a_first_complaint_among_the_first_of_many_stops_nothing(make_issue, letter):
    issue = make_issue(status="sending", people=5000)
    tell("complaint", letter("ann@example.org", issue))
    issue.refresh_from_db()
    assert issue.status == "sending"


# --- a provider's hook ----------------------------------------------------------------------


@pytest.fixture
def hook(client, settings, site):
    """`hook({...})`: posts an event as Postmark does, with the secret of the address."""
    settings.MAIL_WEBHOOK_SECRET = SECRET

    def post(body, *, provider: str = "postmark", secret: str = SECRET, **headers) -> int:
        basic = base64.b64encode(secret.encode()).decode()
        return client.post(
            f"/webhooks/mail/{provider}/", json.dumps(body), content_type="application/json",
            headers={"Authorization": f"Basic {basic}", **headers},
        ).status_code  # fmt: skip

    return post


def postmark(kind: str, delivery: Delivery | None = None, **fields) -> dict:
    token = {"delivery": delivery.token} if delivery else {}
    return {
        "RecordType": "Bounce", "Type": kind, "ID": 692560173, "Email": "ann@example.org",
        "MessageID": "2706ee8a-737c-4285-b032-ccd317af53ed", "Details": "smtp;550 5.1.1 unknown",
        "BouncedAt": "2026-11-21T12:00:00Z", "Metadata": token, **fields,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("HardBounce", "hard_bounce"),
        ("SoftBounce", None),
        ("Transient", None),
        ("SpamNotification", "complaint"),
        ("Blocked", None),
        ("AutoResponder", None),
    ],
)
def test_e16_hook_acts_on_what_the_provider_says(hook, letter, kind, wanted):
    row = letter()
    assert hook(postmark(kind, row)) == 200
    assert reason() == wanted
    assert (MailEvent.objects.count(), row.events.count()) == (
        (0, 0) if kind == "AutoResponder" else (1, 1)
    )


def test_e16_soft_events_of_the_hook_count_letters(hook, letter):
    for number, kind in enumerate(("SoftBounce", "Transient", "SoftBounce")):
        hook(postmark(kind, letter(), ID=number))
    assert reason() == "soft_bounces"


def test_e16_hook_that_repeats_itself_counts_once(hook, letter):
    row = letter()
    body = postmark("SpamComplaint", row, RecordType="SpamComplaint")
    assert [hook(body) for _ in range(3)] == [200] * 3
    assert MailEvent.objects.count() == 1
    assert Subscriber.objects.get().consents.count() == 1


@pytest.mark.django_db(transaction=True)
def test_e16_the_same_event_many_times_at_once_counts_once(hook, letter):
    row = letter()
    body = json.dumps(postmark("HardBounce", row))
    basic = base64.b64encode(SECRET.encode()).decode()

    def post() -> int:
        return Client().post(
            "/webhooks/mail/postmark/", body, content_type="application/json",
            headers={"Authorization": f"Basic {basic}"},
        ).status_code  # fmt: skip

    assert at_once(4, post) == [200] * 4
    assert (MailEvent.objects.count(), Suppression.objects.count()) == (1, 1)
    assert Subscriber.objects.get().consents.count() == 1


def test_e16_change_of_subscription_has_no_id_and_counts_once(hook, letter):
    row = letter()
    body = {
        "RecordType": "SubscriptionChange", "Recipient": "ann@example.org", "MessageID": "m1",
        "SuppressSending": True, "SuppressionReason": "ManualSuppression",
        "ChangedAt": "2026-11-21T12:00:00Z", "Metadata": {"delivery": row.token},
    }  # fmt: skip
    assert [hook(body) for _ in range(2)] == [200] * 2
    row.refresh_from_db()
    assert (reason(), row.left_at is not None, MailEvent.objects.count()) == ("left", True, 1)


def test_e16_a_receipt_that_bounced_stops_the_letter_too(hook, letter):
    letter()
    hook(postmark("HardBounce"))
    assert reason() == "hard_bounce"


def test_e16_delivered_at_last_takes_the_soft_bounce_back(hook, letter):
    row = letter()
    hook(postmark("Transient", row))
    hook(
        {"RecordType": "Delivery", "MessageID": "m", "Recipient": "ann@example.org",
         "DeliveredAt": "2026-11-21T12:05:00Z", "Metadata": {"delivery": row.token}}
    )  # fmt: skip
    row.refresh_from_db()
    assert row.bounced_at is None


@pytest.mark.parametrize("secret", ["", "hook:wrong", "a-long-secret"])
def test_e16_hook_without_its_secret_is_refused(hook, letter, secret):
    assert hook(postmark("HardBounce", letter()), secret=secret) == 400
    assert (reason(), MailEvent.objects.count()) == (None, 0)


def test_e16_hook_is_shut_until_a_secret_is_set(hook, letter, settings):
    settings.MAIL_WEBHOOK_SECRET = ""
    assert hook(postmark("HardBounce", letter()), secret="") == 400
    assert reason() is None


@pytest.mark.parametrize("body", [[], {}, "x", None, 5, {"RecordType": "Inbound"}])
def test_nonsense_for_an_event_breaks_nothing(hook, body):
    assert hook(body) in {200, 400}
    assert hook(body, provider="nobody") == 400
    assert MailEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("provider", "hard", "soft"),
    [
        ("brevo", {"event": "hard_bounce"}, {"event": "soft_bounce"}),
        (
            "mailjet",
            {"event": "bounce", "hard_bounce": True},
            {"event": "bounce", "hard_bounce": False},
        ),
    ],
)
def test_e16_other_providers_tell_hard_from_soft(hook, site, provider, hard, soft):
    common = {"email": "ann@example.org", "ts_epoch": 1, "time": 1, "MessageID": 1}
    assert hook({**common, **soft, "message-id": "1"}, provider=provider) == 200
    assert reason() is None
    assert hook({**common, **hard, "message-id": "2", "time": 2}, provider=provider) == 200
    assert reason() == "hard_bounce"


def test_e16_mailgun_must_sign_as_well(hook, settings, letter):
    row = letter()
    moment = str(int(time.time()))

    def body(key: str) -> dict:
        signature = hmac.new(key.encode(), f"{moment}t".encode(), "sha256").hexdigest()
        return {
            "signature": {"token": "t", "timestamp": moment, "signature": signature},
            "event-data": {
                "event": "failed", "severity": "permanent", "id": "e1", "timestamp": 1,
                "recipient": "ann@example.org", "user-variables": {"delivery": row.token},
                "message": {"headers": {"message-id": "m"}}, "delivery-status": {"code": 550},
            },
        }  # fmt: skip

    assert hook(body("key"), provider="mailgun") == 400  # no key is set
    settings.MAIL_WEBHOOK_KEY = "key"
    assert hook(body("forged"), provider="mailgun") == 400
    assert reason() is None
    assert hook(body("key"), provider="mailgun") == 200
    assert reason() == "hard_bounce"


# --- bounces as mail ------------------------------------------------------------------------


def dsn(to: str, *, action: str = "failed", code: str = "5.1.1", said: str = "") -> bytes:
    diagnostic = f"Diagnostic-Code: smtp; {said}\r\n" if said else ""
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.net\r\nTo: {to}\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry to have to tell you …\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; ann@example.org\r\nAction: {action}\r\nStatus: {code}\r\n"
        f"{diagnostic}\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Autumn\r\n\r\nDear Ann\r\n--b--\r\n"
    ).encode()


@pytest.fixture
def box_address(settings):
    settings.BOUNCE_ADDRESS = "bounce@example.org"
    return bounce_address


@pytest.mark.parametrize(
    ("action", "code", "said", "kind"),
    [
        ("failed", "5.1.1", "", "hard"),
        ("failed", "5.0.0", "550 no such user", "hard"),
        ("Failed", "5.2.2", "552 mailbox full", "soft"),
        ("failed", "4.4.7", "delivery time expired", "soft"),
        ("failed", "5.7.1", "550 blocked", "rejected"),
        ("failed", "", "550 unknown", "hard"),
        ("failed", "", "451 later", "soft"),
        ("delayed", "4.4.1", "", "soft"),
    ],
)
def test_e16_bounce_mail_is_understood(box_address, letter, action, code, said, kind):
    row = letter()
    told = bounce_mail.read(dsn(box_address(row.token), action=action, code=code, said=said))
    assert (told.kind, told.token) == (kind, row.token)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_good_news_is_no_bounce(box_address, letter, action):
    assert bounce_mail.read(dsn(box_address(letter().token), action=action)) is None


def test_e16_bounce_without_our_signature_is_ignored(box_address, letter):
    row = letter()
    good = box_address(row.token)
    forged = good.replace(good.partition(".")[2].partition("@")[0], "0" * 16)
    for to in ("bounce@example.org", forged, f"bounce+{row.token}@example.org", "x"):
        assert bounce_mail.read(dsn(to)) is None, to
    away = b"Subject: I am on holiday\r\nTo: " + good.encode() + b"\r\n\r\nHi"
    assert bounce_mail.read(away) is None
    assert bounce_mail.read(b"\xff\x00 nonsense") is None


def test_e16_bounce_to_an_address_in_small_letters_is_understood(box_address, letter):
    row = letter()
    told = bounce_mail.read(dsn(box_address(row.token).lower()))
    assert told.token == row.token


def test_e16_spam_report_is_a_complaint(box_address, letter):
    row = letter()
    raw = (
        "From: fbl@isp.example\r\nTo: abuse@example.org\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nAn abuse report.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\nUser-Agent: SomeISP/1.0\r\nVersion: 1\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Return-Path: <{box_address(row.token)}>\r\nSubject: Autumn\r\n\r\nDear Ann\r\n--b--\r\n"
    ).encode()
    told = bounce_mail.read(raw)
    assert (told.kind, told.token) == ("complaint", row.token)


@pytest.fixture
def imap(settings, box_address):
    server = ImapServer()
    settings.BOUNCE_IMAP_URL = server.url
    yield server
    server.shutdown()
    server.server_close()


def test_e16_mailbox_is_read_over_imap(imap, box_address, letter):
    row, other = letter("ann@example.org"), letter("bob@example.org")
    imap.messages = [
        dsn(box_address(row.token)),
        b"Subject: hello\r\nTo: bounce@example.org\r\n\r\nA person.",
        dsn(box_address(other.token), code="4.2.2"),
    ]
    out = StringIO()
    call_command("poll_bounces", stdout=out)
    assert out.getvalue() == "2 bounces and complaints\n"
    assert (reason("ann@example.org"), reason("bob@example.org")) == ("hard_bounce", None)
    assert imap.seen == {1, 2, 3}
    assert bounce_box.poll() == 0


def test_e16_mailbox_that_breaks_off_is_read_again_and_counts_once(imap, box_address, letter):
    row = letter()
    imap.messages = [dsn(box_address(row.token))]
    imap.hangs_up_at = "STORE"  # what it told is kept, and the mark is not
    with pytest.raises(bounce_box.BoxDown):
        bounce_box.poll()
    assert (reason(), imap.seen) == ("hard_bounce", set())
    imap.hangs_up_at = ""
    assert bounce_box.poll() == 0
    assert (MailEvent.objects.count(), imap.seen) == (1, {1})


def test_mailbox_that_is_down_is_told_and_harms_nothing(settings, site, unused_port_number, caplog):
    with pytest.raises(CommandError, match="BOUNCE_IMAP_URL is not set"):
        call_command("poll_bounces")
    settings.BOUNCE_IMAP_URL = f"imap://a:b@127.0.0.1:{unused_port_number}"
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("poll_bounces")
    bounce_box.poll_every_minute()
    assert "The bounce mailbox was not read" in caplog.text


def test_wrong_password_of_the_mailbox_is_told(settings, imap):
    settings.BOUNCE_IMAP_URL = imap.url.replace("se%40cret", "wrong")
    with pytest.raises(bounce_box.BoxDown, match="wrong password"):
        bounce_box.poll()


def test_old_news_is_forgotten(letter):
    with time_machine.travel(NOON, tick=False):
        tell("soft", letter())
    with time_machine.travel(NOON + dt.timedelta(days=731), tick=False):
        tell("soft", letter())
        assert bounces.forget_old() == 1
    assert MailEvent.objects.count() == 1
