"""Two at once: real threads, real transactions, one outcome."""

from threading import Barrier, Event, Thread

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test import Client

from donations import changing, checkout, receipts, recurring, sync, webhooks
from donations.invariants import CHECKS
from donations.models import Donation, LedgerEntry, ProviderEvent, Receipt, RecurringGift
from sistercities.shared.mail import send_waiting
from sistercities.shared.models import OutgoingMessage, SiteSettings
from tests.thoroughness import rounds

from .conftest import send_event

pytestmark = pytest.mark.django_db(transaction=True)


def together(*calls) -> list:
    """Runs every call in a thread of its own, all let go at the same moment; their results."""
    barrier = Barrier(len(calls))
    results: list = [None] * len(calls)

    def run(place, call):
        try:
            barrier.wait(10)
            results[place] = call()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    failures = [result for result in results if isinstance(result, Exception)]
    if failures:
        raise ExceptionGroup("in the threads", failures)
    return results


def test_f3_webhook_and_return_page_together(begin, stripe):
    donation = begin()
    stripe.pay(donation)
    events = stripe.events()
    stripe.control("faults", path="/v1/payment_intents", times=4, latency_ms=150)
    answers = together(
        lambda: Client().get(donation.get_absolute_url()).status_code,
        *(lambda event=event: send_event(event).status_code for event in events),
        lambda: Client().get(donation.get_absolute_url()).status_code,
    )
    assert set(answers) == {200}
    ProviderEvent.objects.update(next_try_at=donation.created_at)
    sync.sweep()
    donation.refresh_from_db()
    assert (donation.state, donation.needs_attention) == ("paid", "")
    assert [receipt.serial for receipt in Receipt.objects.all()] == [1]
    assert (LedgerEntry.objects.count(), OutgoingMessage.objects.count()) == (1, 1)
    assert set(ProviderEvent.objects.values_list("state", flat=True)) == {"processed"}


def test_f3_webhook_and_return_page_together_many_times(site, stripe):
    many = rounds(10, in_ci=20, thorough=500)
    for number in range(many):
        wish = checkout.Wish(
            form_token=f"form-{number}", chosen_cents=5000 + number, campaign=None,
            donor_name="Ann Lee", email="ann@example.org",
        )  # fmt: skip
        checkout.start(wish)
        gift = Donation.objects.get(form_token=wish.form_token)
        stripe.sandbox.control(f"sessions/{gift.attempts.get().session_id}/complete", fee=140)
        events = stripe.latest("events", limit=2)
        assert {event["type"] for event in events} == {
            "checkout.session.completed", "charge.updated"
        }  # fmt: skip
        answers = together(
            lambda gift=gift: Client().get(gift.get_absolute_url()).status_code,
            *(lambda event=event: send_event(event).status_code for event in events),
        )
        assert answers == [200, 200, 200]
    print(f"{many} gifts")
    ProviderEvent.objects.update(next_try_at=gift.created_at)
    sync.sweep()
    send_waiting()
    assert {name: list(check()) for name, check in CHECKS.items()} == {"I1": [], "I2": [], "I3": []}
    paid = Donation.objects.filter(state="paid", needs_attention="").values_list("amount_cents")
    amounts = [5000 + number for number in range(many)]
    assert sorted(cents for (cents,) in paid) == amounts
    given = Receipt.objects.filter(state="current")
    assert sorted(given.values_list("amount_cents", flat=True)) == amounts
    assert sorted(given.values_list("serial", flat=True)) == list(range(1, many + 1))
    assert LedgerEntry.objects.count() == many
    assert OutgoingMessage.objects.count() == len(mail.outbox) == many
    assert set(ProviderEvent.objects.values_list("state", flat=True)) == {"processed"}


def test_hazard_3_one_fetch_at_a_time(begin, stripe):
    donation = begin()
    stripe.pay(donation)
    stripe.control("faults", path="/v1/checkout/sessions", method="GET", times=1, latency_ms=500)

    def look() -> str:
        try:
            return sync.sync_checkout(donation=donation).state
        except sync.GiftBusy:
            return "busy"

    assert sorted(together(look, look)) == ["busy", "paid"]
    assert len(stripe.requests("/v1/checkout/sessions", "GET")) == 1


def test_form_sent_twice_at_once_opens_one_page(site, stripe, client, gift_form):
    fields = gift_form(preset="25")
    stripe.control("faults", path="/v1/checkout/sessions", times=1, latency_ms=200)

    def send() -> tuple[int, str]:
        response = Client().post("/donate/", fields)
        return response.status_code, response.headers.get("Location", "")

    first, second = together(send, send)
    assert first == second
    assert first[0] == 303
    assert Donation.objects.count() == 1
    assert len(stripe.objects("checkout.session")) == 1


def test_i3_receipt_numbers_of_many_at_once(site):
    gifts = [
        Donation.objects.create(
            form_token=f"form-{number}", amount_cents=5000, state="paid", donor_name="Ann",
            email="ann@example.org", designation="x", goods_services="none",
            given_on="2026-11-21", paid_at="2026-11-21T12:00:00Z",
        )
        for number in range(8)
    ]  # fmt: skip

    def issue(pk: int) -> int:
        with transaction.atomic():
            gift = Donation.objects.get(pk=pk)
            return receipts.issue(donation=gift, site=SiteSettings.load()).serial

    serials = together(*(lambda pk=gift.pk: issue(pk) for gift in gifts))
    assert sorted(serials) == list(range(1, 9))


def test_f11_two_workers_follow_an_event_once(begin, stripe, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    stripe.pay(begin())
    send_event(stripe.events("checkout.session.completed")[0])
    [event] = ProviderEvent.objects.all()
    results = together(*(lambda: webhooks.process(event.pk) for _ in range(3)))
    assert sorted(results) == [False, False, True]
    event.refresh_from_db()
    assert (event.attempts, event.state) == (1, "processed")
    assert Receipt.objects.count() == 1


def test_d22_same_event_delivered_in_parallel(begin, stripe):
    stripe.pay(begin())
    event = stripe.events("checkout.session.completed")[0]
    answers = together(*(lambda: send_event(event).status_code for _ in range(4)))
    assert answers == [200] * 4
    assert ProviderEvent.objects.count() == 1
    assert (Receipt.objects.count(), OutgoingMessage.objects.count()) == (1, 1)


def test_page_webhooks_and_two_workers_begin_one_plan(begin_plan, stripe):
    plan = begin_plan()
    stripe.pay(plan)
    events = stripe.events()
    stripe.control("faults", path="/v1/subscriptions", times=3, latency_ms=150)
    stripe.control("faults", path="/v1/payment_intents", times=3, latency_ms=150)
    answers = together(
        lambda: Client().get(plan.get_absolute_url()).status_code,
        *(lambda event=event: send_event(event).status_code for event in events),
        lambda: Client().get(plan.get_absolute_url()).status_code,
    )
    assert set(answers) == {200}
    ProviderEvent.objects.update(next_try_at=plan.created_at)
    together(sync.sweep, sync.sweep)
    plan.refresh_from_db()
    assert (plan.state, plan.needs_attention, plan.donations.count()) == ("active", "", 1)
    assert plan.donations.get().state == "paid"
    assert (Receipt.objects.count(), LedgerEntry.objects.count()) == (1, 1)
    assert OutgoingMessage.objects.count() == 2
    assert set(ProviderEvent.objects.values_list("state", flat=True)) == {"processed"}


def test_hazard_3_late_answer_about_a_plan_is_thrown_away(give_plan, stripe):
    """What was fetched before a stop must not say afterwards that the gift goes on."""
    plan = give_plan()
    stripe.control("faults", path="/v1/invoices", method="GET", times=1, latency_ms=1500)

    def look() -> str:
        try:
            return recurring.sync_plan(plan=plan).state
        except sync.GiftBusy:
            return "busy"

    def stop_and_look() -> str:
        while len(stripe.requests("/v1/invoices", "GET")) == seen:
            pass
        recurring.provider.cancel_plan(plan_ref=plan.provider_reference)
        # As if the first process had taken too long to keep its place.
        RecurringGift.objects.update(lease_until=plan.created_at)
        return recurring.sync_plan(plan=plan).state

    seen = len(stripe.requests("/v1/invoices", "GET"))
    assert together(look, stop_and_look) == ["busy", "canceled"]
    plan.refresh_from_db()
    assert plan.state == "canceled"


def test_one_form_begins_one_gift_even_with_two_frequencies_at_once(site, stripe, gift_form):
    fields = gift_form(preset="25")

    def send(frequency: str) -> int:
        return Client().post("/donate/", {**fields, "frequency": frequency}).status_code

    answers = together(lambda: send("one_time"), lambda: send("monthly"))
    assert 409 in answers
    assert len(stripe.objects("checkout.session")) == answers.count(303) <= 1


def test_button_pressed_twice_at_once_changes_once(give_plan, stripe):
    plan = give_plan()
    stripe.control("faults", path="/v1/subscriptions", method="POST", times=1, latency_ms=300)
    address = f"{plan.get_absolute_url()}change/"
    fields = {"action": "amount", "number": "1", "amount": "40"}
    answers = together(*(lambda: Client().post(address, fields).status_code for _ in range(3)))
    assert answers == [303] * 3
    changing.carry_out_waiting()
    plan.refresh_from_db()
    assert (plan.amount_cents, plan.changes.get().state) == (4000, "done")
    assert [e["type"] for e in stripe.events()].count("customer.subscription.updated") == 1


def test_nothing_is_locked_while_stripe_is_asked(begin, stripe):
    """On SQLite an open write transaction would stop every other writer."""
    donation = begin()
    stripe.pay(donation)
    stripe.control("faults", path="/v1/payment_intents", times=1, latency_ms=1500)
    done = Event()

    def look():
        try:
            sync.sync_checkout(donation=donation)
        finally:
            done.set()
            connection.close()

    thread = Thread(target=look)
    thread.start()
    while not stripe.requests("/v1/payment_intents", "GET"):
        assert not done.is_set()
    SiteSettings.objects.update(tagline="Written meanwhile")
    was_first = not done.is_set()
    thread.join(30)
    assert was_first
    donation.refresh_from_db()
    assert donation.state == "paid"
