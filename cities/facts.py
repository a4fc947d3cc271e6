"""Facts as readers meet them: one row a measure, with every value, and whether sources differ."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cities.models import Fact

UNDATED = -9999  # before every year that a fact may have
TOLERANCE = Decimal("0.01")  # rounding in one source is no disagreement


def year_of(fact: Fact) -> int:
    return fact.as_of_year or UNDATED


@dataclass
class FactRow:
    """All that sources say on one measure. `shown` is the latest; `series` has dated values."""

    facts: list[Fact]

    @property
    def shown(self) -> Fact:
        return max(self.facts, key=lambda fact: (year_of(fact), -fact.pk))

    @property
    def others(self) -> list[Fact]:
        return [fact for fact in self.facts if fact is not self.shown]

    @property
    def differs(self) -> bool:
        return any(
            disagree(first, second)
            for i, first in enumerate(self.facts)
            for second in self.facts[i + 1 :]
        )

    @property
    def agreeing(self) -> list[Fact]:
        """The facts of other sources that say the same as the shown one."""
        return [
            fact
            for fact in self.others
            if fact.source_id != self.shown.source_id
            and fact.comparable == self.shown.comparable
            and fact.as_of_year == self.shown.as_of_year
        ]

    @property
    def series(self) -> list[Fact]:
        """The dated values, oldest first, when there are two years or more to join by a line."""
        dated = sorted((fact for fact in self.facts if fact.as_of_year), key=year_of)
        kinds = {fact.comparable[0] for fact in dated}
        years = {fact.as_of_year for fact in dated}
        return dated if len(years) > 1 and len(kinds) == 1 else []

    @property
    def spark(self) -> "Spark | None":
        return draw_spark(self.series)


@dataclass(frozen=True)
class Spark:
    """A small line through dated values, in a drawing of 96 by 26 units."""

    points: list[tuple[float, float]]
    first: int
    last: int

    @property
    def path(self) -> str:
        return "M" + "L".join(f"{x} {y}" for x, y in self.points)


def draw_spark(series: list[Fact]) -> Spark | None:
    """The line of a `FactRow.series`; None where there is no line to draw."""
    if not series:
        return None
    values = [fact.comparable[1] for fact in series]
    years = [year_of(fact) for fact in series]
    height = (max(values) - min(values)) or 1
    width = years[-1] - years[0]
    points = [
        (
            round(6 + 84 * (year - years[0]) / width, 1),
            round(float(22 - 18 * (value - min(values)) / height), 1),
        )
        for value, year in zip(values, years, strict=True)
    ]
    return Spark(points, years[0], years[-1])


def disagree(first: Fact, second: Fact) -> bool:
    """Two sources that cannot both be right.

    Values of two known years are a development, not a disagreement; where a year is missing,
    the reader cannot tell, so it counts as one.
    """
    if first.key != second.key or first.source_id == second.source_id:
        return False
    if first.as_of_year and second.as_of_year and first.as_of_year != second.as_of_year:
        return False
    (kind, value), (other_kind, other) = first.comparable, second.comparable
    if kind != other_kind:
        return False
    return abs(value - other) > TOLERANCE * max(abs(value), abs(other))


def in_rows(facts: Iterable[Fact]) -> list[FactRow]:
    """Facts in the order of `FactQuerySet.for_page`, gathered by measure and detail."""
    rows: dict[tuple[int, str], FactRow] = {}
    for fact in facts:
        rows.setdefault(fact.key, FactRow([])).facts.append(fact)
    return list(rows.values())


def disagreeing(facts: Iterable[Fact]) -> list[FactRow]:
    """The rows that staff should look at."""
    return [row for row in in_rows(facts) if row.differs]
