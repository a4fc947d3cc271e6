"""Guardians' consents as staff record and take them back, through the real forms."""

import datetime as dt
import io
import re
import time
from threading import Event, Thread

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.urls import reverse
from PIL import Image
from pillow_heif import from_pillow

from exchanges import consenting, downloading, releasing
from exchanges.models import Batch, GalleryArchive, GuardianConsent, Photo
from sistercities.shared.stored_files import remove_discarded

PDF = b"%PDF-1.7\nwords"


def picture(format: str) -> bytes:
    buffer = io.BytesIO()
    image = Image.new("RGB", (16, 16), "#8a6b4d")
    if format == "HEIF":
        from_pillow(image).save(buffer)
    else:
        image.save(buffer, format)
    return buffer.getvalue()


@pytest.fixture
def boss(client, site):
    user = User.objects.create_superuser("ann", "ann@example.org", "x")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def sign_in_with(client, site):
    """`sign_in_with("view_guardianconsent")`: as staff who have these permissions alone."""

    def sign_in(*codenames: str) -> User:
        user = User.objects.create_user("bob", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return user

    return sign_in


def admin(name: str, *args: object) -> str:
    return reverse(f"admin:exchanges_guardianconsent_{name}", args=args)


def form(**fields) -> dict:
    return {
        "child": "Mia, row 2", "guardian": "Ann Lee", "given_on": "2026-05-03", "expires_on": "",
        "for_web": "on", "evidence_note": "Blue folder", **fields,
    }  # fmt: skip


def stored_scans() -> set[str]:
    remove_discarded()
    storage = storages["private"]
    if not storage.exists(consenting.FOLDER):
        return set()
    folders, _ = storage.listdir(consenting.FOLDER)
    return {
        f"{consenting.FOLDER}/{folder}/{name}"
        for folder in folders
        for name in storage.listdir(f"{consenting.FOLDER}/{folder}")[1]
    }


# --- recording ------------------------------------------------------------------------------


def test_a_consent_is_recorded_with_who_when_scope_and_evidence(client, boss):
    """trust.md, Minors."""
    scan = SimpleUploadedFile("scan of Mia.pdf", PDF, "text/html")
    response = client.post(
        admin("add"), form(for_print="on", expires_on="2027-05-03", scan=scan, _continue="1")
    )
    consent = GuardianConsent.objects.get()
    assert response["Location"] == admin("change", consent.pk)
    assert (consent.child, consent.guardian) == ("Mia, row 2", "Ann Lee")
    assert (consent.given_on, consent.expires_on) == (dt.date(2026, 5, 3), dt.date(2027, 5, 3))
    assert (consent.for_web, consent.for_print) == (True, True)
    assert (consent.for_social, consent.for_newsletter) == (False, False)
    assert consent.recorded_by == boss
    assert stored_scans() == {consent.evidence}
    assert re.fullmatch(r"consents/[0-9a-f]{2}/[0-9a-f]{32}\.pdf", consent.evidence)
    html = client.get(admin("change", consent.pk)).text
    assert "Recorded by ann on November 21, 2026, 12:00." in html  # in Denver
    assert admin("evidence", consent.pk) in html


def test_nobody_can_say_who_recorded_it(client, boss, sign_in_with):
    bob = User.objects.create_user("carol")
    client.post(admin("add"), form(recorded_by=bob.pk, withdrawn_at="2026-05-03"))
    consent = GuardianConsent.objects.get()
    assert (consent.recorded_by, consent.withdrawn_at) == (boss, None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"for_web": ""}, "Say at least one thing that the guardian agreed to."),
        ({"expires_on": "2026-05-02"}, "It ends before it was given."),
    ],
)
def test_a_consent_that_says_nothing_is_refused(client, boss, fields, said):
    response = client.post(admin("add"), form(**fields))
    assert said in response.text
    assert not GuardianConsent.objects.exists()


# --- evidence -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "suffix", "content_type"),
    [
        (PDF, ".pdf", "application/pdf"),
        (picture("JPEG"), ".jpg", "image/jpeg"),
        (picture("PNG"), ".png", "image/png"),
        (picture("WEBP"), ".webp", "image/webp"),
        (picture("HEIF"), ".heic", "image/heic"),
    ],
    ids=["pdf", "jpeg", "png", "webp", "heic"],
)
def test_a_scan_is_kept_by_its_bytes_and_handed_out_as_a_file(
    client, boss, content, suffix, content_type
):
    client.post(admin("add"), form(scan=SimpleUploadedFile("x.html", content)))
    consent = GuardianConsent.objects.get()
    assert consent.evidence.endswith(suffix)
    response = client.get(admin("evidence", consent.pk))
    names = (
        "Content-Type", "Content-Disposition", "X-Content-Type-Options", "Cache-Control",
        "X-Robots-Tag",
    )  # fmt: skip
    assert {name: response[name] for name in names} == {
        "Content-Type": content_type,
        "Content-Disposition": f'attachment; filename="consent-{consent.pk}{suffix}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "X-Robots-Tag": "noindex, nofollow",
    }
    assert response.getvalue() == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Please choose a PDF or a picture"),
        (b"<html><script>", "Please choose a PDF or a picture"),
        (b"RIFF\0\0\0\0WAVE", "Please choose a PDF or a picture"),
        (b"\0\0\0\x18ftypmp42", "Please choose a PDF or a picture"),
        (b" %PDF-1.7", "Please choose a PDF or a picture"),
        (b"GIF89a", "Please choose a PDF or a picture"),
        (b"", "The submitted file is empty."),
        (PDF + bytes(10 * 1024 * 1024), "This file is larger than 10 MB."),
    ],
    ids=["svg", "html", "wave", "film", "pdf later", "gif", "empty", "large"],
)
def test_what_is_no_scan_is_refused(client, boss, content, said):
    response = client.post(admin("add"), form(scan=SimpleUploadedFile("scan.pdf", content)))
    assert said in response.text
    assert not GuardianConsent.objects.exists()
    assert stored_scans() == set()


def test_a_new_scan_takes_the_place_of_the_old_one_which_is_deleted(client, boss):
    client.post(admin("add"), form(scan=SimpleUploadedFile("a.pdf", PDF)))
    consent = GuardianConsent.objects.get()
    before = consent.evidence
    client.post(admin("change", consent.pk), form(guardian="Ann B. Lee"))
    assert stored_scans() == {before}
    client.post(admin("change", consent.pk), form(scan=SimpleUploadedFile("b.png", picture("PNG"))))
    consent.refresh_from_db()
    assert stored_scans() == {consent.evidence}
    assert consent.evidence != before
    client.post(admin("change", consent.pk), form(**{"scan-clear": "on"}))
    consent.refresh_from_db()
    assert (consent.evidence, stored_scans()) == ("", set())
    assert client.get(admin("evidence", consent.pk)).status_code == 404


def test_a_scan_is_for_staff_who_may_see_consents(client, boss, make_consent, sign_in_with):
    client.post(admin("add"), form(scan=SimpleUploadedFile("a.pdf", PDF)))
    consent = GuardianConsent.objects.get()
    address = admin("evidence", consent.pk)
    client.logout()
    assert client.get(address)["Location"].startswith(reverse("admin:login"))
    sign_in_with("view_photo", "change_photo")
    assert client.get(address).status_code == 403
    User.objects.get(username="bob").delete()
    sign_in_with("view_guardianconsent")
    assert client.get(address).getvalue() == PDF
    assert client.get(f"/media/{consent.evidence}").status_code == 404


def test_a_scan_whose_file_is_lost_is_not_found(client, boss, make_consent):
    consent = make_consent(evidence="consents/ab/cd.pdf")
    assert client.get(admin("evidence", consent.pk)).status_code == 404


def test_a_scan_that_cannot_be_stored_leaves_nothing(boss, make_consent, s3_down):
    consent = make_consent()
    consent.guardian = "Somebody else"
    with pytest.raises(OSError, match="Error"):
        consenting.record(consent=consent, by=boss, evidence=ContentFile(PDF, name="a.pdf"))
    consent.refresh_from_db()
    assert (consent.guardian, consent.evidence) == ("The mother of Mia", "")


def test_a_row_that_is_refused_leaves_no_scan(boss, make_consent):
    consent = make_consent()
    consent.expires_on = consent.given_on - dt.timedelta(days=1)
    with pytest.raises(Exception, match="consent_expires_after"), transaction.atomic():
        consenting.record(consent=consent, by=boss, evidence=ContentFile(PDF, name="a.pdf"))
    assert stored_scans() == set()


def test_the_first_bytes_decide(db):
    with pytest.raises(ValidationError):
        consenting.suffix_of(io.BytesIO(b""), size=0)


# --- what it lets stand ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields", [{"for_web": "", "for_print": "on"}, {"expires_on": "2026-11-20"}],
    ids=["not for the web", "over"],
)  # fmt: skip
def test_a_change_takes_the_photos_back_with_the_answer(
    client, boss, make_gallery, make_consent, bring_photo, fields
):
    """trust.md, Minors; I7."""
    consent = make_consent()
    gallery = make_gallery()
    photo = bring_photo(gallery, people="minors", consents=[consent])
    other = bring_photo(gallery, "Other")
    downloading.build_waiting()
    name = photo.picture.name
    assert storages["default"].exists(name)
    client.post(admin("change", consent.pk), form(**fields))
    photo.refresh_from_db()
    other.refresh_from_db()
    assert (photo.picture, bool(other.picture)) == ("", True)
    assert not GalleryArchive.objects.exists()
    remove_discarded()
    assert not storages["default"].exists(name)


def test_a_longer_last_day_brings_the_photos_back(
    client, boss, make_gallery, make_consent, bring_photo, django_capture_on_commit_callbacks
):
    consent = make_consent(expires_on=dt.date(2026, 11, 20))
    photo = bring_photo(make_gallery(), people="minors", consents=[consent])
    assert photo.picture == ""
    with django_capture_on_commit_callbacks(execute=True):
        client.post(admin("change", consent.pk), form(expires_on="2027-11-20"))
    photo.refresh_from_db()
    assert photo.picture


# --- taking back ----------------------------------------------------------------------------


def test_taking_back_asks_first_says_what_it_reaches_and_is_in_the_history(
    client, boss, make_gallery, make_consent, bring_photo
):
    consent = make_consent()
    for gallery in (make_gallery("one"), make_gallery("two")):
        bring_photo(gallery, people="minors", consents=[consent])
    bring_photo(gallery, "Adults", people="adults", consents=[consent])
    address = admin("withdraw", consent.pk)
    assert address in client.get(admin("change", consent.pk)).text
    html = client.get(address).text
    assert "This hides 2 photos in 2 galleries, at once." in html
    assert Photo.objects.exclude(picture="").count() == 3
    response = client.post(address, {"note": "A letter of May 4."}, follow=True)
    assert "Taken back. 2 photos are hidden now." in response.text
    assert [photo.picture_alt for photo in Photo.objects.exclude(picture="")] == ["Adults"]
    html = client.get(admin("change", consent.pk)).text
    assert "Taken back by ann on November 21, 2026, 12:00. A letter of May 4." in html
    html = client.get(admin("history", consent.pk)).text
    assert "Taken back. A letter of May 4." in html
    assert "ann" in html


def test_what_was_taken_back_stays_so(client, boss, make_consent):
    """A new word is a new row."""
    consent = make_consent()
    client.post(admin("withdraw", consent.pk))
    response = client.post(admin("withdraw", consent.pk), {"note": "Again"}, follow=True)
    assert "It was taken back already." in response.text
    assert client.post(admin("change", consent.pk), form()).status_code == 403
    assert client.post(admin("delete", consent.pk), {"post": "yes"}).status_code == 403
    html = client.get(admin("change", consent.pk)).text
    assert admin("withdraw", consent.pk) not in html
    assert 'name="for_web"' not in html
    consent.refresh_from_db()
    assert (consent.withdrawn_note, consent.child) == ("", "Mia")
    assert "Again" not in client.get(admin("history", consent.pk)).text


def test_a_form_from_before_does_not_undo_it(boss, make_consent):
    """Two staff at once: one saves the form that was opened before the other took it back."""
    opened = make_consent(evidence="consents/ab/old.pdf")
    consenting.withdraw(consent=opened, by=boss, note="A letter.")
    opened = GuardianConsent(**{
        field.attname: getattr(opened, field.attname) for field in opened._meta.concrete_fields
    })  # fmt: skip
    opened._state.adding = False
    opened.guardian = "Ann B. Lee"
    consenting.record(consent=opened, by=boss)
    consent = GuardianConsent.objects.get()
    assert (consent.guardian, consent.withdrawn_note) == ("Ann B. Lee", "A letter.")
    assert consent.withdrawn_at is not None
    assert not consent.is_in_force


def test_taking_back_needs_the_permission_to_change(client, make_consent, sign_in_with):
    consent = make_consent()
    sign_in_with("view_guardianconsent", "delete_guardianconsent")
    address = admin("withdraw", consent.pk)
    assert [client.get(address).status_code, client.post(address).status_code] == [403, 403]
    consent.refresh_from_db()
    assert consent.withdrawn_at is None
    assert client.get(admin("change", consent.pk)).status_code == 200  # to read


def test_a_consent_that_served_is_not_deleted(client, boss, make_gallery, make_consent, make_photo):
    gallery = make_gallery()
    consent, in_batch, slip = (make_consent(child) for child in ("Mia", "Noah", "Slip"))
    make_photo(gallery).consents.add(consent)
    Batch.objects.create(gallery=gallery, credit="Ann").consents.add(in_batch)
    answers = [
        client.post(admin("delete", row.pk), {"post": "yes"}).status_code
        for row in (consent, in_batch, slip)
    ]
    assert answers == [403, 403, 302]
    assert set(GuardianConsent.objects.all()) == {consent, in_batch}
    chosen = {"action": "delete_selected", "_selected_action": [consent.pk], "post": "yes"}
    client.post(admin("changelist"), chosen)
    assert set(GuardianConsent.objects.all()) == {consent, in_batch}


class Halting(FileSystemStorage):
    """A disk for public files that waits in the middle of its work until it is told to go on."""

    reached, go_on = Event(), Event()

    def _save(self, name, content):
        Halting.reached.set()
        assert Halting.go_on.wait(20)
        return super()._save(name, content)


@pytest.mark.django_db(transaction=True)
def test_a_photo_that_is_being_published_meanwhile_is_not(
    boss, make_gallery, make_consent, bring_photo, settings
):
    """I7: a worker has asked for consent, copies the files and comes back after the answer."""
    consent = make_consent()
    photo = bring_photo(make_gallery(), people="minors", consents=[consent])
    releasing.take_back(Photo.objects.all())
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": f"{__name__}.Halting", "OPTIONS": {"allow_overwrite": True}},
    }
    Halting.reached.clear()
    Halting.go_on.clear()

    def publish():
        try:
            releasing.settle()
        finally:
            connection.close()

    worker = Thread(target=publish)
    worker.start()
    assert Halting.reached.wait(20)
    with transaction.atomic():
        consenting.withdraw(consent=consent, by=boss)
        Halting.go_on.set()
        if connection.vendor == "postgresql":
            time.sleep(1)  # until the worker stands before the row; readers do not wait there
    worker.join(60)
    photo.refresh_from_db()
    assert photo.picture == ""
    remove_discarded()
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


# --- the list -------------------------------------------------------------------------------

STATES = {
    "open": {}, "long": {"expires_on": dt.date(2026, 12, 12)},
    "soon": {"expires_on": dt.date(2026, 12, 11)}, "today": {"expires_on": dt.date(2026, 11, 21)},
    "over": {"expires_on": dt.date(2026, 11, 20)},
    "withdrawn": {"withdrawn_at": dt.datetime(2026, 11, 1, tzinfo=dt.UTC)},
}  # fmt: skip


@pytest.fixture
def one_of_each(make_consent):
    return {name: make_consent(name, **fields) for name, fields in STATES.items()}


def listed(html: str, column: str) -> list[str]:
    cells = re.findall(rf'<t[dh] class="field-{column}[^"]*">(.*?)</t[dh]>', html)
    return [re.sub("<[^>]+>", "", cell) for cell in cells]


def test_the_list_tells_the_state_of_each(client, boss, one_of_each):
    html = client.get(admin("changelist")).text
    states = dict(zip(listed(html, "child"), listed(html, "shown_state"), strict=True))
    assert states == {
        "open": "In force", "long": "In force", "soon": "Ends in 20 days", "today": "Last day",
        "over": "Ended", "withdrawn": "Taken back",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "children"),
    [
        ("in-force", {"open", "long", "soon", "today"}), ("soon", {"soon", "today"}),
        ("over", {"over"}), ("withdrawn", {"withdrawn"}),
    ],
)  # fmt: skip
def test_the_list_finds_them_by_state(client, boss, one_of_each, state, children):
    html = client.get(admin("changelist"), {"state": state}).text
    assert set(listed(html, "child")) == children


def test_the_list_finds_them_by_child_guardian_and_place(client, boss, make_consent):
    make_consent("Mia", evidence_note="Blue folder")
    make_consent("Noah", for_print=True)
    for words, children in {
        "mia": {"Mia"}, "mother of noah": {"Noah"}, "blue": {"Mia"}, "x": set()
    }.items():  # fmt: skip
        assert set(listed(client.get(admin("changelist"), {"q": words}).text, "child")) == children
    html = client.get(admin("changelist")).text
    assert listed(html, "shown_scopes") == ["this website, print", "this website"]


@pytest.mark.parametrize("count", [2, 30])
def test_the_list_asks_as_much_for_many_as_for_few(
    client, boss, make_gallery, make_consent, make_photo, django_assert_num_queries, count
):
    photo = make_photo(make_gallery())
    for number in range(count):
        photo.consents.add(make_consent(f"Child {number}"))
    with django_assert_num_queries(7):  # session, user, site, two counts, list, result
        client.get(admin("changelist"))


def test_its_page_shows_the_photos_that_it_covers(
    client, boss, make_gallery, make_consent, make_photo
):
    gallery, consent = make_gallery(), make_consent()
    assert "None yet." in client.get(admin("change", consent.pk)).text
    photos = [make_photo(gallery, f"Photo {number}") for number in range(62)]
    consent.photos.set(photos)
    html = client.get(admin("change", consent.pk)).text
    shown = re.findall(r'href="/admin/exchanges/photo/(\d+)/change/"', html)
    assert shown == [str(photo.pk) for photo in photos[:60]]
    assert f'src="{photos[0].thumbnail_url}" alt="Photo 0"' in html
    (more,) = re.findall(r'href="([^"]+)">and 2 more<', html)
    assert "62 photos" in client.get(more).text
