"""How a city's numbers, places and seasons are written."""

import datetime as dt
from decimal import Decimal

from django import template
from django.templatetags.static import static
from django.utils.dates import MONTHS
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django_countries import countries

register = template.Library()
MILLION, BILLION = Decimal(10**6), Decimal(10**9)


def _scaled(value: Decimal) -> tuple[Decimal, str]:
    """A large number in millions or billions, and the word for it."""
    if abs(value) >= BILLION:
        return value / BILLION, _("billion ")
    if abs(value) >= MILLION:
        return value / MILLION, _("million ")
    return value, ""


@register.filter
def figure(value: Decimal, unit: str = "") -> str:
    """`3.02` for 3,020,000 (its `scale` is million), `10,301`, `2.5`; no needless zeros."""
    scaled, _word = _scaled(Decimal(value))
    plain = f"{scaled.normalize():f}"
    decimals = len(plain.partition(".")[2])
    return number_format(scaled, decimal_pos=decimals, use_l10n=True, force_grouping=True)


@register.filter
def scale(value: Decimal) -> str:
    return _scaled(Decimal(value))[1]


@register.filter
def in_words(fact) -> str:
    """A fact's value as a sentence has it: `just over 3 million people`, `27`."""
    number = figure(fact.value, fact.unit)
    return " ".join(f"{fact.qualifier} {number} {scale(fact.value)}{fact.unit_label}".split())


@register.filter
def flag(country_code: str) -> str:
    """The address of a country's flag."""
    return static(f"vendor/flag-icons/4x3/{country_code.lower()}.svg")


@register.filter
def country_name(country_code: str) -> str:
    return countries.name(country_code)


@register.filter
def latitude(value: Decimal) -> str:
    return f"{abs(value):.1f}° {'N' if value >= 0 else 'S'}"


@register.filter
def longitude(value: Decimal) -> str:
    return f"{abs(value):.1f}° {'E' if value >= 0 else 'W'}"


@register.filter
def season_day(month_day: str) -> str:
    """`April 10` for `04-10`."""
    month, day = (int(part) for part in month_day.split("-"))
    return date_format(dt.date(2024, month, day), "F j")


@register.filter
def season_bar(place) -> SafeString:
    """The initials of the months, those in season marked: `JFM<b>AMJJASO</b>ND`."""
    first, last = int(place.season_from[:2]), int(place.season_until[:2])
    marks = []
    for month in range(1, 13):
        within = first <= month <= last if first <= last else month >= first or month <= last
        initial = str(MONTHS[month])[0].upper()
        marks.append(format_html("<b>{}</b>" if within else "{}", initial))
    return mark_safe("".join(marks).replace("</b><b>", ""))
