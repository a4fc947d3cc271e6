"""Pictures as they come: read, turned upright, made small. What they hide never becomes public."""

import datetime as dt
import io
import re

import pytest
from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from sistercities.shared.images import (
    Notes,
    Prepared,
    inspect,
    prepare,
    rendition_names,
)

from .anatomy import strangers
from .pictures import SECRETS, camera_notes, encoded, profile, quarters, talkative


def notes_of(raw: bytes) -> Notes:
    return inspect(io.BytesIO(raw), size=len(raw))


def made_from(image: Image.Image, form: str, **options) -> Prepared:
    return prepare(io.BytesIO(encoded(image, form, **options)))


def shown(prepared: Prepared, width: int = 0, suffix: str = ".webp") -> Image.Image:
    """One of its files, else the widest."""
    image = Image.open(io.BytesIO(prepared.files[width or prepared.width, suffix]))
    assert image.format == {".webp": "WEBP", ".jpg": "JPEG"}[suffix]
    return image.convert("RGB")


def near(pixel, wanted, tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(pixel, wanted, strict=True))


# --- what is taken --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("HEIF", {"quality": 95}),
        ("AVIF", {"quality": 95}),
        ("GIF", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "jpeg"}),
    ],
)
def test_every_format_becomes_files_of_the_same_look(form, options):
    raw = encoded(quarters(), form, **options)
    prepared = prepare(io.BytesIO(raw))
    assert (prepared.width, prepared.height) == (64, 48)
    for suffix in (".webp", ".jpg"):
        assert shown(prepared, suffix=suffix).size == (64, 48)
        assert near(shown(prepared, suffix=suffix).getpixel((8, 8)), (255, 0, 0), 40)
        assert near(shown(prepared, suffix=suffix).getpixel((56, 40)), (255, 255, 0), 40)
    assert re.fullmatch(r"#[0-9a-f]{6}", prepared.colour)
    assert notes_of(raw) == Notes(f".{form.lower()}", None, None, None, None, "")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_is_turned_upright(form, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    raw = encoded(quarters(), form, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(raw))).convert("RGB")
    prepared = prepare(io.BytesIO(raw))
    assert (prepared.width, prepared.height) == expected.size
    width, height = expected.size
    for spot in ((8, 8), (width - 8, 8), (8, height - 8), (width - 8, height - 8)):
        assert near(shown(prepared).getpixel(spot), expected.getpixel(spot), 60)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_heic_picture_of_a_phone_is_turned_upright(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    prepared = made_from(quarters(), "HEIF", exif=exif.tobytes(), quality=95)
    turned = {
        1: quarters(),
        3: quarters().transpose(Image.Transpose.ROTATE_180),
        6: quarters().transpose(Image.Transpose.ROTATE_270),
        8: quarters().transpose(Image.Transpose.ROTATE_90),
    }[orientation]
    assert (prepared.width, prepared.height) == turned.size
    assert near(shown(prepared).getpixel((8, 8)), turned.getpixel((8, 8)), 60)


def test_a_large_picture_comes_in_four_widths():
    prepared = made_from(quarters(3000, 2000), "JPEG")
    assert (prepared.width, prepared.height) == (1600, 1067)
    assert {size: shown(prepared, *size).size for size in prepared.files} == {
        (1600, ".webp"): (1600, 1067), (1200, ".webp"): (1200, 800),
        (800, ".webp"): (800, 534), (480, ".webp"): (480, 320),
        (1600, ".jpg"): (1600, 1067), (800, ".jpg"): (800, 534),
    }  # fmt: skip


@pytest.mark.parametrize("width", [1, 64, 480, 481, 800, 1000, 1200, 1600])
def test_files_have_the_names_that_the_row_answers_with(width):
    prepared = made_from(Image.new("RGB", (width, 20)), "PNG")
    assert sorted(prepared.named("photos/ab/cd.webp")) == sorted(
        rendition_names("photos/ab/cd.webp", width)
    )


def test_a_tall_picture_lying_on_its_side_is_1600_pixels_wide():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    prepared = made_from(quarters(4000, 2000), "JPEG", exif=exif)
    assert (prepared.width, prepared.height) == (1600, 3200)


@pytest.mark.parametrize("size", [(1, 1), (1, 60_000), (60_000, 1), (1601, 7)])
def test_extreme_shapes_are_taken(size):
    prepared = made_from(Image.new("RGB", size, "red"), "PNG")
    assert 1 <= prepared.width <= 1600
    assert 1 <= prepared.height <= 6400


def test_a_small_picture_is_never_enlarged():
    assert sorted(made_from(quarters(), "PNG").files) == [(64, ".jpg"), (64, ".webp")]


def test_cmyk_keeps_its_colours():
    prepared = made_from(quarters().convert("CMYK"), "JPEG", quality=95)
    assert near(shown(prepared).getpixel((8, 8)), (255, 0, 0), 40)


def test_sixteen_bits_are_scaled_and_not_cut_off():
    prepared = made_from(Image.new("I;16", (16, 16), 128 * 257), "PNG")
    assert near(shown(prepared).getpixel((8, 8)), (128, 128, 128), 3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_colour_mode_of_png_is_read(mode):
    plain = Image.new("L", (16, 16), 255)
    picture = plain.convert("I").convert("I;16") if mode == "I;16" else plain.convert(mode)
    wanted = (1, 1, 1) if mode == "I;16" else (255, 255, 255)
    assert near(shown(made_from(picture, "PNG")).getpixel((8, 8)), wanted, 3)


def test_what_is_transparent_becomes_white():
    clear = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    assert near(shown(made_from(clear, "PNG")).getpixel((8, 8)), (255, 255, 255))


def test_a_transparent_colour_of_a_palette_becomes_white():
    picture = Image.new("P", (16, 16), 0)
    picture.putpalette([255, 0, 0, 0, 255, 0])
    prepared = made_from(picture, "PNG", transparency=0)
    assert near(shown(prepared).getpixel((8, 8)), (255, 255, 255))


def test_a_large_transparent_picture_is_whole_from_top_to_bottom():
    picture = Image.new("RGBA", (2500, 5000), (0, 0, 255, 255))
    picture.paste((255, 0, 0, 255), (0, 4900, 2500, 5000))
    small = shown(made_from(picture, "PNG", compress_level=1))
    assert small.size == (1600, 3200)
    assert near(small.getpixel((800, 100)), (0, 0, 255), 20)
    assert near(small.getpixel((800, 3190)), (255, 0, 0), 20)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_shows_its_first_frame(form):
    first, second = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    prepared = made_from(first, form, save_all=True, append_images=[second])
    assert near(shown(prepared).getpixel((8, 8)), (255, 0, 0), 20)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_colour_profile_is_applied_and_not_passed_on(form):
    """A profile in which red and green have changed places shows red as green."""
    prepared = made_from(quarters(), form, icc_profile=profile(is_odd=True), quality=95)
    red, green, _blue = shown(prepared).getpixel((8, 8))
    assert green > red
    assert [strangers(content) for content in prepared.files.values()] == [[], []]


def test_a_broken_colour_profile_is_ignored_and_not_passed_on():
    prepared = made_from(quarters(), "PNG", icc_profile=b"secret comment in a profile")
    assert near(shown(prepared).getpixel((8, 8)), (255, 0, 0), 40)
    assert b"secret" not in b"".join(prepared.files.values())


# --- what the camera wrote ------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
def test_time_place_and_camera_are_read(form):
    exif = camera_notes().tobytes() if form in {"HEIF", "TIFF"} else camera_notes()
    assert notes_of(encoded(quarters(), form, exif=exif)) == Notes(
        suffix=f".{form.lower()}",
        taken=dt.datetime(2013, 9, 8, 10, 11, 12),
        offset=None,
        latitude=41.125,
        longitude=-121.14,
        camera="SecretCam SERIAL-12345",
    )


def test_reading_the_notes_decodes_nothing(monkeypatch):
    """Pillow's own way to a PNG's notes decodes all of it: up to a second, within a request."""

    raw, decoded = encoded(quarters(), "PNG"), []
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda self: decoded.append(self))
    assert notes_of(raw) == Notes(".png", None, None, None, None, "")
    assert decoded == []


def test_the_time_of_the_file_serves_where_the_camera_gave_none():
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "2020:01:02 03:04:05"
    notes = notes_of(encoded(quarters(), "JPEG", exif=exif))
    assert notes.taken == dt.datetime(2020, 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("+08:00", dt.timedelta(hours=8)), ("-07:30", -dt.timedelta(hours=7, minutes=30)),
        ("+00:00", dt.timedelta()), ("", None), ("Z", None), ("+99:00", None), ("+08:75", None),
        ("８:00", None),
    ],
)  # fmt: skip
def test_the_clocks_offset_is_read_where_it_can_be(text, offset):
    exif = camera_notes()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.OffsetTimeOriginal] = text
    notes = notes_of(encoded(quarters(), "JPEG", exif=exif))
    assert (notes.taken, notes.offset) == (dt.datetime(2013, 9, 8, 10, 11, 12), offset)


@pytest.mark.parametrize(
    "text",
    ["", "0000:00:00 00:00:00", "yesterday", "2013:13:40 25:61:61", "0001:01:01 00:00:00",
     "1825:12:31 00:00:00", "9999:12:31 23:59:59"],
)  # fmt: skip
def test_an_impossible_time_is_no_time(text):
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = text
    assert notes_of(encoded(quarters(), "JPEG", exif=exif)).taken is None


@pytest.mark.parametrize("latitude", [(91.0, 0.0, 0.0), (41.0, 7.0), (41.0,)])
def test_an_impossible_place_is_no_place(latitude):
    exif = camera_notes()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = latitude
    notes = notes_of(encoded(quarters(), "JPEG", exif=exif))
    assert (notes.latitude, notes.longitude) == (None, None)


def test_a_cameras_name_is_one_short_line():
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Se\ncret\x1b[31m" + "x" * 300
    camera = notes_of(encoded(quarters(), "JPEG", exif=exif)).camera
    assert (camera[:11], len(camera)) == ("Se cret [31", 120)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("notes", [b"Exif\x00\x00garbage", b"Exif\x00\x00II*\x00\xff\xff\xff\xff"])
def test_notes_that_cannot_be_read_are_no_reason_to_refuse(notes):
    raw = encoded(quarters(), "JPEG", exif=notes)
    assert notes_of(raw) == Notes(".jpeg", None, None, None, None, "")
    assert prepare(io.BytesIO(raw)).width == 64


@pytest.mark.parametrize("name", sorted(talkative()))
def test_nothing_that_a_file_tells_is_public(name):
    """trust.md, Metadata: 0 bytes."""
    raw = talkative()[name]
    prepared = prepare(io.BytesIO(raw))
    assert len(prepared.files) == 3
    for content in prepared.files.values():
        assert strangers(content) == []
        assert not any(secret in content for secret in SECRETS)


@pytest.mark.parametrize("name", sorted(talkative()))
def test_those_files_do_tell_and_the_parser_sees_it(name):
    raw = talkative()[name]
    assert any(secret in raw for secret in SECRETS)
    if name.endswith((".jpg", ".mpo", ".webp", ".avif")):
        assert strangers(raw)
