"""The whole evening of a volunteer: from sixty files in a folder to a gallery that all can see."""

import datetime as dt
import io
import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from PIL import ExifTags, Image

from exchanges.models import Day, Gallery, Photo, Visit
from tests.browser.test_upload import drop, picture, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = ("The road from Beijing", "Gardens, until our feet gave out", "The tide, then the port")


@pytest.fixture
def visit(served_site, make_city) -> Visit:
    city = make_city("Jinzhou", native_name="锦州", native_language="zh-Hans")
    visit = Visit.objects.create(
        title="The gardens of Jinzhou", slug="gardens", city=city, direction="outbound",
        stage="completed", starts_on=dt.date(2026, 9, 7), ends_on=dt.date(2026, 9, 9),
        summary="Three days of gardens.", status="published",
    )  # fmt: skip
    for number, title in enumerate(DAYS, start=1):
        Day.objects.create(visit=visit, number=number, title=title, on=dt.date(2026, 9, 6 + number))
    return visit


def taken(at: dt.datetime, orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Canon", "EOS"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{at:%Y:%m:%d %H:%M:%S}"
    return exif


def evening() -> tuple[dict[str, bytes], int]:
    """Sixty files, dropped in no order of time, and how many of them are photos to be kept."""
    files = {"program.exe": b"MZ\x90\0" + bytes(500), "notes.txt": b"Day one", "empty.jpg": b""}
    files["cut.jpg"] = picture(900)[:4000]
    files["drawing.svg"] = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    for number, format in enumerate(("PNG", "WEBP", "HEIF", "AVIF", "GIF", "TIFF")):
        files[f"undated.{format.lower()}"] = picture(800 + number, format)
    wanted = 59 - len(files)
    for number in reversed(range(wanted)):
        # Near midnight in Jinzhou: read in another zone, these would fall into other days.
        hour, minute = divmod(5 + number // 3 * 71, 60)
        at = dt.datetime(2026, 9, 7 + number % 3, 23 if number < 3 else hour % 24, minute)
        exif = taken(at, orientation=number % 8 + 1)
        files[f"IMG_{number:04}.jpg"] = picture(number, exif=exif)
    files["IMG_0004 (1).jpg"] = files["IMG_0004.jpg"]
    assert len(files) == 60
    return files, wanted + 6


def test_evening_from_sixty_files_to_a_published_gallery(watched, live_server, visit):
    User.objects.create_superuser("ann", "ann@example.org", "a long pass phrase")
    files, count = evening()
    page = watched
    page.goto(live_server.url + reverse("admin:exchanges_gallery_changelist"))
    page.fill("#id_username", "ann")
    page.fill("#id_password", "a long pass phrase")
    page.press("#id_password", "Enter")

    # One sheet for all of them, with a new gallery.
    page.get_by_role("link", name="Add many photos").first.click()
    page.fill("[name=new_title]", "Three days in Jinzhou")
    page.select_option("[name=new_visit]", label=str(visit))
    page.fill("[name=credit]", "Photos: Ann Lee")
    page.check("[name=people][value=adults]")
    page.get_by_role("button", name="Next: choose the photos").click()

    # Drop them.
    drop(page, files)
    wait_for(page, "All 60 have arrived.")
    page.get_by_role("button", name=re.compile("^Leave out: IMG_0004")).click()
    page.get_by_text(f"{count} stored, {count} ready to show", exact=True).wait_for(timeout=60000)
    gallery = Gallery.objects.get()
    assert gallery.photos.count() == count

    # They lie in their days already; those without a time are apart.
    page.get_by_role("link", name="Continue: sort the photos").click()
    for title in DAYS:
        page.get_by_role("heading", name=title).wait_for()
    assert page.locator("text=16 photos").count() == 3
    assert page.locator("[data-photo]").count() in {0, count}

    # It cannot be published before each has its words.
    change = live_server.url + reverse("admin:exchanges_gallery_change", args=[gallery.pk])
    page.goto(change)
    page.select_option("[name=status]", "published")
    page.locator("[name=_save]").first.click()
    page.locator(".errorlist", has_text=f"{count} photos have no description yet.").wait_for()
    describe = live_server.url + reverse("admin:exchanges_gallery_words", args=[gallery.pk])
    page.goto(describe)
    fields = page.locator("textarea[name^=alt-]")
    assert fields.count() == count
    page.locator("textarea[name^=caption-]").first.focus()
    for number in range(count):  # by keyboard alone; each photo is saved as it is left
        page.keyboard.press("Tab")
        page.keyboard.type(f"Garden {number}")
        page.keyboard.press("Enter" if number < count - 1 else "Tab")
    page.locator("h1").click()
    page.locator(".row .state", has_text="Saved").last.wait_for()
    for _ in range(100):
        if not gallery.photos.wordless().exists():
            break
        page.wait_for_timeout(100)
    assert not gallery.photos.wordless().exists()

    # Publish, and look at it as a visitor does.
    page.goto(change)
    page.select_option("[name=status]", "published")
    page.locator("[name=_save]").first.click()
    page.locator(".messagelist .success").wait_for()
    for _ in range(100):
        if Photo.objects.published().count() == count:
            break
        page.wait_for_timeout(100)
    visitor = page.context.browser.new_context().new_page()
    visitor.goto(f"{live_server.url}/galleries/")
    visitor.get_by_role("link", name="Three days in Jinzhou").first.click()
    assert visitor.locator(".day-head h2").first.inner_text() == DAYS[0]
    assert f"{count} pictures" in visitor.text_content("main")
    numbers = dict.fromkeys(DAYS, 0)
    seen = 0
    while True:
        for photo in visitor.locator(".photos img").all():
            assert photo.get_attribute("alt").startswith("Garden ")
        seen = visitor.locator(".photos figure").count()
        more = visitor.locator("a[rel=next]")
        if not more.count():
            break
        more.click()
        visitor.wait_for_function(
            "(seen) => document.querySelectorAll('.photos figure').length > seen", arg=seen
        )
    assert seen == count
    for section in visitor.locator("section[id^=day-]").all():
        numbers[section.locator("h2").inner_text()] += section.locator("figure").count()
    assert numbers == dict.fromkeys(DAYS, 16)
    visitor.context.close()

    # Upright, whatever the camera said, and free of all that it wrote down.
    shown = {photo.file_name: photo for photo in Photo.objects.published()}
    for number in range(8):
        with Photo.picture.field.storage.open(str(shown[f"IMG_{number:04}.jpg"].picture)) as file:
            image = Image.open(io.BytesIO(file.read()))
            assert image.getexif() == {}
            is_turned = number % 8 + 1 >= 5
            assert (image.width < image.height) == is_turned
    assert re.search("EOS|2026:09", str(shown["IMG_0000.jpg"].picture)) is None
    assert page.complaints == []
