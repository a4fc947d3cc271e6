"""Five days without a webhook: one `reconcile` tells all that the events would have told."""

import datetime as dt
from io import StringIO

from django.core.management import call_command
from django.db import transaction

from donations import checkout, recurring, sync
from donations.invariants import CHECKS
from donations.models import Campaign, Donation, LedgerEntry, RecurringGift

from .test_orders import outcome, start_anew


def begin(name: str, frequency: str = "one_time") -> Donation | RecurringGift:
    wish = checkout.Wish(
        form_token=name, chosen_cents=5000, campaign=Campaign.objects.get(), donor_name=name,
        email=f"{name}@example.org", frequency=frequency,
    )  # fmt: skip
    checkout.start(wish)
    model = Donation if frequency == "one_time" else RecurringGift
    return model.objects.get(form_token=name)


def five_days(stripe, at, hand_over_new, *, are_webhooks_on: bool) -> dict:
    """All that can happen to gifts, made before and meanwhile; what we know of it in the end."""
    names = ["ann", "ben", "cleo"]
    at("2026-11-10")
    ann, ben, cleo = (begin(name) for name in names)
    plans = [begin(f"{name}-monthly", "monthly") for name in names]
    for gift in (ann, ben, cleo, *plans):
        stripe.pay(gift, fee=140)
    hand_over_new()
    for gift in (ann, ben, cleo, *plans):
        gift.refresh_from_db()
    renewed, failing, stopped = (plan.provider_reference for plan in plans)

    def an_hour_passes() -> None:
        if are_webhooks_on:
            hand_over_new()

    at("2026-11-11")
    stripe.pay(begin("dora"), fee=175)
    stripe.pay(begin("emil"), payment_status="unpaid")
    stripe.control(f"payments/{ann.provider_reference}/refund", amount=2000)
    an_hour_passes()
    at("2026-11-12")
    stripe.pay(begin("dora-monthly", "monthly"), fee=175)
    stripe.control(f"subscriptions/{renewed}/renew", fee=175)
    stripe.control(f"payments/{ben.provider_reference}/dispute", amount=5000, fee=1500)
    an_hour_passes()
    at("2026-11-13")
    [debit] = [row for row in stripe.objects("payment_intent") if row["status"] == "processing"]
    stripe.control(f"payments/{debit['id']}/async", result="succeeded", fee=40)
    stripe.control(f"subscriptions/{failing}/renew", result="failed")
    refund = stripe.control(f"payments/{cleo.provider_reference}/refund", amount=5000)
    an_hour_passes()
    at("2026-11-14")
    stripe.control("payouts", amount=9000)
    stripe.control(f"refunds/{refund['id']}/fail")
    stripe.control(f"disputes/{stripe.objects('dispute')[0]['id']}/close", result="lost")
    begin("fred")  # and never pays
    an_hour_passes()
    at("2026-11-15")
    recurring.provider.cancel_plan(plan_ref=stopped)
    stripe.control("balance_transactions", type="adjustment", amount=-77)
    an_hour_passes()
    heard = Donation.objects.filter(state="paid").count()
    assert heard == (10 if are_webhooks_on else 6)
    # No event tells of an adjustment.
    assert reconcile().endswith("1 newly booked\n") == are_webhooks_on
    return known()


def reconcile() -> str:
    out = StringIO()
    call_command("reconcile", since="2026-11-11", stdout=out, stderr=StringIO())
    return out.getvalue()


def known() -> dict:
    entries = LedgerEntry.objects.order_by("kind", "occurred_at", "donation__email")
    gifts = Donation.objects.order_by("email", "given_on")
    return {
        **outcome(),
        "gifts": sorted(map(str, outcome()["gifts"])),
        "entries": list(
            entries.values_list("kind", "occurred_at", "journal_on", "donation__email")
        ),
        "days": list(gifts.values_list("email", "state", "paid_at", "given_on")),
        "raised": Campaign.objects.with_raised().get().raised_cents,
        "broken": [row for check in CHECKS.values() for row in check()],
    }


def test_f10_five_days_without_webhooks(site, stripe, at, hand_over_new, make_campaign):
    make_campaign()
    with transaction.atomic():
        told = five_days(stripe, at, hand_over_new, are_webhooks_on=True)
        transaction.set_rollback(True)
    start_anew(stripe.sandbox)
    found = five_days(stripe, at, hand_over_new, are_webhooks_on=False)
    assert found == told
    assert found["broken"] == []
    assert found["accounts"] == {
        "gift_revenue": -50000, "processing_fees": 1405, "refunds": 2000, "chargebacks": 5000,
        "dispute_fees": 1500, "stripe_clearing": 31018, "undeposited_checks": 0, "bank": 9000,
        "trip_fees": 0, "suspense": 77,
    }  # fmt: skip
    assert found["raised"] == 50000 - 2000 - 5000
    plans = RecurringGift.objects.order_by("form_token").values_list("form_token", "state")
    assert dict(plans) == {
        "ann-monthly": "active", "ben-monthly": "past_due", "cleo-monthly": "canceled",
        "dora-monthly": "active",
    }  # fmt: skip
    days = {email: given_on for email, _state, _paid_at, given_on in found["days"]}
    assert days["emil@example.org"] == dt.date(2026, 11, 13)  # a debit counts when it came (D14)
    assert reconcile().endswith("0 newly booked\n")
    assert sync.sweep() == 0
    assert known() == found
