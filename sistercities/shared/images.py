"""One uploaded picture: checked, turned upright, stripped of what it tells, made small.

`inspect` reads the header alone and is quick enough for a request. `prepare` decodes and belongs
in a job. What visitors get is always encoded anew by us, so nothing hidden in the upload survives:
no place, no camera, no owner, no second file.
"""

import contextlib
import datetime as dt
import io
import logging
import math
import pickle
import re
import resource
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

import django
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import (
    AvifImagePlugin,
    ExifTags,
    Image,
    ImageCms,
    TiffImagePlugin,
    UnidentifiedImageError,
)
from pillow_heif import register_heif_opener

register_heif_opener()
logger = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "TIFF")
MAX_BYTES = 40 * 1024 * 1024
MAX_PIXELS = 50_000_000  # trust.md, Images: from the header, before a pixel is decoded
# Their decoders keep several copies of all pixels: what fits into 512 MB.
MAX_PIXELS_OF = {"WEBP": 24_000_000, "AVIF": 36_000_000, "CMYK": 40_000_000}
WIDEST = 1600
NEARLY = 0.94
STEPS = (480, 800, 1200)  # besides the widest, where the picture is wider than that
JPEG_STEPS = (800,)  # a fallback for the few that read neither WebP nor AVIF
ENCODERS: dict[str, dict[str, Any]] = {  # docs/decisions/0008-qualities-and-avif.md
    ".webp": {"format": "WEBP", "quality": 75, "method": 4},
    ".jpg": {"format": "JPEG", "quality": 80, "progressive": True},
}
MAX_TILE = 4096 * 4096  # pixels
TIFF_TILE_WIDTH, TIFF_TILE_LENGTH = 322, 323
MAX_SCANS = 50  # of a JPEG; usual are ten
SCAN, END_OF_PICTURE = b"\xff\xda", b"\xff\xd9"
MARKER = re.compile(rb"\xff[^\x00\xd0-\xd8\xff]")
PHOTOGRAPHY = range(1826, 2200)
STRIP_PIXELS = 4_000_000
LONGEST = 60  # seconds, six times what a picture may take
MAX_MEMORY = 512 * 1024 * 1024
NO_MEMORY = 12  # as an exit code
CRASHES = {signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE}
# EXIF's eight orientations, as what turns the picture back.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = {TURNS[5], TURNS[6], TURNS[7], TURNS[8]}
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


@dataclass(frozen=True)
class Notes:
    """What a picture's header says. All of it is private."""

    suffix: str
    taken: dt.datetime | None  # as the camera's clock said: naive, in no known zone
    offset: dt.timedelta | None  # of that clock from UTC, if the camera wrote it down
    latitude: float | None
    longitude: float | None
    camera: str  # maker, model and serial number: the same for all pictures of one camera


@dataclass(frozen=True)
class Prepared:
    """A picture ready to store. `files` is {(width, suffix): content}, free of metadata."""

    files: dict[tuple[int, str], bytes]
    width: int
    height: int
    colour: str

    def named(self, name: str) -> dict[str, bytes]:
        """The files by the names that they have beside the widest one, `name`."""
        return {
            rendition_name(name, self.width, width, suffix): content
            for (width, suffix), content in self.files.items()
        }


def inspect(file: IO[bytes], *, size: int) -> Notes:
    """Reads the header, decodes nothing. Raises `ValidationError` in one sentence."""
    if size > MAX_BYTES:
        raise ValidationError(_("This picture is larger than 40 MB. Please choose a smaller one."))
    if not size:
        raise ValidationError(_("This file is empty."))
    with _opened(file) as image:
        exif = _exif(image)
        taken, offset = _taken(exif)
        latitude, longitude = _place(exif)
        return Notes(
            suffix="." + (image.format or "bin").lower(),
            taken=taken,
            offset=offset,
            latitude=latitude,
            longitude=longitude,
            camera=_camera(exif),
        )


def prepare(file: IO[bytes]) -> Prepared:
    """Decodes a picture and makes its renditions. Raises `ValidationError` in one sentence.

    Takes at most 512 MB and 10 seconds, whatever the file says of itself (trust.md, Images).
    """
    pictures = in_widths(file)
    widest = pictures[0]
    red, green, blue = widest.resize((1, 1), Image.Resampling.BOX).tobytes()
    files = {}
    for picture in pictures:
        files[picture.width, ".webp"] = encoded(picture, **ENCODERS[".webp"])
        if picture.width in JPEG_STEPS or picture is widest:
            files[picture.width, ".jpg"] = encoded(picture, **ENCODERS[".jpg"])
    return Prepared(files, widest.width, widest.height, f"#{red:02x}{green:02x}{blue:02x}")


def prepare_apart(file: IO[bytes]) -> Prepared:
    """`prepare` in a process of its own, whose death or standstill is a reason to refuse.

    For what killed its worker before, and for formats whose header is not bound to what they
    hold: there memory is limited from outside. Raises `RuntimeError` where that process could not
    do its work for another reason.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", f"from {__name__} import answer; answer()"],
            input=file.read(), stdout=subprocess.PIPE, timeout=LONGEST, check=False,
            cwd=settings.BASE_DIR,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode == NO_MEMORY or -done.returncode in CRASHES:
        raise ValidationError(_("This picture takes more than our computer has to give."))
    if done.returncode:
        raise RuntimeError("A process of its own could not be used to read a picture.")
    prepared = pickle.loads(done.stdout)
    if isinstance(prepared, ValidationError):
        raise prepared
    return prepared


def answer() -> None:
    """The other end of `prepare_apart`: a file comes in and what became of it goes out."""
    django.setup()
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each reserves memory of its own
    try:
        result: Prepared | ValidationError = prepare(io.BytesIO(sys.stdin.buffer.read()))
    except ValidationError as refused:
        result = refused
    except MemoryError:
        sys.exit(NO_MEMORY)
    sys.stdout.buffer.write(pickle.dumps(result))


def in_widths(file: IO[bytes]) -> list[Image.Image]:
    """The picture in all its widths, the widest first: upright, sRGB, free of metadata.

    Raises `ValidationError` in one sentence.
    """
    with _opened(file) as image:
        _refuse_too_many_scans(image, file)
        widest = _to_srgb(_upright_and_small(image))
    widest.info = {}  # comment, EXIF, XMP: some encoders write on what they find here
    pictures = [widest]
    for width in reversed(widths_of(widest.width)[:-1]):
        height = max(1, round(widest.height * width / widest.width))
        pictures.append(pictures[-1].resize((width, height), Image.Resampling.LANCZOS))
    return pictures


def encoded(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def widths_of(width: int) -> list[int]:
    """The widths in which a picture exists whose widest rendition has `width`, rising."""
    return [*(step for step in STEPS if step < width), width]


def rendition_name(name: str, picture_width: int, width: int, suffix: str = ".webp") -> str:
    """Of the picture `photos/ab/cd.webp`: `photos/ab/cd-480.webp`, or itself at its full width."""
    path = PurePosixPath(name)
    step = "" if width >= picture_width else f"-{width}"
    return str(path.with_name(f"{path.stem}{step}{suffix}"))


def rendition_names(name: str, picture_width: int, *, has_avif: bool = False) -> list[str]:
    """Every public file of a picture."""
    widths = widths_of(picture_width)
    jpegs = [width for width in widths if width in JPEG_STEPS or width == picture_width]
    return [
        rendition_name(name, picture_width, width, suffix)
        for suffix, some in ((".webp", widths), (".jpg", jpegs), (".avif", widths * has_avif))
        for width in some
    ]


def random_name(folder: str, suffix: str) -> str:
    """A file name that cannot be guessed (128 bits): `photos/ab/….webp`."""
    stem = secrets.token_hex(16)
    return f"{folder}/{stem[:2]}/{stem}{suffix}"


@contextlib.contextmanager
def _opened(file: IO[bytes]) -> Iterator[Image.Image]:
    """The picture with its header checked; whatever goes wrong inside becomes one sentence."""
    file.seek(0)
    try:
        with Image.open(file, formats=FORMATS) as image:
            _refuse_too_many_pixels(image)
            yield image
    except (ValidationError, MemoryError):  # too little memory is not the picture's fault
        raise
    except UnidentifiedImageError:
        raise ValidationError(
            _("This file is not a picture that we can read. Use JPEG, PNG, WebP, HEIC, AVIF, "
              "GIF or TIFF.")
        ) from None  # fmt: skip
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(MAX_PIXELS) from None
    except Exception as error:  # decoders raise what they like: struct.error, RuntimeError, …
        logger.info("A picture could not be read: %s", type(error).__name__)
        raise ValidationError(
            _("This picture is damaged: it ends or breaks before all of it could be read.")
        ) from None


def _refuse_too_many_pixels(image: Image.Image) -> None:
    """Looks at the header alone: nothing has been decoded yet."""
    most = min(MAX_PIXELS_OF.get(kind or "", MAX_PIXELS) for kind in (image.format, image.mode))
    if image.width * image.height > most:
        raise _too_many_pixels(most)

    # A TIFF's tile is decoded whole, even where the picture is smaller.
    tile = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    if tile.get(TIFF_TILE_WIDTH, 1) * tile.get(TIFF_TILE_LENGTH, 1) > MAX_TILE:
        raise _too_many_pixels(MAX_TILE)


def _refuse_too_many_scans(image: Image.Image, file: IO[bytes]) -> None:
    """A JPEG may be drawn over and over: a thousand scans of a few bytes take half a minute."""
    if image.format not in {"JPEG", "MPO"}:
        return
    file.seek(0)
    content = file.read()
    if content.count(SCAN) > MAX_SCANS and _scans(content) > MAX_SCANS:
        raise ValidationError(_("This picture is built in an odd way. Please save it anew."))


def _scans(jpeg: bytes) -> int:
    """How many scans its first picture has. A film behind it may hold the same two bytes."""
    at, count = 2, 0
    while (marker := MARKER.search(jpeg, at)) and marker[0] != END_OF_PICTURE:
        count += marker[0] == SCAN
        at = marker.end() + int.from_bytes(jpeg[marker.end() : marker.end() + 2])
    return count


def _too_many_pixels(most: int) -> ValidationError:
    return ValidationError(
        _("This picture has more than %d megapixels. Please choose a smaller one.")
        % (most // 1_000_000)
    )


def _exif(image: Image.Image) -> Image.Exif:
    """What the camera wrote down. Notes that cannot be read are no reason to refuse a picture."""
    try:
        exif = Image.Image.getexif(image)  # PNG's own decodes the whole picture first
        exif.get_ifd(ExifTags.IFD.Exif)
        exif.get_ifd(ExifTags.IFD.GPSInfo)
    except Exception:
        return Image.Exif()
    return exif


def _upright_and_small(image: Image.Image) -> Image.Image:
    """The picture as it was seen, at most as large as the widest file: RGB, CMYK or L.

    Shrinks first and turns later: a copy of 50 megapixels takes 200 MB.
    """
    if image.format not in {"JPEG", "MPO"}:  # those decode at half or less, if asked before
        image.load()
    turn = TURNS.get(_exif(image).get(ExifTags.Base.Orientation, 1))  # a TIFF turned on load
    box = (WIDEST, WIDEST * 4)
    if turn in SIDEWAYS:
        box = box[::-1]
    shrink = max(image.width / box[0], image.height / box[1], 1)
    size = math.ceil(image.width / shrink), math.ceil(image.height / shrink)
    # JPEG's decoder can halve, which saves memory and time. A phone's 3,024 pixels then become
    # 1,512 of our widest 1,600: nobody sees it.
    image.draft(None, (int(size[0] * NEARLY), int(size[1] * NEARLY)))
    small = image if _is_flat(image) else _flattened(image, int(shrink))
    small.thumbnail(size, Image.Resampling.LANCZOS)
    return small.transpose(turn) if turn is not None else small


def _is_flat(image: Image.Image) -> bool:
    return image.mode in {"RGB", "CMYK", "L"} and "transparency" not in image.info


def _flattened(image: Image.Image, factor: int) -> Image.Image:
    """Eight bits a channel, white where it is transparent, smaller by a whole `factor`."""
    rows = factor * max(1, STRIP_PIXELS // (image.width * factor))
    size = (math.ceil(image.width / factor), math.ceil(image.height / factor))
    whole: Image.Image | None = None
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        strip = _flat_strip(strip).reduce(factor)
        whole = whole or Image.new(strip.mode, size)
        whole.paste(strip, (0, top // factor))
    assert whole is not None
    whole.info["icc_profile"] = image.info.get("icc_profile")
    return whole


def _flat_strip(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # 16 bits or more a channel
        return image.convert("I").point(lambda value: value / 257).convert("L")
    if image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("RGB")
    return image.convert("RGB")


def _to_srgb(image: Image.Image) -> Image.Image:
    """The picture in sRGB, whatever its profile was."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError):
            converted = None  # a broken profile: the plain conversion below is the best there is
        if converted is not None:
            return converted
    return image.convert("RGB")


def _taken(exif: Image.Exif) -> tuple[dt.datetime | None, dt.timedelta | None]:
    """The camera's wall clock when the picture was taken, and how far it was from UTC."""
    details = exif.get_ifd(ExifTags.IFD.Exif)
    original = details.get(ExifTags.Base.DateTimeOriginal)
    text = original or exif.get(ExifTags.Base.DateTime)
    try:
        taken = dt.datetime.strptime(str(text), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None, None
    if taken.year not in PHOTOGRAPHY:  # a clock that nobody set; year 1 has no moment in UTC
        return None, None
    tag = ExifTags.Base.OffsetTimeOriginal if original else ExifTags.Base.OffsetTime
    found = re.fullmatch(r"([+-])(\d\d):(\d\d)", str(details.get(tag, "")).strip("\0 "))
    if not found or int(found[2]) > 14 or int(found[3]) > 59:
        return taken, None
    offset = dt.timedelta(hours=int(found[2]), minutes=int(found[3]))
    return taken, -offset if found[1] == "-" else offset


def _camera(exif: Image.Exif) -> str:
    details = exif.get_ifd(ExifTags.IFD.Exif)
    parts = (
        exif.get(ExifTags.Base.Make),
        exif.get(ExifTags.Base.Model),
        details.get(ExifTags.Base.BodySerialNumber),
    )
    words = " ".join(str(part) for part in parts if part)
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:120]


def _place(exif: Image.Exif) -> tuple[float | None, float | None]:
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)

    def degrees(value_tag: int, side_tag: int, negative: str, limit: int) -> float | None:
        try:
            whole, minutes, seconds = (float(part) for part in gps[value_tag])
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            return None
        value = whole + minutes / 60 + seconds / 3600
        value = -value if gps.get(side_tag) == negative else value
        return round(value, 6) if abs(value) <= limit else None

    latitude = degrees(ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S", 90)
    longitude = degrees(ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W", 180)
    return (latitude, longitude) if None not in (latitude, longitude) else (None, None)
