"""No room on the disk: a clear error, nothing half left, and all goes on once there is room."""

from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.xdist_group("faults")  # one site for all of them
ROOM = 1024 * 1024  # enough for the database


@pytest.fixture
def photos(tmp_path) -> Path:
    """One that needs more room than there is, before it is rendered and after."""
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = [Image.effect_noise((1600, 1000), 200) for _ in "rgb"]
    Image.merge("RGB", noise).save(folder / "noise.png", compress_level=1)
    return folder


def test_a_photo_that_does_not_fit_leaves_nothing(stage, photos, tmp_path):
    answers = tmp_path / "answers"
    sender = stage.start("with_room_for", ROOM, "intake", photos, answers)
    assert stage.end(sender) == 1
    assert "OSError: [Errno 27] File too large" in stage.errors()
    assert answers.read_text() == ""
    assert stage.all_files() == (set(), set())
    stage.run("intake", photos, answers)
    assert answers.read_text() == "noise.png\n"
    assert stage.row_files() == stage.all_files()


def test_a_row_that_does_not_fit_leaves_no_file(stage, photos, tmp_path):
    (photos / "noise.png").unlink()
    Image.new("RGB", (40, 30)).save(photos / "small.jpg")
    answers = tmp_path / "answers"
    room = 40_000  # the photo fits, but not what the database writes down of it
    assert stage.end(stage.start("with_room_for", room, "intake", photos, answers)) == 1
    assert "OperationalError" in stage.errors()
    assert stage.all_files() == (set(), set())
    stage.run("intake", photos, answers)
    assert [upload["state"] for upload in stage.report()["uploads"]] == ["stored"]


def test_renditions_that_do_not_fit_wait_and_leave_nothing(stage, photos, tmp_path):
    stage.run("intake", photos, tmp_path / "answers")
    before = stage.all_files()
    for _minute in range(2):
        stage.run("with_room_for", ROOM, "render")
        assert stage.all_files() == before
        stage.let_leases_end()
    stage.run("render")
    (photo,) = stage.report()["photos"]
    assert photo["picture_width"] == 1600
    assert stage.row_files() == stage.all_files()


def test_copies_that_do_not_fit_wait_and_leave_nothing(stage, photos, tmp_path):
    stage.run("intake", photos, tmp_path / "answers")
    for job in ("render", "allow"):
        stage.run(job)
    stage.run("with_room_for", ROOM, "clock")
    assert stage.files(stage.media) == set()
    stage.run("clock")
    said = stage.report()
    assert (said["published"], said["publishable"]) == (1, 1)
    assert stage.row_files() == stage.all_files()
