"""Numbers without gaps, words that the law asks for, one mail."""

import datetime as dt

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from donations import receipts, sync
from donations.models import Donation, Receipt, ReceiptSeries
from sistercities.shared.mail import send_waiting
from sistercities.shared.models import OutgoingMessage, SiteSettings


@pytest.fixture
def make_gift(db):
    def make(number: int = 1, **fields) -> Donation:
        day = dt.date(2026, 11, 21)
        values = {
            "form_token": f"form-{number}", "amount_cents": 5000, "state": "paid",
            "donor_name": "Ann Lee", "email": "ann@example.org", "designation": "The bus",
            "goods_services": "none", "given_on": day,
            "paid_at": dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC), **fields,
        }  # fmt: skip
        return Donation.objects.create(**values)

    return make


def issue(gift) -> Receipt:
    with transaction.atomic():
        return receipts.issue(donation=gift, site=SiteSettings.load())


def test_d19_numbers_run_without_gaps_in_each_year(site, make_gift):
    days = [dt.date(2026, 1, 1), dt.date(2026, 12, 31), dt.date(2027, 1, 1), dt.date(2026, 5, 5)]
    numbers = [issue(make_gift(n, given_on=day)).number for n, day in enumerate(days)]
    assert numbers == ["2026-000001", "2026-000002", "2027-000001", "2026-000003"]


def test_number_of_a_failed_transaction_is_given_again(site, make_gift):
    first, second = make_gift(1), make_gift(2)
    with pytest.raises(RuntimeError), transaction.atomic():
        receipts.issue(donation=first, site=site)
        raise RuntimeError
    assert (Receipt.objects.count(), OutgoingMessage.objects.count()) == (0, 0)
    assert issue(second).number == "2026-000001"


def test_number_needs_a_transaction(site, make_gift, transactional_db):
    with pytest.raises(transaction.TransactionManagementError):
        receipts.issue(donation=make_gift(), site=site)
    assert ReceiptSeries.objects.count() == 0


def test_second_call_returns_the_same_receipt(site, make_gift):
    gift = make_gift()
    assert issue(gift) == issue(gift)
    assert OutgoingMessage.objects.count() == 1


def test_receipt_keeps_what_it_was_written_from(site, make_gift):
    gift = make_gift()
    receipt = issue(gift)
    SiteSettings.objects.update(name="Another name", ein="11-1111111")
    receipt.refresh_from_db()
    assert receipt.inputs == {
        "organization": "Arvada Sister Cities International",
        "ein": "84-1234567",
        "postal_address": "8101 Ralston Road\nArvada, CO 80002",
        "donor": "Ann Lee",
        "donor_address": "",
        "amount_cents": 5000,
        "currency": "USD",
        "given_on": "2026-11-21",
        "designation": "The bus",
        "covered_fee_cents": 0,
        "goods_services": "none",
        "nonprofit_line": "A volunteer nonprofit under section 501(c)(3).",
        "is_test": True,
        "statement": "No goods or services were provided in exchange for this gift.",
    }


def test_d3_missing_goods_or_services_choice_blocks_the_receipt(site, make_gift):
    with pytest.raises(receipts.ReceiptBlocked):
        issue(make_gift(goods_services=""))
    assert (Receipt.objects.count(), ReceiptSeries.objects.count()) == (0, 0)
    assert OutgoingMessage.objects.count() == 0


@pytest.mark.parametrize("state", ["draft", "open", "processing", "expired", "failed"])
def test_d21_unpaid_gift_gets_none(state, site, make_gift):
    with pytest.raises(receipts.ReceiptBlocked):
        issue(make_gift(state=state))
    assert Receipt.objects.count() == 0


def test_d8_ein_that_vanished_blocks_until_it_is_back(begin, stripe, deliver):
    donation = begin()
    SiteSettings.objects.update(ein="")
    stripe.pay(donation)
    deliver(*stripe.events())
    donation.refresh_from_db()
    assert donation.state == "paid"  # the money is there, whatever our settings say
    assert "No receipt could be written." in donation.needs_attention
    assert sync.sweep() == 0
    SiteSettings.objects.update(ein="84-1234567")
    assert sync.sweep() == 1
    assert donation.receipts.get().number.endswith("-000001")
    assert sync.sweep() == 0


def test_f6_mail_that_was_not_sent_goes_out_later_once(give, settings):
    settings.EMAIL_BACKEND = "tests.donations.test_receipts.Nothing"
    donation = give()
    assert (len(mail.outbox), donation.receipts.count()) == (0, 1)
    assert OutgoingMessage.objects.get().key == f"receipt:{donation.token}:1"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    OutgoingMessage.objects.update(next_try_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert [send_waiting(), send_waiting()] == [1, 0]
    assert len(mail.outbox) == 1


class Nothing:
    """A mail server that is not there."""

    def __init__(self, *args, **kwargs):
        pass

    def open(self):
        raise ConnectionRefusedError

    def send_messages(self, messages):
        raise ConnectionRefusedError

    def close(self):
        pass


def test_subject_is_one_line_and_marks_tests(give):
    give(name="Ann Lee")
    message = OutgoingMessage.objects.get()
    assert message.subject.startswith("TEST Your gift to Arvada Sister Cities International: ")
    assert message.text.startswith("TEST: no money was moved, and this is not a receipt.")


def test_real_gift_is_not_marked_as_a_test(site, make_gift):
    issue(make_gift(livemode=True))
    message = OutgoingMessage.objects.get()
    assert "TEST" not in message.subject + message.text + message.html


def test_one_current_receipt_a_gift(site, make_gift):
    receipt = issue(make_gift())
    with pytest.raises(IntegrityError), transaction.atomic():
        Receipt.objects.create(
            donation=receipt.donation, number="2026-000009", year=2026, serial=9,
            amount_cents=1, currency="USD", inputs={},
        )  # fmt: skip
