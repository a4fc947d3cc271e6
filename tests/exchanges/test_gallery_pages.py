"""Galleries as visitors see them."""

import datetime as dt
import json
import re
from html import unescape

import feedparser
import pytest

from exchanges.models import Gallery, Photo

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
PAGE_QUERIES = 6  # site, chrome, gallery, moments of all photos, days, photos of the piece
FEED_QUERIES = 5  # the same without chrome
LIST_QUERIES = 4  # site, chrome, galleries, covers
BAD = '"><script>alert(1)</script>'


def links(html: str, rel: str) -> list[str]:
    """Where a page's links of this relation lead."""
    tags = re.findall(r"<(?:a|link) [^>]*>", html)
    found = [tag for tag in tags if f'rel="{rel}"' in tag]
    return [unescape(re.search(r'href="([^"]*)"', tag)[1]) for tag in found]


def linked_data(html: str) -> dict:
    """What the page says of itself; a second block has the way to it."""
    block, _way = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
    return json.loads(block)


def figures(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'<figure class="\w+" id="p(\d+)"', html)]


@pytest.fixture
def make_photos(make_photo):
    """`make_photos(gallery, 60)`: one a minute from nine o'clock on September 7, 2013."""

    def make(gallery: Gallery, count: int, **fields) -> list[Photo]:
        start = dt.datetime(2013, 9, 7, 9, tzinfo=SHANGHAI)
        return [
            make_photo(gallery, f"P{n}", taken_at=start + dt.timedelta(minutes=n), **fields)
            for n in range(count)
        ]

    return make


def test_gallery_shows_its_photos_by_day(
    client, site, make_visit, make_day, make_gallery, make_photo
):
    visit = make_visit()
    for number in (1, 2, 3):
        make_day(visit, number)
    gallery = make_gallery(visit=visit, summary="In the order it was seen.")
    make_photo(gallery, "Late", taken_at=dt.datetime(2013, 9, 9, 8, tzinfo=SHANGHAI), order=1)
    make_photo(
        gallery, "Early", taken_at=dt.datetime(2013, 9, 7, 8, tzinfo=SHANGHAI), order=2,
        picture_caption="At the gate", picture_credit="Photo: Ann Lee",
    )  # fmt: skip
    make_photo(gallery, "Loose", order=3)
    make_photo(gallery, "Outside", taken_at=dt.datetime(2013, 9, 20, 8, tzinfo=SHANGHAI), order=4)
    html = client.get(gallery.get_absolute_url()).text
    assert re.findall(r'<section id="([^"]+)"', html)[:4] == [
        "day-1", "day-3", "on-2013-09-20", "more",
    ]  # fmt: skip
    assert re.findall(r'alt="(\w+)"', html)[:4] == ["Early", "Late", "Outside", "Loose"]
    assert "Saturday, September 7, 2013, 1 picture" in html
    assert "At the gate · Photo: Ann Lee" in html
    early = Photo.objects.get(picture_alt="Early")
    assert f'href="/galleries/album/{early.pk}/"' in html
    assert (
        'srcset="/media/pictures/ab/Early-480.webp 480w,/media/pictures/ab/Early-800.webp 800w,'
        '/media/pictures/ab/Early-1200.webp 1200w,/media/pictures/ab/Early.webp 1600w"'
    ) in html
    assert 'src="/media/pictures/ab/Early.jpg"' in html
    assert 'width="1600" height="1067" data-c="#8a6b4d"' in html
    assert html.count('<figure class="r32" id="p') == 4
    assert html.count('fetchpriority="high"') == 1
    assert html.count('loading="lazy"') == 4  # one of them is hidden, for WeChat
    assert f'href="{visit.get_absolute_url()}"' in html


def test_decorative_photo_is_silent_and_its_link_is_not(client, site, make_gallery, make_photo):
    gallery = make_gallery()
    make_photo(gallery, "Said", is_decorative=True)
    html = client.get(gallery.get_absolute_url()).text
    assert 'aria-label="Picture 1"><picture' in re.sub(r">\s+<", "><", html)
    assert 'alt=""' in html.split("<figure", 1)[1]
    assert "Said" not in re.sub(r'"/media/[^"]+"', "", html.split("<main")[1])


def test_hidden_photos_are_never_shown_or_counted(client, site, make_gallery, make_photo):
    gallery = make_gallery()
    make_photo(gallery, "Open")
    make_photo(gallery, "Secret", is_hidden=True, is_cover=True, order=0)
    page = client.get(gallery.get_absolute_url()).text
    listing = client.get("/galleries/").text
    for html in (page, listing):
        assert "Secret" not in html
        assert "Open" in html
        assert "1 picture" in html


def test_hidden_gallery_is_nowhere(client, site, make_gallery, make_photo, hidden):
    gallery = make_gallery("secret", **hidden)
    make_photo(gallery, "Secret")
    assert client.get(gallery.get_absolute_url()).status_code == 404
    html = client.get("/galleries/").text
    assert "ecret" not in html
    assert "No gallery is open yet." in html


def test_gallery_of_a_hidden_visit_tells_nothing_of_it(
    client, site, make_visit, make_day, make_gallery, make_photo, hidden
):
    visit = make_visit("secret", **hidden)
    make_day(visit, 1, title="Secret day")
    gallery = make_gallery(visit=visit)
    make_photo(gallery, taken_at=dt.datetime(2013, 9, 7, 8, tzinfo=SHANGHAI))
    assert "ecret" not in client.get(gallery.get_absolute_url()).text


def test_empty_gallery_says_so(client, site, make_gallery):
    html = client.get(make_gallery().get_absolute_url()).text
    assert "There are no pictures in this gallery yet." in html


def test_day_with_very_many_photos_has_lower_rows(client, site, make_gallery, make_photo):
    gallery = make_gallery()
    for number in range(40):
        make_photo(gallery, f"P{number}")
    assert 'class="photos big"' in client.get(gallery.get_absolute_url()).text
    make_photo(gallery, "One more")
    assert 'class="photos big many"' in client.get(gallery.get_absolute_url()).text


def test_single_photo_stands_alone(client, site, make_gallery, make_photo):
    gallery = make_gallery()
    make_photo(gallery)
    assert 'class="photos big one"' in client.get(gallery.get_absolute_url()).text


@pytest.mark.parametrize("count", [12, 120])
def test_gallery_and_its_photos_ask_the_same_number_of_questions(
    client, site, make_visit, make_day, make_gallery, make_photos, count,
    django_assert_num_queries,
):  # fmt: skip
    visit = make_visit()
    gallery = make_gallery(visit=visit)
    photos = make_photos(gallery, count, is_cover=True)
    for number in range(1, min(count, 30)):
        make_day(visit, number)
    with django_assert_num_queries(PAGE_QUERIES):
        html = client.get(gallery.get_absolute_url()).text
    assert len(figures(html)) == min(count, 24)
    with django_assert_num_queries(PAGE_QUERIES):
        assert client.get(f"{gallery.get_absolute_url()}?page=2").status_code == 200
    with django_assert_num_queries(PAGE_QUERIES):
        assert client.get(photos[-1].get_absolute_url()).status_code == 200
    with django_assert_num_queries(FEED_QUERIES):
        feed = client.get(f"{gallery.get_absolute_url()}feed/").text
    assert feed.count("<item>") == min(count, 100)


# --- pieces ---------------------------------------------------------------------------------


def test_long_gallery_comes_in_pieces_that_links_join(client, site, make_gallery, make_photos):
    """Without script, "More" leads from piece to piece and shows each photo once."""
    gallery = make_gallery()
    photos = make_photos(gallery, 60)
    address, seen, visited = gallery.get_absolute_url(), [], []
    while address:
        html = client.get(address).text
        visited.append(address)
        seen += figures(html)
        address = next(iter(links(html, "next")), None)
    assert seen == [photo.pk for photo in photos]
    base = "/galleries/album/"
    assert visited == [base, f"{base}?page=2", f"{base}?page=3"]
    assert links(html, "prev") == [f"{base}?page=2"]
    assert links(html, "canonical") == ["http://127.0.0.1:8000/galleries/album/?page=3"]
    assert "Pictures <span data-from>49</span> to <span data-to>60</span> of 60" in html
    assert 'data-first="48" data-count="60"' in html
    second = client.get(f"{base}?page=2").text
    assert links(second, "prev") == [base]
    first = client.get(base).text
    assert links(first, "prev") == []
    assert links(first, "canonical") == ["http://127.0.0.1:8000/galleries/album/"]


def test_short_gallery_has_no_other_pieces(client, site, make_gallery, make_photos):
    gallery = make_gallery()
    make_photos(gallery, 24)
    html = client.get(gallery.get_absolute_url()).text
    assert len(figures(html)) == 24
    assert 'class="pieces"' not in html
    assert links(html, "next") == []


@pytest.mark.parametrize(
    ("number", "shown"),
    [("0", 3), ("-1", 3), ("4", 3), ("9" * 5000, 1), ("x", 1), ("%00", 1), ("", 1), ("2", 2)],
)
def test_gallery_answers_any_number_of_a_piece(
    client, site, make_gallery, make_photos, number, shown
):
    gallery = make_gallery()
    photos = make_photos(gallery, 60)
    html = client.get(f"{gallery.get_absolute_url()}?page={number}").text
    first = (shown - 1) * 24
    assert figures(html) == [photo.pk for photo in photos[first : first + 24]]


def test_contents_lead_to_days_of_other_pieces(
    client, site, make_visit, make_day, make_gallery, make_photo
):
    """A day that begins on this page is a step away, any other begins where its link leads."""
    visit = make_visit()
    gallery = make_gallery(visit=visit)
    for number, count in ((1, 20), (2, 40), (3, 5)):
        make_day(visit, number)
        for n in range(count):
            taken_at = dt.datetime(2013, 9, 6 + number, 9, n, tzinfo=SHANGHAI)
            make_photo(gallery, f"P{number}-{n}", taken_at=taken_at)

    def contents(page: int) -> list[str]:
        html = client.get(f"/galleries/album/?page={page}").text
        toc = html.split('class="toc flat"')[1].split("</nav>")[0]
        return [unescape(href) for href in re.findall(r'href="([^"]+)"', toc)]

    base = "/galleries/album/"
    assert contents(1) == ["#day-1", "#day-2", f"{base}?page=3#day-3"]
    assert contents(2) == [f"{base}#day-1", f"{base}#day-2", f"{base}?page=3#day-3"]
    assert contents(3) == [f"{base}#day-1", f"{base}#day-2", "#day-3"]
    second = client.get(f"{base}?page=2").text
    assert re.findall(r'<section id="([^"]+)"', second)[0] == "day-2"
    assert "Sunday, September 8, 2013, 40 pictures" in second
    third = client.get(f"{base}?page=3").text
    assert re.findall(r'<section id="([^"]+)"', third)[:2] == ["day-2", "day-3"]


def test_photos_of_a_day_stand_as_dragged_then_as_taken(
    client, site, make_visit, make_day, make_gallery, make_photo
):
    visit = make_visit()
    make_day(visit, 1)
    gallery = make_gallery(visit=visit)

    def photo(alt: str, hour: int, order: int = 0) -> None:
        taken_at = dt.datetime(2013, 9, 7, hour, tzinfo=SHANGHAI)
        make_photo(gallery, alt, taken_at=taken_at, order=order)

    photo("Third", 8, order=1)
    photo("Second", 12)
    photo("First", 9)
    html = client.get(gallery.get_absolute_url()).text
    assert re.findall(r'alt="(\w+)"', html)[:3] == ["First", "Second", "Third"]


# --- one picture ----------------------------------------------------------------------------


def test_photo_page_shows_one_picture_and_its_place_in_the_row(
    client, site, make_visit, make_day, make_gallery, make_photos
):
    visit = make_visit()
    make_day(visit, 1)
    gallery = make_gallery(visit=visit)
    before, photo, after = make_photos(
        gallery, 3, picture_caption="At the gate", picture_credit="Photo: Ann Lee", licence="by"
    )
    response = client.get(photo.get_absolute_url())
    html = response.text
    words = " ".join(re.sub(r"<[^>]+>", " ", html.split("<main")[1]).split())
    for expected in (
        "At the gate", "Photo: Ann Lee", "Creative Commons BY 4.0", "2 of 3",
        "Day 1, Saturday, September 7, 2013: Title of day 1", "All pictures of this gallery",
    ):  # fmt: skip
        assert expected in words, expected
    assert "<h1>At the gate</h1>" in html
    assert "<title>At the gate · The album · Arvada Sister Cities</title>" in html
    assert 'href="https://creativecommons.org/licenses/by/4.0/"' in html
    assert links(html, "prev") == [before.get_absolute_url()]
    assert links(html, "next") == [after.get_absolute_url()]
    assert f'href="/galleries/album/#p{photo.pk}"' in html
    own = f"http://127.0.0.1:8000/galleries/album/{photo.pk}/"
    assert links(html, "canonical") == [own]
    assert f'<meta property="og:url" content="{own}">' in html
    picture = "http://127.0.0.1:8000/media/pictures/ab/P1.jpg"
    assert f'<meta property="og:image" content="{picture}">' in html
    assert '<meta property="og:image:width" content="1600">' in html
    assert '<meta property="og:image:height" content="1067">' in html
    assert html.count("<picture>") == html.count('fetchpriority="high"') == 1
    assert 'alt="P1"' in html


def test_first_and_last_photo_lead_only_inwards(client, site, make_gallery, make_photos):
    first, last = make_photos(make_gallery(), 2)
    html = client.get(first.get_absolute_url()).text
    assert (links(html, "prev"), links(html, "next")) == ([], [last.get_absolute_url()])
    html = client.get(last.get_absolute_url()).text
    assert (links(html, "prev"), links(html, "next")) == ([first.get_absolute_url()], [])


def test_photo_leads_back_to_the_piece_that_it_stands_in(client, site, make_gallery, make_photos):
    photos = make_photos(make_gallery(), 60)
    html = client.get(photos[30].get_absolute_url()).text
    assert f'href="/galleries/album/?page=2#p{photos[30].pk}"' in html
    assert "31 of 60" in html


def test_photo_without_words_is_named_by_its_place(client, site, make_gallery, make_photo):
    photo = make_photo(make_gallery(), is_decorative=True)
    html = client.get(photo.get_absolute_url()).text
    assert "<h1>Picture 1</h1>" in html
    assert 'alt=""' in html
    assert "All rights reserved" in html


def test_photo_of_another_gallery_hidden_or_absent_is_not_found(
    client, site, make_gallery, make_photo
):
    gallery, other = make_gallery(), make_gallery("other")
    hidden = make_photo(gallery, is_hidden=True)
    unrendered = make_photo(gallery, picture="")
    wordless = make_photo(gallery, "x", picture_alt="")
    unasked = make_photo(gallery, people="")
    elsewhere = make_photo(other)
    shown = make_photo(gallery)
    base = gallery.get_absolute_url()
    for key in (hidden.pk, unrendered.pk, wordless.pk, unasked.pk, elsewhere.pk, 0, 10**30):
        assert client.get(f"{base}{key}/").status_code == 404, key
    assert client.get(f"{base}{shown.pk}/").status_code == 200


def test_photo_of_a_hidden_gallery_is_not_found(client, site, make_gallery, make_photo, hidden):
    gallery = make_gallery(**hidden)
    photo = make_photo(gallery)
    assert client.get(photo.get_absolute_url()).status_code == 404
    assert client.get(f"{gallery.get_absolute_url()}feed/").status_code == 404


# --- what machines read ---------------------------------------------------------------------


def test_gallery_tells_machines_what_it_tells_people(
    client, site, make_visit, make_gallery, make_photo
):
    gallery = make_gallery(
        visit=make_visit(), summary="In order.", taken_on=dt.date(2013, 9, 7), title="花园 & more"
    )
    photo = make_photo(
        gallery, picture_caption="At the gate", picture_credit="Photo: Ann Lee", licence="by-sa"
    )
    plain = make_photo(gallery, "A pine")
    assert linked_data(client.get(gallery.get_absolute_url()).text) == {
        "@context": "https://schema.org",
        "@type": "ImageGallery",
        "name": "花园 & more",
        "description": "In order.",
        "url": "http://127.0.0.1:8000/galleries/album/",
        "dateCreated": "2013-09-07",
        "contentLocation": {
            "@type": "Place",
            "name": "Jinzhou",
            "address": {
                "@type": "PostalAddress",
                "addressLocality": "Jinzhou",
                "addressRegion": "Liaoning",
                "addressCountry": "CN",
            },
        },
        "image": [
            {
                "@type": "ImageObject",
                "url": f"http://127.0.0.1:8000/galleries/album/{photo.pk}/",
                "contentUrl": "http://127.0.0.1:8000/media/pictures/ab/A-gate.jpg",
                "width": 1600,
                "height": 1067,
                "caption": "At the gate",
                "creditText": "Photo: Ann Lee",
                "license": "https://creativecommons.org/licenses/by-sa/4.0/",
            },
            {
                "@type": "ImageObject",
                "url": f"http://127.0.0.1:8000/galleries/album/{plain.pk}/",
                "contentUrl": "http://127.0.0.1:8000/media/pictures/ab/A-pine.jpg",
                "width": 1600,
                "height": 1067,
                "caption": "A pine",
            },
        ],
    }


@pytest.mark.parametrize(
    ("precision", "told"), [("day", "2013-09-07"), ("month", "2013-09"), ("year", "2013")]
)
def test_machines_read_no_more_of_the_date_than_is_on_file(
    client, site, make_visit, make_gallery, precision, told
):
    visit = make_visit(precision=precision, ends_on=None)
    gallery = make_gallery(visit=visit, taken_on=dt.date(2013, 9, 7))
    assert linked_data(client.get(gallery.get_absolute_url()).text)["dateCreated"] == told


def test_pictures_of_guests_at_home_are_not_placed_in_their_city(
    client, site, make_visit, make_gallery
):
    gallery = make_gallery(visit=make_visit(direction="inbound"))
    data = linked_data(client.get(gallery.get_absolute_url()).text)
    assert "contentLocation" not in data


def test_feed_tells_of_the_photos_in_their_order(client, site, make_gallery, make_photo):
    gallery = make_gallery(summary="In order.")
    last = make_photo(gallery, "Last", order=2)
    first = make_photo(
        gallery, "A gate & a pine", order=1, picture_caption="At the gate <1>",
        picture_credit="Photo: Ann Lee", licence="by",
    )  # fmt: skip
    make_photo(gallery, "Secret", is_hidden=True)
    response = client.get("/galleries/album/feed/")
    assert response["Content-Type"] == "application/rss+xml; charset=utf-8"
    feed = feedparser.parse(response.content)
    assert not feed.bozo
    assert feed.version == "rss20"
    assert (feed.feed.title, feed.feed.subtitle) == ("Pictures: The album", "In order.")
    assert feed.feed.link == "http://127.0.0.1:8000/galleries/album/"
    one, two = feed.entries
    assert (one.link, two.link) == (
        f"http://127.0.0.1:8000/galleries/album/{first.pk}/",
        f"http://127.0.0.1:8000/galleries/album/{last.pk}/",
    )
    assert one.title == "At the gate <1>"
    assert two.title == "Last"
    assert one.media_content == [
        {
            "url": "http://127.0.0.1:8000/media/pictures/ab/A-gate-&-a-pine.jpg",
            "type": "image/jpeg",
            "medium": "image",
            "width": "1600",
            "height": "1067",
        }
    ]
    assert one.media_thumbnail == [
        {"url": "http://127.0.0.1:8000/media/pictures/ab/A-gate-&-a-pine-800.jpg"}
    ]
    assert one.media_credit == [{"content": "Photo: Ann Lee"}]
    assert one.media_license["href"] == "https://creativecommons.org/licenses/by/4.0/"
    assert '<media:description type="plain">A gate &amp; a pine</media:description>' in (
        response.text
    )
    assert one.id == f"tag:127.0.0.1,2026:photo-{first.pk}"
    assert "ecret" not in response.text
    html = client.get("/galleries/album/").text
    assert html.count('href="/galleries/album/feed/"') == 2


def test_feed_with_signs_that_xml_cannot_hold_stays_readable(
    client, site, make_gallery, make_photo
):
    gallery = make_gallery(title="A\x0bB", summary="\x01C\ufffe")
    make_photo(gallery, "x", picture_caption="D\x08E", picture_credit="F\x1fG")
    feed = feedparser.parse(client.get("/galleries/album/feed/").content)
    assert not feed.bozo
    assert feed.feed.title == "Pictures: AB"
    assert (feed.entries[0].title, feed.entries[0].media_credit[0]["content"]) == ("DE", "FG")


@pytest.mark.parametrize("address", ["/galleries/", "", "feed/", "{pk}/", "visit", "city"])
def test_page_with_photos_may_be_kept_for_a_minute_only(
    client, site, make_visit, make_gallery, make_photo, jinzhou, address
):
    """A photo whose consent is taken back is gone from copies within 60 s (trust.md, Minors)."""
    gallery = make_gallery(visit=make_visit())
    photo = make_photo(gallery)
    pages = {"visit": gallery.visit.get_absolute_url(), "city": jinzhou.get_absolute_url(),
             "/galleries/": "/galleries/"}  # fmt: skip
    own = gallery.get_absolute_url() + address.format(pk=photo.pk)
    response = client.get(pages.get(address, own))
    assert response.status_code == 200
    assert sorted(response["Cache-Control"].split(", ")) == ["max-age=30", "public"]
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")


@pytest.mark.parametrize("address", ["", "1/", "feed/"])
def test_gallery_pages_refuse_to_be_written_to(client, site, make_gallery, address):
    gallery = make_gallery()
    assert client.post(gallery.get_absolute_url() + address).status_code == 405


# --- files of a picture ---------------------------------------------------------------------


def test_picture_names_only_files_that_exist(client, site, make_gallery, bring_photo, settings):
    """Every address in the page's `src` and `srcset` is a stored file, narrow or wide."""
    from django.core.files.storage import storages

    gallery = make_gallery()
    for width in (300, 481, 900, 1300, 2000):
        bring_photo(gallery, f"W{width}", (width, width // 2), licence="by")
    pages = [client.get(photo.get_absolute_url()).text for photo in gallery.photos.all()]
    pages += [client.get(gallery.get_absolute_url()).text, client.get("/cities/jinzhou/").text]
    names = {name for html in pages for name in re.findall(r"/media/([^\s\"]+)", html)}
    assert len(names) > 15
    assert [name for name in names if not storages["default"].exists(name)] == []


def test_picture_offers_avif_only_where_there_is_one(client, site, make_gallery, make_photo):
    gallery = make_gallery()
    make_photo(gallery, "One", picture_has_avif=True, picture_width=700)
    make_photo(gallery, "Two")
    html = client.get(gallery.get_absolute_url()).text
    assert re.findall(r'type="image/avif" srcset="([^"]+)"', html) == [
        "/media/pictures/ab/One-480.avif 480w,/media/pictures/ab/One.avif 700w"
    ]


@pytest.mark.parametrize("count", [2, 24])
def test_gallery_list_asks_the_same_number_of_questions(
    client, site, make_visit, make_gallery, make_photo, count, django_assert_num_queries
):
    for number in range(count):
        gallery = make_gallery(f"g{number}", visit=make_visit(f"v{number}"))
        make_photo(gallery, f"P{number}")
    with django_assert_num_queries(LIST_QUERIES):
        html = client.get("/galleries/").text
    assert html.count('class="place"') == count


def test_gallery_list_shows_the_cover_newest_first(client, site, make_gallery, make_photo):
    old = make_gallery("old", taken_on="2010-05-01")
    new = make_gallery("new", taken_on="2022-05-01")
    make_gallery("undated")
    make_photo(old, "First of old")
    make_photo(new, "First of new", order=1)
    make_photo(new, "Cover of new", order=2, is_cover=True)
    html = client.get("/galleries/").text
    assert re.findall(r'<h2><a href="/galleries/(\w+)/"', html) == ["new", "old", "undated"]
    assert "First of old" in html
    assert "Cover of new" in html
    assert "First of new" not in html
    assert "May 2022" in html


def test_gallery_list_turns_pages_also_among_the_undated(client, site, make_gallery):
    for count in range(25):
        make_gallery(f"g{count}", taken_on="2010-05-01" if count % 2 else None)
    first = client.get("/galleries/").text
    (query,) = re.findall(r'<a href="\?([^"]+)" rel="next"', first)
    assert query.startswith("after=0001-01-01~")
    second = client.get(f"/galleries/?{query}").text
    found = re.findall(r'<h2><a href="/galleries/(\w+)/"', first + second)
    assert len(found) == len(set(found)) == 25
    assert found[:2] == ["g23", "g21"]


def test_gallery_texts_are_never_markup(client, site, make_gallery, make_photo):
    gallery = make_gallery(title=f"T{BAD}", summary=f"S{BAD}")
    photo = make_photo(gallery, "x", picture_caption=f"C{BAD}", picture_credit=f"P{BAD}")
    Photo.objects.update(picture_alt=f"A{BAD}")
    base = gallery.get_absolute_url()
    for address in (base, "/galleries/", photo.get_absolute_url(), f"{base}feed/"):
        assert "<script>alert" not in client.get(address).text
    data = linked_data(client.get(base).text)
    assert data["name"] == f"T{BAD}"
    assert data["image"][0]["caption"] == f"C{BAD}"
    feed = feedparser.parse(client.get(f"{base}feed/").content)
    assert feed.entries[0].title == f"C{BAD}"  # plain text by the standard
    assert "<script" not in feed.entries[0].summary  # HTML by the standard


def test_gallery_of_a_year_shows_only_the_year(make_visit, make_gallery):
    visit = make_visit(precision="year")
    dated = make_gallery("dated", taken_on=dt.date(2013, 9, 7), visit=visit)
    plain = make_gallery("plain", taken_on=dt.date(2013, 9, 7))
    assert (dated.when, plain.when, Gallery(title="x").when) == ("2013", "September 2013", "")
