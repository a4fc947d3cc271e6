"""A row's picture: taken in, rendered by a job, shown, replaced, taken away."""

import io
import re
from pathlib import Path

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from PIL import Image

from sistercities.pages.models import Page
from sistercities.shared.images import prepare, rendition_names
from sistercities.shared.models import Rendering
from sistercities.shared.rendering import render_waiting
from sistercities.shared.stored_files import PRIVATE, PUBLIC, remove_discarded

from .pictures import SECRETS, camera_notes, encoded, quarters


def upload(picture: Image.Image | None = None, name: str = "IMG Ann.jpg") -> ContentFile:
    raw = encoded(picture or quarters(600, 400), "JPEG", exif=camera_notes())
    return ContentFile(raw, name=name)


def damaged() -> ContentFile:
    """Its header is whole, so that only the job can tell."""
    raw = encoded(quarters(500, 400), "JPEG")
    return ContentFile(raw[: len(raw) * 3 // 4], name="a.jpg")


def files_in(storage: str) -> set[str]:
    root = Path(storages[storage].location)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def all_files() -> tuple[set[str], set[str]]:
    return files_in(PUBLIC), files_in(PRIVATE)


def files_of(*rows: Page) -> tuple[set[str], set[str]]:
    public = {name for row in rows for name in row.public_files()}
    return public, {name for row in rows for name in row.private_files()}


def read(storage: str, name: str) -> bytes:
    with storages[storage].open(name) as file:
        return file.read()


@pytest.fixture
def page(db) -> Page:
    """One with a picture that no job has seen yet."""
    page = Page(title="About", slug="about", picture_alt="Four colors", picture=upload())
    page.full_clean()
    page.save()
    return page


@pytest.fixture
def shown(page) -> Page:
    render_waiting()
    page.refresh_from_db()
    return page


def test_a_picture_that_waits_is_nowhere_named(page):
    page.refresh_from_db()
    assert (page.picture, page.picture_width, page.picture_is_waiting) == ("", 0, True)
    assert page.thumbnail_url == ""
    assert all_files() == (set(), {page.picture_original})
    assert b"SecretCam" in read(PRIVATE, page.picture_original)


def test_a_rendered_picture_has_a_random_name_and_all_its_files(shown):
    assert re.fullmatch(r"pictures/([0-9a-f]{2})/\1[0-9a-f]{30}\.webp", shown.picture.name)
    assert re.fullmatch(r"originals/([0-9a-f]{2})/\1[0-9a-f]{30}\.jpeg", shown.picture_original)
    assert Path(shown.picture.name).stem != Path(shown.picture_original).stem
    assert (shown.picture_width, shown.picture_height) == (600, 400)
    assert re.fullmatch(r"#[0-9a-f]{6}", shown.picture_colour)
    assert shown.public_files() == rendition_names(shown.picture.name, 600)
    assert all_files() == files_of(shown)
    for name in shown.public_files():
        content = read(PUBLIC, name)
        Image.open(io.BytesIO(content)).verify()
        assert not any(secret in content for secret in SECRETS)
    assert shown.thumbnail_url == "/media/" + shown.picture.name.replace(".webp", "-480.webp")


def test_two_uploads_of_one_picture_have_names_that_say_nothing(shown):
    other = Page.objects.create(title="Other", slug="other", picture_alt="x", picture=upload())
    render_waiting()
    other.refresh_from_db()
    assert len(set(shown.public_files()) | set(other.public_files())) == 6
    assert "Ann" not in other.picture.name + other.picture_original


def test_saving_again_renders_nothing_again(shown):
    before = all_files()
    shown.title = "About us"
    shown.save()
    assert (render_waiting(), all_files()) == (0, before)


def test_the_old_picture_stays_until_the_new_one_is_rendered(shown):
    old_public, old_private = files_of(shown)
    shown.picture = upload(quarters(500, 400))
    shown.save()
    remove_discarded()
    shown.refresh_from_db()
    assert files_in(PUBLIC) == old_public == set(shown.public_files())
    assert not old_private & files_in(PRIVATE)
    render_waiting()
    remove_discarded()
    shown.refresh_from_db()
    assert shown.picture_width == 500
    assert all_files() == files_of(shown)


def test_a_form_that_was_opened_before_the_job_takes_nothing_back(page):
    opened = Page.objects.get(pk=page.pk)
    render_waiting()
    opened.title = "About us"
    opened.save()
    page.refresh_from_db()
    assert (page.title, page.picture_width) == ("About us", 600)
    assert all_files() == files_of(page)


def test_a_picture_that_is_replaced_while_it_waits_is_never_shown(page):
    page.picture = upload(quarters(500, 400))
    page.save()
    render_waiting()
    remove_discarded()
    page.refresh_from_db()
    assert page.picture_width == 500
    assert all_files() == files_of(page)


def test_a_new_picture_while_the_old_one_is_in_the_works(page):
    """The worker has decoded the old one and comes to write it down."""
    in_hand = Page.objects.get(pk=page.pk)
    prepared = prepare(io.BytesIO(read(PRIVATE, page.picture_original)))
    page.picture = upload(quarters(500, 400))
    page.save()
    in_hand.picture_rendered(in_hand.save_renditions(prepared), prepared)
    remove_discarded()
    page.refresh_from_db()
    assert page.picture == ""
    assert all_files() == (set(), {page.picture_original})


def test_two_workers_that_render_the_same_picture_leave_one_set_of_files(page):
    """A worker that slept longer than its claim lasts: the second result takes the place."""
    workers = [Page.objects.get(pk=page.pk) for _ in range(2)]
    prepared = prepare(io.BytesIO(read(PRIVATE, page.picture_original)))
    names = [worker.save_renditions(prepared) for worker in workers]
    for worker, name in zip(workers, names, strict=True):
        worker.picture_rendered(name, prepared)
    remove_discarded()
    page.refresh_from_db()
    assert page.picture == names[1]
    assert all_files() == files_of(page)


def test_a_picture_that_is_cleared_leaves_nothing(shown):
    class PictureForm(forms.ModelForm):
        class Meta:
            model = Page
            fields = ["picture", "picture_alt"]

    form = PictureForm({"picture-clear": "on", "picture_alt": ""}, {}, instance=shown)
    assert form.is_valid(), form.errors
    form.save()
    remove_discarded()
    shown.refresh_from_db()
    assert (shown.picture, shown.picture_original, shown.picture_width) == ("", "", 0)
    assert all_files() == (set(), set())


@pytest.mark.parametrize("in_bulk", [False, True])
def test_a_row_that_is_deleted_takes_its_files_along(shown, in_bulk):
    Page.objects.all().delete() if in_bulk else shown.delete()
    remove_discarded()
    assert all_files() == (set(), set())


def test_a_row_that_is_deleted_while_its_picture_is_in_the_works(page):
    in_hand = Page.objects.get(pk=page.pk)
    prepared = prepare(io.BytesIO(read(PRIVATE, page.picture_original)))
    page.delete()
    in_hand.picture_rendered(in_hand.save_renditions(prepared), prepared)
    remove_discarded()
    assert (render_waiting(), all_files()) == (0, (set(), set()))


def test_what_is_no_picture_is_refused_beside_its_field(db):
    class PictureForm(forms.ModelForm):
        class Meta:
            model = Page
            fields = ["picture", "picture_alt"]

    bad = ContentFile(b"not a picture", name="a.jpg")
    form = PictureForm({"picture_alt": "x"}, {"picture": bad})
    assert form.errors == {
        "picture": [
            "This file is not a picture that we can read. Use JPEG, PNG, WebP, HEIC, AVIF, GIF "
            "or TIFF."
        ]
    }
    assert all_files() == (set(), set())


def test_a_damaged_picture_is_let_go_with_a_sentence(db):
    page = Page(title="About", slug="about", picture_alt="x", picture=damaged())
    page.save()
    render_waiting()
    remove_discarded()
    page.refresh_from_db()
    assert page.picture_problem == (
        "This picture is damaged: it ends or breaks before all of it could be read."
    )
    assert (page.picture_original, page.picture_is_waiting) == ("", False)
    assert (Rendering.objects.count(), all_files()) == (0, (set(), set()))


def test_a_damaged_replacement_leaves_what_was_shown(shown):
    public, _private = files_of(shown)
    shown.picture = damaged()
    shown.save()
    render_waiting()
    remove_discarded()
    shown.refresh_from_db()
    assert shown.picture_problem.startswith("This picture is damaged")
    assert all_files() == (public, set())
    assert set(shown.public_files()) == public


def test_a_picture_without_words_is_refused(db):
    page = Page(title="About", slug="about", picture=upload())
    with pytest.raises(ValidationError, match="in words"):
        page.full_clean()


@pytest.mark.parametrize(
    ("size", "shape"),
    [((21, 9), "r219"), ((16, 9), "r169"), ((3, 2), "r32"), ((4, 3), "r43"), ((1, 1), "r11"),
     ((4, 5), "r45"), ((3, 4), "r34"), ((2, 3), "r23"), ((0, 0), "r23")],
)  # fmt: skip
def test_the_nearest_shape(size, shape):
    assert Page(picture_width=size[0], picture_height=size[1]).picture_shape == shape
