"""A gallery's pictures in one ZIP: what it holds, who gets it, when it is made."""

import datetime as dt
import io
import secrets
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from PIL import Image

from exchanges import downloading
from exchanges.models import GalleryArchive, GalleryLink, Photo
from exchanges.tasks import BUILDING, build_archives
from sistercities.shared.stored_files import remove_discarded

ADDRESS = "/galleries/album/photos.zip"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def gallery(site, make_gallery):
    return make_gallery(title="Jinzhou 锦州")


def opened(client, address: str = ADDRESS) -> zipfile.ZipFile:
    response = client.get(address)
    assert response.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(response.getvalue()))
    assert archive.testzip() is None
    return archive


def names(client, address: str = ADDRESS) -> list[str]:
    return opened(client, address).namelist()


def status_of(client, address: str = ADDRESS) -> int:
    response = client.get(address)
    response.getvalue()
    return response.status_code


def kept_files() -> list[Path]:
    """The ZIPs on the disk, after what is discarded has been deleted."""
    remove_discarded()
    root = Path(storages["private"].location) / downloading.FOLDER
    return [path for path in root.rglob("*") if path.is_file()]


def test_it_holds_the_shown_pictures_in_order_with_their_credits(client, gallery, bring_photo):
    bring_photo(
        gallery, "B", order=2, picture_caption="On the bridge", picture_credit="Photo: Ann Lee",
        licence="by",
    )  # fmt: skip
    first = bring_photo(gallery, "A", order=1, picture_caption="古塔 by night")
    bring_photo(gallery, "Secret", people="")
    bring_photo(gallery, "Children", people="minors")
    assert downloading.build_waiting() == 1
    archive = opened(client)
    assert archive.namelist() == ["001 古塔 by night.jpg", "002 On the bridge.jpg", "credits.txt"]
    with storages["private"].open(first.stored_renditions.replace(".webp", ".jpg")) as file:
        assert archive.read("001 古塔 by night.jpg") == file.read()
    assert archive.read("credits.txt").decode() == (
        "Jinzhou 锦州\n\n"
        "001 古塔 by night.jpg\n古塔 by night\nAll rights reserved; we may show it\n\n"
        "002 On the bridge.jpg\nOn the bridge\nPhoto: Ann Lee\n"
        "Creative Commons BY 4.0: anyone may use it and name the author\n"
        "https://creativecommons.org/licenses/by/4.0/\n"
    )
    for entry in archive.infolist():
        assert entry.compress_type == zipfile.ZIP_STORED
        assert entry.date_time == (2026, 11, 21, 0, 0, 0)  # the day of the ZIP, no photo's hour
        assert not entry.extra
    assert archive.infolist()[0].flag_bits & 0x800  # its name is UTF-8


def test_it_tells_nothing_that_the_camera_wrote(client, gallery, finish_pictures):
    """trust.md, Metadata: 0 bytes in anything public."""
    exif = Image.Exif()
    exif[0x010F] = "MAKER-OF-CAMERAS"
    exif.get_ifd(0x8825)[1] = "N"
    buffer = io.BytesIO()
    Image.new("RGB", (900, 60), "#8a6b4d").save(buffer, "JPEG", exif=exif, comment=b"OWNER-ANN")
    assert b"MAKER-OF-CAMERAS" in buffer.getvalue()
    Photo.objects.create(
        gallery=gallery, picture=ContentFile(buffer.getvalue(), name="a.jpg"), picture_alt="A",
        people="none",
    )  # fmt: skip
    finish_pictures()
    downloading.build_waiting()
    content = client.get(ADDRESS).getvalue()
    for sign in (b"MAKER-OF-CAMERAS", b"OWNER-ANN", b"Exif\0\0", b"http://ns.adobe.com"):
        assert sign not in content


@pytest.mark.parametrize(
    ("caption", "name"),
    [
        ("", "001 A gate.jpg"),
        ("../../etc/passwd", "001 etc passwd.jpg"),
        ("C:\\CON", "001 C CON.jpg"),
        ('a<b>:"c"|d?*', "001 a b c d.jpg"),
        ("ends with dots...", "001 ends with dots.jpg"),
        ("\u202egpj.exe", "001 gpj.exe.jpg"),
        ("锦" * 200, f"001 {'锦' * 60}.jpg"),
        ("👩‍👩‍👧 together", "001 👩‍👩‍👧 together.jpg"),
        ("a\tb\nc", "001 a b c.jpg"),
    ],
)
def test_names_are_safe_and_keep_every_script(client, gallery, bring_photo, caption, name):
    bring_photo(gallery, "A gate", picture_caption=caption)
    downloading.build_waiting()
    assert names(client)[0] == name
    assert len(name.encode()) <= 255


def test_a_decorative_picture_without_words_has_a_number(client, gallery, bring_photo):
    bring_photo(gallery, "", is_decorative=True)
    downloading.build_waiting()
    assert names(client) == ["001.jpg", "credits.txt"]


def test_its_headers(client, gallery, bring_photo):
    bring_photo(gallery)
    downloading.build_waiting()
    archive = GalleryArchive.objects.get()
    for method in (client.get, client.head):
        response = method(ADDRESS)
        told = {
            name: response[name]
            for name in (
                "Content-Type", "Content-Disposition", "Content-Length", "Cache-Control",
                "X-Content-Type-Options",
            )
        }  # fmt: skip
        assert told == {
            "Content-Type": "application/zip",
            "Content-Disposition": "attachment; filename*=utf-8''Jinzhou%20%E9%94%A6%E5%B7%9E.zip",
            "Content-Length": str(archive.bytes),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        assert not response.cookies
        content = response.getvalue()
        assert len(content) == (archive.bytes if method == client.get else 0)


def test_asking_makes_nothing(client, gallery, bring_photo):
    """trust.md, Bounded cost."""
    bring_photo(gallery)
    for _ in range(2):
        assert status_of(client) == 404
    assert not GalleryArchive.objects.exists()
    assert "photos.zip" not in client.get("/galleries/album/").text


def test_the_page_offers_it_once_it_is_ready(client, gallery, bring_photo):
    for number in range(3):
        bring_photo(gallery, f"Photo {number}")
    downloading.build_waiting()
    html = client.get("/galleries/album/").text
    assert 'href="photos.zip">All 3 pictures in one file (' in html


@pytest.mark.parametrize(
    "fields", [{"status": "draft"}, {"publish_at": dt.datetime(2027, 1, 1, tzinfo=dt.UTC)},
               {"is_unlisted": True}],
    ids=["draft", "scheduled", "unlisted"],
)  # fmt: skip
def test_a_gallery_that_is_not_public_has_none(client, gallery, bring_photo, fields):
    """trust.md, side paths: the ZIP asks the same question as the page."""
    bring_photo(gallery)
    downloading.build_waiting()
    assert status_of(client) == 200
    type(gallery).objects.filter(pk=gallery.pk).update(**fields)
    assert status_of(client) == 404
    assert downloading.build_waiting() == 0
    assert not GalleryArchive.objects.exists()


def test_holders_of_a_link_get_that_of_an_unlisted_gallery(
    client, site, make_gallery, bring_photo, settings
):
    gallery = make_gallery(is_unlisted=True)
    bring_photo(gallery, "Bridge")
    assert downloading.build_waiting() == 0
    link = GalleryLink.objects.create(gallery=gallery, note="Us")
    assert downloading.build_waiting() == 1
    address = f"{link.get_absolute_url()}photos.zip"
    assert names(client, address) == ["001 Bridge.jpg", "credits.txt"]
    assert status_of(client) == 404
    settings.CLOCK = link.expires_at
    assert status_of(client, address) == 404
    downloading.build_waiting()
    assert not GalleryArchive.objects.exists()


def test_a_gallery_without_pictures_has_none(client, gallery):
    assert downloading.build_waiting() == 0
    assert not GalleryArchive.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"picture_caption": "Renamed"}, {"picture_credit": "Photo: Bob"}, {"licence": "cc0"},
        {"order": 9}, {"is_hidden": True}, {"people": ""}, {"picture_alt": ""},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_it_is_withheld_and_made_anew_after_a_change(
    client, gallery, bring_photo, settings, change
):
    photo = bring_photo(gallery, "One", order=1)
    bring_photo(gallery, "Two", order=2)
    downloading.build_waiting()
    (before,) = kept_files()
    Photo.objects.filter(pk=photo.pk).update(**change)
    assert status_of(client) == 404
    settings.CLOCK += 5 * MINUTE
    assert downloading.build_waiting() == 1
    assert status_of(client) == 200
    (after,) = kept_files()
    assert after != before


def test_nothing_is_made_where_nothing_changed(gallery, bring_photo, settings):
    bring_photo(gallery)
    assert downloading.build_waiting() == 1
    settings.CLOCK += dt.timedelta(days=1)
    assert downloading.build_waiting() == 0
    assert len(kept_files()) == 1


def test_an_evening_of_captions_makes_few(gallery, bring_photo, settings):
    photo = bring_photo(gallery)
    made = 0
    for minute in range(60):
        Photo.objects.filter(pk=photo.pk).update(picture_caption=f"Words {minute}")
        made += downloading.build_waiting()
        settings.CLOCK += MINUTE
    assert made == 12
    assert len(kept_files()) <= 1


def test_a_run_asks_as_much_for_many_galleries_as_for_few(
    make_gallery, bring_photo, django_assert_num_queries
):
    for count in (1, 4):
        for number in range(count):
            bring_photo(make_gallery(f"album-{count}-{number}"))
        downloading.build_waiting()
        with django_assert_num_queries(5):  # site, unwanted, photos, made ones, missing ones
            assert downloading.build_waiting() == 0


def test_a_zip_asks_as_much_for_many_photos_as_for_few(
    client, gallery, bring_photo, django_assert_num_queries
):
    for count in (1, 5):
        for number in range(count):
            bring_photo(gallery, f"Photo {count} {number}")
        GalleryArchive.objects.all().delete()
        downloading.build_waiting()
        with django_assert_num_queries(4):  # site, gallery, archive, photos
            client.get(ADDRESS).getvalue()


# --- faults ---------------------------------------------------------------------------------


class Disk(FileSystemStorage):
    """A disk on which something happens while a ZIP is written to it."""

    happens: Callable[[], object] = staticmethod(lambda: None)

    def _save(self, name, content):
        if name.startswith(f"{downloading.FOLDER}/"):
            Disk.happens()
        return super()._save(name, content)


@pytest.fixture
def disk(settings, monkeypatch):
    """`disk(function)`: what happens on the disk of private files when a ZIP comes."""
    private = {**settings.STORAGES["private"], "BACKEND": f"{__name__}.Disk"}
    settings.STORAGES = {**settings.STORAGES, "private": private}
    return lambda happens: monkeypatch.setattr(Disk, "happens", staticmethod(happens))


def test_a_photo_that_is_taken_back_meanwhile_is_not_handed_out(client, gallery, bring_photo, disk):
    """I7: what was true when it was begun is not what counts."""
    photo = bring_photo(gallery)
    disk(lambda: Photo.objects.filter(pk=photo.pk).update(people=""))
    assert downloading.build_waiting() == 1
    assert status_of(client) == 404
    downloading.build_waiting()
    assert kept_files() == []


def test_one_that_is_dropped_while_it_is_made_leaves_no_file(gallery, bring_photo, disk):
    bring_photo(gallery)
    disk(lambda: downloading.drop_archives([gallery.pk]))
    assert downloading.build_waiting() == 0
    assert kept_files() == []
    disk(lambda: None)
    assert downloading.build_waiting() == 1


def test_a_second_worker_leaves_alone_what_the_first_is_making(gallery, bring_photo, disk):
    bring_photo(gallery)
    second = []

    def come_too():
        disk(lambda: None)
        second.append(downloading.build_waiting())

    disk(come_too)
    assert downloading.build_waiting() == 1
    assert second == [0]
    assert len(kept_files()) == 1


def test_a_full_disk_leaves_nothing_and_is_tried_again_later(
    client, gallery, make_gallery, bring_photo, disk, settings, caplog
):
    bring_photo(gallery)
    other = make_gallery("other")
    bring_photo(other)
    times = []

    def be_full_at_first():
        times.append(settings.CLOCK)
        if len(times) != 2:
            raise OSError(28, "No space left on device")

    disk(be_full_at_first)
    assert downloading.build_waiting() == 1
    assert status_of(client) == 404
    assert status_of(client, "/galleries/other/photos.zip") == 200
    assert len(kept_files()) == 1
    assert "was not made" in caplog.text
    for _ in range(10):
        settings.CLOCK += MINUTE
        downloading.build_waiting()
    first = times.pop(1)
    assert [(time - first) // MINUTE for time in times] == [0, 1, 3, 7]
    disk(lambda: None)
    settings.CLOCK += dt.timedelta(hours=1)
    assert downloading.build_waiting() == 1
    assert status_of(client) == 200


def test_one_whose_worker_was_killed_is_made_when_its_lease_is_over(
    gallery, bring_photo, disk, settings
):
    bring_photo(gallery)

    def be_killed():
        raise SystemExit

    disk(be_killed)
    with pytest.raises(SystemExit):
        downloading.build_waiting()
    disk(lambda: None)
    settings.CLOCK += 14 * MINUTE
    assert downloading.build_waiting() == 0
    settings.CLOCK += MINUTE
    assert downloading.build_waiting() == 1


def test_a_worker_that_comes_back_after_its_lease_changes_nothing(
    client, gallery, bring_photo, disk, settings
):
    bring_photo(gallery)
    second = []

    def take_very_long():
        disk(lambda: None)
        settings.CLOCK += 15 * MINUTE
        second.append(downloading.build_waiting())
        second.append(GalleryArchive.objects.get().file)

    disk(take_very_long)
    assert downloading.build_waiting() == 0
    assert second == [1, GalleryArchive.objects.get().file]
    assert len(kept_files()) == 1
    assert status_of(client) == 200


def test_a_lost_file_is_no_error_for_who_asks(client, gallery, bring_photo):
    bring_photo(gallery)
    downloading.build_waiting()
    archive = GalleryArchive.objects.get()
    storages["private"].delete(archive.file)
    assert status_of(client) == 404
    assert archive.mend_files(public=[], private=[archive.file]) == []
    assert "photos.zip" not in client.get("/galleries/album/").text


def test_a_job_that_is_busy_is_not_begun_twice_in_a_worker(gallery, bring_photo):
    bring_photo(gallery)
    with BUILDING:
        build_archives.call()
        assert not GalleryArchive.objects.exists()
    build_archives.call()
    assert GalleryArchive.objects.exists()


def test_the_whole_zip_is_never_in_memory(client, gallery, bring_photo):
    for number in range(20):
        photo = bring_photo(gallery, f"Photo {number}")
        with storages["private"].open(photo.stored_renditions.replace(".webp", ".jpg"), "wb") as f:
            f.write(secrets.token_bytes(2_000_000))
    tracemalloc.start()
    try:
        downloading.build_waiting()
        making = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        size = sum(len(piece) for piece in client.get(ADDRESS).streaming_content)
        sending = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 40_000_000
    assert making < 8_000_000
    assert sending < 8_000_000


def test_it_works_in_s3(client, s3_storages, gallery, bring_photo):
    bring_photo(gallery, "Bridge")
    assert downloading.build_waiting() == 1
    assert names(client) == ["001 Bridge.jpg", "credits.txt"]
    link = GalleryLink.objects.create(gallery=gallery, note="Us")
    photo = gallery.photos.get()
    response = client.get(f"{link.get_absolute_url()}pictures/{photo.pk}-480.webp")
    assert response["Content-Type"] == "image/webp"
    assert response.getvalue()[:4] == b"RIFF"


def test_s3_that_is_gone_costs_a_line_in_the_log(s3_down, gallery, make_photo, caplog):
    make_photo(gallery, picture="", picture_original="originals/ab/cd.jpeg")
    assert downloading.build_waiting() == 0
    assert "was not made" in caplog.text
