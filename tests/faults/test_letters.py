"""A mailing whose workers are killed, again and again (trust.md, Crash; invariant I4).

Each time: nobody is missed, nobody is doubled by the machine, and what is not known is listed: of
each worker that was killed, the one message in flight. `THOROUGH=1` kills 52 of them among 2,000
people, twice; that takes some minutes.
"""

import os
import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing

import pytest

from tests.newsletter.mail_server import Sink
from tests.thoroughness import IS_THOROUGH, rounds

pytestmark = pytest.mark.xdist_group("faults")  # one site for all of them
PEOPLE, KILLS = (2000, 52) if IS_THOROUGH else (200, rounds(8, in_ci=12))


@pytest.fixture
def server(unused_port_number):
    sink = Sink(unused_port_number)
    sink.controller.start()
    sink.port = unused_port_number
    yield sink
    sink.closing.set()
    sink.controller.stop()


def states(stage) -> dict[str, str | None]:
    """What became of each person's letter."""
    rows = stage.sql(
        "SELECT s.email, d.state FROM newsletter_subscriber s "
        "LEFT JOIN newsletter_delivery d ON d.subscriber_id = s.id"
    )
    assert len(rows) == len(dict(rows))
    return dict(rows)


def let_time_pass(stage) -> None:
    """Leases end, and whoever was to be asked later is asked now."""
    then = "'2020-01-01 00:00:00'"
    stage.sql(f"UPDATE newsletter_delivery SET claimed_at = {then} WHERE state = 'claimed'")
    stage.sql(f"UPDATE newsletter_delivery SET next_try_at = {then} WHERE state = 'queued'")
    stage.sql(f"UPDATE newsletter_issue SET worked_at = {then} WHERE status = 'scheduled'")


def finish(stage, server) -> str:
    """Everything that goes on by itself does; how the letter stands then."""
    for _turn in range(60):
        let_time_pass(stage)
        stage.run("settle_letters")
        stage.run("deliver", server.port)
        status = stage.sql("SELECT status FROM newsletter_issue")[0][0]
        if status != "sending":
            break
    return status


def wait_for(server, count: int) -> None:
    """Until it got so many letters; not for ever, since all may have arrived."""
    deadline = time.monotonic() + 5
    while len(server.got) < count and time.monotonic() < deadline:
        time.sleep(0.001)


def hold(stage, server, *, refused: set[str] = frozenset(), people: int = PEOPLE) -> Counter:
    """I4. Gives how many rows are in each state."""
    became, reached = states(stage), Counter(server.reached)
    print(stage.sql("SELECT status, problem, troubles, refusals FROM newsletter_issue"))
    assert len(became) == people
    assert set(became.values()) <= {"sent", "failed", "unknown"}
    assert [email for email, times in reached.items() if times > 1] == []
    assert {email for email, state in became.items() if state == "failed"} <= refused
    assert {became[email] for email in refused} <= {"failed", "unknown"}
    missed = {email for email, state in became.items() if state == "sent"} - set(reached)
    assert missed == set()
    assert set(reached) & refused == set()
    return Counter(became.values())


@pytest.mark.parametrize("workers", [2, 4])
def test_e18_killed_at_random_nobody_is_missed_and_nobody_doubled(stage, server, workers):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    stage.run("write_letter", PEOPLE)
    emails = [f"reader-{number}@example.net" for number in range(PEOPLE)]
    odd = dice.sample(emails, PEOPLE // 10)
    refused, later, dropped = odd[::3], odd[1::3], odd[2::3]
    server.answers = {
        **dict.fromkeys(refused, "550 No such mailbox"),
        **dict.fromkeys(later, "once 451 Try again later"),
        **dict.fromkeys(dropped, "drop"),
    }
    kills = 0
    while kills < KILLS:
        jobs = [["deliver", server.port, 20, dice.choice([0, 0, 1])] for _ in range(workers)]
        processes = [stage.start(*job) for job in [["settle_letters"], *jobs]]
        wait_for(server, len(server.got) + dice.randint(0, PEOPLE * workers // KILLS))
        time.sleep(dice.uniform(0, 0.005))
        for process in processes:
            os.kill(process, signal.SIGKILL)
        killed = [stage.end(process) for process in processes].count(-signal.SIGKILL)
        kills += killed
        let_time_pass(stage)
        if not {"queued", None} & set(states(stage).values()):
            break
        if stage.sql("SELECT status FROM newsletter_issue") == [("paused",)]:
            stage.run("resume")  # some drops came in a row; a person looks
    status = finish(stage, server)
    for _look in range(len(dropped)):  # what is left drops the line each time: a person looks
        if status != "paused":
            break
        stage.run("resume")
        status = finish(stage, server)

    count = hold(stage, server, refused=set(refused))
    assert status == "sent"
    assert count["unknown"] <= kills + len(dropped)
    assert kills >= 50 or not IS_THOROUGH
    print(f"{kills} kills, {dict(count)}")


def test_a_server_that_hangs_after_the_text(stage, server):
    stage.run("write_letter", 30)
    server.answers = dict.fromkeys((f"reader-{n}@example.net" for n in (3, 17)), "hang")
    stage.run("settle_letters")
    workers = [stage.start("deliver", server.port) for _ in range(2)]
    assert [stage.end(worker) for worker in workers] == [0, 0]
    assert finish(stage, server) == "sent"
    assert hold(stage, server, people=30) == {"sent": 28, "unknown": 2}


def test_a_database_from_yesterday_sends_nothing_twice(stage, server):
    """Its file is copied while the letter goes out, and copied back once it has arrived."""
    stage.run("write_letter", 100)
    stage.run("settle_letters")
    worker = stage.start("deliver", server.port)
    wait_for(server, 20)
    copy = stage.folder / "copy.sqlite3"
    with closing(sqlite3.connect(stage.database, timeout=20)) as source, closing(
        sqlite3.connect(copy)
    ) as target:  # fmt: skip
        source.backup(target)
    wait_for(server, 60)
    os.kill(worker, signal.SIGKILL)
    stage.end(worker)
    for path in stage.folder.glob("site.sqlite3*"):
        path.unlink()
    shutil.copy(copy, stage.database)
    queued = {email for email, state in states(stage).items() if state == "queued"}
    assert 20 < len(queued) <= 80
    time.sleep(0.1)
    arrived = len(server.got)
    forgotten = queued & set(server.reached)

    stage.run("deliver", server.port)

    assert len(server.got) == arrived  # nothing goes before a person has looked
    assert stage.sql("SELECT status FROM newsletter_issue") == [("paused",)]
    stage.run("resume")
    assert finish(stage, server) == "sent"
    assert hold(stage, server, people=100).keys() == {"sent", "unknown"}
    unknown = {email for email, state in states(stage).items() if state == "unknown"}
    assert forgotten
    assert forgotten <= unknown
    assert len(unknown - forgotten) <= 2  # what was in flight: at the kill, and in the copy
