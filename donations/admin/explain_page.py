"""The page on which the treasurer says what a movement in suspense was."""

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from donations import explaining
from donations.admin.showing import shown_lines
from donations.models import Account, LedgerEntry

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

PERMISSION = "donations.add_ledgerentry"


class ExplainForm(forms.Form):
    account = forms.ChoiceField(
        label=gettext_lazy("It belongs to"),
        choices=[("", "---------"), *explaining.PLACES.items()],
    )
    note = forms.CharField(
        label=gettext_lazy("In your words"),
        max_length=250,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy("What it was and how you know. It stands in the journal."),
    )


def explain_page(request: HttpRequest, pk: int, page: "ModelAdmin") -> HttpResponse:
    """GET asks, POST books. An entry is explained once, however often the form comes."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    entry = get_object_or_404(LedgerEntry.objects.prefetch_related("postings"), pk=pk)
    back = redirect(reverse("admin:donations_ledgerentry_change", args=[pk]))
    if not LedgerEntry.objects.in_suspense().filter(pk=pk).exists():
        messages.warning(request, _("This movement does not wait in suspense (any more)."))
        return back
    form = ExplainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account, note = Account(form.cleaned_data["account"]), form.cleaned_data["note"]
        try:
            explaining.explain(entry=entry, account=account, note=note)
        except explaining.CannotExplain as reason:
            form.add_error(None, str(reason))
        else:
            page.log_change(request, entry, f"{account.label}: {note}")
            messages.success(request, _("It is out of suspense, by an entry of its own."))
            return back
    return TemplateResponse(
        request,
        "admin/donations/ledgerentry/explain.html",
        {
            **page.admin_site.each_context(request),
            "title": _("Say what it is"),
            "opts": page.opts,
            "entry": entry,
            "lines": shown_lines(entry),
            "form": form,
        },
    )
