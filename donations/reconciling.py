"""Finds what no event told us: reads Stripe's own lists and runs the same sync (hazard 11)."""

import datetime as dt
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from donations import payouts, posting, rebuilding, receipt_register, receipts, webhooks
from donations.models import LedgerEntry, Payout
from donations.providers import provider
from donations.providers.base import EventHint, ProviderDown, ProviderRefused, TxnSnap
from donations.sync import GiftBusy
from sistercities.shared import clock

logger = logging.getLogger(__name__)
PAYOUTS = {"payout", "payout_failure", "payout_cancel"}
WEEK = dt.timedelta(days=7)
WAIT = 30.0  # seconds in line for a busy gift: nobody is waiting for this job


@dataclass
class Report:
    """`booked`: ledger entries written by this run; `problems`: what a person must look at;
    `payouts`: those that were compared, with what does not fit; `rebuilt`: gifts made again.
    """

    events: int = 0
    transactions: int = 0
    booked: int = 0
    rebuilt: int = 0
    payouts: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def reconcile(*, since: dt.datetime, is_rebuilding: bool = False) -> Report:
    """Looks at every event and balance transaction from `since` (aware) on.

    Stops half way with `ProviderDown` or `GiftBusy`; what was booked by then stays, and a second
    run goes on. A run after a complete one changes nothing. It begins with the receipt numbers
    that a database from an older copy has forgotten, so that no other gift gets one (F10).
    `is_rebuilding` makes the gifts again that such a database does not know, if their payment page
    was opened since. Never on a guess: another site may share the processor's test account.
    """
    report = Report()
    receipt_register.catch_up()
    before = LedgerEntry.objects.count()
    if is_rebuilding:
        done = rebuilding.rebuild(provider.iter_pages(since))
        report.rebuilt = len(done.gifts)
        report.problems += done.problems
    followed: set[tuple[str, ...]] = set()
    paid_out: dict[str, None] = {}
    for change in provider.iter_changes(since):
        if isinstance(change, EventHint):
            report.events += 1
            subject = tuple(sorted(change.refs.values()))
            if change.type == webhooks.FRAUD:
                subject = (change.object_id,)
            if subject not in followed:
                followed.add(subject)
                _follow(change, report)
        else:
            report.transactions += 1
            if change.type in PAYOUTS and change.source:
                paid_out[change.source] = None
            if not LedgerEntry.objects.filter(provider_txn_id=change.id).exists():
                _explain(change, report)
    _compare_payouts(paid_out, report)
    receipts.issue_missing()
    report.booked = LedgerEntry.objects.count() - before
    return report


def every_night() -> int:
    """Looks at the last week, so that a webhook that was down heals by itself (hazard 11, F10).

    The number of ledger entries that were written. A processor that does not answer, or a gift
    that stays busy, is left to the next night.
    """
    try:
        report = reconcile(since=clock.now() - WEEK)
    except (ProviderDown, GiftBusy) as error:
        logger.warning("Gifts were not reconciled tonight: %s", type(error).__name__)
        return 0
    for problem in report.problems:
        logger.error("Reconcile: %s", problem)
    return report.booked


def _compare_payouts(refs: Iterable[str], report: Report) -> None:
    """These payouts and those that are not settled; what they consist of is booked first."""
    waiting = Payout.objects.unsettled().order_by("pk")
    for ref in [*refs, *waiting.values_list("provider_reference", flat=True)]:
        if ref in report.payouts:
            continue
        try:
            statement = payouts.read(ref)
        except ProviderRefused as error:
            report.problems.append(f"{ref}: {error}")
            continue
        for txn in statement.missing():
            _explain(txn, report)
        report.payouts[ref] = payouts.keep(statement).problem
        if report.payouts[ref]:
            report.problems.append(f"{ref}: {report.payouts[ref]}")


def _follow(hint: EventHint, report: Report) -> None:
    try:
        webhooks.follow(hint, wait=WAIT)
    except ProviderRefused as error:
        report.problems.append(f"{hint.id}: {error}")


def _explain(txn: TxnSnap, report: Report) -> None:
    """Books a transaction through its gift, as a payout, or to suspense for a person to explain."""
    if txn.payment_ref:
        _follow(
            EventHint(
                id=txn.id, type="charge.updated", object_type="charge", object_id=txn.source,
                livemode=False, refs={"payment": txn.payment_ref},
            ),
            report,
        )  # fmt: skip
    with transaction.atomic():
        is_payout = txn.type in PAYOUTS
        kind = LedgerEntry.Kind.PAYOUT if is_payout else LedgerEntry.Kind.SUSPENSE
        for entry in posting.post_new(rows=[(kind, txn)], note="" if is_payout else txn.type):
            if entry.kind == LedgerEntry.Kind.SUSPENSE:
                report.problems.append(f"{txn.id}: {txn.type} went to suspense")
