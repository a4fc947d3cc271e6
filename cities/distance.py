"""How far two places are apart, and where a place stands on the map around home."""

import math
from dataclasses import dataclass

EARTH_KM = 6371.0088
KM_PER_MILE = 1.609344


@dataclass(frozen=True)
class GreatCircle:
    """The shortest way from home: `km`, whole miles, and `bearing` in degrees from north."""

    km: float
    bearing: float

    @property
    def miles(self) -> int:
        return round(self.km / KM_PER_MILE)


def great_circle(home: tuple[float, float], there: tuple[float, float]) -> GreatCircle:
    """Both places as (latitude, longitude) in degrees; the haversine formula on a sphere."""
    (lat1, lon1), (lat2, lon2) = ((math.radians(a), math.radians(b)) for a, b in (home, there))
    h = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    y = math.sin(lon2 - lon1) * math.cos(lat2)
    x = math.cos(lat1) * math.sin(lat2) - math.sin(lat1) * math.cos(lat2) * math.cos(lon2 - lon1)
    return GreatCircle(
        km=2 * EARTH_KM * math.asin(min(1.0, math.sqrt(h))),
        bearing=math.degrees(math.atan2(y, x)) % 360,
    )
