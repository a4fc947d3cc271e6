"""Gifts that go back: from here and from the dashboard, in part, twice, and when Stripe is away."""

import datetime as dt
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, transaction

from donations import refunds, sync
from donations.models import Dispute, Donation, LedgerPosting, Receipt, Refund
from sistercities.shared.models import OutgoingMessage

from .test_races import together


def balances() -> dict[str, int]:
    return {name: cents for name, cents in LedgerPosting.objects.all().balances().items() if cents}


def receipt_rows(gift) -> list[tuple]:
    rows = Receipt.objects.filter(donation=gift).order_by("serial")
    return [(row.serial, row.state, row.amount_cents) for row in rows]


@pytest.fixture
def paid(give):
    return give(amount="50")


def test_d20_part_of_a_gift_is_given_back_with_a_corrected_receipt(paid, ask, stripe):
    refund = ask(paid, 2000)
    assert (refund.state, refund.reason, refund.asked_by.username) == ("done", "donor", "tess")
    assert [item["amount"] for item in stripe.objects("refund")] == [2000]
    assert balances() == {
        "gift_revenue": -5000, "processing_fees": 140, "refunds": 2000, "stripe_clearing": 2860,
    }  # fmt: skip
    assert receipt_rows(paid) == [(1, "void", 5000), (2, "current", 3000)]
    old, new = Receipt.objects.order_by("serial")
    assert old.replaced_by == new
    assert {**new.inputs, "statement": "", "postal_address": "", "nonprofit_line": ""} == {
        "organization": "Arvada Sister Cities International", "ein": "84-1234567",
        "postal_address": "", "donor": "Ann Lee", "donor_address": "", "amount_cents": 3000,
        "currency": "USD",
        "given_on": paid.given_on.isoformat(), "designation": "Where it is needed most",
        "goods_services": "none", "statement": "", "nonprofit_line": "", "covered_fee_cents": 0,
        "is_test": True, "charged_cents": 5000, "returned_cents": 2000,
        "replaces": old.number,
    }  # fmt: skip
    letter = OutgoingMessage.objects.get(key=f"receipt:{paid.token}:2")
    assert letter.to == "ann@example.org"
    assert f"It takes the place of receipt {old.number}, which is void." in letter.text
    assert "Charged: $50.00 USD\nGiven back to you: $20.00 USD\nAmount: $30.00 USD" in letter.text
    assert "tax adviser" not in letter.text  # the same year


def test_d20_whole_gift_given_back_leaves_no_receipt(paid, ask):
    ask(paid, 5000)
    assert receipt_rows(paid) == [(1, "void", 5000)]
    letter = OutgoingMessage.objects.get(key=f"receipt:{paid.token}:1:void")
    assert "is void, and no other takes its place." in letter.text
    assert Donation.objects.with_returned().get().shown_state == "refunded"


def test_d20_other_tax_year_is_said(paid, ask):
    year = paid.given_on.year - 1
    Donation.objects.update(given_on=dt.date(year, 12, 31))
    paid.refresh_from_db()
    ask(paid, 2000)
    letter = OutgoingMessage.objects.get(key=f"receipt:{paid.token}:2")
    assert f"The gift was made in {year}. If you have deducted it on your tax return" in letter.text
    assert Receipt.objects.get(state="current").number == f"{year}-000001"


def test_d20_same_form_twice_gives_back_once(paid, ask, stripe):
    assert ask(paid, 2000) == ask(paid, 2000)
    assert len(stripe.objects("refund")) == 1
    assert receipt_rows(paid) == [(1, "void", 5000), (2, "current", 3000)]


def test_d20_never_more_than_was_paid(paid, ask, stripe):
    ask(paid, 3000)
    for cents in (2001, 5000, 0, -5):
        with pytest.raises(refunds.CannotRefund, match=re.escape("$20.00")):
            ask(paid, cents, f"form-{cents}")
    assert Refund.objects.count() == len(stripe.objects("refund")) == 1
    ask(paid, 2000, "form-2")
    assert refunds.refundable_cents(paid) == 0


@pytest.mark.django_db(transaction=True)
def test_d20_two_treasurers_at_once_never_give_back_more(paid, ask, stripe):
    def give_back(number: int):
        try:
            return ask(paid, 3000, f"form-{number}").amount_cents
        except refunds.CannotRefund:
            return 0

    results = together(*(lambda n=n: give_back(n) for n in range(4)))
    assert sorted(results) == [0, 0, 0, 3000]
    assert [item["amount"] for item in stripe.objects("refund")] == [3000]
    sync.sync_payment(donation=paid, payment_ref=paid.provider_reference)
    assert receipt_rows(paid)[-1][1:] == ("current", 2000)


def test_f8_lost_reply_gives_back_once(paid, ask, stripe):
    stripe.control("faults", path="/v1/refunds", method="POST", times=5, drop_reply=True)
    refund = ask(paid, 2000)
    assert refund.state == "asked"  # we were told nothing, though Stripe did it
    stripe.control("faults", path="/v1/refunds", times=0)
    assert sync.sweep() == 1
    refund.refresh_from_db()
    assert (refund.state, len(stripe.objects("refund"))) == ("done", 1)
    assert sync.sweep() == 0


def test_f8_key_that_stripe_has_forgotten_gives_back_once(paid, ask, stripe):
    stripe.control("faults", path="/v1/refunds", method="POST", times=5, drop_reply=True)
    ask(paid, 2000)
    stripe.control("faults", path="/v1/refunds", times=0, forget_keys=True)
    assert sync.sweep() == 1
    assert len(stripe.objects("refund")) == 1
    assert balances()["refunds"] == 2000


def test_stripe_that_is_down_gets_the_wish_later(paid, ask, stripe):
    stripe.control("faults", path="/v1/", times=20, status=503)
    refund = ask(paid, 2000)
    assert refund.state == "asked"
    assert receipt_rows(paid) == [(1, "current", 5000)]
    stripe.control("faults", path="/v1/", times=0)
    refund.asked_at = refund.asked_at - dt.timedelta(days=2)
    refund.save()
    sync.sweep()
    refund.refresh_from_db()
    assert (refund.state, len(stripe.objects("refund"))) == ("done", 1)


def test_what_stripe_refuses_is_shown_and_frees_the_amount(paid, ask, stripe, deliver):
    stripe.control(f"payments/{paid.provider_reference}/refund", amount=5000)  # the event is late
    refund = ask(paid, 2000)
    assert refund.state == "refused"
    assert refund.problem
    assert sorted(Refund.objects.values_list("amount_cents", "state", "reason")) == [
        (2000, "refused", "donor"), (5000, "done", ""),
    ]  # fmt: skip
    assert receipt_rows(paid) == [(1, "void", 5000)]


def test_f9_refund_in_the_dashboard_has_no_name(paid, stripe, deliver):
    stripe.control(f"payments/{paid.provider_reference}/refund", amount=2000)
    deliver(*stripe.events())
    row = Refund.objects.get()
    assert (row.amount_cents, row.state, row.asked_by, row.reason) == (2000, "done", None, "")
    assert receipt_rows(paid) == [(1, "void", 5000), (2, "current", 3000)]


def test_d20_failed_refund_restores_the_receipt(paid, ask, stripe, deliver):
    refund = ask(paid, 5000)
    stripe.control(f"refunds/{refund.provider_refund_id}/fail")
    deliver(*stripe.events())
    refund.refresh_from_db()
    assert refund.state == "failed"
    assert receipt_rows(paid) == [(1, "void", 5000), (2, "current", 5000)]
    old, new = Receipt.objects.order_by("serial")
    assert (old.replaced_by, new.inputs["replaces"]) == (new, old.number)
    assert refunds.refundable_cents(paid) == 5000


def test_d20_lost_dispute_corrects_the_receipt_an_open_one_does_not(paid, stripe, deliver):
    dispute = stripe.control(f"payments/{paid.provider_reference}/dispute", amount=5000)
    deliver(*stripe.events())
    assert receipt_rows(paid) == [(1, "current", 5000)]
    assert refunds.refundable_cents(paid) == 0
    note = OutgoingMessage.objects.get(key=f"dispute:{dispute['id']}")
    row = Dispute.objects.get()
    assert note.to == "hello@example.org"
    assert f"/admin/donations/dispute/{row.pk}/change/" in note.text
    assert row.due_at is not None
    stripe.control(f"disputes/{dispute['id']}/close", result="lost")
    deliver(*stripe.events())
    assert receipt_rows(paid) == [(1, "void", 5000)]
    assert not Dispute.objects.open().exists()


def test_won_dispute_changes_no_receipt(paid, stripe, deliver):
    dispute = stripe.control(f"payments/{paid.provider_reference}/dispute", amount=5000)
    deliver(*stripe.events())
    stripe.control(f"disputes/{dispute['id']}/close", result="won")
    deliver(*stripe.events())
    assert receipt_rows(paid) == [(1, "current", 5000)]
    assert Dispute.objects.get().status == "won"
    assert OutgoingMessage.objects.filter(key__startswith="dispute:").count() == 1


def test_correction_that_was_blocked_is_written_later(paid, ask, site):
    site.ein = ""
    site.save()
    ask(paid, 2000)
    assert receipt_rows(paid) == [(1, "current", 5000)]
    site.ein = "84-1234567"
    site.save()
    sync.sweep()
    assert receipt_rows(paid) == [(1, "void", 5000), (2, "current", 3000)]


def test_refund_of_nothing_is_none(paid):
    with pytest.raises(IntegrityError), transaction.atomic():
        Refund.objects.create(donation=paid, amount_cents=0)


# --- the page ---------------------------------------------------------------------------------


def page_of(gift) -> str:
    return f"/admin/donations/donation/{gift.pk}/refund/"


def typed(client, gift, **fields) -> dict[str, str]:
    html = client.get(page_of(gift)).content.decode()
    token = re.search(r'name="form_token" value="([^"]+)"', html)[1]
    return {"cents": "20", "reason": "donor", "note": "By phone", "form_token": token, **fields}


def test_treasurer_gives_back_on_the_page(paid, treasurer, client, stripe):
    client.force_login(treasurer)
    change = f"/admin/donations/donation/{paid.pk}/change/"
    assert page_of(paid) in client.get(change).content.decode()
    answer = client.post(page_of(paid), typed(client, paid), follow=True)
    assert answer.redirect_chain == [(change, 302)]
    assert "$20.00 is on its way back to the donor." in answer.content.decode()
    refund = Refund.objects.get()
    assert (refund.amount_cents, refund.note, refund.asked_by) == (2000, "By phone", treasurer)
    assert LogEntry.objects.get().user == treasurer
    assert "Up to $30.00 can be given back." in client.get(page_of(paid)).content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cents": "50.01"}, "At most $50.00 of this can be given back."),
        ({"cents": "-1"}, "amount"),
        ({"cents": ""}, "This field is required."),
        ({"reason": ""}, "This field is required."),
        ({"note": ""}, "This field is required."),
    ],
)
def test_d20_reasons_are_asked_and_slips_are_told(fields, said, paid, admin_client, stripe):
    answer = admin_client.post(page_of(paid), typed(admin_client, paid, **fields))
    assert said in answer.content.decode()
    assert (answer.status_code, stripe.objects("refund")) == (200, [])


def test_d20_only_the_treasurer_may(paid, client, stripe):
    editor = User.objects.create_user("ed", "ed@example.org", "x", is_staff=True)
    editor.user_permissions.set(
        Permission.objects.filter(codename__in=["view_donation", "change_donation"])
    )
    client.force_login(editor)
    change = client.get(f"/admin/donations/donation/{paid.pk}/change/")
    assert page_of(paid) not in change.content.decode()
    assert client.get(page_of(paid)).status_code == 403
    posted = {"cents": "20", "reason": "donor", "note": "x", "form_token": "t"}
    assert client.post(page_of(paid), posted).status_code == 403
    assert stripe.objects("refund") == []


def test_nothing_left_is_said(paid, ask, admin_client):
    ask(paid, 5000)
    html = admin_client.get(page_of(paid)).content.decode()
    assert "Nothing of this gift can be given back" in html
