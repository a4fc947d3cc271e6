"""The demo's year of gifts, lived through the same code as real ones."""

import datetime as dt

import pytest
from django.core.management import call_command

from donations import naming, sync
from donations.models import (
    Campaign,
    ClosedMonth,
    Dispute,
    Donation,
    ExpectedMatch,
    GiftBatch,
    LedgerPosting,
    Payout,
    Receipt,
    RecurringGift,
    Refund,
    Ticket,
    TicketLine,
    TripFee,
)
from donations.sandbox import Sandbox
from exchanges.models import Event, Visit
from sistercities.shared import clock
from sistercities.shared.models import OutgoingMessage


@pytest.fixture
def year(db, site, make_city, make_campaign, admin_user, settings, tmp_path):
    settings.DEBUG = True
    settings.VAR_DIR = tmp_path
    settings.STRIPE_SECRET_KEY = "sk_test_for_the_demo"
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_for_the_demo"]
    settings.STRIPE_LIVE_MODE = False
    Visit.objects.create(
        title="To Kyzylorda", slug="to-kyzylorda", city=make_city("Kyzylorda"),
        direction="outbound", starts_on="2027-05-03", summary="Ten days.", status="published",
    )  # fmt: skip
    make_campaign(has_names=True)
    event = Event.objects.create(
        title="Supper", slug="supper", summary="Eat.", status="published",
        starts_on=clock.today() + dt.timedelta(days=70),
    )  # fmt: skip
    Ticket.objects.create(
        event=event, title="Seat", what="the supper", price_cents=4000, value_cents=2500, places=40
    )
    call_command("demo_gifts")


def test_year_has_one_of_each_and_its_books_agree(year, capsys, settings):
    assert Donation.objects.counting().count() > 30
    assert sorted(RecurringGift.objects.values_list("state", flat=True)) == ["active", "past_due"]
    assert sorted(Refund.objects.values_list("state", "reason")) == [
        ("done", "donor"), ("done", "duplicate"), ("done", "withdrew"),
    ]  # fmt: skip
    fees = TripFee.objects.with_returned().order_by("pk")
    assert [fee.shown_state for fee in fees] == ["refunded", "paid", "paid", "overdue", "asked"]
    assert sorted(Dispute.objects.values_list("status", flat=True)) == ["lost", "needs_response"]
    assert Donation.objects.filter(method="daf").exists()
    assert Donation.objects.filter(method="in_kind").exists()
    assert Donation.objects.filter(tribute_kind="memory").exists()
    assert ExpectedMatch.objects.promised().count() == 1
    campaign = Campaign.objects.with_promised().get()
    assert campaign.promised_cents > 0
    assert naming.names_of(campaign).shown
    assert TicketLine.objects.paid().count() == 4
    assert GiftBatch.objects.filter(booked_at=None).count() == 1
    assert Receipt.objects.filter(state="void").count() >= 2
    assert ClosedMonth.objects.count() >= 9
    assert LedgerPosting.objects.all().balances()["suspense"] == 0
    assert Payout.objects.filter(is_listed=True, problem="").count() == Payout.objects.count() > 9
    assert not GiftBatch.objects.filter(deposited_on__isnull=False, seen_on=None).exists()
    assert not Donation.objects.exclude(needs_attention="").exists()
    assert not OutgoingMessage.objects.filter(sent_at=None).exists()
    assert settings.CLOCK is None
    call_command("demo_gifts")
    assert "nothing was changed" in capsys.readouterr().out
    # The stand-in keeps them in its file, so that refunds and `reconcile` work on the demo.
    box = Sandbox(
        secret_key=settings.STRIPE_SECRET_KEY,
        webhook_secret=settings.STRIPE_WEBHOOK_SECRETS[0],
        state_file=settings.VAR_DIR / "sandbox.json",
        debug=True,
    )
    box.start()
    try:
        settings.STRIPE_API_BASE = box.base_url
        gift = Donation.objects.filter(method="card").first()
        assert sync.sync_payment(donation=gift, payment_ref=gift.provider_reference) == gift
    finally:
        box.stop()


def test_nothing_is_given_where_somebody_gave(give, settings, capsys):
    give()
    call_command("demo_gifts")
    assert "nothing was changed" in capsys.readouterr().out
    assert Donation.objects.count() == 1
