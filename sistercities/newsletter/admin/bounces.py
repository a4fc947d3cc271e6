"""What came back and who complained, to look up."""

from django.contrib import admin

from sistercities.newsletter.models import MailEvent
from sistercities.shared.admin import ReadOnlyAdmin


@admin.register(MailEvent)
class MailEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "delivery", "said", "source")
    search_fields = ("said", "delivery__subscriber__email", "delivery__issue__subject")
    list_filter = ("kind", "source", "at")
    list_select_related = ("delivery__issue",)
    ordering = ("-at",)
    date_hierarchy = "at"
    fields = ("at", "kind", "delivery", "said", "source")
