import datetime as dt
import logging
import re
from xml.etree import ElementTree

import pytest
from django.core.exceptions import PermissionDenied
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views import defaults

from sistercities.pages.models import Page
from sistercities.pages.views import form_expired

SHOWN = {"status": "published"}
LATER = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def about(db):
    return Page.objects.create(
        title="About us", slug="about", lede="Neighbors in Arvada.",
        body="<h3>How it began</h3><p>With a <strong>letter</strong>.</p>",
        change_note="A new board.", **SHOWN,
    )  # fmt: skip


def main_of(response: HttpResponse) -> str:
    return response.content.decode().split("<main", 1)[1].split("</main>")[0]


# --- pages ----------------------------------------------------------------------------------


def test_a_page_shows_title_lede_text_and_its_last_change(client, site, about):
    Page.objects.update(updated_at=dt.datetime(2026, 3, 4, 3, tzinfo=dt.UTC))
    response = client.get("/about/")
    page = response.content.decode()
    assert "<title>About us · Arvada Sister Cities</title>" in page
    assert '<meta name="description" content="Neighbors in Arvada.">' in page
    assert '<link rel="canonical" href="http://127.0.0.1:8000/about/">' in page
    main = main_of(response)
    assert "<h1>About us</h1>" in main
    assert '<p class="lede">Neighbors in Arvada.</p>' in main
    assert "<h2>How it began</h2><p>With a <strong>letter</strong>.</p>" in main
    assert "Updated March 3, 2026. A new board." in main  # the day in Arvada, not in Greenwich


def test_a_page_with_a_picture_shows_it_with_its_words(
    client, site, about, picture_file, finish_pictures
):
    about.picture = picture_file(1700, 1000)
    about.picture_alt, about.picture_credit = "Four people", "Photo: Ann Lee"
    about.save()
    finish_pictures()
    about.refresh_from_db()
    main = main_of(client.get("/about/"))
    assert 'alt="Four people"' in main
    assert f'src="/media/{about.picture.name[:-5]}.jpg"' in main
    assert '<span class="credit">Photo: Ann Lee</span>' in main
    assert 'fetchpriority="high"' in main


@pytest.mark.parametrize("slug", ["about", "contact", "privacy", "what-else-staff-write"])
def test_whatever_page_staff_write_has_its_address(client, site, slug):
    Page.objects.create(title="A page", slug=slug, **SHOWN)
    assert client.get(f"/{slug}/").status_code == 200


@pytest.mark.parametrize("state", [{"status": "draft"}, {"publish_at": LATER}])
def test_a_page_that_is_not_public_is_not_there(client, site, about, state):
    Page.objects.update(**state)
    assert client.get("/about/").status_code == 404


def test_a_page_asks_three_questions(client, site, about, django_assert_num_queries):
    with django_assert_num_queries(3):
        client.get("/about/")


def test_text_that_a_person_typed_is_not_run(client, site):
    Page.objects.create(
        title="<script>alert(1)</script>", slug="x", lede='"><img src=x onerror=alert(1)>',
        body="<p>{{ 7|add:7 }}</p><script>alert(2)</script>", **SHOWN,
    )  # fmt: skip
    page = client.get("/x/").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "{{ 7|add:7 }}" in page


def test_a_page_cannot_take_the_address_of_a_part_of_the_site(db):
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError) as refused:
        Page(title="x", slug="admin").full_clean()
    assert refused.value.message_dict == {"slug": ["This address belongs to a part of the site."]}


# --- what is not there ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/nothing/", "/nothing/here/at/all", "/cities/jinchang/", "/visits/x/", "/news/x/",
     "/favicon.ico", "/锦州/", "/a%00b/", "/%ff/"],
)  # fmt: skip
def test_an_address_that_is_not_there_helps_on(client, site, make_city, path):
    make_city("Jinzhou")
    response = client.get(path)
    assert response.status_code == 404
    main = main_of(response)
    assert "This page is not here" in main
    assert 'action="/search/"' in main
    assert '<a href="/cities/jinzhou/">Jinzhou</a>' in main
    assert 'content="noindex"' in response.content.decode()
    assert not response.cookies


def test_unknown_slugs_and_unknown_addresses_get_the_same_words(client, site):
    pages = [
        main_of(client.get(path)) for path in ("/nothing/", "/x/y/z", "/cities/x/", "/news/x/")
    ]
    assert len(set(pages)) == 1


def test_the_page_of_a_missing_page_works_before_anything_was_entered(client, db, settings):
    settings.DEBUG = False
    response = client.get("/nothing/")
    assert response.status_code == 404
    assert "This page is not here" in main_of(response)


def test_a_missing_page_asks_four_questions(client, site, make_city, django_assert_num_queries):
    """The settings, what surrounds it, the nearest addresses, the old addresses."""
    for cities in (1, 30):
        for number in range(cities):
            make_city(f"City {cities} {number}")
        with django_assert_num_queries(4):
            client.get("/x/y/z")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/cities/jinzhuo/", ["Jinzhou"]),
        ("/component/content/12-JINZHOU.html", ["Jinzhou"]),
        ("/visits/%6Aonzhou/", ["Jinzhou"]),
        ("/midleton-visit-of-2011/", ["Midleton"]),
        ("/wp-admin/setup.php", []),
        ("/42/", []),
        ("/%00/", []),
        (f"/{'jinzhou' * 200}/", []),
    ],
)
def test_what_a_reader_may_have_meant_is_offered(client, site, make_city, path, meant):
    for name, state in (("Jinzhou", "published"), ("Midleton", "published"), ("Jinzhow", "draft")):
        make_city(name, status=state)
    main = main_of(client.get(path)).split("Or begin with a city")[0]
    assert re.findall(r'<li><a href="/cities/\w+/">(\w+)</a><small>City</small>', main) == meant


def test_a_page_that_is_not_for_this_account(rf, site, admin_user):
    request = rf.get("/admin/")
    request.user, request.site = admin_user, site
    response = defaults.permission_denied(request, PermissionDenied("secret reason"))
    assert response.status_code == 403
    assert "Not for this account" in response.content.decode()
    assert 'href="/admin/"' in response.content.decode()
    assert "secret reason" not in response.content.decode()


# --- what broke -----------------------------------------------------------------------------


def test_the_page_of_a_fault_needs_no_database_and_no_list_of_static_files(settings):
    """No `db` here: a question to the database would fail this test."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {
            "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage",
            "OPTIONS": {"manifest_strict": True},
        },
    }
    response = defaults.server_error(RequestFactory().get("/"))
    page = response.content.decode()
    assert response.status_code == 500
    assert "Something broke on our side" in page
    assert '<link rel="stylesheet" href="/static/site/style.css">' in page
    assert "<script" not in page and "style=" not in page


def test_a_fault_of_the_database_shows_that_page(client, db, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL, "django.request")
    monkeypatch.setattr("sistercities.shared.models.SiteSettings.load", lambda: 1 / 0, raising=True)
    client.raise_request_exception = False
    response = client.get("/search/")
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()
    assert "ZeroDivisionError" not in response.content.decode()


# --- a form without its token ---------------------------------------------------------------


@pytest.fixture
def strict():
    return Client(enforce_csrf_checks=True)


def test_a_form_without_its_token_gets_a_plain_sentence(strict, site):
    page = "http://testserver/admin/login/"
    response = strict.post("/admin/login/", {"username": "x"}, HTTP_REFERER=page)
    assert response.status_code == 403
    assert "Please send the form again" in main_of(response)
    assert f'href="{page}"' in main_of(response)


@pytest.mark.parametrize(
    "referer",
    ["", "https://evil.example/", "javascript:alert(1)", "//evil.example/", "https://testserver@x"],
)
def test_the_way_back_leads_nowhere_else(rf, site, referer):
    request = rf.post("/admin/login/", headers={"referer": referer})
    request.site = site
    main = main_of(form_expired(request, reason="x"))
    assert f'href="{reverse("pages:home")}"' in main
    assert "evil" not in main and "javascript" not in main


def test_django_uses_our_page_for_it(settings):
    assert settings.CSRF_FAILURE_VIEW == "sistercities.pages.views.form_expired"
    assert "django.middleware.csrf.CsrfViewMiddleware" in settings.MIDDLEWARE


@pytest.mark.parametrize("path", ["/admin/login/", "/donate/"])
def test_a_page_with_a_guarded_form_tells_our_own_site_where_it_came_from(client, site, path):
    """Under `no-referrer` browsers send `Origin: null`, and Django refuses every form."""
    response = client.get(path)
    assert "csrfmiddlewaretoken" in response.content.decode()
    assert response["Referrer-Policy"] != "no-referrer"


def test_the_forms_of_the_staff_pages_can_be_sent(admin_client, site):
    for path in ("/admin/pages/page/add/", "/admin/password_change/", "/admin/pages/page/"):
        assert admin_client.get(path)["Referrer-Policy"] == "same-origin"


def test_an_origin_of_null_is_what_django_refuses(rf):
    request = rf.post("/", headers={"origin": "null"})
    assert not CsrfViewMiddleware(lambda _: HttpResponse())._origin_verified(request)


# --- for machines ---------------------------------------------------------------------------


def test_robots_are_told_where_the_map_is(client, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        response = client.get("/robots.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode() == (
        "User-agent: *\nDisallow: /admin/\nDisallow: /search/\nDisallow: /replies/\n"
        "Sitemap: http://127.0.0.1:8000/sitemap.xml\n"
    )


def test_the_map_names_every_public_page_and_no_other(
    client, site, about, home_city, make_city, django_assert_num_queries
):
    from donations.models import Campaign
    from exchanges.models import Event, Gallery, Visit
    from sistercities.news.models import Article

    city = make_city("Jinzhou")
    day = dt.date(2013, 9, 7)
    for suffix, state in (
        ("", SHOWN),
        ("-draft", {"status": "draft"}),
        ("-later", {**SHOWN, "publish_at": LATER}),
    ):
        Visit.objects.create(
            title="V", slug=f"v{suffix}", city=city, direction="outbound", starts_on=day, **state
        )
        Gallery.objects.create(title="G", slug=f"g{suffix}", city=city, **state)
        Event.objects.create(title="E", slug=f"e{suffix}", starts_on=day, **state)
        Article.objects.create(headline="A", slug=f"a{suffix}", **state)
        Campaign.objects.create(title="C", slug=f"c{suffix}", goal_cents=1, **state)
        Page.objects.create(title="P", slug=f"p{suffix}", **state)
    Page.objects.filter(slug="about").update(updated_at=dt.datetime(2026, 3, 4, 3, tzinfo=dt.UTC))
    with django_assert_num_queries(1):
        response = client.get("/sitemap.xml", headers={"host": "localhost"})
    assert response["Content-Type"] == "application/xml"
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    entries = {
        url.findtext("s:loc", namespaces=space).removeprefix("http://127.0.0.1:8000"): url.findtext(
            "s:lastmod", namespaces=space
        )
        for url in ElementTree.fromstring(response.content).findall("s:url", space)
    }
    assert sorted(entries) == [
        "/", "/about/", "/cities/", "/cities/arvada/", "/cities/jinzhou/", "/documents/",
        "/donate/", "/donate/c/", "/events/", "/events/e/", "/galleries/", "/galleries/g/",
        "/news/", "/news/a/", "/newsletter/", "/p/", "/visits/", "/visits/v/",
    ]  # fmt: skip
    assert entries["/about/"] == "2026-03-04"
    assert all(entries[path] for path in entries if path.count("/") == 3)
    for path in entries:
        assert client.get(path).status_code == 200, path


def test_the_map_of_an_empty_site(client, db):
    assert client.get("/sitemap.xml").status_code == 200
    assert client.get("/sitemap.xml?p=2").status_code == 404
    assert client.get("/sitemap.xml?p=x").status_code == 404


def test_life_is_shown_without_the_database(client):
    """No `db` here: a question to the database would fail this test."""
    response = client.get("/healthz/")
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db(transaction=True)
def test_ready_when_every_part_answers(client):
    response = client.get("/readyz/")
    assert response.status_code == 200
    assert response.content.decode() == "database: ok\ncache: ok\npictures: ok\nprivate files: ok\n"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db(transaction=True)
def test_not_ready_when_pictures_cannot_be_written(client, settings, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    response = client.get("/readyz/")
    assert response.status_code == 503
    lines = response.content.decode().splitlines()
    assert lines[0] == "database: ok"
    assert lines[2] == "pictures: Unavailable: Not a directory"
    assert str(tmp_path) not in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_not_ready_when_the_table_of_the_cache_is_missing(client, settings, caplog):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "missing",
        }
    }  # fmt: skip
    response = client.get("/readyz/")
    assert response.status_code == 503
    assert response.content.decode().splitlines()[1].startswith("cache: Unavailable: ")


@pytest.mark.django_db(transaction=True)
def test_not_ready_when_the_database_does_not_answer(client, monkeypatch, caplog):
    from django.db import OperationalError

    def gone(*args, **kwargs):
        raise OperationalError('no answer from "db.inside" at 10.0.0.5: password=hunter2')

    monkeypatch.setattr(BaseDatabaseWrapper, "temporary_connection", gone)
    response = client.get("/readyz/")
    assert response.status_code == 503
    first, *_ = response.content.decode().splitlines()
    assert first == "database: Unavailable: no answer from … at …"


@pytest.mark.parametrize("query", ["?format=json", "?format=atom", "?format=openmetrics"])
@pytest.mark.django_db(transaction=True)
def test_ready_has_one_form_only(client, query):
    assert client.get(f"/readyz/{query}")["Content-Type"] == "text/plain; charset=utf-8"
