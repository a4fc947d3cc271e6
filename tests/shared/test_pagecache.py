"""Pages that are stored and given out before Django begins (docs/decisions/0022).

Asked through the whole application as a web server asks it; `reached` are the paths of which
Django heard.
"""

import datetime as dt
import gzip
import math
import os
import re
import subprocess
import sys
import threading
from types import ModuleType, SimpleNamespace

import brotli
import pytest
from csp.constants import NONCE
from csp.decorators import csp_update
from django.conf import settings as project
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, connections
from django.http import HttpResponse
from django.test.client import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import path as at

from sistercities import access
from sistercities.shared import pagecache, stamps
from sistercities.wsgi import application
from tests.test_access import FILES, one_of_each, path_of, public_pages, who_may  # noqa: F401

NOW = dt.datetime(2026, 11, 21, 19, 1, tzinfo=dt.UTC)  # one past noon in Arvada
UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}
# Public, and not the same for everybody: forms with a token, questions, puzzles, files, health.
NEVER_STORED = {
    "donations:give", "donations:campaign", "donations:tickets", "donations:my_gifts",
    "donations:link_sent", "newsletter:challenge", "pages:search", "pages:healthz", "pages:readyz",
    "admin:login", *FILES,
}  # fmt: skip


@pytest.fixture(autouse=True)
def anew(monkeypatch, settings):
    """An empty store, and a clock that stands at a minute past an hour."""
    settings.CLOCK = NOW
    monkeypatch.setattr(pagecache, "store", pagecache.Store())
    monkeypatch.setattr(stamps, "_seen", None)
    monkeypatch.setattr(stamps, "_looked_at", -math.inf)
    for signal in (request_started, request_finished):  # the connection is the test's own
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def reached(monkeypatch) -> list[str]:
    paths: list[str] = []
    django = application.application

    def noted(environ, start_response):
        paths.append(environ["PATH_INFO"])
        return django(environ, start_response)

    monkeypatch.setattr(application, "application", noted)
    return paths


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """`with committed():` what is written in it is written for all."""

    def begin():
        connection.run_on_commit.clear()  # what the test wrote before it was written long ago
        return django_capture_on_commit_callbacks(execute=True)

    return begin


def ask(address: str, method: str = "GET", **headers: str) -> SimpleNamespace:
    """What a server sends: `status`, `headers` by their names in small letters, `bytes`, `text`."""
    path, _mark, query = address.partition("?")
    factory = RequestFactory()
    factory.cookies.clear()
    environ = factory.generic(method, path, QUERY_STRING=query, **headers).environ
    environ = {"HTTP_HOST": "localhost", **environ}
    if "HTTP_COOKIE" not in headers:
        del environ["HTTP_COOKIE"]
    told: list = []
    parts = application(environ, lambda status, pairs, _=None: told.append((status, pairs)))
    sent = b"".join(parts)
    getattr(parts, "close", lambda: None)()
    [(status, pairs)] = told
    found = {name.lower(): value for name, value in pairs}
    packed = found.get("content-encoding", "")
    return SimpleNamespace(
        status=int(status[:3]), headers=found, bytes=sent,
        text=UNPACK.get(packed, bytes)(sent).decode() if sent else "",
    )  # fmt: skip


def usual(page: SimpleNamespace) -> dict[str, object]:
    """The headers beside those of the store itself."""
    own = {"etag", "vary", "content-length", "content-encoding"}
    found: dict[str, object] = {
        name: text for name, text in page.headers.items() if name not in own
    }
    policy = str(found["content-security-policy"])  # its parts come in any order
    return {**found, "content-security-policy": sorted(policy.split("; "))}


def stored(*addresses: str) -> None:
    for address in addresses:
        assert ask(address).status == 200


def article(**fields):
    from sistercities.news.models import Article

    values = {"headline": "Bread", "slug": "bread", "lead": "Who.", "status": "published",
              "publish_at": NOW - dt.timedelta(days=2)}  # fmt: skip
    return Article.objects.create(**{**values, **fields})


# --- what is given out ----------------------------------------------------------------------


def test_a_stored_page_is_byte_for_byte_the_one_that_django_makes(
    site, make_city, reached, settings
):
    make_city()
    article()
    paths = ["/", "/cities/jinzhou/", "/cities/style.css", "/news/feed/", "/robots.txt"]
    settings.PAGE_STORE_MB = 0
    made = {path: ask(path) for path in paths}
    settings.PAGE_STORE_MB = 64
    stored(*paths)
    reached.clear()
    for path in paths:
        plain, zipped, best = (
            ask(path, HTTP_ACCEPT_ENCODING=taken)
            for taken in ("br;q=0, *", "gzip, deflate", "gzip, deflate, br, zstd")
        )
        assert plain.bytes == made[path].bytes
        assert {page.text for page in (plain, zipped, best)} == {made[path].text}
        sizes = [int(page.headers["content-length"]) for page in (plain, zipped, best)]
        assert sizes == [len(page.bytes) for page in (plain, zipped, best)]
        assert sizes == sorted(sizes, reverse=True)
        for page in (plain, zipped, best):
            own = {"etag", "vary", "content-length", "content-encoding"}
            others = {name: value for name, value in page.headers.items() if name not in own}
            usual = {name: value for name, value in made[path].headers.items() if name not in own}
            policy = [
                sorted(head.pop("content-security-policy").split("; ")) for head in (others, usual)
            ]
            assert (others, policy[0]) == (usual, policy[1])
            assert page.headers["vary"] == "Accept-Encoding"
            head = ask(path, "HEAD", HTTP_ACCEPT_ENCODING="br" if page is best else "")
            assert (head.status, head.bytes) == (200, b"")
            assert head.headers["etag"] == page.headers["etag"]
        etag = best.headers["etag"]
        for known in (etag, f'"other", {etag}', etag.removeprefix("W/"), "*"):
            same = ask(path, HTTP_IF_NONE_MATCH=known)
            assert (same.status, same.bytes, same.headers["etag"]) == (304, b"", etag)
        assert ask(path, HTTP_IF_NONE_MATCH='"other"').status == 200
        assert ask(path, HTTP_RANGE="bytes=0-9").bytes == plain.bytes  # ranges are for files
    assert reached == []


def test_the_first_reader_gets_what_the_next_ones_get(site, django_assert_num_queries):
    first = ask("/", HTTP_ACCEPT_ENCODING="br")
    with CaptureQueriesContext(connection) as asked:
        second = ask("/", HTTP_ACCEPT_ENCODING="br")
    assert (first.bytes, first.headers) == (second.bytes, second.headers)
    assert second.headers["content-encoding"] == "br"
    assert len(asked) <= 1  # the stamp, where the cache is in the database
    known = ask("/cities/", HTTP_IF_NONE_MATCH="*")
    assert (known.status, known.bytes) == (304, b"")


def test_every_public_page_is_stored_and_reads_only_what_is_watched(one_of_each, reached):  # noqa: F811
    """A table that is not declared shows here: its pages are not stored (stamps)."""
    opened, not_stored, marked = set(), set(), set()
    for found in public_pages():
        if who_may(found).get("GET") != access.PUBLIC:
            continue
        path = path_of(found, slug=one_of_each.get(found.name, "nonsense"))
        before = len(pagecache.store.pages)
        page = ask(f"{path}?zzmark=1", HTTP_ACCEPT_ENCODING="br")
        opened.add(found.name)
        if found.name not in FILES and "zzmark" in page.text:
            marked.add(found.name)
        if len(pagecache.store.pages) == before:
            not_stored.add(found.name)
    assert not_stored == NEVER_STORED & opened
    assert marked == set()  # nothing of the address but what a view asks for by name
    assert len(opened) > 30


def test_no_table_is_declared_that_no_page_shows(one_of_each):  # noqa: F811
    """What is declared without need drops pages without need."""
    from donations.models import Ticket
    from exchanges.models import Day, Event, Visit

    Event.objects.update(starts_on=NOW.date())
    Day.objects.create(visit=Visit.objects.get(), number=1, on=dt.date(2013, 9, 7), title="One")
    Ticket.objects.create(
        event=Event.objects.get(), title="A seat", what="Supper", price_cents=20, value_cents=15
    )
    for found in public_pages():
        if who_may(found).get("GET") == access.PUBLIC and found.name not in NEVER_STORED:
            stored(path_of(found, slug=one_of_each.get(found.name, "nonsense")))
    read = {table for page in pagecache.store.pages.values() for table in page.tables}
    assert set(stamps.shown_tables()) - read == {"newsletter_issue_topics"}  # it comes with Issue


# --- what drops them ------------------------------------------------------------------------


def test_what_staff_change_is_on_the_next_page(site, make_city, reached, committed):
    city = make_city("Jinzhou")
    stored("/", "/cities/jinzhou/", "/news/", "/news/feed/")

    def seen(words: str, *addresses: str) -> list[bool]:
        return [words in ask(address).text for address in addresses]

    with committed():
        row = article(headline="Bread came")
    assert seen("Bread came", "/", "/news/", "/news/feed/", "/news/bread/") == [True] * 4
    with committed():
        type(row).objects.filter(pk=row.pk).update(headline="Bread went")  # no signal says so
    assert seen("Bread went", "/", "/news/", "/news/feed/", "/news/bread/") == [True] * 4
    with committed():
        row.cities.add(city)
    assert seen("Bread went", "/cities/jinzhou/") == [True]
    with committed():
        type(row).objects.bulk_update([type(row)(pk=row.pk, status="draft")], ["status"])
    assert seen("Bread went", "/", "/news/", "/news/feed/", "/cities/jinzhou/") == [False] * 4
    assert ask("/news/bread/").status == 404
    with committed():
        site.nonprofit_line = "Run by neighbors."
        site.save()
    assert seen("Run by neighbors.", "/", "/news/") == [True] * 2
    with committed(), connection.cursor() as cursor:
        cursor.execute("UPDATE cities_city SET summary = 'By hand.' WHERE id = %s", [city.pk])
    assert seen("By hand.", "/cities/jinzhou/") == [True]
    reached.clear()
    with committed():
        city.delete()
    assert [ask("/cities/jinzhou/").status, *seen("Jinzhou", "/")] == [404, False]
    assert reached == ["/cities/jinzhou/", "/"]


def test_what_pages_do_not_show_drops_nothing(site, make_city, reached, committed, client):
    from donations.models import Campaign, Donation
    from sistercities.newsletter.models import Subscriber

    make_city()
    Campaign.objects.create(title="A bus", slug="bus", goal_cents=100, status="published")
    stored("/", "/cities/jinzhou/", "/news/feed/")
    reached.clear()
    with committed():
        client.force_login(get_user_model().objects.create_user("ann"))
        cache.set("limit", 1)
        Subscriber.objects.create(email="ann@example.org")
        gift = Donation.objects.create(amount_cents=500, email="ann@example.org", form_token="a")
        Donation.objects.filter(pk=gift.pk).update(state="open", email="bo@example.org")
    stored("/", "/cities/jinzhou/", "/news/feed/")
    assert reached == []
    with committed():
        make_city("Kyzylorda")
    stored("/", "/cities/jinzhou/", "/news/feed/")
    assert reached == ["/", "/cities/jinzhou/"]  # the feed shows no city


def test_a_row_that_is_saved_alone_drops_them_once_it_is_there(
    site, make_city, reached, transactional_db
):
    """Outside a transaction. SQLite commits an insert when its answer has been read, no sooner."""
    from exchanges.models import Gallery

    city = make_city()
    stored("/galleries/")
    row = Gallery.objects.create(
        title="Bread", slug="bread", city=city, status="published", publish_at=NOW
    )
    assert "Bread" in ask("/galleries/").text
    row.title = "Milk"
    row.save()
    assert "Milk" in ask("/galleries/").text
    row.delete()
    assert "Milk" not in ask("/galleries/").text
    assert reached == ["/galleries/"] * 4


def test_a_change_that_is_taken_back_drops_nothing(site, reached, transactional_db):
    from django.db import transaction

    stored("/news/")
    reached.clear()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        article()
        1 / 0  # noqa: B018
    stored("/news/")
    assert reached == []
    with transaction.atomic():
        article()
        stored("/news/")  # written, and not yet for all
        assert reached == []
    assert "Bread<" in ask("/news/").text


def test_a_gift_moves_the_progress_of_its_campaign(site, committed, admin_user):
    from donations import offline
    from donations.models import Campaign, GiftBatch, OfflineGift

    bus = Campaign.objects.create(
        title="A bus", slug="bus", summary="For a bus.", goal_cents=10_000, status="published",
        designation="Bus", publish_at=NOW,
    )  # fmt: skip
    assert "$0" in ask("/").text
    batch = GiftBatch.objects.create(title="Mail", deposit_cents=2500)
    OfflineGift.objects.create(
        batch=batch, amount_cents=2500, donor_name="Ann", given_on=NOW.date(), campaign=bus,
        check_number="1",
    )  # fmt: skip
    with committed():
        offline.book(batch=batch, by=admin_user)
    assert "$25" in ask("/").text


def test_a_consent_that_is_taken_back_takes_the_photo_off(site, make_city, committed, admin_user):
    from exchanges import consenting
    from exchanges.models import Gallery, GuardianConsent, Photo

    album = Gallery.objects.create(
        title="Album", slug="album", city=make_city(), status="published", publish_at=NOW
    )
    consent = GuardianConsent.objects.create(
        child="Li", guardian="Ms. Li", given_on=NOW.date(), for_web=True,
        expires_on=NOW.date(),
    )  # fmt: skip
    photo = Photo.objects.create(
        gallery=album, picture="photos/a.webp", picture_alt="The choir", picture_width=800,
        picture_height=600, people="minors",
    )  # fmt: skip
    photo.consents.add(consent)
    paths = ["/galleries/album/", "/galleries/album/feed/", f"/galleries/album/{photo.pk}/"]
    assert ["The choir" in ask(path).text for path in paths] == [True] * 3
    with committed():
        consenting.withdraw(consent=consent, by=admin_user)
    assert ["The choir" in ask(path).text for path in paths] == [False] * 3


def test_another_picture_is_another_address(site, make_city, committed):
    city = make_city()
    type(city).objects.filter(pk=city.pk).update(picture="cities/old.webp", picture_width=800)
    assert "cities/old" in ask("/cities/jinzhou/").text
    with committed():
        type(city).objects.filter(pk=city.pk).update(picture="cities/new.webp")
    page = ask("/cities/jinzhou/").text
    assert ("cities/old" in page, "cities/new" in page) == (False, True)


def test_what_is_scheduled_comes_at_its_moment(site, make_city, settings, reached):
    make_city()
    article(publish_at=NOW + dt.timedelta(seconds=20, microseconds=5))
    stored("/news/", "/cities/")
    settings.CLOCK = NOW + dt.timedelta(seconds=20)
    reached.clear()
    assert "Bread<" not in ask("/news/").text
    assert reached == []
    settings.CLOCK = NOW + dt.timedelta(seconds=21)
    assert "Bread<" in ask("/news/").text
    stored("/cities/")
    assert reached == ["/news/"]  # the other page shows no news
    settings.CLOCK = NOW - dt.timedelta(seconds=1)  # a clock that was set back
    assert "Bread<" not in ask("/news/").text


@pytest.mark.parametrize("zone", ["America/Denver", "Asia/Kathmandu", "Asia/Shanghai"])
def test_a_day_ends_on_time_in_every_zone(site, settings, zone):
    from zoneinfo import ZoneInfo

    from exchanges.models import Event

    site.time_zone = zone
    site.save()
    last = dt.date(2026, 11, 21)
    Event.objects.create(
        title="Lanterns", slug="supper", summary="Eat.", starts_on=last, status="published",
        publish_at=NOW - dt.timedelta(days=9),
    )  # fmt: skip
    midnight = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), ZoneInfo(zone))
    settings.CLOCK = midnight - dt.timedelta(seconds=1)
    assert "Lanterns" in ask("/events/").text
    assert "This event is over" not in ask("/events/supper/").text
    settings.CLOCK = midnight
    assert "Lanterns" not in ask("/events/").text
    assert "This event is over" in ask("/events/supper/").text


def test_no_page_is_older_than_a_minute(site, settings, reached):
    stored("/")
    type(site).objects.update(headline="Nobody was told")  # as if the process was killed then
    reached.clear()
    settings.CLOCK = NOW + dt.timedelta(seconds=59)
    assert "Nobody was told" not in ask("/").text
    settings.CLOCK = NOW + dt.timedelta(seconds=60)
    assert "Nobody was told" in ask("/").text
    assert reached == ["/"]


# --- all processes --------------------------------------------------------------------------

ELSEWHERE = """
import django; django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {name!r}
from sistercities.news.models import Article
Article.objects.filter(slug="bread").update(headline="Written elsewhere")
"""


def test_another_process_drops_it_here_at_once(site, transactional_db, reached):
    article()
    stored("/news/", "/cities/")
    name = str(connection.settings_dict["NAME"])
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "sistercities.settings"}
    reached.clear()
    stored("/news/")
    assert reached == []
    subprocess.run(
        [sys.executable, "-c", ELSEWHERE.format(name=name)],
        check=True, cwd=project.BASE_DIR, env=environment, timeout=60,
    )  # fmt: skip
    assert "Written elsewhere" in ask("/news/").text
    stored("/cities/")
    assert reached == ["/news/"]


def test_a_cache_that_lost_its_memory_drops_everything(site, reached):
    stored("/")
    cache.clear()
    stamps._looked_at = -math.inf
    reached.clear()
    stored("/")
    assert reached == ["/"]


def test_pages_are_made_as_ever_while_the_cache_is_away(site, reached, settings, committed, caplog):
    stored("/")
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache",
                                   "LOCATION": "redis://127.0.0.1:9/0"}}  # fmt: skip
    stamps._looked_at = -math.inf
    reached.clear()
    with committed():
        site.headline = "Still here"
        site.save()
    assert "Still here" in ask("/").text
    stored("/")
    assert reached == ["/", "/"]
    assert "Stored pages will not hear of a change" in caplog.text


# --- what is never stored -------------------------------------------------------------------


def test_no_page_of_a_person_is_stored(one_of_each, make_city):  # noqa: F811
    """Every address that is not public, asked for without a name, with and without its token."""
    from exchanges.models import Gallery, GalleryLink
    from sistercities.newsletter.models import Subscriber

    link = GalleryLink.objects.create(gallery=Gallery.objects.get(), note="Ms. Li")
    reader = Subscriber.objects.create(
        email="ann@example.org", status="confirmed", confirmed_at=NOW
    )
    opened = [f"/galleries/shared/{link.token}/", reader.preferences_url]
    opened = [address.removeprefix(project.SITE_URL) for address in opened]
    assert [ask(address).status for address in opened] == [200, 200]
    for found in access.addresses():
        methods = who_may(found)
        if access.PUBLIC not in methods.values() and access.DEVELOPER not in methods.values():
            ask(path_of(found))
    assert ask("/nothing/here/").status == 404
    assert ask("/admin/login/").status == 200
    assert not pagecache.store.pages


@pytest.mark.parametrize(
    "name, value",
    [
        ("HTTP_COOKIE", f"a=b; {project.SESSION_COOKIE_NAME}=x"),
        ("HTTP_COOKIE", f"{project.CSRF_COOKIE_NAME}=x"),
        ("HTTP_COOKIE", "messages=x"),
        ("HTTP_AUTHORIZATION", "Basic YTpi"),
    ],
)
def test_who_brings_a_name_is_answered_by_django(site, reached, name, value):
    ask("/", **{name: value})
    assert not pagecache.store.pages
    stored("/")
    assert ask("/", **{name: value}).status == 200
    assert reached == ["/"] * 3
    assert ask("/", HTTP_COOKIE="theme=dark; _ga=1").status == 200
    assert reached == ["/"] * 3


def test_other_methods_go_to_django(site, reached):
    stored("/newsletter/")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        ask("/newsletter/", method)
    assert reached == ["/newsletter/"] * 5
    ask("/cities/", "HEAD")
    assert len(pagecache.store.pages) == 1


def addresses(settings, **views) -> None:
    """From now on the site is these views alone, each at an address of its name."""
    module = ModuleType("addresses")
    module.urlpatterns = [at(f"{name}/", view) for name, view in views.items()]
    settings.ROOT_URLCONF = module


def public(**headers: str) -> HttpResponse:
    return HttpResponse("x" * 500, headers={"Cache-Control": "public, max-age=30", **headers})


def with_a_cookie(request):
    response = public()
    response.set_cookie("theme", "dark")
    return response


def with_a_form(request):
    from django.middleware.csrf import get_token

    return public(**{"X-Length": str(len(get_token(request)))})


@csp_update({"script-src": NONCE})
def with_a_nonce(request):
    return public(**{"X-Nonce": str(request.csp_nonce)})


def with_a_session(request):
    return public(**{"X-Visits": str(request.session.get("visits", 0))})


def who_asks(request):
    return public(**{"X-Who": str(request.user)})


def of_a_table_that_nobody_watches(request):
    from sistercities.newsletter.models import Subscriber

    return public(**{"X-Count": str(Subscriber.objects.count())})


def everything_asked(request):
    return public(**{"X-All": str(sorted(request.GET.items()))})


def streamed(request):
    from django.http import StreamingHttpResponse

    return StreamingHttpResponse([b"x"], headers={"Cache-Control": "public"})


VIEWS = {
    "good": lambda request: public(),
    "quiet": lambda request: HttpResponse("x"),
    "private": lambda request: public(**{"Cache-Control": "private, max-age=9"}),
    "both": lambda request: public(**{"Cache-Control": "public, no-store"}),
    "revalidated": lambda request: public(**{"Cache-Control": "public, no-cache"}),
    "odd_vary": lambda request: public(Vary="Accept-Encoding, X-Colour"),
    "vary_all": lambda request: public(Vary="*"),
    "packed": lambda request: public(**{"Content-Encoding": "zstd"}),
    "missing": lambda request: HttpResponse("x", status=404, headers={"Cache-Control": "public"}),
    "moved": lambda request: HttpResponse(status=301, headers={"Cache-Control": "public"}),
    "cookie": with_a_cookie, "form": with_a_form, "nonce": with_a_nonce, "who": who_asks,
    "session": with_a_session, "unwatched": of_a_table_that_nobody_watches,
    "everything": everything_asked, "streamed": streamed,
}  # fmt: skip


def test_only_what_says_that_it_is_the_same_for_all_is_stored(site, settings):
    addresses(settings, **VIEWS)
    for name in VIEWS:
        assert ask(f"/{name}/").status < 500, name
    assert [key[3] for key in pagecache.store.pages] == ["/good/"]


# --- addresses ------------------------------------------------------------------------------


def test_noise_in_an_address_makes_no_entry(site, reached):
    for n in range(60):
        article(
            headline=f"Number {n:02}.", slug=f"n{n}", publish_at=NOW - dt.timedelta(days=60 - n)
        )
    first = ask("/news/").text
    next_page = re.search(r'href="\?(after=[^"]+)" rel="next"', first)[1]
    for noise in ("utm_source=x", "fbclid=1&after", "b=2&a=1", "after", "section=", "x" * 400):
        assert ask(f"/news/?{noise}").status == 200
    pages = len(pagecache.store.pages)
    reached.clear()
    for n in range(50):
        assert ask(f"/news/?utm_source={n}").text == first
        second = ask(f"/news/?{next_page}").text
        assert ask(f"/news/?{next_page}&utm_source={n}").text == second != first
        assert ask(f"/news/?after=x&{next_page}&z={n}").text == second
    assert reached == ["/news/"]  # the second page, once
    assert len(pagecache.store.pages) == pages + 1
    assert len({first, ask("/news/?section=nonsense").text, second}) == 3
    for bad in ("?after=-1", "?after=%00", "?after=%ff", "?" + "after=1&" * 2000):
        assert ask(f"/news/{bad}").status in {200, 400}


def test_a_parameter_that_only_some_answers_read_keeps_them_apart(site, settings, monkeypatch):
    def view(request):
        shown = "past" if request.GET.get("past") == "1" else f"page {request.GET.get('page')}"
        return HttpResponse(shown, headers={"Cache-Control": "public"})

    addresses(settings, list=view)
    for _again in range(2):
        assert ask("/list/?past=1&page=2").text == "past"
        assert ask("/list/?page=2").text == "page 2"
        assert ask("/list/?past=1").text == "past"
        assert ask("/list/?page=").text == "page "
        assert ask("/list/").text == "page None"
    asked = pagecache.ask({**RequestFactory().get("/?a=1&b=1").environ, "HTTP_HOST": "localhost"})
    assert asked.key(["a"]) != asked.key(["b"])


def test_a_head_that_is_not_in_the_key_changes_no_page(site, reached):
    made = ask("/news/").text
    for name, value in {
        "HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_X_ORIGINAL_URL": "/admin/",
        "HTTP_X_REWRITE_URL": "/admin/", "HTTP_FORWARDED": "host=evil.example",
        "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_HTTP_METHOD_OVERRIDE": "POST",
        "HTTP_ACCEPT_LANGUAGE": "zh", "HTTP_X_FORWARDED_PREFIX": "/evil", "HTTP_ORIGIN": "evil",
    }.items():  # fmt: skip
        pagecache.store = pagecache.Store()
        assert ask("/news/", **{name: value}).text == made, name
        assert ask("/news/").text == made, name


def test_another_host_or_scheme_has_pages_of_its_own(site, reached, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    stored("/news/")
    for head in ({"HTTP_HOST": "127.0.0.1"}, {"HTTP_X_FORWARDED_PROTO": "https"},
                 {"wsgi.url_scheme": "https"}):  # fmt: skip
        assert ask("/news/", **head).status == 200
    assert reached == ["/news/"] * 4
    for _again in range(2):
        assert ask("/news/", HTTP_HOST="evil.example").status == 400
    assert len(pagecache.store.pages) == 4


def test_ten_thousand_addresses_take_no_more_than_they_may(site, settings):
    settings.PAGE_STORE_MB = 1
    stored("/news/")
    [page] = pagecache.store.pages.values()
    asked = pagecache.ask({**RequestFactory().get("/").environ, "HTTP_HOST": "localhost"})
    for n in range(10_000):
        address = pagecache.Asked(asked.site, f"/news/{n}/", b"", asked.stamps)
        pagecache.store.keep(page, address, set())
    held = pagecache.store.pages
    assert pagecache.store.size == sum(page.size for page in held.values()) <= 1_000_000
    assert (len(held) > 50, next(reversed(held))[3]) == (True, "/news/9999/")
    assert len(pagecache.store._names) <= pagecache.MOST_PATHS


def test_many_who_ask_at_once_have_it_made_once(site, settings, reached, transactional_db):
    made, gate = [], threading.Event()

    def slow(request):
        made.append(1)
        if len(made) > 1:
            gate.wait(5)
        return public()

    addresses(settings, slow=slow)
    stored("/slow/")
    settings.CLOCK = NOW + dt.timedelta(seconds=60)
    answers: list[int] = []

    def visit():
        answers.append(ask("/slow/").status)
        connections.close_all()

    threads = [threading.Thread(target=visit) for _ in range(6)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert (answers, len(made)) == ([200] * 6, 2)
