"""What one donor gave in twelve months, gift by gift, equal to the books to the cent (D5, D26)."""

import datetime as dt
import re
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.utils.formats import date_format

from donations import donors
from donations.models import Donation, Donor, Receipt, TokenLimit
from donations.models.donation import DonationQuerySet

PERIOD = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2]))?", re.ASCII)


@dataclass(frozen=True)
class Period:
    """Twelve months; `first` is the first day of a month. Days of the organisation's calendar."""

    first: dt.date

    @classmethod
    def parse(cls, text: str) -> "Period":
        """`2026`, or `2025-07` for a fiscal year that begins in July. Raises `ValueError`."""
        found = PERIOD.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is neither a year nor a month.")
        return cls(dt.date(int(found[1]), int(found[2] or 1), 1))

    @classmethod
    def before(cls, day: dt.date) -> "Period":
        """The calendar year before that of `day`."""
        return cls(dt.date(day.year - 1, 1, 1))

    @property
    def last(self) -> dt.date:
        return self.first.replace(year=self.first.year + 1) - dt.timedelta(days=1)

    def __str__(self) -> str:
        """`2026`, or `2025-07`: what `parse` reads."""
        return f"{self.first:%Y}" if self.first.month == 1 else f"{self.first:%Y-%m}"

    @property
    def label(self) -> str:
        if self.first.month == 1:
            return str(self.first.year)
        return f"{date_format(self.first, 'F Y')} – {date_format(self.last, 'F Y')}"


@dataclass(frozen=True)
class Line:
    """One gift: cents as charged and as returned since, whenever that was."""

    gift: Donation
    number: str
    given_cents: int
    returned_cents: int
    value_cents: int  # of what the donor got in return; 0 for a token

    @property
    def deductible_cents(self) -> int:
        return max(0, self.given_cents - self.returned_cents - self.value_cents)


@dataclass(frozen=True)
class Statement:
    donor: Donor
    period: Period
    lines: tuple[Line, ...]

    @property
    def given_cents(self) -> int:
        return sum(line.given_cents for line in self.lines)

    @property
    def returned_cents(self) -> int:
        return sum(line.returned_cents for line in self.lines)

    @property
    def kept_cents(self) -> int:
        """What the books say of these gifts (D26)."""
        return self.given_cents - self.returned_cents

    @property
    def value_cents(self) -> int:
        return sum(line.value_cents for line in self.lines)

    @property
    def deductible_cents(self) -> int:
        return sum(line.deductible_cents for line in self.lines)


def statement(*, donor: Donor, period: Period) -> Statement:
    """The gifts of a donor in a period, oldest first, without grants of donor-advised funds (D16).

    What went back since is taken off the gift's own year (D20). The number of queries is fixed.
    """
    current = Receipt.objects.filter(state=Receipt.State.CURRENT)
    gifts = (
        in_period(donors.gifts_of(donor), period)
        .with_returned()
        .prefetch_related(Prefetch("receipts", queryset=current), "offline")
        .order_by("given_on", "pk")
    )
    tokens = {limit.year: limit for limit in TokenLimit.objects.all()}
    return Statement(donor, period, tuple(_line(gift, tokens) for gift in gifts))


def _line(gift: Donation, tokens: dict[int, TokenLimit]) -> Line:
    limit = tokens.get(gift.given_on.year) if gift.given_on else None
    is_token = limit and limit.covers(gift_cents=gift.amount_cents, value_cents=gift.benefit_cents)
    numbers = [receipt.number for receipt in gift.receipts.all()]
    return Line(
        gift=gift,
        number=numbers[0] if numbers else "",
        given_cents=gift.amount_cents,
        returned_cents=gift.refunded_cents + gift.charged_back_cents,
        value_cents=0 if is_token else gift.benefit_cents,
    )


def in_period(gifts: DonationQuerySet, period: Period) -> DonationQuerySet:
    """Those of `gifts` that stand on statements of a period."""
    return gifts.filter(given_on__range=(period.first, period.last)).exclude(method="daf")


def givers(period: Period) -> QuerySet[Donor]:
    """Everybody for whom there is a statement of this period, in order of their names."""
    gifts = in_period(Donation.objects.counting(), period)
    pks = {
        merged or pk
        for pk, merged in gifts.order_by().values_list("donor", "donor__merged_into").distinct()
    }
    return Donor.objects.filter(pk__in=pks).order_by("name", "pk")


def years_of(donor: Donor) -> list[int]:
    """The calendar years with gifts of a donor, the latest first."""
    gifts = donors.gifts_of(donor).exclude(method="daf")
    return [day.year for day in gifts.dates("given_on", "year", order="DESC")]
