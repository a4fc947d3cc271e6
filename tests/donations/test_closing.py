"""Months are shut when the books agree with Stripe, and their journals never change again."""

import csv
import datetime as dt
import io
from threading import Event, Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from donations import closing, offline, posting
from donations.models import ClosedMonth, Donation, GiftBatch, LedgerEntry, OfflineGift
from donations.models.ledger import LedgerIsFinal

Month = closing.Month


@pytest.fixture
def october(give, time_machine):
    """A gift of October, and the November in which its month is closed."""
    time_machine.move_to(dt.datetime(2026, 10, 31, 20, tzinfo=dt.UTC))
    gift = give(amount="50")
    time_machine.move_to(dt.datetime(2026, 11, 2, 20, tzinfo=dt.UTC))
    return gift


def reasons(month: str) -> list[str]:
    with pytest.raises(closing.CannotClose) as refused:
        closing.close(month=Month.parse(month))
    return refused.value.reasons


def lines(month: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(closing.journal(Month.parse(month)))))[1:]


def test_month_that_agrees_with_stripe_is_shut(october, admin_user):
    closed = closing.close(month=Month.parse("2026-10"), by=admin_user)
    assert (closed.first_on, closed.entries, closed.closed_by) == (
        dt.date(2026, 10, 1), 1, admin_user,
    )  # fmt: skip
    assert closing.close(month=Month.parse("2026-10")) == closed
    with pytest.raises(LedgerIsFinal):
        ClosedMonth.objects.all().delete()


def test_journal_has_two_lines_a_posting_and_the_same_bytes(october):
    entry = LedgerEntry.objects.get()
    rest = ["Ann Lee", "Where it is needed most", "Gift charged", entry.provider_txn_id]
    number = str(entry.pk)
    assert lines("2026-10") == [
        ["2026-10-31", number, "Money at Stripe", "50.00", "", *rest],
        ["2026-10-31", number, "Gifts", "", "50.00", *rest],
        ["2026-10-31", number, "Card fees", "1.40", "", *rest],
        ["2026-10-31", number, "Money at Stripe", "", "1.40", *rest],
    ]
    assert closing.journal(Month.parse("2026-10")) == closing.journal(Month.parse("2026-10"))


def test_cell_that_a_spreadsheet_would_run_is_text(october):
    Donation.objects.update(donor_name='=HYPERLINK("http://x")', designation="+1")
    name, designation = lines("2026-10")[0][5:7]
    assert (name, designation) == ('\'=HYPERLINK("http://x")', "'+1")


def test_month_that_is_not_over_stays_open(october):
    assert reasons("2026-11")[:2] == [
        "2026-11 is not over yet.",
        "2026-10 is still open; close it first.",
    ]


def test_movement_that_no_event_told_us_of_keeps_the_month_open(october, stripe, time_machine):
    time_machine.move_to(dt.datetime(2026, 10, 31, 21, tzinfo=dt.UTC))
    txn = stripe.control("balance_transactions", type="adjustment", amount=-500, currency="usd")
    time_machine.move_to(dt.datetime(2026, 11, 2, 20, tzinfo=dt.UTC))
    assert reasons("2026-10") == [f"{txn['id']} over -$5.00 is not in the books. Run reconcile."]
    call_command("reconcile", since="2026-10-01")
    assert reasons("2026-10") == ["$5.00 waits in suspense to be explained."]


def test_amount_that_differs_keeps_the_month_open(october, stripe):
    """As after a mistake of ours: the books say other than Stripe's list."""
    entry = LedgerEntry.objects.get()
    LedgerEntry.postings.rel.related_model._base_manager.filter(
        entry=entry, amount_cents=140
    )._raw_delete("default")
    [reason] = reasons("2026-10")
    assert reason == f"{entry.provider_txn_id} is $48.60 at Stripe and $50.00 in the books."


def test_entry_that_stripe_does_not_know_keeps_the_month_open(october, stripe):
    stripe.control("reset")
    entry = LedgerEntry.objects.get()
    assert reasons("2026-10") == [
        f"{entry.provider_txn_id} is in the books, but Stripe does not know it."
    ]


def test_check_of_a_shut_month_stands_in_the_open_one(october, admin_user):
    """A postmark of October keeps its tax date; the journal of October stays as it is."""
    closing.close(month=Month.parse("2026-10"))
    before = closing.journal(Month.parse("2026-10"))
    batch = GiftBatch.objects.create(title="Late mail")
    OfflineGift.objects.create(
        batch=batch, method="transfer", amount_cents=700, donor_name="Bo",
        given_on=dt.date(2026, 10, 30),
    )  # fmt: skip
    offline.book(batch=batch, by=admin_user)
    assert closing.journal(Month.parse("2026-10")) == before
    assert [line[0] for line in lines("2026-11")] == ["2026-11-02", "2026-11-02"]
    assert Donation.objects.get(provider="offline").given_on == dt.date(2026, 10, 30)


def test_journal_that_changed_stops_the_next_close(october, time_machine):
    closing.close(month=Month.parse("2026-10"))
    Donation.objects.update(donor_name="Somebody else")
    time_machine.move_to(dt.datetime(2026, 12, 2, 20, tzinfo=dt.UTC))
    assert reasons("2026-11") == ["The journal of 2026-10 is not what it was when it was closed."]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_booked_beside_a_close(october):
    """Red on PostgreSQL without the lock: the entry would stand in a journal that was shut."""
    booked, may_end = Event(), Event()

    def book():
        with transaction.atomic():
            posting.post_offline(
                kind=LedgerEntry.Kind.RECEIVED, offline_id="x", moves=[("bank", "gift_revenue", 5)],
                occurred_at=dt.datetime(2026, 10, 30, 20, tzinfo=dt.UTC),
            )  # fmt: skip
            booked.set()
            may_end.wait(1.5)
        connection.close()

    thread = Thread(target=book)
    thread.start()
    assert booked.wait(10)
    closed = closing.close(month=Month.parse("2026-10"))
    thread.join(10)
    assert closed.entries == closing.entries_of(Month.parse("2026-10")).count() == 2


def test_command_closes_and_writes_the_same_file(october, tmp_path):
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for file in files:
        call_command("month_close", "2026-10", out=file)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes().startswith(b"Date,Journal No.,Account,Debit,Credit,Name,Class,")
    with pytest.raises(CommandError, match="2026-11 stays open:\n2026-11 is not over yet."):
        call_command("month_close", "2026-11")
    with pytest.raises(CommandError, match="Name the month like this"):
        call_command("month_close", "October")


def test_stripe_that_is_down_keeps_the_month_open(october, stripe):
    stripe.control("faults", path="/v1/balance_transactions", times=9, status=503)
    with pytest.raises(CommandError, match="Stripe does not answer"):
        call_command("month_close", "2026-10")
    assert ClosedMonth.objects.count() == 0
