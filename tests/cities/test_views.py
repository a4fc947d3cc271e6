import datetime as dt
import json
import re

import pytest
import time_machine
from django.urls import reverse

from cities.models import (
    DistrictLink,
    Fact,
    Honour,
    Measure,
    Partner,
    Person,
    Place,
    Section,
    Source,
)
from exchanges.models import Event, Gallery, Photo, Visit
from sistercities.news.models import Article
from sistercities.pages.models import Document

pytestmark = pytest.mark.django_db
LIST_QUERIES = 4  # site, chrome, cities, district links of home


def fill(city, picture_file, *, rows: int) -> None:
    """A city with `rows` of everything that its page shows; three have pictures."""
    made: dict[type, list] = {}

    def add(model, **fields):
        made.setdefault(model, []).append(row := model(**fields))
        return row

    for n in range(rows):
        slug = f"{city.slug}-{n}"
        common = {"city": city, "slug": slug, "status": "published"}
        source = add(Source, title=f"Source {n} of {city}")
        measure = add(Measure, name=f"Measure {n}")
        add(Fact, city=city, measure=measure, value=n + 1, source=source, as_of_year=2009)
        add(Section, city=city, heading=f"Section {n}", body="<p>Text</p>", source=source)
        add(Place, city=city, name=f"Place {n}", text="Text", source=source)
        add(Honour, city=city, title=f"Honor {n}", year=1985)
        add(Person, city=city, name=f"Person {n}", known_for="writing")
        add(Partner, city=city, name=f"Partner {n}")
        add(DistrictLink, city=city, district=f"D{n}", town="Cegléd", country="HU")
        add(Document, kind="agreement", title=f"Agreement {n}", **common)
        visit = add(
            Visit, direction="outbound", stage="completed", summary="S",
            starts_on=dt.date(2010 + n % 10, 1, 1), title=f"Visit {n}", **common,
        )  # fmt: skip
        add(Gallery, visit=visit, title=f"Gallery {n}", **common)
        add(
            Event, summary="S", starts_on=dt.date.today() + dt.timedelta(days=n + 1),
            title=f"Event {n}", **common,
        )  # fmt: skip
        add(Article, headline=f"Article {n}", slug=slug, lead="L", status="published")
    for model, several in made.items():
        model.objects.bulk_create(several)
    city.articles.set(made[Article])
    for gallery in made[Gallery][:3]:
        Photo.objects.create(
            gallery=gallery, picture=picture_file(), picture_alt="A hill", people="none"
        )


def page_of(client, city, part: str = "") -> str:
    """A page of the city, its lines joined."""
    answer = client.get(f"{city.get_absolute_url()}{part}")
    assert answer.status_code == 200
    return re.sub(r"\s*\n\s*", "", answer.content.decode())


@pytest.mark.parametrize("rows", [1, 100])
def test_city_page_takes_six_queries_with_few_rows_and_many(
    client, site, home_city, make_city, picture_file, finish_pictures, rows,
    django_assert_num_queries,
):  # fmt: skip
    city = make_city("Jinzhou", native_name="锦州", native_language="zh-Hans")
    fill(city, picture_file, rows=rows)
    finish_pictures()
    with django_assert_num_queries(6):
        page = client.get(city.get_absolute_url())
    assert page.status_code == 200
    text = page.content.decode()
    for shown in ("锦州", "Section 0", "Place 0", "Honor 0", "Person 0", "Partner 0", "Visit 0",
                  "Gallery 0", "Event 0", f"Article {rows - 1}", "Cegléd, Hungary", "Agreement 0",
                  "flag-icons/4x3/cn.svg",
                  "6,1"):  # fmt: skip
        assert shown in text


@pytest.mark.parametrize("count", [1, 12])
def test_city_list_takes_four_queries(
    client, site, home_city, make_city, count, django_assert_num_queries
):
    for n in range(count):
        make_city(f"Town {n}")
    with django_assert_num_queries(LIST_QUERIES):
        page = client.get(reverse("cities:list"))
    assert 'class="atlas"' in page.content.decode()
    assert f"Town {count - 1}" in page.content.decode()


def test_nothing_unpublished_of_or_about_a_city_is_shown(client, site, home_city, make_city):
    city = make_city("Midleton")
    draft = make_city("Secretville", status="draft")
    later = make_city("Laterville", publish_at="2999-01-01T00:00Z")
    Visit.objects.create(
        city=city, title="Hidden visit", slug="hidden", direction="inbound",
        starts_on="2013-01-01", summary="S",
    )  # fmt: skip
    Event.objects.create(
        city=city, title="Hidden event", slug="hidden", starts_on="2999-01-01", summary="S"
    )
    gallery = Gallery.objects.create(city=city, title="Hidden gallery", slug="hidden")
    Photo.objects.create(gallery=gallery, picture_caption="Hidden photo")
    Article.objects.create(headline="Hidden article", slug="hidden", lead="L").cities.add(city)
    for hidden in (draft, later):
        assert client.get(hidden.get_absolute_url()).status_code == 404
    for page in (city.get_absolute_url(), reverse("cities:list"), "/", reverse("cities:style")):
        text = client.get(page).content.decode()
        for word in ("Hidden", "Secretville", "secretville", "Laterville", "laterville"):
            assert word not in text


def test_pairs_show_whose_turn_it_is(client, site, home_city, make_city):
    city = make_city()
    common = {"city": city, "status": "published", "stage": "completed", "summary": "S"}
    out = Visit.objects.create(
        title="Out", slug="out", direction="outbound", starts_on="2010-01-01", **common
    )
    Visit.objects.create(
        title="Back", slug="back", direction="inbound", starts_on="2011-01-01", answers=out,
        **common,
    )  # fmt: skip
    Visit.objects.create(
        title="Again", slug="again", direction="outbound", starts_on="2013-01-01", **common
    )
    text = client.get(city.get_absolute_url()).content.decode()
    assert text.count('<li class="pair">') == 2
    assert "Jinzhou’s turn" in text
    assert "2 out, 1 back" in text
    assert "It is Jinzhou’s turn: the visit of 2013 has no answer yet." in text


def test_hostile_words_come_back_as_words(client, site, home_city, make_city):
    hostile = "<script>alert(1)</script>\"'{{ site.ein }}"
    city = make_city(summary=hostile, region=hostile[:80])
    Section.objects.create(city=city, heading=hostile, body="<p onclick=x>ok</p><script>a</script>")
    text = client.get(city.get_absolute_url()).content.decode()
    assert "<script>alert" not in text and "onclick" not in text and "<script>a<" not in text
    assert "{{ site.ein }}" in text


def test_one_style_sheet_has_the_colors_of_every_city(client, site, home_city, make_city):
    city = make_city(accent="#7b2a4e", accent_line="#3f7089")
    page = client.get(city.get_absolute_url()).content.decode()
    (address,) = re.findall(r'rel="stylesheet" href="([^"]+)"', page)
    answer = client.get(address)
    sheet = answer.content.decode()
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert "31536000" in answer["Cache-Control"]
    assert '[data-city="jinzhou"]{--accent:#7b2a4e;--accent-2:#3f7089}' in sheet
    assert ".masthead{" in sheet and "/*" not in sheet
    for font in re.findall(r'rel="preload" as="font" type="font/woff2" href="([^"]+)"', page):
        assert f"url({font})" in sheet
    city.accent = "#1c5587"
    city.save()
    assert address not in client.get(city.get_absolute_url()).content.decode()


def test_a_city_without_colours_of_its_own_needs_no_rule(client, make_city):
    make_city()
    sheet = client.get(reverse("cities:style")).text
    assert "[data-city]{--accent:var(--civic);--accent-2:var(--civic-2)}" in sheet
    assert 'data-city="jinzhou' not in sheet


def test_partnership_card_has_day_signers_years_and_scan(client, site, home_city, make_city):
    city = make_city(signed_on="1998-05-14", signed_by="the mayors Ann Lee and Li Wei")
    for slug, more in {
        "signed": {}, "draft": {"status": "draft"}, "minutes": {"kind": "minutes"},
        "of-another": {"city": make_city("Midleton")},
    }.items():  # fmt: skip
        values = {"kind": "agreement", "city": city, "status": "published", "size_bytes": 819200}
        Document.objects.create(title="Agreement", slug=slug, year=1998, **{**values, **more})
    with time_machine.travel("2027-01-01T12:00Z", tick=False):
        text = page_of(client, city)
    card = re.search(r'<div class="deed">.*?</div>', text)[0]
    assert "29 <span>years together,<br>since 1998</span>" in card
    assert "May 14, 1998, signed by the mayors Ann Lee and Li Wei" in card
    assert re.findall(r'href="([^"]+)">([^<]+)</a> ([^<]+)<', card) == [
        ("/documents/signed.pdf", "Agreement, 1998", "(scan, PDF, 800.0\xa0KB)")
    ]


def test_a_contact_is_named_only_with_consent(client, site, home_city, make_city):
    city = make_city()
    for name, role, agreed in (
        ("Xiao Jun", "notable", False), ("Mayor Li", "office", False),
        ("Willing Wang", "contact", True), ("Private Pan", "contact", False),
    ):  # fmt: skip
        Person.objects.create(
            city=city, name=name, role=role, agreed_to_be_named=agreed, known_for="This"
        )
    text = page_of(client, city)
    assert [n for n in ("Xiao Jun", "Mayor Li", "Willing Wang", "Private Pan") if n in text] == [
        "Xiao Jun", "Mayor Li", "Willing Wang",
    ]  # fmt: skip


def test_nine_figures_stand_on_the_page_and_all_on_their_own(client, site, home_city, make_city):
    city = make_city()
    atlas = Source.objects.create(title="An atlas", url="https://atlas.example/", year=2010)
    town = Source.objects.create(title="Profile", publisher="City of Jinzhou")
    for n in range(11):
        measure = Measure.objects.create(name=f"Measure {n:02}", order=n)
        Fact.objects.create(city=city, measure=measure, value=n + 1, source=atlas, as_of_year=2009)
    Fact.objects.create(city=city, measure_id=Measure.objects.first().pk, value=5, source=town)
    Fact.objects.create(
        city=city, measure=Measure.objects.last(), value=12, source=atlas, as_of_year=2019
    )
    text = page_of(client, city)
    assert re.findall(r"<dt>(Measure \d\d)</dt>", text) == [f"Measure {n:02}" for n in range(9)]
    assert 'href="/cities/jinzhou/figures/">All 11 figures, and the sources</a>' in text
    assert (
        '<b>Sources differ</b><ul><li>1, 2009 <span class="src">An atlas</span></li>'
        '<li>5, undated <span class="src">City of Jinzhou</span></li></ul>'
    ) in text
    figures = page_of(client, city, "figures/")
    assert figures.count('<div class="fact">') == 11
    assert 'aria-label="2009: 11; 2019: 12"' in figures
    assert '<a href="https://atlas.example/">An atlas</a></h3><p>2010</p>' in figures
    assert "<h3>Profile</h3><p>City of Jinzhou</p>" in figures


def test_a_day_there_is_in_the_order_of_its_hours(client, site, home_city, make_city):
    city = make_city(native_name="锦州", native_language="zh-Hans")
    for name, opens, closes in (("Night market", "18:00", "22:00"), ("Hill", None, None),
                                ("Fish stall", "06:00", "08:00")):  # fmt: skip
        Place.objects.create(
            city=city, name=name, native_name="夜市", text="T", opens_at=opens, closes_at=closes
        )
    sheet = page_of(client, city, "day/")
    assert re.findall(r"<h2>([^<]+)</h2><p>", sheet.split("</main>")[0]) == [
        "Fish stall",
        "Hill",
        "Night market",
    ]
    assert '<p class="show" lang="zh-Hans">夜市</p>' in sheet
    assert "6 p.m. to 10 p.m. daily" in sheet and "15 hours ahead" in sheet.replace("16", "15")
    assert 'href="/cities/jinzhou/day/"' in page_of(client, city)


@pytest.mark.parametrize("page", ["figures/", "day/"])
def test_a_city_without_such_rows_or_unpublished_has_no_such_page(client, site, make_city, page):
    assert client.get(f"{make_city().get_absolute_url()}{page}").status_code == 404
    draft = make_city("Draftville", status="draft")
    source = Source.objects.create(title="Atlas")
    Place.objects.create(city=draft, name="Hill", text="T", source=source)
    assert client.get(f"{draft.get_absolute_url()}{page}").status_code == 404


def test_programs_read_a_city_and_where_its_page_stands(client, site, home_city, make_city):
    city = make_city(
        native_name="锦州", native_language="zh-Hans", other_names="Chinchow, Jin Zhou",
        summary="</script><b>",
    )  # fmt: skip
    text = page_of(client, city)
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text)
    thing, trail = map(json.loads, blocks)
    assert (thing["@type"], thing["name"], thing["alternateName"]) == (
        "City", "Jinzhou", ["锦州", "Chinchow", "Jin Zhou"]
    )  # fmt: skip
    assert thing["geo"] == {"@type": "GeoCoordinates", "latitude": 41.11, "longitude": 121.14}
    assert thing["containedInPlace"][-1] == {"@type": "Country", "name": "China"}
    assert [step["name"] for step in trail["itemListElement"]] == ["Home", "Cities", "Jinzhou"]


def test_long_words_and_other_scripts_alone(client, site, home_city, make_city):
    """A name in one script only, no picture, no fact, no visit: the page leaves the rest out."""
    long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk"
    for city in (
        make_city("锦州", slug="jin"),
        make_city("Қызылорда", slug="qyz"),
        make_city(long),
    ):
        text = page_of(client, city)
        assert f"<h1>{city.name}</h1>" in text
        contents = re.search(r'<nav class="toc".*?</nav>', text)[0]
        assert re.findall(r"href=\"#(\w+)\"", contents) == ["partnership", "where"]
        assert "<picture>" not in text
