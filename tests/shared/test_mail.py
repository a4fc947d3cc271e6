"""The outbox: written with what it announces, sent once, tried again when the mail server fails."""

import asyncio
import email.header
import socket
import threading

import pytest
import time_machine
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Server
from django.core import mail as django_mail
from django.db import DatabaseError, connection, transaction

from sistercities.shared import mail
from sistercities.shared.models import OutgoingMessage

NOON = "2026-11-21T12:00:00+00:00"


@pytest.fixture(autouse=True)
def template(settings, tmp_path):
    """`hello`: a template of mail that names its reader."""
    folder = tmp_path / "templates" / "emails"
    folder.mkdir(parents=True)
    (folder / "hello.subject.txt").write_text("Hello {{ name }}\n")
    (folder / "hello.txt").write_text("Dear {{ name }},\nsee {{ site_url }}/\n\n\n")
    (folder / "hello.html").write_text(
        "<html><head><style>p{color:red}</style></head><body><p>Dear {{ name }}</p></body></html>"
    )
    (own,) = settings.TEMPLATES
    settings.TEMPLATES = [{**own, "DIRS": [*own["DIRS"], tmp_path / "templates"]}]


def queue(key: str = "hello:1", name: str = "Ann", **more) -> OutgoingMessage:
    return mail.queue_mail(
        key=key,
        template="emails/hello",
        to=more.pop("to", "ann@example.org"),
        context={"name": name},
        **more,
    )


class Sink:
    """A mail server. `answers` are given in turn to DATA, then `250`."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.received: list[email.message.Message] = []
        self.senders: list[str] = []
        self.gate: threading.Event | None = None

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.gate:
            while not self.gate.is_set():
                await asyncio.sleep(0.01)
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.received.append(email.message_from_bytes(envelope.content))
            self.senders.append(envelope.mail_from)
        return answer


class Quiet(Controller):
    def factory(self):
        return Server(self.handler, hostname="localhost", ident="sink")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def sink(settings):
    """Real SMTP on a free port of this machine."""
    handler = Sink()
    server = Quiet(handler, hostname="127.0.0.1", port=free_port())
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield handler
    server.stop()


def test_a_message_is_a_row_before_it_is_a_mail(db, mailoutbox):
    message = queue()
    assert mailoutbox == []  # the transaction of this test has not ended
    assert (message.to, message.subject) == ("ann@example.org", "Hello Ann")
    assert message.text == "Dear Ann,\nsee http://127.0.0.1:8000/\n"
    assert '<p style="color: red;">Dear Ann</p>' in message.html
    assert message.message_id.endswith("@127.0.0.1>")
    assert (message.sent_at, message.attempts) == (None, 0)


def test_the_commit_sends_it(db, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        message = queue(headers={"List-Unsubscribe": "<https://www.example.org/u/x>"})
    (sent,) = mailoutbox
    message.refresh_from_db()
    assert (sent.to, sent.subject, sent.body) == (["ann@example.org"], "Hello Ann", message.text)
    assert sent.alternatives == [(message.html, "text/html")]
    assert sent.extra_headers == {
        "Message-ID": message.message_id,
        "List-Unsubscribe": "<https://www.example.org/u/x>",
    }
    assert message.sent_at is not None
    assert message.attempts == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_announced(mailoutbox):
    with pytest.raises(RuntimeError), transaction.atomic():
        queue()
        raise RuntimeError("the gift was not stored")
    assert OutgoingMessage.objects.count() == 0
    assert mailoutbox == []


def test_the_same_key_is_written_and_sent_once(db, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        first, second = queue(name="Ann"), queue(name="Bob")
    assert first == second
    assert [sent.subject for sent in mailoutbox] == ["Hello Ann"]
    assert mail.send_waiting() == 0
    assert len(mailoutbox) == 1


def test_html_in_a_name_stays_a_name(db):
    message = queue(name="<b>Ann</b> {{ 7|add:7 }}")
    assert "&lt;b&gt;Ann&lt;/b&gt; {{ 7|add:7 }}" in message.html


@pytest.mark.django_db(transaction=True)
def test_a_real_server_receives_it_whole(sink):
    queue(name="Жанар 锦州")
    (received,) = sink.received
    assert str(email.header.make_header(email.header.decode_header(received["Subject"]))) == (
        "Hello Жанар 锦州"
    )
    assert received["Message-ID"] == OutgoingMessage.objects.get().message_id
    text, html = received.get_payload()
    assert text.get_content_type() == "text/plain"
    assert "Dear Жанар 锦州," in text.get_payload(decode=True).decode()
    assert html.get_content_type() == "text/html"


@pytest.mark.django_db(transaction=True)
def test_a_server_that_says_later_is_asked_again_later(sink):
    sink.answers = ["451 Try again later"]
    with time_machine.travel(NOON, tick=False) as clock:
        queue()
        message = OutgoingMessage.objects.get()
        assert sink.received == []
        assert (message.sent_at, message.attempts) == (None, 1)
        assert "451" in message.last_error
        assert (message.next_try_at - message.created_at).total_seconds() == 60

        assert mail.send_waiting() == 0  # not yet
        clock.shift(61)
        assert mail.send_waiting() == 1
    message.refresh_from_db()
    assert len(sink.received) == 1
    assert sink.received[0]["Message-ID"] == message.message_id
    assert (message.attempts, message.last_error) == (2, "")
    assert message.sent_at is not None


@pytest.mark.django_db(transaction=True)
def test_the_pauses_grow_and_no_message_is_given_up(sink):
    sink.answers = ["451 Later"] * 7
    pauses = []
    with time_machine.travel(NOON, tick=False) as clock:
        queue()
        for _ in range(7):
            message = OutgoingMessage.objects.get()
            pause = (message.next_try_at - mail.clock.now()).total_seconds()
            pauses.append(pause / 60)
            clock.shift(pause + 1)
            mail.send_waiting()
    assert pauses == [1, 5, 30, 120, 720, 720, 720]
    assert len(sink.received) == 1


@pytest.mark.django_db(transaction=True)
def test_no_server_at_all_costs_only_time(settings, sink):
    settings.EMAIL_PORT, port = free_port(), settings.EMAIL_PORT
    with time_machine.travel(NOON, tick=False) as clock:
        queue("a")
        queue("b")
        assert {message.sent_at for message in OutgoingMessage.objects.all()} == {None}
        settings.EMAIL_PORT = port
        clock.shift(601)
        assert mail.send_waiting() == 2
    assert len(sink.received) == 2


@pytest.mark.django_db(transaction=True)
def test_one_bad_address_does_not_hold_up_the_others(sink):
    sink.answers = ["550 No such person"]
    with time_machine.travel(NOON, tick=False):
        with transaction.atomic():
            queue("a", to="nobody@example.org")
            queue("b", to="ann@example.org")
        assert [received["To"] for received in sink.received] == ["ann@example.org"]
        waiting = OutgoingMessage.objects.get(sent_at=None)
    assert waiting.to == "nobody@example.org"
    assert "550" in waiting.last_error


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_it_once(sink, monkeypatch):
    """Red when `_send_one` reads the row instead of claiming it with a conditional update."""
    monkeypatch.setattr(mail, "wake", lambda task: None)
    for number in range(3):
        queue(f"hello:{number}")
    sink.gate = threading.Event()
    together = threading.Barrier(3)
    sent: list[int] = []

    def work() -> None:
        try:
            together.wait(timeout=20)
            sent.append(mail.send_waiting())
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    together.wait(timeout=20)
    threading.Timer(0.5, sink.gate.set).start()
    for worker in workers:
        worker.join(timeout=60)
    assert sum(sent) == 3
    assert len(sink.received) == 3
    assert len({received["Message-ID"] for received in sink.received}) == 3
    assert set(OutgoingMessage.objects.values_list("attempts", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_died_loses_nothing(sink, monkeypatch):
    """giving.md F7: claimed and never marked, so it is sent again, under the same Message-ID."""
    monkeypatch.setattr(mail, "wake", lambda task: None)
    with time_machine.travel(NOON, tick=False) as clock:
        message = queue()
        OutgoingMessage.objects.update(next_try_at=mail.clock.now() + mail.LEASE, attempts=1)
        assert mail.send_waiting() == 0
        clock.shift(mail.LEASE.total_seconds() + 1)
        assert mail.send_waiting() == 1
    assert sink.received[0]["Message-ID"] == message.message_id


@pytest.mark.django_db(transaction=True)
def test_f7_accepted_and_never_marked_goes_out_again_under_its_own_message_id(
    sink, monkeypatch, failing
):
    """The server has it, and the process ends before it could say so: all it can do is repeat."""
    monkeypatch.setattr(mail, "wake", lambda task: None)
    with time_machine.travel(NOON, tick=False) as clock:
        message = queue()
        with failing("shared_outgoingmessage", "UPDATE OF sent_at"), pytest.raises(DatabaseError):
            mail.send_waiting()
        assert len(sink.received) == 1
        assert mail.send_waiting() == 0  # another worker may have it in hand
        clock.shift(mail.LEASE.total_seconds() + 1)
        assert [mail.send_waiting(), mail.send_waiting()] == [1, 0]
    first, second = sink.received
    assert first["Message-ID"] == second["Message-ID"] == message.message_id
    assert first["Subject"] == second["Subject"]
    assert first.get_payload(0).as_bytes() == second.get_payload(0).as_bytes()


def test_a_queue_that_is_down_does_not_break_the_request(
    db, monkeypatch, django_capture_on_commit_callbacks, caplog
):
    from sistercities.shared.tasks import send_waiting_mail

    def down(*args, **kwargs):
        raise ConnectionError("no queue")

    monkeypatch.setattr(type(send_waiting_mail), "enqueue", down)
    with django_capture_on_commit_callbacks(execute=True):
        queue()
    assert OutgoingMessage.objects.filter(sent_at=None).count() == 1
    assert "The task queue did not answer" in caplog.text


@pytest.mark.parametrize(
    "name", ["Ann\nBcc: victim@example.org", "Ann\r\nBcc: victim@example.org", "Ann\x0bBcc: x"]
)
@pytest.mark.django_db(transaction=True)
def test_a_name_cannot_add_a_header(sink, name):
    queue(name=name)
    (received,) = sink.received
    assert received["Bcc"] is None
    assert received["To"] == "ann@example.org"
    assert received["Subject"] == f"Hello {' '.join(name.split())}"


@pytest.mark.parametrize(
    "change",
    [
        {"to": "ann@example.org\nBcc: victim@example.org"},
        {"headers": {"X-Note": "a\nBcc: victim@example.org"}},
    ],
    ids=["to", "value"],
)
@pytest.mark.django_db(transaction=True)
def test_a_message_with_a_forged_header_is_not_sent(sink, change):
    queue(**change)
    assert sink.received == []
    assert OutgoingMessage.objects.get().sent_at is None


def test_a_long_subject_is_cut_and_not_refused(db):
    assert len(queue(name="x" * 400).subject) <= 250


@pytest.mark.django_db(transaction=True)
def test_the_log_names_nobody(sink, caplog):
    sink.answers = ["550 No mailbox ann@example.org"]
    queue()
    ours = [entry for entry in caplog.records if entry.name.startswith("sistercities")]
    (entry,) = ours
    assert "was not sent: SMTP" in entry.getMessage()
    assert "ann@example.org" not in entry.getMessage()


def test_old_texts_are_forgotten_and_the_record_stays(db, mailoutbox):
    with time_machine.travel(NOON, tick=False) as clock:
        queue("sent")
        mail.send_waiting()
        queue("waiting")
        clock.shift(91 * 24 * 3600)
        assert mail.forget_old_texts() == 1
        assert mail.forget_old_texts() == 0
    old, waiting = OutgoingMessage.objects.order_by("pk")
    assert (old.to, old.subject, old.text, old.html) == ("ann@example.org", "Hello Ann", "", "")
    assert waiting.text
    assert django_mail.outbox == mailoutbox


def test_a_server_that_does_not_answer_is_asked_once_a_run(db, settings, unused_port_number):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_port_number
    for number in range(3):
        OutgoingMessage.objects.create(
            key=f"k{number}", to="ann@example.org", subject="S", text="T", html="<p>T</p>",
            message_id=f"<{number}@example.org>",
        )  # fmt: skip
    assert mail.send_waiting() == 0
    assert set(OutgoingMessage.objects.values_list("attempts", "sent_at")) == {(0, None)}
