"""The table of who may use what, held against the URL patterns and against real answers."""

import datetime as dt
import json
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.http import HttpResponseForbidden
from django.urls import NoReverseMatch, reverse
from django.urls.converters import IntConverter, UUIDConverter

from sistercities import access

# The forms of giving carry a token against forgery, whose other half is a cookie.
MAY_SET_A_COOKIE = {
    "donations:give", "donations:campaign", "donations:tickets", "donations:my_gifts",
    "admin:login",
}  # fmt: skip
FILES = {  # there is none here
    "pages:media", "pages:document", "pages:share_picture", "exchanges:gallery_zip", "cities:map",
}  # fmt: skip
SIGNING_IN = {"admin:login", "admin:logout"}


def who_may(found: access.Address) -> dict[str, str]:
    return access.TABLE[access.rule_for(found.name)]


def staff_pages() -> list[access.Address]:
    return [found for found in access.addresses() if found.name.startswith("admin:")]


def public_pages() -> list[access.Address]:
    return [
        found
        for found in access.addresses()
        if not found.name.startswith("admin:") and access.DEVELOPER not in who_may(found).values()
    ]


def path_of(found: access.Address, **known: object) -> str:
    """An address that fits a pattern: parts that are not `known` are filled with nonsense."""
    if not found.name or found.name == "admin:":
        return found.path.replace("<path:object_id>", "1")
    parts = {}
    for part, converter in found.pattern.pattern.converters.items():
        filler = 1 if isinstance(converter, IntConverter) else "nonsense"
        if isinstance(converter, UUIDConverter):
            filler = "00000000-0000-0000-0000-000000000000"
        parts[part] = known.get(part, filler)
    if found.name == "admin:app_list":
        parts = {"app_label": "cities"}
    return reverse(found.name, kwargs=parts)


@pytest.fixture
def one_of_each(site, home_city, make_city) -> dict[str, str]:
    """A published row of every public kind: the slug of each, by the pattern that shows it."""
    from cities.models import Place, Source
    from donations.models import Campaign
    from exchanges.models import Event, Gallery, Photo, Visit
    from sistercities.comments.models import Comment
    from sistercities.news.models import Article
    from sistercities.newsletter.models import Issue
    from sistercities.pages.models import Page

    city = make_city("Jinzhou", native_name="锦州", native_language="zh-Hans")
    source = Source.objects.create(title="Atlas")
    Place.objects.create(city=city, name="Hill", text="A hill.", source=source)
    day = dt.date(2013, 9, 7)
    shown = {"status": "published"}
    visit = Visit.objects.create(
        title="The gardens", slug="gardens", city=city, direction="outbound", stage="completed",
        starts_on=day, summary="Five days.", **shown,
    )  # fmt: skip
    gallery = Gallery.objects.create(title="Album", slug="album", city=city, visit=visit, **shown)
    Photo.objects.bulk_create(
        [Photo(pk=1, gallery=gallery, picture="photos/a.webp", picture_alt="A", people="none")]
    )
    Event.objects.create(
        title="Supper", slug="supper", summary="Eat.", city=city, starts_on=day, **shown
    )
    Article.objects.create(headline="News", slug="story", lead="Who.", **shown)
    Page.objects.create(title="About", slug="about", **shown)
    Comment.objects.create(pk=1, city=city, name="Ann", text="Hello.", state="published")
    then = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    Issue.objects.create(
        subject="Letter", slug="letter", status="sent", send_at=then, began_at=then, people=1
    )
    Campaign.objects.create(
        title="A bus", slug="bus", summary="For a bus.", goal_cents=100, designation="Bus",
        visit=visit, **shown,
    )  # fmt: skip
    return {
        "cities:detail": "jinzhou", "cities:figures": "jinzhou", "cities:day": "jinzhou",
        "exchanges:city_calendar": "jinzhou",
        "exchanges:visit": "gardens", "exchanges:gallery": "album", "exchanges:photo": "album",
        "exchanges:gallery_feed": "album", "exchanges:event": "supper",
        "exchanges:event_ics": "supper", "news:detail": "story", "pages:page": "about",
        "donations:campaign": "bus", "donations:tickets": "supper",
        "newsletter:issue": "letter", "comments:city": "jinzhou", "comments:visit": "gardens",
        "comments:article": "story",
    }  # fmt: skip


# --- the table ------------------------------------------------------------------------------


def test_every_pattern_is_classified():
    unclassified = [row for row in access.table() if row.who == access.UNCLASSIFIED]
    assert unclassified == []


def test_no_row_of_the_table_is_stale():
    assert access.stale_rules() == []


def test_a_new_pattern_is_noticed(monkeypatch):
    monkeypatch.delitem(access.TABLE, "pages:search")
    missing = access.Row("/search/", "pages:search", "*", access.UNCLASSIFIED)
    assert missing in access.table()


def test_a_pattern_that_went_away_is_noticed(monkeypatch):
    monkeypatch.setitem(access.TABLE, "pages:gone", {"GET": access.PUBLIC})
    assert access.stale_rules() == ["pages:gone"]


def test_the_most_exact_rule_holds():
    assert access.rule_for("admin:login") == "admin:login"
    assert access.rule_for("admin:auth_user_changelist") == "admin:auth_*"
    assert access.rule_for("admin:cities_city_history") == "admin:*_history"
    assert access.rule_for("admin:") == "admin:*"
    assert access.rule_for("elsewhere:page") is None


def test_the_command_prints_a_row_a_line():
    out = StringIO()
    call_command("access_table", stdout=out)
    lines = out.getvalue().splitlines()
    assert "/search/\tpages:search\tGET\tpublic" in lines
    assert "/webhooks/stripe/\tdonations:stripe_webhook\tPOST\tsigned provider" in lines
    assert len(lines) == len(access.table())


def test_the_command_prints_json():
    out = StringIO()
    call_command("access_table", "--json", stdout=out)
    assert {
        "pattern": "/<slug:slug>/",
        "name": "pages:page",
        "method": "GET",
        "who": "public",
    } in json.loads(out.getvalue())


# --- what the site really answers -----------------------------------------------------------


def strays(client, method: str, found_ones, fits) -> list[tuple[str, str, int]]:
    """The addresses whose answer does not fit what `fits(address, response)` wants."""
    answers = [(found, client.generic(method, path_of(found))) for found in found_ones]
    return [
        (found.name, found.path, response.status_code)
        for found, response in answers
        if not fits(found, response)
    ]


@pytest.fixture
def short_refusals(monkeypatch):
    """Two hundred refusals need not each draw a whole page; the next test looks at one."""
    refuse = lambda request, exception: HttpResponseForbidden()  # noqa: E731
    monkeypatch.setattr("sistercities.urls.handler403", refuse, raising=False)


def test_a_refusal_is_a_page_of_the_site(client, site):
    client.force_login(get_user_model().objects.create_user("ann", is_staff=True))
    response = client.get(reverse("admin:cities_city_changelist"))
    assert response.status_code == 403
    assert "<h1>Not for this account</h1>" in response.text


def is_refused(found: access.Address, response) -> bool:
    if response.status_code != 302:
        return response.status_code in {403, 404, 405}
    to_sign_in = response["Location"].startswith(reverse("admin:login"))
    # `/x/1/` leads to `/x/1/change/`, and signing out leads to the index; both ask again.
    return to_sign_in or found.name in {"admin:", "admin:logout"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_nobody_uses_the_staff_pages_without_signing_in(client, db, method):
    others = [found for found in staff_pages() if found.name not in SIGNING_IN]
    assert len(others) > 150
    assert strays(client, method, others, is_refused) == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_visitor_with_an_account_that_is_not_staff_is_refused(client, db, method):
    client.force_login(get_user_model().objects.create_user("bob"))
    others = [found for found in staff_pages() if found.name not in SIGNING_IN]
    assert strays(client, method, others, is_refused) == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_staff_without_the_permission_are_refused(client, db, short_refusals, method):
    """Asked for directly, in the role that has least (trust.md, side paths)."""
    client.force_login(get_user_model().objects.create_user("ann", is_staff=True))

    def fits(found, response) -> bool:
        if response.status_code == 302:  # a row that does not exist leads to the index
            return response["Location"] == reverse("admin:index") or found.name == "admin:"
        return response.status_code in {403, 404, 405}

    with_permission = [
        found
        for found in staff_pages()
        if {access.PERMITTED, access.ADMINISTRATOR} & set(who_may(found).values())
    ]
    assert len(with_permission) > 150
    assert strays(client, method, with_permission, fits) == []


def test_a_public_page_sets_no_cookie(client, one_of_each):
    opened = []
    for found in public_pages():
        if who_may(found).get("GET") != access.PUBLIC or found.name in FILES:
            continue
        response = client.get(path_of(found, slug=one_of_each.get(found.name, "nonsense")))
        assert response.status_code == 200, found
        opened.append(found.name)
        if found.name not in MAY_SET_A_COOKIE:
            assert not response.cookies, found
            assert "Cookie" not in response.get("Vary", ""), found
    assert len(opened) > 20


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_a_method_that_is_not_in_the_table_is_refused(client, db, site, method):
    without = [found for found in public_pages() if method not in who_may(found)]
    assert without
    assert strays(client, method, without, lambda _, response: response.status_code == 405) == []


def test_an_unknown_token_opens_nothing(client, db, site):
    for found in public_pages():
        methods = who_may(found)
        if access.TOKEN in methods.values():
            for method in methods:
                response = client.generic(method, path_of(found))
                assert response.status_code == 404, (found.name, method)


def test_a_donors_page_without_a_mailed_link_is_nowhere(client, db, site):
    found = [page for page in public_pages() if access.DONOR in who_may(page).values()]
    assert len(found) >= 3
    for page in found:
        for method in who_may(page):
            response = client.generic(method, path_of(page))
            assert response.status_code == 404, (page.name, method)


def test_an_unsigned_event_of_a_provider_is_refused(client, db, site):
    for found in public_pages():
        if access.PROVIDER in who_may(found).values():
            response = client.post(path_of(found), b"{}", content_type="application/json")
            assert response.status_code == 400


def test_no_page_can_take_an_address_that_is_in_use():
    """A page at `/<slug>/` would never be seen where another pattern stands before it."""
    from sistercities.pages.models import MORE_THAN_TEXT, TAKEN

    everybodys = (row.pattern for row in access.table() if row.who != access.DEVELOPER)
    first_parts = {path.split("/")[1] for path in everybodys}
    words = {part for part in first_parts if part and "<" not in part and "." not in part}
    assert words - MORE_THAN_TEXT <= TAKEN


def test_the_page_pattern_is_the_last_one():
    *_, last = public_pages()
    assert last.name == "pages:page"
    with pytest.raises(NoReverseMatch):
        reverse("page", args=["about"])
