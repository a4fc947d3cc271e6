"""One question over everything that visitors may see, in one query, and its excerpts in another.

Every word must stand in some field of a row. A city is found by its name in any spelling that
staff wrote down, and by nothing that merely resembles it: Jinchang is not Jinzhou. Where nothing
is found, a name that resembles the question is only asked back.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from html import escape, unescape
from operator import methodcaller
from typing import Any

from django.db.models import (
    Case,
    Exists,
    F,
    OrderBy,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)  # fmt: skip
from django.db.models.functions import Greatest, Lower, StrIndex, Substr
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cities.models import City, Person, Place
from donations.models import Campaign
from exchanges.models import Event, Gallery, Photo, Visit
from exchanges.models.visit import when
from sistercities.news.models import Article
from sistercities.newsletter.models import Issue
from sistercities.newsletter.rendering import impersonal_words
from sistercities.pages.models import Document, Page
from sistercities.shared.cards import Card, as_cards, gather

MAX_CHARACTERS = 100
MAX_WORDS = 8
PER_KIND = 20
BEFORE, AROUND = 120, 480  # characters of an excerpt, its markup included
MEANT = 3  # names that are asked back
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
    meant: list[str] = field(default_factory=list)  # names of cities that resemble the question

    @property
    def count(self) -> int:
        return sum(len(group.cards) for group in self.groups)


@dataclass(frozen=True)
class Kind:
    """Where to look. `names` come first in the order of results; `html` are rich text fields."""

    name: str
    heading: str | Promise
    visible: Any  # a queryset of published rows
    names: tuple[str, ...]
    texts: tuple[str, ...]
    html: tuple[str, ...] = ()
    order: OrderBy = field(default_factory=F("pk").asc)
    cards: Callable[[Any], QuerySet] = methodcaller("cards")
    long: str = ""  # a long text that is no rich text


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
        Kind("place", _("Places"), Place.objects.filter(city__in=City.objects.published()),
             ("name", "native_name"), ("text",), cards=_of_city("place", "text")),
        Kind("person", _("People"), Person.objects.filter(city__in=City.objects.published()),
             ("name", "native_name"), ("known_for",), cards=_of_city("person", "known_for")),
        Kind("photo", _("Single pictures"), Photo.objects.published(), ("picture_caption",),
             ("picture_alt",), (), newest("taken_at"), _photos),
        Kind("campaign", _("Appeals"), Campaign.objects.published(), ("title",),
             ("summary",), ("body",)),
        Kind("issue", _("Letters"), Issue.objects.public(), ("subject",), ("preheader",), (),
             newest("began_at"), _letters),
        Kind("page", _("Pages"), Page.objects.published(), ("title",), ("lede",), ("body",)),
        Kind("document", _("Documents"), Document.objects.published(), ("title",), ("text",),
             (), newest("year"), long="text"),
    ]  # fmt: skip


def _of_city(kind: str, summary: str) -> Callable[[QuerySet], QuerySet]:
    """What has no page of its own stands on that of its city."""
    return lambda rows: as_cards(
        rows, kind, slug="city__slug", title="name", native="native_name",
        language="city__native_language", summary=summary,
    )  # fmt: skip


def _photos(rows: QuerySet) -> QuerySet:
    caption = Case(
        When(picture_caption="", then=F("picture_alt")), default=F("picture_caption")
    )  # fmt: skip
    return as_cards(rows, "photo", slug="gallery__slug", title=caption, summary="gallery__title")


def _letters(rows: QuerySet) -> QuerySet:
    return as_cards(
        rows, "issue", slug="slug", title="subject", summary="preheader", on="began_at__date"
    )


def _address(card: Card) -> str:
    """Where a find leads."""
    if card.kind in {"place", "person"}:
        part = "places" if card.kind == "place" else "people"
        return f"{reverse('cities:detail', args=[card.slug])}#{part}"
    if card.kind == "photo":
        return reverse("exchanges:photo", args=[card.slug, card.pk])
    return card.get_absolute_url()


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
    """Whatever is published and holds every word, by kind; at most 20 a kind.

    Two queries, or none for an empty question. Exact names come first, then names that begin with
    the question, then the newest. `more` of a card gets its `address`, `when` and `excerpt`.
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
    if not groups:
        return Found(asked, [], _meant(asked))
    excerpts = _excerpts(kinds, groups, asked)
    for group in groups:
        for card in group.cards:
            if group.kind == "issue":
                card.title = impersonal_words(card.title)
                card.summary = impersonal_words(card.summary)
            if group.kind in {"visit", "event"} and card.on:
                card.more["when"] = when(card.on, card.until, card.more.get("precision", "day"))
            elif group.kind == "document":
                card.more["when"] = card.more["year"]
            card.more["address"] = _address(card)
            card.more["excerpt"] = excerpts.get((group.kind, card.pk), "")
    return Found(asked, groups)


def _meant(asked: str) -> list[str]:
    """The names of cities that resemble the question, the nearest first, in one query."""
    cities = City.objects.published().order_by("name", "pk")
    nearness: dict[str, float] = {}
    for name, native, others in cities.values_list("name", "native_name", "other_names"):
        for spelling in (name, native, *re.split(r"[,;]", others)):
            one, other = asked.casefold(), spelling.strip().casefold()
            ratio = SequenceMatcher(None, one, other).ratio()
            # A beginning in common says more than letters here and there.
            if ratio >= 0.75 or (ratio >= 0.5 and one[:3] == other[:3]):
                nearness[name] = max(ratio, nearness.get(name, 0))
    return sorted(nearness, key=lambda name: (-nearness[name], name))[:MEANT]


def _excerpts(kinds: list[Kind], groups: list[Group], asked: str) -> dict[tuple[str, int], str]:
    """The words around the hit, for finds whose title and summary do not show it: one query."""
    word = max(asked.split(), key=len)
    by_name = {kind.name: kind for kind in kinds}
    wanted = []
    for group in groups:
        kind = by_name[group.kind]
        hidden = [card.pk for card in group.cards if not _shows(card, word)]
        long = kind.long or next(iter(kind.html), "")
        if long and hidden:
            rows = kind.visible.model.objects.filter(pk__in=hidden).order_by()
            columns = (Value(kind.name, TextField()), F("pk"), _around(long, word))
            wanted.append(rows.values_list(*columns))
    if not wanted:
        return {}
    first, *others = wanted
    found = {}
    for name, pk, piece in first.union(*others, all=True) if others else first:
        text = plain_piece(piece)
        if word.casefold() in text.casefold():
            found[name, pk] = text
    return found


def _shows(card: Card, word: str) -> bool:
    return word.casefold() in f"{card.title} {card.native} {card.summary}".casefold()


def _around(name: str, word: str) -> Substr:
    places = [StrIndex(Lower(name), Value(word.lower()))]
    places += [StrIndex(F(name), Value(spelling)) for spelling in _spellings(escape(word))]
    return Substr(name, Greatest(Value(1), *(place - BEFORE for place in places)), AROUND)


def plain_piece(piece: str) -> str:
    """A piece cut anywhere out of rich text, in whole words and without its markup."""
    text = re.sub(r"^[^<>]*>|<[^>]*$", " ", piece)
    text = unescape(re.sub(r"<[^>]*>", " ", text))
    words = text.split()
    if len(piece) < AROUND:
        return " ".join(words)
    return f"… {' '.join(words[1:-1])} …"


def _matches(kind: Kind, asked: str) -> QuerySet:
    found = kind.visible
    for word in asked.split():
        found = found.filter(_holds(kind, word))
    exact = Q()
    for name in kind.names:
        for spelling in _spellings(asked):
            exact |= Q(**{f"{name}__iexact": spelling})
    best_first = Case(When(exact, then=Value(0)), default=Value(1))
    best = found.order_by(best_first, kind.order, "pk").values("pk")[: PER_KIND + 1]
    return kind.cards(kind.visible.model.objects.filter(pk__in=best))


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
