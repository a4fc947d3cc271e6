"""Ways to pass a page on that load nothing from elsewhere: links, and a QR code drawn here."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import segno
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Way:
    name: str
    address: str


def ways_to_share(address: str, title: str) -> list[Way]:
    """What a link can open by itself. WeChat has no such address: it scans the QR code."""
    return [
        Way("Facebook", f"https://www.facebook.com/sharer/sharer.php?{urlencode({'u': address})}"),
        Way("X", f"https://x.com/intent/post?{urlencode({'url': address, 'text': title})}"),
        # Mail programs read a plus sign as it stands, so blanks are written as %20.
        Way(_("Email"), f"mailto:?subject={quote(title)}&body={quote(address)}"),
    ]


def qr(address: str) -> SafeString:
    """The QR code of an address as SVG for a page; its colours come from the style sheet."""
    code = segno.make(address, error="l", micro=False)
    svg = code.svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None)
    return mark_safe(svg)  # Safe: squares and numbers that segno wrote.


def share_picture(item: Any, shape: str) -> str:
    """The path of the picture for links to `item`, a public row or its card."""
    kind = getattr(item, "kind", "") or item._meta.model_name
    return reverse("pages:share_picture", args=[shape, kind, item.slug])
