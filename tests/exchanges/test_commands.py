"""What others call from a shell: import_photos, media_manifest, sweep."""

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command

from exchanges.models import Batch, Gallery, Photo, Upload
from sistercities.pages.models import Page
from sistercities.shared.stored_files import PRIVATE, PUBLIC
from tests.shared.anatomy import strangers
from tests.shared.pictures import SECRETS, encoded, quarters, talkative

NO_PICTURE = (
    "This file is not a picture that we can read. Use JPEG, PNG, WebP, HEIC, AVIF, GIF or TIFF."
)
DAMAGED = "This picture is damaged: it ends or breaks before all of it could be read."


def run(*words: object) -> str:
    out = io.StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue()


def imported(gallery: Gallery, path: Path, *options: str) -> list[dict]:
    lines = run("import_photos", gallery.slug, path, "--json", *options).splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def gallery(make_gallery) -> Gallery:
    return make_gallery()


@pytest.fixture
def folder(tmp_path) -> Path:
    """An evening's folder: good, bad, twice, hidden, linked, and a folder inside."""
    folder = tmp_path / "evening"
    (folder / "Day 2").mkdir(parents=True)
    good = encoded(quarters(500, 400), "JPEG")
    (folder / "a.jpg").write_bytes(good)
    (folder / "b damaged.jpg").write_bytes(good[: len(good) // 2])
    (folder / "c.exe.jpg").write_bytes(b"MZ\x90\x00" + bytes(60))
    (folder / "d again.jpg").write_bytes(good)
    (folder / "e \u202egpj.png").write_bytes(encoded(quarters(), "PNG"))
    (folder / "f.jpg").symlink_to(folder / "a.jpg")
    os.mkfifo(folder / "g.jpg")
    (folder / ".hidden.jpg").write_bytes(good)
    (folder / "Day 2" / "a.jpg").write_bytes(encoded(quarters(90, 60), "JPEG"))
    (folder / "elsewhere").symlink_to("/etc")
    return folder


# --- import_photos --------------------------------------------------------------------------


def test_each_file_of_a_folder_has_its_line_in_order(gallery, folder):
    lines = imported(gallery, folder)
    first, odd, inside = Photo.objects.order_by("pk")
    link = "This is a link or no file at all. Please add the file itself."
    assert lines == [
        {"file": "a.jpg", "result": "stored", "reason": "", "photo": first.pk},
        {"file": "b damaged.jpg", "result": "refused", "reason": DAMAGED, "photo": None},
        {"file": "c.exe.jpg", "result": "refused", "reason": NO_PICTURE, "photo": None},
        {
            "file": "d again.jpg", "result": "duplicate", "photo": first.pk,
            "reason": "The same picture is in “The album” already, as a.jpg.",
        },
        {"file": "e \u202egpj.png", "result": "stored", "reason": "", "photo": odd.pk},
        {"file": "elsewhere", "result": "refused", "reason": link, "photo": None},
        {"file": "f.jpg", "result": "refused", "reason": link, "photo": None},
        {"file": "g.jpg", "result": "refused", "reason": link, "photo": None},
        {"file": "Day 2/a.jpg", "result": "stored", "reason": "", "photo": inside.pk},
    ]  # fmt: skip
    assert [photo.file_name for photo in (first, odd, inside)] == ["a.jpg", "e gpj.png", "a.jpg"]


def test_photos_are_rendered_and_private_until_somebody_says_who_is_in_them(
    gallery, folder, settings
):
    imported(gallery, folder)
    for photo in Photo.objects.all():
        assert (photo.picture, photo.people) == ("", "")
        assert all(storages[PRIVATE].exists(name) for name in photo.private_files())
        assert photo.picture_width
    assert not settings.MEDIA_ROOT.exists()
    assert Batch.objects.get().gallery == gallery


def test_what_holds_for_all_is_said_once(gallery, folder):
    options = ("--credit", "Photos: Ann Lee", "--people", "none", "--licence", "cc0")
    imported(gallery, folder, *options)
    assert set(Photo.objects.values_list("picture_credit", "people", "licence")) == {
        ("Photos: Ann Lee", "none", "cc0")
    }


def test_a_second_run_stores_nothing_twice(gallery, folder):
    imported(gallery, folder)
    results = [line["result"] for line in imported(gallery, folder)]
    assert (results.count("stored"), results.count("duplicate")) == (0, 4)
    assert Photo.objects.count() == 3
    assert Upload.objects.filter(state="duplicate").count() == 5  # offered in the admin


def test_the_files_of_an_archive_have_their_lines(gallery, tmp_path):
    path = tmp_path / "evening.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Day 1/a.jpg", encoded(quarters(), "JPEG"))
        archive.writestr("letter.txt", b"Dear friends")
        archive.writestr("__MACOSX/._a.jpg", b"shadow")
    assert imported(gallery, path) == [
        {"file": "a.jpg", "result": "stored", "reason": "", "photo": Photo.objects.get().pk},
        {"file": "letter.txt", "result": "refused", "reason": NO_PICTURE, "photo": None},
    ]


def test_what_is_no_archive_is_refused(gallery, tmp_path):
    path = tmp_path / "evening.zip"
    path.write_bytes(b"PK\x03\x04 and no more")
    (line,) = imported(gallery, path)
    assert (line["file"], line["result"], line["photo"]) == ("evening.zip", "refused", None)
    assert line["reason"].startswith("This is not a ZIP file")


def test_people_read_lines_and_a_sum(gallery, folder):
    lines = run("import_photos", gallery.slug, folder).splitlines()
    assert lines[0] == "stored\ta.jpg"
    assert lines[4] == "stored\te ?gpj.png"
    assert lines[1] == f"refused\tb damaged.jpg\t{DAMAGED}"
    assert lines[-1] == "3 stored, 1 duplicate, 5 refused"


def test_a_gallery_or_folder_that_is_not_there_ends_it(gallery, folder, tmp_path):
    with pytest.raises(CommandError, match="There is no gallery 'nowhere'") as ended:
        run("import_photos", "nowhere", folder)
    assert ended.value.returncode == 1
    with pytest.raises(CommandError, match="There is no file or folder"):
        run("import_photos", gallery.slug, tmp_path / "nowhere")
    assert not Batch.objects.exists()


def test_a_storage_that_is_away_ends_it_in_words(gallery, folder, s3_down):
    with pytest.raises(CommandError, match="Not finished, please run it again"):
        run("import_photos", gallery.slug, folder)
    assert not Photo.objects.exists()


# --- media_manifest -------------------------------------------------------------------------


def test_every_public_file_stands_in_the_manifest_and_tells_nothing(
    gallery, tmp_path, settings, finish_pictures
):
    """trust.md, Metadata: 0 bytes, in pictures of every format that told all they could."""
    folder = tmp_path / "talkative"
    folder.mkdir()
    for name, content in talkative().items():
        (folder / name).write_bytes(content)
    assert {line["result"] for line in imported(gallery, folder, "--people", "none")} == {"stored"}
    Photo.objects.update(picture_alt="Four colors")
    page = Page(title="About", slug="about", picture_alt="x", picture_credit="x")
    page.picture = ContentFile(talkative()["plain.jpg"], name="a.jpg")
    page.save()
    finish_pictures()
    page.refresh_from_db()
    manifest = json.loads(run("media_manifest", "--json"))
    root = Path(settings.MEDIA_ROOT)
    there = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert {file["file"] for file in manifest} == there
    assert len(manifest) == len(there) == (len(talkative()) + 1) * 3
    for file in manifest:
        content = (root / file["file"]).read_bytes()
        assert strangers(content) == []
        assert not any(secret in content for secret in SECRETS)
        assert (file["bytes"], file["sha256"]) == (
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
    photo = Photo.objects.first()
    assert [(file["width"], file["format"]) for file in manifest if file["photo"] == photo.pk] == [
        (480, "webp"),
        (500, "webp"),
        (500, "jpeg"),
    ]
    of_page = [file for file in manifest if file["row"] == f"pages.Page {page.pk}"]
    assert [file["file"] for file in of_page] == page.public_files()
    assert {file["photo"] for file in of_page} == {None}


def test_a_site_without_pictures_has_an_empty_manifest(db):
    assert json.loads(run("media_manifest", "--json")) == []
    assert run("media_manifest") == ""


def test_the_manifest_leaves_out_what_is_not_public(gallery, bring_photo):
    bring_photo(gallery, "Children", people="minors")
    assert json.loads(run("media_manifest", "--json")) == []


def test_the_manifest_is_read_from_s3(gallery, bring_photo, s3_storages):
    photo = bring_photo(gallery)
    manifest = json.loads(run("media_manifest", "--json"))
    assert [file["file"] for file in manifest] == photo.public_files()
    with storages[PUBLIC].open(photo.public_files()[0]) as file:
        assert manifest[0]["sha256"] == hashlib.sha256(file.read()).hexdigest()


def test_people_read_the_manifest_as_lines(gallery, bring_photo):
    photo = bring_photo(gallery)
    line = run("media_manifest").splitlines()[0].split("\t")
    assert line[:5] == [
        photo.public_files()[0], str(photo.pk), f"exchanges.Photo {photo.pk}", "480", "webp",
    ]  # fmt: skip


# --- sweep ----------------------------------------------------------------------------------


@pytest.fixture
def broken(gallery, bring_photo) -> tuple[Photo, Photo, Path]:
    """A photo without one of its files, one without its original, a file without a row."""
    shown, lost = bring_photo(gallery, "Shown"), bring_photo(gallery, "Lost")
    storages[PUBLIC].delete(shown.public_files()[0])
    storages[PRIVATE].delete(lost.picture_original)
    path = Path(storages[PUBLIC].path("photos/ab/ab34.webp"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"content")
    os.utime(path, (0, 0))
    return shown, lost, path


def test_sweep_tells_and_changes_nothing(broken):
    shown, lost, stray = broken
    report = json.loads(run("sweep", "--json"))
    assert report == {
        "rows_without_files": [
            {
                "row": f"exchanges.Photo {photo.pk}", "storage": storage, "file": file,
                "is_mended": False,
            }
            for photo, storage, file in (
                (shown, "public", shown.public_files()[0]),
                (lost, "private", lost.picture_original),
            )
        ],
        "files_without_rows": [
            {"row": "", "storage": "public", "file": "photos/ab/ab34.webp", "is_mended": False}
        ],
        "stuck": [],
        "left": 3,
    }  # fmt: skip
    assert json.loads(run("sweep", "--json")) == report
    assert stray.exists()


@pytest.mark.django_db(transaction=True)
def test_sweep_mends_at_once_and_the_second_run_changes_nothing(broken):
    shown, lost, stray = broken
    assert json.loads(run("sweep", "--json", "--mend"))["left"] == 1
    shown.refresh_from_db()
    assert shown.picture and all(storages[PUBLIC].exists(name) for name in shown.public_files())
    assert not stray.exists()
    for _again in range(2):
        report = json.loads(run("sweep", "--json", "--mend"))
        assert [found["row"] for found in report["rows_without_files"]] == [
            f"exchanges.Photo {lost.pk}"
        ]
        assert (report["files_without_rows"], report["stuck"], report["left"]) == ([], [], 1)


def test_people_read_what_was_found(broken):
    shown, lost, _stray = broken
    assert run("sweep", "--mend").splitlines() == [
        f"A file is missing\texchanges.Photo {shown.pk}\tpublic:{shown.public_files()[0]}\tmended",
        f"A file is missing\texchanges.Photo {lost.pk}\tprivate:{lost.picture_original}",
        "No row names it\tpublic:photos/ab/ab34.webp\tmended",
        "1 left to mend",
    ]


def test_sweep_says_when_the_storage_does_not_answer(gallery, s3_down):
    with pytest.raises(CommandError, match="Not finished, please run it again"):
        run("sweep", "--mend")


def test_the_nights_work_sweeps_public_files(broken):
    _shown, _lost, stray = broken
    assert "public files that no row names: 1 removed" in run("daily")
    assert "public files that no row names: 0 removed" in run("daily")
    assert not stray.exists()
