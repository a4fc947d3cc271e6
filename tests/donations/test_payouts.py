"""Each payout to the bank adds up to the cent, or says what does not fit."""

import csv
import datetime as dt
import io
from threading import Thread

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection, transaction

from donations import explaining, offline, payouts, reconciling
from donations.models import (
    Account,
    Donation,
    GiftBatch,
    LedgerEntry,
    LedgerPosting,
    OfflineGift,
    Payout,
    PayoutLine,
)
from donations.models.ledger import LedgerIsFinal

LIST = "/admin/donations/payout/"
DESK = "/admin/donations/donation/desk/"


@pytest.fixture
def pay_out(stripe):
    """`pay_out()`: all that is at the processor goes to the bank, its events still on their way."""
    return lambda **body: stripe.control("payouts", **body)["id"]


@pytest.fixture
def mixed(give, ask, stripe, hand_over_new, site):
    """Two gifts, a refund in part, a dispute and the processor's own fee, known to us."""
    first = give(amount="50", fee=140)
    second = give(amount="25", fee=85, email="b@example.org")
    ask(first, 2000)
    stripe.control(f"payments/{second.provider_reference}/dispute", amount=500, fee=1500)
    hand_over_new()
    return first, second


def page(payout: Payout) -> str:
    return f"{LIST}{payout.pk}/change/"


def text_of(client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


def sums(payout: Payout) -> tuple:
    found = payouts.sums_of([payout])[payout.pk]
    return (
        found.gifts, found.gross_cents, found.returned_cents, found.other_cents, found.fee_cents,
        found.net_cents,
    )  # fmt: skip


def test_payout_is_opened_to_its_gifts_refunds_disputes_and_fees(
    mixed, pay_out, hand_over_new, admin_client
):
    ref = pay_out()
    assert hand_over_new() == ["payout.paid", "payout.reconciliation_completed"]
    payout = Payout.objects.get()
    net = 5000 - 140 + 2500 - 85 - 2000 - 500 - 1500
    assert (payout.provider_reference, payout.amount_cents, payout.status, payout.problem) == (
        ref, net, "paid", "",
    )  # fmt: skip
    assert sums(payout) == (2, 7500, -2500, 0, -1725, net)
    balances = LedgerPosting.objects.all().balances()
    assert (balances["bank"], balances["stripe_clearing"]) == (net, 0)
    html = text_of(admin_client, page(payout))
    for part in ("$32.75", "$75.00", "-$20.00", "-$5.00", "-$17.25", "$50.00 Ann Lee"):
        assert part in html, part
    assert f"/admin/donations/donation/{mixed[0].pk}/change/" in html
    listed = text_of(admin_client, LIST)
    for part in ("$32.75", "$75.00", "-$17.25", "-$25.00", 'alt="True"'):
        assert part in listed, part


def test_lines_are_added_once_and_never_changed(mixed, pay_out, hand_over_new):
    ref = pay_out()
    hand_over_new()
    before = list(PayoutLine.objects.values())
    assert len(before) == 5
    payouts.keep(payouts.read(ref))
    call_command("reconcile", since="3")
    assert list(PayoutLine.objects.values()) == before
    with pytest.raises(LedgerIsFinal):
        PayoutLine.objects.update(amount_cents=1)
    with pytest.raises(LedgerIsFinal):
        PayoutLine.objects.first().save()


def test_h11_night_books_what_a_payout_consists_of_however_old_it_is(
    begin, stripe, pay_out, at, admin_client
):
    """Every event was lost, and the gift is older than the week that the night looks at."""
    at("2026-11-01")
    gift = begin(amount="50")
    stripe.pay(gift)
    at("2026-11-12")
    pay_out()
    assert reconciling.every_night() == 2
    payout = Payout.objects.get()
    gift.refresh_from_db()
    assert (gift.state, payout.problem, payout.arrives_on) == ("paid", "", dt.date(2026, 11, 12))
    assert sums(payout) == (1, 5000, 0, 0, -140, 4860)
    assert reconciling.every_night() == 0


def test_movement_that_is_not_in_the_books_is_marked_until_it_is(
    begin, stripe, pay_out, deliver, admin_client
):
    gift = begin(amount="50")
    stripe.pay(gift)
    pay_out()
    deliver(*stripe.events("payout.paid"))
    payout = Payout.objects.get()
    assert payout.problem == "1 movement is not in the books."
    assert "<strong>missing</strong>" in text_of(admin_client, page(payout))
    assert "1 payout to the bank does not fit the books." in text_of(admin_client, DESK)
    assert f'href="{LIST}?fits=no"' in text_of(admin_client, DESK)
    assert "1 payout to the bank" in text_of(admin_client, f"{LIST}?fits=no")
    call_command("reconcile", since="3")
    payout.refresh_from_db()
    assert payout.problem == ""
    assert "does not fit the books" not in text_of(admin_client, DESK)
    assert "0 payouts to the bank" in text_of(admin_client, f"{LIST}?fits=no")


def test_entry_of_another_amount_is_marked(give, pay_out, hand_over_new, stripe, admin_client):
    """As after a mistake of ours: the books say other than the processor's list."""
    give(amount="50")
    LedgerPosting._base_manager.filter(amount_cents=140)._raw_delete("default")
    pay_out()
    hand_over_new()
    payout = Payout.objects.get()
    assert payout.problem == "1 movement differs from the books."
    assert "<strong>no: $50.00</strong>" in text_of(admin_client, page(payout))


def test_list_that_does_not_come_to_the_payout_is_told(give, pay_out, stripe, site):
    give(amount="50")
    ref = pay_out()
    read = payouts.read(ref)
    short = payouts.Statement(read.snap, [t for t in read.txns if t.type == "payout"])
    assert payouts.keep(short).problem == "Its movements come to $0.00, the payout is $48.60."
    assert payouts.keep(read).problem == ""
    assert payouts.keep(short).problem == ""  # what is known is not forgotten


def test_payout_by_hand_is_booked_but_has_no_list(give, pay_out, hand_over_new, admin_client):
    give(amount="50")
    pay_out(amount=1000)
    hand_over_new()
    payout = Payout.objects.get()
    assert (payout.is_automatic, payout.is_listed, payout.problem) == (False, False, "")
    assert LedgerPosting.objects.all().balances()["bank"] == 1000
    assert "asked for by hand" in text_of(admin_client, page(payout))
    assert 'alt="None"' in text_of(admin_client, LIST)


def test_payout_that_the_bank_sends_back(give, pay_out, hand_over_new, stripe, admin_client):
    give(amount="50")
    ref = pay_out()
    early = payouts.read(ref)
    stripe.control(f"payouts/{ref}/fail")
    hand_over_new()
    payout = Payout.objects.get()
    assert (payout.status, payout.problem) == ("failed", "")
    assert LedgerPosting.objects.all().balances()["bank"] == 0
    assert "1 payout was sent back by the bank." in text_of(admin_client, DESK)
    assert payouts.keep(early).status == "failed"  # an older answer that comes late
    again = Payout.objects.get(provider_reference=_paid_again(pay_out, hand_over_new))
    assert (again.amount_cents, again.problem) == (4860, "")
    assert sums(again) == (0, 0, 0, 4860, 0, 4860)
    assert LedgerPosting.objects.all().balances()["bank"] == 4860


def _paid_again(pay_out, hand_over_new) -> str:
    ref = pay_out()
    hand_over_new()
    return ref


def test_payout_that_stripe_forgot_stops_nobody(give, pay_out, hand_over_new, stripe, begin):
    give(amount="50")
    pay_out()
    hand_over_new()
    Payout.objects.update(problem="Look", provider_reference="po_gone")
    assert reconciling.every_night() == 0
    report = reconciling.reconcile(since=dt.datetime(2026, 11, 1, tzinfo=dt.UTC))
    assert [row for row in report.problems if row.startswith("po_gone: ")] != []


def test_sheet_has_a_line_a_movement_and_runs_no_formula(
    mixed, pay_out, hand_over_new, admin_client
):
    pay_out()
    hand_over_new()
    Donation.objects.update(donor_name="=1+1", designation="@x")
    payout = Payout.objects.get()
    answer = admin_client.get(f"{LIST}{payout.pk}/csv/")
    assert answer["Content-Disposition"].startswith('attachment; filename="payout-')
    heads, *rows = csv.reader(io.StringIO(answer.content.decode()))
    assert heads[-3:] == ["Net", "Reference", "In the books"]
    assert [row[1:8] + row[9:] for row in rows] == [
        ["Gift charged", str(mixed[0].pk), "'=1+1", "'@x", "50.00", "-1.40", "48.60", "yes"],
        ["Gift charged", str(mixed[1].pk), "'=1+1", "'@x", "25.00", "-0.85", "24.15", "yes"],
        ["Refund", str(mixed[0].pk), "'=1+1", "'@x", "-20.00", "0.00", "-20.00", "yes"],
        ["Money of a dispute", str(mixed[1].pk), "'=1+1", "'@x", "-5.00", "-15.00", "-20.00",
         "yes"],
    ]  # fmt: skip


def test_pages_ask_the_same_with_few_rows_and_many(
    give, pay_out, hand_over_new, admin_client, django_assert_num_queries
):
    give(amount="50")
    pay_out()
    hand_over_new()
    admin_client.get(page(Payout.objects.get()))  # Django remembers the kinds of content
    with django_assert_num_queries(10):
        admin_client.get(LIST)
    with django_assert_num_queries(12):
        admin_client.get(page(Payout.objects.get()))
    for number in range(4):
        give(amount="25", email=f"b{number}@example.org")
        if number != 2:
            pay_out()
    hand_over_new()
    with django_assert_num_queries(10):
        admin_client.get(LIST)
    with django_assert_num_queries(12):
        admin_client.get(page(Payout.objects.latest("pk")))


def test_line_leads_from_a_gift_to_its_payout(
    give, pay_out, hand_over_new, admin_client, django_assert_num_queries
):
    give(amount="50")
    give(amount="25", name="Bo Li", email="b@example.org")
    pay_out()
    hand_over_new()
    with django_assert_num_queries(7):
        html = text_of(admin_client, "/admin/donations/payoutline/?q=Bo+Li")
    assert "$25.00 Bo Li" in html
    assert "$50.00" not in html
    assert page(Payout.objects.get()) in html


@pytest.mark.django_db(transaction=True)
def test_two_workers_store_a_payout_once(give, pay_out):
    """Red on PostgreSQL without the lock: the second would store the same lines again."""
    give(amount="50")
    full = payouts.read(pay_out())
    payouts.keep(payouts.Statement(full.snap, []))
    failed = []

    def beside() -> None:
        try:
            payouts.keep(full)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    thread = Thread(target=beside)
    with transaction.atomic():
        payouts.keep(full)
        thread.start()
        thread.join(0.7)
    thread.join(20)
    assert (failed, PayoutLine.objects.count(), Payout.objects.get().problem) == ([], 2, "")


# --- the bank statement ---------------------------------------------------------------------


def test_payout_is_ticked_with_its_day_and_unticked(
    give, pay_out, hand_over_new, admin_client, admin_user, at
):
    at("2026-11-20")
    give(amount="50")
    pay_out()
    hand_over_new()
    payout = Payout.objects.get()
    address = f"{LIST}{payout.pk}/seen/"
    assert address in text_of(admin_client, page(payout))
    wrong = admin_client.post(address, {"on": "2026-11-21"})
    assert "This day is still to come." in wrong.content.decode()
    for _ in range(2):
        assert admin_client.post(address, {"on": "2026-11-20"}).status_code == 302
    payout.refresh_from_db()
    assert (payout.seen_on, payout.seen_by) == (dt.date(2026, 11, 20), admin_user)
    assert "Ticked by admin for November 20, 2026." in text_of(admin_client, address)
    assert LogEntry.objects.first().change_message == "Seen on the bank statement of 2026-11-20."
    assert admin_client.post(address, {"on": ""}).status_code == 302
    payout.refresh_from_db()
    assert (payout.seen_on, payout.seen_by, payout.seen_at) == (None, None, None)


def test_payout_that_came_back_was_not_seen(give, pay_out, stripe, hand_over_new, admin_client):
    give(amount="50")
    stripe.control(f"payouts/{pay_out()}/fail")
    hand_over_new()
    payout = Payout.objects.get()
    said = admin_client.post(f"{LIST}{payout.pk}/seen/", {"on": "2026-11-01"}).content.decode()
    assert "This payout is not at the bank." in said


@pytest.fixture
def batch(site, admin_user):
    """A check of November 20, booked and not yet at the bank."""
    batch = GiftBatch.objects.create(title="Mail", deposit_cents=5000)
    OfflineGift.objects.create(
        batch=batch, donor_name="Bo Li", amount_cents=5000, method="check", check_number="1",
        given_on=dt.date(2026, 11, 1),
    )  # fmt: skip
    return offline.book(batch=batch, by=admin_user)


def test_deposit_that_the_bank_does_not_show_is_told_after_a_week(batch, at, admin_client):
    at("2026-11-20")
    address = f"/admin/donations/giftbatch/{batch.pk}/seen/"
    early = admin_client.post(address, {"on": "2026-11-20"}).content.decode()
    assert "This batch was not taken to the bank yet." in early
    offline.deposit(batch=batch, on=dt.date(2026, 11, 12))
    told = "1 deposit of checks was not seen on the bank statement for a week."
    late = "/admin/donations/giftbatch/?deposited_on__lt=2026-11-13&seen_on__isnull=True"
    seen = []
    for day in (dt.date(2026, 11, 13), dt.date(2026, 11, 12)):
        GiftBatch.objects.update(deposited_on=day)
        seen.append(told in text_of(admin_client, DESK))
    assert seen == [False, True]
    assert late.replace("&", "&amp;") in text_of(admin_client, DESK)
    assert "1 batch of checks and other gifts" in text_of(admin_client, late)
    wrong = admin_client.post(address, {"on": "2026-11-11"}).content.decode()
    assert "It was taken to the bank on November 12, 2026." in wrong
    assert admin_client.post(address, {"on": "2026-11-14"}).status_code == 302
    assert told not in text_of(admin_client, DESK)
    assert "0 checks and other gifts" in text_of(admin_client, late)


def test_booked_batch_is_shown_in_dollars(batch, admin_client, client, django_user_model):
    page = f"/admin/donations/giftbatch/{batch.pk}/change/"
    booked = text_of(admin_client, page)
    assert booked.count('<div class="readonly">$50.00</div>') == 3  # the slip, the sum, the check
    assert "5000" not in booked
    GiftBatch.objects.update(booked_at=None)
    assert 'value="50"' in text_of(admin_client, page)
    reader = django_user_model.objects.create_user("ed", is_staff=True)
    names = ("view_giftbatch", "view_offlinegift")
    reader.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(reader)
    assert text_of(client, page).count('<div class="readonly">$50.00</div>') == 3


# --- suspense -------------------------------------------------------------------------------


@pytest.fixture
def fee(site, stripe, at):
    """What the processor charges for its service, which nobody foresaw."""
    at("2026-10-20")
    stripe.control("balance_transactions", type="stripe_fee", amount=-123, currency="usd")
    call_command("reconcile", since="3")
    return LedgerEntry.objects.get()


def explain_address(entry: LedgerEntry) -> str:
    return f"/admin/donations/ledgerentry/{entry.pk}/explain/"


def test_suspense_is_explained_once_by_a_new_entry(fee, admin_client, admin_user, at):
    at("2026-11-20")
    admin_client.force_login(admin_user)
    assert "1 movement waits in suspense: say what it is." in text_of(admin_client, DESK)
    assert "1 ledger entry" in text_of(admin_client, "/admin/donations/ledgerentry/?suspense=waits")
    address = explain_address(fee)
    assert address in text_of(admin_client, f"/admin/donations/ledgerentry/{fee.pk}/change/")
    form = {"account": "processing_fees", "note": "Radar, invoice 77"}
    assert admin_client.post(address, {**form, "note": ""}).status_code == 200
    assert admin_client.post(address, form).status_code == 302
    again = admin_client.post(address, form, follow=True).content.decode()
    assert "This movement does not wait in suspense (any more)." in again
    entry = LedgerEntry.objects.get(kind="explained")
    assert (entry.journal_on, entry.note) == (dt.date(2026, 10, 20), "Radar, invoice 77")
    balances = LedgerPosting.objects.all().balances()
    assert (balances["suspense"], balances["processing_fees"], balances["stripe_clearing"]) == (
        0, 123, -123,
    )  # fmt: skip
    assert "waits in suspense" not in text_of(admin_client, DESK)
    assert address not in text_of(admin_client, f"/admin/donations/ledgerentry/{fee.pk}/change/")
    call_command("month_close", "2026-10")  # its explanation stands in the same month


def test_money_that_came_in_is_explained_the_other_way(site, stripe):
    stripe.control("balance_transactions", type="adjustment", amount=700, currency="usd")
    call_command("reconcile", since="3")
    entry = LedgerEntry.objects.get()
    for account in (Account.BANK, Account.PROCESSING_FEES):  # the first word counts
        explaining.explain(entry=entry, account=account, note="Top-up")
    balances = LedgerPosting.objects.all().balances()
    assert (balances["suspense"], balances["bank"], balances["processing_fees"]) == (0, -700, 0)


def test_suspense_does_not_become_a_gift(fee, begin, stripe):
    for account in (Account.GIFT_REVENUE, Account.REFUNDS, Account.SUSPENSE):
        with pytest.raises(explaining.CannotExplain):
            explaining.explain(entry=fee, account=account, note="x")
    assert LedgerEntry.objects.count() == 1


def test_other_currency_and_what_is_no_suspense_stay(site, stripe, give):
    give(amount="50")
    stripe.control("balance_transactions", type="adjustment", amount=700, currency="eur")
    call_command("reconcile", since="3")
    for entry in LedgerEntry.objects.all():
        with pytest.raises(explaining.CannotExplain):
            explaining.explain(entry=entry, account=Account.BANK, note="x")
    assert LedgerEntry.objects.count() == 2


def test_payout_fits_once_its_suspense_is_explained(
    give, stripe, pay_out, hand_over_new, admin_client
):
    give(amount="50")
    stripe.control("balance_transactions", type="stripe_fee", amount=-200, currency="usd")
    pay_out()
    call_command("reconcile", since="3")
    payout = Payout.objects.get()
    assert payout.problem == "1 movement went to suspense."
    assert ">suspense</a>" in text_of(admin_client, page(payout))
    explaining.explain(
        entry=LedgerEntry.objects.in_suspense().get(), account=Account.PROCESSING_FEES, note="Fee"
    )
    payout.refresh_from_db()
    assert payout.problem == ""
    assert sums(payout) == (1, 5000, 0, -200, -140, 4660)
    html = text_of(admin_client, page(payout))
    assert "<td>stripe_fee</td>" in html
    assert ">suspense</a>" not in html


def test_only_the_treasurer_ticks_and_explains(
    fee, give, pay_out, hand_over_new, batch, client, django_user_model, treasurers_group
):
    give(amount="50")
    pay_out()
    hand_over_new()
    payout = Payout.objects.get()
    addresses = [
        f"{LIST}{payout.pk}/seen/", f"/admin/donations/giftbatch/{batch.pk}/seen/",
        explain_address(fee), f"{LIST}{payout.pk}/csv/", page(payout),
    ]  # fmt: skip
    user = django_user_model.objects.create_user("ed", is_staff=True)
    client.force_login(user)
    assert [client.get(address).status_code for address in addresses] == [403] * 5
    user.groups.add(treasurers_group)
    assert [client.get(address).status_code for address in addresses] == [200] * 5
