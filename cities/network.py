"""All partnerships of home as one list: found by words, country, kind and field, told by region.

A partnership is a city, or a district of home that has a tie of its own with a town abroad. They
are few enough to be read at once and counted here, whichever database they came from.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django_countries import countries

from cities.distance import great_circle
from cities.map import Chart, Degrees, MapPlace, coordinates
from cities.models import City, DistrictLink
from cities.models.cooperation import Cooperation, in_words
from cities.world import REGIONS, region_of
from sistercities.shared.filtering import Choice

DISTRICT = "district"
MOST_LETTERS = 100


@dataclass
class Tie:
    """One partnership as the list and the map show it. `km` and `on_map` need coordinates."""

    name: str
    native: str
    language: str
    country: str  # its ISO 3166 code
    kind: str
    since: int | None
    fields: list[str]
    address: str
    slug: str = ""
    other_names: str = ""
    region: str = ""
    district: str = ""
    where: Degrees | None = None
    km: float | None = None
    on_map: MapPlace | None = None
    country_name: str = ""
    kind_name: str = ""

    @property
    def told(self) -> str:
        """Such as `District link: Olde Town since 2014. Culture, Youth`."""
        kind = f"{self.kind_name}: {self.district}" if self.district else self.kind_name
        if self.since:
            is_over = self.kind == City.Relationship.EMERITUS
            words = (
                _("%(kind)s, agreement of %(year)d") if is_over else _("%(kind)s since %(year)d")
            )
            kind = words % {"kind": kind, "year": self.since}
        return ". ".join(filter(None, [kind, ", ".join(in_words(self.fields))]))

    def has(self, words: list[str]) -> bool:
        names = (self.name, self.native, self.other_names, self.region, self.district)
        text = _plain(" ".join((*names, self.country_name)))
        return all(word in text for word in words)


@dataclass(frozen=True)
class Group:
    """The partnerships of one region, by country and name."""

    region: str
    name: str
    ties: list[Tie]


@dataclass(frozen=True)
class Wanted:
    """What the reader asked for; all empty asks for everything."""

    words: str
    country: str
    kind: str
    field: str

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Wanted":
        words = query.get("q", "").strip()[:MOST_LETTERS]
        return cls(words, query.get("country", ""), query.get("kind", ""), query.get("field", ""))

    def __bool__(self) -> bool:
        return any((self.words, self.country, self.kind, self.field))

    def fits(self, tie: Tie) -> bool:
        return (
            self.country in ("", tie.country)
            and self.kind in ("", tie.kind)
            and (not self.field or self.field in tie.fields)
            and tie.has(_plain(self.words).split())
        )


class Network:
    """The partnerships of `home`, and those of them that are `wanted`."""

    def __init__(
        self, home: City | None, cities: Iterable[City], links: Iterable[DistrictLink],
        wanted: Wanted,
    ) -> None:  # fmt: skip
        self.all = [_tie_of_city(city) for city in cities]
        self.all += [_tie_of_district(link, home) for link in links if home]
        kinds, names = kind_names(), {tie.country: "" for tie in self.all}
        names = {code: countries.name(code) for code in names}
        for tie in self.all:
            tie.country_name, tie.kind_name = names[tie.country], kinds[tie.kind]
        self.all.sort(key=lambda tie: (tie.country_name, tie.name))
        self.wanted = wanted
        self.shown = [tie for tie in self.all if wanted.fits(tie)]
        self.chart = self._chart(coordinates(home)) if home else None

    def _chart(self, home: Degrees) -> Chart:
        """Wide enough for all, so that it does not change with what is wanted."""
        chart = Chart.around(home, [tie.where for tie in self.all if tie.where])
        placed = [(tie, tie.where) for tie in self.shown if tie.where]
        names = [(where, tie.name) for tie, where in placed]
        for (tie, where), on_map in zip(placed, chart.places(names), strict=True):
            tie.km, tie.on_map = great_circle(home, where).km, on_map
        return chart

    @property
    def groups(self) -> list[Group]:
        by_region: dict[str, list[Tie]] = {region: [] for region in REGIONS}
        for tie in self.shown:
            by_region[region_of(tie.country)].append(tie)
        return [
            Group(region, str(REGIONS[region][0]), ties)
            for region, ties in by_region.items()
            if ties
        ]

    @property
    def count_of_countries(self) -> int:
        return len({tie.country for tie in self.shown})

    @property
    def countries(self) -> list[Choice]:
        counts = Counter(tie.country for tie in self.all)
        names = {tie.country: tie.country_name for tie in self.all}  # by name, as they are
        return _choices(names, names, counts, self.wanted.country)

    @property
    def kinds(self) -> list[Choice]:
        counts = Counter(tie.kind for tie in self.all)
        return _choices(kind_names(), kind_names(), counts, self.wanted.kind)

    @property
    def fields(self) -> list[Choice]:
        counts = Counter(field for tie in self.all for field in tie.fields)
        return _choices(field_names(), field_names(), counts, self.wanted.field)


def _choices(
    values: Iterable[str], names: Mapping[str, Any], counts: Counter[str], chosen: str
) -> list[Choice]:
    return [
        Choice(value, str(names[value]), value == chosen, counts[value])
        for value in values
        if counts[value]
    ]


def kind_names() -> dict[str, str]:
    kinds = {str(kind.value): str(kind.label) for kind in City.Relationship}
    del kinds[City.Relationship.HOME]
    return {**kinds, DISTRICT: _("District link")}


def field_names() -> dict[str, str]:
    return {str(field.value): str(field.label) for field in Cooperation}


def _tie_of_city(city: City) -> Tie:
    return Tie(
        name=city.name,
        native=city.native_name,
        language=city.native_language,
        country=str(city.country),
        kind=city.relationship,
        since=city.signed_on.year if city.signed_on else None,
        fields=city.cooperation,
        address=city.get_absolute_url(),
        slug=city.slug,
        other_names=city.other_names,
        region=city.region,
        where=coordinates(city),
    )


def _tie_of_district(link: DistrictLink, home: City) -> Tie:
    is_placed = link.latitude is not None and link.longitude is not None
    return Tie(
        name=link.town,
        native="",
        language="",
        country=str(link.country),
        kind=DISTRICT,
        since=link.since_year,
        fields=link.cooperation,
        address=f"{home.get_absolute_url()}#partners",
        district=link.district,
        where=coordinates(link) if is_placed else None,
    )


def _plain(text: str) -> str:
    """For comparing: small letters without their marks, so `cegled` finds Cegléd."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
