"""The books, the receipts and what the card processor told us. Nothing here is ever changed."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from donations import documents, webhooks
from donations.admin import explain_page
from donations.admin.showing import (
    DollarsMixin,
    ReadOnly,
    ReadOnlyInline,
    amount,
    money,
    payment_link,
    shown_lines,
)
from donations.models import (
    LedgerEntry,
    LedgerPosting,
    LostReceipt,
    ProviderEvent,
    Receipt,
    ReceiptSeries,
    TokenLimit,
)
from sistercities.shared.headers import personal
from sistercities.shared.pdf import MissingGlyph


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


class SuspenseFilter(admin.SimpleListFilter):
    title = _("suspense")
    parameter_name = "suspense"

    def lookups(self, request, model_admin):
        return [("waits", _("to be explained"))]

    def queryset(self, request, queryset):
        return queryset.in_suspense() if self.value() == "waits" else queryset


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly, admin.ModelAdmin):
    """The books. What is booked stays; a correction is a new entry."""

    change_form_template = "admin/donations/ledgerentry/change_form.html"
    list_display = ("occurred_at", "kind", "lines", "payment", "provider_txn_id", "note")
    search_fields = (
        "provider_txn_id", "note", "donation__donor_name", "trip_fee__delegate_name",
    )  # fmt: skip
    list_filter = ("kind", SuspenseFilter, "currency", "occurred_at")
    list_select_related = ("donation", "trip_fee")
    ordering = ("-occurred_at", "-pk")
    date_hierarchy = "occurred_at"
    fields = ("kind", "payment", "currency", "provider_txn_id", "note", "occurred_at", "created_at")
    readonly_fields = ("payment",)
    inlines = [LedgerPostingInline]

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/explain/", view(self.explain), name="donations_ledgerentry_explain"),
            *super().get_urls(),
        ]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        entry = self.get_object(request, unquote(object_id))
        extra = {}
        if entry and request.user.has_perm(explain_page.PERMISSION):
            extra["may_explain"] = LedgerEntry.objects.in_suspense().filter(pk=entry.pk).exists()
        return super().change_view(request, object_id, form_url, (extra_context or {}) | extra)

    def explain(self, request, pk):
        return explain_page.explain_page(request, pk, self)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("postings")

    @admin.display(description=_("what moved"))
    def lines(self, obj):
        return shown_lines(obj)

    @admin.display(description=_("of"))
    def payment(self, obj):
        return payment_link(obj)


@admin.register(Receipt)
class ReceiptAdmin(ReadOnly, admin.ModelAdmin):
    """Receipts are never changed: a corrected one has a new number and names the old."""

    list_display = ("number", amount, "donation", "state", "issued_at", "is_to_print", "paper")
    search_fields = ("number", "donation__donor_name", "donation__email")
    list_filter = ("state", "is_to_print", "year")
    actions = ["mark_printed"]
    list_select_related = ("donation", "replaced_by")
    ordering = ("-year", "-serial")
    fields = ("number", amount, "donation", "state", "replaced_by", "issued_at", "paper", "inputs")
    readonly_fields = ("paper",)

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/pdf/", view(self.pdf), name="donations_receipt_pdf"),
            *super().get_urls(),
        ]

    def pdf(self, request, pk):
        """A receipt on paper, void ones too: what was sent stays on record."""
        receipt = get_object_or_404(Receipt, pk=pk)
        if not self.has_view_permission(request, receipt):
            raise PermissionDenied
        try:
            content = documents.receipt_pdf(receipt)
        except MissingGlyph as missing:
            self.message_user(request, str(missing), messages.ERROR)
            return redirect(reverse("admin:donations_receipt_changelist"))
        response = HttpResponse(content, content_type="application/pdf")
        response["Content-Disposition"] = f'inline; filename="receipt-{receipt.number}.pdf"'
        return personal(response)

    @admin.display(description=_("paper"))
    def paper(self, obj):
        address = reverse("admin:donations_receipt_pdf", args=[obj.pk])
        return format_html('<a href="{}">{}</a>', address, _("PDF"))

    def has_print_permission(self, request):
        return request.user.has_perm("donations.change_receipt")

    @admin.action(description=_("The chosen receipts were printed"), permissions=["print"])
    def mark_printed(self, request, queryset):
        count = queryset.filter(is_to_print=True).update(is_to_print=False)
        text = ngettext("%d receipt is printed.", "%d receipts are printed.", count) % count
        self.message_user(request, text, messages.SUCCESS)


@admin.register(TokenLimit)
class TokenLimitAdmin(DollarsMixin, admin.ModelAdmin):
    """A year that is missing here has no tokens: receipts then name what each thing is worth."""

    list_display = ("year", "percent", "value", "source")
    search_fields = ("year", "source")
    list_filter = ("year",)
    list_select_related = ()
    ordering = ("-year",)

    @admin.display(description=_("and at most"), ordering="value_cents")
    def value(self, obj):
        return money(obj.value_cents, "USD")


@admin.register(ReceiptSeries)
class ReceiptSeriesAdmin(ReadOnly, admin.ModelAdmin):
    """The last receipt number of each year."""

    list_display = ("year", "last_serial")
    search_fields = ("year",)
    list_filter = ("year",)
    list_select_related = ()
    ordering = ("-year",)


@admin.register(LostReceipt)
class LostReceiptAdmin(ReadOnly, admin.ModelAdmin):
    """Numbers that were given before an older copy of the database was brought back."""

    list_display = ("__str__", "gift", "issued_at", "noticed_at")
    search_fields = ("gift", "serial")
    list_filter = ("year", "noticed_at")
    list_select_related = ()
    ordering = ("-year", "-serial")
    fields = ("year", "serial", "gift", "issued_at", "noticed_at")


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
