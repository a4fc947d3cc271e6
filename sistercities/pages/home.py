"""The front page: who we are, which cities, what happened last, what is next, how to join in."""

import datetime as dt
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cities.map import ways_from
from cities.models import City
from donations.models import Campaign
from exchanges.models import Event, Gallery, Visit
from exchanges.models.visit import when
from sistercities.news.models import Article
from sistercities.shared import clock
from sistercities.shared.cards import Card, gather, newest_first
from sistercities.shared.headers import stored_briefly
from sistercities.shared.site import current_site


@require_safe
@stored_briefly
def home(request: HttpRequest) -> HttpResponse:
    cities = list(City.objects.published().defer("partnership").order_by("name"))
    home_city = next((city for city in cities if city.is_home), None)
    partners = [city for city in cities if not city.is_home]
    visits = Visit.objects.published()
    lists = gather(
        visits.made().first_few(1).cards(),
        visits.coming().first_few(1).cards(),
        Event.objects.published().upcoming().next_of_series().first_few(3).cards(),
        Article.objects.published().newest().first_few(3).cards(),
        Gallery.objects.published().filter(visit__in=visits.made().values("pk")[:1]).cards(),
        Campaign.objects.published().open().first_few(1).cards(),
    )
    made = [visit for visit in lists["visit"] if visit.more["stage"] == "completed"]
    coming = [visit for visit in lists["visit"] if visit.more["stage"] != "completed"]
    for visit in coming:
        visit.more["when"] = when(cast(dt.date, visit.on), visit.until, visit.more["precision"])
    return render(
        request,
        "pages/home.html",
        {
            "home": home_city,
            "partners": partners,
            "ways": ways_from(home_city, partners) if home_city else [],
            "last": made[0] if made else None,
            "coming": coming[0] if coming else None,
            "is_under_way": any(_has_begun(visit) for visit in coming),
            "gallery": next(iter(lists["gallery"]), None),
            "events": _in_order([_with_times(card, request) for card in lists["event"]]),
            "articles": sorted(lists["article"], key=newest_first),
            "campaign": next(iter(lists["campaign"]), None),
        },
    )


def _has_begun(visit: Card) -> bool:
    is_exact = visit.more["precision"] == Visit.Precision.DAY
    by_days = is_exact and visit.on is not None and visit.on <= clock.today()
    return by_days or visit.more["stage"] == Visit.Stage.UNDER_WAY


def _in_order(events: list[Event]) -> list[Event]:
    """By day and hour; what lasts all day comes first."""
    return sorted(events, key=lambda event: (event.starts_on, event.starts_at or dt.time.min))


def _with_times(card: Card, request: HttpRequest) -> Event:
    event = Event.from_card(card)
    event.times = event.local_times(current_site(request).zone, None)
    event.is_another_year = event.starts_on.year != clock.today().year
    return event
