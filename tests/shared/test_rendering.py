"""Work that waits in rows: claimed by one worker, tried again, never lost."""

import datetime as dt
import shutil
from threading import Barrier, Thread

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection

from sistercities.pages.models import Page
from sistercities.shared import clock, rendering
from sistercities.shared.models import Rendering
from sistercities.shared.rendering import render_waiting
from sistercities.shared.stored_files import PRIVATE, remove_discarded

from .pictures import encoded, quarters


@pytest.fixture
def make_page(picture_file):
    def make(slug: str = "about", **fields) -> Page:
        values = {"title": slug, "picture_alt": "Words", "picture": picture_file(), **fields}
        return Page.objects.create(slug=slug, **values)

    return make


@pytest.fixture
def later(settings):
    """`later(minutes=2)`: the site's clock goes on."""
    settings.CLOCK = clock.now()

    def go(**time) -> None:
        settings.CLOCK += dt.timedelta(**time)

    return go


def shown() -> list[str]:
    return list(Page.objects.exclude(picture="").order_by("pk").values_list("slug", flat=True))


def test_what_waits_is_rendered_oldest_first(db, make_page):
    for slug in ("one", "two", "three"):
        make_page(slug)
    assert rendering.is_waiting()
    assert render_waiting(seconds=0) == 0
    Rendering.objects.filter(object_id=Page.objects.get(slug="one").pk).delete()
    assert render_waiting() == 2
    assert (shown(), rendering.is_waiting(), render_waiting()) == (["two", "three"], False, 0)


@pytest.mark.django_db(transaction=True)
def test_a_commit_wakes_the_worker(make_page):
    make_page()
    assert shown() == ["about"]


def test_a_claim_holds_for_two_minutes_and_then_another_may(db, make_page, later):
    """The worker that claimed it was killed."""
    make_page()
    assert Rendering.claim().attempts == 0
    assert (Rendering.claim(), render_waiting()) == (None, 0)
    later(minutes=1, seconds=59)
    assert render_waiting() == 0
    later(seconds=1)
    assert (render_waiting(), shown()) == (1, ["about"])


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_work(make_page, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    pages = [make_page(f"page-{number}") for number in range(12)]
    barrier, done = Barrier(3), []

    def work():
        barrier.wait(10)
        try:
            done.append(render_waiting())
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(done) == len(pages) == len(shown())


def test_a_storage_that_is_gone_costs_no_try(db, make_page, later, settings):
    """A disk that is not mounted: every file seems lost, and none is."""
    page = make_page()
    there, away = settings.PRIVATE_MEDIA_ROOT, settings.PRIVATE_MEDIA_ROOT.with_name("away")
    there.rename(away)
    for _minute in range(5):
        assert render_waiting() == 0
        later(minutes=1)
    assert list(Rendering.objects.values_list("attempts", flat=True)) == [0]
    shutil.rmtree(there, ignore_errors=True)
    away.rename(there)
    assert render_waiting() == 1
    page.refresh_from_db()
    assert (page.picture_width, page.picture_problem) == (60, "")


def test_a_server_that_does_not_answer_costs_no_try(
    db, make_page, later, s3_storages, s3_at, unused_port_number
):
    make_page()
    s3_at(f"http://127.0.0.1:{unused_port_number}")
    assert render_waiting() == 0
    later(minutes=1)
    work = Rendering.objects.get()
    assert (work.attempts, work.next_try_at) == (0, clock.now())


def test_a_picture_is_rendered_in_s3(db, make_page, s3_storages):
    page = make_page()
    assert render_waiting() == 1
    page.refresh_from_db()
    assert all(storages["default"].exists(name) for name in page.public_files())


def test_a_lost_file_in_s3_waits_as_on_disk(db, make_page, s3_storages):
    page = make_page()
    storages[PRIVATE].delete(page.picture_original)
    assert render_waiting() == 0
    assert Rendering.objects.get().attempts == 0


def test_the_third_try_is_in_a_process_of_its_own(db, make_page):
    """Twice its worker died; tests/faults kills real ones."""
    make_page()
    Rendering.objects.update(attempts=2)
    assert (render_waiting(), shown()) == (1, ["about"])


def test_a_refusal_comes_back_from_a_process_of_its_own(db, make_page):
    raw = encoded(quarters(500, 400), "JPEG")
    page = make_page(picture=ContentFile(raw[: len(raw) // 2], name="a.jpg"))
    Rendering.objects.update(attempts=7)
    assert render_waiting() == 0
    page.refresh_from_db()
    assert page.picture_problem.startswith("This picture is damaged")


def test_avif_is_always_decoded_in_a_process_of_its_own(db, make_page, monkeypatch):
    """Its header may say 100 by 100 where a gigabyte follows."""

    def here(file):
        raise AssertionError("decoded in the worker")

    monkeypatch.setattr(rendering, "prepare", here)
    make_page(picture=ContentFile(encoded(quarters(), "AVIF"), name="a.avif"))
    assert (render_waiting(), shown()) == (1, ["about"])


def test_work_whose_row_is_gone_is_dropped(db, make_page):
    make_page().delete()
    assert (render_waiting(), Rendering.objects.count()) == (0, 0)


def test_work_on_a_picture_that_was_replaced_is_dropped(db, make_page, picture_file, later):
    """Its original goes with it, so it would be looked for every minute for ever."""
    page = make_page()
    page.picture = picture_file(300, 200)
    page.save()
    remove_discarded()
    render_waiting()
    assert not Rendering.objects.exists()
    page.refresh_from_db()
    assert page.picture_width == 300
