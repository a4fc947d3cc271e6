"""Closing the months, and their journals."""

from typing import cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from donations import closing
from donations.admin.showing import ReadOnly
from donations.models import ClosedMonth
from donations.providers.base import ProviderDown
from sistercities.shared.headers import personal

PERMISSION = "donations.add_closedmonth"


@admin.register(ClosedMonth)
class ClosedMonthAdmin(ReadOnly, admin.ModelAdmin):
    """A closed month is never opened again; what comes late stands in the next one."""

    change_list_template = "admin/donations/closedmonth/change_list.html"
    list_display = ("month", "entries", "closed_by", "closed_at", "journal_link")
    search_fields = ("first_on",)
    list_filter = ("closed_at",)
    list_select_related = ("closed_by",)
    ordering = ("-first_on",)
    fields = ("first_on", "entries", "journal_sha256", "closed_by", "closed_at")

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("close/", view(self.close), name="donations_closedmonth_close"),
            path("<int:pk>/journal/", view(self.journal), name="donations_closedmonth_journal"),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        may_close = request.user.has_perm(PERMISSION)
        extra = {"next_month": closing.first_open() if may_close else None}
        return super().changelist_view(request, (extra_context or {}) | extra)

    @admin.display(description=_("month"), ordering="first_on")
    def month(self, obj):
        return f"{obj.first_on:%B %Y}"

    @admin.display(description=_("journal"))
    def journal_link(self, obj):
        address = reverse("admin:donations_closedmonth_journal", args=[obj.pk])
        return format_html('<a href="{}">{}</a>', address, _("CSV"))

    def journal(self, request, pk):
        """The journal as a file for an accounting program."""
        closed = get_object_or_404(ClosedMonth, pk=pk)
        if not self.has_view_permission(request, closed):
            raise PermissionDenied
        month = closing.Month(closed.first_on)
        response = HttpResponse(closing.journal(month), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="journal-{month}.csv"'
        return personal(response)

    def close(self, request):
        if not request.user.has_perm(PERMISSION) or request.method != "POST":
            raise PermissionDenied
        back = redirect(reverse("admin:donations_closedmonth_changelist"))
        try:
            month = closing.Month.parse(request.POST.get("month", ""))
            closed = closing.close(month=month, by=cast(User, request.user))
        except ValueError:
            self.message_user(request, _("This is no month."), messages.ERROR)
        except closing.CannotClose as refused:
            for reason in refused.reasons[:10]:
                self.message_user(request, reason, messages.ERROR)
        except ProviderDown:
            text = _("The card processor does not answer. Please try again later.")
            self.message_user(request, text, messages.ERROR)
        else:
            self.log_addition(request, closed, [{"added": {}}])
            self.message_user(request, _("%s is closed.") % closed, messages.SUCCESS)
        return back
