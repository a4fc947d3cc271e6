"""The page on which staff release the letter to the donors of a campaign."""

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
from django.utils.translation import gettext_lazy, ngettext

from donations import telling
from donations.forms import one_line
from donations.models import Campaign

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


class LetterForm(forms.Form):
    """`readers` must be the number of people, unless the letter is only shown once more."""

    subject = forms.CharField(
        label=gettext_lazy("Subject"), max_length=120, validators=[one_line],
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )  # fmt: skip
    opening = forms.CharField(
        label=gettext_lazy("Opening"), max_length=1500,
        help_text=gettext_lazy("The links to the visit and its galleries follow by themselves."),
        widget=forms.Textarea(attrs={"rows": 8, "cols": 70}),
    )  # fmt: skip
    readers = forms.IntegerField(
        label=gettext_lazy("How many people does it reach?"), required=False,
        help_text=gettext_lazy("To send it, write the number that stands above."),
    )  # fmt: skip

    def __init__(self, *args, wanted: int | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = wanted

    def clean_readers(self) -> int | None:
        readers = self.cleaned_data["readers"]
        if self.wanted is not None and readers != self.wanted:
            raise forms.ValidationError(_("This is not the number of people. Nothing was sent."))
        return readers


def letter_page(request: HttpRequest, pk: int, page: "ModelAdmin") -> HttpResponse:
    """GET shows a draft; POST shows it again with other words, or sends it where asked to."""
    campaign = get_object_or_404(Campaign.objects.select_related("visit"), pk=pk)
    if not page.has_change_permission(request, campaign):
        raise PermissionDenied
    back = reverse("admin:donations_campaign_change", args=[pk])
    if hasattr(campaign, "letter"):
        return redirect("admin:donations_campaignletter_change", campaign.letter.pk)
    if not telling.has_something_to_show(campaign):
        messages.error(request, _("Nothing is published yet that you could show."))
        return redirect(back)
    count = len(telling.readers_of(campaign))
    words = {
        "subject": _("What your gift made possible"),
        "opening": _("You gave to “%s” when it was still a plan. Now it has happened, and we "
                     "would like you to see what your gift made possible.") % campaign.title,
    }  # fmt: skip
    form = LetterForm(initial=words)
    if request.method == "POST":
        is_release = "send" in request.POST
        form = LetterForm(request.POST, wanted=count if is_release else None)
        if form.is_valid():
            words = {name: form.cleaned_data[name] for name in words}
            if is_release:
                try:
                    letter = telling.release(
                        campaign=campaign, readers=count, by=cast(User, request.user), **words
                    )
                except telling.CannotTell as reason:
                    form.add_error(None, str(reason))
                else:
                    page.log_change(request, campaign, [{"changed": {"fields": [str(letter)]}}])
                    text = ngettext(
                        "The letter is on its way to %d person.",
                        "The letter is on its way to %d people.",
                        letter.readers,
                    )
                    messages.success(request, text % letter.readers)
                    return redirect(back)
    return TemplateResponse(
        request,
        "admin/donations/campaign/letter.html",
        {
            **page.admin_site.each_context(request),
            "title": _("Tell the donors"),
            "opts": page.opts,
            "campaign": campaign,
            "form": form,
            "readers": count,
            "preview": telling.preview(campaign=campaign, **words),
        },
    )
