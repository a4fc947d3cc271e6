"""The front page: who we are, which cities, what happened last, what is next, how to join in."""

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cities.map import ways_from
from cities.models import City
from donations.models import Campaign
from exchanges.models import Event, Gallery, Visit
from sistercities.news.models import Article
from sistercities.shared.cards import Card, gather, newest_first
from sistercities.shared.headers import stored_briefly
from sistercities.shared.site import current_site


@require_safe
@stored_briefly
def home(request: HttpRequest) -> HttpResponse:
    cities = list(City.objects.published().order_by("name"))
    home_city = next((city for city in cities if city.is_home), None)
    partners = [city for city in cities if not city.is_home]
    visits = Visit.objects.published()
    lists = gather(
        visits.made().first_few(1).cards(),
        visits.coming().first_few(1).cards(),
        Event.objects.published().upcoming().first_few(3).cards(),
        Article.objects.published().newest().first_few(3).cards(),
        Gallery.objects.published().filter(visit__in=visits.made().values("pk")[:1]).cards(),
        Campaign.objects.published().open().first_few(1).cards(),
    )
    made = [visit for visit in lists["visit"] if visit.more["stage"] == "completed"]
    coming = [visit for visit in lists["visit"] if visit.more["stage"] != "completed"]
    return render(
        request,
        "pages/home.html",
        {
            "home": home_city,
            "partners": partners,
            "ways": ways_from(home_city, partners) if home_city else [],
            "last": made[0] if made else None,
            "coming": coming[0] if coming else None,
            "gallery": next(iter(lists["gallery"]), None),
            "events": _in_order([_with_times(card, request) for card in lists["event"]]),
            "articles": sorted(lists["article"], key=newest_first),
            "campaign": next(iter(lists["campaign"]), None),
        },
    )


def _in_order(events: list[Event]) -> list[Event]:
    """By day and hour; what lasts all day comes first."""
    return sorted(events, key=lambda event: (event.starts_on, event.starts_at or dt.time.min))


def _with_times(card: Card, request: HttpRequest) -> Event:
    event = Event.from_card(card)
    event.times = event.local_times(current_site(request).zone, None)
    return event
