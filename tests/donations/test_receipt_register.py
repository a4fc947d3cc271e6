"""Receipt numbers after a database was brought back from an older copy (giving.md F10)."""

import contextlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone

from donations import receipt_register, reconciling
from donations.invariants import CHECKS
from donations.models import Donation, LostReceipt, Receipt
from sistercities.shared.models import SiteSettings
from sistercities.shared.stored_files import PRIVATE


@pytest.fixture(autouse=True)
def ask_the_storage(monkeypatch):
    monkeypatch.setattr(receipt_register, "_silent_until", 0.0)


@contextlib.contextmanager
def a_lost_day():
    """What is written inside is gone in the end, as when yesterday's database is restored."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def receipts() -> list[tuple]:
    """All that a donor can compare with the receipt in hand, the PDF's fingerprint included."""
    rows = Receipt.objects.order_by("serial")
    return [
        (row.serial, row.state, row.inputs, row.token, row.issued_at, row.pdf_sha256)
        for row in rows
    ]


def broken() -> list:
    return [row for check in CHECKS.values() for row in check()]


def lost() -> list[tuple]:
    return list(LostReceipt.objects.order_by("serial").values_list("serial", "gift"))


@pytest.fixture
def day(
    site, stripe, give, begin, give_plan, renew, hand_over_new, ask, at,
    django_capture_on_commit_callbacks,
):  # fmt: skip
    """`day()`: a first gift yesterday, then a day that gets lost, and with it four receipts: of a
    gift whose page was open, of a renewal, of a correction and of a gift that began that day.
    What donors got from these.
    """

    def live() -> list[tuple]:
        at("2026-11-20")
        first = give(email="a@example.org")
        plan = give_plan()
        at("2026-11-21")
        opened = begin(email="b@example.org")
        with a_lost_day():
            stripe.pay(opened)
            hand_over_new()
            renew(plan)
            with django_capture_on_commit_callbacks(execute=True):
                ask(first, 2000)
            give(email="c@example.org")
            written = receipts()
            assert [row[0] for row in written] == [1, 2, 3, 4, 5, 6]
        assert [row[0] for row in receipts()] == [1, 2]
        return written

    return live


def test_f10_lost_receipts_return_to_their_gifts_and_no_number_to_another(day, give, at):
    written = day()
    at("2026-11-22")
    late = give(email="d@example.org")  # before anybody has noticed
    assert late.receipts.get().serial == 7
    assert [serial for serial, _gift in lost()] == [3, 4, 5, 6]
    reconciling.reconcile(since=timezone.now() - reconciling.WEEK)
    of_the_day = [row for row in receipts() if row[0] != 7]
    assert of_the_day == written[:5]
    assert [serial for serial, _gift in lost()] == [6]  # its gift is gone; staff must find it
    assert broken() == []
    before = receipts()
    reconciling.reconcile(since=timezone.now() - reconciling.WEEK)
    assert receipts() == before


def test_f10_in_buckets_too(s3_storages, day):
    written = day()
    reconciling.reconcile(since=timezone.now() - reconciling.WEEK)
    assert receipts() == written[:5]
    assert [serial for serial, _gift in lost()] == [6]


def test_f10_what_was_not_noted_is_counted_all_the_same(day, give):
    """The storage was away while number 3 was given, the first of the lost day."""
    day()
    storages[PRIVATE].delete(next(name for name in noted() if name.endswith("000003")))
    assert give(email="d@example.org").receipts.get().serial == 7
    reconciling.reconcile(since=timezone.now() - reconciling.WEEK)
    assert Donation.objects.get(email="b@example.org").receipts.get().serial == 8
    assert [serial for serial, _gift in lost()] == [3, 6]
    assert lost()[0] == (3, "")
    assert broken() == []


def test_f10_mark_that_is_one_behind_is_not_believed(day, give):
    """Two processes noted at once, and the earlier number was written last."""
    day()
    [mark] = [name for name in noted() if name.endswith("last")]
    storages[PRIVATE].save(mark, ContentFile(b"2"))
    assert give(email="d@example.org").receipts.get().serial == 7


def test_f10_receipt_that_would_say_something_else_has_a_new_number(day):
    day()
    SiteSettings.objects.update(postal_address="1 Main Street\nArvada, CO 80002")
    reconciling.reconcile(since=timezone.now() - reconciling.WEEK)
    assert [serial for serial, _gift in lost()] == [3, 4, 5, 6]
    assert [row[0] for row in receipts()] == [1, 2, 7, 8, 9]
    assert broken() == []


def noted() -> list[str]:
    """The files of the register."""
    found, folders = [], [receipt_register.FOLDER]
    while folders:
        folder = folders.pop()
        below, files = storages[PRIVATE].listdir(folder)
        folders += [f"{folder}/{name}" for name in below]
        found += [f"{folder}/{name}" for name in files]
    return sorted(found)


def test_register_holds_nothing_personal(give):
    gift = give(name="Ann Lee", email="ann@example.org")
    [name, _mark] = noted()
    assert name.endswith(f"/{gift.given_on.year}/000001")
    with storages[PRIVATE].open(name) as file:
        text = file.read().decode()
    assert gift.provider_reference in text
    assert not {"Ann", "example", "5000"} & set(text.replace('"', " ").split())


def test_storage_that_is_down_holds_up_no_gift_and_is_told_at_night(s3_down, give, caplog):
    gift = give()
    assert (gift.state, gift.receipts.count()) == ("paid", 1)
    assert caplog.text.count("The register of receipt numbers does not answer") == 1


def test_numbers_given_meanwhile_are_noted_at_night(give, monkeypatch):
    give(email="a@example.org")
    for name in noted():
        storages[PRIVATE].delete(name)
    give(email="b@example.org")
    assert [receipt_register.catch_up(), receipt_register.catch_up()] == [1, 0]
    assert [name[-6:] for name in noted()] == ["000001", "000002", "6/last"]
