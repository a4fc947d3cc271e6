"""A consent that is taken back: the photo is gone from everywhere (trust.md, Minors; I7).

Through the real pages, with real files and real transactions. A process that is killed between the
transaction and the deletion: tests/faults/test_kills.py.
"""

import datetime as dt
import io
import json
import re
import zipfile
import zoneinfo
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage, storages
from django.test import Client

from exchanges import consenting, downloading, releasing
from exchanges.models import GalleryArchive, GalleryLink, Photo
from sistercities.shared.images import rendition_names
from sistercities.shared.stored_files import DiscardedFile, remove_discarded

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = "Two children at the drum tower"
PAGES = (
    "/", "/galleries/", "/galleries/album/", "/galleries/album/{photo}/", "/galleries/album/feed/",
    "/galleries/shared/{token}/", "/galleries/shared/{token}/{photo}/", "/visits/",
    "/visits/gardens/", "/cities/jinzhou/", "/search/?q=drum+tower", "/search/?q=album",
    "/sitemap.xml", "/news/", "/news/feed/",
)  # fmt: skip
WITH_IT = {
    "/galleries/", "/galleries/album/", "/galleries/album/{photo}/", "/galleries/album/feed/",
    "/galleries/shared/{token}/", "/galleries/shared/{token}/{photo}/", "/visits/gardens/",
    "/cities/jinzhou/",
}  # fmt: skip


@pytest.fixture
def boss(db):
    return User.objects.create_superuser("ann", "ann@example.org", "x")


@pytest.fixture
def gallery(site, home_city, make_visit, make_day, make_gallery, bring_photo):
    visit = make_visit()
    make_day(visit, 1)
    gallery = make_gallery(visit=visit, taken_on=visit.starts_on)
    bring_photo(gallery, "A pagoda", order=2)
    return gallery


@pytest.fixture
def consent(make_consent):
    return make_consent()


@pytest.fixture
def photo(gallery, consent, bring_photo):
    """Published, the cover, in the ZIP: widths 480, 800 and 1000, and JPEG."""
    photo = bring_photo(
        gallery, WORDS, people="minors", consents=[consent], is_cover=True, order=1,
        picture_caption="At the drum tower",
    )  # fmt: skip
    assert photo.picture
    downloading.build_waiting()
    return photo


@pytest.fixture
def link(gallery):
    return GalleryLink.objects.create(gallery=gallery, note="The delegation")


@pytest.fixture
def address(photo, link):
    """`address("/galleries/shared/{token}/")`: with this test's photo and link."""
    return lambda path: path.format(photo=photo.pk, token=link.token)


def files_of(photo: Photo) -> list[str]:
    """Its public addresses."""
    return [f"/media/{name}" for name in photo.public_files()]


def shared_files_of(photo: Photo, link: GalleryLink) -> list[str]:
    names = rendition_names(f"{photo.pk}.webp", photo.picture_width)
    return [f"{link.get_absolute_url()}pictures/{name}" for name in names]


def status_of(path: str) -> int:
    response = Client().get(path)
    response.getvalue()
    return response.status_code


def pages_with(photo: Photo, stem: str, address) -> set[str]:
    """The pages that name the photo's files or say its words."""
    found = set()
    for page in PAGES:
        response = Client().get(address(page))
        text = response.content.decode()
        if stem in text or f"/{photo.pk}.webp" in text or WORDS in text or "At the drum" in text:
            found.add(page)
    return found


def zipped(path: str = "/galleries/album/photos.zip") -> list[str] | None:
    """What the ZIP at this address holds; None where there is none."""
    response = Client().get(path)
    if response.status_code == 404:
        return None
    return zipfile.ZipFile(io.BytesIO(response.getvalue())).namelist()


def assert_gone(photo: Photo, files: list[str], stem: str, link: GalleryLink, address) -> None:
    assert pages_with(photo, stem, address) == set()
    assert {status_of(path) for path in files} == {404}
    assert {status_of(path) for path in shared_files_of(photo, link)} == {404}
    assert status_of(f"/galleries/album/{photo.pk}/") == 404
    for path in ("/galleries/album/photos.zip", f"{link.get_absolute_url()}photos.zip"):
        assert "001 At the drum tower.jpg" not in (zipped(path) or [])
    html = Client().get("/galleries/album/").text
    assert stem not in html
    assert [image["caption"] for image in _linked_data(html)["image"]] == ["A pagoda"]


def _linked_data(html: str) -> dict:
    text, _way = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)
    return json.loads(text)


def test_a_photo_is_gone_from_everywhere_when_its_consent_is_taken_back(
    photo, consent, link, boss, address
):
    """trust.md, Minors; I7: page, feed, ZIP, link, share picture and every file, at once."""
    files, stem = files_of(photo), Path(photo.picture.name).stem
    assert len(files) == 5
    assert pages_with(photo, stem, address) == WITH_IT
    assert {status_of(path) for path in files} == {200}
    assert {status_of(path) for path in shared_files_of(photo, link)} == {200}
    assert zipped() == ["001 At the drum tower.jpg", "002 A pagoda.jpg", "credits.txt"]
    html = Client().get("/galleries/album/").text
    assert len(_linked_data(html)["image"]) == 2
    archive = GalleryArchive.objects.get()

    assert consenting.withdraw(consent=consent, by=boss, note="She wrote to us.") == 1

    assert_gone(photo, files, stem, link, address)
    assert zipped() is None
    assert not storages["private"].exists(archive.file)
    assert DiscardedFile.objects.count() == 0
    downloading.build_waiting()
    assert zipped() == ["001 A pagoda.jpg", "credits.txt"]
    consent.refresh_from_db()
    assert (consent.withdrawn_by, consent.withdrawn_note) == (boss, "She wrote to us.")
    assert consent.withdrawn_at == django_settings.CLOCK


def test_a_consent_is_taken_back_once(photo, consent, boss):
    other = User.objects.create_user("bob")
    consenting.withdraw(consent=consent, by=boss, note="First.")
    assert consenting.withdraw(consent=consent, by=other, note="Second.") == 0
    consent.refresh_from_db()
    assert (consent.withdrawn_by, consent.withdrawn_note) == (boss, "First.")


class KeptCopies:
    """A cache between a reader and the site: it keeps what it may, as long as it may."""

    def __init__(self) -> None:
        self.copies: dict[str, tuple[dt.datetime, str, bytes]] = {}

    def get(self, path: str) -> tuple[int, bytes]:
        now = django_settings.CLOCK
        kept = self.copies.get(path)
        if kept and now < kept[0]:
            return 200, kept[2]
        headers = {"If-None-Match": kept[1]} if kept and kept[1] else {}
        response = Client().get(path, headers=headers)
        content = response.getvalue()
        control = response.get("Cache-Control", "")
        seconds = re.search(r"max-age=(\d+)", control)
        may_keep = seconds and not re.search("private|no-store|no-cache", control)
        if kept and response.status_code == 304:
            content = kept[2]
        if may_keep and response.status_code in {200, 304}:
            until = now + dt.timedelta(seconds=int(seconds[1]))
            self.copies[path] = (until, response.get("ETag", ""), content)
        else:
            self.copies.pop(path, None)
        return (200 if response.status_code == 304 else response.status_code), content


def test_a_stored_page_and_its_pictures_are_gone_within_a_minute(
    photo, consent, link, boss, address, settings
):
    """trust.md, Minors: ≤ 60 s, in copies of others too."""
    copies, files, stem = KeptCopies(), files_of(photo), Path(photo.picture.name).stem
    pages = [address(page) for page in PAGES]
    for path in [*pages, *files]:
        copies.get(path)
    kept = {path for path in copies.copies if path in pages}
    assert kept >= {"/galleries/album/", "/visits/gardens/", "/cities/jinzhou/"}
    assert set(files) <= set(copies.copies)
    assert not any("shared" in path for path in copies.copies)

    settings.CLOCK += dt.timedelta(seconds=1)
    consenting.withdraw(consent=consent, by=boss)
    assert stem in copies.get("/galleries/album/")[1].decode()  # so it is a cache indeed
    settings.CLOCK += dt.timedelta(seconds=59)

    for path in pages:
        assert stem not in copies.get(path)[1].decode(), path
    assert {copies.get(path)[0] for path in files} == {404}


def test_whatever_shows_a_photo_may_be_kept_for_a_minute_at_most(photo, link, address):
    for path in [*WITH_IT, *files_of(photo), *shared_files_of(photo, link)]:
        response = Client().get(address(path))
        control = response["Cache-Control"]
        response.getvalue()
        brief = {"max-age=30, public", "public, max-age=30", "public, max-age=60"}  # pages, files
        assert control in {*brief, "private, no-store"}, path
    for path in ("/galleries/album/photos.zip", f"{link.get_absolute_url()}photos.zip"):
        response = Client().get(path)
        assert "no-store" in response["Cache-Control"]
        response.getvalue()


class Refusing(FileSystemStorage):
    """A disk that cannot delete at the moment."""

    refuses = True

    def delete(self, name: str) -> None:
        if Refusing.refuses:
            raise OSError("read only")
        super().delete(name)


def test_a_file_that_could_not_be_deleted_goes_with_the_next_run(
    photo, consent, link, boss, address, settings
):
    files, stem = files_of(photo), Path(photo.picture.name).stem
    traces = photo.public_traces()  # with AVIF, which a crash may have left unsaid
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": f"{__name__}.Refusing", "OPTIONS": {"allow_overwrite": True}},
    }
    Refusing.refuses = True
    consenting.withdraw(consent=consent, by=boss)
    assert pages_with(photo, stem, address) == set()
    assert {status_of(path) for path in files} == {200}
    Refusing.refuses = False
    assert remove_discarded() == len(traces)
    assert_gone(photo, files, stem, link, address)


@pytest.mark.parametrize("zone", ["America/Denver", "Asia/Shanghai"])
def test_a_photo_goes_when_the_last_day_is_over_at_home(
    site, gallery, make_consent, bring_photo, link, settings, zone
):
    """In pages, in jobs and in the ZIP: by the organisation's clock, not by the server's."""
    site.time_zone = zone
    site.save()
    until = dt.date(2026, 11, 24)
    midnight = dt.datetime(2026, 11, 25, tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(dt.UTC)
    photo = bring_photo(
        gallery, WORDS, people="minors", consents=[make_consent(expires_on=until)], order=1
    )
    address = lambda path: path.format(photo=photo.pk, token=link.token)  # noqa: E731
    downloading.build_waiting()
    files, stem = files_of(photo), Path(photo.picture.name).stem
    assert len(files) == 5
    settings.CLOCK = midnight - dt.timedelta(seconds=1)
    assert releasing.settle() == 0
    assert "/galleries/album/" in pages_with(photo, stem, address)
    assert len(zipped()) == 3

    settings.CLOCK = midnight
    assert pages_with(photo, stem, address) == set()  # before any job has run
    assert zipped() is None
    assert releasing.settle() == 1
    assert_gone(photo, files, stem, link, address)
    downloading.build_waiting()
    assert zipped() == ["001 A pagoda.jpg", "credits.txt"]


@pytest.mark.parametrize(
    "change",
    [
        {"people": ""}, {"people": "minors"}, {"is_hidden": True},
        {"deleted_at": dt.datetime(2026, 11, 21, tzinfo=dt.UTC)},
    ],
    ids=["somebody objects", "children after all", "hidden", "deleted"],
)  # fmt: skip
def test_a_photo_of_adults_goes_when_the_answer_changes(gallery, bring_photo, link, change):
    photo = bring_photo(gallery, WORDS, people="adults", order=1)
    address = lambda path: path.format(photo=photo.pk, token=link.token)  # noqa: E731
    downloading.build_waiting()
    files, stem = files_of(photo), Path(photo.picture.name).stem
    Photo.objects.filter(pk=photo.pk).update(**change)
    assert pages_with(photo, stem, address) == set()
    assert zipped() is None
    assert releasing.settle() == 1
    assert_gone(photo, files, stem, link, address)


def test_a_photo_needs_the_consent_for_each_child(
    gallery, consent, make_consent, bring_photo, link, boss
):
    other = make_consent("Noah")
    photo = bring_photo(gallery, WORDS, people="minors", consents=[consent, other], order=1)
    address = lambda path: path.format(photo=photo.pk, token=link.token)  # noqa: E731
    files, stem = files_of(photo), Path(photo.picture.name).stem
    consenting.withdraw(consent=other, by=boss)
    assert_gone(photo, files, stem, link, address)


def test_taking_back_leaves_a_photo_that_does_not_need_it(gallery, consent, bring_photo, boss):
    photo = bring_photo(gallery, people="adults", consents=[consent])
    assert consenting.withdraw(consent=consent, by=boss) == 0
    assert {status_of(path) for path in files_of(photo)} == {200}
    photo.refresh_from_db()
    assert photo.picture


def test_a_new_consent_brings_the_photo_back_under_a_new_address(
    photo, consent, make_consent, link, boss, address
):
    files, before = files_of(photo), photo.picture.name
    consenting.withdraw(consent=consent, by=boss)
    photo.consents.set([make_consent()])
    assert releasing.settle() == 1
    photo.refresh_from_db()
    assert photo.picture.name not in {"", before}
    assert pages_with(photo, Path(photo.picture.name).stem, address) == WITH_IT
    assert {status_of(path) for path in files_of(photo)} == {200}
    assert {status_of(path) for path in files} == {404}


def test_a_new_consent_beside_the_old_one_brings_nothing_back(photo, consent, make_consent, boss):
    """Which of the children it was for, only staff can say: they take the old one off."""
    consenting.withdraw(consent=consent, by=boss)
    photo.consents.add(make_consent())
    assert releasing.settle() == 0
