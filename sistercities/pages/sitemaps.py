"""Every public address with the day of its last change, for search engines."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.db.models import F, QuerySet, TextField, Value
from django.urls import reverse

from cities.models import City
from donations.models import Campaign
from exchanges.models import Event, Gallery, Visit
from sistercities.news.models import Article
from sistercities.newsletter.models import Issue
from sistercities.pages.models import Page
from sistercities.shared.cards import Card

FIXED = (
    "pages:home", "cities:list", "exchanges:visits", "exchanges:galleries", "exchanges:events",
    "news:list", "newsletter:newsletter", "donations:give", "pages:documents",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    path: str
    changed_at: dt.datetime | None = None


def _rows(kind: str, queryset: QuerySet) -> QuerySet:
    return queryset.order_by().values_list(
        Value(kind, output_field=TextField()), F("slug"), F("updated_at")
    )


def entries() -> list[Entry]:
    """What visitors may see at this moment, in one query."""
    first, *others = (
        _rows("city", City.objects.published()),
        _rows("visit", Visit.objects.published()),
        _rows("gallery", Gallery.objects.published()),
        _rows("event", Event.objects.published()),
        _rows("article", Article.objects.published()),
        _rows("campaign", Campaign.objects.published()),
        _rows("page", Page.objects.published()),
        _rows("issue", Issue.objects.public()),
    )
    rows = sorted(first.union(*others, all=True))
    return [Entry(reverse(name)) for name in FIXED] + [
        Entry(reverse(Card.ROUTES[kind], args=[slug]), changed_at)
        for kind, slug, changed_at in rows
    ]


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
