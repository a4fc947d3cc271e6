"""The news as visitors read it."""

import datetime as dt
import re

import pytest
from django.core.exceptions import ValidationError

from cities.models import Source
from exchanges.models import Visit
from sistercities.news.models import Article

PAGE_QUERIES = 4  # site, chrome, article, cities with related articles
LIST_QUERIES = 3  # site, chrome, articles


@pytest.fixture
def jinzhou(make_city):
    return make_city("Jinzhou", native_name="锦州", native_language="zh-Hans")


def visit_of(city, **fields) -> Visit:
    values = {
        "slug": "gardens", "title": "The gardens visit", "city": city, "direction": "outbound",
        "stage": "completed", "starts_on": dt.date(2013, 1, 1), "precision": "year",
        "summary": "x", "status": "published", "publish_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        **fields,
    }  # fmt: skip
    return Visit.objects.create(**values)


def test_article_page_tells_everything(client, site, make_article, jinzhou):
    source = Source.objects.create(
        title="Port figures", publisher="City of Jinzhou", year=2018, url="https://example.org/p"
    )
    article = make_article(
        cities=[jinzhou], section="community", visit=visit_of(jinzhou), source=source,
        body="<p>Words of it.</p>", updated_on=dt.date(2026, 11, 14),
        change_note="Tonnage corrected", picture="pictures/aa/bb.webp", picture_width=1600,
        picture_height=1067, picture_alt="A port", picture_caption="The port at night.",
        picture_credit="Photo: Ann Lee",
    )  # fmt: skip
    response = client.get(article.get_absolute_url())
    for expected in (
        "The choir headline", "The choir lead.", "Words of it.", "November 12, 2026",
        "Updated November 14, 2026", "Tonnage corrected", "City of Jinzhou",
        'href="https://example.org/p"', "Port figures", ", 2018.",
        'href="/news/?section=community"', "Community", 'href="/cities/jinzhou/"',
        'href="/visits/gardens/"', 'alt="A port"', "The port at night.", "Photo: Ann Lee",
        '<body data-city="jinzhou">',
    ):  # fmt: skip
        assert expected in response.text, expected
    assert not response.cookies


def test_related_articles_share_a_city_and_are_three(client, site, make_article, make_city):
    jinzhou, midleton = make_city("Jinzhou"), make_city("Midleton")
    article = make_article(cities=[jinzhou, midleton])
    for day in range(1, 6):
        make_article(
            f"near{day}", cities=[jinzhou, midleton],
            publish_at=dt.datetime(2026, 10, day, tzinfo=dt.UTC),
        )  # fmt: skip
    make_article("far", cities=[make_city("Kyzylorda")])
    html = client.get(article.get_absolute_url()).text.split("Read on")[1]
    assert re.findall(r'href="/news/(\w+)/"', html)[:4] == ["near5", "near4", "near3", "feed"]


def test_hidden_article_is_nowhere(client, site, make_article, jinzhou, hidden):
    secret = make_article("secret", cities=[jinzhou], **hidden)
    shown = make_article("open", cities=[jinzhou])
    assert client.get(secret.get_absolute_url()).status_code == 404
    for address in ("/news/", "/news/?section=exchanges", "/news/feed/", shown.get_absolute_url()):
        response = client.get(address)
        assert response.status_code == 200
        assert "secret" not in response.text


def test_article_tells_nothing_of_a_hidden_visit_or_city(
    client, site, make_article, make_city, jinzhou, hidden
):
    secret_city = make_city("Secretville", **hidden)
    visit = visit_of(jinzhou, slug="secret", title="Secret visit", **hidden)
    article = make_article(cities=[secret_city], visit=visit)
    assert "ecret" not in client.get(article.get_absolute_url()).text


def test_article_list_has_the_newest_first_and_keeps_a_section(client, site, make_article):
    make_article("old", publish_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    make_article("new", section="world")
    assert listed(client, "/news/") == ["new", "old"]
    assert listed(client, "/news/?section=world") == ["new"]
    assert "Nothing is published in that section." in client.get("/news/?section=community").text


def listed(client, address: str) -> list[str]:
    return re.findall(r'<h2><a href="/news/(\w+)/"', client.get(address).text)


@pytest.mark.parametrize("section", ["nowhere", "%00", "WORLD", "'--", "x" * 5000])
def test_unknown_section_has_nothing_in_it(client, site, make_article, section):
    make_article()
    response = client.get(f"/news/?section={section}")
    assert response.status_code == 200
    assert "Nothing is published in that section." in response.text


def test_article_list_without_articles_says_so(client, site):
    assert "No news yet." in client.get("/news/").text


@pytest.mark.parametrize("count", [2, 20])
def test_article_pages_ask_the_same_number_of_questions(
    client, site, make_article, make_city, jinzhou, count, django_assert_num_queries
):
    for number in range(count):
        cities = [jinzhou, make_city(f"City {number}")]
        article = make_article(f"a{number}", cities=cities, visit=None)
    with django_assert_num_queries(LIST_QUERIES):
        client.get("/news/")
    with django_assert_num_queries(PAGE_QUERIES):
        client.get(article.get_absolute_url())


def test_article_texts_are_never_markup(client, site, make_article):
    bad = '"><script>alert(1)</script>'
    article = make_article(
        headline=f"H{bad}", lead=f"L{bad}", body=f"<p>B{bad}<a href='javascript:x'>y</a></p>",
        change_note=f"C{bad}", updated_on=dt.date(2026, 11, 14),
    )  # fmt: skip
    for address in (article.get_absolute_url(), "/news/", "/news/feed/"):
        html = client.get(address).text
        assert "<script>alert" not in html
        assert "javascript:" not in html


@pytest.mark.parametrize("headline", ["锦州世界园林博览会" * 15, "Қызылордадан хат " * 8])
def test_article_takes_long_headlines_in_any_script(client, site, make_article, headline):
    headline = headline[:140].strip()
    article = make_article(headline=headline)
    for address in (article.get_absolute_url(), "/news/", "/news/feed/"):
        assert headline in client.get(address).text


def test_article_called_feed_is_refused():
    with pytest.raises(ValidationError, match="belongs to the news feed"):
        Article(slug="feed").clean()


@pytest.mark.parametrize("address", ["/news/", "/news/choir/", "/news/feed/", "/news/feed.json"])
def test_news_refuses_to_be_written_to(client, site, make_article, address):
    make_article()
    assert client.post(address).status_code == 405
