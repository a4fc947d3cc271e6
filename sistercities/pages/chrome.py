"""What surrounds every page: the organisation, its cities, pages, headlines and open appeals.

Read in two queries whatever the number of rows: the settings, and one `gather`.
"""

import datetime as dt
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet, Subquery, Value
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from cities import style
from cities.models import City
from donations.models import Campaign
from sistercities.news.models import FeedSource
from sistercities.pages.missing import Near, nearest
from sistercities.pages.models import Page
from sistercities.shared.addresses import absolute
from sistercities.shared.cards import Card, as_cards, as_list, gather
from sistercities.shared.linked_data import CONTEXT, told, us
from sistercities.shared.models import SiteLink, SiteSettings

PARTNERS = 8  # so many are named in the footer, and where a page is missing


class Chrome:
    """Made for each request, read only where a template asks for it."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def site(self) -> SiteSettings:
        return getattr(self.request, "site", None) or SiteSettings.load()

    @cached_property
    def _cards(self) -> dict[str, list[Card]]:
        return gather(
            *self._cities(),
            SiteLink.objects.cards(),
            FeedSource.objects.active().cards(),
            Page.objects.published().exclude(menu=Page.Menu.NOWHERE).cards(),
            Campaign.objects.published().open().cards(),
        )

    def _cities(self) -> tuple[QuerySet, ...]:
        """Home, the first partners, and the city that changed last: not all of hundreds."""
        cities = City.objects.published()
        home = Q(relationship=City.Relationship.HOME)
        partners = cities.exclude(home).order_by("name", "pk").first_few(PARTNERS)
        count = cities.order_by().values(one=Value(1)).values(count=Count("pk"))
        return (
            cities.filter(home).cards(),
            partners.cards(),
            as_cards(
                cities.order_by("-updated_at", "-pk").first_few(1), "changed",
                more={"at": "updated_at", "count": Subquery(count)},
            ),
        )  # fmt: skip

    @property
    def canonical(self) -> str:
        return f"{settings.SITE_URL}{self.request.path}"

    def linked_data(self) -> dict[str, Any]:
        """The organisation as search engines read it, and that one can give to it."""
        give = {"@type": "DonateAction", "target": absolute(reverse("donations:give"))}
        return {
            "@context": CONTEXT,
            **us(),
            **told(
                {
                    "name": self.site.name,
                    "alternateName": self.site.short_name,
                    "description": self.site.mission,
                    "url": absolute("/"),
                    "logo": absolute(static("site/logo.svg")),
                    "email": self.site.email,
                    "telephone": self.site.phone,
                    "address": self.site.postal_address,
                    "taxID": self.site.ein,
                    "nonprofitStatus": f"{CONTEXT}/Nonprofit501c3" if self.site.ein else "",
                    "sameAs": [link.more["url"] for link in self.social],
                    "potentialAction": give,
                }
            ),
        }

    @cached_property
    def nearest(self) -> list[Near]:
        """For the page of what is not there."""
        return nearest(self.request.path)

    @property
    def home(self) -> Card | None:
        return next((c for c in self._cards["city"] if c.more["relationship"] == "home"), None)

    @property
    def partners(self) -> list[Card]:
        return [c for c in self._cards["city"] if c.more["relationship"] != "home"]

    @property
    def campaigns(self) -> list[Card]:
        return self._cards["campaign"]

    @property
    def take_part(self) -> list[Card]:
        return [page for page in self._cards["page"] if page.more["menu"] == Page.Menu.TAKE_PART]

    @property
    def about(self) -> list[Card]:
        return [page for page in self._cards["page"] if page.more["menu"] == Page.Menu.ABOUT]

    @property
    def feeds(self) -> list[dict]:
        return [
            {
                "title": card.title,
                "url": card.more["url"],
                "headlines": as_list(card.more["items"]),
                "fetched_at": _moment(card.more["fetched_at"]),
            }
            for card in self._cards["feed"]
        ]

    def _links(self, kind: str) -> list[Card]:
        return [card for card in self._cards["link"] if card.more["kind"] == kind]

    @property
    def social(self) -> list[Card]:
        return self._links(SiteLink.Kind.SOCIAL)

    @property
    def memberships(self) -> list[Card]:
        return self._links(SiteLink.Kind.MEMBERSHIP)

    @property
    def registrations(self) -> list[Card]:
        return self._links(SiteLink.Kind.REGISTRATION)

    @property
    def style_version(self) -> str:
        """Changes when a city comes, goes or changes: browsers then fetch the style sheet anew."""
        return style.version("".join(f"{card.pk} {card.more}" for card in self._cards["changed"]))


def _moment(text: str | None) -> dt.datetime | None:
    """A moment as JSON functions write it: PostgreSQL with, SQLite without its offset (UTC)."""
    if not text:
        return None
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def chrome(request: HttpRequest) -> dict[str, Chrome]:
    return {"chrome": Chrome(request)}
