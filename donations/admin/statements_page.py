"""January's page: who gets a statement of the year, told by mail or printed (giving.md D5, D6)."""

import datetime as dt
from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from donations import year_end
from donations.statements import Period
from sistercities.shared import clock
from sistercities.shared.headers import personal
from sistercities.shared.site import current_site

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

SHOWN = 50


def statements_page(request: HttpRequest, page: "ModelAdmin") -> HttpResponse:
    """GET shows whom it reaches, POST tells those who were not told yet."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    last_year = str(Period.before(clock.today()))
    typed = (request.POST if request.method == "POST" else request.GET).get("period", last_year)
    try:
        period = Period.parse(typed.strip())
    except ValueError:
        period = None
    if request.method == "POST":
        return _tell(request, page, period)
    people = year_end.recipients(period) if period else None
    return TemplateResponse(
        request,
        "admin/donations/donor/statements.html",
        {
            **page.admin_site.each_context(request),
            "title": _("Year statements"),
            "opts": page.opts,
            "typed": typed,
            "period": period,
            "is_over": period and period.last < clock.today(),
            "due_on": period and period.last + dt.timedelta(days=31),
            "people": people,
            "some_by_post": people.by_post[:SHOWN] if people else [],
            "may_tell": page.has_change_permission(request),
        },
        status=200 if period else 400,
    )


def _tell(request: HttpRequest, page: "ModelAdmin", period: Period | None) -> HttpResponse:
    if not page.has_change_permission(request):
        raise PermissionDenied
    if not period:
        return HttpResponseBadRequest()
    count = year_end.tell(period, site=current_site(request))
    text = ngettext("%d donor is told.", "%d donors are told.", count) % count
    page.message_user(request, text, messages.SUCCESS)
    return redirect(reverse("admin:donations_donor_statements") + f"?period={period}")


def statements_zip(request: HttpRequest, page: "ModelAdmin") -> HttpResponseBase:
    """The statements as PDF in one ZIP; `who=post` for those without a mail address alone."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    try:
        period = Period.parse(request.GET.get("period", ""))
    except ValueError:
        return HttpResponseBadRequest()
    people = year_end.recipients(period)
    chosen = people.by_post if request.GET.get("who") == "post" else people.everybody
    named = year_end.files(chosen, period, site=current_site(request))
    response = StreamingHttpResponse(year_end.as_zip(named), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="statements-{period}.zip"'
    return personal(response)
