"""The one door for photos: each file becomes a row, here already, or refused with a sentence."""

import datetime as dt
import io
import uuid

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import OperationalError, connection
from PIL import ExifTags, Image

from exchanges.intake import add_anyway, leave_out, take_in
from exchanges.models import Batch, CameraClock, Photo, Upload
from sistercities.shared.models import DiscardedFile, Rendering
from sistercities.shared.rendering import render_waiting
from sistercities.shared.stored_files import PRIVATE, remove_discarded
from tests.shared.pictures import camera_notes, encoded, quarters

State = Upload.State


@pytest.fixture
def batch(make_gallery) -> Batch:
    return Batch.objects.create(
        gallery=make_gallery(), credit="Photos: Ann Lee", licence="by", people="adults"
    )


def jpeg(colour: str = "red", **options) -> bytes:
    return encoded(Image.new("RGB", (60, 40), colour), "JPEG", **options)


def bring(batch: Batch, content: bytes, name: str = "IMG_1.jpg", **options) -> Upload:
    file = io.BytesIO(content)
    return take_in(batch=batch, file=file, size=len(content), name=name, **options)


def originals() -> int:
    folders = (
        storages[PRIVATE].listdir("originals")[0] if storages[PRIVATE].exists("originals") else []
    )
    return sum(len(storages[PRIVATE].listdir(f"originals/{folder}")[1]) for folder in folders)


def test_a_photo_is_stored_with_what_was_said_of_all(batch):
    content = jpeg(exif=camera_notes())
    upload = bring(batch, content)
    photo = Photo.objects.get()
    assert (upload.state, upload.photo, upload.reason) == (State.STORED, photo, "")
    assert (upload.bytes, upload.name) == (len(content), "IMG_1.jpg")
    assert (photo.gallery, photo.batch, photo.file_name) == (batch.gallery, batch, "IMG_1.jpg")
    assert (photo.picture_credit, photo.licence, photo.people) == (
        "Photos: Ann Lee",
        "by",
        "adults",
    )
    assert photo.camera == "SecretCam SERIAL-12345"
    assert (photo.latitude, photo.longitude) == (41.125, -121.14)
    with storages[PRIVATE].open(photo.picture_original) as file:
        assert file.read() == content
    assert Rendering.objects.get().original == photo.picture_original
    assert (photo.picture, photo.picture_width) == ("", 0)


def test_its_moment_is_read_by_the_clock_of_the_visited_city(batch):
    """The camera said 10:11; in Jinzhou that is 02:11 in London."""
    bring(batch, jpeg(exif=camera_notes()))
    moment = dt.datetime(2013, 9, 8, 2, 11, 12, tzinfo=dt.UTC)
    photo = Photo.objects.get()
    assert (photo.taken_at, photo.camera_time) == (moment, moment)
    assert photo.clock_zone == "Asia/Shanghai"


def test_the_cameras_own_offset_goes_before(batch):
    exif = camera_notes()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.OffsetTimeOriginal] = "-06:00"
    bring(batch, jpeg(exif=exif))
    photo = Photo.objects.get()
    assert photo.taken_at == dt.datetime(2013, 9, 8, 16, 11, 12, tzinfo=dt.UTC)
    assert photo.clock_zone == ""


def test_a_camera_whose_clock_is_known_to_be_wrong_is_put_right(batch):
    CameraClock.objects.create(
        gallery=batch.gallery, camera="SecretCam SERIAL-12345", shift=dt.timedelta(hours=1)
    )
    bring(batch, jpeg(exif=camera_notes()))
    photo = Photo.objects.get()
    assert photo.taken_at - photo.camera_time == dt.timedelta(hours=1)


def test_consents_of_the_batch_are_those_of_the_photo(batch, make_consent):
    batch.consents.add(make_consent("Mia"), make_consent("Leo"))
    bring(batch, jpeg())
    assert {consent.child for consent in Photo.objects.get().consents.all()} == {"Mia", "Leo"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\Ann\\IMG 1.jpg", "IMG 1.jpg"),
        ("/absolute/IMG.jpg", "IMG.jpg"),
        ("gpj.\u202egpj.exe", "gpj.gpj.exe"),
        ("x" * 300 + ".jpeg", "x" * 114 + "….jpeg"),
        ("😀🎎.jpg", "😀🎎.jpg"),
        ("锦州 古塔.jpg", "锦州 古塔.jpg"),
        ("a\x00b\nc.jpg", "abc.jpg"),
        ("..", "picture"),
        ("", "picture"),
    ],
)
def test_a_files_name_is_for_people_only(batch, name, kept):
    upload = bring(batch, jpeg(), name)
    assert (upload.name, upload.photo.file_name) == (kept, kept)
    assert upload.photo.picture_original.count("/") == 2
    assert upload.photo.picture_original.endswith(".jpeg")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "This file is empty."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "This file is not a picture that we can"),
        (b"MZ\x90\x00", "This file is not a picture that we can read."),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(batch, content, sentence):
    upload = bring(batch, content)
    assert (upload.state, upload.photo) == (State.REFUSED, None)
    assert upload.reason.startswith(sentence)
    assert (Photo.objects.count(), originals()) == (0, 0)


def test_a_damaged_photo_goes_when_it_is_decoded_and_the_others_stay(batch):
    whole = encoded(quarters(500, 400), "JPEG")
    good, damaged = bring(batch, jpeg()), bring(batch, whole[: len(whole) // 2], "bad.jpg")
    assert damaged.state == State.STORED  # nothing is decoded in a request
    assert render_waiting() == 1
    remove_discarded()
    good.refresh_from_db()
    damaged.refresh_from_db()
    assert (damaged.state, damaged.photo) == (State.REFUSED, None)
    assert damaged.reason == (
        "This picture is damaged: it ends or breaks before all of it could be read."
    )
    assert (good.photo.picture_width, Photo.objects.count(), originals()) == (60, 1, 1)


def test_a_photo_whose_new_picture_is_damaged_keeps_its_words(batch):
    photo = bring(batch, jpeg()).photo
    render_waiting()
    photo.refresh_from_db()
    whole = encoded(quarters(500, 400), "JPEG")
    photo.picture_alt = "A gate"
    photo.picture = ContentFile(whole[: len(whole) // 2], name="a.jpg")
    photo.save()
    render_waiting()
    photo.refresh_from_db()
    assert (photo.picture_alt, photo.picture_width) == ("A gate", 0)
    assert photo.picture_problem.startswith("This picture is damaged")


# --- once, and once again -------------------------------------------------------------------


def test_a_sender_that_lost_the_answer_repeats(batch):
    key = uuid.uuid4()
    first = bring(batch, jpeg(), key=key)
    assert bring(batch, jpeg(), key=key) == first
    assert bring(batch, jpeg()) == first
    assert (Photo.objects.count(), originals()) == (1, 1)


def test_a_refused_file_that_comes_again_is_one_row(batch):
    assert bring(batch, b"text") == bring(batch, b"text")


def test_two_files_of_one_name_are_two_photos(batch):
    """Every camera begins with IMG_0001."""
    assert bring(batch, jpeg("red")).photo != bring(batch, jpeg("blue")).photo


@pytest.mark.parametrize("how", ["marked", "for good"])
def test_a_photo_that_was_deleted_may_come_again(batch, how):
    photo = bring(batch, jpeg()).photo
    if how == "marked":
        Photo.objects.update(deleted_at=dt.datetime.now(dt.UTC))
    else:
        photo.delete()
    again = bring(batch, jpeg())
    assert again.state == State.STORED
    assert again.photo != photo


def test_the_same_picture_elsewhere_is_offered(batch, make_gallery):
    first = bring(batch, jpeg()).photo
    other = Batch.objects.create(gallery=make_gallery("other"), credit="x")
    upload = bring(other, jpeg(), "again.jpg")
    assert (upload.state, upload.duplicate_of, upload.photo) == (State.DUPLICATE, first, None)
    assert upload.reason == "The same picture is in “The album” already, as IMG_1.jpg."
    assert (Photo.objects.count(), originals()) == (1, 2)


def test_what_is_said_of_a_duplicate_fits_its_column(batch):
    batch.gallery.title = "G" * 120
    batch.gallery.save()
    bring(batch, jpeg(), "x" * 115 + ".jpg")
    upload = bring(batch, jpeg(), "again.jpg")
    assert (len(upload.reason), upload.reason[-1]) == (250, "…")


def test_a_duplicate_is_added_once_however_often_it_is_asked(batch):
    bring(batch, jpeg())
    upload = bring(batch, jpeg(exif=b""), "again.jpg")
    for _again in range(2):
        upload = add_anyway(upload)
    assert (upload.state, upload.reason, upload.original) == (State.STORED, "", "")
    assert (upload.photo.file_name, Photo.objects.count(), originals()) == ("again.jpg", 2, 2)
    assert render_waiting() == 2
    assert leave_out(upload).state == State.STORED


def test_a_duplicate_is_left_out_once_however_often_it_is_asked(batch):
    bring(batch, jpeg())
    upload = bring(batch, jpeg(), "again.jpg")
    for _again in range(2):
        upload = leave_out(upload)
    remove_discarded()
    assert (upload.state, upload.original, originals()) == (State.LEFT_OUT, "", 1)
    assert add_anyway(upload).state == State.LEFT_OUT


# --- when something is not there ------------------------------------------------------------


def test_a_storage_that_cannot_be_written_leaves_nothing(batch, settings):
    settings.PRIVATE_MEDIA_ROOT.write_text("a file where the folder should be")
    with pytest.raises(OSError):
        bring(batch, jpeg())
    assert not Upload.objects.exists()
    settings.PRIVATE_MEDIA_ROOT.unlink()
    assert bring(batch, jpeg()).state == State.STORED


def test_a_server_that_is_away_leaves_nothing(batch, s3_down):
    with pytest.raises(OSError):
        bring(batch, jpeg())
    assert not Upload.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_cannot_be_written_leaves_no_file(batch):
    """tests/faults has a really full one."""

    def refuse(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "exchanges_upload"'):
            raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        bring(batch, jpeg())
    assert (originals(), Photo.objects.count(), Rendering.objects.count()) == (0, 0, 0)
    assert not DiscardedFile.objects.exists()
    assert bring(batch, jpeg()).state == State.STORED


def test_it_is_stored_and_rendered_in_s3(batch, s3_storages):
    photo = bring(batch, jpeg()).photo
    assert render_waiting() == 1
    photo.refresh_from_db()
    assert all(storages[PRIVATE].exists(name) for name in photo.private_files())
