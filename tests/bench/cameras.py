"""Photos as three phones take them: 12 megapixels, 4 to 5 MB, with grain, texture and edges."""

import datetime as dt
import itertools
import os
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from PIL import ExifTags, Image, ImageChops

from tests.bench.places import ROOT

SIZE = WIDTH, HEIGHT = 4032, 3024
SCENES = 20
DRAWINGS = ROOT / "sistercities" / "demo" / "pictures"


def photos(folder: Path) -> list[Path]:
    """Twenty different ones, made once a run. Without EXIF; `developed` adds it."""
    made = folder / "photos"
    if not made.exists():
        made.mkdir()
        drawings = itertools.islice(itertools.cycle(sorted(DRAWINGS.glob("*.webp"))), SCENES)
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            list(pool.map(_take, drawings, [made / f"{n:02}.jpg" for n in range(SCENES)]))
    return sorted(made.glob("*.jpg"))


def _take(drawing: Path, path: Path) -> None:
    """A scene with edges and areas, textured at every scale as nature is, and a sensor's grain."""
    seed = random.Random(path.name)
    with Image.open(drawing) as image:
        left = seed.randrange(image.width - image.height * 4 // 3)
        cut = image.crop((left, 0, left + image.height * 4 // 3, image.height))
        scene = cut.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    texture = _texture(seed)
    textured = ImageChops.overlay(scene, Image.merge("RGB", [texture] * 3))
    scene = Image.blend(scene, textured, 0.6)
    grain = Image.effect_noise(SIZE, 10)
    channels = [ImageChops.offset(grain, seed.randrange(WIDTH), 7) for _ in range(3)]
    ImageChops.add(scene, Image.merge("RGB", channels), 1, -128).save(path, quality=90)


def _texture(seed: random.Random) -> Image.Image:
    """Noise that is stronger the coarser it is: the spectrum of photographs."""
    texture = Image.new("L", SIZE, 128)
    for cells, weight in ((8, 0.5), (32, 0.35), (128, 0.25), (512, 0.18), (2016, 0.2)):
        rows = cells * HEIGHT // WIDTH
        layer = Image.frombytes("L", (cells, rows), seed.randbytes(cells * rows))
        texture = Image.blend(texture, layer.resize(SIZE, Image.Resampling.BICUBIC), weight)
    return texture


@dataclass(frozen=True)
class Camera:
    name: str
    offset: str = ""  # from UTC, where it writes that down
    behind: dt.timedelta = dt.timedelta()  # by how much its clock is slow
    is_upright: bool = False  # held so; the file lies on its side and says so

    def developed(self, photo: bytes, taken: dt.datetime) -> bytes:
        """The JPEG as this camera writes it; `taken` is the wall clock where it was taken."""
        shown = taken - self.behind
        exif = Image.Exif()
        exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Bench", self.name
        if self.is_upright:
            exif[ExifTags.Base.Orientation] = 6
        details = exif.get_ifd(ExifTags.IFD.Exif)
        details[ExifTags.Base.DateTimeOriginal] = shown.strftime("%Y:%m:%d %H:%M:%S")
        if self.offset:
            details[ExifTags.Base.OffsetTimeOriginal] = self.offset
        body = exif.tobytes()
        segment = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
        assert photo.startswith(b"\xff\xd8")
        return b"\xff\xd8" + segment + photo[2:]


CAMERAS = (
    Camera("One", offset="+08:00"),
    Camera("Two", is_upright=True),
    Camera("Three", behind=dt.timedelta(hours=14, minutes=23)),  # nobody set it after the flight
)
