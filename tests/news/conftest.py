"""Rows that the tests of the news start from."""

import datetime as dt

import pytest

from sistercities.news.models import Article, FeedSource

NOW = dt.datetime(2026, 11, 21, 19, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def one_moment(settings):
    """It is noon on Saturday, November 21, 2026, in Arvada."""
    settings.CLOCK = NOW


@pytest.fixture
def make_article(db):
    """`make_article("choir", …)`: published on November 12, 2026."""

    def make(slug: str = "choir", cities=(), **fields) -> Article:
        values = {
            "slug": slug,
            "headline": f"The {slug} headline",
            "lead": f"The {slug} lead.",
            "status": "published",
            "publish_at": dt.datetime(2026, 11, 12, 18, tzinfo=dt.UTC),
            **fields,
        }
        article = Article.objects.create(**values)
        article.cities.set(cities)
        return article

    return make


@pytest.fixture
def make_source(db):
    def make(url: str = "https://feeds.example.org/news.xml", **fields) -> FeedSource:
        values = {"title": "Sister Cities International", "url": url, **fields}
        return FeedSource.objects.create(**values)

    return make


HIDDEN = {
    "draft": {"status": "draft"},
    "scheduled": {"publish_at": NOW + dt.timedelta(minutes=1)},
}


@pytest.fixture(params=sorted(HIDDEN))
def hidden(request) -> dict:
    """The fields of something that visitors may not see yet."""
    return HIDDEN[request.param]
