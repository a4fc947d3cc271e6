"""Hostile and unusual pictures. Nothing that an upload hides may reach a public file."""

import datetime as dt
import io
import json
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin

from sistercities.pages.models import Page
from sistercities.shared import images
from sistercities.shared.images import prepare, rendition_name

SECRETS = (b"SecretCam", b"SERIAL-12345", b"Ann Lee", b"secret comment", b"secret-xmp")


def upload(raw: bytes, name: str = "picture.jpg") -> ContentFile:
    return ContentFile(raw, name=name)


def encoded(image: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def shown(prepared, width: int = 1600) -> Image.Image:
    image = Image.open(io.BytesIO(prepared.files[width]))
    assert image.format == "WEBP"
    return image.convert("RGB")


def near(pixel, wanted, tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(pixel, wanted, strict=True))


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Red, green over blue, yellow: no turn or mirror of it looks like another."""
    image = Image.new("RGB", (width, height), "red")
    half = (width // 2, height // 2)
    image.paste("lime", (half[0], 0, width, half[1]))
    image.paste("blue", (0, half[1], half[0], height))
    image.paste("yellow", (half[0], half[1], width, height))
    return image


def camera_notes() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCam"
    exif[ExifTags.Base.Artist] = "Ann Lee"
    exif[ExifTags.Base.DateTime] = "2020:01:01 00:00:00"
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = "2013:09:08 10:11:12"
    details[ExifTags.Base.BodySerialNumber] = "SERIAL-12345"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (41.0, 7.0, 30.0)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "W", (121.0, 8.0, 24.0)
    return exif


def png_header_of(width: int, height: int, data: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


# --- what is taken --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"quality": 95}),
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
def test_every_format_becomes_webp_of_the_same_look(form, options):
    raw = encoded(quarters(), form, **options)
    prepared = prepare(upload(raw, "whatever.bin"))
    assert (prepared.width, prepared.height) == (64, 48)
    assert shown(prepared).size == (64, 48)
    assert near(shown(prepared).getpixel((8, 8)), (255, 0, 0), 40)
    assert near(shown(prepared).getpixel((56, 40)), (255, 255, 0), 40)
    assert prepared.original == raw
    assert prepared.original_suffix == f".{form.lower()}"
    assert re.fullmatch(r"#[0-9a-f]{6}", prepared.colour)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_is_turned_upright(form, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    raw = encoded(quarters(), form, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(raw))).convert("RGB")
    prepared = prepare(upload(raw))
    assert (prepared.width, prepared.height) == expected.size
    width, height = expected.size
    for spot in ((8, 8), (width - 8, 8), (8, height - 8), (width - 8, height - 8)):
        assert near(shown(prepared).getpixel(spot), expected.getpixel(spot), 60)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_heic_picture_of_a_phone_is_turned_upright(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    prepared = prepare(upload(encoded(quarters(), "HEIF", exif=exif.tobytes(), quality=95)))
    turned = {
        1: quarters(),
        3: quarters().transpose(Image.Transpose.ROTATE_180),
        6: quarters().transpose(Image.Transpose.ROTATE_270),
        8: quarters().transpose(Image.Transpose.ROTATE_90),
    }[orientation]
    assert (prepared.width, prepared.height) == turned.size
    assert near(shown(prepared).getpixel((8, 8)), turned.getpixel((8, 8)), 60)


def test_a_large_picture_is_shown_at_1600_and_800_pixels():
    prepared = prepare(upload(encoded(quarters(3000, 2000), "JPEG")))
    assert shown(prepared, 1600).size == (1600, 1067) == (prepared.width, prepared.height)
    assert shown(prepared, 800).size == (800, 534)


def test_a_tall_picture_lying_on_its_side_is_1600_pixels_wide():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    prepared = prepare(upload(encoded(quarters(4000, 2000), "JPEG", exif=exif)))
    assert (prepared.width, prepared.height) == (1600, 3200)


@pytest.mark.parametrize("size", [(1, 1), (1, 60_000), (60_000, 1), (1601, 7)])
def test_extreme_shapes_are_taken(size):
    prepared = prepare(upload(encoded(Image.new("RGB", size, "red"), "PNG")))
    assert 1 <= prepared.width <= 1600
    assert 1 <= prepared.height <= 6400


def test_a_small_picture_is_never_enlarged():
    prepared = prepare(upload(encoded(quarters(), "PNG")))
    assert shown(prepared, 800).size == (64, 48)


def test_cmyk_keeps_its_colours():
    raw = encoded(quarters().convert("CMYK"), "JPEG", quality=95)
    assert near(shown(prepare(upload(raw))).getpixel((8, 8)), (255, 0, 0), 40)


def test_sixteen_bits_are_scaled_and_not_cut_off():
    grey = Image.new("I;16", (16, 16), 128 * 257)
    prepared = prepare(upload(encoded(grey, "PNG")))
    assert near(shown(prepared).getpixel((8, 8)), (128, 128, 128), 3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_colour_mode_of_png_is_read(mode):
    plain = Image.new("L", (16, 16), 255)
    picture = plain.convert("I").convert("I;16") if mode == "I;16" else plain.convert(mode)
    prepared = prepare(upload(encoded(picture, "PNG")))
    wanted = (1, 1, 1) if mode == "I;16" else (255, 255, 255)
    assert near(shown(prepared).getpixel((8, 8)), wanted, 3)


def test_what_is_transparent_becomes_white():
    clear = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    assert near(shown(prepare(upload(encoded(clear, "PNG")))).getpixel((8, 8)), (255, 255, 255))


def test_a_transparent_colour_of_a_palette_becomes_white():
    picture = Image.new("P", (16, 16), 0)
    picture.putpalette([255, 0, 0, 0, 255, 0])
    raw = encoded(picture, "PNG", transparency=0)
    assert near(shown(prepare(upload(raw))).getpixel((8, 8)), (255, 255, 255))


def test_a_large_transparent_picture_is_whole_from_top_to_bottom():
    picture = Image.new("RGBA", (2500, 5000), (0, 0, 255, 255))
    picture.paste((255, 0, 0, 255), (0, 4900, 2500, 5000))
    small = shown(prepare(upload(encoded(picture, "PNG", compress_level=1))))
    assert small.size == (1600, 3200)
    assert near(small.getpixel((800, 100)), (0, 0, 255), 20)
    assert near(small.getpixel((800, 3190)), (255, 0, 0), 20)


def test_an_animation_shows_its_first_frame():
    first, second = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    for form in ("GIF", "WEBP", "PNG"):
        raw = encoded(first, form, save_all=True, append_images=[second])
        assert near(shown(prepare(upload(raw))).getpixel((8, 8)), (255, 0, 0), 20)


def test_a_colour_profile_is_applied_and_not_passed_on():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    prepared = prepare(upload(encoded(quarters(), "JPEG", icc_profile=lab, quality=95)))
    assert near(shown(prepared).getpixel((8, 8)), (255, 0, 0), 40)
    assert "icc_profile" not in Image.open(io.BytesIO(prepared.files[1600])).info


def test_a_broken_colour_profile_is_ignored_and_not_passed_on():
    raw = encoded(quarters(), "PNG", icc_profile=b"secret comment in a profile")
    prepared = prepare(upload(raw))
    assert near(shown(prepared).getpixel((8, 8)), (255, 0, 0), 40)
    assert b"secret" not in prepared.files[1600] + prepared.files[800]


# --- what the camera wrote ------------------------------------------------------------------


def test_time_and_place_are_read():
    prepared = prepare(upload(encoded(quarters(), "JPEG", exif=camera_notes())))
    assert prepared.taken_at == dt.datetime(2013, 9, 8, 10, 11, 12)
    assert (prepared.latitude, prepared.longitude) == (41.125, -121.14)


def test_the_time_of_the_file_serves_where_the_camera_gave_none():
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "2020:01:02 03:04:05"
    prepared = prepare(upload(encoded(quarters(), "JPEG", exif=exif)))
    assert prepared.taken_at == dt.datetime(2020, 1, 2, 3, 4, 5)


@pytest.mark.parametrize("text", ["", "0000:00:00 00:00:00", "yesterday", "2013:13:40 25:61:61"])
def test_an_impossible_time_is_no_time(text):
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = text
    assert prepare(upload(encoded(quarters(), "JPEG", exif=exif))).taken_at is None


@pytest.mark.parametrize("latitude", [(91.0, 0.0, 0.0), (41.0, 7.0), (41.0,)])
def test_an_impossible_place_is_no_place(latitude):
    exif = camera_notes()
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitude] = latitude
    prepared = prepare(upload(encoded(quarters(), "JPEG", exif=exif)))
    assert (prepared.latitude, prepared.longitude) == (None, None)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("notes", [b"Exif\x00\x00garbage", b"Exif\x00\x00II*\x00\xff\xff\xff\xff"])
def test_notes_that_cannot_be_read_are_no_reason_to_refuse(notes):
    prepared = prepare(upload(encoded(quarters(), "JPEG", exif=notes)))
    assert (prepared.taken_at, prepared.latitude) == (None, None)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
def test_nothing_that_the_camera_wrote_is_public(form):
    exif = camera_notes()
    options = {"exif": exif.tobytes() if form == "HEIF" else exif}
    if form == "JPEG":
        options |= {"comment": b"secret comment", "xmp": b"<x>secret-xmp</x>"}
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", "secret comment")
        info.add_itxt("XML:com.adobe.xmp", "secret-xmp")
        options["pnginfo"] = info
    if form in {"WEBP", "AVIF"}:
        options["xmp"] = b"secret-xmp"
    raw = encoded(quarters(), form, **options)
    assert b"SecretCam" in raw  # the upload did carry it
    for content in prepare(upload(raw)).files.values():
        assert not any(secret in content for secret in SECRETS)
        # A WebP file is a list of chunks: ours hold the picture and nothing else.
        assert chunks_of(content) <= {b"VP8 ", b"VP8X", b"ALPH"}
        assert not Image.open(io.BytesIO(content)).getexif()


def chunks_of(webp: bytes) -> set[bytes]:
    kinds, at = set(), 12
    while at < len(webp):
        kind, length = struct.unpack("<4sI", webp[at : at + 8])
        kinds.add(kind)
        at += 8 + length + length % 2
    return kinds


def test_a_second_file_behind_the_picture_does_not_survive():
    raw = encoded(quarters(), "JPEG") + b"PK\x03\x04 secret comment <script>alert(1)</script>"
    for content in prepare(upload(raw)).files.values():
        assert b"secret" not in content and b"<script" not in content


# --- what is refused ------------------------------------------------------------------------

UNREADABLE = (
    "This file is not a picture that we can read. Use JPEG, PNG, WebP, HEIC, AVIF, GIF or TIFF."
)
DAMAGED = "This picture is damaged: it ends or breaks before all of it could be read."


def refusal(raw: bytes, name: str = "picture.jpg") -> str:
    with pytest.raises(ValidationError) as refused:
        prepare(upload(raw, name))
    (sentence,) = refused.value.messages
    return sentence


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"Dear friends, this is a text.", "letter.jpg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "a.svg"),
        (b"<html><script>alert(1)</script></html>", "a.png"),
        (b"%PDF-1.7 \n", "a.jpg"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "a.eps"),
        (b"P6 1 1 255\n\x00\x00\x00", "a.ppm"),
        (b"BM" + b"\x00" * 60, "a.bmp"),
        (b"8BPS\x00\x01" + b"\x00" * 60, "a.psd"),
        (b"\x00", "a.jpg"),
        (b"PK\x03\x04" + b"\x00" * 60, "a.jpg"),
    ],
)
def test_what_is_no_picture_of_ours_is_refused_by_its_bytes(raw, name):
    assert refusal(raw, name) == UNREADABLE


def test_a_bitmap_that_pillow_could_read_is_still_refused():
    assert refusal(encoded(quarters(), "BMP"), "a.jpg") == UNREADABLE


def test_an_empty_file_is_refused():
    assert refusal(b"") == "This file is empty."


def test_a_file_over_40_mb_is_refused_unread():
    class Huge:
        name, size = "huge.jpg", 40 * 1024 * 1024 + 1

        def seek(self, *args):
            raise AssertionError("read before its size was looked at")

        read = seek

    with pytest.raises(ValidationError, match="larger than 40 MB"):
        prepare(Huge())


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "TIFF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_picture_that_ends_early_is_refused(form, share):
    whole = encoded(Image.effect_noise((200, 150), 80).convert("RGB"), form)
    assert refusal(whole[: int(len(whole) * share)]) in {DAMAGED, UNREADABLE}


def test_damage_in_the_decoder_is_one_sentence():
    raw = bytearray(encoded(quarters(), "AVIF"))
    start = raw.index(b"mdat") + 4
    raw[start : start + 40] = b"\xff" * 40
    assert refusal(bytes(raw)) == DAMAGED


@pytest.mark.parametrize(
    ("size", "most"), [((10_000, 6_000), 50), ((30_000, 30_000), 50), ((10_000, 5_001), 50)]
)
def test_a_picture_beyond_50_megapixels_is_refused_from_its_header(size, most, monkeypatch):
    def decode(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", decode)
    sentence = f"This picture has more than {most} megapixels. Please choose a smaller one."
    assert refusal(png_header_of(*size)) == sentence


def test_what_exactly_fits_is_decoded():
    assert refusal(png_header_of(10_000, 5_000)) == DAMAGED  # the header passes, the rest is empty


@pytest.mark.parametrize("form", ["WEBP", "AVIF"])
def test_formats_with_hungry_decoders_have_a_lower_limit(form, monkeypatch):
    monkeypatch.setitem(images.MAX_PIXELS_OF, form, 3_000)
    assert "more than 0 megapixels" in refusal(encoded(quarters(), form))


MEASURE = """
import json, resource, sys, time, warnings
warnings.simplefilter("ignore")
import django
django.setup()
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from sistercities.shared.images import prepare
raw = open(sys.argv[1], "rb").read()
before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
try:
    answer = prepare(ContentFile(raw, name="a.jpg")).width
except ValidationError as refused:
    answer = refused.messages[0]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"answer": answer, "grown_mb": (peak - before) // 1024, "peak_mb": peak // 1024}))
"""


def measured(path: Path) -> dict:
    """What `prepare` does with a file in a process of its own, so that its peak is its own."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)],
        capture_output=True, text=True, check=True, timeout=120,
        env={
            "DEBUG": "on", "DJANGO_SETTINGS_MODULE": "sistercities.settings",
            "VAR_DIR": str(path.parent), "TASKS_URL": "immediate:", "PATH": "/usr/bin:/bin",
        },
    )  # fmt: skip
    return json.loads(done.stdout)


def test_a_bomb_of_60_megapixels_takes_no_memory(tmp_path):
    bomb = tmp_path / "bomb.png"
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(b"\0" * (10_000 * 3 + 1)) for _ in range(6_000)) + rows.flush()
    bomb.write_bytes(png_header_of(10_000, 6_000, data))
    assert bomb.stat().st_size < 516_000
    result = measured(bomb)
    assert "more than 50 megapixels" in result["answer"]
    assert result["grown_mb"] < 20


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_50_megapixels_take_less_than_512_mb(tmp_path, mode):
    path = tmp_path / "large.png"
    picture = Image.new(mode, (8_600, 5_800))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    transparency = {"transparency": 0} if mode == "P" else {}
    picture.save(path, "PNG", compress_level=1, exif=exif, **transparency)
    del picture
    result = measured(path)
    assert result["answer"] == 1600
    assert result["peak_mb"] < 512


# --- what is stored -------------------------------------------------------------------------


@pytest.fixture
def about(db):
    raw = encoded(quarters(1700, 1200), "JPEG", exif=camera_notes())
    about = Page(
        title="About", slug="about", picture_alt="Four colors", picture=upload(raw, "IMG Ann.jpg")
    )
    about.full_clean()
    about.save()
    return about


def test_a_stored_picture_has_a_random_name_and_all_its_files(about):
    assert re.fullmatch(r"pictures/([0-9a-f]{2})/\1[0-9a-f]{30}\.webp", about.picture.name)
    assert (about.picture_width, about.picture_height) == (1600, 1129)
    assert re.fullmatch(r"#[0-9a-f]{6}", about.picture_colour)
    for name, width in ((about.picture.name, 1600), (rendition_name(about.picture.name, 800), 800)):
        with default_storage.open(name) as file:
            content = file.read()
        assert Image.open(io.BytesIO(content)).width == width
        assert not any(secret in content for secret in SECRETS)


def test_the_upload_is_kept_apart_from_what_is_served(about, settings):
    name = about.picture.name.replace(".webp", ".jpeg")
    with storages["originals"].open(name) as file:
        assert b"SecretCam" in file.read()
    served = {path.name for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}
    stem = Path(about.picture.name).stem
    assert served == {f"{stem}.webp", f"{stem}-800.webp"}


def test_two_uploads_of_one_picture_have_names_that_say_nothing(db, about):
    other = Page(title="Other", slug="other", picture_alt="x")
    other.picture = upload(encoded(quarters(), "JPEG"), "IMG Ann.jpg")
    other.save()
    assert Path(other.picture.name).stem != Path(about.picture.name).stem
    assert "Ann" not in other.picture.name


def test_saving_again_does_not_encode_again(about):
    name = about.picture.name
    about.title = "About us"
    about.save()
    about.refresh_from_db()
    assert about.picture.name == name
    assert about.picture_width == 1600


def test_a_bad_picture_is_refused_beside_its_field(db):
    from django import forms

    class PictureForm(forms.ModelForm):
        class Meta:
            model = Page
            fields = ["picture", "picture_alt"]

    form = PictureForm({"picture_alt": "x"}, {"picture": upload(b"not a picture", "a.jpg")})
    assert form.errors == {"picture": [UNREADABLE]}


def test_a_picture_without_words_is_refused(db):
    page = Page(title="About", slug="about", picture=upload(encoded(quarters(), "PNG")))
    with pytest.raises(ValidationError, match="in words"):
        page.full_clean()


@pytest.mark.parametrize(
    ("size", "shape"),
    [((21, 9), "r219"), ((16, 9), "r169"), ((3, 2), "r32"), ((4, 3), "r43"), ((1, 1), "r11"),
     ((4, 5), "r45"), ((3, 4), "r34"), ((2, 3), "r23"), ((0, 0), "r23")],
)  # fmt: skip
def test_the_nearest_shape(size, shape):
    assert Page(picture_width=size[0], picture_height=size[1]).picture_shape == shape
