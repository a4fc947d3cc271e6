"""Against card testing: proofs, limits, the breaker, and that donors at an event can still give."""

import datetime as dt
import json
import re
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone

from donations import admission
from donations.admission import Admission, Level
from donations.models import CheckoutAttempt, Donation, ProviderEvent
from sistercities.shared.models import OutgoingMessage


@pytest.fixture(autouse=True)
def middle_of_a_window(time_machine):
    """Limits count by fixed windows of time: no test may stand at the end of one."""
    time_machine.move_to(dt.datetime(2026, 11, 21, 12, 5, tzinfo=dt.UTC))


def admit(number: int = 0, proof: str = "") -> Admission:
    return admission.admit(address="203.0.113.7", email=f"a{number}@example.org", proof=proof)


def declined(count: int) -> None:
    ProviderEvent.objects.bulk_create(
        ProviderEvent(
            event_id=f"evt_{number}", type="payment_intent.payment_failed", body="{}",
            livemode=False, state="processed",
        )
        for number in range(count)
    )  # fmt: skip


def paid(count: int) -> None:
    Donation.objects.bulk_create(
        Donation(
            form_token=f"paid-{number}", amount_cents=500, state="paid", donor_name="Ann",
            designation="x", given_on=dt.date(2026, 11, 21), paid_at=timezone.now(),
        )
        for number in range(count)
    )  # fmt: skip


def test_reader_without_script_has_five_tries_in_ten_minutes(site):
    found = [admit(number) for number in range(6)]
    assert found == [Admission.WELCOME] * 5 + [Admission.COME_BACK_LATER]


def test_a_roomful_of_donors_behind_one_address_can_give(site, no_proof):
    """An event: a hundred people, one address, all within ten minutes, each with a proof."""
    found = [admit(number) for number in range(101)]
    assert found == [Admission.WELCOME] * 100 + [Admission.COME_BACK_LATER]


def test_proof_counts_once_and_a_wrong_one_is_refused(site, solved):
    proof = solved()
    assert admit(1, proof) == Admission.WELCOME
    assert admit(2, proof) == Admission.PROOF_FAILED
    assert admit(3, "nonsense") == Admission.PROOF_FAILED


def test_one_mailbox_begins_five_gifts_a_day(site, no_proof):
    found = [admit(0) for _ in range(6)]
    assert found == [Admission.WELCOME] * 5 + [Admission.COME_BACK_LATER]


@pytest.mark.parametrize(
    ("declines", "gifts", "level"),
    [
        (0, 0, Level.CALM),
        (39, 0, Level.CALM),  # too few to say anything
        (40, 0, Level.PAUSED),
        (20, 20, Level.CALM),
        (21, 20, Level.GUARDED),
        (89, 11, Level.GUARDED),
        (90, 10, Level.PAUSED),
    ],
)
def test_breaker_reads_the_share_of_declined_cards(declines, gifts, level, site):
    declined(declines)
    paid(gifts)
    assert admission.level() == level


def test_breaker_closes_again_by_itself(site, time_machine):
    declined(60)
    assert admission.level() == Level.PAUSED
    time_machine.move_to(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11))
    assert admission.level() == Level.CALM


@pytest.mark.parametrize(
    ("begun", "level"), [(149, Level.CALM), (150, Level.GUARDED), (600, Level.PAUSED)]
)
def test_breaker_counts_gifts_that_were_begun(begun, level, site):
    gift = Donation.objects.create(
        form_token="x", amount_cents=500, donor_name="Ann", designation="x"
    )
    CheckoutAttempt.objects.bulk_create(
        CheckoutAttempt(
            donation=gift, number=number, idempotency_key=f"key-{number}", params={},
            expires_at=timezone.now(),
        )
        for number in range(begun)
    )  # fmt: skip
    assert admission.level() == level


def test_guarded_site_takes_donors_with_a_proof_only_and_tells_staff_once(site, solved):
    declined(30)
    paid(15)
    assert admit(1) == Admission.PROOF_NEEDED
    assert admit(2, solved()) == Admission.WELCOME
    letter = OutgoingMessage.objects.get(key__startswith="gift-breaker:")
    assert letter.to == "hello@example.org"
    assert "guarded" in letter.subject


def test_paused_form_charges_nobody_and_keeps_what_was_typed(site, client, gift_form, stripe):
    fields = gift_form(preset="25", name="Ann Lee")
    declined(50)
    answer = client.post("/donate/", fields)
    html = answer.content.decode()
    assert answer.status_code == 503
    assert "We cannot take gifts at the moment. Nothing was charged." in html
    assert 'value="Ann Lee"' in html
    assert stripe.objects("checkout.session") == []
    assert "declin" not in html.lower()  # no oracle for whoever tests cards
    assert "paused" in OutgoingMessage.objects.get().subject


def test_form_carries_what_the_browser_needs_for_a_proof(site, client):
    html = client.get("/donate/").content.decode()
    form = re.search(r'<form class="give-form.*?</form>', html, re.S)[0]
    assert 'data-challenge="/newsletter/challenge/"' in form
    assert '<input type="hidden" name="proof" value="">' in form


def test_gift_that_was_begun_comes_again_without_counting(begin, client, gift_form):
    fields = gift_form(preset="25")
    codes = [client.post("/donate/", fields).status_code for _ in range(8)]
    assert codes == [303] * 8


def test_treasurers_group_may_settle_money_and_no_more(db):
    """Made by a migration. Run here: a test that empties all tables takes the group away."""
    migration = import_module("donations.migrations.0014_treasurer")
    migration.make_treasurer(apps, SimpleNamespace(connection=connection))
    group = Group.objects.get(name="Treasurer")
    names = set(group.permissions.values_list("codename", flat=True))
    assert {"refund_donation", "view_ledgerentry", "add_closedmonth"} <= names
    assert not {"delete_donation", "add_donation", "change_ledgerentry"} & names
    assert set(group.permissions.values_list("content_type__app_label", flat=True)) == {"donations"}


@pytest.mark.parametrize("typed", ["9.99", "100.01"])
def test_limits_of_a_gift_are_settings(typed, site, client, gift_form):
    site.smallest_gift, site.largest_gift = 10, 100
    site.save()
    assert "The smallest gift that we can take by card is $10." in client.get(
        "/donate/"
    ).content.decode()  # fmt: skip
    answer = Client().post("/donate/", gift_form(preset="other", amount=typed))
    assert Donation.objects.count() == 0
    limit = "$10." if typed == "9.99" else "$100."
    assert limit in answer.content.decode()


def test_event_of_a_declined_card_is_stored_and_changes_nothing(begin, stripe, deliver):
    gift = begin()
    stripe.control(f"sessions/{gift.attempts.get().session_id}/decline")
    deliver(*stripe.events("payment_intent.payment_failed"))
    assert json.loads(ProviderEvent.objects.get().body)["type"] == admission.DECLINED
    gift.refresh_from_db()
    assert gift.state == "open"
