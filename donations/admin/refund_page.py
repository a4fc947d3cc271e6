"""The pages on which the treasurer gives a gift back, or takes a mistake out of the books."""

from typing import TYPE_CHECKING, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from donations import offline, refunds
from donations.forms import DollarsField
from donations.models import Donation, Refund
from sistercities.shared.money import format_exact
from sistercities.shared.signing import new_token

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

PERMISSION = "donations.refund_donation"


class RefundForm(forms.Form):
    cents = DollarsField(label=gettext_lazy("Give back"))
    # A gift does not go back because a delegate withdrew (giving.md D17).
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=[
            ("", "---------"),
            *(pair for pair in Refund.Reason.choices if pair[0] != Refund.Reason.WITHDREW),
        ],
    )
    note = forms.CharField(
        label=gettext_lazy("In your words"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text=gettext_lazy("Who asked, when and why. Only staff read this."),
    )
    form_token = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def clean_cents(self) -> int:
        cents = self.cleaned_data["cents"]
        if not cents or cents < 1:
            raise forms.ValidationError(_("How much is to be given back?"))
        return cents


class VoidForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("What was wrong"),
        max_length=250,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


def refund_page(request: HttpRequest, pk: int, page: "ModelAdmin") -> HttpResponse:
    """GET shows what would happen, POST does it. Only for who may give gifts back (D20)."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    gift = get_object_or_404(Donation.objects.with_returned(), pk=pk)
    left = refunds.refundable_cents(gift)
    if request.method == "POST":
        form = RefundForm(request.POST)
        if form.is_valid():
            try:
                refund = refunds.ask(
                    donation=gift, asked_by=cast(User, request.user), **form.cleaned_data
                )
            except refunds.CannotRefund as reason:
                form.add_error("cents", str(reason))
            else:
                _say(request, refund)
                page.log_change(request, gift, [{"changed": {"fields": [str(refund)]}}])
                return redirect(reverse("admin:donations_donation_change", args=[gift.pk]))
    else:
        form = RefundForm(initial={"cents": left, "form_token": new_token()})
    return TemplateResponse(
        request,
        "admin/donations/donation/refund.html",
        {
            **page.admin_site.each_context(request),
            "title": _("Give money back"),
            "opts": page.opts,
            "gift": gift,
            "form": form,
            "is_by_hand": gift.provider == Donation.Provider.OFFLINE,
            "left": format_exact(left, gift.currency) if left > 0 else "",
            "amount": format_exact(gift.amount_cents, gift.currency),
        },
    )


def void_page(request: HttpRequest, pk: int, page: "ModelAdmin") -> HttpResponse:
    """Takes a gift that was entered by mistake out of the books."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    gift = get_object_or_404(Donation, pk=pk)
    form = VoidForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            offline.void(donation=gift, note=form.cleaned_data["note"])
        except offline.CannotBook as reason:
            form.add_error(None, str(reason))
        else:
            page.log_change(request, gift, [{"changed": {"fields": [form.cleaned_data["note"]]}}])
            messages.success(request, _("The gift is out of the books."))
            return redirect(reverse("admin:donations_donation_change", args=[gift.pk]))
    return TemplateResponse(
        request,
        "admin/donations/donation/void.html",
        {
            **page.admin_site.each_context(request),
            "title": _("Entered by mistake"),
            "opts": page.opts,
            "gift": gift,
            "form": form,
        },
    )


def _say(request: HttpRequest, refund: Refund) -> None:
    amount = format_exact(refund.amount_cents, refund.payment.currency)
    match refund.state:
        case Refund.State.REFUSED:
            text = _("The card processor did not give %(amount)s back: %(problem)s")
            messages.error(request, text % {"amount": amount, "problem": refund.problem})
        case Refund.State.ASKED:
            text = _(
                "The card processor does not answer. %s will be given back as soon as it does; "
                "you need not ask again."
            )
            messages.warning(request, text % amount)
        case _:
            text = _("%s is on its way back to the donor. The receipt is corrected.")
            messages.success(request, text % amount)
