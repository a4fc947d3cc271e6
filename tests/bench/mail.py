"""What sending a letter costs: messages a second, several connections, memory.

Goals: issue "Newsletter", Figures. The mail server is aiosmtpd in a process of its own.
"""

import contextlib
import os
import re
import smtplib
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, note
from tests.bench.places import HOST, ROOT, open_site, wait_for

PEOPLE, TURNS = 1200, 2
FAR_PEOPLE, AWAY, CONNECTIONS, ROUND_TRIPS = 120, 20, 4, 4.7
FEW, MANY = 1000, 100_000
LOGIN = "django.contrib.auth.backends.ModelBackend"


def speed(folder: Path) -> Iterator[Figure]:
    """One connection to a server on this machine, beside smtplib alone and Django's `send_mail`.

    All hand over the same bytes, in turns, so that what else the machine does hits all alike.
    """
    open_letters(folder)
    took = Counter[str]()
    with mail_server(0) as port:
        use(port)
        for _turn in range(TURNS):
            release(PEOPLE // TURNS)
            messages = written()
            contents = [
                (m.from_email, m.to, m.message().as_bytes(linesep="\r\n")) for m in messages
            ]
            took["smtplib"] += seconds(over_one_connection, port, contents)
            took["ours"] += seconds(deliver)
            assert_sent(PEOPLE // TURNS)
            took["django"] += seconds(one_connection_each, messages)
    note(f"{len(contents[0][2]) / 1000:.1f} KB each")
    speeds = {who: PEOPLE / time_taken for who, time_taken in took.items()}
    yield Figure(
        "mail.speed.smtplib", speeds["ours"], speeds["smtplib"], "/s", goal=0.5, is_floor=True
    )
    yield Figure(
        "mail.speed.django", speeds["ours"], speeds["django"], "/s", goal=2.5, is_floor=True
    )


def far(folder: Path) -> Iterator[Figure]:
    """Several connections to a server 20 ms away, beside what is possible and Django's one."""
    open_letters(folder)
    release(FAR_PEOPLE)
    with mail_server(AWAY) as port:
        use(port)
        messages = written()
        kept = 30 / seconds(django_kept, messages[:30])
        set_up(MAIL_CONNECTIONS=CONNECTIONS)
        ours = FAR_PEOPLE / seconds(deliver)
        assert_sent(FAR_PEOPLE)
    possible = CONNECTIONS / (ROUND_TRIPS * AWAY / 1000)
    yield Figure("mail.far.connections", ours, possible, "/s", goal=0.9, is_floor=True)
    yield Figure("mail.far.django", ours, kept, "/s", goal=2.5, is_floor=True)


def memory(folder: Path) -> Iterator[Figure]:
    """The most memory of a worker that writes all rows and then sends for a while."""
    open_letters(folder)
    peaks = []
    for count in (FEW, MANY):
        for work in (prepare, gather_and_send):  # each begins as small as the other
            with get_context("fork").Pool(1) as pool:
                told = pool.apply(work, (count,))
        peaks.append(told)
        note(f"{peaks[-1]:.0f} MB for {count}")
    yield Figure("mail.memory.100000", peaks[1], peaks[0], "MB", goal=1.1)


def composing(folder: Path) -> Iterator[Figure]:
    """The page on which a letter is composed: its queries, and whether many readers slow it."""
    open_letters(folder)
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from sistercities.newsletter.models import Issue

    client = Client(headers={"host": HOST})
    client.force_login(User.objects.create_superuser("editor"), LOGIN)
    times = []
    for count in (FEW, MANY):
        prepare(count)
        ask = partial(client.get, f"/admin/newsletter/issue/{Issue.objects.get().pk}/change/")
        assert ask().status_code == 200
        with CaptureQueriesContext(connection) as asked:
            ask()
        queries = len(asked)
        times.append(min(seconds(ask) for _ in range(5)) * 1000)
    yield Figure("mail.composing.queries", queries, 15)
    yield Figure("mail.composing.100000", times[1], times[0], "ms", goal=1.5)


def open_letters(folder: Path) -> None:
    os.environ |= {"MAIL_RATE": "0", "DEFAULT_FROM_EMAIL": f"hello@{HOST}"}
    open_site(folder)


def prepare(people: int) -> None:
    """So many readers, and a letter that is released to them."""
    from django.db import connections
    from django.utils import timezone

    from sistercities.newsletter import releasing
    from sistercities.newsletter.models import Delivery, Issue, Subscriber
    from sistercities.shared.models import SiteSettings

    note(f"{people} readers …")
    SiteSettings.objects.update(postal_address="8101 Ralston Road")
    Delivery.objects.all().delete()
    Issue.objects.all().delete()
    Subscriber.objects.all().delete()
    now = timezone.now()
    Subscriber.objects.bulk_create(
        (
            Subscriber(email=email, email_key=email, status="confirmed", confirmed_at=now)
            for email in (f"reader-{number}@example.net" for number in range(people))
        ),
        batch_size=2000,
    )
    issue = Issue.objects.create(slug="november", subject="The gardens of Jinzhou")
    for number in range(6):
        text = "<p>Chrysanthemums, mostly, and a long evening at the lake with friends.</p>" * 12
        issue.blocks.create(title=f"The gardens {number}", text=text, order=number)
    releasing._wake = lambda: None
    releasing.release(issue=issue, by=None, people=people)
    connections.close_all()


def release(people: int) -> None:
    from sistercities.newsletter import releasing

    prepare(people)
    releasing.settle()


def gather_and_send(people: int) -> float:
    from sistercities.newsletter import releasing

    set_up(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend")
    releasing.settle()
    deliver(seconds=10)
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def deliver(seconds: float = 600) -> None:
    from sistercities.newsletter import delivering

    delivering.deliver(seconds=seconds)


def assert_sent(people: int) -> None:
    from sistercities.newsletter.models import Delivery

    assert Delivery.objects.filter(state="sent").count() == people


def written() -> list[Any]:
    """The messages of the letter as Django's objects, without sending one."""
    from sistercities.newsletter.delivering import Writer
    from sistercities.newsletter.models import Delivery, Issue

    writer = Writer(Issue.objects.get())
    names = ("email", "name", "language", "token")
    rows = Delivery.objects.values(
        "token", "message_id", "subscriber", *(f"subscriber__{name}" for name in names)
    )
    return [writer.message(row) for row in rows]


def over_one_connection(port: int, contents: list[tuple[str, list[str], bytes]]) -> None:
    """What no sender can beat: finished bytes, nothing looked up, nothing written down."""
    with smtplib.SMTP(HOST, port) as server:
        for sender, to, content in contents:
            server.sendmail(sender, to, content)


def one_connection_each(messages: list[Any]) -> None:
    """What `send_mail` does: Django writes each message and opens a connection for it."""
    from django.core.mail import EmailMultiAlternatives

    for m in messages:
        sent = EmailMultiAlternatives(
            m.subject, m.body, m.from_email, m.to, headers=m.extra_headers
        )
        sent.attach_alternative(m.alternatives[0].content, "text/html")
        sent.send()


def django_kept(messages: list[Any]) -> None:
    from django.core.mail import get_connection

    get_connection().send_messages(messages)


@contextlib.contextmanager
def mail_server(milliseconds: int) -> Iterator[int]:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.bench.mail_sink", str(port), str(milliseconds)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(lambda: answers(port), seconds=30)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=5):
            return True
    except OSError:
        return False


def use(port: int) -> None:
    set_up(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST=HOST,
        EMAIL_PORT=port,
    )


def set_up(**values: Any) -> None:
    from django.conf import settings

    for name, value in values.items():
        setattr(settings, name, value)


def seconds(work: Callable[..., object], *given: Any) -> float:
    begun = time.perf_counter()
    work(*given)
    return time.perf_counter() - begun


SCENES = {
    "mail.speed": speed, "mail.far": far, "mail.memory": memory, "mail.composing": composing,
}  # fmt: skip
