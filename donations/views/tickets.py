"""The page on which seats at an event are bought."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from donations.forms import PayerForm, new_form_token
from donations.models import Ticket
from donations.receipts import can_take_gifts
from donations.ticket_form import TicketForm
from donations.views.giving import begin, private
from exchanges.models import Event
from sistercities.shared.site import current_site


@private
@require_http_methods(["GET", "HEAD", "POST"])
def tickets(request: HttpRequest, slug: str) -> HttpResponse:
    events = Event.objects.published().select_related("city")
    event = get_object_or_404(events, slug=slug)
    is_post = request.method == "POST"
    site = current_site(request)
    on_sale: list[Ticket] = []
    if not event.is_over and can_take_gifts(site):
        on_sale = list(Ticket.objects.filter(event=event).on_sale().with_taken())

    def show(form: PayerForm | None, status: int) -> HttpResponse:
        return _show(request, event, form, status)

    if not on_sale:
        return show(None, 409 if is_post else 200)
    make = partial(TicketForm, tickets=on_sale, site=site)
    if not is_post:
        return show(make(initial=_initial(request, on_sale)), 200)
    return begin(request, make=make, show=show)


def _initial(request: HttpRequest, on_sale: list[Ticket]) -> dict[str, Any]:
    """What a link such as `?seats-3=2` chooses; a page with one kind begins with one seat."""
    names = [f"seats-{ticket.pk}" for ticket in on_sale]
    chosen = {name: request.GET[name] for name in names if name in request.GET}
    if not chosen and len(names) == 1:
        chosen = {names[0]: "1"}
    return {**chosen, "left": request.GET.get("left", ""), "form_token": new_form_token()}


def _show(request: HttpRequest, event: Event, form: PayerForm | None, status: int) -> HttpResponse:
    return render(
        request,
        "donations/tickets.html",
        {
            "event": event,
            "form": form,
            "city": event.public_city,
            "times": event.local_times(current_site(request).zone, None),
            "has_stopped": "stopped" in request.GET and request.method != "POST",
        },
        status=status,
    )
