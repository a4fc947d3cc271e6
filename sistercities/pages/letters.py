"""What the site has to tell in letters: its published visits, pictures, news, dates and appeals."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.urls import Resolver404, resolve, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from cities.models import City
from donations.models import Campaign
from exchanges import releasing
from exchanges.models import Event, Gallery, Photo, Visit
from exchanges.models.gallery import cover_of
from sistercities import access
from sistercities.news.models import Article
from sistercities.newsletter.material import Material, Offer, Picture
from sistercities.newsletter.models import Block, Issue
from sistercities.pages.models import Document, Page
from sistercities.shared import clock
from sistercities.shared.cards import Card
from sistercities.shared.models import SiteSettings
from sistercities.shared.money import format_amount
from sistercities.shared.pictures import Pictured

DATES = 5
AFTER_CITIES = 100
# A visit with its story and pictures is what readers wait for.
TOLD_VISIT, VISIT, GALLERY, ARTICLE, EVENTS, APPEAL = 100, 80, 60, 50, 30, 20


class Site:
    """The newsletter's source; see `newsletter.material.Source`."""

    def topics(self) -> list[Offer]:
        """Each sister city; then for who wants none of them, the parts that are in every letter."""
        partners = City.objects.published().exclude(relationship=City.Relationship.HOME)
        cities = [
            Offer(
                slug=city.slug, title=city.name, native_title=city.native_name,
                native_language=city.native_language, country=str(city.country),
                accent=city.accent.lower(), accent_dark=city.accent_dark.lower(),
            )
            for city in partners.order_by("name")
        ]  # fmt: skip
        return [
            *cities,
            Offer(
                slug="events", title=_("Events"), order=AFTER_CITIES,
                description=_("What takes place here and online, and how to come."),
            ),
            Offer(
                slug="giving", title=_("What gifts made possible"), order=AFTER_CITIES + 1,
                description=_("A few times a year: what an appeal paid for."),
            ),
        ]  # fmt: skip

    def since(self, moment: dt.datetime) -> list[Material]:
        return [*_visits(moment), *_galleries(moment), *_articles(moment), *_events(), *_appeals()]

    def public(self, paths: set[str]) -> set[str]:
        return public(paths)

    def allowed(self, pictures: set[str]) -> set[str]:
        return releasing.allowed_in_letters(pictures)


# --- what is told ---------------------------------------------------------------------------


def _visits(moment: dt.datetime) -> list[Material]:
    """Published since then, or over since then: its story is new although its page is not."""
    over = Q(stage=Visit.Stage.COMPLETED) & (
        Q(ends_on__gt=moment.date()) | Q(ends_on=None, starts_on__gt=moment.date())
    )
    pictures = Gallery.objects.published().filter(visit=OuterRef("pk"))
    rows = (
        Visit.objects.published()
        .filter(Q(publish_at__gt=moment) | over)
        .exclude(stage=Visit.Stage.CANCELLED)
        .annotate(has_pictures=Exists(pictures))
        .select_related("city")
    )
    return [
        Material(
            kind=Block.Kind.VISIT,
            key=f"visit:{visit.slug}:{visit.stage}",
            title=visit.title,
            summary=visit.summary,
            url=visit.get_absolute_url(),
            label=_("Read about the visit") if visit.is_made else _("See what is planned"),
            weight=TOLD_VISIT if visit.story and visit.has_pictures else VISIT,
            day=visit.starts_on,
            when=visit.when,
            topic=visit.city.slug if visit.city.is_public and not visit.city.is_home else "",
            picture=_picture(visit),
        )
        for visit in rows
    ]


def _galleries(moment: dt.datetime) -> list[Material]:
    """With its cover, or else its first photo that consent lets stand in letters."""
    rows: list[Any] = list(
        Gallery.objects.published()
        .filter(publish_at__gt=moment)
        .with_cover()
        .annotate(
            letter_cover_id=Subquery(
                cover_of("pk").filter(pk__in=Photo.objects.allowed_in_letters().values("pk"))
                .values("pk")[:1]
            )
        )
        .select_related("city", "visit")
    )  # fmt: skip
    photos = Photo.objects.in_bulk([row.letter_cover_id for row in rows if row.letter_cover_id])
    told = []
    for gallery in rows:
        photo = photos.get(gallery.letter_cover_id)
        is_refused = gallery.cover_id != gallery.letter_cover_id
        told.append(
            Material(
                kind=Block.Kind.GALLERY,
                key=f"gallery:{gallery.slug}",
                title=gallery.title,
                summary=gallery.summary,
                url=gallery.get_absolute_url(),
                label=_("See the pictures"),
                weight=GALLERY,
                day=gallery.taken_on,
                when=gallery.when,
                topic=gallery.city.slug
                if gallery.city.is_public and not gallery.city.is_home
                else "",
                picture=_picture(photo, source=f"photo:{photo.pk}") if photo else None,
                left_out=_("The cover was left out: a guardian’s consent does not cover the "
                           "newsletter.") if is_refused else "",
            )
        )  # fmt: skip
    return told


def _articles(moment: dt.datetime) -> list[Material]:
    rows = Article.objects.published().filter(publish_at__gt=moment).defer("body")
    told = []
    for article in rows.prefetch_related("cities"):
        slugs = [city.slug for city in article.cities.all() if city.is_public and not city.is_home]
        told.append(
            Material(
                kind=Block.Kind.ARTICLE,
                key=f"article:{article.slug}",
                title=article.headline,
                summary=article.lead,
                url=article.get_absolute_url(),
                label=_("Read the article"),
                weight=ARTICLE,
                day=article.publish_at.date(),
                when=date_format(localtime(article.publish_at), "F j, Y"),
                topic=slugs[0] if len(slugs) == 1 else "",
                picture=_picture(article),
            )
        )
    return told


def _events() -> list[Material]:
    """One block for all the next dates."""
    rows = list(Event.objects.published().upcoming()[:DATES])
    if not rows:
        return []
    home = SiteSettings.load().zone
    return [
        Material(
            kind=Block.Kind.EVENTS,
            key="events",
            title=_("Dates"),
            url=reverse("exchanges:events"),
            label=_("All dates"),
            weight=EVENTS,
            lines=[
                {
                    "day": event.starts_on.isoformat(),
                    "title": event.title,
                    "native": event.native_title,
                    "language": event.native_language,
                    "words": " · ".join(_times_and_place(event, home)),
                    "url": event.get_absolute_url(),
                }
                for event in rows
            ],
        )
    ]


def _times_and_place(event: Event, home: ZoneInfo) -> list[str]:
    times = [
        _("%(time)s in %(place)s") % {"time": time.words, "place": time.place}
        if time.place
        else time.words
        for time in event.local_times(home, None)
    ]
    if event.ends_on and event.ends_on != event.starts_on:
        times.insert(0, event.when)
    place = event.place or (_("Online") if event.is_online else "")
    return [*times, *([place] if place else [])]


def _appeals() -> list[Material]:
    """How far each has come is told with its day: it is not true for ever."""
    rows = Campaign.objects.published().open().with_raised().select_related("visit__city")
    told = []
    for campaign in rows.order_by("order", "title")[:1]:
        city = campaign.city
        words = _("%(raised)s of %(goal)s given by %(day)s") % {
            "raised": format_amount(max(0, campaign.raised_cents), campaign.currency),
            "goal": format_amount(campaign.goal_cents, campaign.currency),
            "day": date_format(clock.today(), "F j"),
        }
        told.append(
            Material(
                kind=Block.Kind.APPEAL,
                key=f"appeal:{campaign.slug}",
                title=campaign.title,
                summary=campaign.summary,
                url=campaign.get_absolute_url(),
                label=_("Give to this"),
                weight=APPEAL,
                about=city.slug if city and city.is_public else "",
                lines=[{"percent": campaign.percent, "words": words}],
            )
        )
    return told


def _picture(row: Pictured | None, *, source: str = "") -> Picture | None:
    if row is None or not row.picture:
        return None
    return Picture(
        name=str(row.picture), width=row.picture_width, height=row.picture_height,
        colour=row.picture_colour, alt=row.picture_alt, caption=row.picture_caption,
        credit=row.picture_credit, source=source,
    )  # fmt: skip


# --- what is public -------------------------------------------------------------------------


def _rows(kind: str, rows: QuerySet, slugs: set[str]) -> QuerySet:
    kinds = Value(kind, output_field=TextField())
    return rows.filter(slug__in=slugs).order_by().values_list(kinds, F("slug"))


def public(paths: set[str]) -> set[str]:
    """Those that anybody can open at this moment. One query, whatever their number."""
    shown: set[str] = set()
    asked: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        try:
            found = resolve(path)
        except Resolver404:
            continue
        who = access.TABLE.get(access.rule_for(found.view_name) or "", {}).get("GET")
        if who != access.PUBLIC:
            continue
        if not found.kwargs:
            shown.add(path)
        elif kind := KIND_OF.get(found.view_name):
            asked.setdefault((kind, found.kwargs["slug"]), []).append(path)
    if not asked:
        return shown
    slugs = {kind: {slug for each, slug in asked if each == kind} for kind in KINDS}
    first, *others = [_rows(kind, KINDS[kind](), slugs[kind]) for kind in KINDS if slugs[kind]]
    rows: Any = first.union(*others, all=True) if others else first
    for kind, slug in rows:
        shown.update(asked[kind, slug])
    return shown


KINDS: dict[str, Any] = {
    "city": lambda: City.objects.published(), "visit": lambda: Visit.objects.published(),
    "gallery": lambda: Gallery.objects.published(), "event": lambda: Event.objects.published(),
    "article": lambda: Article.objects.published(), "page": lambda: Page.objects.published(),
    "campaign": lambda: Campaign.objects.published(),
    "document": lambda: Document.objects.published(), "issue": lambda: Issue.objects.public(),
}  # fmt: skip
# By the pattern's name. A page of one photo is not here: consent may take it away any day.
KIND_OF = {
    **{route: kind for kind, route in Card.ROUTES.items()},
    "exchanges:gallery_feed": "gallery", "exchanges:city_calendar": "city",
    "exchanges:event_ics": "event",
}  # fmt: skip
