"""One question over everything that visitors may see, in one query.

Every word must stand in some field of a row. A city is found by its name in any spelling that
staff wrote down, and by nothing that merely resembles it: Jinchang is not Jinzhou.
"""

import datetime as dt
import unicodedata
from dataclasses import dataclass, field
from html import escape
from typing import Any

from django.db.models import Case, Exists, F, OrderBy, OuterRef, Q, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cities.models import City
from exchanges.models import Event, Gallery, Visit
from exchanges.models.visit import when
from sistercities.news.models import Article
from sistercities.pages.models import Document, Page
from sistercities.shared.cards import Card, gather

MAX_CHARACTERS = 100
MAX_WORDS = 8
PER_KIND = 20
# A word that is part of one of these stands in rich text also between angle brackets.
MARKUP = (
    "p br strong em b i ul ol li blockquote h3 h4 a sup span href title lang start rel noopener "
    "https www com org mailto tel"
)


@dataclass
class Group:
    """What was found of one kind, the best first; `is_cut` when there was more."""

    kind: str
    heading: str | Promise
    cards: list[Card]
    is_cut: bool


@dataclass
class Found:
    """`text` is the question as it was understood; empty when nothing was asked."""

    text: str
    groups: list[Group]

    @property
    def count(self) -> int:
        return sum(len(group.cards) for group in self.groups)


@dataclass(frozen=True)
class Kind:
    """Where to look. `names` come first in the order of results; `html` are rich text fields."""

    name: str
    heading: str | Promise
    visible: Any  # a queryset of published rows with `first_few` and `cards`
    names: tuple[str, ...]
    texts: tuple[str, ...]
    html: tuple[str, ...] = ()
    order: OrderBy = field(default_factory=F("pk").asc)


CITY_NAMES = ("name", "native_name", "other_names")


def _kinds() -> list[Kind]:
    its_city = tuple(f"city__{name}" for name in CITY_NAMES)

    def newest(day: str) -> OrderBy:
        return F(day).desc(nulls_last=True)

    return [
        Kind("city", _("Cities"), City.objects.published(), CITY_NAMES, ("summary", "region")),
        Kind("visit", _("Visits"), Visit.objects.published(), ("title",),
             ("summary", *its_city), ("story",), newest("starts_on")),
        Kind("event", _("Events"), Event.objects.published(), ("title", "native_title"),
             ("summary", "place", *its_city), ("body",), newest("starts_on")),
        Kind("gallery", _("Pictures"), Gallery.objects.published(), ("title",),
             ("summary", *its_city), (), newest("taken_on")),
        Kind("article", _("News"), Article.objects.published(), ("headline",),
             ("lead",), ("body",), newest("publish_at")),
        Kind("page", _("Pages"), Page.objects.published(), ("title",), ("lede",), ("body",)),
        Kind("document", _("Documents"), Document.objects.published(), ("title",), ("text",),
             (), newest("year")),
    ]  # fmt: skip


def normalise(text: str) -> str:
    """What was asked, in one spelling: NFKC, one space between words, nothing invisible.

    At most 8 words and 100 characters are read; the rest is not looked at.
    """
    text = unicodedata.normalize("NFKC", text.strip()[: 4 * MAX_CHARACTERS])
    kept = []
    for sign in text:
        category = unicodedata.category(sign)
        if category == "Cc":  # NUL, tab, line break
            kept.append(" ")
        elif category not in {"Cf", "Cs"}:  # no width, no direction, half a pair
            kept.append(sign)
    words = "".join(kept)[:MAX_CHARACTERS].split()
    return " ".join(words[:MAX_WORDS])


def search(text: str) -> Found:
    """Published cities, visits, events, galleries, articles, pages and documents that hold every
    word.

    One query, or none for an empty question; at most 20 a kind. Exact names come first, then
    names that begin with the question, then the newest.
    """
    asked = normalise(text)
    if not asked:
        return Found(asked, [])
    kinds = _kinds()
    cards = gather(*(_matches(kind, asked) for kind in kinds))
    groups = []
    for kind in kinds:
        found = sorted(cards[kind.name], key=lambda card: _place(card, asked))
        if found:
            groups.append(Group(kind.name, kind.heading, found[:PER_KIND], len(found) > PER_KIND))
    for group in groups:
        for card in group.cards:
            if group.kind in {"visit", "event"} and card.on:
                card.more["when"] = when(card.on, card.until, card.more.get("precision", "day"))
            elif group.kind == "document":
                card.more["when"] = card.more["year"]
    return Found(asked, groups)


def _matches(kind: Kind, asked: str) -> QuerySet:
    found = kind.visible
    for word in asked.split():
        found = found.filter(_holds(kind, word))
    exact = Q()
    for name in kind.names:
        for spelling in _spellings(asked):
            exact |= Q(**{f"{name}__iexact": spelling})
    best_first = Case(When(exact, then=Value(0)), default=Value(1))
    return found.order_by(best_first, kind.order, "pk").first_few(PER_KIND + 1).cards()


def _holds(kind: Kind, word: str) -> Q:
    somewhere = in_fields((*kind.names, *kind.texts), word)
    if word.lower() in MARKUP:
        for name in kind.html:  # the next bracket after it opens: so it stands outside a tag
            somewhere |= Q(**{f"{name}__iregex": f"{word}[^<>]*(<|$)"})
    else:
        somewhere |= in_fields(kind.html, escape(word, quote=False))
    if kind.name == "article":
        named = City.objects.published().filter(in_fields(CITY_NAMES, word))
        somewhere |= Q(Exists(named.filter(articles=OuterRef("pk"))))
    return somewhere


def in_fields(fields: tuple[str, ...], word: str) -> Q:
    """Rows in which some field holds a word of a normalised question, in any spelling."""
    condition = Q()
    for name in fields:
        for spelling in _spellings(word):
            condition |= Q(**{f"{name}__icontains": spelling})
    return condition


def _spellings(word: str) -> list[str]:
    """SQLite, and PostgreSQL in the C locale, fold only A to Z: `қызылорда` is asked for as
    typed, in small letters, in capitals, and with a capital in front."""
    if word.isascii():
        return [word]
    return list(dict.fromkeys([word, word.lower(), word.upper(), word.title()]))


def _place(card: Card, asked: str) -> tuple[int, dt.timedelta, int, str]:
    """Where a card stands in its group, by what it is called and then by its day."""
    wanted = asked.casefold()
    names = [normalise(name).casefold() for name in (card.title, card.native) if name]
    if wanted in names:
        closeness = 0
    elif any(name.startswith(wanted) for name in names):
        closeness = 1
    else:
        closeness = 2 if any(wanted in name for name in names) else 3
    age = dt.date.max - card.on if card.on else dt.timedelta.max
    return closeness, age, card.rank or 0, card.title
