"""Money as whole cents and a currency code. `Decimal` appears only where text is read or shown."""

import re
import unicodedata
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MINOR_UNITS = {"USD": 2}
SYMBOLS = {"USD": "$"}
AMOUNT = re.compile(r"\d{1,9}(?:\.\d{1,2})?|\d{1,3}(?:,\d{3}){1,2}(?:\.\d{1,2})?", re.ASCII)


def parse_amount(text: str, currency: str = "USD") -> int:
    """Cents from what a person typed: `25`, `$25`, `1,250.50`.

    Raises `ValidationError` in words for anything else: signs, exponents, a third decimal,
    full-width digits, words. Nothing is rounded.
    """
    MINOR_UNITS[currency]
    typed = text.strip()
    plain = typed.removeprefix(SYMBOLS[currency]).strip()
    if AMOUNT.fullmatch(plain):
        return int(Decimal(plain.replace(",", "")) * 100)
    if not plain:
        raise ValidationError(_("Please write an amount, such as 25."), code="required")
    if plain.startswith(("-", "−")):
        raise ValidationError(_("Please write an amount above zero, such as 25."), code="negative")
    if re.fullmatch(r"[\d,]+\.\d{3,}", plain, re.ASCII):
        raise ValidationError(
            _("Please write dollars and cents with at most two decimals, such as 25.50."),
            code="decimals",
        )
    if unicodedata.normalize("NFKC", plain) != plain:
        raise ValidationError(
            _("Please write the amount with the plain digits 0 to 9, such as 25."), code="digits"
        )
    if re.fullmatch(r"(\d{10,}|\d{1,3}(,\d{3}){3,})(\.\d{1,2})?", plain, re.ASCII):
        raise ValidationError(_("This amount is too large for us to take online."), code="large")
    raise ValidationError(_("This is not an amount. Please write one such as 25."), code="invalid")


def format_amount(cents: int, currency: str = "USD") -> str:
    """`$25`, `$1,250.50`, `-$5`: cents are shown only where there are some."""
    digits = MINOR_UNITS[currency]
    sign = "-" if cents < 0 else ""
    whole, part = divmod(abs(cents), 10**digits)
    tail = f".{part:0{digits}d}" if part else ""
    return f"{sign}{SYMBOLS[currency]}{whole:,}{tail}"


def format_exact(cents: int, currency: str = "USD") -> str:
    """`$25.00`: always with cents, for receipts and books."""
    text = format_amount(cents, currency)
    return text if "." in text else f"{text}.00"
