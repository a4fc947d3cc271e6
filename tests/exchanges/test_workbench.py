"""The pages on which a gallery's photos are sorted and described, as their forms send them."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.urls import reverse

from exchanges import describing
from exchanges.models import Gallery, Photo
from exchanges.progress import Progress, progress_of

BACKEND = "django.contrib.auth.backends.ModelBackend"
CHINA = ZoneInfo("Asia/Shanghai")


def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2013, 9, day, hour, minute, tzinfo=CHINA)


@pytest.fixture
def staff(client, site):
    client.force_login(User.objects.create_superuser("ann", "ann@example.org", "x"), BACKEND)
    return client


@pytest.fixture
def gallery(home_city, make_visit, make_day, make_gallery):
    visit = make_visit()
    make_day(visit, 1), make_day(visit, 2)
    return make_gallery(visit=visit)


@pytest.fixture
def photos(gallery, make_photo) -> list[Photo]:
    """A, B and C of one camera on the first day."""
    return [
        make_photo(
            gallery, name, camera="Canon", camera_time=at(7, 9 + number),
            taken_at=at(7, 9 + number), people="none",
        )
        for number, name in enumerate("ABC")
    ]  # fmt: skip


def sort_address(gallery) -> str:
    return reverse("admin:exchanges_gallery_sort", args=[gallery.pk])


def words_address(gallery, show: str = "") -> str:
    address = reverse("admin:exchanges_gallery_words", args=[gallery.pk])
    return f"{address}?show={show}" if show else address


def shown_on(page) -> list[int]:
    """The keys of the photos on a page, in the order in which they stand there."""
    return [int(key) for key in re.findall(r'id="photo-(\d+)"', page.text)]


def said_on(page) -> str:
    said = re.search(r'<div class="said" role="status">(.*?)</div>', page.text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", said[1]).split())


def history_of(row) -> list[str]:
    entries = LogEntry.objects.filter(object_id=row.pk, content_type__model=row._meta.model_name)
    return [entry.get_change_message() for entry in entries.order_by("pk")]


def do(client, album, what: str, /, **fields):
    return client.post(sort_address(album), {"do": what, **fields}, follow=True)


# --- who ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sort", "words"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_only_who_may_change_photos_opens_the_pages(client, site, gallery, photos, name, method):
    address = reverse(f"admin:exchanges_gallery_{name}", args=[gallery.pk])
    assert getattr(client, method)(address)["Location"].startswith(reverse("admin:login"))
    user = User.objects.create_user("bob", is_staff=True)
    client.force_login(user, BACKEND)
    allowed = ["view_photo", "view_gallery", "change_gallery"]
    user.user_permissions.set(Permission.objects.filter(codename__in=allowed))
    assert getattr(client, method)(address).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="change_photo"))
    assert getattr(client, method)(address, follow=True).status_code == 200


def test_deleting_and_bringing_back_need_their_own_permission(client, site, gallery, photos):
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="change_photo"))
    client.force_login(user, BACKEND)
    assert 'value="delete"' not in client.get(sort_address(gallery)).text
    for what in ("delete", "bring-back", "undo"):
        assert do(client, gallery, what, photo=[photos[0].pk]).status_code == 403
    assert gallery.photos.kept().count() == 3


def test_an_unknown_gallery_has_no_pages(staff):
    for name in ("sort", "words"):
        assert staff.get(reverse(f"admin:exchanges_gallery_{name}", args=[99])).status_code == 404


# --- sort -----------------------------------------------------------------------------------


def test_photos_stand_in_their_days_and_those_without_a_time_first(
    staff, gallery, photos, make_photo
):
    late = make_photo(gallery, "D", taken_at=at(10, 9))
    timeless = make_photo(gallery, "X")
    page = staff.get(sort_address(gallery))
    assert shown_on(page) == [timeless.pk, *(photo.pk for photo in photos), late.pk]
    for words in (
        "Without a time", "Day 1: Title of day 1", "Saturday, September 7, 2013", "9 a.m.",
        "No photos of this day.", "Not a day of the visit", "Tuesday, September 10, 2013",
    ):  # fmt: skip
        assert words in page.text, words


def test_the_page_asks_the_same_number_of_questions_for_3_and_300_photos(
    staff, gallery, photos, make_photo, make_consent,
    django_assert_num_queries, django_assert_max_num_queries,
):  # fmt: skip
    addresses = [sort_address(gallery), words_address(gallery)]
    few = {}
    for address in addresses:
        staff.get(address)
        with django_assert_max_num_queries(16) as few[address]:
            assert len(shown_on(staff.get(address))) == 3
    for number in range(297):
        photo = make_photo(
            gallery, f"P{number}", camera=f"C{number % 5}", camera_time=at(8, 9),
            taken_at=at(8, number % 24), people="minors", is_hidden=not number % 7,
        )  # fmt: skip
        photo.consents.add(make_consent(f"Child {number}"))
    for number in range(20):
        make_photo(gallery, f"D{number}", deleted_at=at(9, 9))
    for address in addresses:
        with django_assert_num_queries(len(few[address])):
            assert len(shown_on(staff.get(address))) == 300


def test_a_photo_is_placed_and_it_is_written_down(staff, gallery, photos):
    a, b, c = photos
    do(staff, gallery, "place", photo=[c.pk], chapter="day-1", before=a.pk)
    page = staff.get(sort_address(gallery))
    assert shown_on(page) == [c.pk, a.pk, b.pk]
    assert history_of(gallery) == [f"1 photo moved. ({c.pk})"]


def test_arrows_move_a_photo_without_script(staff, gallery, photos):
    a, b, c = photos
    answer = staff.post(sort_address(gallery), {"later": a.pk})
    assert answer["Location"] == f"{sort_address(gallery)}#photo-{a.pk}"
    assert shown_on(staff.get(sort_address(gallery))) == [b.pk, a.pk, c.pk]
    staff.post(sort_address(gallery), {"earlier": c.pk})
    assert shown_on(staff.get(sort_address(gallery))) == [b.pk, c.pk, a.pk]


def test_typed_numbers_sort_without_script(staff, gallery, photos):
    a, b, c = photos
    page = staff.get(sort_address(gallery))
    (mark,) = re.findall(r'name="mark" value="([^"]+)"', page.text)
    numbers = dict(re.findall(r'name="(number-\d+)" value="(\d+)"', page.text))
    assert numbers == {f"number-{photo.pk}": str(n) for n, photo in enumerate(photos, start=1)}
    answer = do(staff, gallery, "numbers", mark=mark, **{**numbers, f"number-{c.pk}": "1"})
    assert shown_on(answer) == [c.pk, a.pk, b.pk]
    stale = do(staff, gallery, "numbers", mark=mark, **{**numbers, f"number-{b.pk}": "1"})
    assert "Somebody else moved photos meanwhile." in said_on(stale)
    assert shown_on(stale) == [c.pk, a.pk, b.pk]


@pytest.mark.parametrize(
    ("what", "fields", "sentence"),
    [
        ("", {}, "Nothing was chosen to be done."),
        ("launch", {}, "Nothing was chosen to be done."),
        ("hide", {}, "Choose photos first."),
        ("hide", {"photo": ["x"]}, "“x” is not a number."),
        ("hide", {"photo": ["9" * 30]}, "is not a number."),
        ("cover", {}, "Choose photos first."),
        ("move", {"gallery": ""}, "Choose the gallery that they should move to."),
        ("move", {"gallery": "99"}, "Choose the gallery that they should move to."),
        ("place", {"chapter": "day-1", "photo": ["99"]}, "not here any more"),
        ("numbers", {"number-x": "1"}, "“x” is not a number."),
        ("undo", {"moment": "yesterday"}, "nothing to undo"),
        ("clock", {"of": "99"}, "Choose a photo whose real time you know."),
        ("by-time", {}, "All photos are sorted by time."),
    ],
)
def test_what_cannot_be_done_gets_a_sentence(staff, gallery, photos, what, fields, sentence):
    assert sentence in said_on(do(staff, gallery, what, **fields))


def test_a_cover_is_one_photo(staff, gallery, photos):
    keys = [photo.pk for photo in photos]
    assert "Choose one photo" in said_on(do(staff, gallery, "cover", photo=keys[:2]))
    assert "is the cover now" in said_on(do(staff, gallery, "cover", photo=keys[:1]))
    assert gallery.photos.get(is_cover=True).pk == keys[0]


def test_photos_are_hidden_shown_deleted_and_brought_back(staff, gallery, photos):
    keys = [photo.pk for photo in photos]
    assert said_on(do(staff, gallery, "hide", photo=keys[:2])) == "2 photos hidden."
    assert gallery.photos.filter(is_hidden=True).count() == 2
    assert said_on(do(staff, gallery, "show", photo=keys)) == "2 photos no longer hidden."
    deleted = do(staff, gallery, "delete", photo=keys[1:])
    assert said_on(deleted) == "2 photos deleted. Undo"
    assert shown_on(deleted) == keys[:1]
    assert "Each goes for good 30 days after" in deleted.text
    brought = do(staff, gallery, "bring-back", deleted=keys[1:2])
    assert (said_on(brought), shown_on(brought)) == ("1 photo brought back.", keys[:2])
    assert history_of(gallery)[-1] == "1 photo brought back."


def test_undo_brings_back_what_was_deleted_together(staff, gallery, photos, settings):
    keys = [photo.pk for photo in photos]
    do(staff, gallery, "delete", photo=keys[:1])
    settings.CLOCK += dt.timedelta(seconds=1)
    page = do(staff, gallery, "delete", photo=keys[1:])
    (moment,) = re.findall(r'name="moment" value="([^"]+)"', page.text)
    undone = do(staff, gallery, "undo", moment=moment)
    assert (said_on(undone), shown_on(undone)) == ("2 photos brought back.", keys[1:])


def test_photos_of_another_gallery_cannot_be_touched(
    staff, gallery, photos, make_gallery, make_photo
):
    other = make_photo(make_gallery("other"), "X", people="none")
    for what in ("hide", "delete", "cover", "place"):
        do(staff, gallery, what, photo=[other.pk], chapter="day-1")
    other.refresh_from_db()
    assert (other.is_hidden, other.deleted_at, other.is_cover) == (False, None, False)


def test_photos_move_to_another_gallery(staff, gallery, photos, make_gallery):
    other = make_gallery("other")
    answer = do(staff, gallery, "move", photo=[photos[0].pk], gallery=other.pk)
    assert said_on(answer) == "1 photo moved to “The other”."
    assert list(other.photos.all()) == photos[:1]


def test_the_clock_of_a_camera_is_set_and_forgotten(staff, gallery, photos):
    page = staff.get(sort_address(gallery))
    assert "Sep 7, 2013, 9 a.m." in page.text
    answer = do(staff, gallery, "clock", of=photos[0].pk, real_time="2013-09-08T21:30")
    assert said_on(answer) == "The clock is set: 3 photos have a new time."
    assert "Sep 8, 2013, 11:30 p.m." in answer.text
    photos[0].refresh_from_db()
    assert photos[0].taken_at == at(8, 21, 30)
    for wrong in ("", "soon"):
        refused = do(staff, gallery, "clock", of=photos[0].pk, real_time=wrong)
        assert "Type the day and the time" in said_on(refused)
    back = do(staff, gallery, "no-clock", camera="Canon")
    assert said_on(back) == "3 photos have the time of their camera again."


def test_photos_of_one_second_are_marked(staff, gallery, photos, make_photo):
    twin = make_photo(gallery, "T", camera_time=at(7, 9), taken_at=at(7, 9))
    page = staff.get(sort_address(gallery))
    assert page.text.count('class="guess"') == 2
    settled = do(staff, gallery, "guessed")
    assert settled.text.count('class="guess"') == 0
    assert shown_on(settled)[:2] == [photos[0].pk, twin.pk]


# --- the header -----------------------------------------------------------------------------


def test_the_header_says_what_is_left_and_why(staff, gallery, photos, make_photo, make_consent):
    make_photo(gallery, picture_alt="", people="adults")
    make_photo(gallery, picture_alt="", people="adults", is_decorative=True)
    make_photo(gallery, people="")
    make_photo(gallery, people="minors")
    make_photo(gallery, people="minors").consents.add(make_consent())
    withdrawn = make_photo(gallery, people="minors")
    withdrawn.consents.add(make_consent("A"), make_consent("B", expires_on=dt.date(2026, 11, 20)))
    make_photo(gallery, people="", picture_alt="", is_hidden=True)
    make_photo(gallery, people="", picture_alt="", deleted_at=at(9, 9))
    make_photo(gallery, people="none", picture_width=0, picture="", picture_original="a/b.jpeg")
    make_photo(gallery, people="none", picture_width=0, picture="", picture_problem="Broken.")
    progress = progress_of(gallery)
    assert progress == Progress(
        photos=12, hidden=1, wordless=1, unanswered=1, without_consent=2, waiting=1, unreadable=1,
        ready=5,
    )  # fmt: skip
    assert progress.kept_back == 6
    text = " ".join(re.sub(r"<[^>]+>", " ", staff.get(sort_address(gallery)).text).split())
    assert (
        "6 photos are not shown to visitors yet: 1 where nobody has said who is in it "
        "2 with children without consent 1 without a description 1 still in the works "
        "1 that could not be read" in text
    )


# --- describe -------------------------------------------------------------------------------


def form_of(page) -> dict[str, str]:
    """All fields of the page's big form as a browser would send them untouched."""
    html = page.text.split('id="rows"')[1].split("</form>")[0]
    data = {}
    for tag in re.findall(r"<input[^>]*>", html):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            data[name[1]] = value[1] if value else ("on" if "checkbox" in tag else "")
    for name, text in re.findall(
        r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', html, re.DOTALL
    ):
        data[name] = text
    for name, options in re.findall(r'<select name="([^"]+)">(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        data[name] = chosen[1] if chosen else ""
    data.pop("csrfmiddlewaretoken", None)
    return data


def save(client, gallery, data, show: str = "", **fields):
    fields = {name.replace("_", "-"): value for name, value in fields.items()}
    return client.post(words_address(gallery, show), {**data, "do": "save", **fields}, follow=True)


def save_row(client, gallery, photo, data, **fields) -> dict:
    """What the script sends for one row, and the answer to it."""
    own = {name: value for name, value in data.items() if name.endswith(f"-{photo.pk}")}
    own |= {f"{name}-{photo.pk}": value for name, value in fields.items()}
    return client.post(words_address(gallery), {**own, "row": photo.pk}).json()


def test_one_form_saves_all_rows_and_writes_down_what_changed(staff, gallery, photos):
    data = form_of(staff.get(words_address(gallery)))
    a, b, c = photos
    data |= {
        f"caption-{a.pk}": " 锦州的门 ", f"alt-{a.pk}": "A gate\r\nin the sun",
        f"people-{b.pk}": "adults", f"credit-{b.pk}": "Photo: Ann", f"licence-{b.pk}": "by",
        f"decorative-{b.pk}": "on",
    }  # fmt: skip
    page = save(staff, gallery, data)
    assert said_on(page) == "2 photos saved."
    a.refresh_from_db(), b.refresh_from_db()
    assert (a.picture_caption, a.picture_alt) == ("锦州的门", "A gate in the sun")
    assert (b.people, b.picture_credit, b.licence) == ("adults", "Photo: Ann", "by")
    assert b.is_decorative
    assert history_of(a) == ["Changed: Caption, Picture in words."]
    assert history_of(b) == ["Changed: Decorative, People in it, Credit, License."]
    assert history_of(c) == []


def test_a_form_that_changes_nothing_saves_nothing(staff, gallery, photos):
    Photo.objects.update(picture_alt="Two  blanks & “quotes” <b>", picture_credit="=1+1")
    page = staff.get(words_address(gallery))
    data = {name: value.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
            for name, value in form_of(page).items()}  # fmt: skip
    assert said_on(save(staff, gallery, data)) == ""
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("show", "expected"),
    [("all", "ABCD"), ("", "ABCD"), ("rubbish", "ABCD"), ("wordless", "B"), ("unanswered", "C"),
     ("consent", "D")],
)  # fmt: skip
def test_the_page_can_show_only_what_is_left_to_do(
    staff, gallery, photos, make_photo, show, expected
):
    names = dict(zip("ABC", photos, strict=True))
    names["D"] = make_photo(gallery, "D", people="minors", taken_at=at(8, 9))
    Photo.objects.filter(pk=names["B"].pk).update(picture_alt="")
    Photo.objects.filter(pk=names["C"].pk).update(people="")
    make_photo(gallery, "E", picture_alt="", people="", deleted_at=at(9, 9))
    page = staff.get(words_address(gallery, show))
    assert shown_on(page) == [names[name].pk for name in expected]


def test_a_described_photo_leaves_the_list_of_those_without_words(staff, gallery, photos):
    Photo.objects.update(picture_alt="")
    data = form_of(staff.get(words_address(gallery, "wordless")))
    page = save(staff, gallery, data, "wordless", **{f"alt_{photos[0].pk}": "A gate"})
    assert shown_on(page) == [photos[1].pk, photos[2].pk]


def test_a_photo_without_words_is_taken_back_at_once(staff, gallery, bring_photo):
    """A published photo that loses its description or gains children goes (trust.md, I7)."""
    for fields in ({"alt": ""}, {"people": "minors"}, {"people": ""}):
        photo = bring_photo(gallery)
        assert photo.picture
        data = form_of(staff.get(words_address(gallery)))
        assert save_row(staff, gallery, photo, data, **fields)["saved"]
        photo.refresh_from_db()
        assert photo.picture == ""


def test_words_too_long_are_refused_and_kept_in_the_field(staff, gallery, photos):
    data = form_of(staff.get(words_address(gallery)))
    long = "x" * 251
    page = save(staff, gallery, data, **{
        f"caption-{photos[0].pk}": long, f"caption-{photos[1].pk}": "short",
        f"people-{photos[2].pk}": "robots",
    })  # fmt: skip
    assert shown_on(page) == [photos[0].pk, photos[2].pk]
    assert "1 photo saved. 2 photos are not saved yet." in said_on(page)
    assert "Caption: Ensure this value has at most 250 characters (it has 251)." in page.text
    assert "robots is not one of the available choices" in page.text
    assert form_of(page)[f"caption-{photos[0].pk}"] == long
    again = save(staff, gallery, form_of(page), **{
        f"caption-{photos[0].pk}": "better", f"people-{photos[2].pk}": "none",
    })  # fmt: skip
    assert said_on(again) == "1 photo saved."
    photos[0].refresh_from_db()
    assert photos[0].picture_caption == "better"


def test_the_second_of_two_volunteers_is_told_and_overwrites_nothing(staff, gallery, photos):
    """No silent overwrite (trust.md, Races): theirs is shown, ours stays in the field."""
    photo = photos[0]
    mine = theirs = form_of(staff.get(words_address(gallery)))
    save(staff, gallery, theirs, **{f"caption-{photo.pk}": "Theirs", f"credit-{photo.pk}": "Bob"})
    page = save(staff, gallery, mine, **{f"caption-{photo.pk}": "Mine"})
    photo.refresh_from_db()
    assert photo.picture_caption == "Theirs"
    assert "Somebody else changed this photo" in page.text
    assert "<dt>Caption, theirs</dt><dd>Theirs</dd>" in page.text
    assert form_of(page)[f"caption-{photo.pk}"] == "Mine"
    assert shown_on(page) == [photo.pk]
    save(staff, gallery, form_of(page))
    photo.refresh_from_db()
    assert (photo.picture_caption, photo.picture_credit) == ("Mine", "Bob")


def test_what_two_volunteers_change_in_different_fields_is_both_kept(staff, gallery, photos):
    photo = photos[0]
    data = form_of(staff.get(words_address(gallery)))
    save(staff, gallery, data, **{f"caption-{photo.pk}": "Theirs"})
    page = save(staff, gallery, data, **{f"alt-{photo.pk}": "Mine"})
    photo.refresh_from_db()
    assert (photo.picture_caption, photo.picture_alt) == ("Theirs", "Mine")
    assert said_on(page) == "1 photo saved."


def test_a_photo_deleted_meanwhile_is_told(staff, gallery, photos):
    data = form_of(staff.get(words_address(gallery)))
    do(staff, gallery, "delete", photo=[photos[0].pk])
    page = save(staff, gallery, data, **{f"caption-{photos[0].pk}": "Words"})
    assert "This photo was deleted or moved meanwhile." in page.text
    assert form_of(page)[f"caption-{photos[0].pk}"] == "Words"
    photos[0].refresh_from_db()
    assert photos[0].picture_caption == ""


def test_words_that_may_name_a_child_are_asked_about(staff, gallery, photos):
    """Captions of minors with a surname or school ask again (issue 3, Consent)."""
    photo = photos[0]
    data = form_of(staff.get(words_address(gallery)))
    said = {f"people-{photo.pk}": "minors", f"caption-{photo.pk}": "Mary Murphy"}
    page = save(staff, gallery, data, **said)
    assert "its words may name a child or a school: <q>Mary Murphy</q>." in " ".join(
        page.text.split()
    )
    photo.refresh_from_db()
    assert (photo.people, photo.picture_caption) == ("none", "")
    sure = {f"sure-{photo.pk}": "on"}
    assert said_on(save(staff, gallery, form_of(page), **sure)) == "1 photo saved."
    photo.refresh_from_db()
    assert (photo.people, photo.picture_caption) == ("minors", "Mary Murphy")
    unasked = form_of(staff.get(words_address(gallery)))
    assert said_on(save(staff, gallery, unasked, **{f"credit-{photo.pk}": "Bob"})) == (
        "1 photo saved."
    )
    asked = save(staff, gallery, unasked | {f"alt-{photo.pk}": "Mary Murphy, 9"})
    assert "1 photo is not saved yet." in said_on(asked)


def test_one_answer_for_all_photos_shown_leaves_children_alone(
    staff, gallery, photos, make_photo, make_consent
):
    child = make_photo(gallery, "D", people="minors")
    consent = make_consent()
    data = form_of(staff.get(words_address(gallery)))
    same = {"do": "same", "all-people": "adults", "all-credit": "Photo: Ann Lee",
            "all-consents": str(consent.pk)}  # fmt: skip
    page = staff.post(words_address(gallery), {**data, **same}, follow=True)
    assert said_on(page) == "4 photos saved."
    assert [photo.people for photo in gallery.photos.in_order()] == ["adults"] * 3 + ["minors"]
    assert set(gallery.photos.values_list("picture_credit", flat=True)) == {"Photo: Ann Lee"}
    assert list(child.consents.all()) == [consent]
    assert not photos[0].consents.exists()


def test_one_answer_saves_what_was_typed_too(staff, gallery, photos):
    data = form_of(staff.get(words_address(gallery)))
    same = {"do": "same", "all-people": "", "all-credit": "Ann", f"alt-{photos[0].pk}": "Typed"}
    staff.post(words_address(gallery), {**data, **same})
    photos[0].refresh_from_db()
    assert (photos[0].picture_alt, photos[0].picture_credit) == ("Typed", "Ann")
    assert photos[0].people == "none"


# --- describe, row by row -------------------------------------------------------------------


def test_a_row_is_saved_by_itself(staff, gallery, photos):
    data = form_of(staff.get(words_address(gallery)))
    answer = save_row(staff, gallery, photos[0], data, caption="A gate", people="adults")
    photos[0].refresh_from_db()
    assert (photos[0].picture_caption, photos[0].people) == ("A gate", "adults")
    assert (answer["saved"], answer["overtaken"]) == (True, False)
    assert answer["mark"] == describing.mark_of(describing.words_of(photos[0]))
    assert answer["words"] == {
        "caption": "A gate", "alt": "A", "decorative": False, "people": "adults", "consents": [],
        "credit": "", "licence": "reserved",
    }  # fmt: skip
    assert "notes" in answer
    assert 'aria-current="step"' in answer["steps"]


def test_a_row_that_is_refused_says_why(staff, gallery, photos):
    data = form_of(staff.get(words_address(gallery)))
    answer = save_row(staff, gallery, photos[0], data, caption="x" * 251)
    assert (answer["saved"], answer["overtaken"]) == (False, False)
    assert "at most 250 characters" in answer["notes"]


def test_a_row_that_was_overtaken_says_what_is_there(staff, gallery, photos):
    data = form_of(staff.get(words_address(gallery)))
    save_row(staff, gallery, photos[0], data, caption="Theirs")
    answer = save_row(staff, gallery, photos[0], data, caption="Mine")
    assert (answer["saved"], answer["overtaken"]) == (False, True)
    assert answer["words"]["caption"] == "Theirs"
    assert save_row(staff, gallery, photos[0], data, caption="Mine", mark=answer["mark"])["saved"]


@pytest.mark.parametrize("key", ["", "x", "99", "9" * 40])
def test_a_row_that_is_not_there_is_not_found(staff, gallery, photos, key):
    assert staff.post(words_address(gallery), {"row": key}).status_code == 404


def test_consents_are_given_and_taken_by_who_may_see_them(
    client, staff, gallery, photos, make_consent
):
    consents = [make_consent(name) for name in ("Mia", "Noah")]
    keys = " ".join(str(consent.pk) for consent in consents)
    data = form_of(staff.get(words_address(gallery)))
    answer = save_row(staff, gallery, photos[0], data, people="minors", consents=keys)
    assert answer["saved"]
    assert set(photos[0].consents.all()) == set(consents)
    assert "The mother of Mia" in staff.get(words_address(gallery)).text
    missing = save_row(
        staff, gallery, photos[0], data, people="minors", consents="99", mark=answer["mark"]
    )
    assert "not one of the available choices" in missing["notes"]

    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="change_photo"))
    client.force_login(user, BACKEND)
    page = client.get(words_address(gallery))
    assert "The mother of Mia" not in page.text
    answer = save_row(client, gallery, photos[0], form_of(page), consents="", caption="Words")
    assert answer["saved"]
    assert set(photos[0].consents.all()) == set(consents)


# --- many -----------------------------------------------------------------------------------


def test_500_rows_of_long_words_fit_into_one_form(staff, gallery, make_photo, make_consent):
    """Below DATA_UPLOAD_MAX_NUMBER_FIELDS and DATA_UPLOAD_MAX_MEMORY_SIZE, in any script."""
    Photo.objects.bulk_create(
        Photo(gallery=gallery, people="minors", picture_width=900, picture_height=600)
        for _number in range(501)
    )
    page = staff.get(words_address(gallery))
    assert len(shown_on(page)) == 500
    assert 'href="?show=all&amp;page=2"' in page.text
    assert len(shown_on(staff.get(words_address(gallery) + "?page=2"))) == 1
    data = form_of(page)
    for name in data:
        if name.startswith(("caption-", "alt-")):
            data[name] = "锦" * 250
        elif name.startswith("credit-"):
            data[name] = "州" * 120
    data |= {f"sure-{key}": "on" for key in shown_on(page)}
    data |= {f"decorative-{key}": "on" for key in shown_on(page)}
    assert len(data) > 4500
    try:
        saved = save(staff, gallery, data)
    except (TooManyFieldsSent, RequestDataTooBig) as error:
        pytest.fail(f"{error}")
    assert said_on(saved) == "500 photos saved."
    assert Gallery.objects.get().photos.filter(picture_alt="锦" * 250).count() == 500
