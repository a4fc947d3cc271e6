"""Visits as pairs, and whose turn it is in words."""

import datetime as dt

import pytest

from cities.pairs import pair_visits, whose_turn
from exchanges.models import Visit
from sistercities.shared.cards import gather

pytestmark = pytest.mark.django_db
IT_IS_THEIRS = "It is Jinzhou’s turn: "


@pytest.mark.parametrize(
    ("visits", "turn"),
    [
        ([], ""),
        (["2027 in planned"], ""),
        (["2010 out"], IT_IS_THEIRS + "the visit of 2010 has no answer yet."),
        (["2010 out", "2013 out"],
         IT_IS_THEIRS + "the visits of 2010 and 2013 have no answer yet."),
        (["2008 out", "2010 out", "2013 out"],
         IT_IS_THEIRS + "the visits of 2008, 2010 and 2013 have no answer yet."),
        (["2010 in"], "It is our turn: the visit of 2010 has no answer yet."),
        (["2010 out", "2011 in answers 2010"], "Every visit has been answered."),
        (["2010 out", "2011 in answers 2010", "2013 out"],
         IT_IS_THEIRS + "the visit of 2013 has no answer yet."),
        (["2010 out draft", "2011 in answers 2010"], ""),
        (["2010 out", "2012 in"], "Each side has a visit to return."),
        (["2013 out", "2027 in planned answers 2013"],
         "It is Jinzhou’s turn, and the visit is planned."),
        (["2013 in", "2027 out planned answers 2013"], "It is our turn, and the visit is planned."),
    ],
)  # fmt: skip
def test_whose_turn_it_is(make_city, visits, turn):
    city, made = make_city(), {}
    for words in visits:
        year, way, *more = words.split()
        made[year] = Visit.objects.create(
            city=city, title=year, slug=year, summary="S",
            status="draft" if "draft" in more else "published",
            direction="outbound" if way == "out" else "inbound",
            stage="planned" if "planned" in more else "completed",
            starts_on=dt.date(int(year), 1, 1),
            answers=made[more[-1]] if "answers" in more else None,
        )  # fmt: skip
    cards = gather(city.visits.published().cards())["visit"]
    assert whose_turn(pair_visits(cards), "Jinzhou") == turn
