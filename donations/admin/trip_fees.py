"""Trip fees: asked for here, paid on the delegate's own page, and never a gift (giving.md D17)."""

from functools import partial

from django.contrib import admin
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from donations import reports, trip_fees
from donations.admin.gifts import (
    CheckoutAttemptInline,
    DisputeInline,
    LedgerEntryInline,
    RefundInline,
)
from donations.admin.showing import DollarsMixin, amount
from donations.admin.trip_fee_steps import STEPS, possible_steps, step_page
from donations.models import TripFee
from sistercities.shared import clock


class DueFilter(admin.SimpleListFilter):
    title = _("to be paid")
    parameter_name = "due"

    def lookups(self, request, model_admin):
        return [("open", _("Still to be paid")), ("overdue", _("Overdue"))]

    def queryset(self, request, queryset):
        match self.value():
            case "open":
                return queryset.unpaid()
            case "overdue":
                return queryset.overdue()
        return queryset


@admin.register(TripFee)
class TripFeeAdmin(DollarsMixin, admin.ModelAdmin):
    """What is asked for stays as it is: for another amount, withdraw it and ask anew."""

    list_display = (
        "due_on", "delegate_name", amount, "shown_state", "visit", "purpose", "paid_on",
        "attention",
    )  # fmt: skip
    search_fields = (
        "delegate_name", "email", "purpose", "provider_reference", "check_number",
        "attempts__session_id",
    )  # fmt: skip
    list_filter = (
        DueFilter, "state", ("visit", admin.RelatedOnlyFieldListFilter), "due_on", "method",
        ("needs_attention", admin.EmptyFieldListFilter), "livemode",
    )  # fmt: skip
    list_select_related = ("visit",)
    ordering = ("-due_on", "-pk")
    date_hierarchy = "due_on"
    autocomplete_fields = ("visit",)
    change_form_template = "admin/donations/tripfee/change_form.html"
    change_list_template = "admin/donations/tripfee/change_list.html"
    inlines = [RefundInline, DisputeInline, LedgerEntryInline, CheckoutAttemptInline]
    actions = ["clear_attention"]
    asked = ("visit", "delegate_name", "email", "purpose", "amount_cents", "due_on", "note")
    kept = ("email", "due_on", "note")  # what may be corrected later

    def get_urls(self):
        view = self.admin_site.admin_view
        steps = [
            path(
                f"<int:pk>/{name.replace('_', '-')}/",
                view(partial(self.step, name=name)),
                name=f"donations_tripfee_{name}",
            )
            for name in STEPS
        ]
        return [*steps, *super().get_urls()]

    def step(self, request, pk, name):
        return step_page(request, pk, name, self)

    def get_queryset(self, request):
        return super().get_queryset(request).with_returned()

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return [(None, {"fields": self.asked})]
        return [
            (
                None,
                {
                    "fields": (
                        "visit", "delegate_name", "email", "purpose", amount,
                        "due_on", "note",
                    )
                },
            ),
            (
                _("Payment"),
                {
                    "fields": (
                        "needs_attention", "shown_state", "own_page", "paid_on", "method",
                        "check_number", "deposited_on", "provider_reference", "livemode",
                        "created_at", "asked_by", "times_sent", "sent_at",
                    )
                },
            ),
        ]  # fmt: skip

    def get_readonly_fields(self, request, obj=None):
        if obj is None:
            return ()
        shown = [
            name
            for _title, part in self.get_fieldsets(request, obj)
            for name in part["fields"]
        ]  # fmt: skip
        return [name for name in shown if name not in self.kept]

    def get_inlines(self, request, obj):
        return self.inlines if obj else []

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        """Only what was typed is written: an event may change the rest at the same moment."""
        if not change:
            trip_fees.ask(fee=obj, by=request.user)
        elif form.changed_data:
            obj.save(update_fields=form.changed_data)

    def response_add(self, request, obj, post_url_continue=None):
        self.message_user(request, _("The link to pay is on its way to %s.") % obj.email)
        return super().response_add(request, obj, post_url_continue)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        fee = self.get_object(request, object_id)
        extra = {"steps": possible_steps(request, fee)} if fee else {}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | extra)

    def changelist_view(self, request, extra_context=None):
        extra = {"sums": reports.trip_fees_by_visit(clock.today())}
        return super().changelist_view(request, (extra_context or {}) | extra)

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, obj):
        more = {
            "overdue": _("Overdue"),
            "disputed": _("Disputed"),
            "refunded": _("Given back"),
            "partially_refunded": _("Given back in part"),
        }
        return more.get(obj.shown_state) or obj.get_state_display()

    @admin.display(description=_("the delegate's page"))
    def own_page(self, obj):
        return format_html('<a href="{0}">{0}</a>', obj.get_absolute_url())

    @admin.display(description=_("looks right"), boolean=True)
    def attention(self, obj):
        return not obj.needs_attention

    @admin.action(description=_("Clear “needs a person”: it was looked at"), permissions=["change"])
    def clear_attention(self, request, queryset):
        odd = list(TripFee.objects.filter(pk__in=queryset.values("pk")).exclude(needs_attention=""))
        for fee in odd:
            self.log_change(request, fee, [{"changed": {"fields": [fee.needs_attention[:200]]}}])
        TripFee.objects.filter(pk__in=[fee.pk for fee in odd]).update(needs_attention="")
        count = len(odd)
        text = ngettext("%d trip fee cleared.", "%d trip fees cleared.", count)
        self.message_user(request, text % count)
