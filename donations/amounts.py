"""What we take online, in one place: amounts in cents of `CURRENCY`."""

CURRENCY = "USD"
MINIMUM_CENTS = 500
MAXIMUM_CENTS = 2_500_000
PRESETS = (25, 50, 100, 250)  # dollars; the style sheet knows these four (design/README.md)
DEFAULT_PRESET = 50


def progress_percent(raised_cents: int, goal_cents: int) -> int:
    """How far a campaign has come: a whole number from 0 to 100, never rounded up."""
    if goal_cents <= 0:
        return 0
    return max(0, min(100, raised_cents * 100 // goal_cents))
