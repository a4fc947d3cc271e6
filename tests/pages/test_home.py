"""The front page: who, which cities, the last visit, the next, the appeal, news."""

import datetime as dt
import re

import pytest

from donations.models import Campaign
from exchanges.models import Event, Gallery, Photo, Visit
from exchanges.models.visit import when
from sistercities.news.models import Article, FeedSource
from sistercities.pages.models import Page
from sistercities.shared import clock

pytestmark = pytest.mark.django_db


def fill(make_city, picture_file, *, rows: int) -> None:
    today = dt.date.today()
    for n in range(rows):
        city = make_city(f"Town {n}")
        shared = {"status": "published", "summary": "S"}
        made = Visit.objects.create(
            city=city, title=f"Made {n}", slug=f"made-{n}", direction="outbound",
            stage="completed", starts_on=dt.date(2000 + n, 1, 1), **shared,
        )  # fmt: skip
        Visit.objects.create(
            city=city, title=f"Coming {n}", slug=f"coming-{n}", direction="inbound",
            starts_on=today + dt.timedelta(days=n + 1), **shared,
        )  # fmt: skip
        gallery = Gallery.objects.create(
            city=city, visit=made, title=f"Gallery {n}", slug=f"gallery-{n}", **shared
        )
        Photo.objects.create(
            gallery=gallery, picture=picture_file(), picture_alt="A hill", people="none"
        )
        Event.objects.create(
            title=f"Event {n}", slug=f"event-{n}", starts_on=today + dt.timedelta(days=n + 1),
            starts_at=dt.time(18), **shared,
        )  # fmt: skip
        Article.objects.create(
            headline=f"Article {n}", slug=f"article-{n}", lead="L", status="published"
        )
        Campaign.objects.create(
            title=f"Appeal {n}", slug=f"appeal-{n}", goal_cents=10000, order=n, **shared
        )
        Page.objects.create(
            title=f"Join {n}", slug=f"join-{n}", lede="Lend a bed.", menu="take_part",
            status="published",
        )  # fmt: skip
        FeedSource.objects.create(
            title=f"Feed {n}", url=f"https://example.org/{n}", order=n,
            items=[{"title": f"Headline {n}", "url": "https://example.org/a", "published": ""}],
        )  # fmt: skip


@pytest.mark.parametrize("rows", [1, 10])
def test_front_page_takes_four_queries_with_few_rows_and_many(
    client, site, home_city, make_city, picture_file, finish_pictures, rows,
    django_assert_num_queries,
):  # fmt: skip
    fill(make_city, picture_file, rows=rows)
    finish_pictures()
    with django_assert_num_queries(4):
        page = client.get("/")
    text = page.content.decode()
    for shown in (
        site.headline, "Town 0", f"Made {rows - 1}", "Coming 0", "1 picture", "Event 0", "6 p.m.",
        f"Article {rows - 1}", "/donate/appeal-0/", "$100", "Headline 0",
        "How to join in", "Lend a bed.", ">Next<",
    ):  # fmt: skip
        assert shown in text
    # Without script, and on a page that was stored a while ago: no hour that could be wrong.
    assert '<span data-tz="Asia/Shanghai">' in text
    assert re.search(r'<b data-clock="Asia/Shanghai">1[45] hours ahead</b>', text)
    assert "Set-Cookie" not in page


@pytest.mark.parametrize(("days", "label"), [(-2, ">Now<"), (0, ">Now<"), (1, ">Next<")])
def test_front_page_says_whether_the_next_visit_has_begun(
    client, site, home_city, make_city, days, label
):
    starts_on = clock.today() + dt.timedelta(days=days)
    Visit.objects.create(
        city=make_city(), title="They come", slug="v", direction="inbound", summary="S",
        starts_on=starts_on, ends_on=starts_on + dt.timedelta(days=7), status="published",
    )  # fmt: skip
    text = client.get("/").text
    assert label in text
    assert f"<p>{when(starts_on, starts_on + dt.timedelta(days=7))}. S</p>" in text


def test_an_empty_site_says_so(client, db):
    text = client.get("/").content.decode()
    assert "Our cities will stand here soon." in text
    assert "No news yet." in text
