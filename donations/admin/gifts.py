"""Gifts: money is read here, and given back on a page of its own."""

from django.contrib import admin
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from donations import naming, offline, refunds
from donations.admin.desk import desk_page
from donations.admin.matches import EmployerFilter, ExpectedMatchInline, expect_match_address
from donations.admin.refund_page import PERMISSION, refund_page, void_page
from donations.admin.showing import ReadOnlyInline, amount, money, shown_lines
from donations.models import (
    CheckoutAttempt,
    Dispute,
    Donation,
    LedgerEntry,
    Receipt,
    Refund,
    TicketLine,
)


@admin.display(description=_("of this, for the card fee"))
def covered_fee(obj):
    return money(obj.covered_fee_cents, obj.currency) if obj.covered_fee_cents else "–"


@admin.display(description=_("what that is worth"))
def benefit_value(obj):
    return money(obj.benefit_cents, obj.currency) if obj.benefit_cents else "–"


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
        return shown_lines(obj)


class RefundInline(ReadOnlyInline):
    model = Refund
    fields = ("asked_at", "amount", "state", "reason", "note", "asked_by")
    readonly_fields = ("amount",)

    @admin.display(description=_("amount"))
    def amount(self, obj):
        return money(obj.amount_cents, obj.payment.currency)


class TicketLineInline(ReadOnlyInline):
    model = TicketLine
    fields = ("ticket", "quantity", "given_up")


class DisputeInline(ReadOnlyInline):
    model = Dispute
    fields = ("opened_at", amount, "status", "reason", "due_at")
    readonly_fields = (amount,)


@admin.register(Donation)
class DonationAdmin(admin.ModelAdmin):
    """Only whether the name is public can be corrected, and a note can be cleared."""

    list_display = (
        "created_at", "donor_name", amount, "shown_state", "campaign", "given_on",
        "attention", "livemode",
    )  # fmt: skip
    search_fields = (
        "donor_name", "email", "provider_reference", "receipts__number", "attempts__session_id",
        "invoice_reference", "employer",
    )  # fmt: skip
    list_filter = (
        "state", ("needs_attention", admin.EmptyFieldListFilter), "campaign", "given_on", "kind",
        EmployerFilter, "is_listed", "tribute_kind", "provider", "method", "livemode",
    )  # fmt: skip
    list_select_related = ("campaign",)
    ordering = ("-created_at",)
    change_form_template = "admin/donations/donation/change_form.html"
    change_list_template = "admin/donations/donation/change_list.html"
    inlines = [
        TicketLineInline, ReceiptInline, RefundInline, DisputeInline, ExpectedMatchInline,
        LedgerEntryInline, CheckoutAttemptInline,
    ]  # fmt: skip
    actions = ["clear_attention", "withhold_name"]
    fieldsets = (
        (
            None,
            {
                "fields": (
                    amount, covered_fee, "shown_state", "campaign", "designation", "given_on",
                )
            },
        ),
        (
            _("Donor"),
            {
                "fields": (
                    "donor", "donor_name", "email", "donor_address", "employer", "is_anonymous",
                    "is_listed", "is_withheld", "message",
                )
            },
        ),
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
                    "needs_attention", "kind", "plan", "goods_services", "benefit", benefit_value,
                    "provider", "provider_reference", "method", "livemode", "created_at",
                    "paid_at",
                )
            },
        ),
    )  # fmt: skip

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("desk/", view(self.desk), name="donations_donation_desk"),
            path("<int:pk>/refund/", view(self.refund), name="donations_donation_refund"),
            path("<int:pk>/void/", view(self.void), name="donations_donation_void"),
            *super().get_urls(),
        ]

    def desk(self, request):
        return desk_page(request, self)

    def refund(self, request, pk):
        return refund_page(request, pk, self)

    def void(self, request, pk):
        return void_page(request, pk, self)

    def get_queryset(self, request):
        return super().get_queryset(request).with_returned()

    def change_view(self, request, object_id, form_url="", extra_context=None):
        gift = self.get_object(request, object_id)
        extra: dict[str, object] = {}
        if gift and request.user.has_perm("donations.add_expectedmatch"):
            extra["expect_match"] = expect_match_address(gift)
        if gift and request.user.has_perm(PERMISSION):
            extra |= {
                "is_refundable": refunds.refundable_cents(gift) > 0,
                "may_be_mistake": offline.may_be_mistake(gift),
            }
        return super().change_view(request, object_id, form_url, (extra_context or {}) | extra)

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

    @admin.action(description=_("Take the name off the campaign's page"), permissions=["change"])
    def withhold_name(self, request, queryset):
        """Staff cannot put a name there: only its donor can."""
        count = 0
        for gift in queryset.filter(is_listed=True, is_withheld=False):
            naming.withhold(gift=gift)
            self.log_change(request, gift, [{"changed": {"fields": [str(_("name withheld"))]}}])
            count += 1
        text = ngettext("%d name is taken off.", "%d names are taken off.", count)
        self.message_user(request, text % count)

    @admin.action(description=_("Clear “needs a person”: it was looked at"), permissions=["change"])
    def clear_attention(self, request, queryset):
        pks = list(queryset.exclude(needs_attention="").values_list("pk", flat=True))
        for gift in Donation.objects.filter(pk__in=pks):
            self.log_change(request, gift, [{"changed": {"fields": [gift.needs_attention[:200]]}}])
        Donation.objects.filter(pk__in=pks).update(needs_attention="")
        count = len(pks)
        self.message_user(request, ngettext("%d gift cleared.", "%d gifts cleared.", count) % count)
