"""What is fetched decides: refunds, disputes, late fees, and money that does not fit."""

import datetime as dt

import pytest
import requests
from django.utils import timezone

from donations import sync
from donations.models import Campaign, CheckoutAttempt, Donation, LedgerEntry, LedgerPosting
from donations.providers.base import ProviderDown

from .conftest import SECRET_KEY


def balances() -> dict[str, int]:
    return {name: cents for name, cents in LedgerPosting.objects.all().balances().items() if cents}


def raised(campaign) -> int:
    return Campaign.objects.with_raised().get(pk=campaign.pk).raised_cents


def shown(donation) -> str:
    return Donation.objects.with_returned().get(pk=donation.pk).shown_state


@pytest.fixture
def campaign(make_campaign):
    return make_campaign()


@pytest.fixture
def paid(give, campaign):
    return give(amount="50", campaign=campaign.slug)


def test_fee_that_comes_late_changes_no_total(begin, stripe, deliver, campaign):
    donation = begin(campaign=campaign.slug)
    stripe.pay(donation, settle=False)
    deliver(*stripe.events())
    donation.refresh_from_db()
    assert donation.state == "paid"
    assert donation.receipts.count() == 1
    assert balances() == {}
    assert raised(campaign) == 5000
    charge = stripe.objects("charge")[0]
    stripe.control(f"charges/{charge['id']}/settle", fee=175)
    deliver(*stripe.events())
    assert balances() == {
        "gift_revenue": -5000, "processing_fees": 175, "stripe_clearing": 4825,
    }  # fmt: skip
    assert raised(campaign) == 5000
    assert donation.receipts.count() == 1


def test_f9_refund_in_the_dashboard(paid, stripe, deliver, campaign):
    stripe.control(f"payments/{paid.provider_reference}/refund", amount=2000)
    deliver(*stripe.events())
    assert balances() == {
        "gift_revenue": -5000, "processing_fees": 140, "refunds": 2000, "stripe_clearing": 2860,
    }  # fmt: skip
    assert (raised(campaign), shown(paid)) == (3000, "partially_refunded")
    stripe.control(f"payments/{paid.provider_reference}/refund", amount=3000)
    deliver(*stripe.events())
    assert (raised(campaign), shown(paid)) == (0, "refunded")
    paid.refresh_from_db()
    assert paid.state == "paid"  # a state only rises; refunds are rows


def test_refund_that_fails_days_later_is_reversed(paid, stripe, deliver, campaign):
    refund = stripe.control(f"payments/{paid.provider_reference}/refund", amount=5000)
    deliver(*stripe.events())
    stripe.control(f"refunds/{refund['id']}/fail")
    deliver(*stripe.events())
    assert balances() == {
        "gift_revenue": -5000, "processing_fees": 140, "stripe_clearing": 4860,
    }  # fmt: skip
    assert (raised(campaign), shown(paid)) == (5000, "paid")
    assert LedgerEntry.objects.filter(kind="refund_failure").count() == 1


def test_refund_under_way_moves_nothing_yet(paid, stripe, deliver, campaign):
    stripe.control(f"payments/{paid.provider_reference}/refund", amount=5000, pending=True)
    deliver(*stripe.events())
    assert (raised(campaign), shown(paid)) == (5000, "paid")


def test_dispute_lost(paid, stripe, deliver, campaign):
    dispute = stripe.control(f"payments/{paid.provider_reference}/dispute", amount=5000, fee=1500)
    stripe.control(f"disputes/{dispute['id']}/close", result="lost")
    deliver(*stripe.events())
    assert balances() == {
        "gift_revenue": -5000, "processing_fees": 140, "chargebacks": 5000,
        "dispute_fees": 1500, "stripe_clearing": -1640,
    }  # fmt: skip
    assert (raised(campaign), shown(paid)) == (0, "disputed")


@pytest.mark.parametrize(("fee_returned", "fee_left"), [(0, 1500), (1500, 0)])
def test_dispute_won_gives_the_amount_back(fee_returned, fee_left, paid, stripe, deliver, campaign):
    dispute = stripe.control(f"payments/{paid.provider_reference}/dispute", amount=5000, fee=1500)
    deliver(*stripe.events())
    assert raised(campaign) == 0
    stripe.control(f"disputes/{dispute['id']}/close", result="won", fee_returned=fee_returned)
    deliver(*stripe.events())
    accounts = LedgerPosting.objects.all().balances()
    assert (accounts["chargebacks"], accounts["dispute_fees"]) == (0, fee_left)
    assert accounts["stripe_clearing"] == 4860 - fee_left
    assert (raised(campaign), shown(paid)) == (5000, "paid")


def test_inquiry_moves_no_money(paid, stripe, deliver):
    before = balances()
    stripe.control(f"payments/{paid.provider_reference}/dispute", amount=5000, inquiry=True)
    deliver(*stripe.events())
    assert balances() == before


def open_session(stripe, donation, **changes) -> dict:
    """A payment page that somebody else opened with our gift's token."""
    metadata = changes.pop("metadata", {"gift": donation.token, "attempt": "1"})
    fields = {
        "mode": "payment", "success_url": "https://example.org/",
        "client_reference_id": donation.token,
        "line_items[0][quantity]": "1", "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": "5000",
        "line_items[0][price_data][product_data][name]": "Gift",
        **{f"metadata[{k}]": v for k, v in metadata.items()},
        **{f"payment_intent_data[metadata][{k}]": v for k, v in metadata.items()},
        **changes,
    }  # fmt: skip
    answer = requests.post(
        f"{stripe.sandbox.base_url}/v1/checkout/sessions", data=fields, timeout=10,
        headers={"Authorization": f"Bearer {SECRET_KEY}"},
    )  # fmt: skip
    assert answer.ok, answer.text
    return answer.json()


MISFITS = {
    "another amount": {"line_items[0][price_data][unit_amount]": "600"},
    "another currency": {"line_items[0][price_data][currency]": "eur"},
    "another gift": {"metadata": {"gift": "somebody", "attempt": "1"}},
    "a page we did not open": {"metadata": {}},
    "a second page": {},
}


@pytest.mark.parametrize("changes", MISFITS.values(), ids=MISFITS)
def test_money_that_does_not_fit_is_parked(changes, begin, stripe, deliver, campaign):
    donation = begin(amount="50", campaign=campaign.slug)
    if changes:  # the reply with our own page was lost, so any page might be it
        CheckoutAttempt.objects.update(session_id=None, url="")
    session = open_session(stripe, donation, **changes)
    stripe.control(f"sessions/{session['id']}/complete", fee=20)
    deliver(*stripe.events())
    donation.refresh_from_db()
    cents = session["amount_total"]
    assert donation.state == "open"
    assert donation.needs_attention
    assert donation.receipts.count() == 0
    assert raised(campaign) == 0
    assert balances() == {"suspense": -cents, "processing_fees": 20, "stripe_clearing": cents - 20}
    told = donation.needs_attention
    sync.sync_checkout(donation=donation, session_id=session["id"])
    donation.refresh_from_db()
    assert donation.needs_attention == told
    assert balances()["suspense"] == -cents


def test_second_payment_for_a_gift_is_parked(paid, stripe, deliver):
    CheckoutAttempt.objects.create(
        donation=paid, number=2, idempotency_key="k2", params={}, expires_at=timezone.now()
    )
    session = open_session(stripe, paid, metadata={"gift": paid.token, "attempt": "2"})
    stripe.control(f"sessions/{session['id']}/complete", fee=0)
    deliver(*stripe.events())
    paid.refresh_from_db()
    assert "is a second payment." in paid.needs_attention
    accounts = LedgerPosting.objects.all().balances()
    assert (accounts["gift_revenue"], accounts["suspense"]) == (-5000, -5000)
    assert paid.receipts.count() == 1


def test_sweep_asks_about_pages_that_ended_in_silence(begin, stripe, later):
    paid, left = begin(email="a@example.org"), begin(email="b@example.org")
    stripe.pay(paid)
    stripe.control(f"sessions/{left.attempts.get().session_id}/expire")
    assert sync.sweep() == 0
    later(minutes=32)
    assert sync.sweep() == 2
    assert [d.state for d in Donation.objects.order_by("pk")] == ["paid", "expired"]
    assert sync.sweep() == 0


def test_sweep_outlives_a_stripe_that_forgot_or_is_down(begin, stripe, later):
    begin()
    later(minutes=32)
    stripe.control("faults", path="/v1", times=9, status=503)
    assert sync.sweep() == 0
    assert Donation.objects.get().state == "open"
    stripe.control("reset")
    assert sync.sweep() == 1
    assert Donation.objects.get().state == "expired"


def test_expired_gift_that_was_paid_after_all(begin, stripe, deliver):
    donation = begin()
    Donation.objects.update(state="expired")
    stripe.pay(donation)
    deliver(*stripe.events())
    donation.refresh_from_db()
    assert donation.state == "paid"


def test_state_only_rises():
    states = Donation.State
    gift = Donation(state=states.PROCESSING)
    assert [gift.rise_to(state) for state in (states.OPEN, states.EXPIRED, states.DRAFT)] == [
        False, False, False,
    ]  # fmt: skip
    assert gift.rise_to(states.FAILED)
    assert gift.rise_to(states.PAID)
    assert not any(gift.rise_to(state) for state in states if state != states.VOID)


def test_lease_is_given_back_after_a_failure(begin, stripe):
    donation = begin()
    stripe.control("faults", path="/v1", times=9, status=503)
    with pytest.raises(ProviderDown):
        sync.sync_checkout(donation=donation)
    donation.refresh_from_db()
    assert (donation.lease, donation.lease_until) == ("", None)


def test_busy_gift_is_left_alone(begin, stripe):
    donation = begin()
    later = timezone.now() + dt.timedelta(minutes=1)
    Donation.objects.update(lease="somebody", lease_until=later)
    with pytest.raises(sync.GiftBusy):
        sync.sync_checkout(donation=donation)
    Donation.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    sync.sync_checkout(donation=donation)  # whoever had it is gone


def test_late_answer_is_thrown_away(begin, stripe):
    """What we fetched may be older than what another process has written meanwhile (hazard 3)."""
    donation = begin()
    stripe.pay(donation)
    fetch = sync.provider.fetch_checkout
    seen = []

    def fetch_and_lose_the_lease():
        seen.append(fetch(donation.attempts.get().session_id))
        Donation.objects.update(lease="somebody", lease_until=timezone.now())
        return sync.Seen(seen[0], sync.provider.fetch_payment(seen[0].payment_ref))

    with pytest.raises(sync.GiftBusy):
        sync._sync(donation, fetch_and_lose_the_lease, 0)
    donation.refresh_from_db()
    assert (donation.state, donation.lease) == ("open", "somebody")
    assert balances() == {}
