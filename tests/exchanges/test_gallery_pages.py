"""Galleries as visitors see them."""

import datetime as dt
import re

import pytest

from exchanges.models import Gallery, Photo

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
PAGE_QUERIES = 5  # site, chrome, gallery, photos, days
LIST_QUERIES = 5  # site, chrome, count, galleries, covers


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
    assert 'href="/media/pictures/ab/Early.webp"' in html
    assert 'src="/media/pictures/ab/Early-800.webp"' in html
    assert 'width="1600" height="1067" data-c="#8a6b4d"' in html
    assert html.count('<figure class="r32">') == 4
    assert html.count('fetchpriority="high"') == 1
    assert html.count('loading="lazy"') == 3
    assert f'href="{visit.get_absolute_url()}"' in html


def test_decorative_photo_is_silent_and_its_link_is_not(client, site, make_gallery, make_photo):
    gallery = make_gallery()
    make_photo(gallery, "Said", is_decorative=True)
    html = client.get(gallery.get_absolute_url()).text
    assert 'aria-label="The full picture"><img' in html
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


@pytest.mark.parametrize("count", [3, 120])
def test_gallery_asks_the_same_number_of_questions(
    client, site, make_visit, make_day, make_gallery, make_photo, count, django_assert_num_queries
):
    visit = make_visit()
    gallery = make_gallery(visit=visit)
    for number in range(1, count + 1):
        make_photo(gallery, f"P{number}")
        if number < 30:
            make_day(visit, number)
    with django_assert_num_queries(PAGE_QUERIES):
        assert client.get(gallery.get_absolute_url()).text.count("<figure") == count


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


@pytest.mark.parametrize("number", ["-1", "0", "2", "1000000000", "x", "%00", "9" * 5000])
def test_gallery_list_answers_any_page_number(client, site, make_gallery, number):
    for count in range(25):
        make_gallery(f"g{count}")
    assert client.get(f"/galleries/?page={number}").status_code == 200


def test_gallery_texts_are_never_markup(client, site, make_gallery, make_photo):
    bad = '"><script>alert(1)</script>'
    gallery = make_gallery(title=f"T{bad}", summary=f"S{bad}")
    make_photo(gallery, "x", picture_caption=f"C{bad}", picture_credit=f"P{bad}")
    Photo.objects.update(picture_alt=f"A{bad}")
    for address in (gallery.get_absolute_url(), "/galleries/"):
        assert "<script>alert" not in client.get(address).text


def test_gallery_of_a_year_shows_only_the_year(make_visit, make_gallery):
    visit = make_visit(precision="year")
    dated = make_gallery("dated", taken_on=dt.date(2013, 9, 7), visit=visit)
    plain = make_gallery("plain", taken_on=dt.date(2013, 9, 7))
    assert (dated.when, plain.when, Gallery(title="x").when) == ("2013", "September 2013", "")
