"""AVIF for the pictures where it is worth it: each file at least a fifth smaller than the WebP,
and no less like the picture (docs/decisions/0008-qualities-and-avif.md).
"""

import io
import time
from collections.abc import Iterator
from typing import IO, Any

from PIL import Image, ImageMath

from sistercities.shared.images import ENCODERS, encoded, in_widths

MOST_BYTES = 0.8  # of the WebP file
QUALITIES = 40, 72
SPEED = 6  # of 10; from 7 on the files are hardly smaller than WebP
AROUND = 8
MOST_PIXELS = 3_200_000  # the encoder takes 15 bytes for each
MOST_SECONDS = 10.0
FACTORS, BLOCK, STRIP = (1, 2, 4), 8, 128


def smaller(file: IO[bytes]) -> dict[int, bytes] | None:
    """The picture as AVIF by width; None where one of the files is not worth it.

    Begins with the narrowest, where most are found not to be, and gives up after some ten seconds
    of the processor. Raises `ValidationError` for what cannot be read.
    """
    end = time.thread_time() + MOST_SECONDS
    pictures = in_widths(file)
    if pictures[0].width * pictures[0].height > MOST_PIXELS:
        return None
    files, (low, high) = {}, QUALITIES
    while pictures:
        picture = pictures.pop()
        found = _smaller(picture, low, high, end)
        if found is None:
            return None
        quality, files[picture.width] = found
        low, high = quality - AROUND, quality + AROUND  # the next width needs about the same
    return files


def _smaller(picture: Image.Image, low: int, high: int, end: float) -> tuple[int, bytes] | None:
    """A file that is small and good enough, with its quality."""
    webp = encoded(picture, **ENCODERS[".webp"])
    most_bytes, least_likeness = len(webp) * MOST_BYTES, likeness(picture, webp)
    while low <= high and time.thread_time() < end:
        quality = (low + high) // 2
        avif = encoded(picture, format="AVIF", quality=quality, speed=SPEED, max_threads=1)
        is_small, is_good = len(avif) <= most_bytes, likeness(picture, avif) >= least_likeness
        if is_small and is_good:
            return quality, avif
        if is_small:
            low = quality + 1
        elif is_good:
            high = quality - 1
        else:
            return None
    return None


def likeness(picture: Image.Image, file: bytes) -> float:
    """How alike a file and the picture look, from near, farther and far: 1 is the same.

    The structural similarity of their brightness (Wang, Bovik, Sheikh, Simoncelli 2004), at whole,
    half and quarter size.
    """
    with Image.open(io.BytesIO(file)) as image:
        one, other = picture.convert("L"), image.convert("L")
    views = [_similarity(one.reduce(factor), other.reduce(factor)) for factor in FACTORS]
    return sum(views) / len(views)


def _similarity(one: Image.Image, other: Image.Image) -> float:
    """The mean over blocks of 8 by 8; taken in strips, since it needs many copies."""
    sums = [_compare(*pair) for pair in zip(_strips(one), _strips(other), strict=True)]
    return sum(total for total, _ in sums) / sum(count for _, count in sums)


def _strips(image: Image.Image) -> Iterator[Image.Image]:
    for top in range(0, image.height, STRIP):
        strip = image.crop((0, top, image.width, min(top + STRIP, image.height)))
        yield strip.convert("F")


def _compare(one: Image.Image, other: Image.Image) -> tuple[float, int]:
    """The sum over all blocks, and their number."""

    def mean(product: Image.Image) -> Image.Image:
        return product.reduce(BLOCK)

    def times(a: Image.Image, b: Image.Image) -> Image.Image:
        return ImageMath.lambda_eval(lambda args: args["a"] * args["b"], a=a, b=b)

    blocks = ImageMath.lambda_eval(
        _structure,
        x=mean(one), y=mean(other),
        xx=mean(times(one, one)), yy=mean(times(other, other)), xy=mean(times(one, other)),
    )  # fmt: skip
    count = blocks.width * blocks.height
    return blocks.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) * count, count


def _structure(args: dict[str, Any]) -> Any:
    """The formula; its constants are (0.01 · 255)² and (0.03 · 255)²."""
    x, y, xx, yy, xy = (args[name] for name in ("x", "y", "xx", "yy", "xy"))
    same_light = (2 * x * y + 6.5025) / (x * x + y * y + 6.5025)
    same_shape = (2 * (xy - x * y) + 58.5225) / (xx - x * x + yy - y * y + 58.5225)
    return same_light * same_shape
