"""How staff keep events."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from exchanges.models import Event
from sistercities.shared.admin import PICTURE_SECTION, PublishableAdmin


@admin.register(Event)
class EventAdmin(PublishableAdmin):
    list_display = ("title", "shown_days", "starts_at", "city", "visit", "place")
    search_fields = ("title", "native_title", "summary", "place", "city__name")
    list_filter = ("status", "is_online", "city")
    list_select_related = ("city", "visit")
    ordering = ("-starts_on", "-pk")
    autocomplete_fields = ("city", "visit")
    prepopulated_fields = {"slug": ("title",)}
    readonly_fields = ("shown_file",)
    fieldsets = (
        (None, {"fields": ("title", ("native_title", "native_language"), "summary", "body")}),
        (
            _("When"),
            {
                "fields": (
                    ("starts_on", "starts_at"), ("ends_on", "ends_at"), "time_zone",
                    "shown_file",
                ),
                "description": _(
                    "Hours are those of the clock in this time zone; pages show both clocks."
                ),
            },
        ),
        (_("Where"), {"fields": ("place", "address", ("is_online", "online_url"))}),
        (_("With"), {"fields": (("city", "visit"),)}),
        PICTURE_SECTION,
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )  # fmt: skip

    @admin.display(description=_("when"), ordering="starts_on")
    def shown_days(self, obj):
        return obj.when

    @admin.display(description=_("for calendars"))
    def shown_file(self, obj):
        if not obj.pk or not obj.is_public:
            return _("Once it is published.")
        address = reverse("exchanges:event_ics", args=[obj.slug])
        return format_html('<a href="{}">{}</a>', address, address)
