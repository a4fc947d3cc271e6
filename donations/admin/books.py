"""The books, the receipts and what the card processor told us. Nothing here is ever changed."""

from django.contrib import admin, messages
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from donations import webhooks
from donations.admin.showing import ReadOnly, ReadOnlyInline, amount, money, shown_lines
from donations.models import LedgerEntry, LedgerPosting, ProviderEvent, Receipt, ReceiptSeries


class LedgerPostingInline(ReadOnlyInline):
    model = LedgerPosting
    fields = ("debit", "credit", "shown_amount")
    readonly_fields = ("shown_amount",)
    show_change_link = False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("entry")

    @admin.display(description=_("amount"))
    def shown_amount(self, obj):
        return money(obj.amount_cents, obj.entry.currency)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly, admin.ModelAdmin):
    """The books. What is booked stays; a correction is a new entry."""

    list_display = ("occurred_at", "kind", "lines", "gift", "provider_txn_id", "note")
    search_fields = ("provider_txn_id", "note", "donation__donor_name")
    list_filter = ("kind", "currency", "occurred_at")
    list_select_related = ("donation",)
    ordering = ("-occurred_at", "-pk")
    date_hierarchy = "occurred_at"
    fields = ("kind", "gift", "currency", "provider_txn_id", "note", "occurred_at", "created_at")
    readonly_fields = ("gift",)
    inlines = [LedgerPostingInline]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("postings")

    @admin.display(description=_("what moved"))
    def lines(self, obj):
        return shown_lines(obj)

    @admin.display(description=_("gift"))
    def gift(self, obj):
        if obj.donation is None:
            return None
        address = reverse("admin:donations_donation_change", args=[obj.donation_id])
        return format_html('<a href="{}">{}</a>', address, obj.donation)


@admin.register(Receipt)
class ReceiptAdmin(ReadOnly, admin.ModelAdmin):
    """Receipts are never changed: a corrected one has a new number and names the old."""

    list_display = ("number", amount, "donation", "state", "issued_at")
    search_fields = ("number", "donation__donor_name", "donation__email")
    list_filter = ("state", "year")
    list_select_related = ("donation", "replaced_by")
    ordering = ("-year", "-serial")
    fields = ("number", amount, "donation", "state", "replaced_by", "issued_at", "inputs")


@admin.register(ReceiptSeries)
class ReceiptSeriesAdmin(ReadOnly, admin.ModelAdmin):
    """The last receipt number of each year."""

    list_display = ("year", "last_serial")
    search_fields = ("year",)
    list_filter = ("year",)
    list_select_related = ()
    ordering = ("-year",)


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnly, admin.ModelAdmin):
    """What the card processor told us, as it came."""

    list_display = ("received_at", "type", "state", "attempts", "next_try_at", "note", "livemode")
    search_fields = ("event_id", "type", "body")
    list_filter = ("state", "livemode", "type")
    list_select_related = ()
    ordering = ("-received_at", "-pk")
    date_hierarchy = "received_at"
    actions = ["retry"]
    fields = (
        "event_id", "type", "state", "attempts", "next_try_at", "note", "livemode", "received_at",
        "processed_at", "body",
    )  # fmt: skip

    def has_retry_permission(self, request):
        return request.user.has_perm("donations.change_providerevent")

    @admin.action(description=_("Try the chosen events again"), permissions=["retry"])
    def retry(self, request, queryset):
        count = webhooks.retry(events=queryset)
        self.message_user(
            request,
            ngettext("%d event will be tried again.", "%d events will be tried again.", count)
            % count,
            messages.SUCCESS,
        )
