"""The list of cities, a city's pages, and the style sheet with every city's colours."""

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from cities import style
from cities.drawing import draw
from cities.facts import in_rows
from cities.map import FEW, REACHES, Chart, coordinates, way_between, ways_from
from cities.models import City, DistrictLink, Source
from cities.models.city import COLOURS
from cities.network import Network, Wanted
from cities.pairs import pair_visits, whose_turn
from sistercities.shared import clock
from sistercities.shared.cards import gather, newest_first
from sistercities.shared.headers import stored_briefly
from sistercities.shared.site import current_site, without_site

# The page stays light; what is more has a page of its own.
FACTS_ON_PAGE = 9
PLACES_ON_PAGE = 4
PHOTOS_ON_PAGE = 6
ARTICLES_ON_PAGE = 4
NOON = dt.time(12)


@require_safe
@stored_briefly
def city_list(request: HttpRequest) -> HttpResponse:
    """A few partners with their pictures; many, or what `?q=…&country=…` finds, as a dense list."""
    cities = list(City.objects.published().defer("partnership").order_by("name"))
    home = next((city for city in cities if city.is_home), None)
    partners = [city for city in cities if not city.is_home]
    links = DistrictLink.objects.filter(city=home).order_by("town", "pk") if home else []
    wanted = Wanted.from_query(request.GET)
    network = Network(home, partners, links, wanted)
    if len(network.all) > FEW or wanted:
        return render(request, "cities/network.html", {"home": home, "network": network})
    ways = ways_from(home, partners) if home else None
    return render(
        request,
        "cities/city_list.html",
        {"home": home, "partners": partners, "ways": ways},
    )


@require_safe
@without_site
def map_drawing(request: HttpRequest, km: int) -> HttpResponse:
    """The land around home as far as `km`. The whole address changes with the place of home."""
    home = City.objects.published().filter(relationship=City.Relationship.HOME).first()
    if home is None or km not in REACHES:
        raise Http404
    return _kept(draw(Chart(coordinates(home), km)), "image/svg+xml", is_exact="at" in request.GET)


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
        city.events.published().upcoming().next_of_series().first_few(6).cards(),
        city.articles.published().newest().first_few(ARTICLES_ON_PAGE).cards(),
        city.galleries.published().cards(),
        city.galleries.published().first_photos(PHOTOS_ON_PAGE).cards(),
        City.objects.published().filter(relationship=City.Relationship.HOME).cards(),
        city.comments.published().page().cards(),
    )
    home = next((card for card in lists["city"] if card.pk != city.pk), None)
    chart = Chart.around(coordinates(home), [coordinates(city)]) if home else None
    rows = in_rows(facts)
    shown = sorted(places, key=lambda place: not place.picture)[:PLACES_ON_PAGE]
    events = [city.events.model.from_card(card) for card in lists["event"]]
    for event in events:
        event.times = event.local_times(current_site(request).zone, city)
        event.is_another_year = event.starts_on.year != clock.today().year
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
            "home": home,
            "way": way_between(home, city) if home else None,
            "chart": chart,
            "on_map": chart.places([(coordinates(city), city.name)])[0] if chart else None,
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
            "comments": sorted(lists["comment"], key=newest_first),
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
    css = style.whole(City.objects.published().only("slug", *COLOURS).order_by("slug"))
    return _kept(css, "text/css; charset=utf-8", is_exact="v" in request.GET)


def _kept(content: str, content_type: str, *, is_exact: bool) -> HttpResponse:
    """For browsers to keep: a year where the address changes with the content."""
    response = HttpResponse(content, content_type=content_type)
    response["Cache-Control"] = f"public, max-age={31536000 if is_exact else 300}"
    return response
