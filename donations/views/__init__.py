"""The pages of giving, the donor's own pages, and the door for the processor's events."""

from donations.views.giving import campaign, give, stripe_webhook, take_name_off, thanks
from donations.views.my_gifts import (
    change_address,
    change_gift,
    leave_my_gifts,
    link_sent,
    my_gifts,
    my_statement,
    open_my_gifts,
    receipt,
    receipt_pdf,
)

__all__ = [
    "campaign",
    "change_address",
    "change_gift",
    "give",
    "leave_my_gifts",
    "link_sent",
    "my_gifts",
    "my_statement",
    "open_my_gifts",
    "receipt",
    "receipt_pdf",
    "stripe_webhook",
    "take_name_off",
    "thanks",
]
