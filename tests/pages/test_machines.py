"""What programs read of each kind of page: one table."""

import datetime as dt
import json
import re
from xml.etree import ElementTree

import pytest

from donations.models import Campaign
from exchanges.models import Event, Gallery, Visit
from sistercities.news.models import Article
from sistercities.pages.models import Page

SITE = "http://127.0.0.1:8000"
SHOWN = {"status": "published", "publish_at": dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)}
US = {"@type": "NGO", "@id": f"{SITE}/#organization"}
JINZHOU = {
    "@type": "Place",
    "name": "Jinzhou",
    "address": {
        "@type": "PostalAddress",
        "addressLocality": "Jinzhou",
        "addressRegion": "Liaoning",
        "addressCountry": "CN",
    },
}


@pytest.fixture
def one_of_each(site, home_city, make_city):
    city = make_city("Jinzhou", native_name="锦州", native_language="zh-Hans")
    visit = Visit.objects.create(
        title="Gardens </script>", slug="gardens", city=city, direction="outbound",
        stage="completed", precision="month", starts_on=dt.date(2013, 9, 1), summary="Days.",
        **SHOWN,
    )  # fmt: skip
    Gallery.objects.create(title="Album", slug="album", city=city, visit=visit, **SHOWN)
    Event.objects.create(
        title="Supper", slug="supper", summary="Eat.", starts_on=dt.date(2027, 2, 6),
        starts_at=dt.time(18), ends_at=dt.time(20), place="Town hall", is_online=True, **SHOWN,
    )  # fmt: skip
    Article.objects.create(headline="News", slug="story", lead="Who.", **SHOWN)
    Campaign.objects.create(title="A bus", slug="bus", summary="S.", goal_cents=100, **SHOWN)
    Page.objects.create(title="About", slug="about", **SHOWN)


# Address; what the first block of data says; the names on the way to the page.
PAGES: list[tuple[str, dict, list[str]]] = [
    ("/", {"@type": "NGO", "@id": US["@id"], "name": "Arvada Sister Cities International",
           "taxID": "84-1234567", "nonprofitStatus": "https://schema.org/Nonprofit501c3",
           "potentialAction": {"@type": "DonateAction", "target": f"{SITE}/donate/"}}, []),
    ("/cities/jinzhou/", {
        "@type": "City", "name": "Jinzhou", "alternateName": ["锦州"],
        "geo": {"@type": "GeoCoordinates", "latitude": 41.11, "longitude": 121.14},
        "image": f"{SITE}/share/wide/city/jinzhou.jpg"}, ["Home", "Cities", "Jinzhou"]),
    ("/visits/gardens/", {
        "@type": "Event", "name": "Gardens </script>", "startDate": "2013-09",
        "eventStatus": "https://schema.org/EventScheduled", "location": JINZHOU,
        "organizer": US}, ["Home", "Visits", "Jinzhou", "Gardens </script>"]),
    ("/galleries/album/", {
        "@type": "ImageGallery", "name": "Album", "url": f"{SITE}/galleries/album/"},
        ["Home", "Pictures", "Gardens </script>", "Album"]),
    ("/events/supper/", {
        "@type": "Event", "startDate": "2027-02-06T18:00:00-07:00",
        "endDate": "2027-02-06T20:00:00-07:00",
        "eventAttendanceMode": "https://schema.org/MixedEventAttendanceMode",
        "location": [{"@type": "Place", "name": "Town hall"},
                     {"@type": "VirtualLocation", "url": f"{SITE}/events/supper/"}]},
        ["Home", "Events", "Supper"]),
    ("/news/story/", {
        "@type": "NewsArticle", "headline": "News", "datePublished": "2026-01-02T12:00:00+00:00",
        "publisher": US}, ["Home", "News", "News"]),
    ("/donate/bus/", {
        "@type": "DonateAction", "name": "A bus", "target": f"{SITE}/donate/bus/",
        "recipient": US}, ["Home", "Give", "A bus"]),
    ("/about/", {}, ["Home", "About"]),
    ("/visits/", {}, ["Home", "Visits"]),
    ("/documents/", {}, ["Home", "Documents"]),
]  # fmt: skip


def test_programs_read_of_each_page_what_it_is_and_where(client, one_of_each):
    for address, wanted, way in PAGES:
        html = client.get(address).text
        head, body = html.split("<body", 1)
        assert f'<link rel="canonical" href="{SITE}{address}">' in head, address
        assert re.search(r'<meta name="description" content="[^"]+">', head), address
        assert re.search(r"<title>[^<]+ · Arvada Sister Cities</title>", head), address
        blocks = [
            json.loads(text)
            for text in re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)
        ]
        assert all(block["@context"] == "https://schema.org" for block in blocks)
        if wanted:
            data = blocks.pop(0)
            assert {name: data.get(name) for name in wanted} == wanted
            assert f'<meta property="og:url" content="{SITE}{address}">' in head, address
            assert re.search(rf'<meta property="og:image" content="{SITE}/share/wide/', head)
            assert '<meta name="twitter:card" content="summary_large_image">' in head
        if not way:
            assert blocks == []
            continue
        (crumbs,) = blocks
        assert crumbs["@type"] == "BreadcrumbList"
        items = crumbs["itemListElement"]
        assert [item["name"] for item in items] == way
        assert [item["position"] for item in items] == list(range(1, len(way) + 1))
        assert ["item" in item for item in items] == [True] * (len(way) - 1) + [False]
        assert all(item["item"].startswith(f"{SITE}/") for item in items[:-1])


def test_what_is_not_to_be_indexed_says_so_and_has_no_canonical(client, one_of_each):
    for address in ("/search/?q=x", "/newsletter/thanks/"):
        head = client.get(address).text.split("<body")[0]
        assert '<meta name="robots" content="noindex">' in head
        assert "canonical" not in head
    robots = client.get("/robots.txt").text
    assert f"Sitemap: {SITE}/sitemap.xml" in robots


def test_the_map_names_pictures_and_the_last_change_of_lists(
    client, one_of_each, picture_file, finish_pictures, django_assert_num_queries
):
    visit = Visit.objects.get()
    visit.picture, visit.picture_alt = picture_file(1700, 1000), "A field"
    visit.save()
    finish_pictures()
    name = Visit.objects.get().picture.name.removesuffix(".webp")
    Visit.objects.update(updated_at=dt.datetime(2024, 5, 6, 12, tzinfo=dt.UTC))
    with django_assert_num_queries(1):
        text = client.get("/sitemap.xml").text
    assert f"<image:loc>{SITE}/media/{name}.jpg</image:loc>" in text
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    changed = {
        url.findtext("s:loc", namespaces=space): url.findtext("s:lastmod", namespaces=space)
        for url in ElementTree.fromstring(text).findall("s:url", space)
    }
    assert changed[f"{SITE}/visits/"] == changed[f"{SITE}/visits/gardens/"] == "2024-05-06"
    assert changed[f"{SITE}/"] > "2024-05-06"
