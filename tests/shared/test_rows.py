"""Going through many rows while others write."""

import sqlite3

import pytest
from django.db import connection

from sistercities.shared.models import DiscardedFile
from sistercities.shared.rows import AT_ONCE, each


@pytest.fixture
def many() -> list[int]:
    names = [f"file-{number}" for number in range(2 * AT_ONCE + 3)]
    DiscardedFile.objects.bulk_create(DiscardedFile(storage="default", name=n) for n in names)
    return list(DiscardedFile.objects.order_by("pk").values_list("pk", flat=True))


def test_every_row_comes_once_by_rising_key(db, many, django_assert_num_queries):
    with django_assert_num_queries(4):
        assert [row.pk for row in each(DiscardedFile.objects.order_by("-name"))] == many
    assert list(each(DiscardedFile.objects.none())) == []


def test_rows_may_be_deleted_on_the_way(db, many):
    assert len([row.delete() for row in each(DiscardedFile.objects.all())]) == len(many)
    assert not DiscardedFile.objects.exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite's snapshots")
@pytest.mark.django_db(transaction=True)
def test_another_process_may_write_on_the_way(many):
    """With `iterator()` our own write fails at once: "database is locked"."""
    DiscardedFile.objects.bulk_create(
        DiscardedFile(storage="default", name=f"more-{number}") for number in range(2000)
    )
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    for number, row in enumerate(each(DiscardedFile.objects.all())):
        if number == 5:
            other.execute("DELETE FROM shared_discardedfile WHERE name = 'more-1999'")
        if number < 10:
            row.delete()
    other.close()
    assert DiscardedFile.objects.count() == 2 * AT_ONCE + 3 + 2000 - 11
