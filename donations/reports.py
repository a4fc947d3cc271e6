"""Questions about all gifts at once. Reads only."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Sum

from donations.models import Campaign, Donation, LedgerPosting, RecurringGift


@dataclass(frozen=True)
class Total:
    """Gifts of one span, or of one kind in it; cents. What went back counts for the gift's day."""

    label: str
    gifts: int
    given_cents: int
    returned_cents: int

    @property
    def kept_cents(self) -> int:
        return self.given_cents - self.returned_cents


def totals(first: dt.date, last: dt.date, by: str = "currency") -> list[Total]:
    """Gifts dated `first` to `last`, one row for each value of the gift's field `by`, the largest
    first. Two queries, whatever the number of gifts.
    """
    span = {"given_on__gte": first, "given_on__lte": last}
    gifts = Donation.objects.counting().filter(**span).order_by()
    given = gifts.values(value=F(by)).annotate(gifts=Count("pk"), cents=Sum("amount_cents"))
    back = (
        LedgerPosting.objects.returns()
        .filter(entry__donation__in=gifts)
        .order_by()
        .values(value=F(f"entry__donation__{by}"))
        .annotate(cents=Sum("effect_cents"))
    )
    returned = {row["value"]: row["cents"] for row in back}
    rows = [
        Total(str(row["value"] or ""), row["gifts"], row["cents"], returned.get(row["value"], 0))
        for row in given
    ]
    return sorted(rows, key=lambda row: (-row.given_cents, row.label))


def together(rows: Iterable[Total]) -> Total:
    rows = list(rows)
    return Total(
        label="",
        gifts=sum(row.gifts for row in rows),
        given_cents=sum(row.given_cents for row in rows),
        returned_cents=sum(row.returned_cents for row in rows),
    )


def ledger_report() -> dict[str, Any]:
    """The books in the shape of giving.md, "Interfaces": cents, debit positive."""
    gifts = Donation.objects.with_returned().select_related("campaign")
    gifts = gifts.prefetch_related("receipts").order_by("pk")
    return {
        "accounts": LedgerPosting.objects.all().balances(),
        "donations": [
            {
                "token": gift.token,
                "state": gift.shown_state,
                "amount": gift.amount_cents,
                "currency": gift.currency,
                "kind": gift.kind,
                "campaign": gift.campaign.slug if gift.campaign else None,
                "receipts": [
                    {"number": row.number, "state": row.state, "amount": row.amount_cents}
                    for row in sorted(gift.receipts.all(), key=lambda row: (row.year, row.serial))
                ],
            }
            for gift in gifts
        ],
        "recurring": [
            {"token": plan.token, "state": plan.state, "amount": plan.amount_cents}
            for plan in RecurringGift.objects.order_by("pk")
        ],
        "campaigns": [
            {"slug": row.slug, "goal": row.goal_cents, "raised": row.raised_cents}
            for row in Campaign.objects.with_raised().order_by("slug")
        ],
    }
