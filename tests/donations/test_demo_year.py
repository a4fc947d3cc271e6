"""The demo's year of gifts, lived through the same code as real ones."""

import pytest
from django.core.management import call_command

from donations import sync
from donations.models import (
    ClosedMonth,
    Dispute,
    Donation,
    GiftBatch,
    LedgerPosting,
    Receipt,
    RecurringGift,
    Refund,
)
from donations.sandbox import Sandbox
from sistercities.shared.models import OutgoingMessage


@pytest.fixture
def year(db, site, make_campaign, admin_user, settings, tmp_path):
    settings.DEBUG = True
    settings.VAR_DIR = tmp_path
    settings.STRIPE_SECRET_KEY = "sk_test_for_the_demo"
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_for_the_demo"]
    settings.STRIPE_LIVE_MODE = False
    make_campaign()
    call_command("demo_gifts")


def test_year_has_one_of_each_and_its_books_agree(year, capsys, settings):
    assert Donation.objects.counting().count() > 30
    assert sorted(RecurringGift.objects.values_list("state", flat=True)) == ["active", "past_due"]
    assert sorted(Refund.objects.values_list("state", "reason")) == [
        ("done", "donor"), ("done", "duplicate"),
    ]  # fmt: skip
    assert sorted(Dispute.objects.values_list("status", flat=True)) == ["lost", "needs_response"]
    assert Donation.objects.filter(method="daf").exists()
    assert Donation.objects.filter(method="in_kind").exists()
    assert Donation.objects.filter(tribute_kind="memory").exists()
    assert GiftBatch.objects.filter(booked_at=None).count() == 1
    assert Receipt.objects.filter(state="void").count() >= 2
    assert ClosedMonth.objects.count() >= 9
    assert LedgerPosting.objects.all().balances()["suspense"] == 0
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
