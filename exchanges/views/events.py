"""Events as visitors read them, and the calendars that phones take."""

import datetime as dt

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from cities.models import City
from exchanges.calendar import to_ical
from exchanges.models import Event
from exchanges.views.paging import page_of
from sistercities.shared import clock
from sistercities.shared.headers import stored_briefly
from sistercities.shared.site import current_site

EVENTS_ON_PAGE = 40
EVENTS_IN_CALENDAR = 1000
PAST_IN_CALENDAR = dt.timedelta(days=366)


@require_safe
@stored_briefly
def event_list(request: HttpRequest) -> HttpResponse:
    """What is to come; with `?past=1` what has been."""
    is_past = request.GET.get("past") == "1"
    events = Event.objects.published()
    events = (events.past() if is_past else events.upcoming()).select_related("city")
    page = page_of(request, events, EVENTS_ON_PAGE)
    this_year = clock.today().year
    for event in page:
        event.times = event.local_times(current_site(request).zone, event.public_city)
        event.is_another_year = event.starts_on.year != this_year
    return render(
        request,
        "exchanges/event_list.html",
        {"page": page, "is_past": is_past, "kept": "past=1" if is_past else ""},
    )


@require_safe
@stored_briefly
def event_detail(request: HttpRequest, slug: str) -> HttpResponse:
    event = get_object_or_404(Event.objects.published().select_related("city", "visit"), slug=slug)
    return render(
        request,
        "exchanges/event_detail.html",
        {
            "event": event,
            "city": event.public_city,
            "visit": event.visit if event.visit and event.visit.is_public else None,
            "times": event.local_times(current_site(request).zone, event.public_city),
            "tickets": [] if event.is_over else event.tickets.on_sale().with_taken(),
        },
    )


def _ics(events, *, name: str, file: str) -> HttpResponse:
    response = HttpResponse(to_ical(events, name=name), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{file}.ics"'
    return response


def _in_calendar(events):
    """Everything to come and the past year; the furthest ahead where there are very many."""
    since = clock.today() - PAST_IN_CALENDAR
    recent = events.filter(Q(ends_on__gte=since) | Q(starts_on__gte=since))
    return recent.order_by("-starts_on", "-pk")[:EVENTS_IN_CALENDAR]


@require_safe
@cache_control(public=True, max_age=900)
def calendar(request: HttpRequest) -> HttpResponse:
    events = _in_calendar(Event.objects.published())
    return _ics(events, name=current_site(request).short_name, file="calendar")


@require_safe
@cache_control(public=True, max_age=900)
def city_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    city = get_object_or_404(City.objects.published(), slug=slug)
    name = _("%(organisation)s: %(city)s") % {
        "organisation": current_site(request).short_name, "city": city.name,
    }  # fmt: skip
    return _ics(_in_calendar(city.events.published()), name=name, file=city.slug)


@require_safe
@cache_control(public=True, max_age=900)
def event_ics(request: HttpRequest, slug: str) -> HttpResponse:
    event = get_object_or_404(Event.objects.published(), slug=slug)
    return _ics([event], name=event.title, file=event.slug)
