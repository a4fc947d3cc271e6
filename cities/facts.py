"""Facts as readers meet them: one row a measure, with every value, and whether sources differ."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from cities.models import Fact

UNDATED = -9999  # before every year that a fact may have
# What a number may mean, as shares of it, by the words before it. Rounding in one source is no
# disagreement; nobody says "over a thousand" of twice as much; a list of names may be cut short.
EXACTLY = (Decimal("0.995"), Decimal("1.005"))
ABOUT = (Decimal("0.9"), Decimal("1.1"))
OVER, UNDER = (EXACTLY[0], Decimal("1.98")), (Decimal("0.52"), EXACTLY[1])
MEANINGS: dict[str, tuple[Decimal, Decimal]] = {
    "": EXACTLY,
    **dict.fromkeys(("about", "around", "some", "roughly", "approximately", "circa"), ABOUT),
    **dict.fromkeys(("nearly", "almost", "just under"), (ABOUT[0], EXACTLY[1])),
    **dict.fromkeys(("just over", "slightly more than"), (EXACTLY[0], ABOUT[1])),
    **dict.fromkeys(("over", "more than", "at least"), OVER),
    **dict.fromkeys(("under", "less than", "fewer than", "at most", "up to"), UNDER),
    "names": (EXACTLY[0], Decimal("Infinity")),
}


def year_of(fact: Fact) -> int:
    return fact.as_of_year or UNDATED


def words(fact: Fact) -> str:
    """The words before the number, as `MEANINGS` has them."""
    return fact.qualifier.strip().casefold()


def subject(fact: Fact) -> tuple[int, str, str]:
    """Facts with the same subject say something about the same thing.

    Words before the number that are none of `MEANINGS` ("metropolitan area") say that something
    else was counted.
    """
    return fact.measure_id, fact.detail, "" if words(fact) in MEANINGS else words(fact)


def claim(fact: Fact) -> tuple[Decimal, Decimal]:
    """The least and the most that a fact says, in the base unit of its kind."""
    value = fact.comparable[1]
    shares = MEANINGS.get(words(fact), EXACTLY)
    least, most = sorted(value * share if value else value for share in shares)
    return least, most


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
    the reader cannot tell, so it counts as one. "Over 30" and 35 agree.
    """
    if subject(first) != subject(second) or first.source_id == second.source_id:
        return False
    if first.as_of_year and second.as_of_year and first.as_of_year != second.as_of_year:
        return False
    if first.comparable[0] != second.comparable[0]:
        return False
    (low, high), (other_low, other_high) = claim(first), claim(second)
    return high < other_low or other_high < low


def in_rows(facts: Iterable[Fact]) -> list[FactRow]:
    """Facts in the order of `FactQuerySet.for_page`, gathered by subject."""
    rows: dict[tuple[int, str, str], FactRow] = {}
    for fact in facts:
        rows.setdefault(subject(fact), FactRow([])).facts.append(fact)
    return list(rows.values())


def disagreeing(facts: Iterable[Fact]) -> list[FactRow]:
    """The rows that staff should look at."""
    return [row for row in in_rows(facts) if row.differs]
