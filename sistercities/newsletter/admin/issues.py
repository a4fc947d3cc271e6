"""Letters in the admin: drafted, composed, looked at, sent."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from sistercities.newsletter.admin.composing import ComposingPages
from sistercities.newsletter.admin.sending import SendingPages
from sistercities.newsletter.models import Issue


@admin.register(Issue)
class IssueAdmin(SendingPages, ComposingPages, admin.ModelAdmin):
    list_display = ("subject", "status", "people", "send_at", "ended_at", "is_in_archive")
    search_fields = ("subject", "preheader", "slug", "blocks__title")
    list_filter = ("status", "is_in_archive", "topics")
    list_select_related = ()
    ordering = ("-created_at", "-pk")
    date_hierarchy = "created_at"
    autocomplete_fields = ("topics",)
    fieldsets = (
        (None, {"fields": ("subject", "preheader")}),
        (
            _("Who gets it, and where it stands"),
            {"classes": ("collapse",), "fields": ("topics", "slug", "is_in_archive", "language")},
        ),
    )
