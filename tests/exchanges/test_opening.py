"""Archives that were brought are opened by a job, whatever happens to it meanwhile."""

import contextlib
import datetime as dt
import errno
import io
import threading
import uuid
import zipfile
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import connection
from PIL import Image

from exchanges.models import Batch, Photo, Upload
from exchanges.opening import LEASE, MOST_ATTEMPTS, PAUSE, open_waiting
from exchanges.receiving import PATIENCE, receive

pytestmark = pytest.mark.django_db(transaction=True)
NO_PICTURE = (
    "This file is not a picture that we can read. Use JPEG, PNG, WebP, HEIC, AVIF, GIF or TIFF."
)
OUTSIDE = "The name of this file points to a place outside the ZIP."


def picture(number: int = 0) -> bytes:
    """A JPEG unlike that of every other number."""
    buffer = io.BytesIO()
    Image.new("RGB", (60 + number, 40), "#8a6b4d").save(buffer, "JPEG")
    return buffer.getvalue()


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def batch(make_gallery) -> Batch:
    return Batch.objects.create(gallery=make_gallery(), credit="Photos: Ann Lee", people="adults")


@pytest.fixture
def no_queue(settings):
    """A queue that loses every job: nothing happens until the clock's run."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}


def bring(batch: Batch, content: bytes, name: str = "all.zip") -> Upload:
    return receive(batch=batch, file=ContentFile(content), name=name, key=uuid.uuid4())


def outcomes(batch: Batch) -> list[tuple[str, str]]:
    return [(upload.name, upload.words) for upload in batch.uploads.order_by("pk")]


def stored_files(settings) -> list[str]:
    """The folder of each file in private storage, but for what jobs made."""
    root = Path(settings.PRIVATE_MEDIA_ROOT)
    folders = [path.relative_to(root).parts[0] for path in root.rglob("*") if path.is_file()]
    return sorted(folder for folder in folders if folder != "renditions")


def test_each_file_of_an_archive_has_its_outcome(batch, settings):
    files = {
        "day 1/IMG_1.jpg": picture(1),
        "day 2/IMG_1.jpg": picture(2),
        "copy.jpg": picture(2),
        "notes.txt": b"text",
        "../../passwd.jpg": picture(3),
        "__MACOSX/._IMG_1.jpg": b"left by a Mac",
    }
    upload = bring(batch, archive(files))
    assert outcomes(batch) == [
        ("all.zip", "5 files were in it."),
        ("IMG_1.jpg", "Stored"),
        ("IMG_1.jpg", "Stored"),
        ("copy.jpg", "The same picture is in “The album” already, as IMG_1.jpg."),
        ("notes.txt", NO_PICTURE),
        ("passwd.jpg", OUTSIDE),
    ]
    assert set(batch.uploads.exclude(pk=upload.pk).values_list("archive", flat=True)) == {upload.pk}
    photo = Photo.objects.first()
    assert (photo.gallery, photo.picture_credit, photo.people) == (
        batch.gallery, "Photos: Ann Lee", "adults",
    )  # fmt: skip
    assert stored_files(settings) == ["originals"] * 3  # the archive itself is gone


def test_archive_that_is_refused_says_why_and_goes(batch, settings):
    bring(batch, archive({f"{n}.txt": b"" for n in range(501)}))
    bring(batch, b"PK\3\4 and then nothing that makes sense", "broken.zip")
    assert outcomes(batch) == [
        ("all.zip", "This ZIP has more than 500 files: please make several smaller ones."),
        ("broken.zip", "This is not a ZIP file, or a part of it is missing."),
    ]
    assert stored_files(settings) == []


def test_photos_are_not_doubled_by_an_archive_of_what_is_here(batch):
    receive(batch=batch, file=ContentFile(picture(1)), name="IMG_1.jpg", key=uuid.uuid4())
    bring(batch, archive({"IMG_1.jpg": picture(1), "IMG_2.jpg": picture(2)}))
    assert outcomes(batch) == [
        ("IMG_1.jpg", "Stored"),
        ("all.zip", "2 files were in it."),
        ("IMG_2.jpg", "Stored"),
    ]


def test_archive_waits_for_the_clock_where_the_queue_is_down(batch, no_queue):
    upload = bring(batch, archive({"IMG_1.jpg": picture(1)}))
    assert upload.state == "waiting"
    assert (open_waiting(), open_waiting()) == (1, 0)
    assert Photo.objects.count() == 1


class Killed(BaseException):
    """What a job does not survive."""


class BreaksAtTheThird(FileSystemStorage):
    """Stores two originals, then does what `breaks` says."""

    saved = 0
    breaks: BaseException

    def _save(self, name, content):
        cls = type(self)
        if name.startswith("originals/"):
            cls.saved += 1
            if cls.saved == 3:
                raise cls.breaks
        return super()._save(name, content)


@pytest.fixture
def break_at_the_third(settings):
    def switch_on(error: BaseException) -> None:
        BreaksAtTheThird.saved, BreaksAtTheThird.breaks = 0, error
        backend = f"{__name__}.BreaksAtTheThird"
        private = {**settings.STORAGES["private"], "BACKEND": backend}
        settings.STORAGES = {**settings.STORAGES, "private": private}

    return switch_on


FIVE = {
    "1.jpg": picture(1), "../2.jpg": picture(2), "3.jpg": picture(3), "4.jpg": picture(4),
    "5.jpg": picture(5),
}  # fmt: skip
OUTCOME_OF_FIVE = [
    ("1.jpg", "Stored"), ("2.jpg", OUTSIDE), ("3.jpg", "Stored"), ("4.jpg", "Stored"),
    ("5.jpg", "Stored"), ("all.zip", "5 files were in it."),
]  # fmt: skip


def test_killed_job_is_taken_up_where_it_was(batch, settings, no_queue, break_at_the_third):
    """trust.md, Crash: nothing lost, nothing doubled; the work resumes by itself."""
    bring(batch, archive(FIVE))
    break_at_the_third(Killed())
    with pytest.raises(Killed):
        open_waiting()
    assert Photo.objects.count() == 2
    assert open_waiting() == 0  # it is still leased
    settings.CLOCK += LEASE
    assert open_waiting() == 1
    assert sorted(outcomes(batch)) == OUTCOME_OF_FIVE
    assert (Photo.objects.count(), stored_files(settings)) == (4, ["originals"] * 4)


def test_full_disk_leaves_the_archive_for_a_minute_later(
    batch, settings, no_queue, break_at_the_third
):
    bring(batch, archive(FIVE))
    for _time in range(MOST_ATTEMPTS + 1):  # not the archive's fault, so it does not count
        break_at_the_third(OSError(errno.ENOSPC, "No space left on device"))
        BreaksAtTheThird.saved = 2
        assert open_waiting() == 0
        settings.CLOCK += PAUSE
    assert open_waiting() == 1
    assert sorted(outcomes(batch)) == OUTCOME_OF_FIVE


def test_archive_that_takes_its_worker_down_is_given_up(
    batch, settings, no_queue, break_at_the_third
):
    bring(batch, archive(FIVE))
    for _time in range(MOST_ATTEMPTS):
        break_at_the_third(Killed())
        BreaksAtTheThird.saved = 2
        with pytest.raises(Killed):
            open_waiting()
        settings.CLOCK += LEASE
    assert open_waiting() == 1
    assert Upload.objects.get(name="all.zip").words == (
        "This ZIP could not be opened, not even at the third try."
    )
    assert stored_files(settings) == []


def test_archive_that_gets_further_with_each_try_is_not_given_up(
    batch, settings, no_queue, break_at_the_third
):
    """A machine that restarts often is not the archive's fault."""
    many = {f"{n}.jpg": picture(n) for n in range(2 * (MOST_ATTEMPTS + 1))}
    bring(batch, archive(many))
    for _time in range(MOST_ATTEMPTS + 1):
        break_at_the_third(Killed())
        with contextlib.suppress(Killed):  # the last one has nothing left to break
            open_waiting()
        settings.CLOCK += LEASE
    open_waiting()
    assert Photo.objects.count() == len(many)
    assert Upload.objects.get(name="all.zip").state == "opened"


def test_archive_on_a_disk_that_comes_back_is_opened(batch, settings, no_queue):
    bring(batch, archive(FIVE))
    disk = Path(settings.PRIVATE_MEDIA_ROOT)
    disk.rename(disk.with_name("unmounted"))
    assert open_waiting() == 0
    disk.with_name("unmounted").rename(disk)
    settings.CLOCK += PAUSE
    assert open_waiting() == 1
    assert sorted(outcomes(batch)) == OUTCOME_OF_FIVE


def test_archive_that_the_storage_lost_says_so_and_may_come_again(batch, settings, no_queue):
    bring(batch, archive(FIVE))
    for path in Path(settings.PRIVATE_MEDIA_ROOT).rglob("*.part"):
        path.unlink()
    settings.CLOCK += PATIENCE
    assert open_waiting() == 1
    assert outcomes(batch) == [("all.zip", "This ZIP was lost. Please add it again.")]
    bring(batch, archive(FIVE))
    assert open_waiting() == 1
    assert Photo.objects.count() == 4


def test_gallery_that_is_deleted_takes_the_waiting_archive_with_it(batch, settings, no_queue):
    bring(batch, archive(FIVE))
    batch.gallery.delete()
    assert open_waiting() == 0
    assert stored_files(settings) == []


def test_two_workers_at_once_open_an_archive_once(batch, no_queue, settings):
    """trust.md, Races: two workers."""
    settings.CLOCK = None  # leases need a clock that goes
    files = {f"{n}.jpg": picture(n) for n in range(20)}
    for number in range(4):
        bring(batch, archive({**files, "notes.txt": b"text %d" % number}), f"{number}.zip")
    done, barrier = [], threading.Barrier(3)

    def work():
        barrier.wait(10)
        done.append(open_waiting())
        connection.close()

    workers = [threading.Thread(target=work) for _number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sum(done) == 4
    assert Photo.objects.count() == 20
    assert batch.uploads.filter(name="notes.txt").count() == 4


@pytest.mark.usefixtures("s3_storages")
def test_archive_is_opened_in_s3(batch):
    bring(batch, archive(FIVE))
    assert sorted(outcomes(batch)) == OUTCOME_OF_FIVE


def test_archive_waits_while_s3_is_down(batch, settings, no_queue, request):
    bring(batch, archive(FIVE))
    request.getfixturevalue("s3_down")
    assert open_waiting() == 0
    upload = Upload.objects.get()
    assert (upload.state, upload.attempts) == ("waiting", 0)
    assert upload.next_try_at <= settings.CLOCK + dt.timedelta(minutes=1)
