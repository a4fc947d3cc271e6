"""Documents on paper: tagged PDF, set by typst from a template and plain data.

Data are text and stay text: they reach the template as JSON, so nothing in them is ever run. The
same input makes the same bytes, so a document can be made again and compared (giving.md, PDF).
"""

import datetime as dt
import functools
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.utils.translation import gettext as _
from fontTools.ttLib import TTFont

FONTS = Path(__file__).parent / "fonts"
# What every text of a template may fall back on. A face for headings alone does not count.
FALLBACKS = ("NotoSans-Regular.ttf", "NotoSansSC-Regular-GB2312.ttf")
# Debian's fonts-noto-cjk, for the rare names whose characters are not in GB2312.
FULL_FONTS = Path("/usr/share/fonts/opentype/noto")
FULL_FONT, FULL_FONT_NUMBER = "NotoSansCJK-Regular.ttc", 2  # the simplified Chinese of its faces
ENDS_OF_LINES = re.compile("\r\n|[\r\x85\u2028\u2029]")
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
# No mark of their own. Most turn the reading direction, which can make an amount read otherwise.
UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


class MissingGlyph(Exception):
    """No font here can draw some `characters` of the data, so there is no document.

    An acknowledgement with a box for a name would be worthless. The message tells staff what to
    write in another way (or to install fonts-noto-cjk); the receipt by mail is not concerned.
    """

    def __init__(self, characters: str) -> None:
        self.characters = characters
        named = ", ".join(f"{character} (U+{ord(character):04X})" for character in characters)
        named = named.encode("utf-8", "replace").decode()  # half a surrogate pair breaks a log
        super().__init__(_("No font here has these characters: %s") % named)


def render(template: str, data: Mapping[str, Any], *, title: str, made_at: dt.datetime) -> bytes:
    """A PDF/UA-1 file from `templates/<template>`, which may read its own folder and no other.

    The template sets its text in Noto Sans, Noto Sans SC and Noto Sans CJK SC, in this order.
    `data` holds strings, numbers, booleans, lists and mappings, and arrives as JSON in
    `sys.inputs.data`. Control characters in it become spaces, what cannot be seen is left out,
    and accents are composed; "\\n" stays the end of a line. `title` is what a reader's window
    shows. `made_at`, an aware moment, is written into the file: the same arguments make the same
    bytes as long as typst and the fonts stay. Only characters outside of our own fonts depend on
    what the machine has installed.

    Raises `MissingGlyph` before anything is set, and `typst.TypstError` where the template is
    wrong. May be called from several threads, but not in a process forked from one that has called
    it: typst keeps a pool of threads, which a fork loses, and the call would wait forever.
    """
    if made_at.tzinfo is None:
        raise ValueError("The moment of a document needs a time zone.")
    title, data = _cleaned(title), _cleaned(data)
    characters = set().union(*_texts([title, data])) - {"\n"}
    path = settings.BASE_DIR / "templates" / template
    return typst.compile(
        str(path),
        root=str(path.parent),
        font_paths=_fonts_for(characters),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data), "title": title},
        format="pdf",
        pdf_standards="ua-1",
        timestamp=int(made_at.timestamp()),
    )


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        value = CONTROLS.sub(" ", ENDS_OF_LINES.sub("\n", value))
        return unicodedata.normalize("NFC", UNSEEN.sub("", value))
    if isinstance(value, Mapping):
        return {key: _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _fonts_for(characters: set[str]) -> typst.Fonts:
    """Our own fonts, or the machine's as well if ours do not have all characters."""
    missing = characters - _drawn()
    if not missing:
        return _fonts()
    missing -= _drawn_by_full_font()
    if missing:
        raise MissingGlyph("".join(sorted(missing)))
    return _full_fonts()


@functools.cache
def _fonts() -> typst.Fonts:
    return _fonts_in(FONTS)


@functools.cache
def _full_fonts() -> typst.Fonts:
    return _fonts_in(FONTS, FULL_FONTS)


def _fonts_in(*folders: Path) -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(folder) for folder in folders],
    )


@functools.cache
def _drawn() -> frozenset[str]:
    return frozenset().union(*(characters_of(FONTS / name) for name in FALLBACKS))


@functools.cache
def _drawn_by_full_font() -> frozenset[str]:
    path = FULL_FONTS / FULL_FONT
    return characters_of(path, FULL_FONT_NUMBER) if path.exists() else frozenset()


@functools.cache
def characters_of(path: Path, number: int = -1) -> frozenset[str]:
    """What a font file can draw."""
    with TTFont(path, fontNumber=number, lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))
