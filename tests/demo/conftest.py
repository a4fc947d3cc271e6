"""The demo, loaded once for all tests of this folder that only look at it."""

import pytest
from django.db import transaction
from django.test import override_settings

from sistercities.demo import loading


def pytest_collection_modifyitems(items):
    """One process loads the demo for all of them."""
    for item in items:
        if "/tests/demo/" in str(item.path):
            item.add_marker(pytest.mark.xdist_group("demo"))


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Settings that send pictures to folders of their own, in the shape of `override_settings`."""
    from django.conf import settings

    root = tmp_path_factory.mktemp("demo")
    return {
        "MEDIA_ROOT": root / "media",
        "PRIVATE_MEDIA_ROOT": root / "originals",
        "STORAGES": {
            **settings.STORAGES,
            "private": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {
                    "location": root / "originals",
                    "base_url": None,
                    "allow_overwrite": True,
                },
            },
        },
    }


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker, folders):
    """A loaded demo, taken back after the last test of the module. Gives the counts."""
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(**folders):
            counts = loading.load()
        yield counts
        transaction.set_rollback(True)
