"""What must be true of gifts at any moment (trust.md, "Invariants").

Each check asks for what is wrong in a few questions about all rows, not in some for each gift:
with 100,000 gifts all together take seconds.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum

from donations.models import (
    Account,
    Dispute,
    Donation,
    LedgerEntry,
    LedgerPosting,
    LostReceipt,
    ProviderEvent,
    Receipt,
    ReceiptSeries,
    Refund,
)
from donations.models.receipt import number_of
from sistercities.shared import clock
from sistercities.shared.invariants import Broken, Check

Kind, State = LedgerEntry.Kind, Donation.State
OVERDUE = dt.timedelta(hours=1)
SETTLED = dt.timedelta(days=7)  # by then the fee of a card is known
TOO_FAR = dt.timedelta(days=1)  # the longest pause between two tries is half of that


def payments_and_books() -> Iterator[Broken]:
    """I1: one paid gift for each payment, and the books say of each gift what it says itself."""
    gifts = Donation.objects.order_by()
    by_card = gifts.filter(provider=Donation.Provider.STRIPE)
    paid_twice = by_card.exclude(provider_reference="").values("provider_reference")
    for row in paid_twice.annotate(rows=Count("pk")).filter(rows__gt=1):
        yield Broken("", f"{row['provider_reference']} is the payment of {row['rows']} gifts")
    for pk in by_card.paid().filter(provider_reference="").values_list("pk", flat=True):
        yield Broken(_gift(pk), "It is paid without a payment")
    yield from _revenue()
    yield from _refunds()


def _revenue() -> Iterator[Broken]:
    postings = LedgerPosting.objects.order_by()
    revenue = postings.filter(Q(debit=Account.GIFT_REVENUE) | Q(credit=Account.GIFT_REVENUE))
    for entry in revenue.filter(entry__donation=None).values_list("entry", flat=True):
        yield Broken(f"donations.LedgerEntry {entry}", "It is revenue of no gift")
    # SQLite and PostgreSQL add these up in one pass; only what does not fit comes back.
    booked = (
        revenue.with_effect_on(Account.GIFT_REVENUE)
        .exclude(entry__donation=None)
        .values("entry__donation", "entry__donation__state", "entry__donation__amount_cents")
        .annotate(cents=Sum("effect_cents"))
    )
    is_paid = Q(entry__donation__state=State.PAID)
    fits = Q(is_paid, cents=-F("entry__donation__amount_cents")) | Q(~is_paid, cents=0)
    for row in booked.exclude(fits):
        yield Broken(
            _gift(row["entry__donation"]),
            f"It is {row['entry__donation__state']} with {row['entry__donation__amount_cents']} "
            f"cents, booked are {-row['cents']}",
        )
    # What staff enter is booked at once, a card's charge when its fee is known.
    of_gift = revenue.filter(entry__donation=OuterRef("pk"))
    charges = LedgerEntry.objects.filter(donation=OuterRef("pk"), kind=Kind.CHARGE)
    is_settled = Q(provider=Donation.Provider.OFFLINE) | Q(paid_at__lt=clock.now() - SETTLED)
    unbooked = Donation.objects.paid().exclude(Exists(of_gift)).filter(amount_cents__gt=0)
    unbooked = unbooked.filter(is_settled | Exists(charges)).order_by("pk")
    for pk in unbooked.values_list("pk", flat=True):
        yield Broken(_gift(pk), "It is paid and not booked")


def _refunds() -> Iterator[Broken]:
    """What stands as given back is booked so; what is on its way may be."""
    booked = _given_back()
    done, on_its_way = (
        _sums(
            Refund.objects.filter(state=state).values_list("donation").annotate(Sum("amount_cents"))
        )
        for state in (Refund.State.DONE, Refund.State.PENDING)
    )
    for pk in sorted({*booked, *done}, key=str):
        said, cents = done.get(pk, 0), booked.get(pk, 0)
        if not said <= cents <= said + on_its_way.get(pk, 0):
            yield Broken(_gift(pk), f"{said} cents were given back, booked are {cents}")


def stored_events() -> Iterator[Broken]:
    """I2: each event that we took is done, given up with a note to staff, or about to be tried."""
    now = clock.now()
    waiting = ProviderEvent.objects.filter(state=ProviderEvent.State.RECEIVED).order_by("pk")
    for event in waiting.filter(next_try_at__lt=now - OVERDUE):
        yield Broken(_event(event), f"Nobody has tried it since {event.next_try_at:%Y-%m-%d %H:%M}")
    for event in waiting.filter(next_try_at__gt=now + TOO_FAR):
        yield Broken(_event(event), f"Its next try is on {event.next_try_at:%Y-%m-%d}")
    for event in ProviderEvent.objects.exclude(state__in=ProviderEvent.State.values):
        yield Broken(_event(event), f"Its state is {event.state!r}")


def receipt_numbers() -> Iterator[Broken]:
    """I3: numbers run from 1 without gaps; each paid gift has the one receipt that it is due."""
    yield from _numbers()
    yield from _current_receipts()


def _numbers() -> Iterator[Broken]:
    """A number that was lost with a restore is still a number that was given (F10)."""
    given: dict[int, tuple[int, int]] = {}
    for model in (Receipt, LostReceipt):
        rows = model._default_manager.order_by().values("year")
        for row in rows.annotate(rows=Count("serial", distinct=True), last=Max("serial")):
            count, last = given.get(row["year"], (0, 0))
            given[row["year"]] = (count + row["rows"], max(last, row["last"]))
    series = dict(ReceiptSeries.objects.values_list("year", "last_serial"))
    for year in sorted({*given, *series}):
        count, last = given.get(year, (0, 0))
        if last != series.get(year, 0):
            why = f"It says {series.get(year)}, the last receipt is {last}"
            yield Broken(f"donations.ReceiptSeries {year}", why)
        if count != last:
            yield from _unlike_a_series(year, last)


def _unlike_a_series(year: int, last: int) -> Iterator[Broken]:
    times = Counter(
        serial
        for model in (Receipt, LostReceipt)
        for serial in model._default_manager.filter(year=year).values_list("serial", flat=True)
    )
    for serial in range(1, last + 1):
        if times[serial] == 0:
            yield Broken("", f"There is no receipt {number_of(year, serial)}")
        elif times[serial] > 1:
            yield Broken("", f"{number_of(year, serial)} is lost and given")


def _current_receipts() -> Iterator[Broken]:
    """Most gifts have a receipt over all of their amount and nothing came back of them: those are
    told apart by the database, the others are looked at one by one.
    """
    returned = _given_back()
    lost = _sums(Dispute.objects.lost().values_list("donation").annotate(Sum("amount_cents")))
    current = Receipt.objects.filter(state=Receipt.State.CURRENT)
    over_all = current.filter(donation=OuterRef("pk"), amount_cents=OuterRef("amount_cents"))
    unlike = Donation.objects.paid().exclude(Exists(over_all))
    unpaid = Donation.objects.exclude(state=State.PAID).filter(
        Exists(current.filter(donation=OuterRef("pk")))
    )
    lowered = Donation.objects.filter(pk__in=[pk for pk in {*returned, *lost} if pk])
    for gift in (unlike | unpaid | lowered).order_by("pk").prefetch_related("receipts"):
        kept = gift.amount_cents - returned.get(gift.pk, 0) - lost.get(gift.pk, 0)
        is_due = gift.state == State.PAID and (kept > 0 or gift.is_non_cash)
        wanted = [max(0, kept)] if is_due and gift.method != "daf" else []
        found = [
            row.amount_cents for row in gift.receipts.all() if row.state == Receipt.State.CURRENT
        ]
        if found != wanted and not gift.is_receipt_due:
            yield Broken(_gift(gift.pk), f"Its receipts are over {found} cents, due are {wanted}")


def _given_back() -> dict[int | None, int]:
    """Cents by gift, as the books have it."""
    entries = LedgerPosting.objects.filter(entry__kind__in=LedgerEntry.RETURNS)
    effects = entries.with_effect_on(Account.REFUNDS)
    return _sums(effects.values_list("entry__donation").annotate(Sum("effect_cents")))


def _sums(pairs: QuerySet) -> dict[int | None, int]:
    return {pk: int(cents) for pk, cents in pairs.order_by()}


def _gift(pk: int | None) -> str:
    return f"donations.Donation {pk}"


def _event(event: ProviderEvent) -> str:
    return f"donations.ProviderEvent {event.pk}"


CHECKS: dict[str, Check] = {
    "I1": payments_and_books,
    "I2": stored_events,
    "I3": receipt_numbers,
}
