import pytest
from django.urls import reverse

from cities.models import City, Fact, Measure, Source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("told_templates")]
INLINES = ("sections", "facts", "places", "honours", "people", "partner_organisations",
           "district_links")  # fmt: skip


def form(**changes) -> dict:
    data = {
        "name": "Jinzhou", "slug": "jinzhou", "relationship": "sister", "country": "CN",
        "region": "Liaoning", "latitude": "41.11", "longitude": "121.14",
        "time_zone": "Asia/Shanghai", "summary": "A port.", "accent": "#7b2a4e",
        "accent_line": "#3f7089", "accent_dark": "#e0a4bd", "accent_line_dark": "#93bcd0",
        "status": "published", "publish_at_0": "2020-01-01", "publish_at_1": "00:00:00",
    }  # fmt: skip
    for prefix in INLINES:
        data |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return {**data, **changes}


def test_staff_adds_a_city_with_a_fact(admin_client, client, site):
    measure, source = Measure.objects.create(name="Area"), Source.objects.create(title="Atlas")
    answer = admin_client.post(
        reverse("admin:cities_city_add"),
        form(**{
            "facts-TOTAL_FORMS": "1", "facts-0-measure": measure.pk, "facts-0-value": "10301",
            "facts-0-unit": "km2", "facts-0-source": source.pk, "facts-0-as_of_year": "2009",
        }),
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    text = client.get("/cities/jinzhou/").content.decode()
    assert "10,301" in text and "3,977" in text and "Atlas" in text


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("latitude", "100", "A latitude lies between -90 and 90."),
        ("longitude", "-181", "A longitude lies between -180 and 180."),
        ("latitude", "NaN", "Enter a number."),
        ("accent", "#e0a4bd", "Too faint on the light page"),
        ("accent", "purple", "Write a colour as #"),
        ("time_zone", "Mars/Olympus", "Select a valid choice"),
        ("country", "XX", "Select a valid choice"),
        ("slug", "a b", "Enter a valid"),
        ("native_name", "锦州", "Which language is the name in its own script?"),
        ("publish_at_0", "tomorrow", "Enter a valid date"),
    ],
)
def test_bad_input_gets_a_sentence_and_saves_nothing(admin_client, site, field, value, says):
    answer = admin_client.post(reverse("admin:cities_city_add"), form(**{field: value}))
    assert answer.status_code == 200
    assert says in answer.content.decode().replace("&#x27;", "'")
    assert not City.objects.exists()


def test_a_file_that_is_no_picture_is_refused_and_the_rest_is_kept(admin_client, site):
    from django.core.files.uploadedfile import SimpleUploadedFile

    answer = admin_client.post(
        reverse("admin:cities_city_add"),
        form(picture=SimpleUploadedFile("a.jpg", b"MZ not a picture"), picture_alt="A port"),
    )
    text = answer.content.decode()
    assert "This file is not a picture that we can read." in text
    assert 'value="Liaoning"' in text
    assert not City.objects.exists()


def test_a_picture_needs_words(admin_client, site, picture_file):
    answer = admin_client.post(reverse("admin:cities_city_add"), form(picture=picture_file()))
    assert "Please say in words what the picture shows." in answer.content.decode()


def test_a_second_home_is_refused(admin_client, site, home_city):
    answer = admin_client.post(reverse("admin:cities_city_add"), form(relationship="home"))
    assert "There is a home city already." in answer.content.decode()


def test_contradicting_sources_raise_a_flag_for_staff(admin_client, site, make_city):
    city = make_city()
    measure = Measure.objects.create(name="Population")
    for title, value in (("One", 3020000), ("Two", 3100000)):
        Fact.objects.create(
            city=city, measure=measure, value=value, unit="people",
            source=Source.objects.create(title=title),
        )  # fmt: skip
    make_city("Midleton")
    page = admin_client.get(reverse("admin:cities_city_change", args=[city.pk]))
    assert "Population: 3020000 (One); 3100000 (Two)" in page.content.decode()
    found = admin_client.get(reverse("admin:cities_city_changelist") + "?sources=differ")
    assert [row.name for row in found.context["cl"].result_list] == ["Jinzhou"]
    facts = admin_client.get(reverse("admin:cities_fact_changelist") + "?sources=differ")
    assert facts.context["cl"].result_count == 2


@pytest.mark.parametrize("count", [3, 30])
def test_city_list_of_the_admin_costs_the_same(
    admin_client, site, make_city, count, django_assert_num_queries
):
    for n in range(count):
        make_city(f"Town {n}")
    with django_assert_num_queries(7):
        admin_client.get(reverse("admin:cities_city_changelist"))
