"""What rows promise by themselves."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from donations.amounts import progress_percent
from donations.models import Account, Campaign, CampaignCost, Donation, LedgerEntry, LedgerPosting
from donations.models.ledger import LedgerIsFinal
from donations.posting import post, post_new
from donations.providers.base import TxnSnap
from sistercities.shared.cards import gather

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def txn(id: str = "txn_1", cents: int = 5000, fee: int = 140, **fields) -> TxnSnap:
    values = {"type": "charge", "currency": "USD", "created_at": NOW, **fields}
    return TxnSnap(id=id, amount_cents=cents, fee_cents=fee, **values)


@pytest.fixture
def entry(db) -> LedgerEntry:
    return post(kind=LedgerEntry.Kind.CHARGE, txn=txn())


@pytest.mark.parametrize("model", [LedgerEntry, LedgerPosting])
def test_ledger_is_only_ever_added_to(model, entry):
    row = model.objects.first()
    for change in (
        row.save,
        row.delete,
        model.objects.all().delete,
        lambda: model.objects.update(pk=9),
        lambda: model.objects.bulk_update([row], ["pk"]),
    ):
        with pytest.raises(LedgerIsFinal):
            change()
    assert model.objects.count() in (1, 2)


def test_transaction_is_booked_once(entry):
    assert post_new(rows=[(LedgerEntry.Kind.CHARGE, txn())]) == []
    with pytest.raises(IntegrityError), transaction.atomic():
        post(kind=LedgerEntry.Kind.CHARGE, txn=txn())


@pytest.mark.parametrize("broken", [
    {"amount_cents": 0}, {"amount_cents": -1}, {"credit": Account.BANK}, {"debit": "pocket"},
])  # fmt: skip
def test_posting_moves_something_between_two_accounts(broken, entry):
    good = {"debit": Account.BANK, "credit": Account.SUSPENSE, "amount_cents": 1}
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerPosting.objects.create(entry=entry, **{**good, **broken})


KINDS = LedgerEntry.Kind
BOOKED = [
    (KINDS.CHARGE, 5000, 140, {"gift_revenue": -5000, "processing_fees": 140,
                               "stripe_clearing": 4860}),
    (KINDS.CHARGE, 50, 60, {"gift_revenue": -50, "processing_fees": 60, "stripe_clearing": -10}),
    (KINDS.REFUND, -2000, 0, {"refunds": 2000, "stripe_clearing": -2000}),
    (KINDS.REFUND_FAILURE, 2000, 0, {"refunds": -2000, "stripe_clearing": 2000}),
    (KINDS.DISPUTE, -5000, 1500, {"chargebacks": 5000, "dispute_fees": 1500,
                                  "stripe_clearing": -6500}),
    (KINDS.DISPUTE, 5000, -1500, {"chargebacks": -5000, "dispute_fees": -1500,
                                  "stripe_clearing": 6500}),
    (KINDS.PAYOUT, -4860, 0, {"bank": 4860, "stripe_clearing": -4860}),
    (KINDS.SUSPENSE, -77, 0, {"suspense": 77, "stripe_clearing": -77}),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "cents", "fee", "accounts"), BOOKED)
def test_d25_each_kind_is_booked_in_its_accounts(kind, cents, fee, accounts):
    post(kind=kind, txn=txn(cents=cents, fee=fee))
    balances = LedgerPosting.objects.all().balances()
    assert {name: value for name, value in balances.items() if value} == accounts
    assert sum(balances.values()) == 0


@pytest.mark.django_db
def test_foreign_money_always_goes_to_suspense():
    entry = post(kind=KINDS.CHARGE, txn=txn(currency="EUR", fee=0))
    assert (entry.kind, entry.currency) == ("suspense", "EUR")
    assert LedgerPosting.objects.all().balances()["gift_revenue"] == 0


@pytest.mark.django_db
@pytest.mark.parametrize("broken", [{"amount_cents": 0}, {"amount_cents": -5}, {"state": "paid"}])
def test_gift_without_amount_or_date_cannot_be_kept(broken):
    values = {"form_token": "x", "amount_cents": 500, "designation": "x", "donor_name": "x"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Donation.objects.create(**{**values, **broken})


def test_one_gift_per_provider_payment(db):
    values = {"amount_cents": 500, "designation": "x", "donor_name": "x"}
    for number in range(2):
        Donation.objects.create(form_token=f"none-{number}", **values)
    Donation.objects.create(form_token="a", provider_reference="pi_1", **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        Donation.objects.create(form_token="b", provider_reference="pi_1", **values)


def test_campaign_is_open_between_its_days(make_campaign):
    today = timezone.localdate()
    day = dt.timedelta(days=1)
    rows = {
        "always": {},
        "last day": {"ends_on": today},
        "first day": {"starts_on": today},
        "over": {"ends_on": today - day},
        "to come": {"starts_on": today + day},
    }
    for title, fields in rows.items():
        make_campaign(title, **fields)
    is_open = ["always", "last day", "first day"]
    assert sorted(Campaign.objects.open().values_list("title", flat=True)) == sorted(is_open)
    assert [c.title for c in Campaign.objects.order_by("pk") if c.is_open] == is_open


@pytest.mark.parametrize(
    ("raised", "goal", "percent"),
    [(0, 600000, 0), (5999, 600000, 0), (6000, 600000, 1), (599999, 600000, 99),
     (600000, 600000, 100), (700000, 600000, 100), (-500, 600000, 0), (500, 0, 0)],
)  # fmt: skip
def test_progress_is_never_rounded_up(raised, goal, percent):
    assert progress_percent(raised, goal) == percent


def give(campaign, cents: int, state: str = "paid", **fields) -> Donation:
    return Donation.objects.create(
        form_token=str(Donation.objects.count()), amount_cents=cents, campaign=campaign,
        state=state, given_on=NOW.date(), paid_at=NOW, designation="x", donor_name="x", **fields,
    )  # fmt: skip


def test_raised_is_gifts_minus_what_went_back(make_campaign):
    campaign, other, empty = (make_campaign(title) for title in ("One", "Two", "Three"))
    first, second = give(campaign, 5000), give(campaign, 2500)
    for state in ("draft", "open", "processing", "expired", "failed"):
        give(campaign, 100_000, state)
    give(other, 99900)
    give(None, 4000)
    post(kind=KINDS.CHARGE, txn=txn("c1"), donation=first)
    post(kind=KINDS.REFUND, txn=txn("r1", -1000, 0), donation=first)
    post(kind=KINDS.REFUND, txn=txn("r2", -500, 0), donation=second)
    post(kind=KINDS.REFUND_FAILURE, txn=txn("r3", 500, 0), donation=second)
    post(kind=KINDS.DISPUTE, txn=txn("d1", -2500, 1500), donation=second)
    raised = dict(Campaign.objects.with_raised().values_list("slug", "raised_cents"))
    assert raised == {"one": 5000 + 2500 - 1000 - 2500, "two": 99900, "three": 0}
    assert {type(cents) for cents in raised.values()} == {int}
    returned = Donation.objects.with_returned().values_list("refunded_cents", "charged_back_cents")
    assert returned.get(pk=second.pk) == (0, 2500)


def test_cards_carry_goal_and_progress(make_campaign, make_city, django_assert_num_queries):
    from exchanges.models import Visit

    visit = Visit.objects.create(
        title="They come", slug="they-come", city=make_city("Kyzylorda", country="KZ"),
        direction="inbound", starts_on=dt.date(2027, 5, 1), summary="They come.",
    )  # fmt: skip
    give(make_campaign("One", visit=visit, order=2), 384_000)
    make_campaign("Two", order=1)
    with django_assert_num_queries(1):
        cards = gather(Campaign.objects.published().open().cards())["campaign"]
    assert [card.title for card in cards] == ["Two", "One"]
    assert cards[1].get_absolute_url() == "/donate/one/"
    assert cards[1].more == {
        "is_open": 1, "goal": 600_000, "raised": 384_000, "percent": 64, "currency": "USD",
        "visit": "they-come", "visit_title": "They come", "city": "Kyzylorda",
        "city_slug": "kyzylorda",
    }  # fmt: skip
    assert (cards[0].more["raised"], cards[0].more["city"]) == (0, None)
    [row] = Campaign.objects.with_raised().filter(slug="one")
    assert (row.percent, row.city) == (64, visit.city)
    assert list(visit.campaigns.all()) == [row]


def test_campaign_may_not_take_the_address_of_the_thanks(make_campaign):
    with pytest.raises(ValidationError):
        make_campaign("Thanks")


def test_goal_and_costs_are_above_zero(make_campaign):
    with pytest.raises(ValidationError):
        make_campaign(goal_cents=0)
    with pytest.raises(IntegrityError), transaction.atomic():
        CampaignCost.objects.create(campaign=make_campaign(), what="x", amount_cents=0)
