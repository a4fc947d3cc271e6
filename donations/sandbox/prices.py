"""Prices as a request sends them (``price_data``): their rules, and how often they are charged."""

from __future__ import annotations

from .errors import missing, no_such, not_spoken, refused
from .store import Store
from .wire import Json

MINIMUM = {"usd": 50, "eur": 50, "gbp": 30}  # cents and pence; other currencies are refused
MAXIMUM = 99_999_999
LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}  # three years, in each interval


def check(store: Store, price: Json, path: str) -> str:
    """Check one ``price_data`` and return its currency; ApiError 400 where it breaks a rule."""
    if "unit_amount_decimal" in price:
        raise not_spoken(f"{path}[unit_amount_decimal]", param=f"{path}[unit_amount_decimal]")
    if "product" in price and "product_data" in price:
        raise refused(
            "You may only specify one of these parameters: product, product_data.",
            param=f"{path}[product]",
        )
    if "product" in price and store.get("product", price["product"]) is None:
        raise no_such("product", price["product"], param=f"{path}[product]", status=400)
    if "product" not in price and "product_data" not in price:
        raise missing(f"{path}[product_data]")
    if "unit_amount" not in price:
        raise missing(f"{path}[unit_amount]")
    if price["unit_amount"] < 1:
        raise below_one(f"{path}[unit_amount]")
    if "recurring" in price:
        _check_recurring(price["recurring"], f"{path}[recurring]")
    currency: str = price["currency"]
    if currency not in MINIMUM:
        raise refused(
            f"Invalid currency: {currency}. The sandbox takes {', '.join(MINIMUM)}.",
            param=f"{path}[currency]",
        )
    return currency


def check_total(total: int, currency: str, *, what: str, param: str) -> None:
    """Hold what is charged at once to the least and the most that Stripe takes."""
    if total < MINIMUM[currency]:
        raise refused(
            f"{what} must add up to at least {MINIMUM[currency]} cents {currency}",
            code="amount_too_small",
            param=param,
        )
    if total > MAXIMUM:
        raise refused(
            f"{what} must be at most {MAXIMUM} cents {currency}",
            code="amount_too_large",
            param=param,
        )


def below_one(param: str) -> Exception:
    """What Stripe says of an amount or a count below one."""
    return refused(
        "This value must be greater than or equal to 1.",
        code="parameter_invalid_integer",
        param=param,
    )


def every(recurring: Json) -> str:
    """How often, in words: ``each month``, ``every 3 months``."""
    interval, count = recurring["interval"], recurring.get("interval_count", 1)
    return f"each {interval}" if count == 1 else f"every {count} {interval}s"


def _check_recurring(recurring: Json, path: str) -> None:
    count = recurring.get("interval_count", 1)
    if count < 1:
        raise below_one(f"{path}[interval_count]")
    if count > LONGEST[recurring["interval"]]:
        raise refused(
            "Invalid interval_count: the billing period must be at most three years.",
            param=f"{path}[interval_count]",
        )
