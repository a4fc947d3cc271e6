"""Units that facts are given in, and how they compare."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True)
class Unit:
    """`factor` turns a value into the base unit of its kind; `other` is the reader's other unit."""

    label: "StrOrPromise"
    kind: str
    factor: Decimal = Decimal(1)
    other: str = ""


UNITS: dict[str, Unit] = {
    "": Unit("", "number"),
    "people": Unit(_("people"), "people"),
    "km": Unit(_("km"), "length", Decimal(1), "mi"),
    "mi": Unit(_("mi"), "length", Decimal("1.609344"), "km"),
    "m": Unit(_("m"), "height", Decimal(1), "ft"),
    "ft": Unit(_("ft"), "height", Decimal("0.3048"), "m"),
    "km2": Unit(_("km²"), "area", Decimal(1), "mi2"),
    "mi2": Unit(_("sq mi"), "area", Decimal("2.589988"), "km2"),
    "t": Unit(_("tons"), "weight"),
    "TEU": Unit(_("TEU"), "containers"),
    "years": Unit(_("years"), "age"),
    "percent": Unit("%", "share"),
    "mm": Unit(_("mm"), "rain"),
    "C": Unit("°C", "temperature"),
    "CNY": Unit(_("yuan"), "money-CNY"),
    "USD": Unit(_("US dollars"), "money-USD"),
    "KZT": Unit(_("tenge"), "money-KZT"),
    "EUR": Unit(_("euros"), "money-EUR"),
}
CURRENCIES = {"CNY", "USD", "KZT", "EUR"}


def unit_choices() -> list[tuple[str, str]]:
    return [(code, str(unit.label or _("none"))) for code, unit in UNITS.items()]


def in_base(value: Decimal, unit: str) -> tuple[str, Decimal]:
    """The kind of quantity and the value in its base unit, so that 60 mi and 97 km can meet."""
    return UNITS[unit].kind, value * UNITS[unit].factor


def in_other(value: Decimal, unit: str) -> tuple[Decimal, str] | None:
    """The same quantity for readers used to the other unit, in whole numbers; None without one."""
    other = UNITS[unit].other
    if not other:
        return None
    return (value * UNITS[unit].factor / UNITS[other].factor).quantize(Decimal(1)), other
