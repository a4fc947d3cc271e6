"""From the form to the receipt, through real addresses and the real Stripe library."""

import datetime as dt

from django.core import mail
from django.utils import timezone

from donations.models import Donation, LedgerPosting
from sistercities.shared.mail import send_waiting


def balances() -> dict[str, int]:
    return {name: cents for name, cents in LedgerPosting.objects.all().balances().items() if cents}


def test_d1_d2_gift_goes_from_form_to_receipt(give, client):
    donation = give(amount="50", name="Ann Lee", message="For the children")
    send_waiting()
    [message] = mail.outbox
    assert donation.state == "paid"
    assert balances() == {
        "gift_revenue": -5000, "processing_fees": 140, "stripe_clearing": 4860,
    }  # fmt: skip
    receipt = donation.receipts.get()
    year = donation.given_on.year
    assert (receipt.number, receipt.amount_cents) == (f"{year}-000001", 5000)
    assert message.to == ["ann@example.org"]
    day = f"{donation.given_on:%B} {donation.given_on.day}, {year}"
    for said in (
        f"Receipt {year}-000001",
        "Received from: Ann Lee",
        "Amount: $50.00 USD",
        f"Date of the gift: {day}",
        "No goods or services were provided in exchange for this gift.",
        "Arvada Sister Cities International",
        "8101 Ralston Road\nArvada, CO 80002",
        "EIN 84-1234567",
        "For: Where it is needed most",
        "Please keep this for your taxes.",
    ):
        assert said in message.body
    html = message.alternatives[0][0]
    assert "No goods or services were provided in exchange for this gift." in html
    assert "$50.00 USD" in html
    page = client.get(donation.get_absolute_url()).content.decode()
    assert receipt.number in page
    assert "$50.00" in page


def test_d2_every_gift_is_acknowledged_whatever_its_size(give):
    for amount, cents in (("5", 500), ("249.99", 24999), ("250.00", 25000)):
        donation = give(amount=amount)
        inputs = donation.receipts.get().inputs
        assert inputs["amount_cents"] == cents
        assert inputs["statement"].startswith("No goods or services were provided")


def test_template_signs_in_a_name_are_shown_as_they_are(give, client):
    name = "Ann {{ receipt }} {% now 'Y' %} <b>O'Lee</b>"
    donation = give(name=name, message="{{ settings.SECRET_KEY }}")
    send_waiting()
    assert f"Received from: {name}" in mail.outbox[0].body
    html = mail.outbox[0].alternatives[0][0]
    assert "Ann {{ receipt }} {% now 'Y' %} &lt;b&gt;O" in html
    assert donation.receipts.get().inputs["donor"] == name
    assert donation.message == "{{ settings.SECRET_KEY }}"


def test_d23_return_page_reads_and_never_creates(begin, stripe, client):
    donation = begin(amount="50")
    address = donation.get_absolute_url()
    waiting = client.get(address)
    assert "We are waiting for the card processor." in waiting.content.decode()
    assert f'href="{address}"' in waiting.content.decode()
    stripe.pay(donation)
    paid = client.get(address)  # before any event has come
    assert "Thank you" in paid.content.decode()
    again = client.get(f"{address}?session_id={donation.attempts.get().session_id}")
    assert again.status_code == 200
    assert Donation.objects.count() == 1
    donation.refresh_from_db()
    assert donation.receipts.count() == 1
    assert client.get("/donate/thanks/0000000000000000000000000000000000/").status_code == 404
    assert client.post(address).status_code == 405


def test_return_page_is_personal(give, client):
    response = client.get(give().get_absolute_url())
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "no-referrer"
    assert "ann@example.org" not in response.content.decode()


def test_return_page_waits_while_stripe_is_down(begin, stripe, client):
    donation = begin()
    stripe.pay(donation)
    stripe.control("faults", path="/v1", times=20, status=503)
    response = client.get(donation.get_absolute_url())
    assert response.status_code == 200
    assert "We are waiting for the card processor." in response.content.decode()


def test_return_page_stands_in_line_while_the_event_comes_in(begin, stripe, client):
    """The event and the donor arrive at the same moment: the donor still reads "Thank you"."""
    donation = begin()
    stripe.pay(donation)
    held = timezone.now() + dt.timedelta(seconds=0.5)
    Donation.objects.update(lease="the event's", lease_until=held)
    assert "Thank you" in client.get(donation.get_absolute_url()).content.decode()


def test_d14_gift_date_is_the_day_at_home(begin, stripe, deliver, time_machine):
    moment = dt.datetime(2027, 1, 1, 6, 59, tzinfo=dt.UTC)  # 2026-12-31 23:59 in Denver
    time_machine.move_to(moment, tick=False)
    donation = begin(amount="50")
    stripe.pay(donation)
    time_machine.move_to(moment + dt.timedelta(hours=2), tick=False)
    deliver(*stripe.events())
    donation.refresh_from_db()
    assert donation.given_on == dt.date(2026, 12, 31)
    receipt = donation.receipts.get()
    assert (receipt.number, receipt.inputs["given_on"]) == ("2026-000001", "2026-12-31")


def test_d21_no_receipt_before_the_money(begin, stripe, deliver, make_campaign):
    campaign = make_campaign()
    donation = begin(campaign=campaign.slug)
    stripe.pay(donation, payment_status="unpaid")
    deliver(*stripe.events())
    donation.refresh_from_db()
    assert donation.state == "processing"
    assert donation.receipts.count() == 0
    assert type(campaign).objects.with_raised().get().raised_cents == 0
    stripe.control(f"payments/{donation.provider_reference}/async", result="succeeded", fee=40)
    deliver(*stripe.events())
    donation.refresh_from_db()
    assert donation.state == "paid"
    assert donation.method == "us_bank_account"
    assert donation.receipts.count() == 1
    assert balances() == {
        "gift_revenue": -5000, "processing_fees": 40, "stripe_clearing": 4960,
    }  # fmt: skip


def test_d21_failed_debit_gets_no_receipt(begin, stripe, deliver, client):
    donation = begin()
    stripe.pay(donation, payment_status="unpaid")
    deliver(*stripe.events())
    donation.refresh_from_db()
    stripe.control(f"payments/{donation.provider_reference}/async", result="failed")
    deliver(*stripe.events())
    donation.refresh_from_db()
    assert donation.state == "failed"
    assert donation.receipts.count() == 0
    assert balances() == {}
    assert "No money was taken." in client.get(donation.get_absolute_url()).content.decode()


def test_declined_card_leaves_the_page_open(begin, stripe, deliver):
    donation = begin()
    session_id = donation.attempts.get().session_id
    stripe.control(f"sessions/{session_id}/decline")
    deliver(*stripe.events())
    donation.refresh_from_db()
    assert donation.state == "open"
    stripe.pay(donation)
    deliver(*stripe.events())
    donation.refresh_from_db()
    assert donation.state == "paid"


def test_expired_page_ends_the_gift(begin, stripe, deliver, client):
    donation = begin()
    stripe.control(f"sessions/{donation.attempts.get().session_id}/expire")
    deliver(*stripe.events())
    donation.refresh_from_db()
    assert donation.state == "expired"
    assert "No money was taken." in client.get(donation.get_absolute_url()).content.decode()


def test_gift_appears_in_the_campaign(give, client, make_campaign):
    campaign = make_campaign()
    give(f"/donate/{campaign.slug}/", amount="62.50", campaign=campaign.slug)
    page = client.get(campaign.get_absolute_url()).content.decode()
    assert "$62.50</b> in hand" in page
    assert "$6,000</b> needed" in page
    assert "Ann Lee" not in page
    assert "ann@example.org" not in page


def test_d25_amount_is_the_same_in_every_place(give):
    donation = give(amount="1,250.37", fee=2781)
    assert donation.amount_cents == 125037
    assert donation.receipts.get().amount_cents == 125037
    accounts = LedgerPosting.objects.all().balances()
    assert accounts["gift_revenue"] == -125037
    assert sum(accounts.values()) == 0
