"""The sign-up page, and the pages behind the links in mail.

No page sets a cookie or needs one. Pages are stored and shared, so the forms carry no token of a
visitor and are exempt from Django's check: what a sign-up does, anybody may ask for, and a link
from a mail proves itself (mail.md E5).
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.core import signing
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sistercities.newsletter import archive, counting, preferring, subscribing, webhooks
from sistercities.newsletter.admission import admit, mailbox_has_room
from sistercities.newsletter.forms import PreferencesForm, SignUpForm, local_page
from sistercities.newsletter.models import Consent, Subscriber, Topic
from sistercities.newsletter.subscribing import CannotReturn, Erased, ExpiredToken, UnknownToken
from sistercities.shared import proof_of_work
from sistercities.shared.admission import Admission
from sistercities.shared.headers import personal, stored_briefly
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
        return _sign_up(request)
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
    if not form.is_from_a_robot and mailbox_has_room(form.cleaned_data["email"]):
        subscribing.subscribe(
            email=form.cleaned_data["email"],
            name=form.cleaned_data["name"],
            language=form.cleaned_data["language"],
            topics=form.cleaned_data["topics"],
            source=form.cleaned_data["source"],
            wording_version=form.cleaned_data["wording"],
            address_fingerprint=_place(request),
        )
    response = HttpResponseRedirect(reverse("newsletter:thanks"), status=303)
    response["Cache-Control"] = "no-store"
    return response


@stored_briefly
def _sign_up(request: HttpRequest) -> HttpResponse:
    context = _choices(source=request.path, page=archive.page_of_letters(request))
    return render(request, "newsletter/newsletter.html", context)


def _choices(**context: object) -> dict[str, object]:
    """What a form of the letter offers; a language is asked for only where there are several."""
    languages = settings.LANGUAGES if len(settings.LANGUAGES) > 1 else []
    return {"topics": Topic.objects.offered(), "languages": languages, **context}


def _again(request: HttpRequest, form: SignUpForm, *, status: int) -> HttpResponse:
    source = local_page(request.POST.get("source", "")) or request.path
    context = _choices(
        source=source,
        form=form,
        ticked=request.POST.getlist("topics"),
        page=archive.page_of_letters(request),
    )
    return personal(render(request, "newsletter/newsletter.html", context, status=status))


@require_safe
@stored_briefly
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
        except Erased:
            return personal(render(request, "newsletter/no_letter.html"))
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
    row = subscribing.confirm(token=token, address_fingerprint=_place(request))
    return render(request, "newsletter/confirmed.html", {"preferences_url": row.preferences_url})


@_opened_by_token
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST acts and answers 200 without a redirect, each time, whoever posts (E6).

    A second button, after leaving, takes it back.
    """
    if request.method != "POST":
        subscribing.check_unsubscribing(token=token)
        return render(request, "newsletter/unsubscribe.html")
    if _posted(request, "do") == "return":
        try:
            row = subscribing.come_back(token=token, address_fingerprint=_place(request))
        except CannotReturn:
            return render(request, "newsletter/left.html", status=409)
        context = {"preferences_url": row.preferences_url}
        return render(request, "newsletter/confirmed.html", context)
    is_one_click = _posted(request, "List-Unsubscribe") == "One-Click"  # RFC 8058
    how = Consent.How.ONE_CLICK if is_one_click else Consent.How.PAGE
    subscribing.unsubscribe(token=token, how=how, address_fingerprint=_place(request))
    can_return = subscribing.can_return(subscribing.find(token))
    return render(request, "newsletter/left.html", {"can_return": can_return})


@_opened_by_token
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """A reader's own page: GET shows, POST acts on the field `do` and leads back here by 303.

    422: something to put right. An erased reader's link says that they get no letter (E8).
    """
    person = subscribing.find(token)
    if request.method != "POST":
        return _own_page(request, person)
    do, place = request.POST.get("do", ""), _place(request)
    match do:
        case "save":
            form = PreferencesForm(request.POST)
            if not form.is_valid():
                return _own_page(request, person, form=form, status=422)
            preferring.change(token=token, address_fingerprint=place, **form.cleaned_data)
        case "pause":
            preferring.pause(token=token, address_fingerprint=place)
        case "resume":
            preferring.resume(token=token, address_fingerprint=place)
        case "leave":
            how = Consent.How.PREFERENCES
            subscribing.unsubscribe(token=token, how=how, address_fingerprint=place)
        case "return":
            try:
                subscribing.come_back(token=token, address_fingerprint=place)
            except CannotReturn:
                return _own_page(request, person, status=409)
        case "export":
            response = JsonResponse(
                preferring.everything_about(token=token), json_dumps_params={"indent": 1}
            )
            response["Content-Disposition"] = 'attachment; filename="my-newsletter-data.json"'
            return response
        case "ask-to-erase":
            return render(request, "newsletter/erase.html", {"person": person})
        case "erase":
            preferring.erase(token=token)
            return render(request, "newsletter/no_letter.html", {"is_new": True})
        case _:
            return _own_page(request, person, status=422)
    here = reverse("newsletter:preferences", args=[token])
    return HttpResponseRedirect(f"{here}?done={do}", status=303)


def _own_page(
    request: HttpRequest,
    person: Subscriber,
    *,
    form: PreferencesForm | None = None,
    status: int = 200,
) -> HttpResponse:
    followed = set(person.topics.values_list("slug", flat=True))
    context = _choices(
        person=person,
        form=form,
        done=request.GET.get("done", ""),
        ticked=request.POST.getlist("topics") if form else followed,
        frequencies=Subscriber.Frequency.choices,
        can_return=subscribing.can_return(person),
        pause_months=preferring.PAUSE_MONTHS,
    )
    # Who chose a topic keeps it, also when it is no longer offered.
    context["topics"] = Topic.objects.filter(Q(is_offered=True) | Q(slug__in=followed))
    return render(request, "newsletter/preferences.html", context, status=status)


def _posted(request: HttpRequest, field: str) -> str:
    """What a mail program or a button sent. A broken body must not keep anybody on (E6)."""
    try:
        return request.POST.get(field, "")
    except Exception:
        return ""


@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """A counted link of a letter leads on by 302. 404 for what we did not sign."""
    try:
        return personal(HttpResponseRedirect(counting.follow(token, request)))
    except signing.BadSignature:
        return personal(render(request, "newsletter/unknown.html", status=404))


@csrf_exempt
@without_site
@require_POST
def mail_events(request: HttpRequest, provider: str) -> HttpResponse:
    """A mail provider's bounces and complaints. 400 for who does not prove to be the provider."""
    try:
        webhooks.receive(provider=provider, request=request)
    except webhooks.NotFromProvider:
        return HttpResponse(status=400)
    return HttpResponse(status=200)


def _place(request: HttpRequest) -> str:
    return fingerprint("network-address", client_address(request))
