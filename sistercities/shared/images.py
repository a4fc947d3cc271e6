"""One uploaded picture: checked, turned upright, stripped of what it tells, renamed.

What visitors get is always re-encoded by us, so nothing hidden in the upload survives: no place,
no camera, no owner, no second file. The upload itself is kept apart, never served, so that later
renditions can be made from it.
"""

import datetime as dt
import io
import logging
import math
import secrets
from dataclasses import dataclass
from pathlib import PurePosixPath

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError
from pillow_heif import register_heif_opener

register_heif_opener()
logger = logging.getLogger(__name__)

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "TIFF")
MAX_BYTES = 40 * 1024 * 1024
MAX_PIXELS = 50_000_000  # trust.md, Images: from the header, before a pixel is decoded
# Their decoders keep several copies of all pixels: what fits into 512 MB.
MAX_PIXELS_OF = {"WEBP": 24_000_000, "AVIF": 36_000_000}
WIDTHS = (1600, 800)  # the first is the picture's own file, the others are its renditions
QUALITY = 82
MIDDLE = 50  # percent of a picture's height
FOLDER = "pictures"
STRIP_PIXELS = 4_000_000
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
class Prepared:
    """A picture ready to store: `files` is {width: WebP bytes}, widest first."""

    files: dict[int, bytes]
    width: int
    height: int
    colour: str
    original: bytes
    original_suffix: str
    taken_at: dt.datetime | None  # as the camera's clock said: naive, in no known zone
    latitude: float | None
    longitude: float | None


def prepare(upload) -> Prepared:
    """Reads a file-like object with `size` and `name`. Raises `ValidationError` in one sentence.

    Takes at most 512 MB and 10 seconds, whatever the file says of itself (trust.md, Images).
    """
    if upload.size > MAX_BYTES:
        raise ValidationError(_("This picture is larger than 40 MB. Please choose a smaller one."))
    upload.seek(0)
    raw = upload.read()
    if not raw:
        raise ValidationError(_("This file is empty."))
    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            _refuse_too_many_pixels(image)
            suffix = "." + (image.format or "bin").lower()
            exif = _exif(image)
            taken_at = _taken_at(exif)
            latitude, longitude = _place(exif)
            widest = _to_srgb(_upright_and_small(image))
    except ValidationError:
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
    files = {}
    for width in WIDTHS:
        sized = widest.copy()
        sized.thumbnail((width, width * 4), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        sized.save(buffer, "WEBP", quality=QUALITY, method=4)
        files[width] = buffer.getvalue()
    red, green, blue = widest.resize((1, 1), Image.Resampling.BOX).tobytes()
    return Prepared(
        files=files,
        width=widest.width,
        height=widest.height,
        colour=f"#{red:02x}{green:02x}{blue:02x}",
        original=raw,
        original_suffix=suffix,
        taken_at=taken_at,
        latitude=latitude,
        longitude=longitude,
    )


def _refuse_too_many_pixels(image: Image.Image) -> None:
    """Looks at the header alone: nothing has been decoded yet."""
    most = MAX_PIXELS_OF.get(image.format or "", MAX_PIXELS)
    if image.width * image.height > most:
        raise _too_many_pixels(most)


def _too_many_pixels(most: int) -> ValidationError:
    return ValidationError(
        _("This picture has more than %d megapixels. Please choose a smaller one.")
        % (most // 1_000_000)
    )


def _exif(image: Image.Image) -> Image.Exif:
    """What the camera wrote down. Notes that cannot be read are no reason to refuse a picture."""
    try:
        exif = image.getexif()
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
    box = (WIDTHS[0], WIDTHS[0] * 4)
    if turn in SIDEWAYS:
        box = box[::-1]
    shrink = max(image.width / box[0], image.height / box[1], 1)
    small = image if _is_flat(image) else _flattened(image, int(shrink))
    # Both sides by the same factor: `thumbnail` asks JPEG's decoder for the size given here.
    small.thumbnail(
        (math.ceil(image.width / shrink), math.ceil(image.height / shrink)),
        Image.Resampling.LANCZOS,
    )
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


def _taken_at(exif: Image.Exif) -> dt.datetime | None:
    details = exif.get_ifd(ExifTags.IFD.Exif)
    text = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    try:
        return dt.datetime.strptime(str(text), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


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


class PreparedFile(ContentFile):
    """The public file of a picture that has been through `prepare`."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        super().__init__(prepared.files[WIDTHS[0]], name="picture.webp")


def rendition_name(name: str, width: int) -> str:
    """`pictures/ab/cd.webp` at 800 pixels is `pictures/ab/cd-800.webp`."""
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}-{width}{path.suffix}"))


def random_name(instance: models.Model, filename: str) -> str:
    stem = secrets.token_hex(16)
    return f"{FOLDER}/{stem[:2]}/{stem}.webp"


class PictureFormField(forms.FileField):
    widget = forms.ClearableFileInput

    def to_python(self, data):
        upload = super().to_python(data)
        return PreparedFile(prepare(upload)) if upload else upload

    def widget_attrs(self, widget):
        return {**super().widget_attrs(widget), "accept": "image/*"}


class PictureField(models.ImageField):
    """Stores the cleaned picture and its renditions, and fills the fields of `Pictured`."""

    def formfield(self, **kwargs):
        return models.Field.formfield(
            self, **{"form_class": PictureFormField, "max_length": self.max_length, **kwargs}
        )

    def update_dimension_fields(self, instance, force=False, *args, **kwargs):
        """Sizes come from `prepare`; opening the file again would cost a read a row."""

    def pre_save(self, model_instance, add):
        file = getattr(model_instance, self.attname)
        if file and not file._committed:
            upload = file.file
            prepared = getattr(upload, "prepared", None) or prepare(upload)
            file.save(random_name(model_instance, ""), PreparedFile(prepared), save=False)
            for width, content in list(prepared.files.items())[1:]:
                default_storage.save(rendition_name(file.name, width), ContentFile(content))
            original = PurePosixPath(file.name).with_suffix(prepared.original_suffix)
            storages["originals"].save(str(original), ContentFile(prepared.original))
            model_instance.picture_width = prepared.width
            model_instance.picture_height = prepared.height
            model_instance.picture_colour = prepared.colour
            model_instance.picture_prepared(prepared)
        return super().pre_save(model_instance, add)


class Pictured(models.Model):
    """A row with one picture."""

    picture = PictureField(
        gettext_lazy("picture"),
        upload_to=random_name,
        max_length=120,
        blank=True,
        help_text=gettext_lazy("JPEG, PNG, WebP, HEIC, AVIF, GIF or TIFF, at most 40 MB. Place and "
                               "camera data are removed from what visitors see."),
    )  # fmt: skip
    picture_width = models.PositiveIntegerField(default=0, editable=False)
    picture_height = models.PositiveIntegerField(default=0, editable=False)
    picture_colour = models.CharField(max_length=7, blank=True, editable=False)
    picture_alt = models.CharField(
        gettext_lazy("picture in words"),
        max_length=250,
        blank=True,
        help_text=gettext_lazy("What a person who cannot see it should know. "
                               "It is read aloud in place of the picture."),
    )  # fmt: skip
    picture_focus = models.PositiveSmallIntegerField(
        gettext_lazy("height of what matters"),
        default=MIDDLE,
        blank=True,
        validators=[MaxValueValidator(100)],
        help_text=gettext_lazy("Where a wide crop should look: 0 is the top edge, 100 the bottom."),
    )
    picture_caption = models.CharField(gettext_lazy("caption"), max_length=250, blank=True)
    picture_credit = models.CharField(
        gettext_lazy("credit"),
        max_length=120,
        blank=True,
        help_text=gettext_lazy("Who made the picture, such as: Photo: Ann Lee."),
    )

    class Meta:
        abstract = True

    def picture_prepared(self, prepared: Prepared) -> None:
        """Called when a new picture has been stored; a photo keeps its time and place."""

    def clean(self):
        super().clean()
        if self.picture_focus is None:
            self.picture_focus = MIDDLE
        if self.picture and not self.picture_alt and not getattr(self, "is_decorative", False):
            raise ValidationError({"picture_alt": _("Please say in words what the picture shows.")})

    @property
    def picture_shape(self) -> str:
        """The nearest of the style sheet's shapes (`r32` is three to two), for even rows."""
        shapes = {
            "r219": 21 / 9, "r169": 16 / 9, "r32": 3 / 2, "r43": 4 / 3,
            "r11": 1.0, "r45": 4 / 5, "r34": 3 / 4, "r23": 2 / 3,
        }  # fmt: skip
        ratio = self.picture_width / (self.picture_height or 1)
        return min(shapes, key=lambda shape: abs(shapes[shape] - ratio))
