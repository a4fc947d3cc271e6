"""Where cities stand on the map around home.

`site/maps/home.svg` is drawn once: azimuthal equidistant, 600 units square, its centre at
`CENTRE`. On it every line from home is straight and true to length.
"""

import math
from dataclasses import dataclass

from cities.distance import GreatCircle, great_circle
from cities.models import City

CENTRE = (39.8, -105.1)  # what the drawing is centred on, in degrees
MIDDLE, RADIUS = 300.0, 298.0
KM_PER_UNIT = 41.79
NEAR_KM = 100  # a home city further from the centre than this needs a drawing of its own


@dataclass(frozen=True)
class MapPlace:
    """A dot, in units of the drawing, and where its name stands."""

    x: float
    y: float
    label_x: float
    label_y: float
    anchor: str


@dataclass(frozen=True)
class Way:
    """A partner city, how far it is from home, and its place on the map if it has one."""

    city: City
    circle: GreatCircle
    on_map: MapPlace | None


def ways_from(home: City, partners: list[City]) -> list[Way]:
    return [Way(city, way_between(home, city), place_on_map(city, home)) for city in partners]


def place_on_map(city, home) -> MapPlace | None:
    """None where the map cannot show it: beyond its edge, or around another home.

    `city` and `home` have latitude and longitude, as a model or in a card's `more`.
    """
    here, there = coordinates(home), coordinates(city)
    if great_circle(CENTRE, here).km > NEAR_KM:
        return None
    way: GreatCircle = great_circle(here, there)
    distance = way.km / KM_PER_UNIT
    if distance > RADIUS or distance < 1:
        return None
    x = MIDDLE + distance * math.sin(math.radians(way.bearing))
    y = MIDDLE - distance * math.cos(math.radians(way.bearing))
    left = x < MIDDLE - 60
    return MapPlace(
        x=round(x, 1),
        y=round(y, 1),
        label_x=round(x - 13 if left else x + 14, 1),
        label_y=round(y - 5 if left else y + 4, 1),
        anchor="end" if left else "start",
    )


def coordinates(place) -> tuple[float, float]:
    """(latitude, longitude) in degrees of a city or of its card."""
    source = place.more if hasattr(place, "more") else vars(place)
    return float(source["latitude"]), float(source["longitude"])


def way_between(home, city) -> GreatCircle:
    """The great circle from home to a city; each a model or a card."""
    return great_circle(coordinates(home), coordinates(city))
