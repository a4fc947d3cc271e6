"""Gifts for which something came in return: what receipts and statements say (D9 to D11)."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from donations import documents, statements
from donations.models import Donation, GiftBatch, OfflineGift, Receipt, TokenLimit
from sistercities.shared.models import OutgoingMessage, SiteSettings

from .test_statements import has_words

DAY = dt.date(2026, 11, 20)


@pytest.fixture
def dinner(by_hand):
    """`dinner(10000, 4000)`: paid for a ticket, of which so much is the worth of the dinner."""

    def pay(cents: int, value: int, **fields) -> Receipt:
        values = {"benefit": "Dinner for two", "benefit_cents": value, "email": "ann@example.org"}
        gift = by_hand("Ann Lee", cents, **{**values, **fields})
        return gift.receipts.get()

    return pay


def test_d9_hundred_dollars_for_a_forty_dollar_ticket(dinner):
    receipt = dinner(10_000, 4000)
    assert receipt.inputs["deductible_cents"] == 6000
    assert receipt.inputs["statement"] == (
        "In return you received: Dinner for two. We estimate in good faith that it is worth "
        "$40.00. What you can deduct is at most what you gave beyond that: $60.00."
    )
    letter = OutgoingMessage.objects.get(to="ann@example.org")
    assert receipt.inputs["statement"] in letter.text
    words = ("Dinner for two, worth $40.00", "$100.00", "$60.00")
    assert has_words(documents.receipt_pdf(receipt), *words) == [True, True, True]


@pytest.mark.parametrize("cents", [7500, 7501, 1000])
def test_d9_disclosure_stands_on_every_such_receipt(cents, dinner):
    """The law asks from $75.01 on; we write it for $75.00 and for less as well."""
    assert "We estimate in good faith" in dinner(cents, 500).inputs["statement"]


def test_d9_ticket_worth_more_than_was_paid_leaves_nothing_to_deduct(dinner):
    assert dinner(3000, 4000).inputs["deductible_cents"] == 0


def test_d10_value_is_asked_for(site):
    """No ticket can be without its value, so there is none to report."""
    batch = GiftBatch.objects.create(title="x")
    line = OfflineGift(
        batch=batch, method="cash", amount_cents=5000, donor_name="Ann", given_on=DAY,
        benefit="Dinner",
    )  # fmt: skip
    with pytest.raises(ValidationError, match="What is it worth"):
        line.full_clean()
    line.benefit, line.benefit_cents = "", 100
    with pytest.raises(ValidationError, match="What did the donor get"):
        line.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        Donation.objects.create(
            form_token="x", amount_cents=5000, donor_name="Ann", designation="x",
            goods_services="benefit", benefit="Dinner",
        )  # fmt: skip


@pytest.fixture
def limits_of_2014(db):
    """Rev. Proc. 2013-35: at most 2 % of the gift, and at most $104."""
    return TokenLimit.objects.create(
        year=2014, percent=2, value_cents=10_400, source="Rev. Proc. 2013-35"
    )


@pytest.mark.parametrize(
    ("cents", "value", "is_token"),
    [
        (100_000, 2000, True),  # 2 % to the cent
        (100_000, 2001, False),
        (600_000, 10_400, True),  # 2 % would be $120: the other limit holds
        (600_000, 10_401, False),
    ],
)
def test_d11_token_by_the_figures_of_its_year(cents, value, is_token, dinner, limits_of_2014):
    receipt = dinner(cents, value, benefit="A scarf", given_on=dt.date(2014, 5, 1))
    assert ("a token of thanks: A scarf" in receipt.inputs["statement"]) == is_token
    assert receipt.inputs["deductible_cents"] == (cents if is_token else cents - value)


def test_d11_year_without_figures_has_no_tokens(dinner, limits_of_2014):
    receipt = dinner(100_000, 100, benefit="A pin")
    assert "We estimate in good faith" in receipt.inputs["statement"]


def test_d26_statement_shows_value_and_what_can_be_deducted(dinner, by_hand):
    donor = dinner(10_000, 4000).donation.donor
    by_hand("Ann Lee", 2500, email="ann@example.org")
    found = statements.statement(donor=donor, period=statements.Period.parse("2026"))
    assert (found.given_cents, found.value_cents, found.deductible_cents, found.kept_cents) == (
        12_500, 4000, 8500, 12_500,
    )  # fmt: skip
    paper = documents.statement_pdf(found, site=SiteSettings.load(), issued_on=DAY)
    words = ("Value received", "$40.00", "$85.00", "our estimate in good faith")
    assert has_words(paper, *words) == [True] * 4


def test_figures_of_the_irs_are_kept_by_staff(admin_client):
    posted = {"year": "2026", "percent": "2", "value_cents": "136", "source": "Rev. Proc. x"}
    admin_client.post("/admin/donations/tokenlimit/add/", posted)
    assert TokenLimit.objects.get().value_cents == 13_600
    assert "$136.00" in admin_client.get("/admin/donations/tokenlimit/").content.decode()
