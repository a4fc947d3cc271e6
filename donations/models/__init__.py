from donations.models.campaign import Campaign, CampaignCost, CampaignUpdate
from donations.models.campaign_letter import CampaignLetter
from donations.models.closed_month import ClosedMonth
from donations.models.donation import CheckoutAttempt, Donation
from donations.models.donor import Donor, DonorLink
from donations.models.expected_match import ExpectedMatch
from donations.models.ledger import Account, LedgerEntry, LedgerPosting
from donations.models.offline import GiftBatch, OfflineGift
from donations.models.payout import Payout, PayoutLine
from donations.models.provider_event import ProviderEvent
from donations.models.receipt import LostReceipt, Receipt, ReceiptSeries
from donations.models.recurring import PlanChange, RecurringGift
from donations.models.refund import Dispute, Refund
from donations.models.ticket import Ticket, TicketLine
from donations.models.token_limit import TokenLimit
from donations.models.trip_fee import TripFee

__all__ = [
    "Account",
    "Campaign",
    "CampaignCost",
    "CampaignLetter",
    "CampaignUpdate",
    "CheckoutAttempt",
    "ClosedMonth",
    "Dispute",
    "Donation",
    "Donor",
    "DonorLink",
    "ExpectedMatch",
    "GiftBatch",
    "LedgerEntry",
    "LedgerPosting",
    "LostReceipt",
    "OfflineGift",
    "Payout",
    "PayoutLine",
    "PlanChange",
    "ProviderEvent",
    "Receipt",
    "ReceiptSeries",
    "RecurringGift",
    "Refund",
    "Ticket",
    "TicketLine",
    "TokenLimit",
    "TripFee",
]
