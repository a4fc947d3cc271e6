"""Rows and files held against each other (invariant I5), mended, and left alone the second time."""

import datetime as dt
import os
import time
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exchanges.intake import add_anyway, take_in
from exchanges.models import Batch, Gallery, Photo, Upload
from sistercities.pages.models import Page
from sistercities.shared import clock
from sistercities.shared.models import DiscardedFile, Rendering
from sistercities.shared.rendering import AvifTrial, render_waiting
from sistercities.shared.stored_files import PRIVATE, PUBLIC, KeepsFiles, remove_discarded
from sistercities.shared.sweeping import Found, Report, sweep, sweep_public

from .pictures import encoded, quarters

CLEAN = Report()


@pytest.fixture
def page(db, finish_pictures) -> Page:
    """One whose picture has been rendered."""
    page = Page(title="About", slug="about", picture_alt="Words")
    page.picture = ContentFile(encoded(quarters(600, 400), "JPEG"), name="a.jpg")
    page.save()
    finish_pictures()
    page.refresh_from_db()
    return page


@pytest.fixture
def gallery(make_city) -> Gallery:
    return Gallery.objects.create(
        title="Album", slug="album", city=make_city(), status="published",
        publish_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
    )  # fmt: skip


@pytest.fixture
def photo(gallery, picture_file, finish_pictures) -> Photo:
    """One that is public."""
    photo = Photo.objects.create(
        gallery=gallery, picture=picture_file(600, 400), picture_alt="A gate", people="none"
    )
    finish_pictures()
    photo.refresh_from_db()
    assert len(photo.public_files()) == 3
    return photo


def put(storage: str, name: str, *, hours: float = 2) -> Path:
    """A file that was written some hours ago."""
    storages[storage].save(name, ContentFile(b"content"))
    path = Path(storages[storage].path(name))
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


def is_whole(row: KeepsFiles) -> bool:
    row.refresh_from_db()
    return all(storages[PUBLIC].exists(name) for name in row.public_files()) and all(
        storages[PRIVATE].exists(name) for name in row.private_files()
    )


def text(row: KeepsFiles) -> str:
    return f"{row._meta.label} {row.pk}"


# --- files without rows ---------------------------------------------------------------------


def test_nothing_is_found_where_all_is_well(page, photo):
    assert sweep() == CLEAN == sweep(mend=True)
    assert is_whole(page) and is_whole(photo)


def test_a_site_without_files(db, settings):
    assert not settings.MEDIA_ROOT.exists()
    assert sweep(mend=True) == CLEAN


def test_files_that_no_row_names_are_told_and_when_asked_deleted(
    page, photo, django_capture_on_commit_callbacks
):
    stray = put(PUBLIC, "photos/ab/ab34.webp"), put(PRIVATE, "originals/ab/ab34.jpeg")
    lost = put(PUBLIC, "somewhere.webp")
    expected = [
        Found("", "public", "photos/ab/ab34.webp", False),
        Found("", "public", "somewhere.webp", False),
        Found("", "private", "originals/ab/ab34.jpeg", False),
    ]
    report = sweep()
    assert (report.files_without_rows, report.left) == (expected, 3)
    assert all(path.exists() for path in (*stray, lost))
    with django_capture_on_commit_callbacks(execute=True):
        report = sweep(mend=True)
    assert [found.is_mended for found in report.files_without_rows] == [True] * 3
    assert report.left == 0
    assert not any(path.exists() for path in (*stray, lost))
    assert sweep(mend=True) == CLEAN
    assert is_whole(page) and is_whole(photo)


def test_a_file_younger_than_an_hour_is_left_alone(db):
    young = put(PUBLIC, "photos/ab/ab34.webp", hours=0.9)
    assert sweep(mend=True) == CLEAN
    assert young.exists()


def test_what_stands_in_no_listing_is_left_alone(db):
    hidden = put(PUBLIC, ".well-known/file.webp"), put(PUBLIC, "photos/.keep")
    assert sweep(mend=True) == CLEAN
    assert all(path.exists() for path in hidden)


def test_by_itself_it_deletes_public_files_only(db, django_capture_on_commit_callbacks):
    """An original without a row may be one whose row was lost with the database."""
    public, private = put(PUBLIC, "photos/a/a.webp"), put(PRIVATE, "originals/a/a.jpeg")
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep_public() == 1
    assert (public.exists(), private.exists()) == (False, True)


def test_what_a_killed_job_left_where_the_next_one_writes_is_left_alone(photo):
    """The renditions' names follow from the original's: a late deletion would hit new files."""
    Photo.objects.update(picture="", picture_width=0)
    Rendering.objects.create(
        label="exchanges.Photo", object_id=photo.pk, original=photo.picture_original
    )
    names = [name for name in photo.private_files() if name != photo.picture_original]
    paths = [put(PRIVATE, name) for name in names]
    assert not [found for found in sweep(mend=True).files_without_rows if found.storage != "public"]
    assert all(path.exists() for path in paths)


def test_an_avif_file_is_left_alone_while_its_trial_waits(page, django_capture_on_commit_callbacks):
    stray = put(PUBLIC, page.picture.name.replace(".webp", ".avif"))
    assert AvifTrial.objects.filter(original=page.picture_original).exists()
    assert sweep(mend=True) == CLEAN
    AvifTrial.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        assert [found.file for found in sweep(mend=True).files_without_rows] == [
            page.picture.name.replace(".webp", ".avif")
        ]
    assert not stray.exists()


def test_a_file_that_passes_from_row_to_row_during_the_sweep_stays(gallery, picture_file):
    """A duplicate is added when the photos have been looked at and the uploads have not."""
    batch = Batch.objects.create(gallery=gallery, credit="x")
    file = picture_file()
    for name in ("a.jpg", "b.jpg"):
        take_in(batch=batch, file=file, size=file.size, name=name)
    upload = Upload.objects.get(state="duplicate")
    path = Path(storages[PRIVATE].path(upload.original))
    os.utime(path, (0, 0))

    def add_between(execute, sql, params, many, context):
        nonlocal upload
        if upload and 'FROM "exchanges_upload"' in sql:
            waiting, upload = upload, None
            add_anyway(waiting)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(add_between):
        assert sweep(mend=True).files_without_rows == []
    remove_discarded()
    assert upload is None
    assert path.exists()


# --- rows without files ---------------------------------------------------------------------


def test_a_lost_public_file_is_made_again(page, django_capture_on_commit_callbacks):
    lost = page.public_files()[1]
    storages[PUBLIC].delete(lost)
    assert sweep().rows_without_files == [Found(text(page), "public", lost, False)]
    assert sweep(mend=True).rows_without_files == [Found(text(page), "public", lost, True)]
    assert sweep(mend=True) == CLEAN  # it waits for its job
    with django_capture_on_commit_callbacks(execute=True):
        assert render_waiting() == 1
    assert is_whole(page)
    assert sweep(mend=True) == CLEAN


def test_a_photos_lost_copies_come_back_at_a_fresh_address(photo, finish_pictures):
    before = photo.public_files()
    storages[PUBLIC].delete(before[0])
    assert sweep(mend=True).rows_without_files == [Found(text(photo), "public", before[0], True)]
    remove_discarded()
    assert not any(storages[PUBLIC].exists(name) for name in before)
    finish_pictures()
    assert is_whole(photo)
    assert set(photo.public_files()).isdisjoint(before)
    assert sweep(mend=True) == CLEAN


def test_a_photos_lost_renditions_are_made_again(photo, finish_pictures):
    renditions = [name for name in photo.private_files() if name.startswith("renditions/")]
    for name in renditions:
        storages[PRIVATE].delete(name)
    report = sweep(mend=True)
    assert report.rows_without_files == [
        Found(text(photo), "private", name, True) for name in renditions
    ]
    finish_pictures()
    remove_discarded()
    assert is_whole(photo) and photo.picture
    assert sweep(mend=True) == CLEAN


def test_all_public_files_are_lost_and_come_back(page, photo, finish_pictures, settings):
    settings.MEDIA_ROOT.rename(settings.MEDIA_ROOT.with_name("gone"))
    assert sweep(mend=True).left == 0
    finish_pictures()
    assert is_whole(page) and is_whole(photo) and photo.picture
    assert sweep(mend=True) == CLEAN


def test_a_lost_original_is_told_each_time_and_what_is_shown_stays(page, photo):
    for row in (page, photo):
        storages[PRIVATE].delete(row.picture_original)
    expected = {Found(text(row), "private", row.picture_original, False) for row in (page, photo)}
    for mend in (False, True, True):
        report = sweep(mend=mend)
        assert (set(report.rows_without_files), report.left) == (expected, 2)
    for row in (page, photo):
        row.refresh_from_db()
        assert row.picture


def test_a_photo_that_lost_original_and_copies_is_published_from_its_renditions(
    photo, finish_pictures
):
    storages[PRIVATE].delete(photo.picture_original)
    for name in photo.public_files():
        storages[PUBLIC].delete(name)
    report = sweep(mend=True)
    assert (report.left, len(report.rows_without_files)) == (1, 4)
    finish_pictures()
    photo.refresh_from_db()
    assert photo.picture and all(storages[PUBLIC].exists(name) for name in photo.public_files())


def test_a_photo_that_lost_everything_is_shown_no_more(photo, finish_pictures):
    public = photo.public_files()
    for storage, names in ((PUBLIC, public), (PRIVATE, photo.private_files())):
        for name in names:
            storages[storage].delete(name)
    left = sweep(mend=True).left
    finish_pictures()
    photo.refresh_from_db()
    assert (photo.picture, left) == ("", len(photo.private_files()))
    assert sweep(mend=True).left == left


def test_a_duplicate_whose_file_is_lost_is_told(gallery):
    upload = Upload.objects.create(
        batch=Batch.objects.create(gallery=gallery, credit="x"), name="a.jpg",
        state="duplicate", original="originals/ab/ab34.jpeg",
    )  # fmt: skip
    expected = [Found(text(upload), "private", "originals/ab/ab34.jpeg", False)]
    assert sweep(mend=True).rows_without_files == expected


# --- work that got stuck --------------------------------------------------------------------


def test_an_upload_that_nobody_renders_gets_its_job(page, finish_pictures):
    page.picture = ContentFile(encoded(quarters(), "JPEG"), name="a.jpg")
    page.picture_is_cleared = True
    page.save()
    page.picture = ContentFile(encoded(quarters(), "JPEG"), name="a.jpg")
    page.save()
    remove_discarded()
    Rendering.objects.all().delete()
    expected = Found(text(page), "private", page.picture_original, False)
    assert sweep().stuck == [expected]
    assert [found.is_mended for found in sweep(mend=True).stuck] == [True]
    assert sweep(mend=True) == CLEAN
    finish_pictures()
    assert is_whole(page) and page.picture


@pytest.mark.parametrize("hours", [-2, 24 * 365])
def test_a_job_that_is_late_or_a_year_ahead_is_due_now(page, hours):
    page.picture = ContentFile(encoded(quarters(), "JPEG"), name="a.jpg")
    page.save()
    remove_discarded()
    Rendering.objects.update(next_try_at=clock.now() + dt.timedelta(hours=hours))
    assert [found.row for found in sweep().stuck] == [text(page)]
    sweep(mend=True)
    assert sweep(mend=True) == CLEAN
    assert render_waiting() == 1


def test_a_deletion_that_fails_for_an_hour_is_told(db, settings):
    (settings.MEDIA_ROOT / "photos" / "xx.webp" / ".inside").mkdir(parents=True)
    DiscardedFile.objects.create(
        storage=PUBLIC, name="photos/xx.webp", discarded_at=clock.now() - dt.timedelta(hours=2)
    )
    expected = [Found("", "public", "photos/xx.webp", False)]
    assert sweep().stuck == expected == sweep(mend=True).stuck


# --- rows from before originals had names of their own --------------------------------------


def make_earlier(row) -> tuple[str, str]:
    """As an earlier version left it: two public files, the upload under the same stem."""
    for storage, names in ((PUBLIC, row.public_files()), (PRIVATE, row.private_files())):
        for name in names:
            if name != row.picture_original:
                storages[storage].delete(name)
    with storages[PRIVATE].open(row.picture_original) as file:
        original = storages[PRIVATE].save("pictures/ab/ab34.jpeg", ContentFile(file.read()))
    storages[PRIVATE].delete(row.picture_original)
    for name in ("pictures/ab/ab34.webp", "pictures/ab/ab34-800.webp"):
        put(PUBLIC, name)
    type(row).objects.filter(pk=row.pk).update(picture="pictures/ab/ab34.webp", picture_original="")
    Rendering.objects.all().delete()
    AvifTrial.objects.all().delete()
    return "pictures/ab/ab34.webp", original


def test_an_earlier_picture_is_shown_until_it_is_rendered_anew(page, finish_pictures):
    shown, original = make_earlier(page)
    assert [found.file for found in sweep().stuck] == [original]
    sweep(mend=True)
    page.refresh_from_db()
    assert (page.picture, page.picture_original) == (shown, original)
    finish_pictures()
    remove_discarded()
    assert is_whole(page)
    assert not storages[PUBLIC].exists(shown)
    assert sweep(mend=True) == CLEAN


@pytest.mark.parametrize("is_settled_first", [False, True])
def test_an_earlier_photo_waits_for_the_answer_who_is_in_it(
    photo, finish_pictures, is_settled_first
):
    """Nobody was asked then. Its original is not lost when the clock takes it back first."""
    shown, original = make_earlier(photo)
    Photo.objects.update(people="")
    if is_settled_first:
        finish_pictures()
    sweep(mend=True)
    remove_discarded()
    sweep(mend=True)
    finish_pictures()
    photo.refresh_from_db()
    assert (photo.picture, photo.picture_original, photo.picture_width) == ("", original, 600)
    assert storages[PUBLIC].listdir("pictures/ab")[1] == []
    Photo.objects.update(people="none")
    finish_pictures()
    assert is_whole(photo) and photo.picture
    assert sweep(mend=True) == CLEAN


def test_an_earlier_picture_without_its_upload_is_left_as_it_is(page):
    make_earlier(page)
    storages[PRIVATE].delete("pictures/ab/ab34.jpeg")
    assert sweep(mend=True).stuck == []
    page.refresh_from_db()
    assert page.picture == "pictures/ab/ab34.webp"


# --- elsewhere ------------------------------------------------------------------------------


def test_it_works_in_s3(s3_storages, page, photo, finish_pictures, monkeypatch):
    """Whose clock is its own: the files are made old by making an hour short."""
    from sistercities.shared import sweeping

    assert sweep(mend=True) == CLEAN
    storages[PUBLIC].delete(page.public_files()[0])
    storages[PUBLIC].delete(photo.public_files()[0])
    storages[PUBLIC].save("photos/ab/ab34.webp", ContentFile(b"content"))
    monkeypatch.setattr(sweeping, "YOUNG", dt.timedelta(hours=-1))
    report = sweep(mend=True, spare=[PRIVATE])
    assert (len(report.rows_without_files), report.left) == (2, 0)
    assert [found.file for found in report.files_without_rows] == ["photos/ab/ab34.webp"]
    finish_pictures()
    remove_discarded()
    assert not storages[PUBLIC].exists("photos/ab/ab34.webp")
    assert is_whole(page) and is_whole(photo) and photo.picture


def test_a_server_that_does_not_answer_changes_nothing(page, photo, s3_down):
    with pytest.raises(Exception, match="Could not connect"):
        sweep(mend=True)
    assert not DiscardedFile.objects.exists()
    assert not Rendering.objects.exists()


def test_the_questions_do_not_grow_with_the_rows(page, photo):
    """A row that is whole costs no question of its own."""

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert sweep(mend=True) == CLEAN
        return len(asked)

    before = questions()
    Photo.objects.bulk_create(
        Photo(gallery=photo.gallery, picture_alt=str(number)) for number in range(120)
    )
    assert questions() == before
