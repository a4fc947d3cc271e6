"""Monthly and yearly gifts: read here, and stopped for a donor who phones."""

from typing import cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from donations import changing
from donations.admin.showing import ReadOnly, ReadOnlyInline, amount, money
from donations.models import CheckoutAttempt, Donation, PlanChange, RecurringGift
from donations.models.recurring import Action

PERMISSION = "donations.cancel_recurringgift"


class FailingFilter(admin.SimpleListFilter):
    """Whose donors may need a call."""

    title = _("card")
    parameter_name = "card"

    def lookups(self, request, model_admin):
        return [("failing", _("Failing"))]

    def queryset(self, request, queryset):
        if self.value() == "failing":
            return queryset.filter(state=RecurringGift.State.PAST_DUE)
        return queryset


class GiftInline(ReadOnlyInline):
    model = Donation
    fields = ("created_at", amount, "state", "given_on", "invoice_reference")
    readonly_fields = (amount,)
    ordering = ("-created_at",)


class PlanChangeInline(ReadOnlyInline):
    model = PlanChange
    fields = ("number", "asked_at", "action", "value", "state", "problem", "asked_by")
    show_change_link = False


class AttemptInline(ReadOnlyInline):
    model = CheckoutAttempt
    fields = ("number", "session_id", "created_at", "expires_at", "is_spent")
    show_change_link = False


@admin.register(RecurringGift)
class RecurringGiftAdmin(ReadOnly, admin.ModelAdmin):
    """A mirror of what the card processor says. It can be stopped, and nothing else."""

    list_display = (
        "created_at", "donor_name", amount, "interval", "state", "next_on", "campaign",
        "attention", "livemode",
    )  # fmt: skip
    search_fields = ("donor_name", "email", "provider_reference", "customer_reference")
    list_filter = (
        FailingFilter, "state", "interval",
        ("needs_attention", admin.EmptyFieldListFilter), "campaign", "livemode",
    )  # fmt: skip
    list_select_related = ("campaign",)
    ordering = ("-created_at",)
    date_hierarchy = "created_at"
    change_form_template = "admin/donations/recurringgift/change_form.html"
    inlines = [GiftInline, PlanChangeInline, AttemptInline]
    fields = (
        amount, "covered_fee", "interval", "state", "next_on", "campaign", "designation",
        "donor_name", "email", "donor_address", "employer", "is_anonymous", "is_listed", "message",
        "needs_attention", "mending",
        "provider_reference", "customer_reference", "livemode", "created_at", "ended_at",
    )  # fmt: skip

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/cancel/", view(self.cancel), name="donations_recurringgift_cancel"),
            *super().get_urls(),
        ]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        plan = self.get_object(request, object_id)
        extra = {}
        if plan and request.user.has_perm(PERMISSION):
            extra = {"can_be_stopped": "cancel" in changing.possible(plan)}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | extra)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET says what would happen, POST does it."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        plan = get_object_or_404(RecurringGift, pk=pk)
        back = reverse("admin:donations_recurringgift_change", args=[pk])
        if request.method == "POST":
            try:
                wish = changing.ask(
                    plan=plan,
                    number=int(request.POST.get("number") or 0),
                    action=Action.CANCEL,
                    asked_by=cast(User, request.user),
                )
            except (changing.CannotChange, ValueError) as reason:
                messages.error(request, str(reason))
                return redirect(back)
            self.log_change(request, plan, [{"changed": {"fields": [str(wish)]}}])
            self._say(request, wish)
            return redirect(back)
        return TemplateResponse(
            request,
            "admin/donations/recurringgift/cancel.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Stop this gift"),
                "opts": self.opts,
                "plan": plan,
                "number": changing.next_number(plan),
                "can_be_stopped": "cancel" in changing.possible(plan),
            },
        )

    def _say(self, request: HttpRequest, wish: PlanChange) -> None:
        match wish.state:
            case PlanChange.State.DONE:
                messages.success(request, _("The gift is stopped. The donor is told by mail."))
            case PlanChange.State.ASKED:
                text = _("The card processor does not answer. The gift will be stopped as soon as "
                         "it does; you need not ask again.")  # fmt: skip
                messages.warning(request, text)
            case _other:
                text = _("The card processor did not stop this gift: %s")
                messages.error(request, text % wish.problem)

    @admin.display(description=_("of this, for the card fee"))
    def covered_fee(self, obj):
        return money(obj.covered_fee_cents, obj.currency) if obj.covered_fee_cents else "–"

    @admin.display(description=_("where the donor mends it"))
    def mending(self, obj):
        return format_html('<a href="{0}">{0}</a>', obj.pay_url) if obj.pay_url else "–"

    @admin.display(description=_("looks right"), boolean=True)
    def attention(self, obj):
        return not obj.needs_attention
