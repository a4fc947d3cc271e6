"""The pages of giving, and the door for the processor's events. All rules live elsewhere."""

import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from redis import RedisError

from donations import checkout, naming, selling, sync, webhooks
from donations.admission import Admission, admit
from donations.amounts import PRESETS
from donations.forms import DonationForm, PayerForm, initial_amount, new_form_token
from donations.models import Campaign, Donation, RecurringGift
from donations.providers.base import BadSignature, ProviderDown, ProviderRefused
from donations.receipts import can_take_gifts, deductible_cents, kept_cents
from sistercities.shared import clock
from sistercities.shared.headers import personal
from sistercities.shared.limits import client_address
from sistercities.shared.site import current_site, without_site

logger = logging.getLogger(__name__)
REFUSALS = {
    Admission.PROOF_FAILED: (
        _("The check against robots had run out. Nothing was charged. "
          "Please press the button again."),
        422,
    ),
    Admission.PROOF_NEEDED: (
        _("Somebody is testing stolen cards here, so a gift needs a browser with script at the "
          "moment. Nothing was charged. Please try again with one, or in an hour."),
        429,
    ),
    Admission.COME_BACK_LATER: (
        _("Many gifts were begun from here in a short time. Nothing was charged. "
          "Please try again later, or write to us."),
        429,
    ),
    Admission.PAUSED: (
        _("We cannot take gifts at the moment. Nothing was charged. "
          "Please try again in a few minutes; what you wrote is still here."),
        503,
    ),
}  # fmt: skip
WAIT = 2.0  # seconds in line for a gift whose event comes in at the same moment
private = cache_control(private=True, no_store=True)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def give(request: HttpRequest) -> HttpResponse:
    return _form_page(request)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def campaign(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(
        Campaign.objects.published()
        .with_raised()
        .with_by_hand()
        .with_promised()
        .select_related("visit__city"),
        slug=slug,
    )
    return _form_page(request, found)


def _form_page(request: HttpRequest, campaign: Campaign | None = None) -> HttpResponse:
    is_post = request.method == "POST"
    if not can_take_gifts(current_site(request)):
        return _show(request, None, campaign, status=503 if is_post else 200)
    if campaign and not campaign.is_open:
        return _show(request, None, campaign, status=409 if is_post else 200)
    if not is_post:
        initial = {
            **initial_amount(
                request.GET.get("amount", ""),
                current_site(request).gift_limits,
                campaign.presets if campaign else PRESETS,
            ),
            "frequency": request.GET.get("frequency", ""),
            "campaign": campaign.slug if campaign else request.GET.get("campaign", ""),
            "cover_fees": request.GET.get("cover_fees") == "on",
            "form_token": new_form_token(),
        }
        return _show(request, _form(request, campaign, initial=initial), campaign)
    return begin(
        request,
        make=partial(_form, request, campaign),
        show=lambda form, status: _show(request, form, campaign, status),
    )


def _form(
    request: HttpRequest, campaign: Campaign | None, *args: Any, **kwargs: Any
) -> DonationForm:
    return DonationForm(*args, site=current_site(request), campaign=campaign, **kwargs)


def begin(
    request: HttpRequest,
    *,
    make: Callable[[dict[str, Any]], PayerForm],
    show: Callable[[PayerForm | None, int], HttpResponse],
) -> HttpResponse:
    """Takes who sent a form to the payment page, or back to the form with the reason.

    `make` reads what was posted; `show` draws the page around a form, or without one.
    """
    posted = request.POST.dict()
    form = make(posted)
    if not form.is_valid():
        stale = form.errors.get("form_token", ())
        return show(_send_again(make, posted, *stale) if stale else form, 200)
    try:
        admission = _admit(request, form)
    except (DatabaseError, OSError, RedisError):
        logger.exception("The shared cache did not answer, so no gift can be begun")
        admission = Admission.PAUSED
    if admission != Admission.WELCOME:
        text, status = REFUSALS[admission]
        form.add_error(None, text)
        return show(form, status)
    try:
        page = checkout.start(form.wish())
    except checkout.GiftsClosed:
        return show(None, 503)
    except selling.SoldOut as reason:
        form.add_error(None, str(reason))
        return show(form, 409)
    except (checkout.FormUsed, checkout.FormChanged):
        sent = _("This form was sent before, and nothing was charged for it. "
                 "Please look it over and send it again.")  # fmt: skip
        return show(_send_again(make, posted, sent), 409)
    except (ProviderDown, ProviderRefused) as error:
        if isinstance(error, ProviderRefused) and error.param == "customer_email":
            form = _send_again(make, posted)
            form.add_error("email", _("The card processor does not take this email address."))
            return show(form, 200)
        form.add_error(
            None,
            _("We cannot reach our card processor at the moment. Nothing was charged. "
              "Please try again in a few minutes; what you wrote is still here."),
        )  # fmt: skip
        return show(form, 503)
    response = HttpResponse(status=303)
    response["Location"] = page
    return response


def _send_again(
    make: Callable[[dict[str, Any]], PayerForm], posted: dict[str, Any], *reasons: Any
) -> PayerForm:
    """What was typed, with a fresh token and the reasons above it."""
    form = make({**posted, "form_token": new_form_token()})
    form.full_clean()
    for reason in reasons:
        form.add_error(None, reason)
    return form


def _admit(request: HttpRequest, form: PayerForm) -> Admission:
    """A form that comes again opens nothing new, so it does not count."""
    token = form.wish().form_token
    for begun in (Donation, RecurringGift):
        if begun.objects.filter(form_token=token).exists():
            return Admission.WELCOME
    return admit(
        address=client_address(request),
        email=form.cleaned_data["email"],
        proof=form.cleaned_data["proof"],
    )


def _show(
    request: HttpRequest, form: PayerForm | None, campaign: Campaign | None, status: int = 200
) -> HttpResponse:
    """The donate page; without a form it says why no gift can be taken."""
    costs = list(campaign.costs.all()) if campaign else []
    return render(
        request,
        "donations/give.html",
        {
            "form": form,
            "campaign": campaign,
            "costs": costs,
            "updates": list(campaign.updates.published()) if campaign else [],
            "names": naming.names_of(campaign) if campaign else None,
            "costs_cents": sum(cost.amount_cents for cost in costs),
            "today": clock.today(),
            "city": campaign.city if campaign else None,
            "has_stopped": "stopped" in request.GET and request.method != "POST",
        },
        status=status,
    )


@require_safe
def thanks(request: HttpRequest, token: str) -> HttpResponse:
    """Reads a gift's state, asking the processor if it is not settled. Creates nothing (D23)."""
    gifts = Donation.objects.exclude(state=Donation.State.VOID).with_returned()
    gift = get_object_or_404(gifts.select_related("campaign__visit__city"), token=token)
    if gift.state != Donation.State.PAID:
        # Without an answer the page says that we are waiting; events and the sweep go on.
        with contextlib.suppress(sync.GiftBusy, ProviderDown, ProviderRefused):
            sync.sync_checkout(donation=gift, wait=WAIT)
        gift = gifts.select_related("campaign__visit__city").get(pk=gift.pk)
    is_named = naming.may_be_named(gift) and gift.is_listed
    order = selling.bought(gift)
    page = render(
        request,
        "donations/thanks.html",
        {
            "gift": gift,
            "campaign": gift.campaign,
            "receipt": gift.receipts.filter(state="current").first(),
            "order": order,
            "deductible_cents": deductible_cents(gift, kept_cents(gift)) if order else 0,
            "is_waiting": gift.state in {"draft", "open"},
            "is_named": is_named,
        },
    )
    return personal(page, referrer="same-origin" if is_named else "no-referrer")


@require_POST
def take_name_off(request: HttpRequest, token: str) -> HttpResponse:
    """From the campaign's page, by who has the address of the donor's own page of the gift."""
    gift = get_object_or_404(Donation, token=token)
    naming.change(gift=gift, is_listed=False)
    return redirect(gift)


@csrf_exempt
@without_site
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200 means stored; 400 means not from Stripe, or not for this mode (hazard 10)."""
    try:
        webhooks.receive(raw_body=request.body, headers=request.headers)
    except (BadSignature, webhooks.WrongMode):
        return HttpResponseBadRequest()
    return HttpResponse()
