"""The page for writing to us. Its text is the page `contact` that staff write."""

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from sistercities.pages import writing
from sistercities.pages.models import Page
from sistercities.shared.admission import Most
from sistercities.shared.headers import personal, stored_briefly
from sistercities.shared.open_forms import MailAddress, OneLine, OpenForm, PlainWords

WITH_PROOF = Most(place=10, everywhere=200)
WITHOUT_PROOF = Most(place=3, everywhere=30)


class ContactForm(OpenForm):
    name = OneLine(
        label=_("Your name"), max_length=120,
        error_messages={"required": _("Please write your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    email = MailAddress(
        label=_("Your mail address"), max_length=1000,
        help_text=_("So that we can answer, and for nothing else."),
        error_messages={"required": _("Please write your mail address, or we cannot answer.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )  # fmt: skip
    about = OneLine(
        label=_("What is it about?"), max_length=150, required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    text = PlainWords(
        label=_("Your message"), max_length=5000,
        error_messages={
            "required": _("Please write your message."),
            "max_length": _("This is too long: at most 5000 letters."),
        },
        widget=forms.Textarea(attrs={"rows": 7, "dir": "auto"}),
    )  # fmt: skip
    shown = ("name", "email", "about", "text")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in self.shown:
            self.fields[name].widget.attrs["class"] = "form-control"

    def add_error(self, field, error):
        super().add_error(field, error)
        for name in field.keys() if hasattr(field, "keys") else filter(None, [field]):
            self.fields[name].widget.attrs["class"] = "form-control is-invalid"

    @property
    def shown_fields(self):
        return [self[name] for name in self.shown]


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest) -> HttpResponse:
    """GET: the page, the same for all; `?sent=1` says thanks. POST: a message to us.

    422: something to put right, what was typed is kept. 429: too many for now.
    """
    if request.method != "POST":
        return stored_briefly(_page)(request, ContactForm())
    form = ContactForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    status = form.admit(request, action="contact", with_proof=WITH_PROOF, without=WITHOUT_PROOF)
    if status:
        return _page(request, form, status=status)
    if not form.is_from_a_robot:
        writing.write(**{name: form.cleaned_data[name] for name in form.shown})
    response = HttpResponseRedirect(f"{request.path}?sent=1", status=303)
    response["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest, form: ContactForm, *, status: int = 200) -> HttpResponse:
    page = Page.objects.for_address("contact", gettext("Write to us"))
    context = {"page": page, "form": form, "is_sent": "sent" in request.GET}
    response = render(request, "pages/contact.html", context, status=status)
    return response if status == 200 else personal(response)
