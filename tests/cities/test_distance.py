import pytest

from cities.distance import great_circle
from cities.map import place_on_map
from cities.templatetags.city import figure, latitude, longitude, scale, season_bar

ARVADA, JINZHOU = (39.80, -105.09), (41.11, 121.14)


def test_the_way_from_arvada_to_jinzhou():
    way = great_circle(ARVADA, JINZHOU)
    assert way.km == pytest.approx(9879, abs=20)
    assert way.miles == pytest.approx(6139, abs=13)
    assert great_circle(ARVADA, ARVADA).km == 0


class Somewhere:
    def __init__(self, latitude, longitude):
        self.latitude, self.longitude = latitude, longitude


def test_the_map_shows_jinzhou_where_the_drawing_has_it():
    place = place_on_map(Somewhere(*JINZHOU), Somewhere(*ARVADA))
    assert (place.x, place.y) == (pytest.approx(171.4, abs=2), pytest.approx(101.7, abs=2))


def test_the_map_leaves_out_what_it_cannot_show():
    assert place_on_map(Somewhere(-32, 116), Somewhere(*ARVADA)) is None  # Perth: beyond the edge
    assert place_on_map(Somewhere(*JINZHOU), Somewhere(51.9, -8.2)) is None  # another home


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
