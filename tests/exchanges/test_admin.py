"""Visits, galleries and events as staff keep them, through the real forms."""

import datetime as dt
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.urls import reverse

from exchanges.models import Day, Event, Participant, Photo, Visit

pytestmark = pytest.mark.usefixtures("told_templates")


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


def gallery_form(city, **fields) -> dict:
    return {
        "title": "Album", "slug": "album", "summary": "", "city": city.pk, "visit": "",
        "taken_on": "", **PUBLISHING, **fields,
    }  # fmt: skip


def photo_form(**fields) -> dict:
    return {
        "picture_alt": "A gate", "picture_caption": "", "picture_credit": "", "people": "none",
        "licence": "reserved", "taken_at_0": "", "taken_at_1": "", **fields,
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
        ({"slug": "calendar"}, "slug", "belongs to a calendar"),
    ],
)
def test_bad_event_gets_a_sentence_beside_the_field(staff, fields, field, sentence):
    response = staff.post(reverse("admin:exchanges_event_add"), event_form(**fields))
    assert sentence in errors_beside(response, field)
    assert not Event.objects.exists()


def test_event_is_published(staff):
    assert staff.post(reverse("admin:exchanges_event_add"), event_form()).status_code == 302
    assert staff.get("/events/supper/").status_code == 200


# --- galleries ------------------------------------------------------------------------------


def changes_of(row) -> list[str]:
    entries = LogEntry.objects.filter(object_id=row.pk, content_type__model=row._meta.model_name)
    return [entry.get_change_message() for entry in entries.order_by("pk")]


def test_gallery_is_published(staff, jinzhou):
    address = reverse("admin:exchanges_gallery_add")
    assert staff.post(address, gallery_form(jinzhou)).status_code == 302
    assert staff.get("/galleries/album/").status_code == 200


def test_gallery_with_an_undescribed_photo_is_not_published(
    staff, jinzhou, make_gallery, make_photo
):
    """Issue 3, Sorting: every photo is described or marked as decorative first."""
    gallery = make_gallery(status="draft")
    make_photo(gallery, picture_alt="", people="none")
    make_photo(gallery, "Hidden", picture_alt="", is_hidden=True)
    make_photo(gallery, "Deleted", picture_alt="", deleted_at=gallery.publish_at)
    make_photo(gallery, "Decorative", picture_alt="", is_decorative=True)
    address = reverse("admin:exchanges_gallery_change", args=[gallery.pk])
    refused = staff.post(address, gallery_form(jinzhou))
    assert "1 photo has no description yet" in errors_beside(refused, "status")
    gallery.refresh_from_db()
    assert gallery.status == "draft"
    way = reverse("admin:exchanges_gallery_words", args=[gallery.pk]) + "?show=wordless"
    assert f'href="{way}"' in staff.get(address).text
    found = re.findall(r'id="photo-(\d+)"', staff.get(way).text)
    assert found == [str(gallery.photos.first().pk)]

    by_list = {"action": "publish", "_selected_action": [gallery.pk]}
    answer = staff.post(reverse("admin:exchanges_gallery_changelist"), by_list, follow=True)
    assert "was not published" in answer.text
    gallery.photos.update(is_decorative=True)
    assert staff.post(address, gallery_form(jinzhou)).status_code == 302


@pytest.fixture
def shown(make_gallery, bring_photo) -> Photo:
    """A photo with real files that visitors see."""
    photo = bring_photo(make_gallery())
    assert photo.picture
    return photo


@pytest.mark.parametrize(
    "how", [{"status": "draft"}, {"is_unlisted": "on"}, {"publish_at_0": "2099-01-01"}]
)
def test_gallery_taken_off_the_site_takes_its_files_along(staff, jinzhou, shown, how):
    address = reverse("admin:exchanges_gallery_change", args=[shown.gallery_id])
    assert staff.post(address, gallery_form(jinzhou, **how)).status_code == 302
    shown.refresh_from_db()
    assert shown.picture == ""


def test_gallery_withdrawn_by_the_list_takes_its_files_along(staff, shown):
    address = reverse("admin:exchanges_gallery_changelist")
    staff.post(address, {"action": "withdraw", "_selected_action": [shown.gallery_id]})
    shown.refresh_from_db()
    assert shown.picture == ""


def test_clocks_of_cameras_are_listed_and_set_elsewhere(staff, make_gallery):
    row = make_gallery().camera_clocks.create(camera="", shift=dt.timedelta(hours=14))
    address = reverse("admin:exchanges_cameraclock_changelist")
    assert "Camera without a name" in staff.get(address).text
    assert staff.get(reverse("admin:exchanges_cameraclock_add")).status_code == 403
    change = reverse("admin:exchanges_cameraclock_change", args=[row.pk])
    assert staff.post(change, {"shift": "0"}).status_code == 403


def test_the_list_of_galleries_leads_to_their_work(staff, make_gallery, make_photo):
    gallery = make_gallery()
    make_photo(gallery, "First", order=1, people="")
    cover = make_photo(gallery, "Cover", order=2, is_cover=True, people="none")
    make_photo(gallery, "Gone", deleted_at=gallery.publish_at)
    html = staff.get(reverse("admin:exchanges_gallery_changelist")).text
    for address in (
        reverse("admin:exchanges_batch_add") + f"?gallery={gallery.pk}",
        reverse("admin:exchanges_gallery_sort", args=[gallery.pk]),
        reverse("admin:exchanges_gallery_words", args=[gallery.pk]),
        reverse("admin:exchanges_photo_preview", args=[cover.pk, 480]),
    ):
        assert f'"{address}"' in html
    assert '<td class="field-photo_count">2</td>' in html
    assert '<td class="field-left_count">1</td>' in html


def test_gallery_of_a_visit_to_another_city_is_refused(staff, make_visit, make_city):
    data = gallery_form(make_city("Midleton"), visit=make_visit().pk)
    response = staff.post(reverse("admin:exchanges_gallery_add"), data)
    assert "That visit belongs to another city." in errors_beside(response, "visit")


# --- photos ---------------------------------------------------------------------------------


def test_a_photo_is_added_to_a_gallery(staff, make_gallery, picture_file, finish_pictures):
    data = photo_form(gallery=make_gallery().pk, picture=picture_file(60, 40))
    assert staff.post(reverse("admin:exchanges_photo_add"), data).status_code == 302
    finish_pictures()
    photo = Photo.objects.get()
    assert (photo.picture_width, photo.picture_height) == (60, 40)
    assert photo.picture.name.removesuffix(".webp") in staff.get("/galleries/album/").text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not a picture", "This file is not a picture that we can read."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "This file is not a picture"),
        (b"", "The submitted file is empty."),
        (None, "Choose a picture."),
    ],
)
def test_bad_picture_gets_a_sentence_beside_the_field(staff, make_gallery, content, sentence):
    data = photo_form(gallery=make_gallery().pk)
    if content is not None:
        data["picture"] = ContentFile(content, name="x.jpg")
    response = staff.post(reverse("admin:exchanges_photo_add"), data)
    assert sentence in errors_beside(response, "picture")
    assert not Photo.objects.exists()


def test_picture_needs_words_unless_it_is_decorative(staff, make_gallery, picture_file):
    address = reverse("admin:exchanges_photo_add")
    silent = photo_form(gallery=make_gallery().pk, picture_alt="")
    response = staff.post(address, {**silent, "picture": picture_file()})
    assert "Please say in words" in errors_beside(response, "picture_alt")
    assert not Photo.objects.exists()
    decorative = {**silent, "is_decorative": "on", "picture": picture_file()}
    assert staff.post(address, decorative).status_code == 302


def test_a_photo_that_shows_children_is_taken_back_as_it_is_saved(staff, shown):
    """No consent on file: nobody may see it, from this moment on (trust.md, Minors, I7)."""
    address = reverse("admin:exchanges_photo_change", args=[shown.pk])
    assert staff.post(address, photo_form(people="minors")).status_code == 302
    shown.refresh_from_db()
    assert (shown.people, shown.picture) == ("minors", "")


def test_a_consent_taken_off_a_photo_takes_it_back(staff, make_gallery, bring_photo, make_consent):
    consent = make_consent()
    shown = bring_photo(make_gallery(), people="minors", consents=[consent])
    assert shown.picture
    address = reverse("admin:exchanges_photo_change", args=[shown.pk])
    for consents, is_shown in (([consent.pk], True), ([], False)):
        data = photo_form(people="minors", consents=consents)
        assert staff.post(address, data).status_code == 302
        shown.refresh_from_db()
        assert bool(shown.picture) is is_shown


def test_words_that_may_name_a_child_are_asked_about(staff, shown):
    """Captions of minors with a surname or school ask again (issue 3, Consent)."""
    address = reverse("admin:exchanges_photo_change", args=[shown.pk])
    named = photo_form(people="minors", picture_caption="Mary Murphy at her school")
    asked = staff.post(address, named)
    assert "“Mary Murphy”, “school”" in errors_beside(asked, "names_no_child")
    assert 'type="checkbox" name="names_no_child"' in asked.text
    shown.refresh_from_db()
    assert (shown.people, shown.picture_caption) == ("none", "")
    assert staff.post(address, {**named, "names_no_child": "on"}).status_code == 302
    assert staff.post(address, named).status_code == 302
    changed = {**named, "picture_caption": "Mary Murphy at her old school"}
    assert "Mary Murphy" in errors_beside(staff.post(address, changed), "names_no_child")


def test_a_photo_changed_to_children_asks_about_the_words_that_it_had(staff, shown):
    address = reverse("admin:exchanges_photo_change", args=[shown.pk])
    words = {"picture_caption": "Mary Murphy"}
    assert staff.post(address, photo_form(people="adults", **words)).status_code == 302
    asked = staff.post(address, photo_form(people="minors", **words))
    assert "Mary Murphy" in errors_beside(asked, "names_no_child")


def test_a_moment_is_typed_on_the_clock_of_the_place(staff, make_gallery, make_photo):
    photo = make_photo(make_gallery(), taken_at=dt.datetime(2013, 9, 7, 1, tzinfo=dt.UTC))
    address = reverse("admin:exchanges_photo_change", args=[photo.pk])
    html = staff.get(address).text
    assert 'value="2013-09-07"' in html
    assert 'value="09:00:00"' in html
    # A moment that does not exist in Colorado, where the clocks went forward that night.
    data = photo_form(taken_at_0="2013-03-10", taken_at_1="02:30:00")
    assert staff.post(address, data).status_code == 302
    photo.refresh_from_db()
    assert photo.taken_at == dt.datetime(2013, 3, 9, 18, 30, tzinfo=dt.UTC)


def test_a_cover_chosen_on_its_page_is_the_only_one(staff, make_gallery, make_photo):
    gallery = make_gallery()
    old, new = make_photo(gallery, "Old", is_cover=True), make_photo(gallery, "New")
    address = reverse("admin:exchanges_photo_change", args=[new.pk])
    assert staff.post(address, photo_form(is_cover="on")).status_code == 302
    assert list(gallery.photos.filter(is_cover=True)) == [new]
    assert old != new


def test_photos_are_hidden_and_shown_by_the_list(staff, shown, finish_pictures):
    address = reverse("admin:exchanges_photo_changelist")
    chosen = {"_selected_action": [shown.pk]}
    staff.post(address + "?is_hidden__exact=0", {"action": "hide", **chosen})
    shown.refresh_from_db()
    assert (shown.is_hidden, shown.picture) == (True, "")
    staff.post(address, {"action": "show", **chosen})
    finish_pictures()
    shown.refresh_from_db()
    assert shown.picture.name.removesuffix(".webp") in staff.get("/galleries/album/").text
    assert changes_of(shown) == ["Hidden.", "No longer hidden."]


def test_photos_are_deleted_and_brought_back_by_the_list(staff, shown):
    address = reverse("admin:exchanges_photo_changelist")
    chosen = {"_selected_action": [shown.pk]}
    answer = staff.post(address, {"action": "delete", **chosen}, follow=True)
    assert "1 photo deleted." in answer.text
    assert f'value="{shown.pk}"' not in answer.text
    shown.refresh_from_db()
    assert (shown.picture, shown.deleted_at is None) == ("", False)
    assert f'value="{shown.pk}"' in staff.get(address + "?deleted=yes").text
    assert "delete_selected" not in answer.text
    staff.post(address + "?deleted=yes", {"action": "bring_back", **chosen})
    shown.refresh_from_db()
    assert shown.deleted_at is None
    assert changes_of(shown) == ["Deleted.", "Brought back."]


def test_a_photo_deleted_on_its_page_can_be_brought_back_at_once(staff, shown):
    address = reverse("admin:exchanges_photo_delete", args=[shown.pk])
    assert "For 30 days you can bring it back" in staff.get(address).text
    answer = staff.post(address, {"post": "yes"}, follow=True)
    shown.refresh_from_db()
    assert (shown.picture, shown.deleted_at is None) == ("", False)
    (moment,) = re.findall(r'name="moment" value="([^"]+)"', answer.text)
    sort = reverse("admin:exchanges_gallery_sort", args=[shown.gallery_id])
    staff.post(sort, {"do": "undo", "moment": moment})
    shown.refresh_from_db()
    assert shown.deleted_at is None


def test_who_may_not_see_consents_does_not_see_them_on_a_photo(client, site, shown, make_consent):
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["change_photo", "view_photo"])
    )
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    consent = make_consent()
    shown.consents.add(consent)
    address = reverse("admin:exchanges_photo_change", args=[shown.pk])
    html = client.get(address).text
    assert consent.guardian not in html
    assert client.post(address, photo_form(people="minors", consents=[])).status_code == 302
    assert list(shown.consents.all()) == [consent]


# --- lists ----------------------------------------------------------------------------------


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
