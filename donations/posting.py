"""Books what the processor's balance says, each of its transactions once, and what staff report.

Every function here runs inside the caller's transaction and changes nothing when repeated.
"""

import datetime as dt
import logging
from collections.abc import Iterable

from donations import closing
from donations.amounts import CURRENCY
from donations.models import Account, Donation, LedgerEntry, LedgerPosting
from donations.providers.base import PaymentSnap, TxnSnap

logger = logging.getLogger(__name__)
Kind = LedgerEntry.Kind
# What a transaction of the balance does to us, by its kind: the account that pays for it.
COUNTERPARTS = {
    Kind.CHARGE: (Account.GIFT_REVENUE, Account.PROCESSING_FEES),
    Kind.REFUND: (Account.REFUNDS, Account.PROCESSING_FEES),
    Kind.REFUND_FAILURE: (Account.REFUNDS, Account.PROCESSING_FEES),
    Kind.DISPUTE: (Account.CHARGEBACKS, Account.DISPUTE_FEES),
    Kind.PAYOUT: (Account.BANK, Account.PROCESSING_FEES),
    Kind.SUSPENSE: (Account.SUSPENSE, Account.PROCESSING_FEES),
}


def post(
    *, kind: Kind, txn: TxnSnap, donation: Donation | None = None, note: str = ""
) -> LedgerEntry:
    """Books one balance transaction: its amount against the kind's account, its fee against the
    kind's fee account, both through the money at Stripe.

    Another currency than ours always goes to suspense: it is never guessed what it is worth.
    """
    if txn.currency != CURRENCY:
        kind, note = Kind.SUSPENSE, f"{txn.currency}: {note or txn.type}"
    entry = LedgerEntry.objects.create(
        kind=kind,
        donation=donation,
        currency=txn.currency,
        provider_txn_id=txn.id,
        note=note[:250],
        occurred_at=txn.created_at,
        journal_on=closing.journal_day(txn.created_at),
    )
    counterpart, fee_account = COUNTERPARTS[kind]
    _move(entry, counterpart, txn.amount_cents)
    _move(entry, fee_account, -txn.fee_cents)
    if kind == Kind.SUSPENSE:
        logger.error("Ledger: transaction %s went to suspense: %s", txn.id, note)
    return entry


def _move(entry: LedgerEntry, account: Account, cents: int) -> None:
    """`cents` above zero come from `account` to Stripe's balance, below zero go the other way."""
    if cents:
        debit, credit = Account.STRIPE_CLEARING, account
        if cents < 0:
            debit, credit = credit, debit
        LedgerPosting.objects.create(
            entry=entry, debit=debit, credit=credit, amount_cents=abs(cents)
        )


def post_offline(
    *,
    kind: Kind,
    offline_id: str,
    moves: Iterable[tuple[str, str, int]],
    occurred_at: dt.datetime,
    donation: Donation | None = None,
    note: str = "",
) -> LedgerEntry:
    """Books a step that staff report, once; `moves` are (debit, credit, cents), those of no cents
    left out.
    """
    entry, is_new = LedgerEntry.objects.get_or_create(
        kind=kind,
        offline_id=offline_id,
        defaults={
            "donation": donation,
            "currency": CURRENCY,
            "note": note[:250],
            "occurred_at": occurred_at,
            "journal_on": closing.journal_day(occurred_at),
        },
    )
    if is_new:
        for debit, credit, cents in moves:
            if cents:
                LedgerPosting.objects.create(
                    entry=entry, debit=debit, credit=credit, amount_cents=cents
                )
    return entry


def post_new(
    *, rows: Iterable[tuple[Kind, TxnSnap]], donation: Donation | None = None, note: str = ""
) -> list[LedgerEntry]:
    """Books those of `rows` that are not booked yet; returns the new entries."""
    rows = list(rows)
    known = set(
        LedgerEntry.objects.filter(provider_txn_id__in=[txn.id for _kind, txn in rows]).values_list(
            "provider_txn_id", flat=True
        )
    )
    return [
        post(kind=kind, txn=txn, donation=donation, note=note)
        for kind, txn in rows
        if txn.id not in known
    ]


def rows_of(payment: PaymentSnap) -> list[tuple[Kind, TxnSnap]]:
    """The transactions of a payment, with what each one is: charge, refunds, disputes."""
    rows: list[tuple[Kind, TxnSnap | None]] = [(Kind.CHARGE, payment.txn)]
    for refund in payment.refunds:
        rows += [(Kind.REFUND, refund.txn), (Kind.REFUND_FAILURE, refund.failure_txn)]
    for dispute in payment.disputes:
        rows += [(Kind.DISPUTE, txn) for txn in dispute.txns]
    return [(kind, txn) for kind, txn in rows if txn is not None]
