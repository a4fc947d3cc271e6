"""`manage.py invariants`: what giving promises is told when it is broken, and only then."""

import contextlib
import datetime as dt
import json
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction

from donations.invariants import CHECKS
from donations.models import Donation, LedgerPosting, ProviderEvent, Receipt


def broken() -> dict[str, list[tuple[str, str]]]:
    """By invariant, the rows that break it and why."""
    found = {name: [(row.row, row.why) for row in check()] for name, check in CHECKS.items()}
    return {name: rows for name, rows in found.items() if rows}


def run(*options: str) -> tuple[str, int]:
    """What the command writes, and its exit code."""
    out, code = StringIO(), 0
    try:
        call_command("invariants", *options, stdout=out)
    except SystemExit as end:
        code = end.code
    return out.getvalue(), code


def bend(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextlib.contextmanager
def bent(statement: str, *values):
    """One statement against the rules, taken back in the end."""
    with transaction.atomic():
        bend(statement, *values)
        yield
        transaction.set_rollback(True)
    assert broken() == {}


@pytest.fixture
def gift(give, by_hand, ask):
    """Among gifts of other kinds, each of them right."""
    lowered = give(amount="80", email="b@example.org")
    ask(lowered, 3000)
    returned = give(amount="30", email="c@example.org")
    ask(returned, 3000, "form-2")
    by_hand("A fund", 7000, method="daf")
    by_hand("Ben", 0, method="stock", description="Ten shares")
    gift = give(amount="50")
    cache.clear()  # the limit of gifts from one address
    return gift


def of(gift: Donation) -> str:
    return f"donations.Donation {gift.pk}"


def test_all_is_well_whatever_became_of_a_gift(gift, stripe, begin, deliver, give):
    begin(email="d@example.org")
    late = begin(email="e@example.org")
    stripe.pay(late, settle=False)
    disputed = give(email="f@example.org")
    dispute = stripe.control(
        f"payments/{disputed.provider_reference}/dispute", amount=5000, fee=1500
    )
    stripe.control(f"disputes/{dispute['id']}/close", result="lost")
    deliver(*stripe.events())
    assert broken() == {}
    names = ["I1", "I2", "I3", "I5", "I6", "I7"]
    written, code = run("--json")
    assert (json.loads(written), code) == (dict.fromkeys(names, True), 0)
    assert run() == ("".join(f"{name}\ttrue\n" for name in names), 0)


def test_what_is_broken_is_named_and_ends_with_1(give):
    gift = give()
    row, why = of(gift), "It is paid without a payment"
    with bent("UPDATE donations_donation SET provider_reference = '' WHERE id = %s", gift.pk):
        written, code = run("--json")
        assert json.loads(written)["I1"] == [{"row": row, "why": why}]
        assert code == 1
        written, code = run()
        assert written.startswith(f"I1\tbroken\n\t{row}\t{why}\nI2\ttrue\n")
        assert code == 1


def test_i1_payments_and_books(gift, later):
    with bent("DROP INDEX one_gift_per_provider_payment"):
        reference = gift.provider_reference
        Donation.objects.create(
            form_token="again", amount_cents=5000, donor_name="Ann", provider_reference=reference
        )
        assert broken() == {"I1": [("", f"{reference} is the payment of 2 gifts")]}
    posting = LedgerPosting.objects.get(entry__donation=gift, credit="gift_revenue")
    for change, why in {
        "amount_cents = 5001": "It is paid with 5000 cents, booked are 5001",
        "credit = 'suspense'": "It is paid and not booked",
        "debit = credit, credit = debit": "It is paid with 5000 cents, booked are -5000",
    }.items():
        with bent(f"UPDATE donations_ledgerposting SET {change} WHERE id = %s", posting.pk):
            assert broken() == {"I1": [(of(gift), why)]}
    entry = posting.entry_id
    with bent("UPDATE donations_ledgerentry SET donation_id = NULL WHERE id = %s", entry):
        alone = (f"donations.LedgerEntry {entry}", "It is revenue of no gift")
        assert broken() == {"I1": [alone]}
        later(days=8)  # by then a card's fee is known
        assert broken() == {"I1": [alone, (of(gift), "It is paid and not booked")]}
    by_fund = Donation.objects.get(method="daf")
    with bent(
        "UPDATE donations_ledgerentry SET donation_id = %s WHERE donation_id = %s",
        gift.pk, by_fund.pk,
    ):  # fmt: skip
        assert broken() == {
            "I1": [
                (of(gift), "It is paid with 5000 cents, booked are 12000"),
                (of(by_fund), "It is paid and not booked"),
            ]
        }
    lowered = Donation.objects.get(email="b@example.org")
    for change, said in {"amount_cents = 2999": 2999, "state = 'pending'": 0}.items():
        with bent(f"UPDATE donations_refund SET {change} WHERE donation_id = %s", lowered.pk):
            why = f"{said} cents were given back, booked are 3000"
            assert broken() == ({"I1": [(of(lowered), why)]} if said else {})


def test_i2_event_that_nobody_tries(give, later):
    give()
    event = ProviderEvent.objects.first()
    row = f"donations.ProviderEvent {event.pk}"
    with bent("UPDATE donations_providerevent SET state = 'received' WHERE id = %s", event.pk):
        assert broken() == {}  # it is due: the next sweep has it
        later(hours=2)
        [(told, why)] = broken()["I2"]
        assert (told, why[:27]) == (row, "Nobody has tried it since 2")
        far = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
        ProviderEvent.objects.filter(pk=event.pk).update(next_try_at=far)
        assert broken() == {"I2": [(row, "Its next try is on 2099-01-01")]}
        ProviderEvent.objects.filter(pk=event.pk).update(state="lost")
        assert broken() == {"I2": [(row, "Its state is 'lost'")]}


def test_i3_receipts(gift):
    year, last = gift.given_on.year, Receipt.objects.count()
    with bent("UPDATE donations_receiptseries SET last_serial = last_serial + 1"):
        row = f"donations.ReceiptSeries {year}"
        why = f"It says {last + 1}, the last receipt is {last}"
        assert broken() == {"I3": [(row, why)]}
        bend("UPDATE donations_receipt SET serial = %s WHERE serial = 3", last + 1)
        assert broken() == {"I3": [("", f"There is no receipt {year}-000003")]}
    for change, found in {"state = 'void'": [], "amount_cents = 4999": [4999]}.items():
        with bent(f"UPDATE donations_receipt SET {change} WHERE donation_id = %s", gift.pk):
            assert broken() == {
                "I3": [(of(gift), f"Its receipts are over {found} cents, due are [5000]")]
            }
            Donation.objects.filter(pk=gift.pk).update(is_receipt_due=True)
            assert broken() == {}  # it waits to be written, and staff are told
    returned = Donation.objects.get(email="c@example.org")
    with bent("UPDATE donations_receipt SET state = 'current' WHERE donation_id = %s", returned.pk):
        assert broken() == {
            "I3": [(of(returned), "Its receipts are over [3000] cents, due are []")]
        }
    with bent("UPDATE donations_donation SET state = 'processing' WHERE id = %s", gift.pk):
        assert broken() == {
            "I1": [(of(gift), "It is processing with 5000 cents, booked are 5000")],
            "I3": [(of(gift), "Its receipts are over [5000] cents, due are []")],
        }


def test_questions_do_not_grow_with_the_gifts(gift, give, django_assert_num_queries):
    with django_assert_num_queries(18):
        assert broken() == {}
    for number in range(3):
        give(email=f"{number}@example.org")
    with django_assert_num_queries(18):
        assert broken() == {}
