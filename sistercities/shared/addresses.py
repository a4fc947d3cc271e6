"""Where a picture's files are. An item is a row or card with a picture (`Pictured`, `Card`)."""

from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.templatetags.static import static

from sistercities.shared.images import JPEG_STEPS, WIDEST, rendition_name, widths_of


def picture_file(item: Any, width: int, suffix: str) -> str:
    """The address of one file; `width` is a step at which it exists, or WIDEST."""
    name = rendition_name(str(item.picture), item.picture_width, width, suffix)
    return f"{item.picture_base}{name}"


def srcset(item: Any, suffix: str, upto: int = WIDEST) -> str:
    """Every width up to `upto` pixels, at least one, as the attribute `srcset` wants them."""
    narrowest, *others = widths_of(item.picture_width)
    widths = [narrowest, *(width for width in others if width <= upto)]
    return ",".join(f"{picture_file(item, width, suffix)} {width}w" for width in widths)


def jpeg(item: Any, width: int = WIDEST) -> str:
    """The JPEG that every program reads: the step nearest above `width`, or the widest."""
    return picture_file(item, next((step for step in JPEG_STEPS if step >= width), WIDEST), ".jpg")


def absolute(path: str) -> str:
    """An address of ours with the site's name before it, for readers elsewhere."""
    return urljoin(settings.SITE_URL, path)


def webcal(path: str) -> str:
    """The same for programs that keep a calendar up to date: they ask when they see `webcal`."""
    return "webcal:" + absolute(path).partition(":")[2]


def flag(country: str) -> str:
    """The flag of a country as a PNG for mail programs, which read no SVG; `CN` or `cn`."""
    return static(f"vendor/flag-icons/mail/{country.lower()}.png")
