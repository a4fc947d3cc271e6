"""A volunteer drops the photos of an evening, in a real browser and with real mishaps."""

import base64
import errno
import io
import re
import zipfile
from pathlib import Path

import pillow_heif
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.files.storage import FileSystemStorage
from django.test import Client
from django.urls import reverse
from PIL import ExifTags, Image

from exchanges.models import Batch, Gallery, Photo, Upload
from exchanges.receiving import PIECE

NO_PICTURE = (
    "This file is not a picture that we can read. Use JPEG, PNG, WebP, HEIC, AVIF, GIF or TIFF."
)
DAMAGED = "This picture is damaged: it ends or breaks before all of it could be read."


def picture(number: int = 0, format: str = "JPEG", **options) -> bytes:
    """Unlike that of every other number."""
    image = Image.effect_noise((160 + number, 120), 90).convert("RGB")
    buffer = io.BytesIO()
    if format == "HEIF":
        pillow_heif.from_pillow(image).save(buffer)
    else:
        image.save(buffer, format, **options)
    return buffer.getvalue()


def turned(number: int, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return picture(number, exif=exif)


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def batch(served_site, make_city) -> Batch:
    gallery = Gallery.objects.create(title="Jinzhou", slug="jinzhou", city=make_city("Jinzhou"))
    return Batch.objects.create(gallery=gallery, credit="Photos: Ann Lee", people="adults")


@pytest.fixture
def sign_in(live_server, served_site):
    """`sign_in(context)`: from now on this browser belongs to staff."""
    user = User.objects.create_superuser("ann", "ann@example.org", "x")

    def act(context) -> None:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    return act


@pytest.fixture
def drop_page(watched, live_server, batch, sign_in):
    """The drop zone of a batch, opened by staff."""
    sign_in(watched.context)
    watched.network = watched.context.new_cdp_session(watched)
    watched.sent = []
    watched.on("request", lambda asked: asked.method == "POST" and watched.sent.append(asked.url))
    watched.goto(live_server.url + reverse("admin:exchanges_batch_drop", args=[batch.pk]))
    return watched


def drop(page, files: dict[str, bytes]) -> None:
    """Drops files onto the page, as a hand with a mouse does."""
    parts = [[name, base64.b64encode(content).decode()] for name, content in files.items()]
    dropped = page.evaluate_handle(
        """(parts) => {
            const dropped = new DataTransfer();
            for (const [name, content] of parts) {
                const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
                dropped.items.add(new File([bytes], name));
            }
            return dropped;
        }""",
        parts,
    )
    page.dispatch_event(".zone", "drop", {"dataTransfer": dropped})


def wait_for(page, words: str) -> None:
    page.locator(".going-words", has_text=words).wait_for(timeout=60000)


def wait_for_half(page) -> None:
    while page.eval_on_selector(".file progress", "(bar) => bar.value") < 40:
        page.wait_for_timeout(50)


def done(page) -> int:
    return int(re.match(r"\d+", page.text_content(".going-words") or "0")[0])


def outcomes(page) -> dict[str, tuple[str, str]]:
    """What the page says of each file: where it stands and the sentence."""
    rows = page.eval_on_selector_all(
        ".file",
        """(rows) => rows.map((row) => [
            row.querySelector(".file-name").textContent,
            row.closest("[data-group]").dataset.group,
            row.querySelector(".file-words").textContent,
        ])""",
    )
    assert len({name for name, _group, _words in rows}) == len(rows)
    return {name: (group, words) for name, group, words in rows}


def narrow(page, *, bytes_a_second: int = -1, is_offline: bool = False) -> None:
    """A slow line, or none at all."""
    page.network.send(
        "Network.emulateNetworkConditions",
        {
            "offline": is_offline, "latency": 0, "downloadThroughput": -1,
            "uploadThroughput": bytes_a_second,
        },
    )  # fmt: skip


def sixty_files() -> tuple[dict[str, bytes], dict[str, tuple[str, str]]]:
    """Sixty files, good and bad, and what shall become of each."""
    stored = ("done", "Stored")
    refused = ("refused", NO_PICTURE)
    files, expected = {}, {}

    def add(name: str, content: bytes, outcome=stored, shown: str = "") -> None:
        files[name], expected[shown or name] = content, outcome

    for orientation in range(1, 9):
        add(f"turned {orientation}.jpg", turned(orientation, orientation))
    formats = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "TIFF")
    for number, format in enumerate(formats, start=10):
        add(f"format.{format.lower()}", picture(number, format))
    add("a" * 296 + ".jpg", picture(20), shown="a" * 115 + "….jpg")
    add("🏮🎉.jpg", picture(21))
    add("锦州 Қызылорда.jpg", picture(22))
    add("evil\u202egpj.exe", picture(23), shown="evilgpj.exe")
    add("no suffix", picture(24))
    add("photo.zip", picture(25))
    add("truncated.jpg", picture(26)[:4000], ("refused", DAMAGED))
    add("cut in the header.jpg", picture(27)[:60], ("refused", DAMAGED))
    add("text.jpg", b"only text", refused)
    add("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", refused)
    add("program.jpg", b"MZ\x90\0" + bytes(500), refused)
    add("empty.jpg", b"", ("refused", "This file is empty."))
    for number in range(60 - len(files) - 1):
        add(f"IMG_{number:04}.jpg", picture(30 + number))
    add("IMG_0001 (1).jpg", files["IMG_0001.jpg"])
    return files, expected


def test_sixty_files_are_dropped_at_once(drop_page, batch):
    """Good ones of every kind, bad ones, a duplicate: each ends with its own sentence."""
    files, expected = sixty_files()
    drop(drop_page, files)
    wait_for(drop_page, "All 60 have arrived.")
    stored = sum(outcome == ("done", "Stored") for outcome in expected.values()) - 1
    drop_page.get_by_text(f"{stored} stored, {stored} ready to show", exact=True).wait_for()
    found = outcomes(drop_page)
    twin = re.compile("The same picture is in “Jinzhou” already, as IMG_0001( [(]1[)])?.jpg.")
    duplicates = [name for name, (group, _words) in found.items() if group == "asked"]
    assert len(duplicates) == 1
    assert twin.fullmatch(found.pop(duplicates[0])[1])
    del expected[duplicates[0]]
    assert found == expected
    assert Photo.objects.filter(picture_width__gt=0).count() == stored
    drop_page.locator(".file-picture img").first.wait_for()
    said = drop_page.text_content("[data-live]")
    assert said == f"All 60 have arrived. {stored} stored, 1 here already, 6 not taken."
    before = outcomes(drop_page)
    drop_page.reload()
    assert outcomes(drop_page) == before
    drop(drop_page, files)  # the same folder again
    wait_for(drop_page, "All 60 have arrived.")
    assert outcomes(drop_page) == before
    assert (Upload.objects.count(), Photo.objects.count()) == (60, stored)
    assert (drop_page.strangers, drop_page.complaints) == ([], [])


def test_duplicates_are_added_or_left_out(drop_page, batch):
    same = picture()
    drop(drop_page, {"first.jpg": same})
    wait_for(drop_page, "It has arrived.")
    drop(drop_page, {f"copy {number}.jpg": same for number in range(4)})
    wait_for(drop_page, "All 5 have arrived.")
    drop_page.get_by_role("button", name="Add anyway: copy 1.jpg").click()
    drop_page.locator("[data-group=done]", has_text="copy 1.jpg").wait_for()
    assert drop_page.evaluate("document.activeElement.closest('[data-group]').dataset.group") == (
        "asked"
    )
    drop_page.get_by_role("button", name="Leave out: copy 2.jpg").click()
    drop_page.locator("[data-group=done]", has_text="copy 2.jpg").wait_for()
    drop_page.get_by_role("button", name="Leave all out").click()
    drop_page.locator("[data-group=asked]").wait_for(state="hidden")
    assert outcomes(drop_page) == {
        "first.jpg": ("done", "Stored"), "copy 1.jpg": ("done", "Stored"),
        "copy 0.jpg": ("done", "Left out"), "copy 2.jpg": ("done", "Left out"),
        "copy 3.jpg": ("done", "Left out"),
    }  # fmt: skip
    assert Photo.objects.count() == 2


def test_lost_connection_is_waited_out(drop_page, batch):
    narrow(drop_page, bytes_a_second=100_000)
    drop(drop_page, {f"{number}.jpg": picture(number) for number in range(30)})
    drop_page.locator(".going-words", has_text=re.compile("^[3-9] of 30")).wait_for()
    narrow(drop_page, is_offline=True)
    wait_for(drop_page, "The site cannot be reached.")
    assert "goes on by itself" in drop_page.text_content("[data-live]")
    before = done(drop_page)
    drop_page.wait_for_timeout(3000)  # so long that one try to reach the site fails
    assert done(drop_page) == before < 30
    narrow(drop_page)
    wait_for(drop_page, "All 30 have arrived.")
    assert Photo.objects.count() == Upload.objects.count() == 30


def test_pause_stops_all_and_go_on_sends_the_rest(drop_page, batch):
    narrow(drop_page, bytes_a_second=100_000)
    drop(drop_page, {f"{number}.jpg": picture(number) for number in range(30)})
    drop_page.locator(".going-words", has_text=re.compile("^[2-9] of 30")).wait_for()
    drop_page.get_by_role("button", name="Pause").click()
    wait_for(drop_page, "Paused")
    before, sent = done(drop_page), len(drop_page.sent)
    drop_page.wait_for_timeout(1000)
    assert (done(drop_page), len(drop_page.sent)) == (before, sent)
    narrow(drop_page)
    drop_page.get_by_role("button", name="Go on").click()
    wait_for(drop_page, "All 30 have arrived.")
    assert Photo.objects.count() == Upload.objects.count() == 30


class ChokesOnOne(FileSystemStorage):
    """Cannot store what has this mark in it, as long as it is ill."""

    MARK = b"hard to swallow"
    is_ill = True

    def _save(self, name, content):
        if ChokesOnOne.is_ill and self.MARK in content.read():
            raise OSError(errno.EIO, "Input/output error")
        content.seek(0)
        return super()._save(name, content)


def test_only_the_failed_ones_are_tried_again(drop_page, batch, settings):
    private = {**settings.STORAGES["private"], "BACKEND": f"{__name__}.ChokesOnOne"}
    settings.STORAGES = {**settings.STORAGES, "private": private}
    ChokesOnOne.is_ill = True
    files = {f"{number}.jpg": picture(number) for number in range(6)}
    files["3.jpg"] += ChokesOnOne.MARK
    drop(drop_page, files)
    wait_for(drop_page, "All 6 have arrived.")
    assert outcomes(drop_page)["3.jpg"] == ("refused", "It could not be sent (error 500).")
    ChokesOnOne.is_ill = False
    sent = len(drop_page.sent)
    drop_page.get_by_role("button", name="Try the 1 that failed again").click()
    drop_page.locator("[data-group=done]", has_text="3.jpg").wait_for()
    assert len(drop_page.sent) == sent + 1
    assert Photo.objects.count() == 6


def test_full_disk_stops_and_waits_for_people(drop_page, batch, settings):
    private = {**settings.STORAGES["private"], "BACKEND": f"{__name__}.FullDisk"}
    working, settings.STORAGES = settings.STORAGES, {**settings.STORAGES, "private": private}
    drop(drop_page, {f"{number}.jpg": picture(number) for number in range(6)})
    wait_for(drop_page, "The site’s disk is full.")
    settings.STORAGES = working
    drop_page.get_by_role("button", name="Go on").click()
    wait_for(drop_page, "All 6 have arrived.")
    assert Photo.objects.count() == Upload.objects.count() == 6


class FullDisk(FileSystemStorage):
    def _save(self, name, content):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_who_was_signed_out_goes_on_after_signing_in_again(drop_page, batch, sign_in):
    narrow(drop_page, bytes_a_second=100_000)
    drop(drop_page, {f"{number}.jpg": picture(number) for number in range(20)})
    drop_page.locator(".going-words", has_text=re.compile("^[2-9] of 20")).wait_for()
    Session.objects.all().delete()
    wait_for(drop_page, "You are signed out.")
    narrow(drop_page)
    sign_in(drop_page.context)
    other_token = {"name": "csrftoken", "value": "b" * 32, "url": drop_page.url}
    drop_page.context.add_cookies([other_token])  # as signing in changes it
    drop_page.get_by_role("button", name="Go on").click()
    wait_for(drop_page, "All 20 have arrived.")
    assert Photo.objects.count() == Upload.objects.count() == 20


@pytest.fixture
def large_archive(tmp_path) -> Path:
    """A ZIP of six pieces."""
    path = tmp_path / "evening.zip"
    files = {f"{n}.jpg": picture(n).ljust(PIECE - 1000, b"\0") for n in range(6)}
    path.write_bytes(archive(files))
    assert PIECE * 5 < path.stat().st_size < PIECE * 6
    return path


def test_archive_in_pieces_goes_on_where_the_connection_was_lost(drop_page, batch, large_archive):
    narrow(drop_page, bytes_a_second=4_000_000)
    drop_page.set_input_files("#files", large_archive)
    wait_for_half(drop_page)
    narrow(drop_page, is_offline=True)
    wait_for(drop_page, "The site cannot be reached.")
    narrow(drop_page)
    drop_page.locator("[data-group=done]", has_text="6 files were in it.").wait_for(timeout=60000)
    assert len(drop_page.sent) <= 6 + 2  # the piece that broke off, and the first
    assert Photo.objects.count() == 6
    drop_page.get_by_text("6 stored, 6 ready to show", exact=True).wait_for()


def test_archive_that_was_left_goes_on_when_it_is_added_again(
    drop_page, batch, large_archive, live_server
):
    narrow(drop_page, bytes_a_second=4_000_000)
    drop_page.set_input_files("#files", large_archive)
    wait_for_half(drop_page)
    asked = []
    drop_page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    drop_page.click("h1")  # browsers ask only where somebody did something
    drop_page.goto(live_server.url + reverse("admin:index"))
    assert asked == ["beforeunload"]
    drop_page.go_back()
    broken_off = ("coming", "Not all of it is here. Add the same file again and it goes on.")
    assert outcomes(drop_page) == {"evening.zip": broken_off}
    narrow(drop_page)
    drop_page.sent.clear()
    drop_page.set_input_files("#files", large_archive)
    drop_page.locator("[data-group=done]", has_text="6 files were in it.").wait_for(timeout=60000)
    assert len(drop_page.sent) < 6
    assert Upload.objects.filter(archive=None).count() == 1
    assert Photo.objects.count() == 6


def test_form_works_without_script(browser, live_server, batch, sign_in):
    context = browser.new_context(java_script_enabled=False)
    sign_in(context)
    page = context.new_page()
    add = reverse("admin:exchanges_batch_add") + f"?gallery={batch.gallery.pk}"
    page.goto(live_server.url + add)
    page.fill("[name=credit]", "Photos: Bo")
    page.check("[name=people][value=none]")
    page.click("[type=submit][name=_save]")
    same = picture(1)
    files = {"a.jpg": same, "b.jpg": picture(2), "copy.jpg": same, "notes.jpg": b"text"}
    page.set_input_files(
        "#files",
        [
            {"name": name, "mimeType": "image/jpeg", "buffer": content}
            for name, content in files.items()
        ],
    )
    page.get_by_role("button", name="Upload").click()
    assert "4 files have arrived." in page.text_content(".messagelist")
    rows = {row.split("\n")[0].strip(): row for row in page.locator(".file").all_inner_texts()}
    assert sorted(rows) == ["a.jpg", "b.jpg", "copy.jpg", "notes.jpg"]
    assert ("Stored" in rows["a.jpg"], NO_PICTURE in rows["notes.jpg"]) == (True, True)
    page.locator(".file", has_text="copy.jpg").get_by_role("button", name="Add anyway").click()
    assert Photo.objects.filter(picture_credit="Photos: Bo").count() == 3
    page.get_by_role("link", name="Continue: sort the photos").click()
    assert page.url.endswith(reverse("admin:exchanges_gallery_sort", args=[batch.gallery.pk]))
    context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1440)])
def test_pages_are_accessible_and_fit(drop_page, live_server, scheme, width):
    page = drop_page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    same = picture(1)
    drop(page, {"a.jpg": same, "copy.jpg": same, "n" * 90 + ".jpg": b"text"})
    wait_for(page, "All 3 have arrived.")
    found = {}
    for address in (page.url, live_server.url + reverse("admin:exchanges_batch_add")):
        if page.url != address:
            page.goto(address)
        sideways = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if sideways > 0:
            found[address] = sideways
        assert (page.strangers, page.complaints) == ([], [])
        for violation in Axe().run(page, {"include": [["#content"]]}).response["violations"]:
            nodes = [node["html"][:160] for node in violation["nodes"][:3]]
            found[f"{address}: {violation['id']}"] = nodes
        page.complaints.clear()  # axe looks for style sheets where there are none
    assert found == {}
