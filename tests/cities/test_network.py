"""The page of cities for an office with many partners, and what finds one among them."""

import datetime as dt
import re

import pytest

from cities.models import City, DistrictLink

pytestmark = pytest.mark.django_db
PAGE_QUERIES = 4  # site, chrome, cities, district links of home
ABROAD = [("DE", "10.9"), ("HU", "19.8"), ("JP", "136.2"), ("BR", "-49.1"), ("ZZ", "0")]


@pytest.fixture
def many(home_city):
    """`many(14)`: as many partners in five countries, and one link of a district of home."""

    def make(count: int) -> None:
        rows = []
        for n in range(count):
            country, longitude = ABROAD[n % len(ABROAD)]
            rows.append(
                City(
                    name=f"Town {n}",
                    slug=f"town-{n}",
                    status="published",
                    country=country,
                    latitude=str(n % 60),
                    longitude=longitude,
                    time_zone="UTC",
                    summary="S",
                    relationship="friendship" if n % 3 else "sister",
                    cooperation=["culture"] if n % 2 else ["health", "youth"],
                    signed_on=dt.date(1990 + n % 30, 1, 1),
                )  # fmt: skip
            )
        City.objects.bulk_create(rows)
        DistrictLink.objects.create(
            city=home_city, district="Olde Town", town="Cegléd", country="HU", since_year=2014,
            latitude="47.17", longitude="19.80", cooperation=["youth"],
        )  # fmt: skip

    return make


def names(page) -> list[str]:
    """Of the list, in its order."""
    _before, _ties, below = page.content.decode().partition('class="list ties"')
    return re.findall(r'alt="" loading="lazy"> <a href="[^"]+">([^<]+)</a>', below)


@pytest.mark.parametrize("count", [20, 400])
def test_network_takes_four_queries_whatever_its_size(
    client, site, many, count, django_assert_num_queries
):
    many(count)
    with django_assert_num_queries(PAGE_QUERIES):
        page = client.get("/cities/")
    text = page.content.decode()
    assert len(names(page)) == count + 1
    assert f"{count + 1} partnerships in 5 countries" in text
    for expected in (
        'id="europe"', 'id="asia"', 'id="latin-america"', 'id="elsewhere"',
        '<a href="#asia">Asia</a>', "Hungary. District link: Olde Town since 2014. Youth",
        '<option value="HU">Hungary (', "<title>Cegléd, Hungary, 8,9",
        '<a href="/cities/arvada/#partners">Cegléd</a>', "Friendship city since 1991. Culture",
        '.svg?at=39.80,-105.09"',
    ):  # fmt: skip
        assert expected in text, expected
    assert text.count('<circle class="there"') == count + 1
    assert "Set-Cookie" not in page


def test_filters_keep_what_fits_all_of_them(client, site, many):
    many(14)
    for query, expected in {
        "country=JP": ["Town 12", "Town 2", "Town 7"],
        "kind=sister&field=culture": ["Town 3", "Town 9"],
        "kind=district": ["Cegléd"],
        "field=youth&country=HU": ["Cegléd", "Town 6"],
        "q=CEGLED": ["Cegléd"],
        "q=olde+town": ["Cegléd"],
        "q=town+hungary&kind=friendship": ["Town 1", "Town 11"],
        "q=+": None,
    }.items():
        page = client.get(f"/cities/?{query}")
        assert sorted(names(page)) == (expected or sorted(names(client.get("/cities/")))), query
    text = client.get("/cities/?country=HU&kind=district&q=ceg").content.decode()
    assert '<option value="HU" selected>' in text
    assert '<option value="district" selected>' in text
    assert 'value="ceg"' in text
    assert "Show all 15" in text


@pytest.mark.parametrize(
    "query",
    ["country=XX", "kind=home", "field=nothing", "q=zzzz", "country=%00", "q=%00", "kind='--",
     "q=" + "x" * 3000, "field[]=culture&country=cn", "q=%F0%9F%8E%8F", "country=JP&country=XX"],
)  # fmt: skip
def test_unknown_filters_say_that_nothing_fits(client, site, many, query):
    many(14)
    page = client.get(f"/cities/?{query}")
    assert page.status_code == 200
    assert "No partner of ours is like that." in page.content.decode()
    assert names(page) == []


def test_three_partners_can_be_searched_by_a_link(client, site, home_city, make_city):
    make_city("Jinzhou", native_name="锦州", native_language="zh-Hans", other_names="Chinchow")
    make_city("Midleton", country="IE")
    assert names(client.get("/cities/?q=锦州")) == names(client.get("/cities/?q=chinchow"))
    assert names(client.get("/cities/?country=IE")) == ["Midleton"]
    assert 'class="atlas"' in client.get("/cities/").content.decode()


def test_network_without_home_is_a_list(client, site, make_city):
    for n in range(13):
        make_city(f"Town {n}")
    page = client.get("/cities/")
    assert len(names(page)) == 13
    assert "<image" not in page.content.decode()


def test_the_map_is_drawn_around_home_and_kept(client, home_city):
    page = client.get("/cities/map-12450.svg?at=39.80,-105.09")
    assert page["Content-Type"] == "image/svg+xml"
    assert page["Cache-Control"] == "public, max-age=31536000"
    for nowhere in ("/cities/map-1.svg", "/cities/map-99999999999.svg"):
        assert client.get(nowhere).status_code == 404
    home_city.delete()
    assert client.get("/cities/map-12450.svg").status_code == 404


def test_hostile_words_come_back_as_words(client, site, many):
    many(14)
    text = client.get("/cities/?q=%22%3E%3Cscript%3Ealert(1)").content.decode()
    assert "<script>alert" not in text
