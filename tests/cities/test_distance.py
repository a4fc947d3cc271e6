import re
from xml.etree import ElementTree

import pytest

from cities.distance import great_circle
from cities.drawing import draw
from cities.map import REACHES, Chart
from cities.templatetags.city import figure, latitude, longitude, scale, season_bar

ARVADA, JINZHOU, PERTH = (39.80, -105.09), (41.11, 121.14), (-31.95, 115.86)


def test_the_way_from_arvada_to_jinzhou():
    way = great_circle(ARVADA, JINZHOU)
    assert way.km == pytest.approx(9879, abs=20)
    assert way.miles == pytest.approx(6139, abs=13)
    assert great_circle(ARVADA, ARVADA).km == 0


def test_the_map_shows_jinzhou_where_home_sees_it():
    chart = Chart.around(ARVADA, [JINZHOU])
    (place,) = chart.places([(JINZHOU, "Jinzhou")])
    assert (place.x, place.y) == (pytest.approx(171.4, abs=2), pytest.approx(101.7, abs=2))
    assert (place.anchor, chart.reach_km) == ("end", REACHES[0])


def test_the_map_reaches_as_far_as_its_cities():
    assert Chart.around(ARVADA, [JINZHOU, PERTH]).reach_km == 18_000  # Perth: 16,060 km
    assert Chart.around(ARVADA, [(-ARVADA[0], ARVADA[1] + 180)]).reach_km == REACHES[-1]
    assert Chart.around(ARVADA, []).reach_km == REACHES[0]


def test_names_among_many_cover_neither_each_other_nor_a_dot():
    towns = [((41 + n / 10, 121 + n / 10), "Jinzhou") for n in range(40)]
    far = ((-33.9, 18.4), "Cape Town")
    *close, apart = Chart.around(ARVADA, [far[0]]).places([*towns, far])
    assert sum(bool(place.anchor) for place in close) < 10
    assert apart.anchor == "end"  # to its right the paper ends


@pytest.mark.parametrize("home", [ARVADA, (36.65, 117.0), (-33.9, 151.2)])
def test_the_drawing_stays_on_its_paper(home):
    """Also where the other side of the earth is land: Jinan's is in Argentina."""
    ElementTree.fromstring(drawing := draw(Chart(home, REACHES[-1])))
    starts = re.findall(r"[MA](?:596 596 0 0 [01] )?(\d+) (\d+)", drawing)
    assert len(starts) > 100
    assert all((int(x) - 600) ** 2 + (int(y) - 600) ** 2 < 598**2 for x, y in starts)


def test_numbers_are_written_for_readers():
    from decimal import Decimal

    assert (figure(Decimal("3020000.0000")), scale(Decimal(3020000))) == ("3.02", "million ")
    assert (figure(Decimal("72730000000")), scale(Decimal("72730000000"))) == ("72.73", "billion ")
    assert (figure(Decimal("10301.0000")), scale(Decimal(10301))) == ("10,301", "")
    assert figure(Decimal("2.5000")) == "2.5"
    assert (latitude(Decimal("41.11")), longitude(Decimal("-105.09"))) == ("41.1° N", "105.1° W")


def test_a_season_over_new_year():
    class Market:
        season_from, season_until = "11-20", "02-10"

    assert season_bar(Market) == "<b>JF</b>MAMJJASO<b>ND</b>"
