"""What became of each letter, and whether our mail is believed."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from sistercities.newsletter import bounces, mail_setup, reporting
from sistercities.newsletter.models import Delivery, LetterReport, LinkCount
from sistercities.shared.admin import ReadOnlyAdmin


@admin.register(LetterReport)
class LetterReportAdmin(ReadOnlyAdmin):
    """Whoever may look at letters may look at their reports."""

    change_list_template = "admin/newsletter/letterreport/change_list.html"
    list_display = ("subject", "status", "people", "began_at", "ended_at")
    search_fields = ("subject",)
    list_filter = ("status",)
    ordering = ("-began_at", "-pk")

    def get_queryset(self, request):
        return super().get_queryset(request).exclude(began_at=None)

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("newsletter.view_issue")

    def has_module_permission(self, request):
        return self.has_view_permission(request)

    def get_urls(self):
        view = self.admin_site.admin_view(self.set_up)
        return [
            path("mail-setup/", view, name="newsletter_letterreport_setup"),
            *super().get_urls(),
        ]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        issue = self.get_object(request, object_id)
        if issue is None:
            raise Http404
        found = reporting.report(issue)
        complaints, letters = bounces.complaint_rate(issue)
        labels = dict(Delivery.State.choices)
        reasons = dict(Delivery.Skip.choices)
        context = {
            **self.admin_site.each_context(request),
            "title": issue.subject,
            "opts": self.model._meta,
            "issue": issue,
            "report": found,
            "states": [(labels[state], count) for state, count in found.states.items() if count],
            "skipped": [(reasons[why], count) for why, count in found.skipped.items()],
            "rate": bounces.percent(complaints, letters),
            "is_high": bounces.is_at_least(complaints, letters, bounces.WARN_AT),
        }
        return TemplateResponse(request, "admin/newsletter/letterreport/report.html", context)

    def set_up(self, request):
        """GET asks the name servers; POST also looks at the source of a received letter."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        source = request.POST.get("source", "")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Is our mail believed?"),
            "opts": self.model._meta,
            "checks": mail_setup.checks(),
            "received": mail_setup.checks_of_received(source) if source.strip() else [],
        }
        return TemplateResponse(request, "admin/newsletter/letterreport/setup.html", context)


@admin.register(LinkCount)
class LinkCountAdmin(ReadOnlyAdmin):
    """Numbers only; off unless MAIL_LINK_COUNTS is on."""

    list_display = ("url", "issue", "count")
    search_fields = ("url", "issue__subject")
    list_filter = ("issue__status",)
    list_select_related = ("issue",)
    ordering = ("-count",)
