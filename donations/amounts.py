"""What we take online, in one place: amounts in cents of `CURRENCY`."""

from dataclasses import dataclass

from sistercities.shared.money import MINOR_UNITS, format_exact

CURRENCY = "USD"
MOST_PRESETS = 6  # the style sheet has a rule for each place on the form (design/README.md)


@dataclass(frozen=True)
class Presets:
    """The amounts that a form offers, in whole dollars, and the one that is chosen at first."""

    dollars: tuple[int, ...]
    chosen: int


PRESETS = Presets((25, 50, 100, 250), chosen=50)


def money(cents: int, currency: str) -> str:
    """Amounts of another currency are shown in its smallest unit: we know no more of it."""
    return format_exact(cents, currency) if currency in MINOR_UNITS else f"{cents} {currency}"


def card_fee(charge_cents: int, *, basis_points: int, fixed_cents: int) -> int:
    """What the processor keeps of a charge, as we estimate it: half a cent is rounded up."""
    return (charge_cents * basis_points + 5_000) // 10_000 + fixed_cents


def charge_covering_fee(gift_cents: int, *, basis_points: int, fixed_cents: int) -> int:
    """The smallest charge of which at least the gift is left after the fee (giving.md D13)."""
    charge = (gift_cents + fixed_cents) * 10_000 // (10_000 - basis_points) - 1
    while (
        charge - card_fee(charge, basis_points=basis_points, fixed_cents=fixed_cents) < gift_cents
    ):
        charge += 1
    return charge


def progress_percent(raised_cents: int, goal_cents: int) -> int:
    """How far a campaign has come: a whole number from 0 to 100, never rounded up."""
    if goal_cents <= 0:
        return 0
    return max(0, min(100, raised_cents * 100 // goal_cents))
