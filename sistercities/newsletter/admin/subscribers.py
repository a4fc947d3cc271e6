"""The list of subscribers for staff: to look up and to end, never to add or to edit.

Nobody is put on the list by hand: the proof that a person asked comes from that person (E3).
"""

from django.contrib import admin
from django.contrib.admin import helpers
from django.http import StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sistercities.newsletter import exporting, subscribing, suppressing
from sistercities.newsletter.models import Consent, Subscriber, Suppression
from sistercities.shared.admin import ReadOnlyAdmin

CONSENT_FIELDS = (
    "event", "at", "how", "choices", "source", "wording_version", "wording", "address_fingerprint",
)  # fmt: skip


class ReadOnly:
    def has_add_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ShowsChoices:
    @admin.display(description=_("chosen"))
    def choices(self, obj):
        """Each choice on one line, as `topics: jinzhou, kyzylorda`."""
        lines = (
            f"{what}: {', '.join(value) if isinstance(value, list) else value}"
            for what, value in obj.chosen.items()
            if value
        )
        return "; ".join(lines) or None


class ConsentInline(ShowsChoices, ReadOnly, admin.TabularInline):
    model = Consent
    extra = 0
    fields = readonly_fields = CONSENT_FIELDS
    verbose_name_plural = _("proof: what this person did, newest first")

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Subscriber)
class SubscriberAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("email", "name", "status", "language", "created_at", "confirmed_at")
    search_fields = ("email", "name")
    list_filter = ("status", "topics", "frequency", "language", "created_at")
    list_select_related = ()
    ordering = ("-created_at", "-pk")
    date_hierarchy = "created_at"
    fields = (
        "email", "name", "language", "status", "topics", "frequency", "paused_until",
        "not_written_to_because", "created_at", "asked_at", "confirm_sent_at", "confirmed_at",
        "unsubscribed_at",
    )  # fmt: skip
    autocomplete_fields = ("topics",)
    inlines = [ConsentInline]
    readonly_fields = ("not_written_to_because",)
    actions = ["unsubscribe", "export"]

    def has_change_permission(self, request, obj=None):
        # Nothing on one person's page can be edited; the right itself still opens the action.
        return obj is None and super().has_change_permission(request)

    @admin.display(description=_("must not be written to"))
    def not_written_to_because(self, obj):
        reason = suppressing.reason_for(obj.email)
        return reason.label if reason else None

    @admin.action(description=_("Export these people (CSV)"), permissions=["view"])
    def export(self, request, queryset):
        response = StreamingHttpResponse(
            exporting.as_csv(queryset), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = 'attachment; filename="subscribers.csv"'
        return response

    @admin.action(description=_("End the subscriptions of these people"), permissions=["change"])
    def unsubscribe(self, request, queryset):
        """Asks first and says how many people it reaches: only they can come back."""
        chosen = queryset.exclude(status=Subscriber.Status.UNSUBSCRIBED).order_by("pk")
        if "confirmed" not in request.POST:
            return TemplateResponse(
                request,
                "newsletter/admin_unsubscribe.html",
                {
                    **self.admin_site.each_context(request),
                    "title": _("End subscriptions"),
                    "opts": self.model._meta,
                    "subscribers": chosen[:50],
                    "count": chosen.count(),
                    "chosen": queryset.values_list("pk", flat=True),
                    "checkbox": helpers.ACTION_CHECKBOX_NAME,
                },
            )
        count = 0
        for token in chosen.values_list("token", flat=True):
            subscribing.unsubscribe(token=token, how=Consent.How.STAFF)
            count += 1
        self.message_user(
            request, ngettext("%d subscription ended.", "%d subscriptions ended.", count) % count
        )
        return None


@admin.register(Consent)
class ConsentAdmin(ShowsChoices, ReadOnly, admin.ModelAdmin):
    """Read only: it is the proof."""

    list_display = ("subscriber", "event", "at", "how", "source", "wording_version")
    search_fields = ("subscriber__email",)
    list_filter = ("event", "how", "wording_version", "at")
    list_select_related = ("subscriber",)
    ordering = ("-at", "-pk")
    date_hierarchy = "at"
    fields = readonly_fields = ("subscriber", *CONSENT_FIELDS)

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    """Keyed hashes: who knows an address can ask about it, and nobody can list them."""

    search_help_text = _("Type a whole mail address to see whether it may be written to.")
    list_display = ("at", "reason", "note")
    search_fields = ("note",)
    list_filter = ("reason", "at")
    ordering = ("-at",)
    fields = ("at", "reason", "note", "address_key")

    def get_search_results(self, request, queryset, search_term):
        if "@" in search_term:
            return queryset.filter(address_key__in=suppressing.keys_of(search_term)), False
        return super().get_search_results(request, queryset, search_term)
