"""Land and grid around home as one SVG, for light and for dark pages.

`land.txt` is Natural Earth at 1:110 million (public domain): a ring of land on each line, as
`longitude,latitude` in degrees.
"""

import functools
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from cities.distance import great_circle
from cities.map import RADIUS, SIZE, Chart, Degrees

LAND = Path(__file__).parent / "land.txt"
FINER = 2  # the drawing counts in halves of the map's units, so whole numbers are fine enough
STEP = 30  # degrees between the lines of the grid
STYLE = (
    ".s{fill:#f2f4ee;stroke:#9aa39b;stroke-width:2}"
    ".l{fill:#d9ddcf;stroke:#a3ab9c;stroke-width:1.2;fill-rule:evenodd}"
    ".g{fill:none;stroke:#ccd2c8;stroke-width:1.2}"
    "@media(prefers-color-scheme:dark){.s{fill:#161c1b;stroke:#56625f}.l{fill:#2f3a37;stroke:#4d5a56}"
    ".g{stroke:#2a3432}}"
)


@functools.cache
def rings() -> list[list[Degrees]]:
    """The rings of all land as (latitude, longitude)."""
    found = []
    for line in LAND.read_text(encoding="ascii").splitlines():
        pairs = (point.split(",") for point in line.split())
        found.append([(float(latitude), float(longitude)) for longitude, latitude in pairs])
    return found


@functools.lru_cache(maxsize=4)
def draw(chart: Chart) -> str:
    size, middle, radius = SIZE * FINER, SIZE * FINER // 2, RADIUS * FINER
    rim = f"M{middle - radius:.0f} {middle}a{radius:.0f} {radius:.0f} 0 1 0 {2 * radius:.0f} 0"
    rim += f"a{radius:.0f} {radius:.0f} 0 1 0 {-2 * radius:.0f} 0"
    land = "".join(_ring(chart, ring) for ring in rings())
    if sum(_encloses(ring, _opposite(chart.home)) for ring in rings()) % 2:
        land += rim  # a ring around the point opposite home has its land on the outside
    grid = "".join(_line(chart, line) for line in _grid())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">'
        f'<style>{STYLE}</style><path class="s" d="{rim}"/><path class="g" d="{grid}"/>'
        f'<path class="l" d="{land}"/></svg>'
    )


def _grid() -> Iterator[list[Degrees]]:
    for longitude in range(-180, 180, STEP):
        yield [(latitude, longitude) for latitude in range(-75, 76, 5)]
    for latitude in range(-60, 61, STEP):
        yield [(latitude, longitude) for longitude in range(-180, 181, 5)]


def _on_paper(chart: Chart, there: Degrees) -> tuple[int, int, bool, float]:
    """x and y of the drawing, whether it lies beyond the rim, and in which direction it lies."""
    x, y = chart.point(there)
    way = great_circle(chart.home, there)
    return round(x * FINER), round(y * FINER), way.km > chart.reach_km, way.bearing


def _ring(chart: Chart, ring: list[Degrees]) -> str:
    """A closed path; where it leaves the map it follows the rim."""
    points = [_on_paper(chart, there) for there in ring]
    is_beyond_all = all(is_beyond for _x, _y, is_beyond, _bearing in points)
    if is_beyond_all and not _encloses(ring, _opposite(chart.home)):
        return ""
    radius = round(RADIUS * FINER)
    path = f"M{points[0][0]} {points[0][1]}"
    for (x1, y1, was_beyond, before), (x2, y2, is_beyond, bearing) in pairwise(points):
        if (x1, y1) == (x2, y2):
            continue
        if was_beyond and is_beyond:
            sweep = int((bearing - before) % 360 < 180)
            path += f"A{radius} {radius} 0 0 {sweep} {x2} {y2}"
        else:
            path += f"l{x2 - x1} {y2 - y1}"
    return path + "z"


def _line(chart: Chart, line: list[Degrees]) -> str:
    """An open path of what lies on the map."""
    path, before = "", None
    for x, y, is_beyond, _bearing in (_on_paper(chart, there) for there in line):
        if is_beyond:
            before = None
            continue
        path += f"l{x - before[0]} {y - before[1]}" if before else f"M{x} {y}"
        before = (x, y)
    return path


def _opposite(there: Degrees) -> Degrees:
    latitude, longitude = there
    return -latitude, longitude + 180 if longitude < 0 else longitude - 180


def _encloses(ring: list[Degrees], there: Degrees) -> bool:
    """Whether a walk east from `there` crosses the ring an odd number of times."""
    latitude, longitude = there
    crossings = 0
    for (lat1, lon1), (lat2, lon2) in pairwise(ring):
        if (lat1 > latitude) != (lat2 > latitude):
            at = lon1 + (latitude - lat1) / (lat2 - lat1) * (lon2 - lon1)
            crossings += at > longitude
    return crossings % 2 == 1
