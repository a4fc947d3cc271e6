"""The demo's pictures as uploads: cut, dated and placed the way a camera does it."""

import datetime as dt
import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from PIL import ExifTags, Image

from sistercities.shared.images import prepare
from sistercities.shared.pictures import PreparedFile

FOLDER = Path(__file__).parent / "pictures"
CREDIT = "Illustration"


class Album:
    """`recipes` is content/pictures.toml: file, crop, time, place and words by name.

    A picture that several rows show is prepared once; each row still stores files of its own.
    """

    def __init__(self, recipes: dict[str, dict[str, Any]]) -> None:
        self.recipes = recipes
        self._prepared: dict[str, PreparedFile] = {}

    def develop(self, names: Iterable[str]) -> None:
        """Takes the pictures through intake side by side; the slow part, so it comes first."""
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            ordered = sorted(set(names))
            self._prepared.update(zip(ordered, pool.map(self._develop, ordered), strict=True))

    def _develop(self, name: str) -> PreparedFile:
        upload = self.upload(name)
        return PreparedFile(upload.read(), prepare(upload))

    def file(self, name: str) -> PreparedFile:
        """What a picture field takes; `develop` must have seen the name."""
        return self._prepared[name]

    def alt(self, name: str) -> str:
        return self.recipes[name]["alt"]

    def upload(self, name: str) -> ContentFile:
        """A JPEG with capture time and place in its EXIF data, as if it came from a camera."""
        recipe = self.recipes[name]
        with Image.open(FOLDER / f"{recipe.get('file', name)}.webp") as image:
            left, top, width, height = recipe.get("crop", (0, 0, *image.size))
            picture = image.convert("RGB").crop((left, top, left + width, top + height))
        buffer = io.BytesIO()
        picture.save(
            buffer, "JPEG", quality=93, subsampling=0, exif=_exif(recipe["taken"], *recipe["at"])
        )
        return ContentFile(buffer.getvalue(), name=f"{name}.jpg")


def _exif(taken: dt.datetime, latitude: float, longitude: float) -> Image.Exif:
    exif = Image.Exif()
    text = taken.strftime("%Y:%m:%d %H:%M:%S")
    exif[ExifTags.Base.DateTime] = text
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = text
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef] = "N" if latitude >= 0 else "S"
    gps[ExifTags.GPS.GPSLatitude] = _sexagesimal(abs(latitude))
    gps[ExifTags.GPS.GPSLongitudeRef] = "E" if longitude >= 0 else "W"
    gps[ExifTags.GPS.GPSLongitude] = _sexagesimal(abs(longitude))
    return exif


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    minutes, seconds = divmod(round(float(degrees) * 3600, 2), 60)
    whole, minutes = divmod(minutes, 60)
    return whole, minutes, seconds
