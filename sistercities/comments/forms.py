"""What a reader may write under a page, and to report what another one wrote."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from sistercities.shared.open_forms import MailAddress, OneLine, OpenForm, PlainWords


class ReplyForm(OpenForm):
    name = OneLine(
        max_length=60,
        error_messages={
            "required": _("Please write the name that should stand over your reply."),
            "max_length": _("This name is too long: at most 60 letters."),
        },
    )
    email = MailAddress(required=False, max_length=1000)
    text = PlainWords(
        max_length=3000,
        error_messages={
            "required": _("Please write your reply."),
            "max_length": _("This is too long: at most 3000 letters."),
        },
    )

    def clean_name(self) -> str:
        if "@" in self.cleaned_data["name"]:
            raise ValidationError(_("Everybody sees this: please write a name, no mail address."))
        return self.cleaned_data["name"]


class ReportForm(OpenForm):
    reason = OneLine(
        label=_("What is wrong with it?"),
        help_text=_("Optional. Only our staff read it."),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
