"""Tags and filters that every template may use without loading them."""

import datetime as dt
import json
import re
import zoneinfo

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.template.defaultfilters import date as format_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sistercities.shared import clock
from sistercities.shared.addresses import absolute, jpeg, picture_file, srcset, webcal
from sistercities.shared.linked_data import breadcrumbs
from sistercities.shared.money import format_amount, format_exact
from sistercities.shared.richtext import clean_html, clean_page
from sistercities.shared.sharing import qr, share_picture, ways_to_share

register = template.Library()

register.filter("rich", clean_html)
register.filter("rich_page", clean_page)


@register.filter
def amount(cents: int, currency: str = "USD") -> str:
    """Cents as `$25`."""
    return format_amount(cents, currency)


@register.filter
def exact(cents: int, currency: str = "USD") -> str:
    """Cents as `$25.00`."""
    return format_exact(cents, currency)


register.filter("jpeg", jpeg)
register.filter("absolute", absolute)
register.filter("webcal", webcal)
register.filter("qr", qr)
register.filter("share_picture", share_picture)
register.filter("ways_to_share", ways_to_share)


@register.filter
def webp(item, upto: int) -> str:
    """The WebP files of a picture for `srcset`, up to so many pixels wide."""
    return srcset(item, ".webp", upto)


@register.filter
def avif(item, upto: int) -> str:
    """The same in AVIF, for a picture that has it."""
    return srcset(item, ".avif", upto)


@register.filter
def small(item) -> str:
    """The address of a picture's WebP file of at most 800 pixels; empty without a picture."""
    return picture_file(item, 800, ".webp") if item.picture else ""


# What could end the element or begin another, written in JSON's own way.
INERT = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


@register.filter
def linked_data(data: dict) -> SafeString:
    """A JSON-LD block for search engines. It is data: browsers run nothing of it."""
    text = json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
    # Safe: without these three characters no text can leave the element.
    inert = mark_safe(text.translate(INERT))
    return format_html('<script type="application/ld+json">{}</script>', inert)


@register.simple_tag
def breadcrumb_data(here: str, up: str, up_url: str, up2: str, up2_url: str) -> SafeString:
    """The steps of components/crumbs.html for search engines; those without a name are left out."""
    ways = ((_("Home"), "/"), (up, up_url), (up2, up2_url), (here, ""))
    return linked_data(breadcrumbs([(name, path) for name, path in ways if name]))


@register.filter
def marked(text: str, asked: str) -> SafeString:
    """`text` with every word of a search in it marked, in any case."""
    words = sorted({word for word in asked.split() if word}, key=len, reverse=True)
    if not words:
        return format_html("{}", text)
    parts = re.split(f"({'|'.join(map(re.escape, words))})", str(text), flags=re.IGNORECASE)
    pieces = ((format_html("<mark>{}</mark>", p) if n % 2 else p,) for n, p in enumerate(parts))
    return format_html_join("", "{}", pieces)


@register.filter
def under(path: str, part: str) -> bool:
    """Whether a page's address lies in a part of the site, for the menu."""
    return path.startswith(part)


@register.filter
def iso_day(text: str) -> str:
    """`November 20, 2026` for an ISO 8601 moment kept as text; nothing for anything else."""
    try:
        return format_date(dt.datetime.fromisoformat(text), "F j, Y")
    except ValueError:
        return ""


@register.filter
def zone_offset(zone_name: str, home: str) -> str:
    """How far ahead of home a zone is today, in words: `15 hours ahead`."""
    now = clock.now()
    there = now.astimezone(zoneinfo.ZoneInfo(zone_name)).utcoffset() or dt.timedelta()
    here = now.astimezone(zoneinfo.ZoneInfo(home)).utcoffset() or dt.timedelta()
    minutes = round((there - here).total_seconds() / 60)
    if minutes == 0:
        return _("the same time")
    hours, rest = divmod(abs(minutes), 60)
    span = ngettext("%d hour", "%d hours", hours) % hours
    if rest:
        span = _("%(hours)s and %(minutes)d minutes") % {"hours": span, "minutes": rest}
    return _("%s ahead") % span if minutes > 0 else _("%s behind") % span
