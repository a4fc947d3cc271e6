"""The sign-up page, and the pages behind the links in mail.

No page sets a cookie or needs one. Pages are stored and shared, so the forms carry no token of a
visitor and are exempt from Django's check: what a sign-up does, anybody may ask for, and a link
from a mail proves itself (mail.md E5).
"""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from sistercities.newsletter import subscribing
from sistercities.newsletter.admission import Admission, admit, mailbox_has_room
from sistercities.newsletter.forms import SignUpForm, local_page
from sistercities.newsletter.models import Consent
from sistercities.newsletter.subscribing import ExpiredToken, UnknownToken
from sistercities.shared import proof_of_work
from sistercities.shared.headers import personal
from sistercities.shared.limits import client_address
from sistercities.shared.signing import fingerprint
from sistercities.shared.site import without_site

read_and_post = require_http_methods(["GET", "HEAD", "POST"])


@csrf_exempt
@read_and_post
def newsletter(request: HttpRequest) -> HttpResponse:
    """GET: the sign-up page, the same for all. POST: a sign-up from the box of any page.

    Accepted posts all lead to one page by 303, whatever the address was (E2). 422: something to
    put right, what was typed is kept. 429: too many for now.
    """
    if request.method != "POST":
        return render(request, "newsletter/newsletter.html", {"source": request.path})
    form = SignUpForm(request.POST)
    if not form.is_valid():
        return _again(request, form, status=422)
    match admit(address=client_address(request), proof=form.cleaned_data["proof"]):
        case Admission.PROOF_FAILED:
            form.add_error(
                None, _("The check against robots had run out. Please press the button again.")
            )
            return _again(request, form, status=422)
        case Admission.COME_BACK_LATER:
            form.add_error(
                None, _("Too many sign-ups came in just now. Please try again in an hour.")
            )
            return _again(request, form, status=429)
    if not form.cleaned_data["subject"] and mailbox_has_room(form.cleaned_data["email"]):
        subscribing.subscribe(
            email=form.cleaned_data["email"],
            name=form.cleaned_data["name"],
            language=form.cleaned_data["language"],
            source=form.cleaned_data["source"],
            wording_version=form.cleaned_data["wording"],
            address_fingerprint=_place(request),
        )
    response = HttpResponseRedirect(reverse("newsletter:thanks"), status=303)
    response["Cache-Control"] = "no-store"
    return response


def _again(request: HttpRequest, form: SignUpForm, *, status: int) -> HttpResponse:
    source = local_page(request.POST.get("source", "")) or request.path
    context = {"form": form, "source": source}
    return personal(render(request, "newsletter/newsletter.html", context, status=status))


@require_safe
def thanks(request: HttpRequest) -> HttpResponse:
    """What everybody reads after a sign-up: look in your mailbox."""
    return render(request, "newsletter/thanks.html")


@without_site
@require_safe
def challenge(request: HttpRequest) -> HttpResponse:
    """A fresh puzzle for the visitor's browser, as JSON."""
    response = JsonResponse(proof_of_work.new_challenge())
    response["Cache-Control"] = "no-store"
    return response


def _opened_by_token(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For pages behind a link in a mail: personal, and alike for every token that opens nothing."""

    @csrf_exempt
    @read_and_post
    @wraps(view)
    def opened(request: HttpRequest, token: str) -> HttpResponse:
        try:
            return personal(view(request, token))
        except UnknownToken:
            return personal(render(request, "newsletter/unknown.html", status=404))
        except ExpiredToken:
            return personal(render(request, "newsletter/expired.html", status=410))

    return opened


@_opened_by_token
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST acts: mail scanners follow links (E1). 404 unknown or used, 410 too late."""
    if request.method != "POST":
        subscribing.check_confirmation(token=token)
        return render(request, "newsletter/confirm.html")
    subscribing.confirm(token=token, address_fingerprint=_place(request))
    return render(request, "newsletter/confirmed.html")


@_opened_by_token
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST acts and answers 200 without a redirect, each time, whoever posts (E6)."""
    if request.method != "POST":
        subscribing.check_unsubscribing(token=token)
        return render(request, "newsletter/unsubscribe.html")
    how = Consent.How.ONE_CLICK if _is_one_click(request) else Consent.How.PAGE
    subscribing.unsubscribe(token=token, how=how, address_fingerprint=_place(request))
    return render(request, "newsletter/left.html")


def _is_one_click(request: HttpRequest) -> bool:
    """RFC 8058: the field comes from a mail program. A broken body must not keep anybody on."""
    try:
        return request.POST.get("List-Unsubscribe") == "One-Click"
    except Exception:
        return False


def _place(request: HttpRequest) -> str:
    return fingerprint("network-address", client_address(request))
