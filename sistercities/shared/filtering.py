"""Filters of a list: forms that a page answers, without script."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One value of a filter; `count` says how many rows have it, where that is known."""

    value: str
    name: str
    is_chosen: bool
    count: int | None = None
