"""The books from the terminal, and what `reconcile` finds when every event was lost."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from donations import reconciling
from donations.models import Donation, LedgerEntry, LedgerPosting, Receipt


def run(name: str, *options: str) -> str:
    out = StringIO()
    call_command(name, *options, stdout=out, stderr=StringIO())
    return out.getvalue()


def ledger() -> dict:
    return json.loads(run("ledger", "--json"))


NOTHING = {
    "gift_revenue": 0, "trip_fees": 0, "processing_fees": 0, "refunds": 0, "chargebacks": 0,
    "dispute_fees": 0, "stripe_clearing": 0, "undeposited_checks": 0, "bank": 0, "suspense": 0,
}  # fmt: skip


def test_empty_ledger(db):
    assert ledger() == {"accounts": NOTHING, "donations": [], "recurring": [], "campaigns": []}


def test_ledger_has_the_shape_that_others_read(give, make_campaign, stripe, deliver):
    campaign = make_campaign()
    first = give(amount="50", campaign=campaign.slug)
    second = give(amount="25", fee=85, email="b@example.org")
    stripe.control(f"payments/{first.provider_reference}/refund", amount=1000)
    deliver(*stripe.events())
    year = first.given_on.year
    assert ledger() == {
        "accounts": {
            **NOTHING, "gift_revenue": -7500, "processing_fees": 225, "refunds": 1000,
            "stripe_clearing": 6275,
        },
        "donations": [
            {
                "token": first.token, "state": "partially_refunded", "amount": 5000,
                "currency": "USD", "kind": "one_time", "campaign": campaign.slug,
                "receipts": [
                    {"number": f"{year}-000001", "state": "void", "amount": 5000},
                    {"number": f"{year}-000003", "state": "current", "amount": 4000},
                ],
            },
            {
                "token": second.token, "state": "paid", "amount": 2500, "currency": "USD",
                "kind": "one_time", "campaign": None,
                "receipts": [
                    {"number": f"{year}-000002", "state": "current", "amount": 2500}
                ],
            },
        ],
        "recurring": [],
        "campaigns": [{"slug": campaign.slug, "goal": 600_000, "raised": 4000}],
    }  # fmt: skip


def test_ledger_in_words(give):
    give(amount="50")
    lines = [line.split() for line in run("ledger").splitlines()]
    assert ["Gifts", "-$50.00"] in lines


def test_h11_reconcile_finds_every_event_that_was_lost(begin, stripe, make_campaign):
    campaign = make_campaign()
    donation = begin(amount="50", campaign=campaign.slug)
    begin(amount="25", email="b@example.org")  # never paid
    stripe.pay(donation)
    payment = stripe.objects("payment_intent")[0]["id"]
    stripe.control(f"payments/{payment}/refund", amount=1000)
    dispute = stripe.control(f"payments/{payment}/dispute", amount=500, fee=1500)
    stripe.control(f"disputes/{dispute['id']}/close", result="lost")
    stripe.control("payouts", amount=1000)
    assert run("reconcile", "--since", "3").endswith("4 newly booked\n")
    assert ledger()["accounts"] == {
        **NOTHING, "gift_revenue": -5000, "processing_fees": 140, "refunds": 1000,
        "chargebacks": 500, "dispute_fees": 1500, "stripe_clearing": 860, "bank": 1000,
    }  # fmt: skip
    assert [row["state"] for row in ledger()["donations"]] == ["disputed", "open"]
    before = ledger(), Receipt.objects.count()
    assert run("reconcile", "--since", "3").endswith("0 newly booked\n")
    assert (ledger(), Receipt.objects.count()) == before


def test_h11_every_night_heals_a_webhook_that_was_down(begin, stripe):
    donation = begin(amount="50")
    stripe.pay(donation)
    stripe.control("faults", path="/v1", times=9, status=503)
    assert reconciling.every_night() == 0  # Stripe is down: the next night
    stripe.control("faults", path="/v1", times=0)
    assert [reconciling.every_night(), reconciling.every_night()] == [1, 0]
    donation.refresh_from_db()
    assert (donation.state, donation.receipts.count()) == ("paid", 1)


def test_h11_reconcile_needs_no_events_at_all(begin, stripe):
    donation = begin(amount="50")
    stripe.pay(donation)
    stripe.control("faults", path="/v1/events", times=0)
    donation.refresh_from_db()
    from donations.providers.base import TxnSnap

    rows = [
        change
        for change in reconciling.provider.iter_changes(donation.created_at)
        if isinstance(change, TxnSnap)
    ]
    report = reconciling.Report()
    for row in rows:
        reconciling._explain(row, report)
    donation.refresh_from_db()
    assert (donation.state, report.problems) == ("paid", [])


@pytest.mark.parametrize(("type", "currency"), [("stripe_fee", "usd"), ("adjustment", "eur")])
def test_unknown_transactions_go_to_suspense(type, currency, site, stripe):
    stripe.control("balance_transactions", type=type, amount=-123, currency=currency)
    run("reconcile", "--since", "3")
    accounts = ledger()["accounts"]
    assert accounts == {**NOTHING, "suspense": 123, "stripe_clearing": -123}
    assert LedgerEntry.objects.get().currency == currency.upper()
    run("reconcile", "--since", "3")
    assert LedgerEntry.objects.count() == 1


def test_payout_event_is_booked(give, stripe, deliver):
    give(amount="50")
    known = [event["id"] for event in stripe.events()]
    stripe.control("payouts", amount=4860)
    deliver(*(event for event in stripe.events() if event["id"] not in known))
    balances = LedgerPosting.objects.all().balances()
    assert (balances["bank"], balances["stripe_clearing"]) == (4860, 0)


def test_reconcile_stops_in_words_when_stripe_is_down(site, stripe):
    stripe.control("faults", path="/v1", times=9, status=503)
    with pytest.raises(CommandError, match="Not finished, please run it again"):
        run("reconcile", "--since", "2026-11-01")


@pytest.mark.parametrize("since", ["yesterday", "", "2026-13-01", "-3", "٣"])
def test_reconcile_wants_a_day(since, site):
    with pytest.raises(CommandError, match="write a day"):
        run("reconcile", f"--since={since}")


def test_d19_receipts_survive_a_second_reconcile(give):
    donation = give(amount="50")
    run("reconcile", "--since", "3")
    assert donation.receipts.get().number.endswith("-000001")
    assert Donation.objects.count() == 1
