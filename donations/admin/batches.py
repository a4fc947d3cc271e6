"""Checks and other gifts by hand: written down in a batch, booked in one go, taken to the bank."""

from typing import ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Sum, TextField
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from donations import offline
from donations.admin.seen_page import seen_page
from donations.admin.showing import DollarsMixin
from donations.amounts import CURRENCY
from donations.models import GiftBatch, OfflineGift
from sistercities.shared import clock
from sistercities.shared.money import format_exact

# What stands in the place of a field of cents where nothing can be written any more.
IN_DOLLARS = {
    "amount_cents": "shown_amount", "fee_cents": "shown_fee", "benefit_cents": "shown_benefit",
    "deposit_cents": "slip",
}  # fmt: skip


def _to_read(names):
    """The same fields, in rows as they stood, with amounts in dollars."""
    return tuple(
        _to_read(name) if isinstance(name, tuple) else IN_DOLLARS.get(name, name) for name in names
    )


class OfflineGiftInline(DollarsMixin, admin.StackedInline):
    model = OfflineGift
    extra = 1
    autocomplete_fields = ("matched_gift",)
    readonly_fields = ("shown_amount", "shown_fee", "shown_benefit")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("method", "amount_cents", "check_number", "given_on"),
                    ("donor_name", "email"),
                    ("donor_address", "campaign"),
                    ("is_anonymous", "is_listed"),
                )
            },
        ),
        (
            _("Something in return, stock, goods, funds, matches, fees"),
            {
                "classes": ("collapse",),
                "fields": (
                    ("benefit", "benefit_cents"),
                    ("description", "declared_value"),
                    ("adviser_name", "adviser_email"),
                    ("matched_gift", "fee_cents"),
                ),
            },
        ),
    )

    formfield_overrides: ClassVar = {
        TextField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 40})}
    }

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("campaign", "donation", "matched_gift")

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": _to_read(options["fields"])})
            for title, options in fieldsets
        ]

    @admin.display(description=_("amount"))
    def shown_amount(self, obj):
        return format_exact(obj.amount_cents, CURRENCY)

    @admin.display(description=_("fee taken off"))
    def shown_fee(self, obj):
        return format_exact(obj.fee_cents, CURRENCY)

    @admin.display(description=_("what that is worth"))
    def shown_benefit(self, obj):
        return format_exact(obj.benefit_cents, CURRENCY)

    def get_extra(self, request, obj=None, **kwargs):
        return 0 if obj and obj.gifts.exists() else self.extra

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not (obj and obj.booked_at)

    has_add_permission = has_change_permission

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not (obj and obj.booked_at)


class DepositForm(forms.Form):
    on = forms.DateField(label=_("Day at the bank"), widget=forms.DateInput(attrs={"type": "date"}))


@admin.register(GiftBatch)
class GiftBatchAdmin(DollarsMixin, admin.ModelAdmin):
    """Once a batch is booked its gifts stay as they are; each is taken back on its own page."""

    change_form_template = "admin/donations/giftbatch/change_form.html"
    list_display = ("title", "gift_count", "total", "booked_at", "deposited_on", "seen_on")
    search_fields = ("title", "gifts__donor_name", "gifts__check_number")
    list_filter = ("booked_at", "deposited_on", "seen_on")
    list_select_related = ()
    ordering = ("-created_at", "-pk")
    date_hierarchy = "created_at"
    fields = (
        "title", "deposit_cents", "entered", "booked_at", "booked_by", "deposited_on", "seen_on",
        "seen_by",
    )  # fmt: skip
    readonly_fields = fields[2:]
    inlines = [OfflineGiftInline]

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/book/", view(self.book), name="donations_giftbatch_book"),
            path("<int:pk>/deposit/", view(self.deposit), name="donations_giftbatch_deposit"),
            path("<int:pk>/seen/", view(self.seen), name="donations_giftbatch_seen"),
            *super().get_urls(),
        ]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(
            gift_count=Count("gifts"), total_cents=Sum("gifts__amount_cents", default=0)
        )  # fmt: skip

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not (obj and obj.booked_at)

    def get_fields(self, request, obj=None):
        is_fixed = obj and (obj.booked_at or not self.has_change_permission(request, obj))
        return _to_read(self.fields) if is_fixed else self.fields

    def get_readonly_fields(self, request, obj=None):
        fields = self.get_fields(request, obj)
        return fields if "slip" in fields else self.readonly_fields

    @admin.display(description=_("total of the deposit slip"))
    def slip(self, obj):
        return format_exact(obj.deposit_cents, CURRENCY)

    def get_actions(self, request):
        """Deleting in bulk would not ask whether a batch is booked."""
        return {name: row for name, row in super().get_actions(request).items()
                if name != "delete_selected"}  # fmt: skip

    @admin.display(description=_("gifts"), ordering="gift_count")
    def gift_count(self, obj):
        return obj.gift_count

    @admin.display(description=_("together"), ordering="total_cents")
    def total(self, obj):
        return format_exact(obj.total_cents, CURRENCY)

    @admin.display(description=_("checks and cash below"))
    def entered(self, obj):
        return format_exact(obj.entered_cents, CURRENCY) if obj.pk else "–"

    def _batch(self, request, pk: int) -> GiftBatch:
        batch = get_object_or_404(GiftBatch, pk=pk)
        if not self.has_change_permission(request, batch):
            raise PermissionDenied
        return batch

    def book(self, request, pk):
        """GET shows what would be booked, POST books it."""
        batch = self._batch(request, pk)
        back = redirect(reverse("admin:donations_giftbatch_change", args=[pk]))
        if request.method == "POST":
            try:
                offline.book(batch=batch, by=cast(User, request.user))
            except offline.CannotBook as reason:
                messages.error(request, str(reason))
                return back
            self.log_change(request, batch, [{"changed": {"fields": [str(_("booked"))]}}])
            count = batch.gifts.count()
            text = ngettext("%d gift is booked.", "%d gifts are booked.", count) % count
            messages.success(request, text)
            return back
        gifts = list(batch.gifts.all())
        return TemplateResponse(
            request,
            "admin/donations/giftbatch/book.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Book these gifts"),
                "opts": self.opts,
                "batch": batch,
                "gifts": gifts,
                "slip": format_exact(batch.deposit_cents, CURRENCY),
                "entered": format_exact(batch.entered_cents, CURRENCY),
                "is_right": gifts and not offline.difference(batch),
                "to_mail": sum(1 for gift in gifts if gift.email and gift.method != "daf"),
                "to_print": sum(1 for gift in gifts if not gift.email and gift.method != "daf"),
            },
        )

    def seen(self, request, pk):
        return seen_page(request, pk, self)

    def deposit(self, request, pk):
        batch = self._batch(request, pk)
        form = DepositForm(request.POST or None, initial={"on": clock.today()})
        if request.method == "POST" and form.is_valid():
            try:
                offline.deposit(batch=batch, on=form.cleaned_data["on"])
            except offline.CannotBook as reason:
                form.add_error("on", str(reason))
            else:
                self.log_change(request, batch, [{"changed": {"fields": [str(_("deposited"))]}}])
                messages.success(request, _("The books say now that this money is at the bank."))
                return redirect(reverse("admin:donations_giftbatch_change", args=[pk]))
        return TemplateResponse(
            request,
            "admin/donations/giftbatch/deposit.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Taken to the bank"),
                "opts": self.opts,
                "batch": batch,
                "form": form,
            },
        )
