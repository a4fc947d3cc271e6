"""Files that are let go: first written down, then deleted, again and again until they are."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction

from sistercities.shared.models import DiscardedFile
from sistercities.shared.stored_files import (
    PRIVATE,
    PUBLIC,
    discard,
    plain_errors,
    remove_discarded,
    store,
)


def is_there(name: str, storage: str = PUBLIC) -> bool:
    return storages[storage].exists(name)


@pytest.fixture
def file(db) -> str:
    return storages[PUBLIC].save("photos/ab/cd.webp", ContentFile(b"content"))


def test_what_is_discarded_stays_until_the_transaction_is_through(
    file, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        discard(PUBLIC, [file, ""])
        assert is_there(file)
    assert not is_there(file)
    assert not DiscardedFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_discarded_in_a_transaction_that_fails_stays():
    name = storages[PUBLIC].save("photos/ab/cd.webp", ContentFile(b"content"))
    with pytest.raises(RuntimeError), transaction.atomic():
        discard(PUBLIC, [name])
        raise RuntimeError
    assert (remove_discarded(), is_there(name)) == (0, True)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_goes_at_once():
    name = storages[PRIVATE].save("originals/ab/cd.jpeg", ContentFile(b"content"))
    discard(PRIVATE, [name])
    assert not is_there(name, PRIVATE)


def test_a_file_that_is_gone_already_is_no_trouble(file):
    discard(PUBLIC, ["photos/xx/gone.webp", file])
    assert (remove_discarded(), DiscardedFile.objects.count()) == (2, 0)


def test_what_cannot_be_deleted_is_tried_again_and_holds_nothing_up(file, settings, caplog):
    """A folder stands where the first file should be."""
    (settings.MEDIA_ROOT / "photos" / "xx.webp" / "inside").mkdir(parents=True)
    discard(PUBLIC, ["photos/xx.webp", file])
    assert (remove_discarded(), is_there(file)) == (1, False)
    assert [row.name for row in DiscardedFile.objects.all()] == ["photos/xx.webp"]
    (settings.MEDIA_ROOT / "photos" / "xx.webp" / "inside").rmdir()
    assert (remove_discarded(), DiscardedFile.objects.count()) == (1, 0)


def test_a_server_that_is_away_keeps_the_work(db, s3_down):
    discard(PUBLIC, ["photos/ab/cd.webp"])
    assert (remove_discarded(), DiscardedFile.objects.count()) == (0, 1)


def test_files_are_stored_all_or_none(db, settings):
    """The second name is a folder that is there."""
    (settings.MEDIA_ROOT / "photos" / "b.webp" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="Is a directory"):
        store(PUBLIC, {"photos/a.webp": b"one", "photos/b.webp": b"two", "photos/c.webp": b"three"})
    assert storages[PUBLIC].listdir("photos") == (["b.webp"], [])


def test_whatever_a_storage_raises_is_an_oserror(s3_down):
    with pytest.raises(OSError, match="EndpointConnectionError"):
        store(PRIVATE, {"originals/ab/cd.jpeg": b"content"})


def test_an_oserror_stays_what_it_is():
    with pytest.raises(FileNotFoundError), plain_errors():
        raise FileNotFoundError
