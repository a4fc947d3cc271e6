"""Tags and filters that every template may use without loading them."""

import datetime as dt
import zoneinfo

from django import template
from django.conf import settings
from django.template.defaultfilters import date as format_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sistercities.shared import clock
from sistercities.shared.images import rendition_name
from sistercities.shared.money import format_amount, format_exact
from sistercities.shared.richtext import clean_html, clean_page

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


@register.filter
def media(name) -> str:
    """The address of a stored file."""
    return f"{settings.MEDIA_URL}{name}" if name else ""


@register.filter
def small(name) -> str:
    """The address of a picture's 800-pixel rendition."""
    return f"{settings.MEDIA_URL}{rendition_name(str(name), 800)}" if name else ""


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
