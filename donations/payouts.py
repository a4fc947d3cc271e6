"""Holds each payout to the bank against the books: which gifts, refunds and fees it consists of."""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from donations import posting
from donations.amounts import money
from donations.models import GiftBatch, LedgerEntry, Payout, PayoutLine
from donations.models.payout import PayoutLineQuerySet
from donations.providers import provider
from donations.providers.base import PayoutSnap, TxnSnap
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings
from sistercities.shared.spreadsheets import inert

Kind = LedgerEntry.Kind
LATE = dt.timedelta(days=7)  # by then a deposit stands on the bank statement
RECENT = dt.timedelta(days=30)
HEADINGS = (
    "Date", "Kind", "Gift No.", "Name", "Class", "Amount", "Fee", "Net", "Reference",
    "In the books",
)  # fmt: skip


class CannotSee(Exception):
    """This deposit cannot stand on a bank statement; the message says why, for staff."""


@dataclass(frozen=True)
class Statement:
    """A payout as the processor tells of it at one moment. `txns`: its own movement with them."""

    snap: PayoutSnap
    txns: list[TxnSnap]

    def missing(self) -> list[TxnSnap]:
        """Those of its movements that are not in the books, oldest first."""
        rows = LedgerEntry.objects.filter(provider_txn_id__in=[txn.id for txn in self.txns])
        booked = set(rows.values_list("provider_txn_id", flat=True))
        return [txn for txn in self.txns if txn.id not in booked]


@dataclass
class Sums:
    """What a payout consists of, in cents as they change the payout."""

    gifts: int = 0
    gross_cents: int = 0
    returned_cents: int = 0
    other_cents: int = 0
    fee_cents: int = 0
    kinds: list[dict] = field(default_factory=list)

    def add(self, row: dict) -> None:
        self.kinds.append(row)
        self.fee_cents -= row["fee"]
        match row["entry__kind"]:
            case Kind.CHARGE:
                self.gifts += row["lines"]
                self.gross_cents += row["amount"]
            case Kind.REFUND | Kind.REFUND_FAILURE | Kind.DISPUTE:
                self.returned_cents += row["amount"]
            case _:
                self.other_cents += row["amount"]

    @property
    def net_cents(self) -> int:
        return self.gross_cents + self.returned_cents + self.other_cents + self.fee_cents


def read(payout_ref: str) -> Statement:
    """Asks the processor, outside any transaction. Raises `ProviderDown`, `ProviderRefused`."""
    snap = provider.fetch_payout(payout_ref)
    txns = {txn.id: txn for txn in (provider.payout_txns(payout_ref) if snap.is_listed else ())}
    if snap.txn:
        txns[snap.txn.id] = snap.txn
    if snap.failure_txn:  # what came back is a part of the payout that takes it out again
        txns.pop(snap.failure_txn.id, None)
    return Statement(snap, list(txns.values()))


def keep(statement: Statement) -> Payout:
    """Books the payout itself, stores its lines and says what does not fit.

    Lines are only ever added, and an older statement that comes late takes nothing back. A second
    call with the same statement changes nothing but the moment of the comparison.
    """
    snap = statement.snap
    with transaction.atomic():
        Payout.objects.get_or_create(
            provider_reference=snap.payout_ref,
            defaults={
                "amount_cents": snap.amount_cents, "currency": snap.currency,
                "arrives_on": snap.arrives_on, "status": snap.status,
                "is_automatic": snap.is_automatic,
            },
        )  # fmt: skip
        payout = Payout.objects.select_for_update().get(provider_reference=snap.payout_ref)
        own = [(Kind.PAYOUT, txn) for txn in (snap.txn, snap.failure_txn) if txn]
        posting.post_new(rows=own)
        _add_lines(payout, statement.txns)
        payout.follow_status(snap.status)
        payout.arrives_on = snap.arrives_on
        payout.is_listed = payout.is_listed or snap.is_listed
        compare(payout)
    return payout


def compare(payout: Payout) -> None:
    """Holds a payout's lines against the books as they are now, and saves it."""
    payout.problem = " ".join(_problems(payout))[:300]
    payout.checked_at = clock.now()
    payout.save()


def _add_lines(payout: Payout, txns: list[TxnSnap]) -> None:
    lines = PayoutLine.objects.filter(entry_id__in=[txn.id for txn in txns])
    known = set(lines.values_list("entry_id", flat=True))
    PayoutLine.objects.bulk_create(
        PayoutLine(
            payout=payout,
            entry_id=txn.id,
            type=txn.type[:60],
            is_payout_itself=txn.source == payout.provider_reference,
            amount_cents=txn.amount_cents,
            fee_cents=txn.fee_cents,
            currency=txn.currency,
            occurred_at=txn.created_at,
        )
        for txn in txns
        if txn.id not in known
    )


def _problems(payout: Payout) -> Iterator[str]:
    lines = list(lines_of(payout))
    if missing := sum(1 for line in lines if line.entry is None):
        yield (
            ngettext(
                "%d movement is not in the books.", "%d movements are not in the books.", missing
            )
            % missing
        )
    if wrong := sum(1 for line in lines if line.entry and not line.fits):
        yield (
            ngettext(
                "%d movement differs from the books.", "%d movements differ from the books.", wrong
            )
            % wrong
        )
    if suspense := payout.lines.filter(entry__in=LedgerEntry.objects.in_suspense()).count():
        yield (
            ngettext("%d movement went to suspense.", "%d movements went to suspense.", suspense)
            % suspense
        )
    if not payout.is_listed:
        return
    parts = sum(line.net_cents for line in lines if not line.is_payout_itself)
    if parts != payout.amount_cents:
        yield _("Its movements come to %(parts)s, the payout is %(amount)s.") % {
            "parts": money(parts, payout.currency),
            "amount": money(payout.amount_cents, payout.currency),
        }  # fmt: skip


def lines_of(payout: Payout) -> PayoutLineQuerySet:
    """The lines of a payout with their entries and postings: two queries."""
    return payout.lines.select_related("entry__donation").prefetch_related("entry__postings")


def sums_of(payouts: Iterable[Payout]) -> dict[int, Sums]:
    """By the payout's key, in one query."""
    payouts = list(payouts)
    found = {payout.pk: Sums() for payout in payouts}
    for row in PayoutLine.objects.filter(payout__in=payouts).sums():
        found[row["payout"]].add(row)
    return found


def sheet(payout: Payout) -> str:
    """The payout's list as CSV, sums in dollars. No cell of it is run as a formula."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    zone = SiteSettings.load().zone
    for line in lines_of(payout).parts().iterator(chunk_size=2000):
        gift = line.entry.donation if line.entry else None
        amounts = [line.amount_cents, -line.fee_cents, line.net_cents]
        writer.writerow(
            [
                f"{timezone.localdate(line.occurred_at, zone):%Y-%m-%d}",
                inert(kind_of(line)),
                str(gift.pk) if gift else "",
                inert(gift.donor_name if gift else ""),
                inert(gift.designation if gift else ""),
                *(_signed(cents) for cents in amounts),
                inert(line.entry_id),
                _("yes") if line.fits else _("no"),
            ]
        )
    return file.getvalue()


def kind_of(line: PayoutLine) -> str:
    """What it is in our words, or in the processor's where we have none for it."""
    if line.entry is None or line.entry.kind == Kind.SUSPENSE:
        return line.type
    return line.entry.get_kind_display()


def _signed(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def see(*, deposit: Payout | GiftBatch, on: dt.date | None, by: User) -> Payout | GiftBatch:
    """Says on which day a deposit stands on the bank statement; None: not there after all.

    The same day again changes nothing. Raises `CannotSee` for what is not at the bank, a day to
    come, and a check that would be there before it was carried.
    """
    model = type(deposit)
    with transaction.atomic():
        row = model.objects.select_for_update().get(pk=deposit.pk)
        if row.seen_on == on:
            return row
        if on:
            _check_day(row, on)
        row.seen_on, row.seen_by = on, by if on else None
        row.seen_at = clock.now() if on else None
        row.save(update_fields=["seen_on", "seen_by", "seen_at"])
    return row


def _check_day(row: Payout | GiftBatch, on: dt.date) -> None:
    if on > clock.today():
        raise CannotSee(_("This day is still to come."))
    if isinstance(row, Payout):
        if row.status != Payout.Status.PAID:
            raise CannotSee(_("This payout is not at the bank."))
    elif not row.deposited_on:
        raise CannotSee(_("This batch was not taken to the bank yet."))
    elif on < row.deposited_on:
        raise CannotSee(
            _("It was taken to the bank on %s.") % date_format(row.deposited_on, "F j, Y")
        )
