"""Books what the processor's balance says, each of its transactions once, and what staff report.

Every function here runs inside the caller's transaction and changes nothing when repeated.
"""

import datetime as dt
import logging
from collections.abc import Iterable

from donations import closing
from donations.amounts import CURRENCY
from donations.models import Account, Donation, LedgerEntry, LedgerPosting, TripFee
from donations.models.ledger import EXPLANATION
from donations.providers.base import PaymentSnap, TxnSnap

logger = logging.getLogger(__name__)
Kind = LedgerEntry.Kind
# What a transaction of the balance does to us, by its kind: the account that pays for it.
COUNTERPARTS = {
    Kind.CHARGE: (Account.GIFT_REVENUE, Account.PROCESSING_FEES),
    Kind.REFUND: (Account.REFUNDS, Account.PROCESSING_FEES),
    Kind.REFUND_FAILURE: (Account.REFUNDS, Account.PROCESSING_FEES),
    Kind.DISPUTE: (Account.CHARGEBACKS, Account.DISPUTE_FEES),
    Kind.TRIP_FEE: (Account.TRIP_FEES, Account.PROCESSING_FEES),
    Kind.TRIP_REFUND: (Account.TRIP_FEES, Account.PROCESSING_FEES),
    Kind.TRIP_REFUND_BACK: (Account.TRIP_FEES, Account.PROCESSING_FEES),
    Kind.TRIP_DISPUTE: (Account.CHARGEBACKS, Account.DISPUTE_FEES),
    Kind.PAYOUT: (Account.BANK, Account.PROCESSING_FEES),
    Kind.SUSPENSE: (Account.SUSPENSE, Account.PROCESSING_FEES),
}


def post(
    *,
    kind: Kind,
    txn: TxnSnap,
    donation: Donation | None = None,
    trip_fee: TripFee | None = None,
    note: str = "",
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
        trip_fee=trip_fee,
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
    debit, credit, amount_cents = _toward_stripe(account, cents)
    if amount_cents:
        LedgerPosting.objects.create(
            entry=entry, debit=debit, credit=credit, amount_cents=amount_cents
        )


def _toward_stripe(account: Account, cents: int) -> tuple[Account, Account, int]:
    """Debit, credit and cents of what comes from `account`, or below zero goes there."""
    if cents < 0:
        return account, Account.STRIPE_CLEARING, -cents
    return Account.STRIPE_CLEARING, account, cents


def post_offline(
    *,
    kind: Kind,
    offline_id: str,
    moves: Iterable[tuple[str, str, int]],
    occurred_at: dt.datetime,
    donation: Donation | None = None,
    trip_fee: TripFee | None = None,
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
            "trip_fee": trip_fee,
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
    *,
    rows: Iterable[tuple[Kind, TxnSnap]],
    donation: Donation | None = None,
    trip_fee: TripFee | None = None,
    note: str = "",
) -> list[LedgerEntry]:
    """Books those of `rows` that are not booked yet; returns the new entries.

    What waits in suspense as nobody's, or because it did not seem to fit, is taken out.
    """
    rows = list(rows)
    booked = LedgerEntry.objects.filter(provider_txn_id__in=[txn.id for _kind, txn in rows])
    known = {entry.provider_txn_id: entry for entry in booked}
    entries = []
    for kind, txn in rows:
        entry = known.get(txn.id)
        if entry is None:
            entries.append(
                post(kind=kind, txn=txn, donation=donation, trip_fee=trip_fee, note=note)
            )
        elif kind != Kind.SUSPENSE and _waits_for(entry, donation, trip_fee):
            entries.append(_take_out(entry, kind, txn, donation, trip_fee))
    return entries


def _waits_for(entry: LedgerEntry, donation: Donation | None, trip_fee: TripFee | None) -> bool:
    """Whether an entry is in suspense and belongs to this gift or trip fee, or to none."""
    whose = (donation and donation.pk, trip_fee and trip_fee.pk)
    return (
        entry.kind == Kind.SUSPENSE
        and (entry.donation_id, entry.trip_fee_id) in ((None, None), whose)
        and entry.currency == CURRENCY
        and LedgerEntry.objects.in_suspense().filter(pk=entry.pk).exists()
    )


def _take_out(
    entry: LedgerEntry,
    kind: Kind,
    txn: TxnSnap,
    donation: Donation | None,
    trip_fee: TripFee | None,
) -> LedgerEntry:
    """Undoes an entry in suspense by a new one, and books its transaction as what it is. The money
    at Stripe stays with the first entry, which alone names the transaction: each is booked once.
    """
    key = f"{EXPLANATION}{entry.pk}"
    post_offline(
        kind=Kind.EXPLAINED,
        offline_id=key,
        occurred_at=txn.created_at,
        note=txn.id,
        moves=[(row.credit, row.debit, row.amount_cents) for row in entry.postings.all()],
    )
    counterpart, fee_account = COUNTERPARTS[kind]
    return post_offline(
        kind=kind,
        offline_id=key,
        donation=donation,
        trip_fee=trip_fee,
        occurred_at=txn.created_at,
        note=txn.id,
        moves=[
            _toward_stripe(counterpart, txn.amount_cents),
            _toward_stripe(fee_account, -txn.fee_cents),
        ],
    )


def rows_of(payment: PaymentSnap) -> list[tuple[Kind, TxnSnap]]:
    """The transactions of a payment, with what each one is: charge, refunds, disputes."""
    rows: list[tuple[Kind, TxnSnap | None]] = [(Kind.CHARGE, payment.txn)]
    for refund in payment.refunds:
        rows += [(Kind.REFUND, refund.txn), (Kind.REFUND_FAILURE, refund.failure_txn)]
    for dispute in payment.disputes:
        rows += [(Kind.DISPUTE, txn) for txn in dispute.txns]
    return [(kind, txn) for kind, txn in rows if txn is not None]
