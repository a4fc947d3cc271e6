"""Files that are no pictures, broken ones, and ones that are made to harm (trust.md, Images)."""

import io
import json
import os
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from PIL import Image, PngImagePlugin

from sistercities.shared import images
from sistercities.shared.images import inspect, prepare, prepare_apart

from .anatomy import strangers
from .pictures import encoded, png_chunk, png_header_of, quarters

UNREADABLE = (
    "This file is not a picture that we can read. Use JPEG, PNG, WebP, HEIC, AVIF, GIF or TIFF."
)
DAMAGED = "This picture is damaged: it ends or breaks before all of it could be read."
ODD = "This picture is built in an odd way. Please save it anew."
FILES = Path(__file__).parent / "files"


def refusal_at_once(raw: bytes) -> str:
    with pytest.raises(ValidationError) as refused:
        inspect(io.BytesIO(raw), size=len(raw))
    (sentence,) = refused.value.messages
    return sentence


def refusal(raw: bytes) -> str:
    """What the job says, which decodes."""
    with pytest.raises(ValidationError) as refused:
        prepare(io.BytesIO(raw))
    (sentence,) = refused.value.messages
    return sentence


# --- no pictures ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"Dear friends, this is a text.",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><script>alert(1)</script></html>",
        b"%PDF-1.7 \n",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
        b"P6 1 1 255\n\x00\x00\x00",
        b"BM" + b"\x00" * 60,
        b"8BPS\x00\x01" + b"\x00" * 60,
        b"\x00",
        b"PK\x03\x04" + b"\x00" * 60,
        b"MZ\x90\x00" + b"\x00" * 60,  # programs, renamed
        b"\x7fELF\x02\x01\x01" + b"\x00" * 60,
        b"#!/bin/sh\nrm -rf /\n",
        b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 60,  # a film
    ],
)
def test_what_is_no_picture_of_ours_is_refused_by_its_bytes(raw):
    assert refusal_at_once(raw) == UNREADABLE


@pytest.mark.parametrize("form", ["BMP", "PPM", "ICO", "TGA", "JPEG2000"])
def test_what_pillow_could_read_is_still_refused(form):
    assert refusal_at_once(encoded(quarters(), form)) == UNREADABLE


def test_an_empty_file_is_refused():
    assert refusal_at_once(b"") == "This file is empty."


def test_a_file_over_40_mb_is_refused_unread():
    class Unread:
        def read(self, *args):
            raise AssertionError("read before its size was looked at")

    with pytest.raises(ValidationError, match="larger than 40 MB"):
        inspect(Unread(), size=40 * 1024 * 1024 + 1)


# --- two things in one ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        encoded(quarters(), "JPEG") + b"PK\x03\x04 secret <script>alert(1)</script>",
        encoded(quarters(), "JPEG", comment=b"<html><script>secret()</script>"),
        b"GIF89a/*" + encoded(quarters(), "GIF")[8:] + b"*/=1;alert('secret')",
        encoded(quarters(), "PNG") + b"<?php secret(); ?>",
    ],
    ids=["JPEG and ZIP", "JPEG and HTML", "GIF and JavaScript", "PNG and PHP"],
)
def test_of_two_things_in_one_file_only_the_picture_survives(raw):
    for content in prepare(io.BytesIO(raw)).files.values():
        assert strangers(content) == []
        assert b"secret" not in content and b"<" + b"script" not in content


# --- broken ones ----------------------------------------------------------------------------


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


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "TIFF"])
@pytest.mark.filterwarnings("ignore")
def test_bytes_changed_at_random_end_in_a_picture_or_one_sentence(form):
    whole = encoded(quarters(120, 90), form)
    dice = random.Random(form)
    for _case in range(40):
        raw = bytearray(whole)
        for _byte in range(dice.randint(1, 12)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        try:
            inspect(io.BytesIO(raw), size=len(raw))
            prepared = prepare(io.BytesIO(raw))
        except ValidationError as refused:
            (sentence,) = refused.messages
            assert sentence in {DAMAGED, UNREADABLE, ODD} or "megapixels" in sentence
        else:
            assert [strangers(content) for content in prepared.files.values()] == [[]] * len(
                prepared.files
            )


# --- bombs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(10_000, 6_000), (30_000, 30_000), (10_000, 5_001)])
def test_a_picture_beyond_50_megapixels_is_refused_from_its_header(size, monkeypatch):
    def decode(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", decode)
    sentence = "This picture has more than 50 megapixels. Please choose a smaller one."
    assert refusal_at_once(png_header_of(*size)) == sentence


def test_what_exactly_fits_is_decoded():
    assert refusal(png_header_of(10_000, 5_000)) == DAMAGED  # the header passes, the rest is empty


@pytest.mark.parametrize(
    ("form", "mode", "limit"),
    [("WEBP", "RGB", "WEBP"), ("AVIF", "RGB", "AVIF"), ("JPEG", "CMYK", "CMYK")],
)
def test_hungry_decoders_have_a_lower_limit(form, mode, limit, monkeypatch):
    monkeypatch.setitem(images.MAX_PIXELS_OF, limit, 3_000)
    assert "more than 0 megapixels" in refusal_at_once(encoded(quarters().convert(mode), form))


def test_four_inks_of_50_megapixels_are_refused_from_the_header():
    """A progressive JPEG keeps eight bytes for each of their pixels."""
    raw = bytearray(encoded(quarters().convert("CMYK"), "JPEG"))
    size = raw.index(b"\xff\xc0") + 5
    raw[size : size + 4] = struct.pack(">HH", 5_800, 8_600)
    assert "more than 40 megapixels" in refusal_at_once(bytes(raw))


def repainting(scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again; each makes the decoder work."""
    raw = encoded(Image.new("L", (64, 48), 128), "JPEG", progressive=True)
    last = raw.rindex(b"\xff\xda")
    return raw[:-2] + raw[last:-2] * scans + b"\xff\xd9"


def test_a_jpeg_that_repaints_itself_is_refused():
    """Of 50 megapixels, a thousand scans are 0.3 MB and take half a minute."""
    assert prepare(io.BytesIO(repainting(20))).width == 64
    assert refusal(repainting(100)) == ODD


def test_a_photo_with_a_film_behind_it_is_taken():
    """A phone's motion photo. The film may hold the two bytes of a scan any number of times."""
    film = b"\x00\x00\x00\x18ftypmp42" + b"\xff\xda\x00\x08" * 500
    assert prepare(io.BytesIO(encoded(quarters(), "JPEG") + film)).width == 64


def tiled(width: int) -> bytes:
    """A TIFF of 16 by 16 pixels in one tile of `width` by `width`."""
    data = zlib.compress(bytes(16 * 16))
    tags = [
        (256, 16), (257, 16), (258, 8), (259, 8), (262, 1), (277, 1), (322, width), (323, width),
        (324, 8), (325, len(data)),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    start = struct.pack("<2sHI", b"II", 42, 8 + len(data))
    return start + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_a_small_tiff_in_a_huge_tile_is_refused_from_its_header():
    """A tile is decoded whole: 32,768 by 32,768 took a gigabyte."""
    assert "more than 16 megapixels" in refusal_at_once(tiled(32_768))
    assert prepare(io.BytesIO(tiled(16))).width == 16


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_a_text_that_unpacks_to_200_mb_is_refused(kind):
    text = b"key\0\0" + zlib.compress(bytes(200_000_000), 9)
    whole = encoded(quarters(), "PNG")
    at = whole.index(b"IDAT") - 4
    assert refusal_at_once(whole[:at] + png_chunk(kind, text) + whole[at:]) == DAMAGED


# --- in a process of its own ----------------------------------------------------------------


def test_an_avif_that_says_it_is_small_is_refused_in_a_process_of_its_own():
    """It says 100 by 100 and holds 16,300 by 16,300: in a worker it took a gigabyte."""
    with pytest.raises(ValidationError) as refused, (FILES / "lying.avif").open("rb") as file:
        prepare_apart(file)
    assert refused.value.messages == [DAMAGED]


def test_a_good_picture_comes_back_from_a_process_of_its_own():
    raw = encoded(quarters(), "AVIF")
    assert prepare_apart(io.BytesIO(raw)) == prepare(io.BytesIO(raw))


MEASURE = """
import json, re, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))  # the file's seconds, not the clock's
import django
django.setup()
def peak_mb():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024
from django.core.exceptions import ValidationError
from sistercities.shared.images import prepare
before = peak_mb()
try:
    answer = prepare(open(sys.argv[1], "rb")).width
except ValidationError as refused:
    answer = refused.messages[0]
print(json.dumps({"answer": answer, "grown_mb": peak_mb() - before, "peak_mb": peak_mb()}))
"""


def measured(path: Path) -> dict:
    """What `prepare` does with a file in a process of its own, so that its peak is its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MEASURE, str(path)],
        capture_output=True, text=True, check=True, timeout=300, cwd=settings.BASE_DIR,
        env={
            "DEBUG": "on", "DJANGO_SETTINGS_MODULE": "sistercities.settings",
            "VAR_DIR": str(path.parent), "TASKS_URL": "immediate:", "PATH": os.environ["PATH"],
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


@pytest.mark.parametrize(
    ("form", "mode", "size", "options"),
    [
        ("PNG", "RGBA", (8_600, 5_800), {"compress_level": 1}),
        ("PNG", "P", (8_600, 5_800), {"compress_level": 1, "transparency": 0}),
        ("JPEG", "CMYK", (7_740, 5_160), {"progressive": True, "subsampling": 0}),
        ("WEBP", "RGBA", (5_990, 4_000), {"lossless": True, "method": 0}),
    ],
)
def test_the_largest_picture_takes_512_mb_and_10_seconds_at_most(
    tmp_path, form, mode, size, options
):
    path = tmp_path / "large"
    exif = Image.Exif()
    exif[0x0112] = 6  # lying on its side
    Image.new(mode, size).save(path, form, exif=exif.tobytes(), **options)
    result = measured(path)
    assert result["answer"] == 1600
    assert result["peak_mb"] < 512


@pytest.mark.parametrize("name", ["largest.heic", "largest.avif"])
def test_the_largest_of_formats_that_are_slow_to_make_too(tmp_path, name):
    (tmp_path / name).write_bytes((FILES / name).read_bytes())
    result = measured(tmp_path / name)
    assert result["answer"] == 1600
    assert result["peak_mb"] < 512
