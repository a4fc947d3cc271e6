"""Questions about all gifts at once. Reads only."""

from typing import Any

from donations.models import Campaign, Donation, LedgerPosting, RecurringGift


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
