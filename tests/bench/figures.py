"""A measured figure beside what it is measured against."""

import math
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`peer` was measured in the same run, or is a limit; `goal` is for `ours / peer`."""

    name: str
    ours: float
    peer: float
    unit: str = ""
    goal: float = 1.0
    is_floor: bool = False  # the ratio should be at least the goal; otherwise at most

    @property
    def ratio(self) -> float:
        if self.peer:
            return self.ours / self.peer
        return math.inf if self.ours else 0.0

    @property
    def is_ok(self) -> bool:
        return self.ratio >= self.goal if self.is_floor else self.ratio <= self.goal

    def __str__(self) -> str:
        return "\t".join(
            (
                self.name,
                f"{self.ours:.4g} {self.unit}".strip(),
                f"{self.peer:.4g} {self.unit}".strip(),
                f"{self.ratio:.2f}",
                f"{'≥' if self.is_floor else '≤'} {self.goal:g}",
                "ok" if self.is_ok else "short",
            )
        )


def note(text: str) -> None:
    """Says something to the person who waits; figures alone go to standard output."""
    print(f"# {text}", file=sys.stderr, flush=True)
