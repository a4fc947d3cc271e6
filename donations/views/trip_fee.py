"""A delegate's page for one trip fee. Whoever has its address may read it and pay, and sees nothing
of any other (giving.md D17). It works without script.
"""

import contextlib

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from donations import sync, trip_fees
from donations.models import TripFee
from donations.providers.base import ProviderDown, ProviderRefused
from sistercities.shared.headers import personal
from sistercities.shared.site import current_site

WAIT = 2.0  # seconds in line for a fee whose event comes in at the same moment
UNSETTLED = (TripFee.State.OPEN, TripFee.State.PROCESSING)


@require_safe
def trip_fee(request: HttpRequest, token: str) -> HttpResponse:
    """Reads the state, asking the processor if it is not settled. Changes nothing (D23)."""
    found = _find(token)
    if found.state in UNSETTLED:
        # Without an answer the page says that we are waiting; events and the sweep go on.
        with contextlib.suppress(sync.GiftBusy, ProviderDown, ProviderRefused):
            trip_fees.sync_fee(fee=found, wait=WAIT)
        found = _find(token)
    return _show(request, found)


@require_POST
def pay(request: HttpRequest, token: str) -> HttpResponse:
    """To the payment page; where there is nothing to pay, back to the fee's own page."""
    found = _find(token)
    try:
        address = trip_fees.pay(fee=found)
    except (sync.GiftBusy, ProviderDown, ProviderRefused):
        problem = _("We cannot reach our card processor at the moment. Nothing was charged. "
                    "Please try again in a few minutes.")  # fmt: skip
        return _show(request, _find(token), problem=problem, status=503)
    response = HttpResponse(status=303)
    response["Location"] = address
    return personal(response)


def _find(token: str) -> TripFee:
    fees = TripFee.objects.with_returned().select_related("visit__city")
    return get_object_or_404(fees, token=token)


def _show(
    request: HttpRequest, fee: TripFee, *, problem: str = "", status: int = 200
) -> HttpResponse:
    came_back = "session_id" in request.GET
    page = render(
        request,
        "donations/trip_fee.html",
        {
            "fee": fee,
            "visit": fee.visit,
            "problem": problem,
            "is_waiting": came_back and fee.state == TripFee.State.OPEN,
            "has_stopped": "stopped" in request.GET and fee.is_payable,
            "site_email": current_site(request).email,
        },
        status=status,
    )
    return personal(page, referrer="same-origin")
