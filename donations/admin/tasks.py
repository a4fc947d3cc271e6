"""What waits for the treasurer: each a line with the list or page where it is done."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from donations import closing, payouts, telling, year_end
from donations.models import (
    Dispute,
    Donation,
    ExpectedMatch,
    GiftBatch,
    LedgerEntry,
    LostReceipt,
    Payout,
    ProviderEvent,
    Receipt,
    RecurringGift,
    Refund,
    Ticket,
    TripFee,
)
from donations.statements import Period
from sistercities.shared.models import SiteSettings

REMIND = dt.timedelta(days=60)  # before a registration ends (giving.md D28)
JANUARY = 1


@dataclass(frozen=True)
class Task:
    text: str
    address: str


@dataclass(frozen=True)
class Waiting:
    """Rows that wait for a person; `one` and `many` say so with `%d` for their number."""

    rows: QuerySet
    one: str
    many: str
    address: str


def tasks(today: dt.date, site: SiteSettings) -> Iterator[Task]:
    """The most pressing first. The number of queries is fixed."""
    yield from _disputes()
    waiting = _waiting(today)
    for row, count in zip(waiting, _counts(waiting), strict=True):
        if count:
            yield Task(ngettext(row.one, row.many, count) % count, row.address)
    yield from _letters()
    yield from _statements(today)
    ends = site.registration_ends_on
    if ends and ends - REMIND <= today:
        text = _(
            "The charity registration is good until %s. Without it you must not ask for gifts."
        )
        page = reverse("admin:shared_sitesettings_change", args=[1])
        yield Task(text % date_format(ends, "F j, Y"), page)
    month = closing.first_open()
    if month and month.after <= today:
        text = _("%s can be closed.")
        yield Task(text % date_format(month.first, "F Y"), list_of("closedmonth"))


def list_of(model: str, query: str = "") -> str:
    return reverse(f"admin:donations_{model}_changelist") + query


def _disputes() -> Iterator[Task]:
    found = Dispute.objects.open().select_related("donation", "trip_fee").order_by("due_at")
    for dispute in found[:10]:
        due = (
            date_format(timezone.localtime(dispute.due_at), "F j") if dispute.due_at else _("soon")
        )
        yield Task(
            _("A bank disputes %(gift)s: answer by %(due)s.")
            % {"gift": dispute.payment, "due": due},
            reverse("admin:donations_dispute_change", args=[dispute.pk]),
        )


def _waiting(today: dt.date) -> list[Waiting]:
    late = today - payouts.LATE
    returned = Q(status=Payout.Status.FAILED, arrives_on__gt=today - payouts.RECENT)
    at_hand = Q(provider=TripFee.Provider.OFFLINE, state=TripFee.State.PAID, deposited_on=None)
    return [
        Waiting(
            LedgerEntry.objects.in_suspense(),
            _("%d movement waits in suspense: say what it is."),
            _("%d movements wait in suspense: say what they are."),
            list_of("ledgerentry", "?suspense=waits"),
        ),
        Waiting(
            Payout.objects.exclude(problem=""),
            _("%d payout to the bank does not fit the books."),
            _("%d payouts to the bank do not fit the books."),
            list_of("payout", "?fits=no"),
        ),
        Waiting(
            Payout.objects.filter(returned),
            _("%d payout was sent back by the bank."),
            _("%d payouts were sent back by the bank."),
            list_of("payout", "?status__exact=failed"),
        ),
        Waiting(
            Donation.objects.exclude(needs_attention=""),
            _("%d gift needs a person."),
            _("%d gifts need a person."),
            list_of("donation", "?needs_attention__isempty=0"),
        ),
        Waiting(
            TripFee.objects.exclude(needs_attention=""),
            _("%d trip fee needs a person."),
            _("%d trip fees need a person."),
            list_of("tripfee", "?needs_attention__isempty=0"),
        ),
        Waiting(
            Donation.objects.filter(is_receipt_due=True),
            _("%d receipt cannot be written yet."),
            _("%d receipts cannot be written yet."),
            list_of("donation", "?needs_attention__isempty=0"),
        ),
        Waiting(
            Receipt.objects.filter(is_to_print=True),
            _("%d receipt is to be printed and posted."),
            _("%d receipts are to be printed and posted."),
            list_of("receipt", "?is_to_print__exact=1"),
        ),
        Waiting(
            LostReceipt.objects.all(),
            _("%d receipt was given and is lost: find its gift."),
            _("%d receipts were given and are lost: find their gifts."),
            list_of("lostreceipt"),
        ),
        Waiting(
            RecurringGift.objects.filter(state=RecurringGift.State.PAST_DUE),
            _("%d monthly or yearly gift fails: the card must be mended."),
            _("%d monthly or yearly gifts fail: their cards must be mended."),
            list_of("recurringgift", "?state__exact=past_due"),
        ),
        Waiting(
            RecurringGift.objects.exclude(needs_attention=""),
            _("%d monthly or yearly gift needs a person."),
            _("%d monthly or yearly gifts need a person."),
            list_of("recurringgift", "?needs_attention__isempty=0"),
        ),
        Waiting(
            Refund.objects.unanswered(),
            _("%d refund waits for the card processor."),
            _("%d refunds wait for the card processor."),
            list_of("refund", "?state__exact=asked"),
        ),
        Waiting(
            GiftBatch.objects.filter(booked_at=None),
            _("%d batch of gifts is not booked."),
            _("%d batches of gifts are not booked."),
            list_of("giftbatch"),
        ),
        Waiting(
            GiftBatch.objects.filter(booked_at__isnull=False, deposited_on=None),
            _("%d batch is not marked as taken to the bank."),
            _("%d batches are not marked as taken to the bank."),
            list_of("giftbatch"),
        ),
        Waiting(
            TripFee.objects.filter(at_hand),
            _("%d trip fee paid by check or cash is not marked as taken to the bank."),
            _("%d trip fees paid by check or cash are not marked as taken to the bank."),
            list_of("tripfee", "?state__exact=paid"),
        ),
        Waiting(
            GiftBatch.objects.filter(deposited_on__lt=late, seen_on=None, deposit_cents__gt=0),
            _("%d deposit of checks was not seen on the bank statement for a week."),
            _("%d deposits of checks were not seen on the bank statement for a week."),
            list_of("giftbatch", f"?deposited_on__lt={late}&seen_on__isnull=True"),
        ),
        Waiting(
            ExpectedMatch.objects.overdue(),
            _("%d match that an employer promised is overdue."),
            _("%d matches that employers promised are overdue."),
            list_of("expectedmatch", "?state=overdue"),
        ),
        Waiting(
            Ticket.objects.without_value(),
            _("%d ticket on sale has no fair value, so nobody can buy it."),
            _("%d tickets on sale have no fair value, so nobody can buy them."),
            list_of("ticket", "?is_on_sale__exact=1&value_cents__isempty=1"),
        ),
        Waiting(
            ProviderEvent.objects.filter(state=ProviderEvent.State.FAILED),
            _("%d message of the card processor could not be followed."),
            _("%d messages of the card processor could not be followed."),
            list_of("providerevent", "?state__exact=failed"),
        ),
    ]


def _counts(waiting: list[Waiting]) -> list[int]:
    """How many rows there are of each, in one question to the database."""
    first, *others = (
        row.rows.order_by()
        .annotate(place=Value(place), one=F("pk") * 0)
        .values("place", "one")
        .annotate(n=Count("pk"))
        .values_list("place", "n")
        for place, row in enumerate(waiting)
    )
    found = dict(first.union(*others, all=True))
    return [found.get(place, 0) for place in range(len(waiting))]


def _letters() -> Iterator[Task]:
    for letter in telling.due():
        text = ngettext(
            "Tell the donor of “%(title)s” what the gift made possible.",
            "Tell the %(count)d donors of “%(title)s” what their gifts made possible.",
            letter.readers,
        )
        yield Task(
            text % {"count": letter.readers, "title": letter.title},
            reverse("admin:donations_campaign_letter", args=[letter.campaign]),
        )


def _statements(today: dt.date) -> Iterator[Task]:
    """Last year's are due by the end of January (giving.md D6)."""
    if today.month == JANUARY and year_end.recipients(Period.before(today)).to_tell:
        text = _("The statements for %(year)d are due by %(day)s.")
        due = date_format(today.replace(day=31), "F j")
        yield Task(
            text % {"year": today.year - 1, "day": due}, reverse("admin:donations_donor_statements")
        )
