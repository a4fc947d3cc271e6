"""Passing a page on: the links, the QR code, and the picture that other sites show."""

import datetime as dt
import io
import re
from html import unescape

import pytest
import segno
from PIL import Image

from exchanges.models import Event, Gallery, GuardianConsent, Photo, Visit
from sistercities.news.models import Article
from sistercities.pages.models import Page
from sistercities.shared.share_pictures import SIZES, Label, drawn

SHOWN = {"status": "published"}


@pytest.fixture
def visit(site, make_city):
    city = make_city("Jinzhou", native_name="锦州", native_language="zh-Hans", accent="#7b2a4e")
    return Visit.objects.create(
        title="The gardens & the tide", slug="gardens", city=city, direction="outbound",
        stage="completed", starts_on=dt.date(2013, 9, 7), summary="Five days.", **SHOWN,
    )  # fmt: skip


def opened(response) -> Image.Image:
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/jpeg")
    return Image.open(io.BytesIO(response.content)).convert("RGB")


def test_every_public_page_can_be_passed_on_without_script(client, visit):
    """One table: each kind of page with its links, QR code, and pictures for other sites."""
    Gallery.objects.create(title="Album", slug="album", city=visit.city, visit=visit, **SHOWN)
    Event.objects.create(
        title="Supper", slug="supper", summary="Eat.", starts_on=dt.date(2013, 9, 7), **SHOWN
    )
    Article.objects.create(headline="News", slug="story", lead="Who.", **SHOWN)
    for kind, address, title in (
        ("city", "/cities/jinzhou/", "Jinzhou"),
        ("visit", "/visits/gardens/", "The gardens & the tide"),
        ("gallery", "/galleries/album/", "Album"),
        ("event", "/events/supper/", "Supper"),
        ("article", "/news/story/", "News"),
    ):
        html = client.get(address).text
        url = f"http://127.0.0.1:8000{address}"
        share = html.split('<section class="share')[1].split("</section>")[0]
        links = re.findall(r'<a href="([^"]+)"[^>]*>(\w+)<', share)
        ways = {name: unescape(way) for way, name in links}
        quoted = "http%3A%2F%2F127.0.0.1%3A8000" + address.replace("/", "%2F")
        in_words = title.replace(" ", "+").replace("&", "%26")
        assert ways["Facebook"] == f"https://www.facebook.com/sharer/sharer.php?u={quoted}"
        assert ways["X"] == f"https://x.com/intent/post?url={quoted}&text={in_words}"
        assert ways["Email"].startswith(f"mailto:?subject={in_words.replace('+', '%20')}&body=http")
        code = segno.make(url, error="l", micro=False)
        assert code.svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None) in share
        assert f'data-copy="{url}"' in share
        assert share.count("<li hidden>") == 2  # copying and printing wait for the script
        slug = address.split("/")[2]
        wide = f"http://127.0.0.1:8000/share/wide/{kind}/{slug}.jpg"
        assert f'<meta property="og:image" content="{wide}">' in html
        first = re.search(r"<img [^>]+>", html.split("<body")[1])[0]
        assert f'src="/share/square/{kind}/{slug}.jpg"' in first
        assert "hidden" in first
        assert 'loading="lazy"' in first
        for shape in SIZES:
            assert opened(client.get(f"/share/{shape}/{kind}/{slug}.jpg")).size == SIZES[shape]


def test_a_picture_for_sharing_shows_photo_flag_and_colour(
    client, visit, picture_file, finish_pictures
):
    visit.picture, visit.picture_alt = picture_file(1700, 1000), "A field"
    visit.save()
    finish_pictures()
    image = opened(client.get("/share/wide/visit/gardens.jpg"))
    colours = {image.getpixel((x, 60)) for x in range(0, 1200, 50)}
    assert all(abs(r - 0x8A) < 8 and abs(b - 0x4D) < 8 for r, _, b in colours)
    below = [image.getpixel((x, y)) for x in range(0, 1200, 2) for y in range(430, 630)]
    assert any(r > 200 and g < 60 for r, g, _ in below)  # the flag of China
    assert sum(abs(r - 0x7B) + abs(g - 0x2A) + abs(b - 0x4E) < 30 for r, g, b in below) > 500
    told = client.get("/share/wide/visit/gardens.jpg").headers["Cache-Control"]
    assert told == "public, max-age=30"


@pytest.mark.parametrize(
    "path",
    ["tall/visit/gardens", "wide/issue/gardens", "wide/visit/nope", "wide/participant/1"],
)
def test_nothing_else_is_drawn(client, visit, path, django_assert_max_num_queries):
    with django_assert_max_num_queries(5):
        assert client.get(f"/share/{path}.jpg").status_code == 404
    Visit.objects.update(status="draft")
    assert client.get("/share/wide/visit/gardens.jpg").status_code == 404


def test_a_picture_for_sharing_is_drawn_after_three_questions(
    client, visit, django_assert_num_queries
):
    with django_assert_num_queries(3):  # the site, the row, its city
        client.get("/share/wide/visit/gardens.jpg")


def test_other_sites_see_no_child_whose_guardian_said_no_to_them(
    client, visit, picture_file, finish_pictures
):
    """The consent must name social networks; the website's alone does not do (trust.md, Minors)."""
    gallery = Gallery.objects.create(title="Album", slug="album", city=visit.city, **SHOWN)
    photo = Photo.objects.create(
        gallery=gallery, picture=picture_file(1700, 1000), picture_alt="A girl", people="minors"
    )
    consent = GuardianConsent.objects.create(
        child="Mia", guardian="Her mother", given_on=dt.date(2026, 1, 1), for_web=True
    )
    photo.consents.add(consent)
    finish_pictures()
    photo.refresh_from_db()
    assert photo.picture
    plain = opened(client.get("/share/square/gallery/album.jpg"))
    assert min(plain.getpixel((300, 60))) > 240
    GuardianConsent.objects.update(for_social=True)
    shown = opened(client.get("/share/square/gallery/album.jpg"))
    assert max(shown.getpixel((300, 60))) < 160


def test_any_title_is_drawn():
    for title in (
        "",
        "x" * 500,
        "锦州" * 60,
        "Қызылорда 锦州 \U0001f600 \u202eevil \x00",
        "ﷺ" * 40,
    ):
        label = Label(title, "锦州", "Arvada Sister Cities", "XX", "#7b2a4e")
        assert Image.open(io.BytesIO(drawn("square", label, None))).size == (600, 600)


def test_long_names_of_a_page_are_shared_too(client, site):
    Page.objects.create(title="Ж" * 120, slug="s" * 80, **SHOWN)
    assert client.get(f"/share/wide/page/{'s' * 80}.jpg").status_code == 200
