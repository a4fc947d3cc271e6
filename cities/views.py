"""The list of cities, a city's pages, and the style sheet with every city's colours."""

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.generic import ListView

from cities import style
from cities.facts import in_rows
from cities.linked_data import of_city
from cities.map import place_on_map, way_between, ways_from
from cities.models import City, Source
from cities.pairs import pair_visits, whose_turn
from sistercities.shared.cards import gather, newest_first
from sistercities.shared.headers import stored_briefly
from sistercities.shared.site import current_site, without_site

# The page stays light; what is more has a page of its own.
FACTS_ON_PAGE = 9
PLACES_ON_PAGE = 4
PHOTOS_ON_PAGE = 6
ARTICLES_ON_PAGE = 4
NOON = dt.time(12)


class CityList(ListView):
    """Home first, then the partners by name."""

    template_name = "cities/city_list.html"
    context_object_name = "cities"
    http_method_names = ["get", "head", "options"]

    def get_queryset(self):
        return City.objects.published().order_by("name")

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        home = next((city for city in context["cities"] if city.is_home), None)
        context["home"] = home
        context["partners"] = [city for city in context["cities"] if not city.is_home]
        context["ways"] = ways_from(home, context["partners"]) if home else []
        return context


@require_safe
@stored_briefly
def city_detail(request: HttpRequest, slug: str) -> HttpResponse:
    city = get_object_or_404(City.objects.published(), slug=slug)
    facts = list(city.facts.for_page())
    places = list(city.places.select_related("source"))
    lists = gather(
        city.sections.cards(),
        city.honours.cards(),
        city.people.named().cards(),
        city.partner_organisations.cards(),
        city.district_links.cards(),
        city.documents.published().agreements().cards(),
        city.visits.published().exclude(stage="cancelled").cards(),
        city.events.published().upcoming().first_few(6).cards(),
        city.articles.published().newest().first_few(ARTICLES_ON_PAGE).cards(),
        city.galleries.published().cards(),
        city.galleries.published().first_photos(PHOTOS_ON_PAGE).cards(),
        City.objects.published().filter(relationship=City.Relationship.HOME).cards(),
    )
    home = next((card for card in lists["city"] if card.pk != city.pk), None)
    rows = in_rows(facts)
    shown = sorted(places, key=lambda place: not place.picture)[:PLACES_ON_PAGE]
    events = [city.events.model.from_card(card) for card in lists["event"]]
    for event in events:
        event.times = event.local_times(current_site(request).zone, city)
    events.sort(key=lambda event: (event.starts_on, event.starts_at or dt.time.min))
    visits = lists["visit"]
    made = [visit for visit in visits if visit.more["stage"] == "completed"]
    pairs = pair_visits(visits)
    since = city.signed_on or (made[0].on if made else None)
    return render(
        request,
        "cities/city_detail.html",
        {
            "city": city,
            "linked_data": of_city(city),
            "home": home,
            "way": way_between(home, city) if home else None,
            "on_map": place_on_map(city, home) if home else None,
            "fact_rows": rows[:FACTS_ON_PAGE],
            "figures": len(rows),
            "places": shown,
            "other_places": [place for place in places if place not in shown],
            "sections": lists["section"],
            "honours": lists["honour"],
            "people": lists["person"],
            "partners": lists["partner"],
            "district_links": lists["district"],
            "agreements": lists["document"],
            "pairs": pairs,
            "turn": whose_turn(pairs, city.name),
            "first_visit": made[0] if made else None,
            "years": current_site(request).today().year - since.year if since else None,
            "visits_out": sum(visit.more["direction"] == "outbound" for visit in made),
            "visits_back": sum(visit.more["direction"] == "inbound" for visit in made),
            "events": events,
            "articles": sorted(lists["article"], key=newest_first),
            "galleries": lists["gallery"],
            "photos": lists["photo"],
        },
    )


@require_safe
@stored_briefly
def city_figures(request: HttpRequest, slug: str) -> HttpResponse:
    """Every figure of a city with what each source says, and all that its page cites."""
    city = get_object_or_404(City.objects.published(), slug=slug)
    rows = in_rows(city.facts.for_page())
    sources = list(Source.objects.cited_by(city))
    if not sources:
        raise Http404
    context = {"city": city, "fact_rows": rows, "sources": sources}
    return render(request, "cities/city_figures.html", context)


@require_safe
@stored_briefly
def city_day(request: HttpRequest, slug: str) -> HttpResponse:
    """A day there, as a sheet to print: the places, and their names to show to a driver."""
    city = get_object_or_404(City.objects.published(), slug=slug)
    places = list(city.places.select_related("source"))
    if not places:
        raise Http404
    places.sort(key=lambda place: place.opens_at or NOON)
    home = City.objects.published().filter(relationship=City.Relationship.HOME).first()
    context = {"city": city, "places": places, "home": home if home != city else None}
    return render(request, "cities/city_day.html", context)


@require_safe
@without_site
def style_sheet(request: HttpRequest) -> HttpResponse:
    """Its address changes with what is in it."""
    css = style.whole(City.objects.published().order_by("slug"))
    response = HttpResponse(css, content_type="text/css; charset=utf-8")
    seconds = 31536000 if request.GET.get("v") else 300
    response["Cache-Control"] = f"public, max-age={seconds}"
    return response
