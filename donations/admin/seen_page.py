"""The page on which the treasurer ticks a deposit that stands on the bank statement."""

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

from donations import payouts
from sistercities.shared import clock

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


class SeenForm(forms.Form):
    on = forms.DateField(
        label=gettext_lazy("Day on the statement"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=gettext_lazy("Empty: it does not stand there after all."),
    )


def seen_page(request: HttpRequest, pk: int, page: "ModelAdmin") -> HttpResponse:
    """For payouts and batches, for who may change them. POST ticks, or takes the tick away."""
    name = page.opts.model_name
    if not request.user.has_perm(f"donations.change_{name}"):
        raise PermissionDenied
    deposit = get_object_or_404(page.model, pk=pk)
    form = SeenForm(request.POST or None, initial={"on": deposit.seen_on or clock.today()})
    if request.method == "POST" and form.is_valid():
        on = form.cleaned_data["on"]
        try:
            payouts.see(deposit=deposit, on=on, by=cast(User, request.user))
        except payouts.CannotSee as reason:
            form.add_error("on", str(reason))
        else:
            said = _("Seen on the bank statement of %s.") % on if on else _("Not seen.")
            page.log_change(request, deposit, said)
            messages.success(request, said)
            return redirect(reverse(f"admin:donations_{name}_change", args=[pk]))
    return TemplateResponse(
        request,
        "admin/donations/seen.html",
        {
            **page.admin_site.each_context(request),
            "title": _("On the bank statement"),
            "opts": page.opts,
            "deposit": deposit,
            "form": form,
            "list_url": reverse(f"admin:donations_{name}_changelist"),
            "page_url": reverse(f"admin:donations_{name}_change", args=[pk]),
        },
    )
