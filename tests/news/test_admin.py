"""The news as staff write it, through the real forms."""

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from exchanges.models import Visit
from sistercities.news.models import Article, FeedSource
from tests.news.test_feeds import GOOD_ITEMS, server  # noqa: F401  (a fixture, by import)

pytestmark = pytest.mark.usefixtures("told_templates")


@pytest.fixture
def staff(client, site):
    client.force_login(
        User.objects.create_superuser("ann", "ann@example.org", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def article_form(**fields) -> dict:
    return {
        "headline": "The choir", "slug": "choir", "lead": "It sings.", "section": "exchanges",
        "body": "<p>Words.</p>", "visit": "", "source": "", "status": "published",
        "publish_at_0": "2026-01-01", "publish_at_1": "12:00:00", "updated_on": "",
        "change_note": "", "picture_alt": "", "picture_caption": "", "picture_credit": "",
        **fields,
    }  # fmt: skip


def test_article_is_published(staff, make_city):
    data = article_form(cities=[make_city("Jinzhou").pk])
    assert staff.post(reverse("admin:news_article_add"), data).status_code == 302
    assert "It sings." in staff.get("/news/choir/").text


def test_article_keeps_no_script(staff):
    data = article_form(body="<p>ok<script>alert(1)</script><a href='javascript:x'>y</a></p>")
    staff.post(reverse("admin:news_article_add"), data)
    body = Article.objects.get().body
    assert "ok" in body
    assert "script" not in body


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"updated_on": "2026-11-14"}, "change_note", "Say in one line what changed."),
        ({"slug": "feed"}, "slug", "This address belongs to the news feed."),
        ({"headline": ""}, "headline", "This field is required."),
        ({"headline": "x" * 141}, "headline", "at most 140 characters"),
    ],
)
def test_bad_article_gets_a_sentence_beside_the_field(staff, fields, field, sentence):
    response = staff.post(reverse("admin:news_article_add"), article_form(**fields))
    assert response.status_code == 200
    assert sentence in str(response.context["adminform"].form.errors[field])
    assert sentence in response.text
    assert not Article.objects.exists()


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://example.org/", "file:///etc/passwd"])
def test_feed_has_a_web_address(staff, url):
    data = {"title": "SCI", "url": url, "site_url": "", "order": "0", "is_active": "on"}
    response = staff.post(reverse("admin:news_feedsource_add"), data)
    assert "Enter a valid URL." in response.text
    assert not FeedSource.objects.exists()


def test_read_now_tells_what_came_of_it(staff, server, make_source):  # noqa: F811  (takes that fixture)
    good, bad = make_source(f"{server}/good"), make_source(f"{server}/missing", title="Gone")
    response = staff.post(
        reverse("admin:news_feedsource_changelist"),
        {"action": "read_now", "_selected_action": [good.pk, bad.pk]},
        follow=True,
    )
    assert "Sister Cities International: 2 headlines read." in response.text
    assert "Gone: The server answered 404." in response.text
    good.refresh_from_db()
    assert good.items == GOOD_ITEMS
    page = staff.get(reverse("admin:news_feedsource_change", args=[good.pk])).text
    assert "Young artists’ showcase" in page


def test_read_now_reads_only_a_few_at_once(staff, make_source):
    sources = [make_source(f"http://127.0.0.1:1/{number}") for number in range(6)]
    response = staff.post(
        reverse("admin:news_feedsource_changelist"),
        {"action": "read_now", "_selected_action": [source.pk for source in sources]},
        follow=True,
    )
    assert "at most 5 at once" in response.text
    assert not FeedSource.objects.exclude(tried_at=None).exists()


@pytest.mark.parametrize("name", ["article", "feedsource"])
def test_list_pages_ask_the_same_number_of_questions(
    staff, name, make_article, make_source, make_city, django_assert_num_queries,
    django_assert_max_num_queries,
):  # fmt: skip
    city = make_city("Jinzhou")

    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            visit = Visit.objects.create(
                slug=f"v{number}", title="V", city=city, direction="outbound", summary="x",
                starts_on=dt.date(2013, 1, 1),
            )  # fmt: skip
            make_article(f"a{number}", visit=visit, cities=[city])
            make_source(f"https://example.org/{number}")

    address = reverse(f"admin:news_{name}_changelist")
    fill(0, 3)
    staff.get(address)
    with django_assert_max_num_queries(9) as few:
        assert staff.get(address).status_code == 200
    fill(3, 30)
    with django_assert_num_queries(len(few)):
        assert staff.get(address).text.count("action-checkbox") > 29
