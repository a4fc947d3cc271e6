"""The demo, loaded once for all tests of this folder that only look at it."""

import pytest
from django.core.management import call_command
from django.db import transaction


def pytest_collection_modifyitems(items):
    """One process loads the demo for all of them."""
    for item in items:
        if "/tests/demo/" in str(item.path):
            item.add_marker(pytest.mark.xdist_group("demo"))


@pytest.fixture(scope="session")
def folders(kept_demo):
    """Settings that lead to the demo's pictures, in the shape of `override_settings`."""
    return kept_demo.folders


@pytest.fixture(scope="module")
def demo(kept_demo, django_db_blocker):
    """The demo's rows, taken back after the last test of the module."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("loaddata", kept_demo.rows, verbosity=0)
        yield
        transaction.set_rollback(True)
