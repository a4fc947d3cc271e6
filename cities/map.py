"""The map around home, and where cities stand on it.

Azimuthal equidistant: every line from home is a great circle, straight and true to length. It
reaches `REACHES[0]` km far, and further where a partner is further away.
`cities/drawing.py` draws the land for whichever city is home.
"""

import math
from dataclasses import dataclass
from itertools import product

from django.urls import reverse

from cities.distance import GreatCircle, great_circle
from cities.models import City

SIZE, RADIUS = 600, 298.0  # units of the drawing, which is square
# How far the drawing may reach, in km. Further on, the point opposite home becomes a circle.
REACHES = (12_450, 14_000, 16_000, 18_000, 19_500)
FEW = 12  # so many have their names on the map whatever stands beside them
LETTER, LINE, CELL = 6.4, 14, 6  # of names among many: width, height, and the grid they share

Degrees = tuple[float, float]  # latitude, longitude
Point = tuple[float, float]  # in units of the drawing


@dataclass(frozen=True)
class MapPlace:
    """A dot in units of the drawing, and where its name stands; no `anchor` means no room."""

    x: float
    y: float
    label_x: float = 0
    label_y: float = 0
    anchor: str = ""


@dataclass(frozen=True)
class Chart:
    """The map around `home` as far as `reach_km`, one of `REACHES`."""

    home: Degrees
    reach_km: int

    @classmethod
    def around(cls, home: Degrees, places: list[Degrees]) -> "Chart":
        """Wide enough for all of `places`."""
        furthest = max((great_circle(home, there).km for there in places), default=0)
        return cls(home, next((km for km in REACHES if furthest < km), REACHES[-1]))

    @property
    def address(self) -> str:
        """Of the drawing. It changes with the place of home, so browsers may keep it."""
        latitude, longitude = self.home
        return f"{reverse('cities:map', args=[self.reach_km])}?at={latitude:.2f},{longitude:.2f}"

    def point(self, there: Degrees) -> Point:
        """Where it is on the drawing; on its rim where it lies beyond."""
        way = great_circle(self.home, there)
        radius = RADIUS * min(1.0, way.km / self.reach_km)
        angle = math.radians(way.bearing)
        return SIZE / 2 + radius * math.sin(angle), SIZE / 2 - radius * math.cos(angle)

    def places(self, named: list[tuple[Degrees, str]]) -> list[MapPlace]:
        """Each with its name beside it; where they are many, only names that cover nothing."""
        points = [self.point(there) for there, _name in named]
        if len(points) <= FEW:
            return [_with_name(point) for point in points]
        taken = {_cell(point) for point in points} | {_cell((SIZE / 2, SIZE / 2))}
        return [
            _with_name_if_free(point, name, taken)
            for point, (_there, name) in zip(points, named, strict=True)
        ]


def _with_name(point: Point) -> MapPlace:
    x, y = point
    if x < SIZE / 2 - 60:
        return _place(point, (x - 13, y - 5), "end")
    return _place(point, (x + 14, y + 4), "start")


def _with_name_if_free(point: Point, name: str, taken: set[tuple[int, int]]) -> MapPlace:
    """`taken` are the squares of the grid that are covered; a name that finds room adds its own."""
    x, y = point
    width = LETTER * len(name)
    sides = [("start", x + 8, x + 8), ("end", x - 8, x - 8 - width)]
    for anchor, label_x, left in sides if x >= SIZE / 2 else reversed(sides):
        columns = range(int(left // CELL), int((left + width) // CELL) + 1)
        rows = range(int((y - LINE / 2) // CELL), int((y + LINE / 2) // CELL) + 1)
        cells = set(product(columns, rows))
        if left >= 0 and left + width <= SIZE and taken.isdisjoint(cells):
            taken |= cells
            return _place(point, (label_x, y + 4), anchor)
    return _place(point, (0, 0), "")


def _cell(point: Point) -> tuple[int, int]:
    return int(point[0] // CELL), int(point[1] // CELL)


def _place(point: Point, label: Point, anchor: str) -> MapPlace:
    x, y, label_x, label_y = (round(number, 1) for number in (*point, *label))
    return MapPlace(x, y, label_x, label_y, anchor)


@dataclass(frozen=True)
class Way:
    """A partner city, how far it is from home, and its place on the map."""

    city: City
    circle: GreatCircle
    on_map: MapPlace


@dataclass(frozen=True)
class Ways:
    """The ways from home to its partners, and the chart that shows them."""

    chart: Chart
    ways: list[Way]

    @property
    def are_few(self) -> bool:
        return len(self.ways) <= FEW


def ways_from(home: City, partners: list[City]) -> Ways:
    places = [coordinates(city) for city in partners]
    chart = Chart.around(coordinates(home), places)
    names = [city.name for city in partners]
    on_map = chart.places(list(zip(places, names, strict=True)))
    return Ways(
        chart,
        [
            Way(city, way_between(home, city), place)
            for city, place in zip(partners, on_map, strict=True)
        ],
    )


def coordinates(place) -> Degrees:
    """(latitude, longitude) in degrees of a city or of its card."""
    source = place.more if hasattr(place, "more") else vars(place)
    return float(source["latitude"]), float(source["longitude"])


def way_between(home, city) -> GreatCircle:
    """The great circle from home to a city; each a model or a card."""
    return great_circle(coordinates(home), coordinates(city))
