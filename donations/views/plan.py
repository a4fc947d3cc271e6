"""A donor's page for one gift that repeats. Whoever has its address may change and stop that gift,
and no other (giving.md D24). It works without script.
"""

import contextlib

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from donations import changing, recurring, sync
from donations.forms import PlanAmountForm
from donations.models import PlanChange, RecurringGift
from donations.models.recurring import Action
from donations.providers import provider
from donations.providers.base import ProviderDown, ProviderRefused
from sistercities.shared.headers import personal
from sistercities.shared.site import current_site

WAIT = 2.0  # seconds in line for a gift whose event comes in at the same moment
SHOWN_AT_MOST = 60  # past gifts: five years of a monthly one
DAYS = range(1, 29)
PAUSES = range(1, 4)


@require_safe
def plan(request: HttpRequest, token: str) -> HttpResponse:
    """Reads the state, asking the processor if it is not settled. Changes nothing (D23)."""
    found = _find(token)
    if found.state in RecurringGift.NOT_BEGUN or changing.has_news(found):
        # Without an answer the page says that we are waiting; events and the sweep go on.
        with contextlib.suppress(sync.GiftBusy, ProviderDown, ProviderRefused):
            recurring.sync_plan(plan=found, wait=WAIT)
        found = _find(token)
    return _show(request, found)


@require_POST
def change(request: HttpRequest, token: str) -> HttpResponse:
    """One wish. A wish that is not understood is answered in words and changes nothing."""
    found = _find(token)
    action = request.POST.get("action", "")
    if action not in set(Action.values) - {Action.CANCEL}:
        return _show(request, found, problem=_not_understood(), status=400)
    form = (
        PlanAmountForm(request.POST, site=current_site(request))
        if action == Action.AMOUNT
        else None
    )
    if form and not form.is_valid():
        return _show(request, found, amount_form=form, status=200)
    value = form.cleaned_data["amount"] if form else _chosen(request, action)
    if value is None:
        return _show(request, found, problem=_not_understood(), status=400)
    return _ask(request, found, action, value)


@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST stops this one gift (D24: two clicks)."""
    found = _find(token)
    if request.method == "POST":
        return _ask(request, found, Action.CANCEL, 0)
    if Action.CANCEL not in changing.possible(found):
        return personal(redirect(found))
    number = changing.next_number(found)
    page = render(request, "donations/plan_stop.html", {"plan": found, "number": number})
    return personal(page, referrer="same-origin")


@require_POST
def card(request: HttpRequest, token: str) -> HttpResponse:
    """To the processor's page for another card, and back here."""
    found = _find(token)
    if not (found.is_running and found.customer_reference):
        raise Http404
    try:
        address = provider.portal_url(
            customer_ref=found.customer_reference,
            return_url=f"{settings.SITE_URL}{found.get_absolute_url()}",
        )
    except (ProviderDown, ProviderRefused):
        return _show(request, found, problem=_down(), status=503)
    response = HttpResponse(status=303)
    response["Location"] = address
    return personal(response)


def _ask(request: HttpRequest, plan: RecurringGift, action: str, value: int) -> HttpResponse:
    number = request.POST.get("number", "")
    if not (number.isascii() and number.isdigit() and len(number) < 7):
        return _show(request, plan, problem=_not_understood(), status=400)
    try:
        wish = changing.ask(plan=plan, number=int(number), action=action, value=value)
    except changing.CannotChange as reason:
        return _show(request, _find(plan.token), problem=str(reason), status=409)
    if wish.state == PlanChange.State.REFUSED:
        problem = _("Our card processor did not take this. Nothing was changed. "
                    "Please try again, or write to us.")  # fmt: skip
        return _show(request, _find(plan.token), problem=problem, status=409)
    response = redirect(plan)
    response.status_code = 303
    return personal(response)


def _chosen(request: HttpRequest, action: str) -> int | None:
    """The day or the number of months; None for one that we do not offer."""
    if action not in {Action.DAY, Action.PAUSE}:
        return 0
    allowed = DAYS if action == Action.DAY else PAUSES
    by_text = {str(number): number for number in allowed}
    return by_text.get(request.POST.get("value", ""))


def _find(token: str) -> RecurringGift:
    plans = RecurringGift.objects.select_related("campaign__visit__city")
    return get_object_or_404(plans, token=token)


def _show(
    request: HttpRequest,
    plan: RecurringGift,
    *,
    problem: str = "",
    amount_form: PlanAmountForm | None = None,
    status: int = 200,
) -> HttpResponse:
    gifts = list(
        plan.donations.paid()
        .with_returned()
        .prefetch_related("receipts")
        .order_by("-paid_at", "-pk")[:SHOWN_AT_MOST]
    )
    numbers = {
        row.donation_id: row.number
        for gift in gifts
        for row in gift.receipts.all()
        if row.state == "current"
    }
    changes = list(plan.changes.order_by("-number")[:1])
    last = changes[0] if changes else None
    page = render(
        request,
        "donations/plan.html",
        {
            "plan": plan,
            "campaign": plan.campaign,
            "gifts": [(gift, numbers.get(gift.pk, "")) for gift in gifts],
            "has_begun": plan.state not in RecurringGift.NOT_BEGUN,
            "is_new": "session_id" in request.GET,
            "possible": changing.possible(plan),
            "number": last.number + 1 if last else 1,
            "waiting": last if last and last.state == PlanChange.State.ASKED else None,
            "amount_form": amount_form,
            "problem": problem,
            "days": DAYS,
            "pauses": PAUSES,
            "site_email": current_site(request).email,
        },
        status=status,
    )
    return personal(page, referrer="same-origin")


def _not_understood() -> str:
    return _("This was not understood, and nothing was changed. Please try again.")


def _down() -> str:
    return _("We cannot reach our card processor at the moment. Nothing was changed. "
             "Please try again in a few minutes.")  # fmt: skip
