import datetime as dt

import pytest
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

pytestmark = pytest.mark.django_db
LIST_QUERIES = 4  # site, chrome, cities, district links of home


def fill(city, picture_file, *, rows: int) -> None:
    """A city with `rows` of everything that its page shows."""
    for n in range(rows):
        source = Source.objects.create(title=f"Source {n} of {city}")
        measure = Measure.objects.get_or_create(name=f"Measure {n}")[0]
        Fact.objects.create(city=city, measure=measure, value=n + 1, source=source, as_of_year=2009)
        Section.objects.create(city=city, heading=f"Section {n}", body="<p>Text</p>", source=source)
        Place.objects.create(city=city, name=f"Place {n}", text="Text", source=source)
        Honour.objects.create(city=city, title=f"Honor {n}", year=1985)
        Person.objects.create(city=city, name=f"Person {n}", known_for="writing")
        Partner.objects.create(city=city, name=f"Partner {n}")
        DistrictLink.objects.create(city=city, district=f"D{n}", town="Cegléd", country="HU")
        slug = f"{city.slug}-{n}"
        visit = Visit.objects.create(
            city=city, title=f"Visit {n}", slug=slug, direction="outbound", status="published",
            stage="completed", starts_on=dt.date(2010 + n % 10, 1, 1), summary="S",
        )  # fmt: skip
        gallery = Gallery.objects.create(
            city=city, visit=visit, title=f"Gallery {n}", slug=slug, status="published"
        )
        Photo.objects.create(
            gallery=gallery, picture=picture_file(), picture_alt="A hill", people="none"
        )
        Event.objects.create(
            city=city, title=f"Event {n}", slug=slug, status="published", summary="S",
            starts_on=dt.date.today() + dt.timedelta(days=n + 1),
        )  # fmt: skip
        article = Article.objects.create(
            headline=f"Article {n}", slug=slug, lead="L", status="published"
        )
        article.cities.add(city)


@pytest.mark.parametrize("rows", [1, 10])
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
                  "Gallery 0", "Event 0", f"Article {rows - 1}", "Cegléd, Hungary",
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
    for page in (city.get_absolute_url(), reverse("cities:list"), "/", reverse("cities:accents")):
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


def test_hostile_words_come_back_as_words(client, site, home_city, make_city):
    hostile = "<script>alert(1)</script>\"'{{ site.ein }}"
    city = make_city(summary=hostile, region=hostile[:80])
    Section.objects.create(city=city, heading=hostile, body="<p onclick=x>ok</p><script>a</script>")
    text = client.get(city.get_absolute_url()).content.decode()
    assert "<script>alert" not in text and "onclick" not in text and "<script>a<" not in text
    assert "{{ site.ein }}" in text


def test_accents_style_sheet(client, make_city):
    make_city(accent="#7b2a4e", accent_line="#3f7089")
    answer = client.get(reverse("cities:accents") + "?v=1")
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in answer["Cache-Control"] or "31536000" in answer["Cache-Control"]
    assert "[data-city=jinzhou]{--accent:#7b2a4e;--accent-2:#3f7089}" in answer.content.decode()


def test_a_city_without_colours_of_its_own_needs_no_rule(client, make_city):
    make_city()
    css = client.get(reverse("cities:accents")).content.decode()
    assert "[data-city]{--accent:var(--civic);--accent-2:var(--civic-2)}" in css
    assert "jinzhou" not in css
