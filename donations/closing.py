"""Shuts the books of a month, once they and the card processor agree, and writes its journal."""

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from donations.models import Account, ClosedMonth, LedgerEntry, LedgerPosting
from donations.providers import provider
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings
from sistercities.shared.money import format_exact
from sistercities.shared.spreadsheets import inert

HEADINGS = (
    "Date", "Journal No.", "Account", "Debit", "Credit", "Name", "Class", "Memo", "Reference",
)  # fmt: skip


class CannotClose(Exception):
    """This month stays open; each of `reasons` says in words what a person must see to."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class Month:
    """`first` is its first day in the organisation's calendar."""

    first: dt.date

    @classmethod
    def parse(cls, text: str) -> "Month":
        """`2026-10`. Raises `ValueError`."""
        return cls(dt.datetime.strptime(text, "%Y-%m").date())

    @property
    def after(self) -> dt.date:
        """The first day of the next month."""
        return (self.first + dt.timedelta(days=31)).replace(day=1)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


def journal_day(occurred_at: dt.datetime) -> dt.date:
    """Where a new entry stands in the journal: on its own day, or today if its month is shut.

    Inside the transaction that books it; until that ends its month cannot be shut.
    """
    zone = SiteSettings.load().zone
    day = timezone.localdate(occurred_at, zone)
    shut = ClosedMonth.objects.select_for_update().filter(first_on=day.replace(day=1)).first()
    return timezone.localdate(clock.now(), zone) if shut else day


def entries_of(month: Month) -> QuerySet[LedgerEntry]:
    """The ledger entries of a month's journal, in its order."""
    return LedgerEntry.objects.filter(
        journal_on__gte=month.first, journal_on__lt=month.after
    ).order_by("journal_on", "pk")


def journal(month: Month) -> str:
    """The month as CSV, two lines a posting, sums in dollars: what accounting programs read.

    Byte for byte the same each time, once the month is closed. A cell that a spreadsheet would
    run as a formula begins with an apostrophe.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    entries = entries_of(month).select_related("donation__campaign", "trip_fee")
    entries = entries.prefetch_related("postings")
    for entry in entries.iterator(chunk_size=2000):
        for posting in entry.postings.all():
            for account, debit, credit in (
                (posting.debit, posting.amount_cents, 0),
                (posting.credit, 0, posting.amount_cents),
            ):
                writer.writerow(
                    inert(cell)
                    for cell in _cells(entry, str(Account(account).label), debit, credit)
                )
    return file.getvalue()


def _cells(entry: LedgerEntry, account: str, debit: int, credit: int) -> Iterator[str]:
    gift, fee = entry.donation, entry.trip_fee
    yield f"{entry.journal_on:%Y-%m-%d}"
    yield str(entry.pk)
    yield account
    yield _dollars(debit)
    yield _dollars(credit)
    yield gift.donor_name if gift else fee.delegate_name if fee else ""
    yield gift.designation if gift else _("Trip fees") if fee else ""
    yield f"{entry.get_kind_display()}: {entry.note}" if entry.note else entry.get_kind_display()
    yield entry.provider_txn_id or entry.offline_id or ""


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}" if cents else ""


def close(*, month: Month, by: User | None = None) -> ClosedMonth:
    """Shuts a month; a month that is shut already is returned as it is.

    Raises `CannotClose` with every reason: the month is not over, an earlier one with entries is
    open, the money at Stripe differs from Stripe's own list, or something waits in suspense.
    Raises `ProviderDown` where Stripe does not answer.
    """
    present = ClosedMonth.objects.filter(first_on=month.first).first()
    if present:
        return present
    zone = SiteSettings.load().zone
    if reasons := [*_not_yet(month, zone), *_differences(month, zone)]:
        raise CannotClose(reasons)
    with transaction.atomic():
        _wait_for_who_books()
        text = journal(month)
        closed, _is_new = ClosedMonth.objects.get_or_create(
            first_on=month.first,
            defaults={
                "entries": entries_of(month).count(),
                "journal_sha256": _fingerprint(text),
                "closed_by": by,
            },
        )
    return closed


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _wait_for_who_books() -> None:
    """Nothing is booked beside a close. On SQLite one transaction writes at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {ClosedMonth._meta.db_table} IN EXCLUSIVE MODE")


def _not_yet(month: Month, zone: dt.tzinfo) -> Iterator[str]:
    if timezone.localdate(clock.now(), zone) < month.after:
        yield _("%s is not over yet.") % month
    earlier = first_open()
    if earlier and earlier.first < month.first:
        yield _("%s is still open; close it first.") % earlier
    for shut in ClosedMonth.objects.filter(first_on__lt=month.first).order_by("-first_on")[:1]:
        if _fingerprint(journal(Month(shut.first_on))) != shut.journal_sha256:
            yield _("The journal of %s is not what it was when it was closed.") % shut
    waiting = LedgerPosting.objects.filter(entry__in=LedgerEntry.objects.filter(
        journal_on__lt=month.after
    ))  # fmt: skip
    if cents := waiting.balances()[Account.SUSPENSE]:
        yield _("%s waits in suspense to be explained.") % format_exact(abs(cents))


def _differences(month: Month, zone: dt.tzinfo) -> Iterator[str]:
    """Stripe's own list of the month against the books, transaction by transaction."""
    since = dt.datetime.combine(month.first, dt.time(), zone)
    until = dt.datetime.combine(month.after, dt.time(), zone)
    theirs = {txn.id: txn for txn in provider.iter_txns(since, until)}
    rows = LedgerPosting.objects.filter(
        entry__provider_txn_id__isnull=False,
        entry__occurred_at__gte=since,
        entry__occurred_at__lt=until,
    )
    ours: dict[str, int] = {}
    for row in rows.with_effect_on(Account.STRIPE_CLEARING).select_related("entry"):
        txn_id = row.entry.provider_txn_id or ""
        ours[txn_id] = ours.get(txn_id, 0) + row.effect_cents
    for txn_id, txn in theirs.items():
        net = txn.amount_cents - txn.fee_cents
        if txn_id not in ours and net:
            yield _("%(id)s over %(amount)s is not in the books. Run reconcile.") % {
                "id": txn_id, "amount": format_exact(net),
            }  # fmt: skip
        elif net != ours.get(txn_id, 0):
            yield _("%(id)s is %(theirs)s at Stripe and %(ours)s in the books.") % {
                "id": txn_id, "theirs": format_exact(net), "ours": format_exact(ours[txn_id]),
            }  # fmt: skip
    for txn_id in ours.keys() - theirs.keys():
        yield _("%s is in the books, but Stripe does not know it.") % txn_id


def first_open() -> Month | None:
    """The earliest month with entries that is not shut: months are shut one after the other."""
    entries = LedgerEntry.objects.filter(journal_on__isnull=False)
    if last := ClosedMonth.objects.order_by("-first_on").first():
        entries = entries.filter(journal_on__gte=Month(last.first_on).after)
    days = entries.order_by("journal_on").values_list("journal_on", flat=True)
    first = days.first()
    return Month(first.replace(day=1)) if first else None
