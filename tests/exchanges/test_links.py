"""A gallery for those who hold a link: what it opens, and what closes it."""

import datetime as dt
import logging
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.storage import storages
from django.urls import reverse

from exchanges import downloading
from exchanges.models import GalleryLink, Photo
from sistercities.shared.logs import OneLineFormatter

PAGE_QUERIES = 6  # site, link with its gallery, keys, days, photos, chrome
PHOTO_QUERIES = 6
PICTURE_QUERIES = 3  # site, link, photo


@pytest.fixture
def unlisted(site, make_visit, make_day, make_gallery):
    visit = make_visit()
    make_day(visit, 1)
    return make_gallery(visit=visit, is_unlisted=True)


@pytest.fixture
def link(unlisted):
    return GalleryLink.objects.create(gallery=unlisted, note="The delegation of 2026")


@pytest.fixture
def boss(client, site):
    user = User.objects.create_superuser("ann", "ann@example.org", "x")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


def under(link: GalleryLink, rest: str) -> str:
    return f"{link.get_absolute_url()}{rest}"


def shown(html: str) -> list[str]:
    return re.findall(r'alt="(\w+)"', html.split("<main")[1])


def test_a_link_opens_an_unlisted_gallery_that_nothing_else_opens(
    client, unlisted, link, bring_photo
):
    photo = bring_photo(unlisted, "Bridge", picture_caption="On the bridge")
    assert client.get(unlisted.get_absolute_url()).status_code == 404
    assert photo.picture == ""  # so it has no public file
    response = client.get(link.get_absolute_url())
    assert response.status_code == 200
    assert shown(response.text) == ["Bridge"]
    assert "On the bridge" in response.text
    assert "Only for those who hold this link, until December 21, 2026" in response.text
    for page in ("/", "/galleries/", "/sitemap.xml", "/visits/gardens/", "/cities/jinzhou/"):
        assert "ridge" not in client.get(page).text
        assert link.token not in client.get(page).text


def test_everything_on_its_pages_leads_to_something(client, unlisted, link, bring_photo):
    """Links and pictures of a page for holders stay inside it, or lead to public pages."""
    first = bring_photo(unlisted, "One", order=1)
    second = bring_photo(unlisted, "Two", order=2)
    downloading.build_waiting()
    seen, wanted = set(), [link.get_absolute_url()]
    while wanted:
        page = wanted.pop()
        response = client.get(page)
        assert response.status_code == 200, page
        seen.add(page)
        if not page.startswith(link.get_absolute_url()) or "<main" not in (
            "" if response.streaming else response.text
        ):
            response.getvalue()
            continue
        main = response.text.split("<main")[1].split("</main>")[0]
        found = re.findall(r'(?:href|src)="([^"#]+)', main)
        found += [part.split()[0] for srcset in re.findall(r'srcset="([^"]+)"', main)
                  for part in srcset.split(",")]  # fmt: skip
        for address in found:
            if not re.match(r"mailto:|https?:", address):
                target = response.wsgi_request.build_absolute_uri(address)
                path = target.removeprefix("http://testserver")
                wanted += [path] if path not in seen else []
    for photo in (first, second):
        for rest in (f"{photo.pk}/", f"pictures/{photo.pk}.webp", f"pictures/{photo.pk}-480.webp"):
            assert under(link, rest) in seen
    assert under(link, "photos.zip") in seen
    assert not any(page.startswith(unlisted.get_absolute_url()) for page in seen)


def test_its_answers_are_personal(client, unlisted, link, bring_photo):
    photo = bring_photo(unlisted)
    downloading.build_waiting()
    for rest in ("", f"{photo.pk}/", f"pictures/{photo.pk}.webp", "photos.zip", "0/"):
        response = client.get(under(link, rest))
        told = {
            name: response[name] for name in ("Cache-Control", "X-Robots-Tag", "Referrer-Policy")
        }
        assert told == {
            "Cache-Control": "private, no-store",
            "X-Robots-Tag": "noindex, nofollow",
            "Referrer-Policy": "no-referrer",
        }, rest
        assert not response.cookies
        response.getvalue()


def test_its_pages_give_the_address_to_nobody(client, unlisted, link, bring_photo):
    """No canonical address, share picture or JSON-LD, and no sign-up that would store it."""
    photo = bring_photo(unlisted)
    for rest in ("", f"{photo.pk}/"):
        html = client.get(under(link, rest)).text
        assert '<meta name="robots" content="noindex">' in html
        for sign in ("canonical", "og:", "ld+json", "rss+xml", "<form"):
            assert sign not in html, (rest, sign)


def test_a_photo_needs_consent_and_may_lack_words(client, unlisted, link, bring_photo):
    """I7 holds for holders of a link too; that nobody has described it yet is no secret."""
    wordless = bring_photo(unlisted, "")
    refused = [
        bring_photo(unlisted, "Unanswered", people=""),
        bring_photo(unlisted, "Children", people="minors"),
        bring_photo(unlisted, "Hidden", is_hidden=True),
        bring_photo(unlisted, "Deleted", deleted_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC)),
    ]
    html = client.get(link.get_absolute_url()).text
    assert re.findall(r'<figure[^>]* id="p(\d+)"', html) == [str(wordless.pk)]
    for photo in refused:
        for rest in (f"{photo.pk}/", f"pictures/{photo.pk}.webp", f"pictures/{photo.pk}-480.webp"):
            assert client.get(under(link, rest)).status_code == 404


def test_a_photo_of_another_gallery_is_not_opened(client, link, make_gallery, bring_photo):
    other = bring_photo(make_gallery("other"))
    for rest in (f"{other.pk}/", f"pictures/{other.pk}.webp"):
        assert client.get(under(link, rest)).status_code == 404


def test_a_picture_comes_as_what_it_is_in_every_size(client, unlisted, link, bring_photo):
    photo = bring_photo(unlisted, "Bridge")
    types = {"webp": "image/webp", "jpg": "image/jpeg"}
    for name in (".webp", "-480.webp", "-800.webp", ".jpg", "-800.jpg"):
        response = client.get(under(link, f"pictures/{photo.pk}{name}"))
        assert response.status_code == 200, name
        assert response["Content-Type"] == types[name.rsplit(".")[-1]]
        stored = photo.stored_renditions.replace(".webp", name)
        with storages["private"].open(stored) as file:
            assert response.getvalue() == file.read()
        assert "Content-Disposition" not in response or "inline" in response["Content-Disposition"]


@pytest.mark.parametrize("rest", ["-1200.webp", "-481.webp", ".png", ".jpeg", "x", "-480.webp.jpg"])
def test_no_other_size_or_kind_can_be_asked_for(client, unlisted, link, bring_photo, rest):
    """trust.md, Bounded cost: no address makes a rendition."""
    photo = bring_photo(unlisted)
    assert client.get(under(link, f"pictures/{photo.pk}{rest}")).status_code == 404


def test_a_lost_file_and_a_number_beyond_all_are_not_found(client, unlisted, link, bring_photo):
    photo = bring_photo(unlisted)
    storages["private"].delete(photo.stored_renditions)
    for rest in (f"pictures/{photo.pk}.webp", f"pictures/{'9' * 40}.webp", f"{'9' * 40}/"):
        assert client.get(under(link, rest)).status_code == 404


def test_every_link_that_opens_nothing_gets_the_same_answer(
    client, unlisted, bring_photo, make_gallery, caplog
):
    """trust.md, Tokens: the same bytes for unknown, closed, run out and not published yet."""
    photo = bring_photo(unlisted)
    now = dt.datetime(2026, 11, 21, 19, tzinfo=dt.UTC)
    make = GalleryLink.objects.create
    links = {
        "closed": make(gallery=unlisted, note="a", revoked_at=now),
        "run out": make(gallery=unlisted, note="b", expires_at=now),
        "draft": make(gallery=make_gallery("draft", status="draft"), note="c"),
        "unknown": GalleryLink(note="d"),
    }
    rests = ("", f"{photo.pk}/", f"pictures/{photo.pk}.webp", "photos.zip")
    answers = {
        (response.status_code, response.content, tuple(sorted(response.headers.items())))
        for link in links.values()
        for rest in rests
        for response in [client.get(under(link, rest))]
    }
    assert len(answers) == 1
    ((status, content, headers),) = answers
    assert status == 404
    assert dict(headers)["Cache-Control"] == "private, no-store"


def test_a_link_opens_until_its_hour_and_not_later(client, link, settings):
    settings.CLOCK = link.expires_at - dt.timedelta(seconds=1)
    assert client.get(link.get_absolute_url()).status_code == 200
    settings.CLOCK = link.expires_at
    assert client.get(link.get_absolute_url()).status_code == 404


def test_a_link_opens_a_listed_gallery_and_a_scheduled_one(client, site, make_gallery, bring_photo):
    later = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    for gallery in (make_gallery("listed"), make_gallery("scheduled", publish_at=later)):
        photo = bring_photo(gallery, "Bridge")
        link = GalleryLink.objects.create(gallery=gallery, note="Us")
        assert shown(client.get(link.get_absolute_url()).text) == ["Bridge"]
        response = client.get(under(link, f"pictures/{photo.pk}.webp"))
        assert response.status_code == 200
        response.getvalue()


def test_a_token_is_long_and_no_other(unlisted):
    tokens = {GalleryLink.objects.create(gallery=unlisted, note="a").token for _ in range(20)}
    assert len(tokens) == 20
    assert {len(token) for token in tokens} == {32}  # 24 bytes: 192 bits


def test_a_token_is_not_written_into_the_log(client, site, link, caplog):
    link.revoked_at = link.made_at
    link.save()
    with caplog.at_level(logging.INFO):
        for rest in ("", "17/", "pictures/17-480.webp", "photos.zip"):
            client.get(under(link, rest))
        client.post(link.get_absolute_url())
    lines = [OneLineFormatter().format(record) for record in caplog.records]
    assert len(lines) >= 5
    assert not any(link.token in line for line in lines)
    assert any("/galleries/shared/[token]/" in line for line in lines)


@pytest.mark.parametrize("count", [3, 60])
def test_shared_pages_ask_as_much_for_many_photos_as_for_few(
    client, unlisted, link, make_photo, django_assert_num_queries, count
):
    photos = [
        make_photo(
            unlisted, f"Photo {number}", picture="", picture_original=f"originals/ab/{number}.jpeg",
            taken_at=dt.datetime(2013, 9, 7, 8, tzinfo=dt.UTC),
        )
        for number in range(count)
    ]  # fmt: skip
    with django_assert_num_queries(PAGE_QUERIES):
        client.get(link.get_absolute_url())
    with django_assert_num_queries(PHOTO_QUERIES):
        client.get(under(link, f"{photos[1].pk}/"))


def test_a_picture_asks_three_questions(
    client, unlisted, link, bring_photo, django_assert_num_queries
):
    photo = bring_photo(unlisted)
    with django_assert_num_queries(PICTURE_QUERIES):
        client.get(under(link, f"pictures/{photo.pk}.webp")).getvalue()


# --- the staff pages ------------------------------------------------------------------------


def test_staff_make_a_link_and_copy_its_address(client, boss, unlisted, settings):
    settings.SITE_URL = "https://www.example.org"
    add = reverse("admin:exchanges_gallerylink_add")
    assert client.get(add).status_code == 200
    response = client.post(
        add, {"gallery": unlisted.pk, "note": "The delegation", "expires_at_0": "2026-12-31",
              "expires_at_1": "12:00:00", "_continue": "1"},
    )  # fmt: skip
    link = GalleryLink.objects.get()
    assert response["Location"] == reverse("admin:exchanges_gallerylink_change", args=[link.pk])
    assert link.made_by == boss
    html = client.get(response["Location"]).text
    assert f"https://www.example.org/galleries/shared/{link.token}/" in html
    assert ">Open<" in html
    assert "Close it now" in html


def test_staff_close_a_link_after_being_asked(client, boss, link):
    close = reverse("admin:exchanges_gallerylink_close", args=[link.pk])
    html = client.get(close).text
    assert "Whoever holds this link can no longer open “The album” with it." in html
    assert client.get(link.get_absolute_url()).status_code == 200
    for _ in range(2):
        client.post(close)
    assert client.get(link.get_absolute_url()).status_code == 404
    change = reverse("admin:exchanges_gallerylink_change", args=[link.pk])
    assert client.post(change, {"note": "Again"}).status_code == 403
    history = client.get(reverse("admin:exchanges_gallerylink_history", args=[link.pk])).text
    assert history.count("Closed.") == 1
    assert "ann" in history


def test_closing_a_link_needs_the_permission_to_change_it(client, link):
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_gallerylink"))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    close = reverse("admin:exchanges_gallerylink_close", args=[link.pk])
    assert [client.get(close).status_code, client.post(close).status_code] == [403, 403]
    link.refresh_from_db()
    assert link.revoked_at is None


def test_a_gallery_with_links_and_a_zip_can_be_deleted(client, boss, unlisted, link, bring_photo):
    bring_photo(unlisted)
    downloading.build_waiting()
    client.post(reverse("admin:exchanges_gallery_delete", args=[unlisted.pk]), {"post": "yes"})
    assert not GalleryLink.objects.exists()
    assert not Photo.objects.exists()
