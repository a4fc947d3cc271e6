"""The one style sheet of every page: the site's own, then the colors of the cities."""

import functools
import re
from collections.abc import Iterable
from hashlib import sha256

from django.conf import settings
from django.templatetags.static import static

from cities.models import City
from cities.models.city import COLOURS

SHEET = settings.BASE_DIR / "sistercities" / "static" / "site" / "style.css"
FONT = re.compile(r"url\((fonts/[^)]+)\)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
LAYOUT = re.compile(r"\s*\n\s*")


def whole(cities: Iterable[City]) -> str:
    # A city without colours of its own has those of home, also on the page of another.
    light, dark = ["[data-city]{--accent:var(--civic);--accent-2:var(--civic-2)}"], []
    for city in cities:
        if city.colours == COLOURS:
            continue
        where = f'[data-city="{city.slug}"]'
        light.append(f"{where}{{--accent:{city.accent};--accent-2:{city.accent_line}}}")
        dark.append(f"{where}{{--accent:{city.accent_dark};--accent-2:{city.accent_line_dark}}}")
    return (
        f"{_own(SHEET.stat().st_mtime_ns)}\n@layer tokens{{{''.join(light)}"
        f"@media (prefers-color-scheme:dark){{{''.join(dark)}}}"
        "@media print{[data-city]{--accent:#000;--accent-2:#555}}}"
    )


def version(state: str) -> str:
    """Changes with the sheet and with the `state` of cities, so that browsers fetch it anew."""
    return sha256(f"{_own(SHEET.stat().st_mtime_ns)}{state}".encode()).hexdigest()[:8]


@functools.lru_cache(maxsize=1)
def _own(changed_at: int) -> str:
    """The file without comments, its fonts at the addresses that pages preload."""
    text = COMMENT.sub("", SHEET.read_text(encoding="utf-8"))
    text = FONT.sub(lambda found: f"url({static(f'site/{found[1]}')})", text)
    return LAYOUT.sub("\n", text)
