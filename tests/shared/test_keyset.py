"""Long lists by keyset, walked through on the news: forwards, backwards, and with odd places."""

import datetime as dt
import re

import pytest

from sistercities.news.models import Article

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def articles(db):
    """`articles(45)`: as many, three at each moment, the newest with the highest number."""

    def make(count: int) -> None:
        Article.objects.bulk_create(
            Article(
                slug=f"a{n}", headline=f"H{n}", lead="L", status="published",
                publish_at=LONG_AGO + dt.timedelta(hours=n // 3, microseconds=1),
            )
            for n in range(count)
        )  # fmt: skip

    return make


def read(client, address: str) -> tuple[list[int], dict[str, str]]:
    """The numbers on the page and its links by relation."""
    page = client.get(address)
    assert page.status_code == 200
    links = re.findall(r'<a href="(\?[^"]+)" rel="(\w+)"', page.text)
    numbers = [int(number) for number in re.findall(r'<h2><a href="/news/a(\d+)/"', page.text)]
    return numbers, {rel: "/news/" + href.replace("&amp;", "&") for href, rel in links}


def test_every_row_is_met_once_forwards_and_backwards(client, site, articles):
    articles(45)
    numbers, links = read(client, "/news/?section=exchanges")
    assert "prev" not in links
    forwards, pages = list(numbers), [numbers]
    while "next" in links:
        assert "section=exchanges&after=" in links["next"]
        numbers, links = read(client, links["next"])
        forwards += numbers
        pages.append(numbers)
    assert forwards == list(range(44, -1, -1))
    for earlier in reversed(pages[:-1]):
        numbers, links = read(client, links["prev"])
        assert numbers == earlier
    assert "prev" not in links


def test_a_place_holds_while_rows_come_and_go(client, site, articles):
    articles(25)
    _numbers, links = read(client, "/news/")
    Article.objects.filter(headline="H5").delete()  # the last row of the first page
    Article.objects.create(slug="b", headline="New", lead="L", status="published")
    numbers, _links = read(client, links["next"])
    assert numbers == [4, 3, 2, 1, 0]


ODD = [
    "", "x", "~", "2020-01-01~5", "2020-01-01T00:00:00~", "2020-01-01T00:00:00~-1", "%00~1",
    "9999-12-31T23:59:59.999999~1", "0001-01-01T00:00:00~1", "2020-01-01T00:00:00%2B23:59~1",
    f"2020-01-01T00:00:00~{10**30}", "9" * 5000, "2020-01-01~00:00~6", "'--~1", "2020-01-01~٣",
]  # fmt: skip


def test_odd_places_never_break_a_page(client, site):
    for place in ODD:
        assert client.get(f"/news/?after={place}").status_code == 200, place
    days = ("x~1", "2020-13-01~1", f"2020-01-01~{10**30}", "2020-01-01~00:00~x", "9999-12-31~1")
    for place in days:
        for address in ("/visits/?after", "/galleries/?before", "/events/?past=1&before"):
            assert client.get(f"{address}={place}").status_code == 200, (address, place)
    for hours in ("12:00Z", "12:00%2B05:00", "25:00", "x"):
        for way in ("after", "before"):
            assert client.get(f"/events/?{way}=2026-12-01~{hours}~5").status_code == 200, hours
    for number in ("-1", "1000000000", "%00", "9" * 5000):
        assert client.get(f"/events/?page={number}").status_code == 200, number


@pytest.mark.parametrize("pages", [1, 30])
def test_a_deep_page_asks_what_the_first_one_asks(
    client, site, articles, pages, django_assert_num_queries
):
    """And leaves out no rows by number: that is what costs."""
    articles(pages * 20 + 1)
    place = (LONG_AGO + dt.timedelta(hours=6, microseconds=1)).replace(tzinfo=None).isoformat()
    with django_assert_num_queries(3) as asked:
        client.get(f"/news/?after={place}~99999999")
    (query,) = (q["sql"] for q in asked.captured_queries if "news_article" in q["sql"])
    assert "OFFSET" not in query
    assert "COUNT(" not in query
