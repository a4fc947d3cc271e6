"""Processes killed at any moment, again and again: nothing is lost, nothing doubled (trust.md,
Crash; invariants I5, I6 and I7)."""

import io
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from PIL import Image

from tests.thoroughness import rounds

pytestmark = pytest.mark.xdist_group("faults")  # one site for all of them
KILLS = rounds(10, in_ci=15, thorough=60)
LONGEST = 0.06  # seconds until they are killed: most jobs take longer
KINDS = [
    "intake", "intake", "intake", "render", "render", "render", "clock", "clock", "answer",
    "replace", "decide", "sweep", "compress", "build",
]  # fmt: skip
OUTCOMES = {  # what may become of a file, and whether there is a photo of it
    "good": {("stored", True)},
    "twin": {("stored", True), ("left_out", False)},
    "bad": {("refused", False)},
}
numbers = count(1)


def jpeg(number: int) -> bytes:
    """A small picture that there is only once."""
    buffer = io.BytesIO()
    picture = Image.new("RGB", (40, 30), (number % 256, number // 256, 90))
    picture.save(buffer, "JPEG", comment=b"No. %d" % number)
    return buffer.getvalue()


def evening(folder: Path) -> dict[str, str]:
    """What a volunteer brings: good pictures, one of them twice, a damaged one and a letter.

    By name, what must become of it.
    """
    folder.mkdir()
    expected = {}
    for number in (first := next(numbers), next(numbers), next(numbers)):
        (folder / f"good-{number}.jpg").write_bytes(jpeg(number))
        expected[f"good-{number}.jpg"] = "good"
    (folder / f"twin-{first}.jpg").write_bytes(jpeg(first))
    (folder / f"good-{first}.jpg").rename(folder / f"twin-of-{first}.jpg")
    del expected[f"good-{first}.jpg"]
    expected |= {f"twin-{first}.jpg": "twin", f"twin-of-{first}.jpg": "twin"}
    whole = jpeg(number := next(numbers))
    (folder / f"damaged-{number}.jpg").write_bytes(whole[: -len(whole) // 3])
    (folder / f"letter-{number}.jpg").write_bytes(b"Dear friends, No. %d" % number)
    return {**expected, f"damaged-{number}.jpg": "bad", f"letter-{number}.jpg": "bad"}


def test_killed_at_random_points_nothing_is_lost_and_nothing_doubled(stage, tmp_path):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    dice = random.Random(seed)
    answers, covers = tmp_path / "answers", tmp_path / "covers"
    covers.mkdir()
    for number in (next(numbers) for _ in range(4)):
        (covers / f"{number}.jpg").write_bytes(jpeg(number))
    expected: dict[str, str] = {}
    evenings: list[Path] = []
    turns = kills = 0
    while kills < KILLS:
        turns += 1
        if turns % 4 == 1:
            evenings.append(tmp_path / f"evening-{turns}")
            expected |= evening(evenings[-1])
        arguments = {"intake": [evenings[-1], answers], "replace": [covers]}
        processes = [stage.start(kind, *arguments.get(kind, [])) for kind in dice.sample(KINDS, 2)]
        time.sleep(dice.uniform(0, LONGEST))
        for process in processes:
            os.kill(process, signal.SIGKILL)
        kills += [stage.end(process) for process in processes].count(-signal.SIGKILL)
        stage.let_leases_end()

    answered = answers.read_text().split()
    for folder in evenings:  # a sender that had no answer to all sends all again
        stage.run("intake", folder, answers)
    stage.run("replace", covers)
    for job in ("decide", "render", "answer", "answer", "clock", "compress"):
        stage.run(job)
    stage.let_files_age()
    for job in ("sweep", "render", "clock", "compress", "build"):
        stage.run(job)
    said = stage.report()

    became: dict[str, list[str]] = {}
    for upload in said["uploads"]:
        kind = expected[upload["name"]]
        became.setdefault(upload["name"], []).append(kind)
        assert (upload["state"], bool(upload["photo"])) in OUTCOMES[kind], upload
    assert set(answered) <= set(became)
    assert became == {name: [kind] for name, kind in expected.items()}
    photos = said["photos"]
    assert len({photo["upload"] for photo in photos}) == len(photos)
    twins = Counter(photo["sha256"] for photo in photos).values()
    assert set(twins) <= {1, 2}
    assert all(photo["picture_width"] for photo in photos)
    assert said["page"] == [[40, ""]]
    assert_whole(stage, said)
    assert 0 < said["published"] == said["publishable"]
    assert said["archives"] == [said["published"]]


def assert_whole(stage, said: dict) -> None:
    """I5: each row has its files and each file its row; I6; I7; and no work is left."""
    assert stage.files(stage.media) == set(said["public"])
    assert stage.files(stage.originals) == set(said["private"])
    assert len(set(said["private"])) == len(said["private"])
    assert (said["integrity"], said["foreign_keys"]) == ([["ok"]], [])
    assert said["public_though_not_publishable"] == 0
    assert said["work"] == 0


def test_killed_while_photos_are_taken_back_none_stays_public(stage, tmp_path):
    """I7: what a killed process left undone, the next minute's run does; no sweeper needed."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (next(numbers) for _ in range(12)):
        (folder / f"{number}.jpg").write_bytes(jpeg(number))
    stage.run("intake", folder, tmp_path / "answers")
    stage.run("render")
    kills = 0
    while kills < 10:
        stage.run("allow")
        stage.run("clock")
        assert len(stage.files(stage.media)) == 12 * 2
        process = stage.start("withdraw")
        time.sleep(random.uniform(0, 0.04))
        os.kill(process, signal.SIGKILL)
        kills += stage.end(process) == -signal.SIGKILL
        stage.sql("UPDATE exchanges_photo SET people = ''")
        stage.run("clock")
        assert stage.files(stage.media) == set()
    assert stage.row_files() == stage.all_files()


def test_a_consent_taken_back_leaves_the_files_of_a_killed_process_to_the_next_run(stage):
    """trust.md, Crash; I7: killed after the transaction, before the first file is deleted."""
    stage.run("publish_a_child")
    assert len(stage.files(stage.media)) == 5
    assert stage.end(stage.start("withdraw_consent_and_die")) == -signal.SIGKILL
    withdrawn = "SELECT count(*) FROM exchanges_guardianconsent WHERE withdrawn_at IS NOT NULL"
    assert stage.sql(withdrawn) == [(1,)]
    assert stage.sql("SELECT count(*) FROM exchanges_photo WHERE picture <> ''") == [(0,)]
    assert len(stage.files(stage.media)) == 5
    stage.run("clock")
    assert stage.files(stage.media) == set()


@pytest.fixture
def slow_photo(stage, tmp_path) -> Path:
    """A photo that takes a good while to decode, stored and waiting."""
    folder = tmp_path / "photos"
    folder.mkdir()
    picture = Image.radial_gradient("L").resize((7000, 5000)).convert("RGB")
    picture.save(folder / "slow.jpg", "JPEG")
    stage.run("intake", folder, tmp_path / "answers")
    return folder


def until(found: Callable[[], int]) -> int:
    """What `found` answers once it finds something."""
    for _try in range(3000):
        if answer := found():
            return answer
        time.sleep(0.01)
    raise AssertionError("It did not happen.")


def start_and_find(stage, *, is_apart: bool) -> tuple[int, int]:
    """A worker that has the photo in hand: its process and the one that decodes."""
    attempts = "SELECT attempts FROM shared_rendering"
    before = stage.sql(attempts)
    worker = stage.start("render")
    until(lambda: stage.sql(attempts) != before)
    return worker, until(lambda: decoder_of(worker)) if is_apart else worker


def decoder_of(worker: int) -> int:
    """The process that it has started to decode a picture; 0 if there is none."""
    for child in Path(f"/proc/{worker}/task/{worker}/children").read_text().split():
        if b"images import answer" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    return 0


def test_a_photo_that_kills_its_worker_is_given_up_at_the_third_try(stage, slow_photo):
    for _try in range(2):
        worker, _same = start_and_find(stage, is_apart=False)
        os.kill(worker, signal.SIGKILL)
        assert stage.end(worker) == -signal.SIGKILL
        stage.let_leases_end()
    worker, decoder = start_and_find(stage, is_apart=True)
    os.kill(decoder, signal.SIGKILL)
    assert stage.end(worker) == 0  # the worker lives
    said = stage.report()
    assert [(upload["state"], upload["reason"]) for upload in said["uploads"]] == [
        ("refused", "This picture takes more than our computer has to give.")
    ]
    assert (said["photos"], said["work"], stage.all_files()) == ([], 0, (set(), set()))


def test_a_worker_that_is_stopped_many_times_costs_no_photo(stage, slow_photo):
    for number in range(4):
        worker, _decoder = start_and_find(stage, is_apart=number >= 2)
        os.kill(worker, signal.SIGKILL)
        assert stage.end(worker) == -signal.SIGKILL
        stage.let_leases_end()
    stage.run("render")
    (photo,) = stage.report()["photos"]
    assert photo["picture_width"] == 1600
    assert stage.row_files() == stage.all_files()
