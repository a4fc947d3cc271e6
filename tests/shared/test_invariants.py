"""Invariants of files and of the database itself: told when they are broken."""

import os
import time

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection

from sistercities.pages.models import Page
from sistercities.shared.invariants import Broken, files_and_rows, whole_database
from sistercities.shared.stored_files import PRIVATE


def test_i5_what_the_sweeper_finds(db):
    page = Page.objects.create(
        title="About", slug="about", picture_original="lost.jpg", picture_width=600
    )
    storages[PRIVATE].save("left.jpg", ContentFile(b"x"))
    hours_ago = time.time() - 7200
    os.utime(storages[PRIVATE].path("left.jpg"), (hours_ago, hours_ago))
    assert Broken(f"pages.Page {page.pk}", "A file is missing: private:lost.jpg") in list(
        files_and_rows()
    )
    page.delete()
    assert list(files_and_rows()) == [Broken("", "No row names this file: private:left.jpg")]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL refuses such a row at once")
def test_i6_row_whose_parent_is_gone(make_city):
    assert list(whole_database()) == []
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO auth_user_groups (id, user_id, group_id) VALUES (7, 98, 99)")
        found = list(whole_database())
        cursor.execute("DELETE FROM auth_user_groups WHERE id = 7")
    assert {row.row for row in found} == {"auth_user_groups 7"}
    assert {row.why for row in found} == {
        "The row of auth_user that it names is gone",
        "The row of auth_group that it names is gone",
    }


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no such constraints")
def test_i6_constraint_that_was_never_validated(db):
    assert list(whole_database()) == []
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE shared_sitesettings ADD CONSTRAINT odd CHECK (id < 9) NOT VALID"
        )
    assert list(whole_database()) == [Broken("shared_sitesettings", "odd was never validated")]
