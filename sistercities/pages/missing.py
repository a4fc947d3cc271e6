"""What a reader may have meant who asked for an address that is not there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cities.models import City
from donations.models import Campaign
from exchanges.models import Event, Gallery, Visit
from sistercities.news.models import Article
from sistercities.pages.models import Page
from sistercities.shared.cards import TEXT, Card

MOST = 4
COMPARED = 400  # addresses, the last changed: an address that nobody has costs some milliseconds
LONGEST = 80  # letters that are looked at
ALIKE = 0.6
SHORTEST = 4  # letters of a word that may stand inside an address
KINDS = {
    "city": _("City"), "visit": _("Visit"), "gallery": _("Pictures"), "event": _("Event"),
    "article": _("News"), "campaign": _("Appeal"), "page": _("Page"),
}  # fmt: skip
ENDING = re.compile(r"\.(html?|php|aspx?)$", re.IGNORECASE)


@dataclass(frozen=True)
class Near:
    title: str
    url: str
    kind: str | Promise


def nearest(path: str) -> list[Near]:
    """At most four published pages whose address resembles the last part of `path`; one query,
    or none where there is no word in it.
    """
    wanted = _words(path)
    if not wanted:
        return []
    pages: dict[str, list[Near]] = {}
    for kind, slug, title in _recent():
        pages.setdefault(slug, []).append(
            Near(title, reverse(Card.ROUTES[kind], args=[slug]), KINDS[kind])
        )
    slugs = get_close_matches(wanted, pages, n=MOST, cutoff=ALIKE)
    words = [word for word in wanted.split("-") if len(word) >= SHORTEST and not word.isdigit()]
    slugs += [slug for slug in pages if slug not in slugs and set(words) & set(slug.split("-"))]
    return [near for slug in slugs for near in pages[slug]][:MOST]


def _words(path: str) -> str:
    """The last part of an address as a slug would be: `/a/12-Jinzhou%20Visit.html` is
    `jinzhou-visit`.
    """
    parts = [part for part in path[-4 * LONGEST :].split("/") if part]
    last = ENDING.sub("", parts[-1]).lower() if parts else ""
    return re.sub(r"^[\d-]+|[^\w]+", "-", last)[:LONGEST].strip("-_")


def _recent() -> Iterator[tuple[str, str, str]]:
    """Kind, slug and title of what was changed last."""

    def rows(kind: str, queryset: QuerySet, title: str) -> QuerySet:
        shape = {
            "kind_": Value(kind, output_field=TEXT), "slug_": Cast("slug", TEXT),
            "title_": Cast(title, TEXT), "changed_": F("updated_at"),
        }  # fmt: skip
        return queryset.order_by().annotate(**shape).values_list(*shape)

    first, *others = (
        rows("city", City.objects.published(), "name"),
        rows("visit", Visit.objects.published(), "title"),
        rows("gallery", Gallery.objects.published(), "title"),
        rows("event", Event.objects.published(), "title"),
        rows("article", Article.objects.published(), "headline"),
        rows("campaign", Campaign.objects.published(), "title"),
        rows("page", Page.objects.published(), "title"),
    )
    found: Any = first.union(*others, all=True).order_by("-changed_", "slug_")[:COMPARED]
    for kind, slug, title, _changed in found:
        yield kind, slug, title
