from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from cities.facts import disagreeing, in_rows
from cities.models import Fact, Measure, Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def add_fact(make_city):
    city = make_city()
    sources = {}

    def add(value, unit="people", *, year=None, source="first", measure="Population", **more):
        if source not in sources:
            sources[source] = Source.objects.create(title=source)
        fact = Fact(
            city=city, value=Decimal(value), unit=unit, as_of_year=year, source=sources[source],
            measure=Measure.objects.get_or_create(name=measure)[0], **more,
        )  # fmt: skip
        fact.full_clean()
        fact.save()
        return fact

    add.city = city
    return add


def disagreements(city):
    return [row.facts[0].measure.name for row in disagreeing(city.facts.for_page())]


def test_two_sources_with_other_values_disagree(add_fact):
    add_fact("3020000")
    add_fact("3100000", source="second", year=2009)
    assert disagreements(add_fact.city) == ["Population"]


def test_one_source_does_not_disagree_with_itself(add_fact):
    add_fact("3020000")
    add_fact("3100000")
    assert disagreements(add_fact.city) == []


def test_values_of_two_known_years_are_a_series(add_fact):
    first = add_fact("10000000", "t", year=2008, measure="Cargo")
    second = add_fact("109000000", "t", year=2018, source="second", measure="Cargo")
    (row,) = in_rows(add_fact.city.facts.for_page())
    assert (row.differs, row.series, row.shown) == (False, [first, second], second)
    assert (row.spark.first, row.spark.last) == (2008, 2018)
    assert row.spark.path == "M6.0 22.0L90.0 4.0"


def test_kilometers_and_miles_are_compared(add_fact):
    add_fact("124", "km", measure="Coast")
    add_fact("60", "mi", source="second", measure="Coast")
    add_fact("160.9", "km", measure="Road")
    add_fact("100", "mi", source="second", measure="Road")
    assert disagreements(add_fact.city) == ["Coast"]


@pytest.mark.parametrize(
    ("first", "second", "disagree"),
    [
        (("more than", "30"), ("", "35"), False),
        (("More than", "30"), ("", "29"), True),
        (("over", "1000"), ("", "2200"), True),  # nobody says it of twice as many
        (("over", "1000"), ("over", "2000"), True),
        (("about", "100"), ("", "108"), False),
        (("some", "100"), ("", "124"), True),
        (("up to", "30"), ("", "29"), False),
        (("nearly", "30"), ("just over", "30"), False),
        (("names", "6"), ("", "90"), False),  # a list may be cut short
        (("names", "4"), ("", "3"), True),
        (("city proper:", "1240000"), ("metropolitan area:", "3100000"), False),
        (("metropolitan area:", "3000000"), ("metropolitan area:", "3100000"), True),
        (("", "0"), ("over", "0"), False),
    ],
)
def test_words_before_the_number_count(add_fact, first, second, disagree):
    for source, (qualifier, value) in enumerate((first, second)):
        add_fact(value, source=str(source), qualifier=qualifier)
    assert disagreements(add_fact.city) == (["Population"] if disagree else [])


def test_what_else_was_counted_has_a_row_of_its_own(add_fact):
    add_fact("1240000", qualifier="city proper:", year=2009)
    add_fact("3100000", qualifier="whole prefecture:", year=2009)
    add_fact("3020000", qualifier="whole prefecture:", year=2019, source="second")
    rows = in_rows(add_fact.city.facts.for_page())
    assert [len(row.series) for row in rows] == [0, 2]


def test_another_detail_is_another_thing(add_fact):
    add_fact("3100000")
    add_fact("1240000", source="second", detail="city proper")
    assert disagreements(add_fact.city) == []


def test_money_needs_both_currencies_and_the_rate(add_fact):
    with pytest.raises(ValidationError) as refused:
        add_fact("72730000000", "CNY", measure="Output")
    assert "both currencies" in refused.value.message_dict["paired_value"][0]
    fact = add_fact(
        "72730000000", "CNY", measure="Output", year=2009,
        paired_value=Decimal("10390000000"), paired_unit="USD", exchange_rate=Decimal("7"),
    )  # fmt: skip
    assert fact.pk


def test_a_day_gives_its_year(add_fact):
    fact = add_fact("3100000", as_of_date="2009-12-31")
    assert fact.as_of_year == 2009
