"""The treasurer's desk: how giving stands, and what waits for a person."""

import datetime as dt
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from donations import reports
from donations.admin.tasks import list_of, tasks
from donations.models import Account, LedgerPosting, OfflineGift, TripFee
from sistercities.shared import clock
from sistercities.shared.money import format_exact
from sistercities.shared.site import current_site

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


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
    trips = _trip_fees(today)
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
            "trips": trips,
            "accounts": [
                (Account(name).label, format_exact(cents)) for name, cents in accounts.items()
            ],
            "trip_fees_url": list_of("tripfee", "?due=open"),
            "overdue_url": list_of("tripfee", "?due=overdue"),
            "tasks": list(tasks(today, current_site(request))),
        },
    )


def _trip_fees(today: dt.date) -> dict[str, int]:
    """How many trip fees wait for money, and how much it is; one query."""
    is_open = TripFee.counts() & Q(state__in=TripFee.UNPAID)
    is_late = is_open & Q(due_on__lt=today)
    return TripFee.objects.aggregate(
        open=Count("pk", filter=is_open),
        open_cents=Sum("amount_cents", filter=is_open, default=0),
        late=Count("pk", filter=is_late),
        late_cents=Sum("amount_cents", filter=is_late, default=0),
    )
