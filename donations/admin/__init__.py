"""Gifts in the admin, a module a concept. Importing a module registers its pages."""

from donations.admin import (
    batches,
    books,
    campaigns,
    donors,
    gifts,
    matches,
    months,
    payouts,
    recurring,
    returns,
    tickets,
    trip_fees,
)

__all__ = [
    "batches",
    "books",
    "campaigns",
    "donors",
    "gifts",
    "matches",
    "months",
    "payouts",
    "recurring",
    "returns",
    "tickets",
    "trip_fees",
]
