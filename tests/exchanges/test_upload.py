"""Many photos are brought in the admin: the sheet, then files whole or in pieces."""

import datetime as dt
import errno
import io
import threading
import uuid
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from PIL import Image

from exchanges import receiving
from exchanges.models import Batch, Gallery, Photo, Upload
from exchanges.receiving import PIECE, receive, receive_piece
from sistercities.shared.stored_files import remove_discarded

pytestmark = pytest.mark.usefixtures("told_templates")

JSON = {"Accept": "application/json"}
NO_PICTURE = (
    "This file is not a picture that we can read. Use JPEG, PNG, WebP, HEIC, AVIF, GIF or TIFF."
)


def picture(number: int = 0) -> bytes:
    """A JPEG unlike that of every other number."""
    buffer = io.BytesIO()
    Image.new("RGB", (60 + number, 40), "#8a6b4d").save(buffer, "JPEG")
    return buffer.getvalue()


def large_picture(length: int, number: int = 0) -> bytes:
    """A JPEG of exactly so many bytes: what follows its end is read by nobody."""
    return picture(number).ljust(length, b"\0")


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in files.items():
            packed.writestr(f"{name}.jpg", content)
    return buffer.getvalue()


def stored_files(settings) -> set[str]:
    """What lies in private storage, by its folder."""
    root = Path(settings.PRIVATE_MEDIA_ROOT)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def arriving_files(settings) -> set[str]:
    return {name for name in stored_files(settings) if name.startswith("arriving/")}


@pytest.fixture
def staff(client, site, django_user_model):
    """May add photos and galleries, and nothing else."""
    user = django_user_model.objects.create_user("ann", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["add_photo", "add_gallery", "view_guardianconsent"])
    )
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def batch(make_gallery) -> Batch:
    return Batch.objects.create(
        gallery=make_gallery(), credit="Photos: Ann Lee", licence="by", people="adults"
    )


def address(part: str, batch: Batch) -> str:
    return reverse(f"admin:exchanges_batch_{part}", args=[batch.pk])


def send(client, batch: Batch, content: bytes, name: str = "IMG_1.jpg", **fields):
    """As the page's script sends a file."""
    file = ContentFile(content, name=name)
    data = {"key": str(uuid.uuid4()), "file": file, "size": len(content), **fields}
    return client.post(address("file", batch), data, headers=JSON)


def send_piece(client, batch, content: bytes, number: int, key: uuid.UUID, name="IMG_1.jpg"):
    piece = content[number * PIECE : (number + 1) * PIECE]
    return send(client, batch, piece, name, key=key, piece=number, size=len(content))


# --- the sheet ------------------------------------------------------------------------------


SHEET = {"gallery": "", "credit": "Photos: Ann Lee", "licence": "by", "people": "adults"}


def test_sheet_for_a_gallery_leads_to_its_drop_zone(staff, make_gallery):
    gallery = make_gallery()
    page = staff.get(reverse("admin:exchanges_batch_add") + f"?gallery={gallery.pk}")
    assert f'<option value="{gallery.pk}" selected>' in page.text
    response = staff.post(
        reverse("admin:exchanges_batch_add"), {**SHEET, "gallery": gallery.pk}, follow=True
    )
    batch = Batch.objects.get()
    assert response.redirect_chain == [(address("drop", batch), 302)]
    assert (batch.gallery, batch.credit, batch.licence, batch.people, batch.made_by.username) == (
        gallery, "Photos: Ann Lee", "by", "adults", "ann",
    )  # fmt: skip
    assert "Add photos to “The album”" in response.text


def test_sheet_with_a_new_gallery_makes_a_draft_of_the_visit(staff, make_visit, make_gallery):
    visit = make_visit()
    make_gallery("the-gardens")
    data = {**SHEET, "new_title": "The gardens", "new_visit": visit.pk}
    assert staff.post(reverse("admin:exchanges_batch_add"), data).status_code == 302
    gallery = Batch.objects.get().gallery
    assert (gallery.slug, gallery.status, gallery.visit, gallery.city, gallery.taken_on) == (
        "the-gardens-2", "draft", visit, visit.city, visit.starts_on,
    )  # fmt: skip


def test_sheet_with_a_chinese_title_finds_an_address(staff, jinzhou):
    data = {**SHEET, "new_title": "锦州", "new_city": jinzhou.pk}
    staff.post(reverse("admin:exchanges_batch_add"), data)
    assert Gallery.objects.get().slug == "gallery"


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({}, "gallery", "Choose a gallery, or name a new one below."),
        ({"new_title": "New"}, "new_city", "Say the visit or the city."),
        ({"gallery": "own", "new_title": "New"}, "new_title", "not both"),
        ({"new_title": "New", "new_visit": "own", "new_city": "own"}, "new_visit", "another city"),
        ({"gallery": "own", "credit": ""}, "credit", "This field is required."),
    ],
)
def test_bad_sheet_gets_a_sentence_beside_the_field(
    staff, make_visit, make_gallery, make_city, fields, field, sentence
):
    rows = {"gallery": make_gallery(), "new_visit": make_visit(), "new_city": make_city("York")}
    keys = {name: str(row.pk) for name, row in rows.items()}
    data = SHEET | {name: keys[name] if said == "own" else said for name, said in fields.items()}
    response = staff.post(reverse("admin:exchanges_batch_add"), data)
    assert sentence in str(response.context["adminform"].form.errors[field])
    assert sentence in response.text
    assert (Batch.objects.count(), Gallery.objects.count()) == (0, 1)


def test_consents_in_force_are_kept_where_children_can_be_seen(staff, make_gallery, make_consent):
    mia, over = make_consent("Mia"), make_consent("Bo", expires_on=dt.date(2026, 11, 20))
    page = staff.get(reverse("admin:exchanges_batch_add")).text
    assert ("Mia, by" in page, "Bo, by" in page) == (True, False)
    data = {**SHEET, "gallery": make_gallery().pk, "consents": [mia.pk]}
    staff.post(reverse("admin:exchanges_batch_add"), {**data, "people": "minors"})
    assert list(Batch.objects.get().consents.all()) == [mia]
    staff.post(reverse("admin:exchanges_batch_add"), data)
    assert not Batch.objects.first().consents.exists()
    refused = {**data, "people": "minors", "consents": [over.pk]}
    assert staff.post(reverse("admin:exchanges_batch_add"), refused).status_code == 200


def test_sheet_without_more_permissions_offers_no_new_gallery_and_no_consents(
    staff, make_gallery, make_consent
):
    make_consent("Mia")
    User.objects.get().user_permissions.set(Permission.objects.filter(codename="add_photo"))
    page = staff.get(reverse("admin:exchanges_batch_add")).text
    assert ("new_title" in page, "Mia" in page) == (False, False)
    data = {**SHEET, "new_title": "New", "new_city": make_gallery().city_id}
    assert staff.post(reverse("admin:exchanges_batch_add"), data).status_code == 200
    assert Gallery.objects.count() == 1


# --- one file -------------------------------------------------------------------------------


def test_photo_is_stored_before_the_answer_and_rendered_later(staff, batch, finish_pictures):
    """The row is committed with what the sheet says; a job renders (issue: Originals)."""
    response = send(staff, batch, picture(), "C:\\fakepath\\gate\u202egpj.jpg")
    upload = Upload.objects.get()
    photo = upload.photo
    preview = reverse("admin:exchanges_photo_preview", args=[photo.pk, 480])
    assert (response.status_code, response.json()) == (
        200,
        {
            "id": upload.pk, "key": upload.key.hex, "name": "gategpj.jpg", "group": "done",
            "words": "Stored", "thumbnail": preview, "is_ready": False,
        },
    )  # fmt: skip
    assert (photo.gallery, photo.picture_credit, photo.licence, photo.people) == (
        batch.gallery, "Photos: Ann Lee", "by", "adults",
    )  # fmt: skip
    finish_pictures()
    assert staff.get(address("state", batch)).json()["ready"] == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"only text", NO_PICTURE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NO_PICTURE),
        (b"", "This file is empty."),
        (picture()[:100], "This picture is damaged: it ends or breaks before all of it could be"),
    ],
)
def test_bad_file_is_refused_with_its_sentence(staff, batch, settings, content, sentence):
    response = send(staff, batch, content)
    assert (response.status_code, response.json()["group"]) == (200, "refused")
    assert response.json()["words"].startswith(sentence)
    assert (Photo.objects.count(), stored_files(settings)) == (0, set())


def test_same_file_again_gives_the_same_row(staff, batch):
    """A sender that lost the answer repeats; a folder that is dropped again changes nothing."""
    first = send(staff, batch, picture(), key="11111111-1111-4111-8111-111111111111").json()
    same_key = send(staff, batch, picture(), key="11111111-1111-4111-8111-111111111111").json()
    tomorrow = send(staff, batch, picture()).json()
    assert (same_key["id"], tomorrow["id"]) == (first["id"], first["id"])
    assert (Photo.objects.count(), Upload.objects.count()) == (1, 1)


def test_same_picture_under_another_name_is_offered_and_added(staff, batch):
    send(staff, batch, picture())
    told = send(staff, batch, picture(), "copy.jpg").json()
    assert (told["group"], told["words"]) == (
        "asked", "The same picture is in “The album” already, as IMG_1.jpg.",
    )  # fmt: skip
    answer = {"upload": told["id"], "answer": "add"}
    for _again in range(2):
        (row,) = staff.post(address("answer", batch), answer, headers=JSON).json()["rows"]
        assert (row["id"], row["group"]) == (told["id"], "done")
    assert [photo.file_name for photo in Photo.objects.order_by("pk")] == ["IMG_1.jpg", "copy.jpg"]


def test_all_that_was_here_already_is_left_out_at_once(staff, batch, settings):
    send(staff, batch, picture())
    kept = stored_files(settings)
    for name in ("a.jpg", "b.jpg"):
        send(staff, batch, picture(), name)
    page = staff.get(address("drop", batch)).text
    assert ("Add all anyway" in page, "Leave all out" in page) == (True, True)
    response = staff.post(address("answer", batch), {"answer": "leave"})
    assert response["Location"] == address("drop", batch)
    assert sorted(Upload.objects.values_list("state", flat=True)) == [
        "left_out", "left_out", "stored",
    ]  # fmt: skip
    remove_discarded()
    assert stored_files(settings) == kept


def test_answer_about_a_file_of_another_batch_finds_nothing(staff, batch):
    send(staff, batch, picture())
    told = send(staff, batch, picture(), "copy.jpg").json()
    other = Batch.objects.create(gallery=batch.gallery, credit="Bo")
    data = {"upload": told["id"], "answer": "add"}
    assert staff.post(address("answer", other), data, headers=JSON).status_code == 404
    assert Photo.objects.count() == 1


@pytest.mark.parametrize("data", [{}, {"answer": "burn"}, {"answer": "add", "upload": "x"}])
def test_answer_that_makes_no_sense_is_refused(staff, batch, data):
    assert staff.post(address("answer", batch), data, headers=JSON).status_code == 400


@pytest.mark.parametrize(
    "fields", [{"key": "x"}, {"file": ""}, {"size": ""}, {"piece": -1}, {"piece": 1}]
)
def test_request_that_is_not_of_our_page_is_refused(staff, batch, fields):
    assert send(staff, batch, picture(), **fields).status_code == 400
    assert Photo.objects.count() == 0


def test_file_that_broke_off_on_its_way_is_not_taken_for_all_of_it(staff, batch):
    """Its row would answer for the key when the sender tries again, and the photo be lost."""
    content, key = picture().ljust(1000, b"\0"), uuid.uuid4()
    cut = send(staff, batch, content[:900], key=key, size=1000)
    assert (cut.status_code, Upload.objects.count()) == (400, 0)
    assert send(staff, batch, content, key=key).json()["group"] == "done"


# --- in pieces ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_large_photo_arrives_in_pieces(staff, batch, settings):
    content, key = large_picture(2 * PIECE + 10), uuid.uuid4()
    groups = [send_piece(staff, batch, content, n, key).json()["group"] for n in (0, 1)]
    assert groups == ["coming", "coming"]
    assert len(arriving_files(settings)) == 2
    told = send_piece(staff, batch, content, 2, key).json()
    photo = Photo.objects.get()
    assert (told["group"], told["id"]) == ("done", photo.upload.pk)
    assert (Path(settings.PRIVATE_MEDIA_ROOT) / photo.picture_original).read_bytes() == content
    assert (Upload.objects.count(), arriving_files(settings)) == (1, set())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("s3_storages")
def test_large_photo_arrives_in_pieces_in_s3(staff, batch):
    content, key = large_picture(2 * PIECE + 10), uuid.uuid4()
    for number in range(3):
        told = send_piece(staff, batch, content, number, key).json()
    assert told["group"] == "done"
    assert storages["private"].listdir("arriving") == ([], [])


@pytest.mark.django_db(transaction=True)
def test_piece_that_comes_again_changes_nothing(staff, batch, settings):
    content, key = large_picture(2 * PIECE), uuid.uuid4()
    for _again in range(2):
        assert send_piece(staff, batch, content, 0, key).json()["group"] == "coming"
    assert len(arriving_files(settings)) == 1
    last = [send_piece(staff, batch, content, 1, key).json() for _again in range(2)]
    first = send_piece(staff, batch, content, 0, key).json()
    assert {told["id"] for told in (*last, first)} == {Upload.objects.get().pk}
    assert (Photo.objects.count(), arriving_files(settings)) == (1, set())


def test_sender_asks_which_pieces_are_there(staff, batch):
    content, key = large_picture(3 * PIECE), uuid.uuid4()

    def there() -> dict:
        return staff.get(address("file", batch), {"key": key}, headers=JSON).json()

    assert there() == {"is_settled": False, "pieces": []}
    for number in (2, 0):
        send_piece(staff, batch, content, number, key)
    assert there() == {"is_settled": False, "pieces": [0, 2]}
    send_piece(staff, batch, content, 1, key)
    assert there() == {"is_settled": True, "pieces": []}
    assert staff.get(address("file", batch), {"key": "x"}, headers=JSON).status_code == 400


@pytest.mark.parametrize(
    ("number", "length", "size"),
    [
        (0, 10, 2 * PIECE),  # too short for a piece in the middle
        (1, PIECE, 2 * PIECE - 1),  # too long for the last
        (2, PIECE, 2 * PIECE),  # beyond the end
    ],
)
def test_piece_that_does_not_fit_is_refused(staff, batch, settings, number, length, size):
    data = {"piece": number, "size": size}
    response = send(staff, batch, bytes(length), **data)
    assert (response.status_code, response.json()) == (
        400, {"reason": "This file changed while it was sent. Please add it again."},
    )  # fmt: skip
    assert stored_files(settings) == set()


def test_file_that_changed_between_two_pieces_is_refused(staff, batch):
    key = uuid.uuid4()
    send_piece(staff, batch, large_picture(2 * PIECE), 0, key)
    response = send_piece(staff, batch, large_picture(2 * PIECE + 1), 1, key)
    assert response.status_code == 400


def test_film_is_refused_with_its_first_piece(staff, batch, settings):
    """Too large for a picture: nobody waits for the end of it (trust.md, Images)."""
    content = bytes(8) + b"film" + bytes(PIECE)
    response = send(staff, batch, content[:PIECE], "film.mov", piece=0, size=300 * 1024**2)
    assert (response.status_code, response.json()["words"]) == (
        413, "This picture is larger than 40 MB. Please choose a smaller one.",
    )  # fmt: skip
    assert (Upload.objects.get().state, stored_files(settings)) == ("refused", set())


def test_archive_beyond_one_gigabyte_is_refused_with_its_first_piece(staff, batch, settings):
    """trust.md, Archives."""
    start = archive(a=picture()).ljust(PIECE, b"\0")
    response = send(staff, batch, start, "all.zip", piece=0, size=1024**3 + 1)
    assert response.status_code == 413
    assert response.json()["words"].startswith("This file is larger than 1 GB.")
    assert stored_files(settings) == set()


@pytest.mark.django_db(transaction=True)
def test_pieces_of_an_abandoned_upload_are_let_go_after_a_day(staff, batch, settings):
    key = uuid.uuid4()
    send_piece(staff, batch, large_picture(2 * PIECE), 0, key)
    upload = Upload.objects.get()
    assert set(upload.private_files()) == arriving_files(settings)  # so the sweeper knows them
    settings.CLOCK += dt.timedelta(hours=23, minutes=59)
    call_command("daily", verbosity=0)
    assert len(arriving_files(settings)) == 1
    settings.CLOCK += dt.timedelta(minutes=1)
    call_command("daily", verbosity=0)
    assert (Upload.objects.count(), arriving_files(settings)) == (0, set())


@pytest.mark.django_db(transaction=True)
def test_pieces_that_the_storage_lost_are_asked_for_again(staff, batch, settings):
    content, key = large_picture(2 * PIECE), uuid.uuid4()
    send_piece(staff, batch, content, 0, key)
    (lost,) = arriving_files(settings)
    (Path(settings.PRIVATE_MEDIA_ROOT) / lost).unlink()
    assert send_piece(staff, batch, content, 1, key).status_code == 400
    assert receiving.pieces_there(batch=batch, key=key) == []
    for number in (0, 1):
        told = send_piece(staff, batch, content, number, key).json()
    assert told["group"] == "done"


def test_gallery_that_is_deleted_takes_the_pieces_with_it(staff, batch, settings):
    send_piece(staff, batch, large_picture(2 * PIECE), 0, uuid.uuid4())
    batch.gallery.delete()
    remove_discarded()
    assert stored_files(settings) == set()


# --- an archive -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_pieces", [False, True])
def test_archive_is_known_by_its_bytes_and_opened_by_a_job(staff, batch, settings, in_pieces):
    content = archive(a=picture(1), b=large_picture(PIECE), c=b"text")
    if in_pieces:
        key = uuid.uuid4()
        for number in range(2):
            response = send_piece(staff, batch, content, number, key, "photos.jpg")
    else:
        response = send(staff, batch, content, "photos.jpg")
    assert response.status_code == 200
    told = staff.get(address("state", batch)).json()
    assert {row["name"]: (row["group"], row["words"]) for row in told["rows"]} == {
        "photos.jpg": ("done", "3 files were in it."),
        "a.jpg": ("done", "Stored"),
        "b.jpg": ("done", "Stored"),
        "c.jpg": ("refused", NO_PICTURE),
    }
    assert arriving_files(settings) == set()


def test_picture_that_is_called_zip_is_a_picture(staff, batch):
    assert send(staff, batch, picture(), "photos.zip").json()["words"] == "Stored"


@pytest.mark.django_db(transaction=True)
def test_same_archive_again_gives_the_same_row(staff, batch):
    content = archive(a=picture())
    first, again = (send(staff, batch, content, "all.zip").json()["id"] for _time in range(2))
    assert first == again
    assert (Photo.objects.count(), Upload.objects.count()) == (1, 2)


# --- what the page shows --------------------------------------------------------------------


def test_state_is_told_once_and_then_only_what_changed(staff, batch, finish_pictures):
    first = send(staff, batch, picture(1), "a.jpg").json()["id"]
    second = send(staff, batch, picture(2), "b.jpg").json()["id"]
    send(staff, batch, b"text", "c.jpg")
    copy = send(staff, batch, picture(1), "copy.jpg").json()["id"]
    response = staff.get(address("state", batch))
    told = response.json()
    assert {name: told[name] for name in ("stored", "ready", "asked", "refused", "opening")} == {
        "stored": 2, "ready": 0, "asked": 1, "refused": 1, "opening": 0,
    }  # fmt: skip
    assert [row["name"] for row in told["rows"]] == ["a.jpg", "b.jpg", "c.jpg", "copy.jpg"]
    assert told["unready"] == [first, second, copy]
    assert "2 photos" in told["steps"]
    known = {"If-None-Match": response["ETag"]}
    unchanged = staff.get(address("state", batch), headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    finish_pictures()
    later = staff.get(address("state", batch), {"after": told["last"]}, headers=known).json()
    assert [row["name"] for row in later["rows"]] == ["c.jpg", "copy.jpg"]
    assert (later["ready"], later["unready"]) == (2, [])
    assert "still in the works" not in later["steps"]


def test_page_after_a_reload_shows_what_became_of_each_file(staff, batch):
    send(staff, batch, picture(1), "a.jpg")
    send(staff, batch, picture(1), "copy.jpg")
    send(staff, batch, b"text", "notes.jpg")
    send_piece(staff, batch, large_picture(2 * PIECE), 0, uuid.uuid4(), "big.jpg")
    groups = staff.get(address("drop", batch)).context["groups"]
    assert {
        name: [(row["name"], row["words"]) for row in group["rows"]]
        for name, group in groups.items()
    } == {
        "asked": [("copy.jpg", "The same picture is in “The album” already, as a.jpg.")],
        "refused": [("notes.jpg", NO_PICTURE)],
        "coming": [
            ("big.jpg", "Not all of it is here. Add the same file again and it goes on.")
        ],
        "done": [("a.jpg", "Stored")],
    }  # fmt: skip


@pytest.mark.parametrize("part", ["drop", "state"])
def test_page_asks_the_same_number_of_questions(
    staff, batch, part, django_assert_num_queries, django_assert_max_num_queries
):
    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            send(staff, batch, picture(number), f"{number}.jpg")
            send(staff, batch, picture(number), f"copy of {number}.jpg")

    fill(0, 2)
    staff.get(address(part, batch))
    with django_assert_max_num_queries(12) as few:
        staff.get(address(part, batch))
    number = len(few)
    fill(2, 12)
    with django_assert_num_queries(number):
        assert staff.get(address(part, batch)).text.count("copy of") >= 12


def test_form_without_script_takes_many_files_at_once(staff, batch):
    files = [ContentFile(picture(n), name=f"{n}.jpg") for n in range(120)]
    files.append(ContentFile(b"text", name="notes.jpg"))
    response = staff.post(address("drop", batch), {"files": files}, follow=True)
    assert "121 files have arrived." in response.text
    assert (Photo.objects.count(), response.text.count(NO_PICTURE)) == (120, 1)


def test_form_without_script_and_without_files_says_what_to_do(staff, batch):
    response = staff.post(address("drop", batch), {}, follow=True)
    assert "Choose some photos first." in response.text


def test_too_many_files_for_one_form_get_a_sentence(staff, batch, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 3
    files = [ContentFile(picture(), name=f"{n}.jpg") for n in range(4)]
    strict = Client(enforce_csrf_checks=True)  # which reads the form before the page does
    strict.cookies = staff.cookies
    token = strict.get(address("drop", batch)).context["csrf_token"]
    data = {"files": files, "csrfmiddlewaretoken": str(token)}
    response = strict.post(address("drop", batch), data)
    assert response.status_code == 413
    assert "That is too many files at once." in response.text
    assert Photo.objects.count() == 0


def test_batches_lead_to_their_drop_zone(staff, batch):
    assert "The album" in staff.get(reverse("admin:exchanges_batch_changelist")).text
    change = staff.get(reverse("admin:exchanges_batch_change", args=[batch.pk]))
    assert change["Location"] == address("drop", batch)


# --- who, and how much ----------------------------------------------------------------------


PARTS = ["drop", "file", "state", "answer"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_not_add_photos_gets_nothing(client, site, batch, part, method):
    """Not even whether there is such a batch (trust.md, Authorization)."""
    user = User.objects.create_user("bob", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["change_photo", "add_visit"]))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for address_of in (address(part, batch), address(part, Batch(pk=batch.pk + 1))):
        assert getattr(client, method)(address_of, {"file": io.BytesIO(b"x")}).status_code == 403


class Unread(io.BytesIO):
    def read(self, *size):
        raise AssertionError("The body was read.")


@pytest.mark.parametrize("part", ["drop", "file", "answer"])
def test_too_large_a_request_is_refused_unread(staff, batch, part):
    """Without the check Django would write all of it to disk, before anybody looks at it."""
    response = staff.generic(
        "POST", address(part, batch), headers=JSON, content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(3 * 1024**3), **{"wsgi.input": Unread()},
    )  # fmt: skip
    assert (response.status_code, response.json()) == (
        413, {"reason": "That is too much at once."},
    )  # fmt: skip


@pytest.mark.parametrize("part", ["drop", "file", "answer"])
def test_request_from_another_site_is_refused(staff, batch, part):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    strict.get(address("drop", batch))
    data = {"files": io.BytesIO(picture()), "file": io.BytesIO(picture()), "key": uuid.uuid4()}
    assert strict.post(address(part, batch), {**data, "answer": "add"}).status_code == 403
    assert Upload.objects.count() == 0


def test_token_of_the_state_opens_the_door_again(staff, batch):
    """Who signs in again in another tab goes on in this one."""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    token = strict.get(address("state", batch)).json()["token"]
    content = picture()
    file = {"file": ContentFile(content, name="a.jpg"), "key": uuid.uuid4(), "size": len(content)}
    headers = {**JSON, "X-CSRFToken": token}
    assert strict.post(address("file", batch), file, headers=headers).json()["group"] == "done"


class FullDisk(FileSystemStorage):
    def _save(self, name, content):
        super()._save(name, ContentFile(b"the start of it"))
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_pieces", [False, True])
def test_full_disk_is_told_and_leaves_nothing(staff, batch, settings, in_pieces):
    """trust.md, Crash: the sender keeps the file and sends it again when there is room."""
    working = settings.STORAGES
    full = {**working["private"], "BACKEND": f"{__name__}.FullDisk"}
    settings.STORAGES = {**working, "private": full}
    fields = {"piece": 0, "size": 2 * PIECE} if in_pieces else {}
    content = large_picture(PIECE)
    response = send(staff, batch, content, **fields)
    assert (response.status_code, response.json()) == (
        507, {"reason": "The site’s disk is full. What was stored is kept."},
    )  # fmt: skip
    assert Photo.objects.count() == 0
    settings.STORAGES = working
    remove_discarded()
    assert stored_files(settings) == set()
    assert send(staff, batch, content, **fields).status_code == 200


# --- at the same moment ---------------------------------------------------------------------


def at_once(*calls) -> list:
    """Runs the calls in threads that begin together; their results or errors, in order."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number, call):
        try:
            barrier.wait(10)
            results[number] = call()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@pytest.mark.django_db(transaction=True)
def test_two_copies_at_the_same_moment_make_one_photo_and_one_duplicate(batch):
    """trust.md, Races."""
    for number in range(8):
        content = picture(number)

        def bring(name, content=content):
            file = ContentFile(content)
            return receive(batch=batch, file=file, name=name, key=uuid.uuid4()).state

        states = at_once(lambda: bring("a.jpg"), lambda: bring("b.jpg"))  # noqa: B023 (run here)
        assert sorted(states) == ["duplicate", "stored"]
    assert Photo.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_one_picture_in_two_batches_at_the_same_moment_is_one_photo(batch, make_gallery):
    """trust.md, Races. Red on PostgreSQL without the line by content; SQLite has one writer."""
    other = Batch.objects.create(gallery=make_gallery("Others"), credit="Photos: Bo", people="none")
    for number in range(8):
        content = picture(number)

        def bring(batch, content=content):
            file = ContentFile(content)
            return receive(batch=batch, file=file, name="a.jpg", key=uuid.uuid4()).state

        states = at_once(lambda: bring(batch), lambda: bring(other))  # noqa: B023 (run here)
        assert sorted(states) == ["duplicate", "stored"]
    assert Photo.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_pieces_at_the_same_moment_all_count(batch, settings):
    for round_number in range(4):
        content, key = large_picture(4 * PIECE, round_number), uuid.uuid4()

        def bring(number, content=content, key=key):
            piece = ContentFile(content[number * PIECE : (number + 1) * PIECE])
            return receive_piece(
                batch=batch, file=piece, number=number, size=len(content), name="a.jpg", key=key
            )

        calls = [lambda n=n: bring(n) for n in (0, 1, 2, 3, 3)]  # noqa: B023 (run here)
        results = at_once(*calls)
        assert [r for r in results if isinstance(r, Exception)] == []
        assert receiving.settled(batch=batch, key=key).state == "stored"
    assert (Photo.objects.count(), Upload.objects.count()) == (4, 4)
    remove_discarded()
    assert arriving_files(settings) == set()


@pytest.mark.django_db(transaction=True)
def test_last_piece_twice_at_the_same_moment_makes_one_photo(batch):
    for number in range(4):
        content, key = large_picture(2 * PIECE + 1, number), uuid.uuid4()

        def bring(part, content=content, key=key):
            piece = ContentFile(content[part * PIECE : (part + 1) * PIECE])
            return receive_piece(
                batch=batch, file=piece, number=part, size=len(content), name="a.jpg", key=key
            )

        bring(0), bring(1)
        first, second = at_once(lambda: bring(2), lambda: bring(2))  # noqa: B023 (run here)
        assert first.pk == second.pk
    assert Photo.objects.count() == 4
