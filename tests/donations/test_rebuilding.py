"""Gifts that began after the copy was made from which a database was brought back (F10)."""

from io import StringIO

import pytest
from django.core.management import call_command

from donations import explaining, rebuilding, receipt_register
from donations.models import (
    Account,
    Campaign,
    Donation,
    LedgerEntry,
    LedgerPosting,
    RecurringGift,
    Refund,
)

from .test_receipt_register import a_lost_day, broken, lost, receipts
from .test_sync import open_session

# Row numbers, and what nothing outside of the database keeps.
OWN = {"id", "donor_id", "plan_id", "looked_at", "lease", "lease_until", "message"}
OF_FORM = {"form_token", "created_at"}


@pytest.fixture(autouse=True)
def ask_the_storage(monkeypatch):
    monkeypatch.setattr(receipt_register, "_silent_until", 0.0)


def reconcile(*options: str) -> list[str]:
    out = StringIO()
    call_command("reconcile", "--since", "2026-11-20", *options, stdout=out, stderr=out)
    return out.getvalue().splitlines()


def rows(model) -> list[dict]:
    """All columns; a charge of a plan has no form and begins when we hear of it."""
    found = model._default_manager.order_by("token").values()
    return [
        {
            name: value
            for name, value in row.items()
            if name not in OWN and not (row.get("invoice_reference") and name in OF_FORM)
        }
        for row in found
    ]


def known() -> dict:
    """All that must be as it was: money, gifts, plans, and what donors hold."""
    return {
        "accounts": LedgerPosting.objects.all().balances(),
        "gifts": rows(Donation),
        "plans": rows(RecurringGift),
        "donors": sorted(Donation.objects.values_list("token", "donor__email_key")),
        "pages": sorted(
            Donation.objects.exclude(attempts=None).values_list(
                "token", "attempts__number", "attempts__session_id", "attempts__expires_at"
            )
        ),
        "refunds": sorted(
            Refund.objects.values_list("provider_refund_id", "amount_cents", "state")
        ),
        "receipts": receipts(),
    }  # fmt: skip


@pytest.fixture
def lost_day(
    stripe, give, begin, give_plan, renew, hand_over_new, ask, at, make_campaign,
    django_capture_on_commit_callbacks,
):  # fmt: skip
    """`lost_day()`: a gift yesterday, from which the copy is, then a day that gets lost with all
    that began on it. What was known in the end.
    """

    def live() -> dict:
        at("2026-11-20")
        campaign = make_campaign()
        give(email="before@example.org")
        at("2026-11-21")
        with a_lost_day():
            give(
                campaign.get_absolute_url(), name="Ann  Lee", email="Ann@Example.org",
                cover_fees="on", employer="Ball & Sons", is_listed="on",
            )  # fmt: skip
            corrected = give(email="b@example.org", is_anonymous="on")
            with django_capture_on_commit_callbacks(execute=True):
                ask(corrected, 2000)
            hand_over_new()
            with django_capture_on_commit_callbacks(execute=True):
                ask(corrected, 500, "form-2")
            hand_over_new()
            plan = give_plan(email="c@example.org", cover_fees="on")
            at("2026-12-21")
            renew(plan)
            second = plan.donations.order_by("pk").last()
            with django_capture_on_commit_callbacks(execute=True):
                ask(second, 100, "form-3")
            hand_over_new()
            begin(email="open@example.org")
            before = known()
            assert len(before["receipts"]) == 8
            assert broken() == []
        assert Donation.objects.count() == 1
        return before

    return live


def test_f10_gifts_that_began_after_the_copy_are_made_again(lost_day):
    before = lost_day()
    assert reconcile("--rebuild")[1] == "4 gifts made again"
    assert known() == before
    assert lost() == []
    assert broken() == []
    assert [line for line in reconcile("--rebuild") if "suspense" in line] == []
    assert reconcile("--rebuild")[1] == "0 gifts made again"
    assert reconcile()[0].endswith(" 0 newly booked")
    assert known() == before


def test_f10_nothing_is_made_again_unless_it_is_asked_for(lost_day):
    before = lost_day()
    reconcile()
    assert (Donation.objects.count(), RecurringGift.objects.count()) == (1, 0)
    waiting = LedgerPosting.objects.all().balances()
    assert waiting["suspense"] != 0
    assert waiting["stripe_clearing"] == before["accounts"]["stripe_clearing"]
    reconcile("--rebuild")
    assert known() == before
    assert not LedgerEntry.objects.in_suspense().exists()
    assert (lost(), broken()) == ([], [])
    entries = LedgerEntry.objects.count()
    reconcile("--rebuild")
    assert (known(), LedgerEntry.objects.count()) == (before, entries)


def test_f10_page_that_was_open_can_still_be_paid(lost_day, stripe, hand_over_new):
    lost_day()
    reconcile("--rebuild")
    gift = Donation.objects.get(email="open@example.org")
    assert gift.attempts.get().url.endswith(gift.attempts.get().session_id)
    stripe.pay(gift)
    hand_over_new()
    gift.refresh_from_db()
    assert (gift.state, gift.receipts.get().serial) == ("paid", 9)


def test_f10_what_staff_explained_is_not_booked_once_more(lost_day, give):
    lost_day()
    reconcile()
    [entry] = LedgerEntry.objects.in_suspense().filter(note="charge").order_by("pk")[:1]
    explaining.explain(entry=entry, account=Account.BANK, note="A wire of the bank.")
    before = LedgerPosting.objects.all().balances()
    told = reconcile("--rebuild")
    [problem] = [line for line in told if "out of suspense" in line]
    assert problem.endswith(f"Staff have taken its money out of suspense: {entry.provider_txn_id}")
    after = LedgerPosting.objects.all().balances()
    assert after["bank"] == before["bank"]
    assert after["stripe_clearing"] == before["stripe_clearing"]
    assert Donation.objects.filter(email="Ann@Example.org").count() == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({}, "It began before enough was kept to make it again."),
        (
            {"form_token": "x", "covered_fee_cents": "much"},
            "What was kept of this gift cannot be read.",
        ),
        ({"form_token": "x", "seats": "77:2:5000:0"}, "It bought tickets that are not here."),
    ],
)
def test_f10_gift_of_which_too_little_is_known_is_told_and_left(words, told, site, stripe, at):
    at("2026-11-21")
    metadata = {"gift": "its-token", "attempt": "1", **words}
    page = open_session(stripe, Donation(token="its-token"), metadata=metadata)
    stripe.control(f"sessions/{page['id']}/complete", fee=20)
    assert f"{page['id']}: {told}" in reconcile("--rebuild")
    assert Donation.objects.count() == 0
    assert LedgerPosting.objects.all().balances()["suspense"] == -5000


def test_f10_campaign_that_is_not_here_is_told(lost_day):
    """It was made after the copy as well, so the gift comes back without it."""
    lost_day()
    Campaign.objects.all().delete()
    reconcile("--rebuild")
    gift = Donation.objects.get(email="Ann@Example.org")
    assert (gift.state, gift.campaign, gift.receipts.get().serial) == ("paid", None, 2)
    assert gift.needs_attention.startswith("It was for the campaign kyzylorda-comes-to-arvada,")


def test_words_that_stripe_keeps_fit_its_limits_and_hold_no_comment(begin, stripe):
    gift = begin(name="N" * 120, employer="E" * 120, address="A" * 300, message="Hello")
    words = stripe.objects("checkout.session")[0]["metadata"]
    assert words == {"gift": gift.token, "attempt": "1", **rebuilding.words_of(gift)}
    assert words["donor_address"] == gift.donor_address
    assert "Hello" not in words.values()
