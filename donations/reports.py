"""Questions about all gifts at once. Reads only."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, Sum

from donations.models import Campaign, Donation, LedgerPosting, RecurringGift, TripFee


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


@dataclass(frozen=True)
class VisitFees:
    """What delegates were asked to pay for a visit; cents. No gift is among it (giving.md D17)."""

    visit_id: int
    visit: str
    asked_cents: int
    paid_cents: int
    returned_cents: int
    overdue_cents: int

    @property
    def open_cents(self) -> int:
        return self.asked_cents - self.paid_cents


def trip_fees_by_visit(today: dt.date) -> list[VisitFees]:
    """One row for each visit with fees, the latest visit first. Two queries, whatever the number
    of fees.
    """
    fees = TripFee.objects.counting().order_by()
    is_paid = Q(state=TripFee.State.PAID)
    rows = fees.values("visit", "visit__title", "visit__starts_on").annotate(
        asked=Sum("amount_cents"),
        paid=Sum("amount_cents", filter=is_paid, default=0),
        overdue=Sum("amount_cents", filter=~is_paid & Q(due_on__lt=today), default=0),
    )
    back = (
        LedgerPosting.objects.trip_returns()
        .filter(entry__trip_fee__in=fees)
        .order_by()
        .values_list("entry__trip_fee__visit")
        .annotate(cents=Sum("effect_cents"))
    )
    returned = dict(back)
    return [
        VisitFees(
            visit_id=row["visit"],
            visit=row["visit__title"],
            asked_cents=row["asked"],
            paid_cents=row["paid"],
            returned_cents=returned.get(row["visit"], 0),
            overdue_cents=row["overdue"],
        )
        for row in rows.order_by("-visit__starts_on", "-visit")
    ]


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
