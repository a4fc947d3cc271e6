"""Checks, cash, grants, stock and goods: written down by staff, booked together, taken back."""

import datetime as dt

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from donations import offline, receipts, refunds
from donations.models import (
    Campaign,
    Donation,
    GiftBatch,
    LedgerEntry,
    LedgerPosting,
    OfflineGift,
    Receipt,
    ReceiptSeries,
)
from sistercities.shared.models import OutgoingMessage

from .test_races import together

DAY = dt.date(2026, 11, 20)


def balances() -> dict[str, int]:
    return {name: cents for name, cents in LedgerPosting.objects.all().balances().items() if cents}


@pytest.fixture
def batch(site) -> GiftBatch:
    return GiftBatch.objects.create(title="Mail of November 22", deposit_cents=7500)


@pytest.fixture
def line(batch):
    """`line(5000, check_number="1001")`: one more gift of the batch."""

    def write(cents: int = 5000, **fields) -> OfflineGift:
        values = {
            "batch": batch, "amount_cents": cents, "donor_name": "Ann Lee", "given_on": DAY,
            "email": "ann@example.org", "check_number": "1001", **fields,
        }  # fmt: skip
        gift = OfflineGift(**values)
        gift.full_clean()
        gift.save()
        return gift

    return write


@pytest.fixture
def booked(batch, line, admin_user):
    """A check of $50 and $25 in cash, booked."""
    line(5000)
    line(2500, method="cash", check_number="", donor_name="Bo Li", email="")
    return offline.book(batch=batch, by=admin_user)


def give_back(gift, cents: int, reason: str, by) -> None:
    refunds.ask(
        donation=gift, cents=cents, reason=reason, note="The bank wrote.", asked_by=by,
        form_token=f"{gift.pk}-{cents}",
    )  # fmt: skip


def test_batch_makes_gifts_books_and_receipts(booked, batch, admin_user):
    check, cash = Donation.objects.order_by("pk")
    assert [(gift.state, gift.provider, gift.method, gift.amount_cents, gift.given_on)
            for gift in (check, cash)] == [
        ("paid", "offline", "check", 5000, DAY), ("paid", "offline", "cash", 2500, DAY),
    ]  # fmt: skip
    assert balances() == {"gift_revenue": -7500, "undeposited_checks": 7500}
    assert [(row.number, row.is_to_print) for row in Receipt.objects.order_by("serial")] == [
        ("2026-000001", False), ("2026-000002", True),
    ]  # fmt: skip
    letter = OutgoingMessage.objects.get()  # Bo gave no mail address
    assert letter.to == "ann@example.org"
    assert "Amount: $50.00 USD\nDate of the gift: November 20, 2026" in letter.text
    assert "TEST" not in letter.subject + letter.text  # a check is real money
    assert (booked.booked_by, booked.deposited_on) == (admin_user, None)


def test_batch_is_booked_once(booked, admin_user):
    offline.book(batch=booked, by=admin_user)
    assert (Donation.objects.count(), Receipt.objects.count()) == (2, 2)


@pytest.mark.django_db(transaction=True)
def test_batch_is_booked_once_by_two_at_a_time(batch, line, admin_user):
    line(7500)
    together(*(lambda: offline.book(batch=batch, by=admin_user) for _ in range(4)))
    assert (Donation.objects.count(), balances()["undeposited_checks"]) == (1, 7500)


@pytest.mark.parametrize(
    ("cents", "said"),
    [
        (7499, "The checks and the cash come to $74.99, the deposit slip says $75.00: "
               "$0.01 too little. Nothing was booked."),
        (7501, "$0.01 too much. Nothing was booked."),
        (None, "There is no gift in this batch yet."),
    ],
)  # fmt: skip
def test_sum_that_does_not_match_books_nothing(cents, said, batch, line, admin_user):
    if cents:
        line(cents)
    with pytest.raises(offline.CannotBook) as refused:
        offline.book(batch=batch, by=admin_user)
    assert said in str(refused.value)
    assert (Donation.objects.count(), LedgerEntry.objects.count()) == (0, 0)


def test_d14_postmark_decides_the_tax_year(batch, line, admin_user, time_machine):
    time_machine.move_to(dt.datetime(2027, 1, 5, 18, tzinfo=dt.UTC))
    line(7500, given_on=dt.date(2026, 12, 31))
    offline.book(batch=batch, by=admin_user)
    assert Donation.objects.get().given_on == dt.date(2026, 12, 31)
    assert Receipt.objects.get().number == "2026-000001"


def test_only_what_is_carried_to_the_bank_counts_for_the_slip(batch, line, admin_user):
    line(7500)
    line(1000, method="paypal", check_number="", fee_cents=59)
    line(2000, method="transfer", check_number="")
    line(0, method="stock", check_number="", description="10 shares of Example Corp.")
    offline.book(batch=batch, by=admin_user)
    assert balances() == {
        "gift_revenue": -10500, "undeposited_checks": 7500, "bank": 2941, "processing_fees": 59,
    }  # fmt: skip
    offline.deposit(batch=batch, on=DAY)
    assert balances() == {"gift_revenue": -10500, "bank": 10441, "processing_fees": 59}


def test_deposit_moves_the_money_once(booked):
    assert offline.deposit(batch=booked, on=DAY).deposited_on == DAY
    offline.deposit(batch=booked, on=DAY - dt.timedelta(days=1))
    assert balances() == {"gift_revenue": -7500, "bank": 7500}
    entry = LedgerEntry.objects.get(kind="deposit")
    assert (entry.occurred_at.isoformat(), entry.note) == (
        "2026-11-20T19:00:00+00:00", "Mail of November 22",
    )  # fmt: skip


def test_deposit_needs_a_booked_batch_and_a_day_that_came(batch, booked):
    with pytest.raises(offline.CannotBook, match="still to come"):
        offline.deposit(batch=booked, on=dt.date(2090, 1, 1))
    other = GiftBatch.objects.create(title="Other")
    with pytest.raises(offline.CannotBook, match="Book the gifts"):
        offline.deposit(batch=other, on=DAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        GiftBatch.objects.create(title="Other", deposited_on=DAY)


def test_check_that_comes_back_before_the_deposit(booked, admin_user):
    check = Donation.objects.get(method="check")
    give_back(check, 5000, "bounced", admin_user)
    assert balances() == {"gift_revenue": -7500, "refunds": 5000, "undeposited_checks": 2500}
    assert LedgerEntry.objects.get(kind="bounced").donation == check
    assert Receipt.objects.get(donation=check).state == "void"
    letter = OutgoingMessage.objects.get(key__endswith=":void")
    assert "The bank sent your check of $50.00 from November 20, 2026 back to us." in letter.text
    offline.deposit(batch=booked, on=DAY)
    assert balances() == {"gift_revenue": -7500, "refunds": 5000, "bank": 2500}


def test_part_given_back_by_hand_after_the_deposit(booked, admin_user):
    offline.deposit(batch=booked, on=DAY)
    cash = Donation.objects.get(method="cash")
    give_back(cash, 1000, "donor", admin_user)
    assert balances() == {"gift_revenue": -7500, "refunds": 1000, "bank": 6500}
    rows = Receipt.objects.filter(donation=cash).order_by("serial")
    assert [(row.state, row.amount_cents, row.is_to_print) for row in rows] == [
        ("void", 2500, True), ("current", 1500, True),
    ]  # fmt: skip
    with pytest.raises(refunds.CannotRefund):
        give_back(cash, 1501, "donor", admin_user)


def test_mistake_leaves_no_trace_in_the_sums(batch, line, make_campaign, admin_user):
    campaign = make_campaign()
    line(7500, campaign=campaign)
    line(1000, method="paypal", check_number="", fee_cents=59, campaign=campaign)
    offline.book(batch=batch, by=admin_user)
    offline.deposit(batch=batch, on=DAY)
    for gift in Donation.objects.all():
        assert offline.void(donation=gift, note="Typed twice").state == "void"
        offline.void(donation=gift, note="Typed twice")
    assert balances() == {}
    assert Campaign.objects.with_raised().get().raised_cents == 0
    assert set(Receipt.objects.values_list("state", flat=True)) == {"void"}
    letter = OutgoingMessage.objects.filter(key__endswith=":void").first()
    assert "was written by mistake" in letter.text


def test_gift_of_which_money_went_back_is_no_mistake(booked, admin_user, give):
    check = Donation.objects.get(method="check")
    give_back(check, 1000, "donor", admin_user)
    for gift in (check, give()):
        with pytest.raises(offline.CannotBook):
            offline.void(donation=gift, note="x")


def test_checks_count_as_raised_while_stripe_is_in_test_mode_and_after(
    batch, line, make_campaign, admin_user, settings
):
    line(7500, campaign=make_campaign())
    offline.book(batch=batch, by=admin_user)
    for mode in (False, True):
        settings.STRIPE_LIVE_MODE = mode
        assert Campaign.objects.with_raised().get().raised_cents == 7500


def test_d12_goods_are_described_and_never_valued(batch, line, admin_user):
    batch.deposit_cents = 0
    batch.save()
    line(0, method="in_kind", check_number="", description="Forty folding chairs",
         declared_value="over_500")  # fmt: skip
    offline.book(batch=batch, by=admin_user)
    receipt = Receipt.objects.get()
    assert (receipt.amount_cents, receipt.inputs["description"]) == (0, "Forty folding chairs")
    assert receipts.issue(donation=Donation.objects.get(), site=batch_site()) == receipt
    letter = OutgoingMessage.objects.get()
    assert "What was given: Forty folding chairs" in letter.text
    assert "$" not in letter.text
    assert "No goods or services were provided in exchange" in letter.text
    offline.void(donation=Donation.objects.get(), note="x")
    assert Receipt.objects.get().state == "void"


def batch_site():
    from sistercities.shared.models import SiteSettings

    return SiteSettings.load()


def test_d16_fund_gets_no_receipt_and_its_adviser_thanks_without_tax_words(batch, line, admin_user):
    line(7500, method="daf", donor_name="Example Charitable", email="grants@example.com",
         adviser_name="Ann Lee", adviser_email="ann@example.org")  # fmt: skip
    offline.book(batch=batch, by=admin_user)
    assert (Receipt.objects.count(), ReceiptSeries.objects.count()) == (0, 0)
    letter = OutgoingMessage.objects.get()
    assert letter.to == "ann@example.org"
    assert "The grant that you recommended has reached us from Example Charitable." in letter.text
    words = letter.text.lower() + letter.html.lower()
    assert not [word for word in ("tax", "deduct", "receipt", "$", "ein ") if word in words]


def test_d15_match_is_the_companys_gift_and_linked_to_the_employees(batch, line, admin_user, give):
    employees = give(amount="50", email="ann@example.org")
    line(7500, donor_name="Example Corp.", email="corp@example.com", matched_gift=employees)
    offline.book(batch=batch, by=admin_user)
    match = Donation.objects.get(provider="offline")
    assert match.offline.matched_gift == employees
    assert match.receipts.get().inputs["donor"] == "Example Corp."
    assert employees.receipts.get().amount_cents == 5000


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"cents": 0}, "__all__"),
        ({"cents": 100, "fee_cents": 101}, "__all__"),
        ({"check_number": ""}, "check_number"),
        ({"method": "stock", "check_number": "", "description": "10 shares"}, "amount_cents"),
        ({"cents": 0, "method": "in_kind", "check_number": ""}, "description"),
        ({"given_on": dt.date(2090, 1, 1)}, "given_on"),
        ({"adviser_name": "Ann"}, "adviser_name"),
    ],
)
def test_slips_of_the_pen_are_told(fields, named, line):
    with pytest.raises(ValidationError) as refused:
        line(**fields)
    assert named in refused.value.message_dict


def test_one_check_is_written_down_once(line):
    line(5000)
    line(2500, donor_name="Bo Li")  # two donors may have checks of one number
    with pytest.raises(ValidationError, match="in the batch already"):
        line(5000)


# --- the pages --------------------------------------------------------------------------------


EMPTY = dict.fromkeys(
    (
        "amount_cents", "check_number", "email", "donor_address", "campaign", "description",
        "declared_value", "benefit", "benefit_cents", "adviser_name", "adviser_email",
        "matched_gift", "fee_cents",
    ),
    "",
)  # fmt: skip


def posted(batch_fields: dict, *lines: dict) -> dict:
    """What a browser sends: every field, those that nobody touched empty."""
    rows = {"gifts-TOTAL_FORMS": len(lines), "gifts-INITIAL_FORMS": 0}
    for number, fields in enumerate(lines):
        rows |= {f"gifts-{number}-{name}": value for name, value in (EMPTY | fields).items()}
    return {"title": "Mail", "deposit_cents": "", **batch_fields, **rows}


def test_staff_write_down_book_and_deposit(site, admin_client):
    lines = [
        {"method": "check", "amount_cents": "50", "check_number": "1001", "given_on": "2026-11-20",
         "donor_name": "Ann Lee", "email": "ann@example.org"},
        {"method": "cash", "amount_cents": "25.50", "given_on": "2026-11-20", "donor_name": "Bo"},
    ]  # fmt: skip
    add = admin_client.post(
        "/admin/donations/giftbatch/add/", posted({"deposit_cents": "75"}, *lines)
    )
    assert add.status_code == 302, add.content.decode()
    batch = GiftBatch.objects.get()
    page = f"/admin/donations/giftbatch/{batch.pk}"
    html = admin_client.get(f"{page}/book/").content.decode()
    assert "Checks and cash: $75.50. Deposit slip: $75.00." in html
    assert "The two do not agree" in html
    said = admin_client.post(f"{page}/book/", follow=True).content.decode()
    assert "$0.50 too much. Nothing was booked." in said
    GiftBatch.objects.update(deposit_cents=7550)
    html = admin_client.get(f"{page}/book/").content.decode()
    assert "1 receipt goes out by mail at once." in html
    assert "1 is for you to print." in html
    said = admin_client.post(f"{page}/book/", follow=True).content.decode()
    assert "2 gifts are booked." in said
    assert f"{page}/deposit/" in said
    said = admin_client.post(f"{page}/deposit/", {"on": "2026-11-21"}, follow=True).content.decode()
    assert "at the bank" in said
    assert balances() == {"gift_revenue": -7550, "bank": 7550}
    assert LogEntry.objects.filter(object_id=str(batch.pk)).count() == 3


def test_booked_batch_cannot_be_edited(booked, admin_client):
    page = f"/admin/donations/giftbatch/{booked.pk}/change/"
    line = booked.gifts.first()
    fields = {
        "gifts-TOTAL_FORMS": 1, "gifts-INITIAL_FORMS": 1, "gifts-0-id": line.pk,
        "gifts-0-amount_cents": "1", "gifts-0-DELETE": "on", "title": "Other",
        "deposit_cents": "1",
    }  # fmt: skip
    admin_client.post(page, fields)
    booked.refresh_from_db()
    assert (booked.title, booked.deposit_cents, booked.gifts.count()) == (
        "Mail of November 22", 7500, 2,
    )  # fmt: skip
    assert admin_client.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": booked.pk, "post": "yes"}
    admin_client.post("/admin/donations/giftbatch/", action)
    assert GiftBatch.objects.count() == 1


def test_mistake_is_taken_out_on_its_page(booked, admin_client):
    check = Donation.objects.get(method="check")
    change = f"/admin/donations/donation/{check.pk}/change/"
    html = admin_client.get(change).content.decode()
    assert f"/admin/donations/donation/{check.pk}/void/" in html
    page = change.replace("change", "void")
    assert "This field is required." in admin_client.post(page, {"note": ""}).content.decode()
    admin_client.post(page, {"note": "Typed twice"})
    check.refresh_from_db()
    assert check.state == "void"
    assert "Typed twice" in LedgerEntry.objects.get(kind="mistake").note
    assert page not in admin_client.get(change).content.decode()


def test_pages_of_a_batch_need_the_permission(booked, client, django_user_model):
    client.force_login(django_user_model.objects.create_user("ed", is_staff=True))
    for page in ("book", "deposit"):
        address = f"/admin/donations/giftbatch/{booked.pk}/{page}/"
        assert (client.get(address).status_code, client.post(address).status_code) == (403, 403)
    gift = Donation.objects.first()
    address = f"/admin/donations/donation/{gift.pk}/void/"
    assert (client.get(address).status_code, client.post(address).status_code) == (403, 403)


def test_lists_ask_the_same_with_few_rows_and_many(
    booked, admin_client, django_assert_num_queries, admin_user
):
    admin_client.get("/admin/donations/giftbatch/")
    with django_assert_num_queries(9):
        admin_client.get("/admin/donations/giftbatch/")
    for number in range(20):
        batch = GiftBatch.objects.create(title=f"Batch {number}")
        OfflineGift.objects.create(
            batch=batch, amount_cents=100, method="cash", donor_name="Bo", given_on=DAY
        )
    with django_assert_num_queries(9):
        admin_client.get("/admin/donations/giftbatch/")
