"""Forms that anybody may post, on pages that are stored and the same for all.

Such a page sets no cookie, so its form carries no token of a visitor: a small puzzle, counts by
place and a field that only robots fill in stand in its stead.
"""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from sistercities.shared.admission import Admission, Most, admit
from sistercities.shared.limits import client_address

not_an_address = _("This does not look like a mail address, such as ann@example.org.")
well_formed = EmailValidator(message=not_an_address, allowlist=[])
# They turn the direction of everything after them, also of what is not theirs.
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


class OneLine(forms.CharField):
    """Text without line breaks or control characters: it may end up in a header (mail.md E22).

    Refused, not repaired; only spaces around it are dropped.
    """

    def to_python(self, value):
        text = str(value or "")
        if TURNING.search(text) or any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in text):
            raise ValidationError(_("Please write this on one line, without line breaks."))
        return super().to_python(value)


def check_address(address: str) -> None:
    """Raises `ValidationError` with the one sentence that fits, for an address already trimmed."""
    local, at, domain = address.rpartition("@")
    if not at:
        raise ValidationError(_("A mail address has an @ in it, such as ann@example.org."))
    if re.search(r"\s", address):
        raise ValidationError(_("A mail address has no spaces in it."))
    if max(len(address), len(address.lower())) > 254 or len(local) > 64:
        raise ValidationError(_("This address is too long to be one. Please look at it again."))
    if not local:
        raise ValidationError(_("The part before the @ is missing."))
    if not domain:
        raise ValidationError(_("The part after the @ is missing, such as example.org."))
    if not local.isascii():
        raise ValidationError(
            _("Before the @ we can write only to the letters a to z, digits and signs.")
        )
    if "." not in domain:
        raise ValidationError(_("This address has no ending such as .com or .org."))
    if '"' in local or domain.startswith("["):  # in the standard, but nobody has such an address
        raise ValidationError(not_an_address)
    well_formed(address)


class MailAddress(OneLine):
    """An address that can be written to, or "" where none is needed."""

    def clean(self, value):
        address = super().clean(value)
        if address:
            check_address(address)
        return address


class PlainWords(forms.CharField):
    """Some lines of plain text as they were typed: no control characters, at most one empty line
    in a row, nothing that turns the direction of what follows.
    """

    widget = forms.Textarea

    def to_python(self, value):
        text = (super().to_python(value) or "").replace("\r\n", "\n").replace("\r", "\n")
        text = TURNING.sub("", text)
        text = "".join(
            sign
            for sign in text
            if sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cs"}
        )
        lines = "\n".join(line.rstrip() for line in text.split("\n"))
        return re.sub(r"\n{3,}", "\n\n", lines).strip()


class OpenForm(forms.Form):
    proof = forms.CharField(required=False)
    subject = forms.CharField(required=False)  # no person sees it: robots fill it in

    @property
    def is_from_a_robot(self) -> bool:
        """It is thanked like everybody, and nothing is kept."""
        return bool(self.cleaned_data["subject"])

    def admit(self, request: HttpRequest, *, action: str, with_proof: Most, without: Most) -> int:
        """0, or the status with which the form goes back to the visitor with its reason on it."""
        match admit(
            action=action,
            address=client_address(request),
            proof=self.cleaned_data["proof"],
            with_proof=with_proof,
            without=without,
        ):
            case Admission.PROOF_FAILED:
                self.refuse(
                    _("The check against robots had run out. Please press the button again.")
                )
                return 422
            case Admission.COME_BACK_LATER:
                self.refuse(_("Too many came in just now. Please try again in an hour."))
                return 429
        return 0

    def refuse(self, reason: Any) -> None:
        self.add_error(None, reason)
