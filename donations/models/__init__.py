from donations.models.campaign import Campaign, CampaignCost
from donations.models.closed_month import ClosedMonth
from donations.models.donation import CheckoutAttempt, Donation
from donations.models.donor import Donor, DonorLink
from donations.models.ledger import Account, LedgerEntry, LedgerPosting
from donations.models.offline import GiftBatch, OfflineGift
from donations.models.provider_event import ProviderEvent
from donations.models.receipt import Receipt, ReceiptSeries
from donations.models.recurring import PlanChange, RecurringGift
from donations.models.refund import Dispute, Refund
from donations.models.token_limit import TokenLimit

__all__ = [
    "Account",
    "Campaign",
    "CampaignCost",
    "CheckoutAttempt",
    "ClosedMonth",
    "Dispute",
    "Donation",
    "Donor",
    "DonorLink",
    "GiftBatch",
    "LedgerEntry",
    "LedgerPosting",
    "OfflineGift",
    "PlanChange",
    "ProviderEvent",
    "Receipt",
    "ReceiptSeries",
    "RecurringGift",
    "Refund",
    "TokenLimit",
]
