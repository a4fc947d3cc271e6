"""Visits, galleries and events as staff keep them, through the real forms."""

import datetime as dt
import re

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.urls import reverse

from exchanges.models import Day, Event, Gallery, Participant, Photo, Visit


@pytest.fixture
def staff(client, site):
    client.force_login(
        User.objects.create_superuser("ann", "ann@example.org", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


NO_ROWS = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "1000"}
PUBLISHING = {
    "status": "published", "publish_at_0": "2026-01-01", "publish_at_1": "12:00:00",
    "change_note": "",
}  # fmt: skip


def formset(prefix: str, *rows: dict, initial: int = 0) -> dict:
    data = {f"{prefix}-{name}": value for name, value in NO_ROWS.items()}
    data[f"{prefix}-TOTAL_FORMS"] = str(len(rows))
    data[f"{prefix}-INITIAL_FORMS"] = str(initial)
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def visit_form(city, **fields) -> dict:
    return {
        "title": "The gardens", "slug": "the-gardens", "summary": "Five days.", "city": city.pk,
        "direction": "outbound", "stage": "completed", "starts_on": "2013-09-07",
        "ends_on": "2013-09-11", "precision": "day", "story": "<p>Words.</p>", "answers": "",
        "picture_alt": "", "picture_caption": "", "picture_credit": "",
        **formset("days"), **formset("participants"), **formset("hosts"), **PUBLISHING, **fields,
    }  # fmt: skip


def event_form(**fields) -> dict:
    return {
        "title": "The supper", "slug": "supper", "summary": "Come.", "starts_on": "2027-02-06",
        "time_zone": "America/Denver", "city": "", "visit": "", "native_title": "",
        "native_language": "", "place": "", "address": "", "online_url": "", "body": "",
        "picture_alt": "", "picture_caption": "", "picture_credit": "", **PUBLISHING, **fields,
    }  # fmt: skip


def gallery_form(city, *photos: dict, **fields) -> dict:
    return {
        "title": "Album", "slug": "album", "summary": "", "city": city.pk, "visit": "",
        "taken_on": "", **formset("photos", *photos), **PUBLISHING, **fields,
    }  # fmt: skip


def errors_beside(response, field: str) -> str:
    """The words of the error list that stands in the same row as the field."""
    assert response.status_code == 200
    form = response.context["adminform"].form
    assert field in form.errors, form.errors
    row = response.text.split(f'name="{field}"')[0].rsplit('class="form-row', 1)[1]
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def test_visit_is_published_with_days_and_people(staff, home_city, jinzhou):
    data = visit_form(
        jinzhou,
        cooperation=["culture", "youth"],
        **formset("days", {"number": "1", "on": "2013-09-07", "title": "Arrival", "text": ""}),
        **formset("participants", {"name": "Ann Lee", "agreed_to_be_named": "on"}, {"name": "Bo"}),
        **formset("hosts", {"name": "City of Jinzhou", "native_name": "锦州市", "url": ""}),
    )
    response = staff.post(reverse("admin:exchanges_visit_add"), data)
    assert response.status_code == 302, response.context["errors"]
    page = staff.get("/visits/the-gardens/").text
    assert "Arrival" in page
    assert "Ann Lee" in page
    assert "锦州市" in page
    assert ">Bo<" not in page
    day = Day.objects.get()
    change = staff.get(reverse("admin:exchanges_visit_change", args=[day.visit_id])).text
    assert reverse("admin:exchanges_day_change", args=[day.pk]) in change
    stops = formset("stops", {"at": "09:05", "title": "Train", "native": ""})
    day_form = {"visit": day.visit_id, "number": "1", "on": "2013-09-07", "title": "Arrival",
                "text": "<p>Words</p>", **stops}  # fmt: skip
    response = staff.post(reverse("admin:exchanges_day_change", args=[day.pk]), day_form)
    assert response.status_code == 302
    assert "Train" in staff.get("/visits/the-gardens/").text


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"ends_on": "2013-09-06"}, "ends_on", "The last day is before the first day."),
        ({"starts_on": "0213-09-07"}, "starts_on", "Please check the year"),
        ({"title": ""}, "title", "This field is required."),
        ({"slug": "has blanks"}, "slug", "letters, numbers, underscores or hyphens"),
    ],
)
def test_bad_visit_gets_a_sentence_beside_the_field(staff, jinzhou, fields, field, sentence):
    response = staff.post(reverse("admin:exchanges_visit_add"), visit_form(jinzhou, **fields))
    assert sentence in errors_beside(response, field)
    assert not Visit.objects.exists()


def test_return_visit_fits_the_one_it_answers(staff, make_visit, make_city, jinzhou):
    first = make_visit("first")
    address = reverse("admin:exchanges_visit_add")
    other = visit_form(make_city("Midleton"), answers=first.pk, direction="inbound")
    assert "belongs to another city" in errors_beside(staff.post(address, other), "answers")
    same_way = visit_form(jinzhou, answers=first.pk)
    assert "goes the other way" in errors_beside(staff.post(address, same_way), "answers")
    assert Visit.objects.count() == 1
    change = reverse("admin:exchanges_visit_change", args=[first.pk])
    itself = visit_form(jinzhou, answers=first.pk)
    assert "its own return visit" in errors_beside(staff.post(change, itself), "answers")


def test_day_outside_its_visit_is_refused(staff, jinzhou):
    days = formset("days", {"number": "1", "on": "2013-10-07", "title": "Arrival", "text": ""})
    response = staff.post(reverse("admin:exchanges_visit_add"), visit_form(jinzhou, **days))
    assert "This day lies outside the visit." in response.text
    assert not Visit.objects.exists()


def test_two_days_with_one_number_are_refused(staff, jinzhou):
    rows = [{"number": "1", "on": "", "title": title, "text": ""} for title in ("A", "B")]
    response = staff.post(
        reverse("admin:exchanges_visit_add"), visit_form(jinzhou, **formset("days", *rows))
    )
    assert response.status_code == 200
    assert not Visit.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"ends_on": "2027-02-05"}, "ends_on", "The last day is before the first day."),
        ({"ends_at": "19:00"}, "starts_at", "An hour of ending needs an hour of beginning."),
        ({"starts_at": "19:00", "ends_at": "18:00"}, "ends_at", "It ends before it begins."),
        ({"starts_on": "2927-02-06"}, "starts_on", "Please check the year"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "Select a valid choice."),
        ({"online_url": "javascript:alert(1)"}, "online_url", "Enter a valid URL."),
        ({"slug": "calendar"}, "slug", "belongs to the calendar"),
    ],
)
def test_bad_event_gets_a_sentence_beside_the_field(staff, fields, field, sentence):
    response = staff.post(reverse("admin:exchanges_event_add"), event_form(**fields))
    assert sentence in errors_beside(response, field)
    assert not Event.objects.exists()


def test_event_is_published(staff):
    assert staff.post(reverse("admin:exchanges_event_add"), event_form()).status_code == 302
    assert staff.get("/events/supper/").status_code == 200


PHOTO = {"picture_alt": "A gate", "picture_caption": "", "picture_credit": "", "order": "1"}


def test_gallery_is_published_with_a_picture(staff, jinzhou, picture_file):
    row = {**PHOTO, "picture": picture_file(60, 40)}
    response = staff.post(reverse("admin:exchanges_gallery_add"), gallery_form(jinzhou, row))
    assert response.status_code == 302, response.context["errors"]
    photo = Photo.objects.get()
    assert (photo.picture_width, photo.picture_height) == (60, 40)
    assert f'href="/media/{photo.picture.name}"' in staff.get("/galleries/album/").text


@pytest.mark.parametrize(
    ("content", "row", "sentence"),
    [
        (b"not a picture", PHOTO, "This file is not a picture that we can read."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", PHOTO, "This file is not a picture"),
        (b"", PHOTO, "The submitted file is empty."),
        (None, PHOTO, "Choose a picture."),
    ],
)
def test_bad_picture_gets_a_sentence_beside_the_field(staff, jinzhou, content, row, sentence):
    if content is not None:
        row = {**row, "picture": ContentFile(content, name="x.jpg")}
    response = staff.post(reverse("admin:exchanges_gallery_add"), gallery_form(jinzhou, row))
    assert response.status_code == 200
    (form,) = response.context["inline_admin_formsets"][0].formset.forms
    assert sentence in str(form.errors["picture"])
    assert sentence.replace("'", "&#x27;") in response.text
    assert not Gallery.objects.exists()
    assert not Photo.objects.exists()


def test_picture_needs_words_unless_it_is_decorative(staff, jinzhou, picture_file):
    address = reverse("admin:exchanges_gallery_add")
    silent = {**PHOTO, "picture_alt": "", "picture": picture_file()}
    response = staff.post(address, gallery_form(jinzhou, silent))
    assert "Please say in words what the picture shows." in response.text
    assert not Photo.objects.exists()
    decorative = {**silent, "is_decorative": "on", "picture": picture_file()}
    assert staff.post(address, gallery_form(jinzhou, decorative)).status_code == 302


def test_gallery_of_a_visit_to_another_city_is_refused(staff, make_visit, make_city):
    data = gallery_form(make_city("Midleton"), visit=make_visit().pk)
    response = staff.post(reverse("admin:exchanges_gallery_add"), data)
    assert "That visit belongs to another city." in errors_beside(response, "visit")


def test_photos_are_hidden_and_shown_by_the_list(staff, make_gallery, make_photo):
    photo = make_photo(make_gallery())
    address = reverse("admin:exchanges_photo_changelist")
    staff.post(address, {"action": "hide", "_selected_action": [photo.pk]})
    assert "A-gate" not in staff.get("/galleries/album/").text
    staff.post(address, {"action": "show", "_selected_action": [photo.pk]})
    assert "A-gate" in staff.get("/galleries/album/").text


@pytest.mark.parametrize("name", ["visit", "day", "participant", "gallery", "photo", "event"])
def test_list_pages_ask_the_same_number_of_questions(
    staff, name, make_visit, make_day, make_gallery, make_photo, make_event, make_city,
    django_assert_num_queries, django_assert_max_num_queries,
):  # fmt: skip
    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            city = make_city(f"City {number}")
            visit = make_visit(f"v{number}", city=city)
            make_day(visit, 1)
            Participant.objects.create(visit=visit, name=f"P{number}")
            make_photo(make_gallery(f"g{number}", visit=visit, city=city), f"Photo {number}")
            make_event(f"e{number}", city=city, visit=visit, starts_at=dt.time(18))

    address = reverse(f"admin:exchanges_{name}_changelist")
    fill(0, 3)
    staff.get(address)
    with django_assert_max_num_queries(9) as few:
        assert staff.get(address).status_code == 200
    fill(3, 30)
    with django_assert_num_queries(len(few)):
        assert staff.get(address).text.count("action-checkbox") > 29


@pytest.mark.parametrize("name", ["visit", "day", "participant", "gallery", "photo", "event"])
def test_pages_open_search_and_are_strict(staff, name, make_visit, make_gallery, make_photo):
    make_photo(make_gallery(visit=make_visit()))
    for address in (
        reverse(f"admin:exchanges_{name}_add"),
        reverse(f"admin:exchanges_{name}_changelist") + "?q=锦州",
    ):
        response = staff.get(address)
        assert response.status_code == 200
        assert response["Cache-Control"] == "private, no-store"
        inline = [
            tag for tag in re.findall(r"<script([^>]*)>", response.text)
            if "src=" not in tag and "nonce=" not in tag and "json" not in tag
        ]  # fmt: skip
        assert inline == []


def test_draft_has_no_link_to_the_site_and_a_published_one_has(staff, make_visit):
    draft, shown = make_visit("draft", status="draft"), make_visit("shown")
    for visit, expected in ((draft, False), (shown, True)):
        html = staff.get(reverse("admin:exchanges_visit_change", args=[visit.pk])).text
        assert (f'href="/visits/{visit.slug}/"' in html) is expected
