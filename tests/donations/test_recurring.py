"""Gifts that repeat: how they begin, are charged, fail, are mended and end (giving.md D4, D24)."""

import datetime as dt
import json
import random
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from donations import due_days, plan_letters, recurring, sync
from donations.models import (
    CheckoutAttempt,
    Donation,
    LedgerEntry,
    LedgerPosting,
    ProviderEvent,
    Receipt,
    RecurringGift,
)
from donations.providers.stripe import EVENT_TYPES
from sistercities.shared.models import OutgoingMessage

from .conftest import form_fields

SESSIONS = "/v1/checkout/sessions"


def letters(part: str) -> list[OutgoingMessage]:
    """The letters about a plan of one sort, oldest first."""
    return list(OutgoingMessage.objects.filter(key__contains=f":{part}").order_by("pk"))


def gifts(plan) -> list[tuple[str, int, str]]:
    rows = plan.donations.order_by("pk")
    return [(gift.state, gift.amount_cents, str(gift.given_on)) for gift in rows]


def outcome() -> dict:
    """What must be the same whatever order the events came in."""
    return {
        "plans": list(RecurringGift.objects.values_list("state", "next_on", "needs_attention")),
        "gifts": sorted(Donation.objects.values_list("state", "given_on", "needs_attention")),
        "accounts": {k: v for k, v in LedgerPosting.objects.all().balances().items() if v},
        "entries": LedgerEntry.objects.count(),
        "receipts": sorted(Receipt.objects.values_list("amount_cents", "state")),
        "waiting": ProviderEvent.objects.exclude(state="processed").count(),
    }


# --- from the form to the first gift ----------------------------------------------------------


def test_page_is_asked_for_as_the_specification_says(begin_plan, stripe, at, make_campaign):
    at("2026-11-21")
    campaign = make_campaign(designation="The visit from Kyzylorda")
    plan = begin_plan(amount="62.50", frequency="yearly", campaign=campaign.slug)
    [request] = stripe.requests(SESSIONS)
    metadata = {
        "plan": plan.token, "attempt": "1", "form_token": plan.form_token, "interval": "yearly",
        "designation": "The visit from Kyzylorda", "donor_name": "Ann Lee",
        "campaign": campaign.slug,
    }  # fmt: skip
    page = f"http://127.0.0.1:8000/donate/recurring/{plan.token}/"
    assert request["idempotency_key"] == f"plan:{plan.token}:checkout:1"
    assert request["params"] == {
        "mode": "subscription",
        "ui_mode": "hosted_page",
        "submit_type": "donate",
        "locale": "en",
        "client_reference_id": plan.token,
        "customer_email": "ann@example.org",
        "success_url": page + "?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": f"http://127.0.0.1:8000/donate/{campaign.slug}/?amount=62.50"
        "&frequency=yearly&stopped=1",
        "expires_at": str(int(dt.datetime(2026, 11, 21, 12, 31, tzinfo=dt.UTC).timestamp())),
        "metadata": metadata,
        "adaptive_pricing": {"enabled": "false"},
        "subscription_data": {
            "metadata": metadata, "description": "Gift: The visit from Kyzylorda"
        },
        "line_items": {
            "0": {
                "quantity": "1",
                "price_data": {
                    "currency": "usd",
                    "unit_amount": "6250",
                    "product_data": {"name": "Gift: The visit from Kyzylorda"},
                    "recurring": {"interval": "year"},
                },
            }
        },
    }  # fmt: skip
    assert (plan.state, plan.interval, plan.donor_name) == ("open", "yearly", "Ann Lee")
    assert Donation.objects.count() == 0


def test_form_sent_twice_leads_to_the_same_page(site, stripe, client, gift_form):
    fields = gift_form(preset="25", frequency="monthly")
    first, second = client.post("/donate/", fields), client.post("/donate/", fields)
    assert first["Location"] == second["Location"]
    assert RecurringGift.objects.count() == len(stripe.objects("checkout.session")) == 1


@pytest.mark.parametrize(("first", "then"), [("monthly", "one_time"), ("one_time", "monthly"),
                                             ("monthly", "yearly")])  # fmt: skip
def test_form_sent_again_with_another_frequency_is_shown_again(
    first, then, site, stripe, client, gift_form
):
    fields = gift_form(preset="25", frequency=first)
    client.post("/donate/", fields)
    response = client.post("/donate/", {**fields, "frequency": then})
    assert response.status_code == 409
    assert form_fields(response.content.decode())["frequency"] == then
    assert len(stripe.objects("checkout.session")) == 1
    assert Donation.objects.count() + RecurringGift.objects.count() == 1


def test_form_of_a_plan_that_has_begun_leads_to_its_page(site, stripe, client, gift_form):
    fields = gift_form(preset="25", frequency="monthly")
    client.post("/donate/", fields)
    plan = RecurringGift.objects.get()
    stripe.pay(plan)
    assert client.post("/donate/", fields)["Location"] == plan.get_absolute_url()


def test_form_of_an_expired_page_is_shown_again(site, stripe, client, gift_form):
    fields = gift_form(preset="25", frequency="monthly")
    client.post("/donate/", fields)
    stripe.control(f"sessions/{CheckoutAttempt.objects.get().session_id}/expire")
    assert client.post("/donate/", fields).status_code == 409
    assert RecurringGift.objects.get().state == "expired"


def test_f2_lost_reply_is_replayed(site, stripe, client, gift_form):
    fields = gift_form(preset="25", frequency="monthly")
    stripe.control("faults", path=SESSIONS, method="POST", times=2, drop_reply=True)
    assert client.post("/donate/", fields).status_code == 503
    assert client.post("/donate/", fields).status_code == 303
    assert len(stripe.objects("checkout.session")) == 1


def test_f2_payment_on_a_page_whose_address_we_never_got(begin_plan, stripe, hand_over_new):
    plan = begin_plan()
    stripe.pay(plan)
    CheckoutAttempt.objects.update(session_id=None, url="")
    RecurringGift.objects.update(state="draft")
    hand_over_new()
    plan.refresh_from_db()
    assert (plan.state, plan.needs_attention) == ("active", "")
    assert plan.donations.get().state == "paid"


def test_first_gift_is_a_gift_like_any_other(give_plan, at, make_campaign):
    at("2026-11-21")
    campaign = make_campaign()
    plan = give_plan(campaign=campaign.slug, message="Good luck", anonymous="on")
    gift = plan.donations.get()
    assert (plan.state, plan.next_on) == ("active", dt.date(2026, 12, 21))
    assert (gift.state, gift.kind, gift.amount_cents) == ("paid", "monthly", 2500)
    assert (gift.campaign, gift.designation) == (campaign, campaign.designation)
    assert (gift.message, gift.is_anonymous, gift.given_on) == (
        "Good luck", True, dt.date(2026, 11, 21),
    )  # fmt: skip
    assert outcome()["accounts"] == {
        "gift_revenue": -2500, "processing_fees": 85, "stripe_clearing": 2415,
    }  # fmt: skip
    assert gift.receipts.get().amount_cents == 2500


def test_employer_and_address_stand_on_each_gift(give_plan, renew, at):
    at("2026-11-21")
    plan = give_plan(employer="Acme", address="12 Elm Street")
    at("2026-12-21")
    renew(plan)
    assert list(plan.donations.values_list("employer", "donor_address")) == [
        ("Acme", "12 Elm Street"), ("Acme", "12 Elm Street"),
    ]  # fmt: skip


def test_d13_covered_fee_is_part_of_each_gift(give_plan, renew, at):
    at("2026-11-21")
    plan = give_plan(cover_fees="on")
    at("2026-12-21")
    renew(plan)
    assert set(plan.donations.values_list("amount_cents", "covered_fee_cents")) == {(2606, 106)}


def test_d18_family_is_told_once(give_plan, renew, at):
    at("2026-11-21")
    plan = give_plan(
        tribute_kind="memory", tribute_name="Grace Lee", notice_name="The Lees",
        notice_email="lees@example.org",
    )  # fmt: skip
    at("2026-12-21")
    renew(plan)
    assert OutgoingMessage.objects.filter(to="lees@example.org").count() == 1
    assert list(plan.donations.order_by("pk").values_list("tribute_kind", flat=True)) == [
        "memory", "",
    ]  # fmt: skip


# --- D24: what is said, and when --------------------------------------------------------------


def test_d24_button_and_terms_say_what_happens(site, client, at):
    at("2026-11-21")
    html = client.get("/donate/").content.decode()
    for words in (
        '<span data-when="month">each month</span>', '<span data-when="year">each year</span>',
        "is taken today, again on December 21, 2026 and then each month, until you stop it.",
        "is taken today, again on November 21, 2027 and then each year, until you stop it.",
        "Every receipt carries a link that stops it in two clicks.",
    ):  # fmt: skip
        assert words in html


def test_d24_nothing_repeats_unless_it_was_chosen(site, client, begin):
    assert form_fields(client.get("/donate/").content.decode())["frequency"] == "one_time"
    begin(frequency="")
    assert RecurringGift.objects.count() == 0


@pytest.mark.parametrize(
    ("link", "chosen"), [("monthly", "monthly"), ("yearly", "yearly"), ("x", "one_time")]
)
def test_d24_link_may_choose(link, chosen, site, client, make_campaign):
    for page in ("/donate/", make_campaign().get_absolute_url()):
        html = client.get(f"{page}?frequency={link}").content.decode()
        assert form_fields(html)["frequency"] == chosen


def test_d24_confirmation_says_amount_frequency_next_date_and_how_to_stop(give_plan, at):
    at("2026-11-21")
    plan = give_plan()
    [letter] = letters("began")
    assert letter.to == "ann@example.org"
    for words in ("$25.00", "Each month", "December 21, 2026", plan.get_absolute_url()):
        assert words in letter.text
        assert words in letter.html


def test_d24_every_receipt_carries_the_link(give_plan, give, renew, at):
    at("2026-11-21")
    plan = give_plan()
    at("2026-12-21")
    renew(plan)
    receipts = letters_of_receipts()
    assert len(receipts) == 2
    assert all(plan.get_absolute_url() in mail.text and "each month" in mail.text
               for mail in receipts)  # fmt: skip
    give(email="bob@example.org")
    assert "/donate/recurring/" not in letters_of_receipts()[-1].text


def letters_of_receipts() -> list[OutgoingMessage]:
    return list(OutgoingMessage.objects.filter(key__startswith="receipt:").order_by("pk"))


def test_d24_yearly_gift_is_announced_seven_days_before(give_plan, at):
    at("2026-11-21")
    plan = give_plan(frequency="yearly")
    give_plan(email="monthly@example.org")
    for day, told in (("2027-11-13", 0), ("2027-11-14", 1), ("2027-11-15", 0)):
        at(day)
        assert plan_letters.announce_yearly() == told, day
    [letter] = letters("near")
    assert "November 21, 2027" in letter.text
    assert "$25.00" in letter.text
    assert plan.get_absolute_url() in letter.text


def test_d24_night_that_was_missed_is_made_up_for(give_plan, at):
    at("2026-11-21")
    give_plan(frequency="yearly")
    at("2027-11-18")
    out = StringIO()
    call_command("daily", stdout=out)
    assert "yearly gifts that are near: 1 donors told" in out.getvalue()


def test_d24_ended_gift_is_not_announced(give_plan, stripe, hand_over_new, at):
    at("2026-11-21")
    plan = give_plan(frequency="yearly")
    recurring.provider.cancel_plan(plan_ref=plan.provider_reference)
    hand_over_new()
    at("2027-11-15")
    assert plan_letters.announce_yearly() == 0


# --- renewals ---------------------------------------------------------------------------------


def test_d4_each_charge_stands_alone(give_plan, renew, at):
    at("2026-11-21")
    plan = give_plan(amount="130")
    for day in ("2026-12-21", "2027-01-21"):
        at(day)
        renew(plan)
    assert gifts(plan) == [
        ("paid", 13000, "2026-11-21"), ("paid", 13000, "2026-12-21"), ("paid", 13000, "2027-01-21"),
    ]  # fmt: skip
    numbers = Receipt.objects.order_by("pk").values_list("number", flat=True)
    assert list(numbers) == ["2026-000001", "2026-000002", "2027-000001"]
    assert plan.next_on == dt.date(2027, 2, 21)
    assert LedgerPosting.objects.all().balances()["gift_revenue"] == -39000


def test_fee_that_comes_late_is_booked_with_its_gift(give_plan, renew, stripe, hand_over_new, at):
    at("2026-11-21")
    plan = give_plan()
    at("2026-12-21")
    renew(plan, settle=False)
    stripe.control(f"charges/{stripe.objects('charge')[-1]['id']}/settle", fee=99)
    hand_over_new()
    assert LedgerPosting.objects.all().balances()["processing_fees"] == 85 + 99
    assert set(LedgerEntry.objects.values_list("donation__plan", flat=True)) == {plan.pk}


def test_refund_of_a_renewal_corrects_its_receipt(give_plan, renew, stripe, hand_over_new, at):
    at("2026-11-21")
    plan = give_plan()
    at("2026-12-21")
    renew(plan)
    gift = plan.donations.latest("pk")
    stripe.control(f"payments/{gift.provider_reference}/refund", amount=1000)
    hand_over_new()
    states = gift.receipts.order_by("pk").values_list("amount_cents", "state")
    assert list(states) == [(2500, "void"), (1500, "current")]
    assert plan.donations.earliest("pk").receipts.get().amount_cents == 2500


def test_failed_charge_is_one_gift_that_may_still_be_paid(give_plan, renew, at):
    at("2026-11-21")
    plan = give_plan()
    at("2026-12-21")
    renew(plan, result="failed")
    assert (plan.state, gifts(plan)[1:]) == ("past_due", [("failed", 2500, "None")])
    assert plan.pay_url
    assert Receipt.objects.count() == 1
    at("2026-12-24")
    renew(plan, result="paid")
    assert (plan.state, plan.pay_url) == ("active", "")
    assert gifts(plan)[1:] == [("paid", 2500, "2026-12-24")]
    assert Receipt.objects.count() == 2


def test_one_calm_letter_for_each_try(give_plan, renew, at, stripe, deliver):
    at("2026-11-21")
    plan = give_plan()
    for day in ("2026-12-21", "2026-12-24", "2026-12-27"):
        at(day)
        renew(plan, result="failed")
    deliver(*stripe.events("invoice.payment_failed", "customer.subscription.updated"))
    first, second, last = letters("failing")
    assert "Your card did not pay $25.00" in first.subject
    assert "We try the card again on December 24." in first.text
    assert "Your card still does not pay $25.00" in second.subject
    assert "We could not take your gift of $25.00" in last.subject
    assert "We try the card again" not in last.text
    for letter in (first, second, last):
        assert plan.pay_url in letter.text
        assert plan.get_absolute_url() in letter.text


def test_mended_on_the_processors_page_the_gift_goes_on(give_plan, renew, stripe, at,
                                                        hand_over_new):  # fmt: skip
    import requests

    at("2026-11-21")
    plan = give_plan()
    at("2026-12-21")
    renew(plan, result="failed")
    requests.post(plan.pay_url, timeout=10)
    hand_over_new()
    plan.refresh_from_db()
    assert plan.state == "active"
    assert gifts(plan)[1:] == [("paid", 2500, "2026-12-21")]


def test_last_failure_ends_the_plan_kindly(give_plan, renew, at):
    at("2026-11-21")
    plan = give_plan()
    at("2026-12-21")
    renew(plan, result="failed")
    at("2026-12-24")
    renew(plan, result="final_failure")
    assert (plan.state, plan.next_on) == ("canceled", None)
    assert gifts(plan)[1:] == [("failed", 2500, "None")]
    [letter] = letters("ended")
    assert "Your card could not be charged any more" in letter.text
    assert "?frequency=monthly" in letter.text
    assert len(letters("failing")) == 1


def test_ended_plan_stays_ended(give_plan, stripe, deliver, hand_over_new):
    plan = give_plan()
    stale = stripe.events("customer.subscription.created")[0]
    recurring.provider.cancel_plan(plan_ref=plan.provider_reference)
    hand_over_new()
    deliver({**stale, "id": "evt_late", "type": "customer.subscription.updated"})
    plan.refresh_from_db()
    assert plan.state == "canceled"
    assert len(letters("ended")) == 1


def test_invoice_of_a_pause_is_no_gift(give_plan, renew, stripe, at, hand_over_new):
    at("2026-11-21")
    plan = give_plan()
    until = dt.datetime(2026, 12, 25, tzinfo=dt.UTC)
    provider = recurring.provider
    provider.change_plan(
        plan_ref=plan.provider_reference, key="k", params=provider.pause_params(until)
    )
    hand_over_new()
    plan.refresh_from_db()
    assert (plan.state, plan.next_on) == ("paused", dt.date(2027, 1, 21))
    at("2026-12-21")
    renew(plan)
    assert len(gifts(plan)) == 1
    at("2026-12-25")
    hand_over_new()
    plan.refresh_from_db()
    assert (plan.state, plan.next_on) == ("active", dt.date(2027, 1, 21))


def test_old_event_does_not_take_the_way_to_mend_it_away(give_plan, renew, stripe, deliver, at):
    at("2026-11-21")
    plan = give_plan()
    at("2026-12-21")
    renew(plan, result="failed")
    deliver({**stripe.events("invoice.paid")[0], "id": "evt_again"})
    plan.refresh_from_db()
    assert (plan.state, bool(plan.pay_url)) == ("past_due", True)


# --- a card network warns ---------------------------------------------------------------------


def test_early_fraud_warning_is_a_task_for_staff_once(give_plan, stripe, hand_over_new, at):
    at("2026-11-21")
    plan = give_plan()
    gift = plan.donations.get()
    stripe.control(f"charges/{stripe.objects('charge')[0]['id']}/fraud_warning")
    hand_over_new()
    gift.refresh_from_db()
    assert "Look at this by November 24" in gift.needs_attention
    [letter] = OutgoingMessage.objects.filter(key__startswith="fraud:")
    assert letter.to == "hello@example.org"
    assert f"/admin/donations/donation/{gift.pk}/change/" in letter.text
    Donation.objects.update(needs_attention="")  # a person has looked
    call_command("reconcile", since="1", stdout=StringIO())
    gift.refresh_from_db()
    assert gift.needs_attention == ""


def test_early_fraud_warning_of_which_no_event_came(give, stripe):
    gift = give()
    stripe.control(f"charges/{stripe.objects('charge')[0]['id']}/fraud_warning")
    call_command("reconcile", since="1", stdout=StringIO())
    gift.refresh_from_db()
    assert "A card network warns" in gift.needs_attention


# --- order, repeats, silence ------------------------------------------------------------------


def a_year_of_events(begin_plan, stripe, at) -> RecurringGift:
    """Begun, renewed, failed twice, mended, refunded in part, failed for the last time."""
    at("2026-11-21")
    plan = begin_plan()
    ref = stripe.pay(plan, fee=85)["subscription"]
    for day, result in (
        ("2026-12-21", "paid"), ("2027-01-21", "failed"), ("2027-01-24", "failed"),
        ("2027-01-27", "paid"), ("2027-02-21", "final_failure"),
    ):  # fmt: skip
        at(day)
        stripe.control(f"subscriptions/{ref}/renew", result=result, fee=85)
    payment = stripe.objects("payment_intent")[0]["id"]
    stripe.control(f"payments/{payment}/refund", amount=500)
    return plan


EXPECTED = {
    "plans": [("canceled", None, "")],
    "gifts": [
        ("failed", None, ""), ("paid", dt.date(2026, 11, 21), ""),
        ("paid", dt.date(2026, 12, 21), ""), ("paid", dt.date(2027, 1, 27), ""),
    ],
    "accounts": {
        "gift_revenue": -7500, "processing_fees": 255, "refunds": 500, "stripe_clearing": 6745,
    },
    "entries": 4,
    "receipts": [(2000, "current"), (2500, "current"), (2500, "current")],
    "waiting": 0,
}  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_d22_order_and_repeats_do_not_matter(seed, begin_plan, stripe, deliver, at):
    a_year_of_events(begin_plan, stripe, at)
    events = stripe.events()
    events += random.Random(seed).sample(events, len(events) // 2)
    random.Random(seed).shuffle(events)
    deliver(*events)
    found = outcome()
    found["receipts"] = [row for row in found["receipts"] if row[1] == "current"]
    assert found == EXPECTED
    # Once it has ended nobody is told that it began, or that a card fails.
    assert {len(letters(name)) for name in ("began", "failing")} == {0}
    assert len(letters("ended")) == 1


def test_h11_five_days_without_a_single_event(begin_plan, stripe, at):
    a_year_of_events(begin_plan, stripe, at)
    call_command("reconcile", since="2026-11-20", stdout=StringIO())
    found = outcome()
    found["receipts"] = [row for row in found["receipts"] if row[1] == "current"]
    assert found == EXPECTED
    out = StringIO()
    call_command("reconcile", since="2026-11-20", stdout=out)
    assert "0 newly booked" in out.getvalue()


def test_h11_balance_transactions_alone_lead_to_the_gifts(begin_plan, stripe, at):
    at("2026-11-21")
    plan = begin_plan()
    ref = stripe.pay(plan, fee=85)["subscription"]
    at("2026-12-21")
    stripe.control(f"subscriptions/{ref}/renew", fee=85)
    at("2027-02-01")  # events older than 30 days are gone
    call_command("reconcile", since="2026-11-01", stdout=StringIO())
    assert gifts(plan) == [("paid", 2500, "2026-11-21"), ("paid", 2500, "2026-12-21")]
    assert LedgerPosting.objects.all().balances()["suspense"] == 0


def test_every_type_of_event_is_asked_for_and_twenty_at_once(give_plan, stripe):
    give_plan()
    call_command("reconcile", since="1", stdout=StringIO())
    asked = [list(row["params"]["types"].values()) for row in stripe.requests("/v1/events", "GET")]
    assert sorted(sum(asked, [])) == sorted(EVENT_TYPES)
    assert max(len(types) for types in asked) <= 20


def test_f5_nothing_is_half_written(begin_plan, stripe, deliver):
    plan = begin_plan()
    stripe.pay(plan)
    stripe.control("faults", path="/v1/payment_intents", times=99, status=500)
    [paid] = stripe.events("invoice.paid")
    deliver(paid)
    assert (outcome()["entries"], outcome()["receipts"], outcome()["waiting"]) == (0, [], 1)
    stripe.control("faults", path="/v1/payment_intents", times=0)
    ProviderEvent.objects.update(next_try_at=timezone.now() - dt.timedelta(seconds=1))
    assert sync.sweep() == 1
    assert plan.donations.get().state == "paid"


def test_sweep_finds_a_page_that_ended_in_silence(begin_plan, stripe, later):
    paid, left = begin_plan(email="a@example.org"), begin_plan(email="b@example.org")
    stripe.pay(paid)
    stripe.control(f"sessions/{left.attempts.get().session_id}/expire")
    assert sync.sweep() == 0
    later(minutes=32)
    assert sync.sweep() == 2
    assert list(RecurringGift.objects.order_by("pk").values_list("state", flat=True)) == [
        "active", "expired",
    ]  # fmt: skip
    assert sync.sweep() == 0


def test_sweep_finds_a_renewal_of_which_nothing_was_heard(give_plan, renew, stripe, at):
    at("2026-11-21")
    plan = give_plan()
    for day in ("2026-12-21", "2027-01-21"):
        at(day)
        renew(plan, deliver=False)
    at("2027-01-22")
    sync.sweep()
    assert [state for state, _cents, _day in gifts(plan)] == ["paid"] * 3
    asked = len(stripe.state["requests"])
    sync.sweep()
    assert len(stripe.state["requests"]) == asked  # not every minute


def test_sweep_finds_the_end_of_which_nothing_was_heard(give_plan, renew, stripe, at):
    at("2026-11-21")
    plan = give_plan()
    at("2026-12-21")
    renew(plan, result="failed")
    at("2026-12-24")
    renew(plan, result="final_failure", deliver=False)
    assert plan.state == "past_due"
    assert sync.sweep() == 1
    plan.refresh_from_db()
    assert plan.state == "canceled"


def test_sweep_does_not_ask_every_minute_about_what_does_not_fit(give_plan, stripe, at):
    at("2026-11-21")
    plan = give_plan()
    RecurringGift.objects.update(interval="yearly", looked_at=None, next_on="2026-11-01")
    sync.sweep()
    plan.refresh_from_db()
    assert "is charged in other intervals than this gift." in plan.needs_attention
    asked = len(stripe.state["requests"])
    sync.sweep()
    assert len(stripe.state["requests"]) == asked


def test_sweep_finishes_a_gift_whose_payment_was_not_looked_at(give_plan, later):
    plan = give_plan()
    Donation.objects.update(state="processing", paid_at=None, given_on=None)
    later(minutes=3)
    assert sync.sweep() == 1
    assert plan.donations.get().state == "paid"


# --- what does not fit ------------------------------------------------------------------------


def test_another_amount_on_the_page_is_not_taken_for_ours(begin_plan, stripe, hand_over_new):
    plan = begin_plan()
    stripe.pay(plan)
    RecurringGift.objects.update(amount_cents=9900)
    hand_over_new()
    plan.refresh_from_db()
    assert plan.state == "open"
    assert "is for another amount than this gift." in plan.needs_attention
    assert Donation.objects.count() == 0
    call_command("reconcile", since="1", stdout=StringIO(), stderr=StringIO())
    assert outcome()["accounts"] == {
        "suspense": -2500, "processing_fees": 140, "stripe_clearing": 2360,
    }  # fmt: skip


def test_second_subscription_with_our_token_is_flagged(give_plan, begin_plan, stripe, deliver):
    plan = give_plan()
    other = begin_plan(email="bob@example.org")
    stripe.pay(other)
    [event] = stripe.events("customer.subscription.created")[-1:]
    event["data"]["object"]["metadata"]["plan"] = plan.token
    recurring.sync_plan(plan=plan, plan_ref=event["data"]["object"]["id"])
    plan.refresh_from_db()
    assert "is a second subscription for this gift." in plan.needs_attention
    assert plan.donations.count() == 1


def test_constraints_of_the_database(give_plan):
    plan = give_plan()
    gift = plan.donations.get()
    for wrong in (
        {"invoice_reference": None}, {"plan": None}, {"kind": "one_time"},
    ):  # fmt: skip
        with pytest.raises(IntegrityError, match="repeating_gift_has_plan_and_invoice"), \
                transaction.atomic():  # fmt: skip
            Donation.objects.filter(pk=gift.pk).update(**wrong)
    with pytest.raises(IntegrityError, match="begun_plan_has"), transaction.atomic():
        RecurringGift.objects.update(provider_reference=None)
    with pytest.raises(IntegrityError, match="attempt_is_for"), transaction.atomic():
        CheckoutAttempt.objects.update(donation=gift)
    with pytest.raises(IntegrityError), transaction.atomic():
        gift.pk, gift.form_token, gift.token = None, "x", "y"
        gift.provider_reference = ""
        gift.save(force_insert=True)


def test_ledger_lists_the_plans(give_plan, give):
    plan = give_plan()
    give(email="bob@example.org")
    out = StringIO()
    call_command("ledger", "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert report["recurring"] == [{"token": plan.token, "state": "active", "amount": 2500}]
    assert [row["kind"] for row in report["donations"]] == ["monthly", "one_time"]


# --- days -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "months", "on", "then"),
    [
        ("2027-01-31", 1, 0, "2027-02-28"), ("2027-02-28", 1, 31, "2027-03-31"),
        ("2026-12-05", 1, 0, "2027-01-05"), ("2028-02-29", 12, 0, "2029-02-28"),
        ("2027-01-31", 0, 28, "2027-01-28"),
    ],
)  # fmt: skip
def test_months_keep_their_day(day, months, on, then):
    assert due_days.after(dt.date.fromisoformat(day), months, on) == dt.date.fromisoformat(then)


@pytest.mark.parametrize(
    ("next_on", "on", "today", "then"),
    [
        ("2026-12-21", 5, "2026-11-21", "2026-12-05"),
        ("2026-12-21", 5, "2026-12-10", "2027-01-05"),
        ("2026-12-21", 28, "2026-12-20", "2026-12-28"),
        ("2026-12-21", 10, "2026-12-10", "2027-01-10"),
    ],
)
def test_moved_day_is_never_in_the_past(next_on, on, today, then):
    days = [dt.date.fromisoformat(day) for day in (next_on, today)]
    assert due_days.moved_to(days[0], on, days[1]) == dt.date.fromisoformat(then)
