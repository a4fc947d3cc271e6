"""Events as visitors read them, and the calendars that phones take."""

import datetime as dt

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from cities.models import City
from cities.national_days import NationalDay, checked, national_days, source
from exchanges.calendar import to_ical
from exchanges.linked_data import of_event
from exchanges.models import Event, Visit
from exchanges.month import Month
from sistercities.shared import clock
from sistercities.shared.headers import stored_briefly
from sistercities.shared.keyset import Keyset, hour, number
from sistercities.shared.site import current_site

EVENTS_ON_PAGE = 40
ROWS_IN_CALENDAR = 1000
NATIONAL_DAYS = 6
OTHER_DATES = 12
TO_COME = Keyset(
    {"starts_on": dt.date.fromisoformat, "begins_at": hour, "pk": number},
    is_descending=False,
)
PAST = Keyset({"starts_on": dt.date.fromisoformat, "pk": number})
PAST_IN_CALENDAR = dt.timedelta(days=366)


@require_safe
@stored_briefly
def event_list(request: HttpRequest) -> HttpResponse:
    """What is to come; with `?past=1` what has been; with `?month=2026-12` that month."""
    if "month" in request.GET:
        return _month(request, request.GET["month"])
    is_past = request.GET.get("past") == "1"
    events = Event.objects.published().select_related("city")
    if is_past:
        page = PAST.page(request, events.past(), EVENTS_ON_PAGE)
    else:
        page = TO_COME.page(request, events.upcoming().next_of_series(), EVENTS_ON_PAGE)
    today = clock.today()
    for event in page:
        event.times = event.local_times(current_site(request).zone, event.public_city)
        event.is_another_year = event.starts_on.year != today.year
    coming = [] if is_past else [(day.next_on(today), day) for day in _national_days()]
    return render(
        request,
        "exchanges/event_list.html",
        {
            "page": page,
            "is_past": is_past,
            "kept": "past=1" if is_past else "",
            "national_days": sorted(coming, key=lambda pair: pair[0])[:NATIONAL_DAYS],
            "source": source(),
            "checked": checked(),
            "today": today,
        },
    )


def _month(request: HttpRequest, text: str) -> HttpResponse:
    month = Month.read(text)
    if month is None:
        raise Http404
    first, *_days, last = month.days
    visits = Visit.objects.published().exclude(stage=Visit.Stage.CANCELLED)
    events = Event.objects.published().between(first, last).select_related("city")
    visits = visits.between(first, last).select_related("city")
    weeks = month.weeks(events, visits, _national_days())
    return render(
        request,
        "exchanges/event_month.html",
        {
            "month": month,
            "weeks": weeks,
            "is_empty": not any(day.entries for week in weeks for day in week if day.is_in_month),
            "source": source(),
            "checked": checked(),
            "today": clock.today(),
        },
    )


def _national_days() -> list[NationalDay]:
    """Of the countries in which we have partners."""
    partners = City.objects.published().exclude(relationship=City.Relationship.HOME)
    return national_days(partners.order_by().values_list("country", flat=True).distinct())


@require_safe
@stored_briefly
def event_detail(request: HttpRequest, slug: str) -> HttpResponse:
    event = get_object_or_404(Event.objects.published().select_related("city", "visit"), slug=slug)
    dates = list(event.dates.published().defer("body"))
    with_picture = [date for date in (event, *dates) if date.picture]
    return render(
        request,
        "exchanges/event_detail.html",
        {
            "event": event,
            "linked_data": of_event(event),
            "pictured": with_picture[0] if with_picture else None,
            "dates": [date for date in dates if not date.is_over][:OTHER_DATES],
            "city": event.public_city,
            "visit": event.visit if event.visit and event.visit.is_public else None,
            "times": event.local_times(current_site(request).zone, event.public_city),
            "tickets": [] if event.is_over else event.tickets.on_sale().with_taken(),
        },
    )


def _ics(events, *, file: str, **rest) -> HttpResponse:
    response = HttpResponse(to_ical(events, **rest), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{file}.ics"'
    return response


def _in_calendar(rows):
    """Everything to come and the past year; the furthest ahead where there are very many."""
    since = clock.today() - PAST_IN_CALENDAR
    recent = rows.filter(Q(ends_on__gte=since) | Q(starts_on__gte=since))
    return recent.order_by("-starts_on", "-pk")[:ROWS_IN_CALENDAR]


def _visits_in_calendar(visits):
    """Those whose days are known."""
    return _in_calendar(visits.filter(precision=Visit.Precision.DAY).select_related("city"))


@require_safe
@cache_control(public=True, max_age=900)
def calendar(request: HttpRequest) -> HttpResponse:
    return _ics(
        _in_calendar(Event.objects.published()),
        visits=_visits_in_calendar(Visit.objects.published()),
        name=current_site(request).short_name,
        file="calendar",
    )


@require_safe
@cache_control(public=True, max_age=900)
def national_calendar(request: HttpRequest) -> HttpResponse:
    """Apart from the rest: an office with 85 partners would fill everybody's calendar."""
    name = _("%s: national days") % current_site(request).short_name
    return _ics([], national=_national_days(), name=name, file="national-days")


@require_safe
@cache_control(public=True, max_age=900)
def city_calendar(request: HttpRequest, slug: str) -> HttpResponse:
    city = get_object_or_404(City.objects.published(), slug=slug)
    name = _("%(organisation)s: %(city)s") % {
        "organisation": current_site(request).short_name, "city": city.name,
    }  # fmt: skip
    return _ics(
        _in_calendar(city.events.published()),
        visits=_visits_in_calendar(city.visits.published()),
        national=[] if city.is_home else national_days([city.country]),
        name=name,
        file=city.slug,
    )


@require_safe
@cache_control(public=True, max_age=900)
def event_ics(request: HttpRequest, slug: str) -> HttpResponse:
    event = get_object_or_404(Event.objects.published(), slug=slug)
    return _ics([event], name=event.title, file=event.slug)
