"""The list of cities, a city's page, and the style sheet with every city's colours."""

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe
from django.views.generic import ListView

from cities.facts import in_rows
from cities.map import place_on_map, way_between, ways_from
from cities.models import City, Source
from sistercities.shared.cards import Card, gather, newest_first
from sistercities.shared.headers import stored_briefly
from sistercities.shared.site import current_site, without_site

PHOTOS_ON_PAGE = 8
ARTICLES_ON_PAGE = 4


@method_decorator(stored_briefly, "dispatch")
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
        city.people.cards(),
        city.partner_organisations.cards(),
        city.district_links.cards(),
        city.visits.published().exclude(stage="cancelled").cards(),
        city.events.published().upcoming().first_few(6).cards(),
        city.articles.published().newest().first_few(ARTICLES_ON_PAGE).cards(),
        city.galleries.published().cards(),
        city.galleries.published().first_photos(PHOTOS_ON_PAGE).cards(),
        City.objects.published().filter(relationship=City.Relationship.HOME).cards(),
    )
    home = next((card for card in lists["city"] if card.pk != city.pk), None)
    sources = number_sources([*facts, *places])
    numbers = {source.pk: source.number for source in sources}
    for card in (*lists["section"], *lists["honour"]):
        card.more["number"] = numbers.get(card.more["source"])
    events = [city.events.model.from_card(card) for card in lists["event"]]
    for event in events:
        event.times = event.local_times(current_site(request).zone, city)
    events.sort(key=lambda event: (event.starts_on, event.starts_at or dt.time.min))
    visits = lists["visit"]
    made = [visit for visit in visits if visit.more["stage"] == "completed"]
    since = city.signed_on or (made[0].on if made else None)
    return render(
        request,
        "cities/city_detail.html",
        {
            "city": city,
            "home": home,
            "way": way_between(home, city) if home else None,
            "on_map": place_on_map(city, home) if home else None,
            "fact_rows": in_rows(facts),
            "sources": sources,
            "places": places,
            "sections": lists["section"],
            "honours": lists["honour"],
            "people": lists["person"],
            "partners": lists["partner"],
            "district_links": lists["district"],
            "pairs": pair_visits(visits),
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


def number_sources(rows: list) -> list[Source]:
    """Gives each source on the page a number, in order of appearance, on `row.source.number`."""
    numbered: dict[int, Source] = {}
    for row in rows:
        if row.source:
            source = numbered.setdefault(row.source.pk, row.source)
            source.number = row.source.number = list(numbered).index(source.pk) + 1
    return list(numbered.values())


@dataclass
class Pair:
    """A visit and the one that answered it; `owed` says whose turn it is when none did."""

    first: Card
    answer: Card | None
    owed: str


def pair_visits(visits: list[Card]) -> list[Pair]:
    """Visits, oldest first, each with its return visit where one is known."""
    answers = {visit.more["answers"]: visit for visit in visits if visit.more["answers"]}
    shown = {visit.pk for visit in visits}
    pairs = []
    for visit in visits:
        if visit.more["answers"] in shown:
            continue
        answer = answers.get(visit.pk)
        owed = ""
        if not answer and visit.more["stage"] == "completed":
            owed = "them" if visit.more["direction"] == "outbound" else "us"
        pairs.append(Pair(visit, answer, owed))
    return pairs


@require_safe
@without_site
def accents(request: HttpRequest) -> HttpResponse:
    """The colours of every published city, for `data-city`. Its address changes with them."""
    light, dark = [], []
    for city in City.objects.published().order_by("slug"):
        where = f"[data-city={city.slug}]"
        light.append(f"{where}{{--accent:{city.accent};--accent-2:{city.accent_line}}}")
        dark.append(f"{where}{{--accent:{city.accent_dark};--accent-2:{city.accent_line_dark}}}")
    css = (
        "@layer tokens{"
        + "".join(light)
        + "@media (prefers-color-scheme:dark){"
        + "".join(dark)
        + "}@media print{[data-city]{--accent:#000;--accent-2:#555}}}"
    )
    response = HttpResponse(css, content_type="text/css; charset=utf-8")
    seconds = 31536000 if request.GET.get("v") else 300
    response["Cache-Control"] = f"public, max-age={seconds}"
    return response
