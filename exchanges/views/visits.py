"""Visits as visitors read them: the line of all, and one with its days and pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from cities.models import City
from exchanges.album import Album, Chapter, in_chapters
from exchanges.models import Day, Event, Photo, Stop, Visit
from exchanges.views.paging import page_of
from sistercities.shared.cards import Card, gather
from sistercities.shared.headers import stored_briefly
from sistercities.shared.images import STEPS
from sistercities.shared.site import current_site

VISITS_ON_PAGE = 40
PHOTOS_OF_A_DAY = 12
FEW = 6


@require_safe
@stored_briefly
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
@stored_briefly
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
    days, more = _pictures(request, visit, lists["gallery"])
    return render(
        request,
        "exchanges/visit_detail.html",
        {
            "visit": visit,
            "city": visit.city,
            "partner_visits": _partner_visits(visit),
            "days": days,
            "more": more,
            "steps": STEPS,
            "participants": lists["participant"],
            "hosts": lists["host"],
            "events": [_on_page(card, request, visit.city) for card in lists["event"]],
            "articles": sorted(lists["article"], key=lambda card: card.on, reverse=True),
            "galleries": lists["gallery"],
            "campaigns": lists["campaign"],
        },
    )


@dataclass(frozen=True)
class Rest:
    """The way to all pictures of a day in one gallery."""

    title: str
    count: int
    address: str


@dataclass
class VisitDay(Chapter):
    """A day on the page of its visit: its first pictures, and the way to all of them."""

    rest: Sequence[Rest] = ()

    @property
    def is_many(self) -> bool:
        """Beside the day's story even a few pictures stand in lower rows."""
        return len(self.photos) > FEW


def _pictures(
    request: HttpRequest, visit: Visit, galleries: list[Card]
) -> tuple[list[VisitDay], VisitDay]:
    """The days of the itinerary, and what belongs to none of them, gallery by gallery.

    Two queries: the moments of all photos, then the few that the page shows.
    """
    photos = Photo.objects.published().filter(gallery__visit=visit)
    rows = list(photos.in_order().values_list("pk", "taken_at", "gallery"))
    zone, exact = visit.zone(current_site(request).zone), visit.has_exact_days
    albums = []
    for card in galleries:
        moments = [(key, taken_at) for key, taken_at, gallery in rows if gallery == card.pk]
        chapters = in_chapters(moments, visit.days.all(), zone, exact=exact)
        albums.append((card.title, Album(photos, chapters, card.get_absolute_url())))

    days = [
        VisitDay(chapter.anchor, chapter.on, chapter.day)
        for chapter in in_chapters([], visit.days.all(), zone, exact=exact)
    ]
    more = VisitDay("more")
    by_anchor = {day.anchor: day for day in days}
    for _title, album in albums:
        for chapter in album.chapters:
            by_anchor.get(chapter.anchor, more).keys += chapter.keys

    shown = photos.select_related("gallery").in_bulk(
        [key for day in (*days, more) for key in day.keys[:PHOTOS_OF_A_DAY]]
    )
    for day in (*days, more):
        day.photos = [shown[key] for key in day.keys[:PHOTOS_OF_A_DAY] if key in shown]
        if day.count > PHOTOS_OF_A_DAY:
            day.rest = [rest for title, album in albums if (rest := _rest(day, title, album))]
    return days, more


def _rest(day: VisitDay, title: str, album: Album) -> Rest | None:
    """How many of a day's pictures are in this gallery, and where they begin."""
    wanted = set(day.keys)
    keys = [key for key in album.keys if key in wanted]
    if not keys:
        return None
    anchor = album.chapter_of(keys[0]).anchor
    return Rest(title, len(keys), album.address_of(keys[0], anchor))


def _partner_visits(visit: Visit) -> list[Visit]:
    """The visit that this one answers and the one that answers it, as far as they are public."""
    partners = [visit.answers, getattr(visit, "answered_by", None)]
    return [partner for partner in partners if partner and partner.is_public]


def _on_page(card: Card, request: HttpRequest, city: City) -> Event:
    event = Event.from_card(card)
    event.times = event.local_times(current_site(request).zone, city)
    return event
