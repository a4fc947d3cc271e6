"""Visits as visitors read them: the line of all, and one with its days and pictures."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from django.db.models import Max, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cities.models import City
from exchanges.album import Album, Chapter, in_chapters
from exchanges.linked_data import of_visit
from exchanges.models import Day, Event, Photo, Stop, Visit
from exchanges.models.visit import Standing, VisitQuerySet
from sistercities.shared import clock
from sistercities.shared.cards import Card, gather, newest_first
from sistercities.shared.filtering import Choice
from sistercities.shared.headers import stored_briefly
from sistercities.shared.images import STEPS
from sistercities.shared.keyset import Keyset, number
from sistercities.shared.site import current_site

VISITS_ON_PAGE = 40
MOST_TO_COME = 200
PHOTOS_OF_A_DAY = 12
FEW = 6
FEW_CITIES = 8
LATEST = Keyset({"starts_on": dt.date.fromisoformat, "pk": number})


@require_safe
@stored_briefly
def visit_list(request: HttpRequest) -> HttpResponse:
    """All visits as one line in two directions: what is to come, then year by year back.

    `?city=`, `?direction=` and `?decade=` keep those that fit; any other word keeps none.
    """
    published = Visit.objects.published()
    line = Line.of(published, request.GET)
    visits = line.kept(published).select_related("city")
    page = LATEST.page(request, visits.behind(), VISITS_ON_PAGE)
    coming = [] if page.previous else list(visits.coming()[:MOST_TO_COME])
    years = groupby(page, key=lambda visit: visit.starts_on.year)
    return render(
        request,
        "exchanges/visit_list.html",
        {
            "line": line,
            "coming": coming,
            "page": page,
            "years": [(year, list(group)) for year, group in years],
        },
    )


@dataclass(frozen=True)
class Line:
    """What the line of visits can be kept to, and what it is kept to. Two queries."""

    cities: list[City]
    decades: list[int]
    wanted: dict[str, str]

    @classmethod
    def of(cls, published: VisitQuerySet, query: Mapping[str, str]) -> "Line":
        cities = City.objects.published().filter(pk__in=published.values("city"))
        days = published.aggregate(first=Min("starts_on"), last=Max("starts_on"))
        decades: list[int] = []
        if days["first"]:
            first, last = (days[end].year // 10 * 10 for end in ("first", "last"))
            decades = list(range(last, first - 1, -10))
        wanted = {name: query.get(name, "") for name in ("city", "direction", "decade")}
        named = cities.only("slug", "name", "native_name", "native_language").order_by("name")
        return cls(list(named), decades, {name: word for name, word in wanted.items() if word})

    @property
    def city(self) -> City | None:
        return next((city for city in self.cities if city.slug == self.wanted.get("city")), None)

    @property
    def is_long(self) -> bool:
        """Whether it needs a form; a short one has links."""
        return len(self.cities) > FEW_CITIES

    @property
    def query(self) -> str:
        return urlencode(self.wanted)

    def kept(self, visits: VisitQuerySet) -> VisitQuerySet:
        if "city" in self.wanted:
            visits = visits.filter(city=self.city) if self.city else visits.none()
        if direction := self.wanted.get("direction"):
            is_known = direction in Visit.Direction.values
            visits = visits.filter(direction=direction) if is_known else visits.none()
        if decade := self.wanted.get("decade"):
            year = next((year for year in self.decades if str(year) == decade), None)
            visits = (
                visits.filter(starts_on__year__range=(year, year + 9)) if year else visits.none()
            )
        return visits

    @property
    def filters(self) -> list[tuple[str, str, str, list[Choice]]]:
        """Name, label, the words for no choice, and the choices."""
        choices = {
            "city": [(city.slug, city.name) for city in self.cities],
            "direction": [(str(value), str(name)) for value, name in Visit.Direction.choices],
            "decade": [(str(year), _("%ds") % year) for year in self.decades],
        }
        words = {
            "city": (_("City"), _("All cities")),
            "direction": (_("Direction"), _("Out and back")),
            "decade": (_("Decade"), _("All years")),
        }
        found = []
        for name, pairs in choices.items():
            chosen = self.wanted.get(name)
            of_name = [Choice(value, label, value == chosen) for value, label in pairs]
            found.append((name, *words[name], of_name))
        return found

    @property
    def links(self) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """The same as links: label, and for each the words, the query and whether it is chosen.

        A filter with one choice is none.
        """
        return [
            (label, [
                (words, urlencode({**self.wanted, name: value}) if value else self._without(name),
                 is_chosen)
                for value, words, is_chosen in [
                    ("", all_words, name not in self.wanted),
                    *((choice.value, choice.name, choice.is_chosen) for choice in choices),
                ]
            ])
            for name, label, all_words, choices in self.filters
            if len(choices) > 1
        ]  # fmt: skip

    def _without(self, name: str) -> str:
        return urlencode({key: word for key, word in self.wanted.items() if key != name})


@require_safe
@stored_briefly
def visit_detail(request: HttpRequest, slug: str) -> HttpResponse:
    visit = get_object_or_404(
        Visit.objects.published().select_related("city", "answers", "answered_by"), slug=slug
    )
    campaigns = visit.campaigns.published()
    lists = gather(
        visit.days.cards(),
        Stop.objects.filter(day__visit=visit).cards(),
        visit.participants.named().cards(),
        visit.hosts.cards(),
        visit.events.published().cards(),
        visit.articles.published().cards(),
        visit.galleries.published().cards(),
        campaigns.cards(),
        campaigns.costs(),
        campaigns.latest_updates(),
        visit.comments.published().page().cards(),
    )
    standing = visit.standing(current_site(request).zone)
    itinerary = [Day.from_card(day, lists["stop"]) for day in lists["day"]]
    days, more = _pictures(request, visit, itinerary, lists["gallery"], standing)
    appeals = [Appeal.of(card, lists["cost"], lists["update"]) for card in lists["campaign"]]
    return render(
        request,
        "exchanges/visit_detail.html",
        {
            "visit": visit,
            "linked_data": of_visit(visit),
            "standing": standing,
            "today": next((day for day in days if day.is_today), None),
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
            "open_appeals": [appeal for appeal in appeals if appeal.campaign.more["is_open"]],
            "made_possible": [appeal for appeal in appeals if appeal.is_told_of],
            "comments": sorted(lists["comment"], key=newest_first),
        },
    )


@dataclass(frozen=True)
class Appeal:
    """A campaign of the visit with what it pays for and the latest word from it."""

    campaign: Card
    costs: Sequence[Card]
    update: Card | None

    @classmethod
    def of(cls, campaign: Card, costs: list[Card], updates: list[Card]) -> "Appeal":
        own = [cost for cost in costs if cost.more["campaign"] == campaign.pk]
        latest = (update for update in updates if update.more["campaign"] == campaign.pk)
        return cls(campaign, own, next(latest, None))

    @property
    def is_told_of(self) -> bool:
        """It takes no more gifts, and got some: the page says what they made possible."""
        return not self.campaign.more["is_open"] and self.campaign.more["raised"] > 0


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
    is_today: bool = False

    @property
    def is_many(self) -> bool:
        """Beside the day's story even a few pictures stand in lower rows."""
        return len(self.photos) > FEW


def _pictures(
    request: HttpRequest,
    visit: Visit,
    itinerary: list[Day],
    galleries: list[Card],
    standing: Standing,
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
        chapters = in_chapters(moments, itinerary, zone, exact=exact)
        albums.append((card.title, Album(photos, chapters, card.get_absolute_url())))

    days = [
        VisitDay(
            chapter.anchor,
            chapter.on,
            chapter.day,
            is_today=chapter.on is not None and chapter.on == standing.today,
        )
        for chapter in in_chapters([], itinerary, zone, exact=exact)
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
    event.is_another_year = event.starts_on.year != clock.today().year
    return event
