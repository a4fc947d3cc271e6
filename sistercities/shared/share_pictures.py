"""The picture that other sites show beside a link to us: a photo, and under it flag and name.

Drawn anew for each request, in 25 to 45 milliseconds: those who ask are the few programs that read
a shared link, and nothing has to be kept, swept or taken back.
"""

import functools
import io
from bisect import bisect_right
from dataclasses import dataclass
from itertools import groupby

from django.conf import settings
from PIL import Image, ImageDraw, ImageFont, ImageOps

from sistercities.shared.pdf import FONTS, characters_of

# What Facebook and X ask for; WeChat takes the first square of 300 pixels or more in a page.
SIZES = {"wide": (1200, 630), "square": (600, 600)}
PAPER, INK, QUIET = "#fafbf7", "#191d1c", "#454c49"
LITERATA, SANS, CHINESE = (
    "Literata-Regular.ttf", "NotoSans-Regular.ttf", "NotoSansSC-Regular-GB2312.ttf",
)  # fmt: skip
FLAGS = settings.BASE_DIR / "sistercities" / "static" / "vendor" / "flag-icons" / "mail"


@dataclass(frozen=True)
class Label:
    """What stands under the photo. `accent` is a colour, `country` a code of two letters or ''."""

    title: str
    native: str
    site: str
    country: str
    accent: str


def drawn(shape: str, label: Label, photo: bytes | None) -> bytes:
    """A JPEG in one of SIZES; `photo` is one too. Without it the name has the paper to itself."""
    width, height = SIZES[shape]
    unit = width // (40 if shape == "wide" else 24)
    band = 7 * unit if photo else height
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    top = height - band
    if photo:
        with Image.open(io.BytesIO(photo), formats=["JPEG"]) as image:
            image.draft("RGB", (width, 1))
            fitted = ImageOps.fit(image.convert("RGB"), (width, top), centering=(0.5, 0.4))
        sheet.paste(fitted, (0, 0))
    left, right = 2 * unit, width - 2 * unit
    line = top + unit if photo else height // 2 - 4 * unit
    _thread(pen, left, right, line, label.accent, unit)
    x, y = left, line + unit
    if flag := _flag(label.country, 2 * unit):
        sheet.paste(flag, (x, y + unit // 2))
        x += flag.width + unit * 2 // 3
    _name(pen, (x, y), right, label, unit)
    _write(pen, (left, y + 3 * unit), label.site, SANS, unit * 9 // 10, QUIET)
    answer = io.BytesIO()
    sheet.save(answer, "JPEG", quality=86, optimize=False)
    return answer.getvalue()


def _thread(
    pen: ImageDraw.ImageDraw, left: int, right: int, y: int, accent: str, unit: int
) -> None:
    """The line with two ends: a filled dot is home, an open one is there."""
    dot = unit // 4
    pen.line((left, y, right, y), accent, max(2, unit // 10))
    pen.ellipse((left, y - dot, left + 2 * dot, y + dot), accent)
    pen.ellipse((right - 2 * dot, y - dot, right, y + dot), PAPER, accent, max(2, unit // 10))


def _name(
    pen: ImageDraw.ImageDraw, at: tuple[int, int], right: int, label: Label, unit: int
) -> None:
    """The title and the name in its own script: large on one line, or small on two."""
    x, y = at
    native = f" {label.native}" if label.native else ""
    room = right - x
    for size in range(2 * unit, unit * 3 // 2, -2):
        if _width(label.title + native, size) <= room:
            y += (2 * unit - size) // 2
            end = _write(pen, (x, y), label.title, LITERATA, size, INK)
            _write(pen, (end, y), native, LITERATA, size, label.accent)
            return
    size = unit * 5 // 4
    first = _cut(label.title, room, size)
    if " " in first and first != label.title:
        first = first[: first.rindex(" ")]
    rest = label.title[len(first) :].lstrip()
    second = _cut(rest, room, size)
    if second != rest:
        second = _cut(rest, room - _width("…", size), size).rstrip() + "…"
    for line, text in enumerate((first, second)):
        _write(pen, (x, y - unit // 3 + line * unit * 3 // 2), text, LITERATA, size, INK)


def _cut(text: str, room: int, size: int) -> str:
    """As many of its first characters as there is room for, and one at least."""
    cuts = range(1, len(text) + 1)
    return text[: max(1, bisect_right(cuts, room, key=lambda cut: _width(text[:cut], size)))]


def _write(
    pen: ImageDraw.ImageDraw, at: tuple[int, int], text: str, face: str, size: int, colour: str
) -> int:
    """Writes from the top left; where the line ended."""
    x, y = at
    for name, run in _runs(text, face):
        font = _font(name, size)
        # On one line for all faces: `ls` is the left end of the baseline.
        pen.text((x, y + size), run, colour, font, anchor="ls")
        x += round(font.getlength(run))
    return x


def _width(text: str, size: int) -> int:
    return sum(round(_font(name, size).getlength(run)) for name, run in _runs(text, LITERATA))


def _runs(text: str, face: str) -> list[tuple[str, str]]:
    """Pieces of `text`, each with the first of our fonts that has its characters."""
    faces = (face, SANS, CHINESE)

    def font_of(character: str) -> str:
        return next((name for name in faces if character in characters_of(FONTS / name)), face)

    return [(name, "".join(run)) for name, run in groupby(text, font_of)]


@functools.lru_cache(maxsize=64)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / name, size, layout_engine=ImageFont.Layout.BASIC)


def _flag(country: str, width: int) -> Image.Image | None:
    path = FLAGS / f"{country.lower()}.png"
    if not country or not path.exists():
        return None
    with Image.open(path, formats=["PNG"]) as flag:
        size = (width, width * 3 // 4)
        return flag.convert("RGB").resize(size, Image.Resampling.LANCZOS)
