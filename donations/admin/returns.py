"""Lists of what went back. A refund begins at its gift or trip fee."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from donations.admin.showing import ReadOnly, amount, money, payment_link
from donations.models import Dispute, Refund


@admin.register(Refund)
class RefundAdmin(ReadOnly, admin.ModelAdmin):
    """What was given back, by whom and why. Without a name: in the card processor's dashboard."""

    list_display = ("asked_at", "payment", "amount", "state", "reason", "asked_by")
    search_fields = (
        "donation__donor_name", "donation__email", "trip_fee__delegate_name", "trip_fee__email",
        "provider_refund_id", "note",
    )  # fmt: skip
    list_filter = ("state", "reason", "asked_at")
    list_select_related = ("donation", "trip_fee", "asked_by")
    ordering = ("-asked_at", "-pk")
    date_hierarchy = "asked_at"
    fields = (
        "payment", "amount", "state", "reason", "note", "asked_by", "asked_at", "problem",
        "provider_refund_id",
    )  # fmt: skip

    @admin.display(description=_("amount"), ordering="amount_cents")
    def amount(self, obj):
        return money(obj.amount_cents, obj.payment.currency)

    @admin.display(description=_("of"))
    def payment(self, obj):
        return payment_link(obj)


class OpenFilter(admin.SimpleListFilter):
    title = _("to do")
    parameter_name = "open"

    def lookups(self, request, model_admin):
        return [("yes", _("Still open"))]

    def queryset(self, request, queryset):
        return queryset.open() if self.value() else queryset


@admin.register(Dispute)
class DisputeAdmin(ReadOnly, admin.ModelAdmin):
    """What donors' banks ask or take. Answers are given at the card processor, before the date."""

    list_display = ("payment", amount, "status", "reason", "due_at", "opened_at")
    search_fields = (
        "donation__donor_name", "donation__email", "trip_fee__delegate_name", "trip_fee__email",
        "provider_dispute_id",
    )  # fmt: skip
    list_filter = (OpenFilter, "status", "opened_at")
    list_select_related = ("donation", "trip_fee")
    ordering = ("due_at", "-opened_at", "-pk")
    date_hierarchy = "opened_at"
    fields = (
        "payment", amount, "status", "reason", "due_at", "opened_at", "is_charge_refundable",
        "provider_dispute_id",
    )  # fmt: skip

    @admin.display(description=_("of"))
    def payment(self, obj):
        return payment_link(obj)
