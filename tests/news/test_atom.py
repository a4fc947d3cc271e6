"""The news as feed readers take it, read back with feedparser."""

import datetime as dt
import io

import feedparser
import pytest

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def read(client):
    response = client.get("/news/feed/")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=900"
    assert not response.cookies
    document = feedparser.parse(io.BytesIO(response.content))
    assert not document.bozo
    return document


def test_feed_tells_the_newest_twenty(client, site, make_article):
    for day in range(1, 26):
        make_article(f"a{day}", publish_at=dt.datetime(2026, 10, day, 18, tzinfo=dt.UTC))
    document = read(client)
    assert document.version == "atom10"
    assert document.feed.title == "Arvada Sister Cities: news"
    assert [entry.link for entry in document.entries] == [
        f"http://127.0.0.1:8000/news/a{day}/" for day in range(25, 5, -1)
    ]


def test_feed_entry_is_whole(client, site, make_article):
    article = make_article(section="world")
    (entry,) = read(client).entries
    assert entry.title == "The choir headline"
    assert entry.summary == "The choir lead."
    assert entry.id == f"tag:127.0.0.1,2026:article-{article.pk}"
    assert entry.published == "2026-11-12T18:00:00+00:00"
    assert [tag.term for tag in entry.tags] == ["Sister cities elsewhere"]


def test_feed_address_does_not_follow_the_host_that_asks(client, site, make_article, settings):
    settings.ALLOWED_HOSTS = ["evil.example"]
    make_article()
    response = client.get("/news/feed/", headers={"host": "evil.example"})
    assert "evil.example" not in response.text


@pytest.mark.parametrize(
    "text",
    [
        "Fish & chips < 5 > 3",
        "<b>bold</b> &amp; <script>alert(1)</script>",
        "]]> <!-- x",
        "锦州 🎏 Қызылорда",
        "a\x0bb\x07c\ufffed",
    ],
)
def test_any_text_comes_back(client, site, make_article, text):
    make_article(headline=text, lead=text)
    (entry,) = read(client).entries
    expected = text
    for control in "\x0b\x07\ufffe":
        expected = expected.replace(control, "")
    assert entry.title_detail.type == "text/plain"
    assert entry.title == expected
    assert b"<script>" not in client.get("/news/feed/").content


def test_feed_asks_two_questions(client, site, make_article, django_assert_num_queries):
    for number in range(12):
        make_article(f"a{number}")
    with django_assert_num_queries(2):
        client.get("/news/feed/")


def test_feed_without_articles_is_a_feed(client, site):
    assert read(client).entries == []


def test_json_feed_tells_the_same(client, site, make_article, hidden):
    article = make_article(section="world", picture="pictures/aa/bb.webp", picture_width=1600)
    make_article("bare", lead="锦州 <b>&</b>", publish_at=LONG_AGO)
    make_article("secret", **hidden)
    response = client.get("/news/feed.json")
    assert response["Content-Type"] == "application/feed+json"
    assert response["Cache-Control"] == "public, max-age=900"
    assert not response.cookies
    feed = response.json()
    first, second = feed.pop("items")
    assert feed == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Arvada Sister Cities: news",
        "description": site.mission,
        "home_page_url": "http://127.0.0.1:8000/news/",
        "feed_url": "http://127.0.0.1:8000/news/feed.json",
        "language": "en",
        "authors": [{"name": site.name, "url": "http://127.0.0.1:8000"}],
    }
    modified = first.pop("date_modified")
    assert dt.datetime.fromisoformat(modified) == max(article.publish_at, article.updated_at)
    assert first == {
        "id": f"tag:127.0.0.1,2026:article-{article.pk}",
        "url": "http://127.0.0.1:8000/news/choir/",
        "title": "The choir headline",
        "content_text": "The choir lead.",
        "date_published": "2026-11-12T18:00:00+00:00",
        "tags": ["Sister cities elsewhere"],
        "image": "http://127.0.0.1:8000/media/pictures/aa/bb.jpg",
    }
    assert second["content_text"] == "锦州 <b>&</b>"
    assert "image" not in second


def test_json_feed_asks_two_questions(client, site, make_article, django_assert_num_queries):
    for number in range(25):
        make_article(f"a{number}")
    with django_assert_num_queries(2):
        assert len(client.get("/news/feed.json").json()["items"]) == 20
