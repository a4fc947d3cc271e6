import datetime as dt

import pytest
from django.db.models import Value

from cities.models import City
from exchanges.models import Event, Gallery, Visit
from sistercities.news.models import Article
from sistercities.pages.models import Page
from sistercities.shared.cards import Card, as_cards, gather
from sistercities.shared.models import SiteLink

SHOWN = {"status": "published"}


@pytest.fixture
def visit(make_city):
    return Visit.objects.create(
        title="The gardens", slug="gardens", city=make_city("Jinzhou"), direction="outbound",
        stage="completed", starts_on=dt.date(2013, 9, 7), ends_on=dt.date(2013, 9, 11),
        summary="Five days.", **SHOWN,
    )  # fmt: skip


def test_a_card_holds_the_short_form_of_a_row(visit):
    (card,) = gather(Visit.objects.cards())["visit"]
    assert card == Card(
        kind="visit", pk=visit.pk, slug="gardens", title="The gardens", native="", language="",
        summary="Five days.", on=dt.date(2013, 9, 7), until=dt.date(2013, 9, 11), picture="",
        picture_width=0, picture_height=0, picture_colour="", picture_alt="",
        picture_has_avif=False, rank=None, more=card.more,
    )  # fmt: skip
    assert card.more["city"] == "Jinzhou"
    assert card.get_absolute_url() == visit.get_absolute_url()


def test_many_tables_are_read_in_one_question(
    visit, site, make_city, django_assert_num_queries, picture_file
):
    city = visit.city
    for number in range(5):
        make_city(f"City {number}")
        Page.objects.create(title=f"Page {number}", slug=f"p{number}", **SHOWN)
    Gallery.objects.create(title="Album", slug="album", city=city, **SHOWN)
    Event.objects.create(title="E", slug="e", starts_on=dt.date(2027, 1, 1), **SHOWN)
    Article.objects.create(headline="A", slug="a", publish_at=dt.datetime.now(dt.UTC), **SHOWN)
    SiteLink.objects.create(settings=site, label="Facebook", url="https://a.example")
    with django_assert_num_queries(1):
        cards = gather(
            City.objects.cards(), Visit.objects.cards(), Gallery.objects.cards(),
            Event.objects.cards(), Article.objects.cards(), Page.objects.cards(),
            SiteLink.objects.cards(),
        )  # fmt: skip
    counts = {kind: len(found) for kind, found in cards.items()}
    assert counts == {
        "city": 6, "visit": 1, "gallery": 1, "event": 1, "article": 1, "page": 5, "link": 1,
    }  # fmt: skip
    assert all(isinstance(card, Card) for found in cards.values() for card in found)


def test_a_kind_without_rows_is_an_empty_list(db):
    cards = gather(City.objects.cards(), Page.objects.cards())
    assert cards["city"] == [] and cards["page"] == [] and cards["anything"] == []


def test_one_table_alone_is_read_as_well(db):
    Page.objects.create(title="A", slug="a")
    assert [card.title for card in gather(Page.objects.cards())["page"]] == ["A"]


def test_the_order_is_rank_then_day_then_title(db):
    for title, order in (("c", 1), ("b", 2), ("a", 2), ("z", 0)):
        Page.objects.create(title=title, slug=title, order=order)
    assert [card.title for card in gather(Page.objects.cards())["page"]] == ["z", "c", "a", "b"]


def test_days_come_as_days_and_numbers_as_numbers(db, make_city):
    Event.objects.create(title="E", slug="e", starts_on=dt.date(2027, 3, 21), **SHOWN)
    cards = gather(City.objects.cards(), Event.objects.cards())
    (event,) = cards["event"]
    assert event.on == dt.date(2027, 3, 21)
    assert event.until is None
    assert type(event.on) is dt.date


def test_text_in_any_script_comes_back_as_it_was(db):
    title = 'Қызылорда 锦州 "quoted" \\ {{ x }} \u2028 😀'
    Page.objects.create(title=title, slug="x")
    assert gather(Page.objects.cards())["page"][0].title == title


def test_a_card_of_something_without_a_page_has_no_address(site):
    SiteLink.objects.create(settings=site, label="Facebook", url="https://a.example")
    assert gather(SiteLink.objects.cards())["link"][0].get_absolute_url() == ""


def test_a_wrong_column_is_a_programming_error(db):
    with pytest.raises(TypeError, match="no such card column: titel"):
        as_cards(Page.objects.all(), "page", titel="title")


def test_an_expression_can_be_a_column(db):
    Page.objects.create(title="A", slug="a")
    (card,) = gather(as_cards(Page.objects.all(), "page", title=Value("given")))["page"]
    assert card.title == "given"


def test_a_card_has_the_picture_of_its_row(finish_pictures, picture_file):
    page = Page(title="A", slug="a", picture=picture_file(1700, 900), picture_alt="x")
    page.save()
    finish_pictures()
    page.refresh_from_db()
    (card,) = gather(Page.objects.cards())["page"]
    assert card.picture == page.picture.name
    assert (card.picture_width, card.picture_height) == (1600, 847)
    assert card.picture_alt == "x"
