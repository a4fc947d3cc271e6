"""Every public address with the day of its last change, for search engines."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import F, IntegerField, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.urls import reverse

from cities.models import City
from donations.models import Campaign
from exchanges.models import Event, Gallery, Visit
from sistercities.news.models import Article
from sistercities.newsletter.models import Issue
from sistercities.pages.models import Document, Page
from sistercities.shared.addresses import absolute
from sistercities.shared.cards import Card
from sistercities.shared.images import WIDEST, rendition_name

# Lists change with what is in them; the front page with everything.
FIXED = {
    "pages:home": "", "cities:list": "city", "exchanges:visits": "visit",
    "exchanges:galleries": "gallery", "exchanges:events": "event", "news:list": "article",
    "newsletter:newsletter": "issue", "donations:give": "campaign", "pages:documents": "document",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    path: str
    changed_at: dt.datetime | None = None
    image: str = ""


def _rows(kind: str, queryset: QuerySet, picture: Any = "", width: Any = 0) -> QuerySet:
    return queryset.order_by().values_list(
        Value(kind, output_field=TextField()), F("slug"), F("updated_at"),
        Cast(picture or Value(""), TextField()), Cast(width or Value(0), IntegerField()),
    )  # fmt: skip


def _pictured(kind: str, queryset: QuerySet) -> QuerySet:
    return _rows(kind, queryset, F("picture"), F("picture_width"))


def entries() -> list[Entry]:
    """What visitors may see at this moment, in one query.

    Photos of galleries are not named: others keep such lists, and a consent can be taken back.
    """
    first, *others = (
        _pictured("city", City.objects.published()),
        _pictured("visit", Visit.objects.published()),
        _rows("gallery", Gallery.objects.published()),
        _pictured("event", Event.objects.published()),
        _pictured("article", Article.objects.published()),
        _pictured("campaign", Campaign.objects.published()),
        _pictured("page", Page.objects.published()),
        _rows("issue", Issue.objects.public()),
        _rows("document", Document.objects.published()),
    )
    rows = sorted(first.union(*others, all=True))
    changes: dict[str, dt.datetime] = {}
    for kind, _slug, changed_at, *_picture in rows:
        for name in ("", kind):
            changes[name] = max(changed_at, changes.get(name, changed_at))
    return [Entry(reverse(name), changes.get(kind)) for name, kind in FIXED.items()] + [
        Entry(reverse(Card.ROUTES[kind], args=[slug]), changed_at, _image(picture, width))
        for kind, slug, changed_at, picture, width in rows
    ]


def _image(picture: str, width: int) -> str:
    if not picture or not width:
        return ""
    return absolute(f"{settings.MEDIA_URL}{rendition_name(picture, width, WIDEST, '.jpg')}")


class Everything(Sitemap):
    """One file: the standard allows 50,000 addresses."""

    limit = 50_000
    protocol = urlsplit(settings.SITE_URL).scheme

    def __init__(self) -> None:
        self._entries = entries()

    def items(self) -> list[Entry]:
        return self._entries

    def get_domain(self, site: Any = None) -> str:
        """Our own name, whatever name the request came in under."""
        return urlsplit(settings.SITE_URL).netloc

    def location(self, item: Entry) -> str:
        return item.path

    def lastmod(self, item: Entry) -> dt.datetime | None:
        return item.changed_at
