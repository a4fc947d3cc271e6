"""Visits, galleries and events as visitors read them, and the calendars that phones take."""

import datetime as dt
from itertools import groupby

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from cities.models import City
from exchanges.album import Chapter, in_chapters
from exchanges.calendar import to_ical
from exchanges.models import Day, Event, Gallery, Photo, Stop, Visit
from sistercities.shared import clock
from sistercities.shared.cards import Card, gather
from sistercities.shared.site import current_site

VISITS_ON_PAGE = 40
GALLERIES_ON_PAGE = 24
EVENTS_ON_PAGE = 40
EVENTS_IN_CALENDAR = 1000
PAST_IN_CALENDAR = dt.timedelta(days=366)


def page_of(request: HttpRequest, rows: QuerySet, size: int) -> Page:
    """The page that `?page=` asks for; the first or the last one where there is no such page."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


@require_safe
def visit_list(request: HttpRequest) -> HttpResponse:
    """All visits as one line in two directions; `?city=` keeps those of one city."""
    published = Visit.objects.published()
    cities = list(City.objects.published().filter(pk__in=published.values("city")).order_by("name"))
    visits = published.in_line().select_related("city")
    wanted = request.GET.get("city", "")
    city = next((city for city in cities if city.slug == wanted), None)
    if wanted:
        visits = visits.filter(city=city) if city else visits.none()
    page = page_of(request, visits, VISITS_ON_PAGE)
    years = [
        (year, list(group))
        for year, group in groupby(
            page, key=lambda visit: None if visit.is_coming else visit.starts_on.year
        )
    ]
    return render(
        request,
        "exchanges/visit_list.html",
        {
            "page": page,
            "years": years,
            "cities": cities,
            "city": city,
            "is_filtered": bool(wanted),
            "kept": f"city={city.slug}" if city else "",
        },
    )


@require_safe
def visit_detail(request: HttpRequest, slug: str) -> HttpResponse:
    visit = get_object_or_404(
        Visit.objects.published()
        .select_related("city", "answers", "answered_by")
        .prefetch_related(
            Prefetch("days", Day.objects.order_by("number", "pk")),
            Prefetch("days__stops", Stop.objects.all()),
        ),
        slug=slug,
    )
    lists = gather(
        visit.participants.named().cards(),
        visit.hosts.cards(),
        visit.events.published().cards(),
        visit.articles.published().cards(),
        visit.galleries.published().cards(),
        visit.campaigns.published().open().cards(),
    )
    home = current_site(request).zone
    photos = (
        Photo.objects.published()
        .filter(gallery__visit=visit)
        .order_by("gallery__taken_on", "gallery", "order", "pk")
    )
    days, others, loose = in_chapters(
        photos, visit.days.all(), visit.zone(home), exact=visit.has_exact_days
    )
    more = [photo for chapter in others for photo in chapter.photos] + loose
    return render(
        request,
        "exchanges/visit_detail.html",
        {
            "visit": visit,
            "city": visit.city,
            "partner_visits": _partner_visits(visit),
            "days": days,
            "more": Chapter("more", photos=more),
            "photo_count": sum(len(chapter.photos) for chapter in days) + len(more),
            "participants": lists["participant"],
            "hosts": lists["host"],
            "events": [_on_page(card, request, visit.city) for card in lists["event"]],
            "articles": sorted(lists["article"], key=lambda card: card.on, reverse=True),
            "galleries": lists["gallery"],
            "campaigns": lists["campaign"],
        },
    )


def _partner_visits(visit: Visit) -> list[Visit]:
    """The visit that this one answers and the one that answers it, as far as they are public."""
    partners = [visit.answers, getattr(visit, "answered_by", None)]
    return [partner for partner in partners if partner and partner.is_public]


def _on_page(card: Card, request: HttpRequest, city: City) -> Event:
    event = Event.from_card(card)
    event.times = event.local_times(current_site(request).zone, city)
    return event


@require_safe
def gallery_list(request: HttpRequest) -> HttpResponse:
    galleries = Gallery.objects.published().with_cover().newest().select_related("city", "visit")
    page = page_of(request, galleries, GALLERIES_ON_PAGE)
    covers = Photo.objects.in_bulk({gallery.cover_id for gallery in page} - {None})
    for gallery in page:
        gallery.cover = covers.get(gallery.cover_id)
    return render(request, "exchanges/gallery_list.html", {"page": page})


@require_safe
def gallery_detail(request: HttpRequest, slug: str) -> HttpResponse:
    gallery = get_object_or_404(
        Gallery.objects.published().select_related("city", "visit", "visit__city"), slug=slug
    )
    visit = gallery.visit if gallery.visit and gallery.visit.is_public else None
    home = current_site(request).zone
    photos = list(gallery.photos.shown().order_by("order", "pk"))
    days, others, loose = in_chapters(
        photos,
        Day.objects.filter(visit=visit).order_by("number", "pk"),
        gallery.zone(home),
        exact=not gallery.visit or gallery.visit.has_exact_days,
    )
    chapters = [chapter for chapter in days if chapter.photos] + others
    if loose:
        chapters.append(Chapter("more", photos=loose))
    return render(
        request,
        "exchanges/gallery_detail.html",
        {
            "gallery": gallery,
            "city": gallery.city,
            "visit": visit,
            "chapters": chapters,
            "count": len(photos),
            "cover": next((photo for photo in photos if photo.is_cover), next(iter(photos), None)),
        },
    )


@require_safe
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
