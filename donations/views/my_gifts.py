"""A donor's own pages. A link by mail opens them for half an hour; each shows one donor's gifts.

What belongs to somebody else, was never there, or is not open answers 404 with the same page.
"""

import datetime as dt

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from donations import documents, donors, gift_links, naming, statements
from donations.models import Donation, Donor, Receipt
from sistercities.shared import clock
from sistercities.shared.headers import personal
from sistercities.shared.limits import allowed, client_address, network
from sistercities.shared.pdf import MissingGlyph
from sistercities.shared.site import current_site

OPEN_FOR = dt.timedelta(minutes=30)
SESSION_KEY = "giver"
HOUR, DAY = 3600, 86_400
read_and_post = require_http_methods(["GET", "HEAD", "POST"])


class MailboxForm(forms.Form):
    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        widget=forms.EmailInput(
            attrs={"autocomplete": "email", "inputmode": "email", "class": "form-control"}
        ),
    )


class AddressForm(forms.Form):
    address = forms.CharField(
        label=_("Postal address"),
        required=False,
        max_length=300,
        widget=forms.Textarea(
            attrs={"rows": 3, "autocomplete": "street-address", "class": "form-control"}
        ),
    )


class PeriodForm(forms.Form):
    """Twelve months that begin with a month of the donor's choice."""

    period = forms.CharField(max_length=7)

    def clean_period(self) -> statements.Period:
        try:
            return statements.Period.parse(self.cleaned_data["period"])
        except ValueError:
            raise forms.ValidationError(_("This is no year.")) from None


@csrf_exempt  # anybody may ask for a link, and its forms carry no cookie
@read_and_post
def my_gifts(request: HttpRequest) -> HttpResponse:
    """GET: the gifts of who came by a link, else the form that mails one. POST mails it."""
    if request.method == "POST":
        return _mail_link(request)
    donor = _donor(request)
    if donor is None:
        return _page(request, "donations/ask_for_link.html", {"form": MailboxForm()})
    gifts = donors.gifts_of(donor).with_returned().select_related("campaign")
    return _page(
        request,
        "donations/my_gifts.html",
        {
            "donor": donor,
            "gifts": [
                (gift, naming.may_be_named(gift)) for gift in gifts.order_by("-given_on", "-pk")
            ],
            "plans": donors.plans_of(donor),
            "years": statements.years_of(donor),
            "address_form": AddressForm(initial={"address": donor.address}),
        },
    )


def _mail_link(request: HttpRequest) -> HttpResponse:
    form = MailboxForm(request.POST)
    if not form.is_valid():
        return _page(request, "donations/ask_for_link.html", {"form": form}, status=422)
    email = form.cleaned_data["email"]
    place = network(client_address(request))
    if not allowed("gift-link-place", place, times=10, seconds=HOUR):
        form.add_error(None, _("Many links were asked for from here. Please try again later."))
        return _page(request, "donations/ask_for_link.html", {"form": form}, status=429)
    if allowed("gift-link-mailbox", email.lower(), times=5, seconds=DAY):
        gift_links.send(email=email)
    return HttpResponseRedirect(reverse("donations:link_sent"))


@require_safe
def link_sent(request: HttpRequest) -> HttpResponse:
    """The same whoever asked, so that it says of nobody whether they give."""
    return _page(request, "donations/link_sent.html", {})


@read_and_post
def open_my_gifts(request: HttpRequest, token: str) -> HttpResponse:
    """Programs that look into mail follow links, so only the button uses one up."""
    if request.method != "POST":
        if gift_links.is_good(token=token):
            return _page(request, "donations/open_my_gifts.html", {})
        return _link_over(request)
    try:
        donor = gift_links.use(token=token)
    except gift_links.LinkOver:
        return _link_over(request)
    request.session.cycle_key()
    until = clock.now() + OPEN_FOR
    request.session[SESSION_KEY] = {"donor": donor.pk, "until": until.isoformat()}
    return HttpResponseRedirect(reverse("donations:my_gifts"))


def _link_over(request: HttpRequest) -> HttpResponse:
    return _page(request, "donations/link_over.html", {"form": MailboxForm()}, status=404)


@require_POST
def leave_my_gifts(request: HttpRequest) -> HttpResponse:
    request.session.pop(SESSION_KEY, None)
    return HttpResponseRedirect(reverse("donations:my_gifts"))


@require_POST
def change_gift(request: HttpRequest, token: str) -> HttpResponse:
    """Whether the name may stand on a list of donors, by the donor's own choice: `listed` for the
    campaign's page, `anonymous` for any.
    """
    own = donors.gifts_of(_donor_or_404(request)).select_related("campaign")
    gift = get_object_or_404(own, token=token)
    if "listed" in request.POST:
        if naming.may_be_named(gift):
            naming.change(gift=gift, is_listed=request.POST["listed"] == "on")
        return HttpResponseRedirect(reverse("donations:my_gifts"))
    is_anonymous = request.POST.get("anonymous") == "on"
    Donation.objects.filter(pk=gift.pk).update(is_anonymous=is_anonymous)
    return HttpResponseRedirect(reverse("donations:my_gifts"))


@require_POST
def change_address(request: HttpRequest) -> HttpResponse:
    donor = _donor_or_404(request)
    form = AddressForm(request.POST)
    if form.is_valid():
        Donor.objects.filter(pk=donor.pk).update(address=form.cleaned_data["address"].strip())
    return HttpResponseRedirect(reverse("donations:my_gifts"))


@require_safe
def my_statement(request: HttpRequest) -> HttpResponse:
    """`?period=2026` or `?period=2025-07`: the statement of those twelve months as PDF."""
    donor = _donor_or_404(request)
    form = PeriodForm(request.GET)
    if not form.is_valid():
        raise Http404
    found = statements.statement(donor=donor, period=form.cleaned_data["period"])
    if not found.lines:
        return _page(request, "donations/no_statement.html", {"period": found.period}, status=404)
    site = current_site(request)
    try:
        content = documents.statement_pdf(found, site=site, issued_on=clock.today())
    except MissingGlyph as missing:
        return _page(request, "donations/no_paper.html", {"missing": missing}, status=422)
    return _pdf(content, f"giving-statement-{found.period}.pdf")


@require_safe
def receipt_pdf(request: HttpRequest, token: str) -> HttpResponse:
    """The receipt of a gift, for who has the address of the donor's own page of it."""
    receipt = get_object_or_404(
        Receipt, donation__token=token, state=Receipt.State.CURRENT
    )  # fmt: skip
    try:
        content = documents.receipt_pdf(receipt)
    except MissingGlyph as missing:
        return _page(request, "donations/no_paper.html", {"missing": missing}, status=422)
    return _pdf(content, f"receipt-{receipt.number}.pdf")


@require_safe
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """Says whether a receipt is genuine and still good. Nothing on it tells whose it is."""
    found = get_object_or_404(Receipt.objects.select_related("replaced_by"), token=token)
    return _page(request, "donations/receipt.html", {"receipt": found})


def _donor(request: HttpRequest) -> Donor | None:
    opened = request.session.get(SESSION_KEY)
    if not opened or dt.datetime.fromisoformat(opened["until"]) <= clock.now():
        return None
    donor = Donor.objects.select_related("merged_into").filter(pk=opened["donor"]).first()
    return donor.root if donor else None


def _donor_or_404(request: HttpRequest) -> Donor:
    donor = _donor(request)
    if donor is None:
        raise Http404
    return donor


def _page(request: HttpRequest, template: str, context: dict, status: int = 200) -> HttpResponse:
    return personal(render(request, template, context, status=status), referrer="same-origin")


def _pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return personal(response)
