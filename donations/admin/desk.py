"""The treasurer's desk: how giving stands, and what waits for a person."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from donations import closing, reports
from donations.models import (
    Account,
    Dispute,
    Donation,
    GiftBatch,
    LedgerPosting,
    OfflineGift,
    ProviderEvent,
    Receipt,
    RecurringGift,
    Refund,
)
from sistercities.shared import clock
from sistercities.shared.money import format_exact
from sistercities.shared.site import current_site

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


REMIND = dt.timedelta(days=60)  # before a registration ends (giving.md D28)


@dataclass(frozen=True)
class Task:
    """Something that a person must see to, and the list where it stands."""

    text: str
    address: str


def desk_page(request: HttpRequest, page: "ModelAdmin") -> HttpResponse:
    """For who may see gifts."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    today = clock.today()
    year = today.replace(month=1, day=1)
    days = reports.totals(today.replace(day=1), today, by="given_on")
    by_method = reports.totals(year, today, by="method")
    methods = {
        "card": _("Card"),
        "us_bank_account": _("Bank debit"),
        **{value: str(label) for value, label in OfflineGift.Method.choices},
    }
    accounts = LedgerPosting.objects.all().balances()
    return TemplateResponse(
        request,
        "admin/donations/donation/desk.html",
        {
            **page.admin_site.each_context(request),
            "title": _("Treasurer's desk"),
            "opts": page.opts,
            "spans": [
                (_("Today"), reports.together(row for row in days if row.label == str(today))),
                (_("This month"), reports.together(days)),
                (_("This year"), reports.together(by_method)),
            ],
            "campaigns": reports.totals(year, today, by="designation"),
            "methods": [(methods.get(row.label, row.label), row) for row in by_method],
            "accounts": [
                (Account(name).label, format_exact(cents)) for name, cents in accounts.items()
            ],
            "tasks": list(_tasks(today, accounts, current_site(request).registration_ends_on)),
        },
    )


def _list(model: str, query: str = "") -> str:
    return reverse(f"admin:donations_{model}_changelist") + query


def _tasks(today: dt.date, accounts: dict[str, int], ends: dt.date | None) -> Iterator[Task]:
    for dispute in Dispute.objects.open().select_related("donation").order_by("due_at")[:10]:
        due = (
            date_format(timezone.localtime(dispute.due_at), "F j") if dispute.due_at else _("soon")
        )
        yield Task(
            _("A bank disputes %(gift)s: answer by %(due)s.")
            % {"gift": dispute.donation, "due": due},
            reverse("admin:donations_dispute_change", args=[dispute.pk]),
        )
    if cents := accounts[Account.SUSPENSE]:
        text = _("%s waits in suspense: nobody knows yet what it is.")
        yield Task(text % format_exact(abs(cents)), _list("ledgerentry", "?kind__exact=suspense"))
    gifts = Donation.objects.aggregate(
        odd=Count("pk", filter=~Q(needs_attention="")),
        blocked=Count("pk", filter=Q(is_receipt_due=True)),
    )
    batches = GiftBatch.objects.aggregate(
        begun=Count("pk", filter=Q(booked_at=None)),
        here=Count("pk", filter=Q(booked_at__isnull=False, deposited_on=None)),
    )
    plans = RecurringGift.objects.aggregate(
        failing=Count("pk", filter=Q(state=RecurringGift.State.PAST_DUE)),
        odd=Count("pk", filter=~Q(needs_attention="")),
    )
    counts = [
        (
            gifts["odd"],
            _("%d gift needs a person."),
            _("%d gifts need a person."),
            _list("donation", "?needs_attention__isempty=0"),
        ),
        (
            gifts["blocked"],
            _("%d receipt cannot be written yet."),
            _("%d receipts cannot be written yet."),
            _list("donation", "?needs_attention__isempty=0"),
        ),
        (
            Receipt.objects.filter(is_to_print=True).count(),
            _("%d receipt is to be printed and posted."),
            _("%d receipts are to be printed and posted."),
            _list("receipt", "?is_to_print__exact=1"),
        ),
        (
            plans["failing"],
            _("%d monthly or yearly gift fails: the card must be mended."),
            _("%d monthly or yearly gifts fail: their cards must be mended."),
            _list("recurringgift", "?state__exact=past_due"),
        ),
        (
            plans["odd"],
            _("%d monthly or yearly gift needs a person."),
            _("%d monthly or yearly gifts need a person."),
            _list("recurringgift", "?needs_attention__isempty=0"),
        ),
        (
            Refund.objects.unanswered().count(),
            _("%d refund waits for the card processor."),
            _("%d refunds wait for the card processor."),
            _list("refund", "?state__exact=asked"),
        ),
        (
            batches["begun"],
            _("%d batch of gifts is not booked."),
            _("%d batches of gifts are not booked."),
            _list("giftbatch"),
        ),
        (
            batches["here"],
            _("%d batch is not marked as taken to the bank."),
            _("%d batches are not marked as taken to the bank."),
            _list("giftbatch"),
        ),
        (
            ProviderEvent.objects.filter(state=ProviderEvent.State.FAILED).count(),
            _("%d message of the card processor could not be followed."),
            _("%d messages of the card processor could not be followed."),
            _list("providerevent", "?state__exact=failed"),
        ),
    ]
    for count, one, many, address in counts:
        if count:
            yield Task(ngettext(one, many, count) % count, address)
    if ends and ends - REMIND <= today:
        text = _(
            "The charity registration is good until %s. Without it you must not ask for gifts."
        )
        page = reverse("admin:shared_sitesettings_change", args=[1])
        yield Task(text % date_format(ends, "F j, Y"), page)
    month = closing.first_open()
    if month and month.after <= today:
        yield Task(_("%s can be closed.") % date_format(month.first, "F Y"), _list("closedmonth"))
