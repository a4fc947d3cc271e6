"""Gifts in the admin: campaigns are written here, money is only read."""

from django.contrib import admin, messages
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from donations import webhooks
from donations.forms import DollarsField
from donations.models import (
    Campaign,
    CampaignCost,
    CheckoutAttempt,
    Donation,
    LedgerEntry,
    LedgerPosting,
    ProviderEvent,
    Receipt,
    ReceiptSeries,
)
from sistercities.shared.admin import PICTURE_SECTION, PublishableAdmin, thumbnail
from sistercities.shared.money import MINOR_UNITS, format_amount, format_exact


class ReadOnly:
    """A record: shown, never written."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ReadOnlyInline(ReadOnly, admin.TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True


def money(cents: int, currency: str) -> str:
    """Amounts of another currency are shown in its smallest unit: we know no more of it."""
    return format_exact(cents, currency) if currency in MINOR_UNITS else f"{cents} {currency}"


@admin.display(description=_("amount"), ordering="amount_cents")
def amount(obj):
    return money(obj.amount_cents, getattr(obj, "currency", "USD"))


@admin.display(description=_("of this, for the card fee"))
def covered_fee(obj):
    return money(obj.covered_fee_cents, obj.currency) if obj.covered_fee_cents else "–"


class DollarsMixin:
    """Staff read and write dollars; the row keeps cents."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name in {"goal_cents", "amount_cents"}:
            return DollarsField(label=db_field.verbose_name, help_text=db_field.help_text)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class CampaignCostInline(DollarsMixin, admin.TabularInline):
    model = CampaignCost
    extra = 1
    fields = ("what", "amount_cents", "order")


@admin.register(Campaign)
class CampaignAdmin(DollarsMixin, PublishableAdmin):
    list_display = ("title", "goal", "raised", "visit", thumbnail)
    search_fields = ("title", "summary", "designation")
    list_filter = ("status", "starts_on", "ends_on")
    list_select_related = ("visit",)
    ordering = ("order", "title")
    autocomplete_fields = ("visit",)
    prepopulated_fields = {"slug": ("title",)}
    inlines = [CampaignCostInline]
    fieldsets = (
        (None, {"fields": ("title", "summary", "designation", "visit")}),
        (_("Goal"), {"fields": ("goal_cents", "starts_on", "ends_on", "order")}),
        (_("Text"), {"fields": ("body",)}),
        PICTURE_SECTION,
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).with_raised()

    @admin.display(description=_("goal"), ordering="goal_cents")
    def goal(self, obj):
        return format_amount(obj.goal_cents, obj.currency)

    @admin.display(description=_("raised"), ordering="raised_cents")
    def raised(self, obj):
        return format_amount(obj.raised_cents, obj.currency)


class CheckoutAttemptInline(ReadOnlyInline):
    model = CheckoutAttempt
    fields = ("number", "session_id", "created_at", "expires_at", "is_spent")


class ReceiptInline(ReadOnlyInline):
    model = Receipt
    fields = ("number", amount, "state", "issued_at", "replaced_by")
    readonly_fields = (amount,)


class LedgerEntryInline(ReadOnlyInline):
    model = LedgerEntry
    fields = ("kind", "provider_txn_id", "lines", "note", "occurred_at")
    readonly_fields = ("lines",)

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("postings")

    @admin.display(description=_("what moved"))
    def lines(self, obj):
        return _lines(obj)


def _lines(entry: LedgerEntry) -> str:
    return "; ".join(
        f"{money(line.amount_cents, entry.currency)} "
        f"{line.get_credit_display()} → {line.get_debit_display()}"
        for line in entry.postings.all()
    )


@admin.register(Donation)
class DonationAdmin(admin.ModelAdmin):
    """Only whether the name is public can be corrected, and a note can be cleared."""

    list_display = (
        "created_at", "donor_name", amount, "shown_state", "campaign", "given_on",
        "attention", "livemode",
    )  # fmt: skip
    search_fields = (
        "donor_name", "email", "provider_reference", "receipts__number", "attempts__session_id",
    )  # fmt: skip
    list_filter = (
        "state", ("needs_attention", admin.EmptyFieldListFilter), "campaign", "given_on", "kind",
        "tribute_kind", "livemode",
    )  # fmt: skip
    list_select_related = ("campaign",)
    ordering = ("-created_at",)
    date_hierarchy = "created_at"
    inlines = [ReceiptInline, LedgerEntryInline, CheckoutAttemptInline]
    actions = ["clear_attention"]
    fieldsets = (
        (
            None,
            {
                "fields": (
                    amount, covered_fee, "shown_state", "campaign", "designation", "given_on",
                )
            },
        ),
        (_("Donor"), {"fields": ("donor_name", "email", "is_anonymous", "message")}),
        (
            _("In honor or memory"),
            {
                "fields": (
                    "tribute_kind", "tribute_name", "notice_name", "notice_email",
                    "notice_address",
                )
            },
        ),
        (
            _("Payment"),
            {
                "fields": (
                    "needs_attention", "kind", "goods_services", "provider", "provider_reference",
                    "method", "livemode", "created_at", "paid_at",
                )
            },
        ),
    )  # fmt: skip

    def get_queryset(self, request):
        return super().get_queryset(request).with_returned()

    def get_readonly_fields(self, request, obj=None):
        shown = [name for _title, part in self.fieldsets for name in part["fields"]]
        return [name for name in shown if name != "is_anonymous"]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj):
        shown = obj.shown_state
        returned = {
            "disputed": _("Disputed"),
            "refunded": _("Refunded"),
            "partially_refunded": _("Refunded in part"),
        }
        return returned.get(shown) or Donation.State(shown).label

    @admin.display(description=_("looks right"), boolean=True)
    def attention(self, obj):
        return not obj.needs_attention

    @admin.action(description=_("Clear “needs a person”: it was looked at"), permissions=["change"])
    def clear_attention(self, request, queryset):
        pks = list(queryset.exclude(needs_attention="").values_list("pk", flat=True))
        for gift in Donation.objects.filter(pk__in=pks):
            self.log_change(request, gift, [{"changed": {"fields": [gift.needs_attention[:200]]}}])
        Donation.objects.filter(pk__in=pks).update(needs_attention="")
        count = len(pks)
        self.message_user(request, ngettext("%d gift cleared.", "%d gifts cleared.", count) % count)


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
        return _lines(obj)

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
