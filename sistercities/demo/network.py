"""A network of 85 partnerships over forty years, beside the demo: `manage.py demo --network`.

Real places, invented partnerships: the foot of every page and each city's summary say so.
"""

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db import models, transaction
from django.utils.text import slugify

from cities.models import City, DistrictLink
from exchanges.models import Visit
from sistercities.demo.loading import read
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings
from sistercities.shared.publishing import Publishable

PUBLISHED = {"status": Publishable.Status.PUBLISHED}
AHEAD = dt.timedelta(days=300)  # a visit may be planned as far ahead


def load() -> Counter[type[models.Model]]:
    """Adds to the demo, once; a second call changes nothing. All of it or none."""
    content = read("network")
    home = City.objects.get(relationship=City.Relationship.HOME)
    if City.objects.filter(slug=slugify(content["cities"][0][0])).exists():
        return Counter()
    with transaction.atomic():
        cities = [_city(row, content["note"]) for row in content["cities"]]
        for city in cities:
            city.full_clean()
        City.objects.bulk_create(cities)
        links = [_link(home, row) for row in content["districts"]]
        DistrictLink.objects.bulk_create(links)
        visits = _visits(cities, content)
        SiteSettings.objects.update(
            tagline=content["tagline"], headline=content["headline"],
            picture_note=f"{content['foot']} {SiteSettings.load().picture_note}",
        )  # fmt: skip
    return Counter({City: len(cities), DistrictLink: len(links), Visit: len(visits)})


def _city(row: list[Any], note: str) -> City:
    name, native, language, country, latitude, longitude, zone, kind, year, fields = row
    return City(
        name=name, slug=slugify(name), native_name=native, native_language=language,
        country=country, latitude=latitude, longitude=longitude, time_zone=zone,
        relationship=kind, signed_on=dt.date(year, 6, 1), cooperation=fields.split(),
        summary=note, publish_at=clock.now(), **PUBLISHED,
    )  # fmt: skip


def _link(home: City, row: list[Any]) -> DistrictLink:
    district, town, country, latitude, longitude, year, fields = row
    return DistrictLink(
        city=home, district=district, town=town, country=country, latitude=latitude,
        longitude=longitude, since_year=year, cooperation=fields.split(), note="A sample entry.",
    )  # fmt: skip


def _visits(cities: list[City], content: dict[str, Any]) -> list[Visit]:
    """Out and back in turn since each agreement, most of them answered."""
    chance = random.Random(85)
    out, back = [], []
    for city in cities:
        first = None
        for visit in _line_of(city, content, chance):
            if visit.is_outbound:
                out.append(first := visit)
            else:
                visit.answers = first
                back.append(visit)
    return [*Visit.objects.bulk_create(out), *Visit.objects.bulk_create(back)]


def _line_of(city: City, content: dict[str, Any], chance: random.Random) -> Iterator[Visit]:
    assert city.signed_on
    today = clock.today()
    is_former = city.relationship == City.Relationship.EMERITUS
    latest = dt.date(2003, 1, 1) if is_former else today + AHEAD
    year, directions = city.signed_on.year, list(Visit.Direction)
    for number in range(100):
        starts_on = dt.date(year, chance.randint(4, 10), chance.randint(1, 20))
        if starts_on > latest:
            return
        direction = directions[number % 2]
        field = chance.choice(city.cooperation)
        is_over = starts_on < today - dt.timedelta(days=10)
        yield Visit(
            title=content["delegations"][field][number % 2].format(city=city.name),
            slug=f"{city.slug}-{year}", city=city, direction=direction, cooperation=[field],
            stage=Visit.Stage.COMPLETED if is_over else Visit.Stage.PLANNED,
            starts_on=starts_on, ends_on=starts_on + dt.timedelta(days=chance.randint(4, 9)),
            summary=content["note"], publish_at=clock.now(), **PUBLISHED,
        )  # fmt: skip
        year += chance.randint(1, 4)
