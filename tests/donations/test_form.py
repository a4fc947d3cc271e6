"""What a donor may type, and what the page says to everything else."""

from decimal import Decimal

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from donations.amounts import card_fee, charge_covering_fee
from donations.forms import DonationForm, initial_amount
from donations.models import CheckoutAttempt, Donation, LedgerPosting, RecurringGift
from sistercities.shared.models import SiteSettings

from .conftest import form_fields

SMALLEST = "The smallest gift that we can take by card is $5."
BAD_AMOUNTS = {
    "0": SMALLEST,
    "-5": "Please write an amount above zero, such as 25.",
    "4.99": SMALLEST,
    "5.001": "Please write dollars and cents with at most two decimals, such as 25.50.",
    "NaN": "This is not an amount. Please write one such as 25.",
    "1e9": "This is not an amount. Please write one such as 25.",
    "Infinity": "This is not an amount. Please write one such as 25.",
    "１０": "Please write the amount with the plain digits 0 to 9, such as 25.",
    "": "Please write an amount, such as 25.",
    "25,000.01": "The largest gift that we can take online is $25,000. "
    "For more, please write to us.",
    "9" * 12: "This amount is too large for us to take online.",
    "9" * 31: "This is not an amount. Please write one such as 25.",
    "<b>25</b>": "This is not an amount. Please write one such as 25.",
    "25\x00": "Null characters are not allowed.",
}


@pytest.mark.parametrize("typed", BAD_AMOUNTS, ids=ascii)
def test_bad_amount_is_answered_beside_its_field(typed, site, stripe, client, gift_form):
    response = client.post(
        "/donate/", gift_form(preset="other", amount=typed, message="Keep <me>\nplease")
    )
    html = response.content.decode()
    assert response.status_code == 200
    assert f'<div id="id_amount_error" class="invalid-feedback">{BAD_AMOUNTS[typed]}</div>' in html
    assert 'role="alert" tabindex="-1"' in html
    typed_again = form_fields(html)
    assert typed_again["amount"] == typed
    assert typed_again["preset"] == "other"
    assert typed_again["message"].replace("\r\n", "\n") == "Keep <me>\nplease"
    assert typed_again["name"] == "Ann Lee"
    assert (Donation.objects.count(), CheckoutAttempt.objects.count()) == (0, 0)
    assert stripe.requests("/v1") == []


@pytest.mark.parametrize(
    ("fields", "cents"),
    [
        ({"preset": "25", "amount": "999"}, 2500),
        ({"preset": "25", "amount": "rubbish" * 9}, 2500),
        ({"preset": "other", "amount": " $1,000.50 "}, 100050),
        ({"preset": "", "amount": "5"}, 500),
        ({"preset": "other", "amount": "25000"}, 2_500_000),
    ],
)
def test_preset_wins_unless_it_is_other(fields, cents, begin):
    assert begin(**fields).amount_cents == cents


def test_unknown_preset_is_refused(site, stripe, client, gift_form):
    html = client.post("/donate/", gift_form(preset="37")).content.decode()
    assert "Please choose one of these amounts." in html
    assert Donation.objects.count() == 0


@pytest.mark.parametrize("frequency", ["weekly", "Monthly", "monthly'"])
def test_unknown_frequency_is_answered_beside_its_field(frequency, site, stripe, client, gift_form):
    html = client.post("/donate/", gift_form(frequency=frequency)).content.decode()
    assert 'id="id_frequency_error"' in html
    assert form_fields(html)["frequency"] == "one_time"
    assert (Donation.objects.count(), RecurringGift.objects.count()) == (0, 0)


@pytest.mark.parametrize("name", ["Ann\r\nBcc: x@example.org", "Ann\nLee", "Ann\x1b[2J", "\r\n"])
def test_name_is_one_line(name, site, stripe, client, gift_form):
    html = client.post("/donate/", gift_form(name=name)).content.decode()
    assert 'id="id_name_error"' in html
    assert Donation.objects.count() == 0


@pytest.mark.parametrize("name", ["锦州 李明", "Қызылорда", "Seán Ó Sé", "=cmd|x", "A" * 120])
def test_names_of_the_world_come_back_as_typed(name, begin):
    assert begin(name=name).donor_name == name


@pytest.mark.parametrize("email", ["", "ann", "ann@", "a\r\nb@example.org", "ann@example.org\x00"])
def test_bad_email_is_answered_beside_its_field(email, site, stripe, client, gift_form):
    html = client.post("/donate/", gift_form(email=email)).content.decode()
    assert 'id="id_email_error"' in html
    assert Donation.objects.count() == 0


def test_campaign_must_take_gifts_today(site, stripe, client, gift_form, make_campaign):
    make_campaign("Over", ends_on="2020-01-01")
    make_campaign("Draft", status="draft")
    for slug in ("over", "draft", "missing", "a'b", "\x00"):
        html = client.post("/donate/", gift_form(campaign=slug)).content.decode()
        assert 'id="id_campaign_error"' in html
    assert Donation.objects.count() == 0


def test_form_without_our_token_is_shown_again(site, stripe, client, gift_form):
    for token in ("", "made-up", "x" * 500):
        response = client.post("/donate/", gift_form(form_token=token, name="Ann Lee"))
        fields = form_fields(response.content.decode())
        assert fields["name"] == "Ann Lee"
        assert fields["form_token"] not in ("", token)
    assert Donation.objects.count() == 0
    assert client.post("/donate/", {**fields, "email": "ann@example.org"}).status_code == 303


def test_form_of_yesterday_is_shown_again(site, stripe, client, gift_form, time_machine):
    time_machine.move_to("2026-11-21T12:00:00Z")
    fields = gift_form()
    time_machine.move_to("2026-11-22T12:00:01Z")
    response = client.post("/donate/", fields)
    assert "This form is too old." in response.content.decode()
    assert Donation.objects.count() == 0


def test_form_needs_the_csrf_token(site, stripe, gift_form, settings):
    response = Client(enforce_csrf_checks=True).post("/donate/", gift_form())
    assert response.status_code == 403
    assert Donation.objects.count() == 0


@pytest.mark.parametrize(
    ("typed", "initial"),
    [
        ("50", {"preset": "50"}),
        ("100.00", {"preset": "100"}),
        ("37.5", {"preset": "other", "amount": "37.50"}),
        ("1200", {"preset": "other", "amount": "1,200"}),
        ("3", {"preset": "50"}),
        ("NaN", {"preset": "50"}),
        ("", {"preset": "50"}),
    ],
)
def test_link_preselects_an_amount(typed, initial):
    assert initial_amount(typed, (500, 2_500_000)) == initial


def test_link_with_an_amount_fills_the_page(site, client):
    fields = form_fields(client.get("/donate/?amount=100").content.decode())
    assert (fields["preset"], fields["amount"]) == ("100", "")
    fields = form_fields(client.get("/donate/?amount=75").content.decode())
    assert (fields["preset"], fields["amount"]) == ("other", "75")
    assert client.get("/donate/?amount=%00&campaign=%00").status_code == 200


@pytest.mark.django_db
def test_fields_help_people_to_fill_them_in():
    form = DonationForm(site=SiteSettings())
    assert {name: form.fields[name].widget.attrs.get("autocomplete") for name in (
        "name", "email", "amount", "message", "employer", "address",
    )} == {
        "name": "name", "email": "email", "amount": "transaction-amount", "message": "off",
        "employer": "organization", "address": "street-address",
    }  # fmt: skip
    assert form.fields["amount"].widget.attrs["inputmode"] == "decimal"


def test_employer_and_address_are_folded_until_something_stands_there(site, client, gift_form):
    asked = {
        "Does your employer match gifts?": "employer",
        "A postal address for the receipt": "address",
    }
    for summary, name in asked.items():
        folded = f'<details class="more"><summary>{summary}</summary>'
        assert folded in client.get("/donate/").content.decode()
        fields = gift_form(preset="other", amount="1", **{name: "12 Elm"})
        html = client.post("/donate/", fields).content.decode()
        assert folded.replace('"more"', '"more" open') in html
        assert form_fields(html)[name] == "12 Elm"


def test_employer_is_one_line(site, stripe, client, gift_form):
    html = client.post("/donate/", gift_form(employer="Acme\r\nBcc: x")).content.decode()
    assert 'id="id_employer_error"' in html
    assert '<details class="more" open><summary>Does your employer' in html
    assert Donation.objects.count() == 0


def test_employer_and_address_reach_the_gift_and_its_receipt(give):
    gift = give(employer="Acme", address=" 12 Elm Street \r\n\r\nArvada, CO 80002\r\n")
    assert (gift.employer, gift.donor_address) == ("Acme", "12 Elm Street\nArvada, CO 80002")
    assert gift.receipts.get().inputs["donor_address"] == gift.donor_address
    assert gift.donor.address == gift.donor_address


# --- the card fee ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gift", "points", "charge"),
    [
        (10_000, 290, 10_330), (10_000, 220, 10_256),  # giving.md D13
        (500, 220, 542), (2_500, 220, 2_587),  # and its section on Checkout
        (5_000, 220, 5_143),  # which has 5,144 here: 143.146 cents of fee are rounded to 143
        (10_000, 0, 10_030),
    ],
)  # fmt: skip
def test_d13_charge_that_covers_the_fee(gift, points, charge):
    assert charge_covering_fee(gift, basis_points=points, fixed_cents=30) == charge


@given(
    gift=st.integers(500, 2_500_000), points=st.integers(0, 1000), fixed=st.integers(0, 100)
)  # fmt: skip
def test_d13_nothing_smaller_would_do(gift, points, fixed):
    rates = {"basis_points": points, "fixed_cents": fixed}
    charge = charge_covering_fee(gift, **rates)
    assert charge - card_fee(charge, **rates) >= gift
    assert charge - 1 - card_fee(charge - 1, **rates) < gift


def test_d13_fee_is_covered_only_where_the_donor_asks(begin):
    donation = begin(amount="100")
    assert (donation.amount_cents, donation.covered_fee_cents) == (10_000, 0)


def test_d13_covered_fee_is_part_of_the_gift_and_of_its_receipt(give, site, client):
    """The books show the gross gift and the true fee, whatever was estimated."""
    site.card_fee_percent, site.card_fee_cents = Decimal("2.20"), 30
    site.save()
    donation = give(amount="100", cover_fees="on", fee=255)
    assert (donation.amount_cents, donation.covered_fee_cents) == (10_256, 256)
    receipt = donation.receipts.get()
    assert (receipt.amount_cents, receipt.inputs["amount_cents"]) == (10_256, 10_256)
    balances = LedgerPosting.objects.all().balances()
    assert (balances["gift_revenue"], balances["processing_fees"]) == (-10_256, 255)
    page = client.get(donation.get_absolute_url()).content.decode()
    assert "$102.56" in page
    assert "$2.56" in page


def test_d13_button_names_the_sum_for_each_choice(site, client):
    html = client.get("/donate/").content.decode()
    for plain, covered in (("$25", "$26.06"), ("$50", "$51.80"), ("$100", "$103.30")):
        assert f'<span data-fee="no">{plain}</span><span data-fee="yes">{covered}</span>' in html
    assert "For $100 we then ask for $103.30." in html


def test_sixth_gift_in_ten_minutes_is_asked_to_wait(begin, client, gift_form, time_machine):
    time_machine.move_to("2026-11-21T12:00:00Z")
    for number in range(5):
        begin(email=f"ann{number}@example.org")
    response = client.post("/donate/", gift_form(email="ann5@example.org", preset="25"))
    assert response.status_code == 429
    assert "Please try again later, or write to us." in response.content.decode()
    assert form_fields(response.content.decode())["preset"] == "25"
    assert Donation.objects.count() == 5
    time_machine.move_to("2026-11-21T12:10:00Z")
    begin(email="ann5@example.org")


def test_sixth_gift_of_one_address_in_a_day_is_asked_to_wait(
    begin, client, gift_form, time_machine
):
    for hour in range(5):
        time_machine.move_to(f"2026-11-21T{12 + hour}:00:00Z")
        begin(email="Ann@example.org")
    time_machine.move_to("2026-11-21T18:00:00Z")
    assert client.post("/donate/", gift_form(email="ann@example.org")).status_code == 429
    begin(email="bob@example.org")


def test_twenty_gifts_a_day_come_from_one_place(begin, client, gift_form, time_machine):
    for number in range(20):
        time_machine.move_to(f"2026-11-21T{2 + number // 4:02}:{number % 4 * 15:02}:00Z")
        begin(email=f"ann{number}@example.org")
    time_machine.move_to("2026-11-21T12:00:00Z")
    assert client.post("/donate/", gift_form(email="z@example.org")).status_code == 429
