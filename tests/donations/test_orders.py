"""Events in any order, repeated and lost: what became of a gift is what Stripe says, always the
same (giving.md hazards 1, 2 and 11, F9, F10, D22).
"""

import shutil
from collections.abc import Sequence
from random import Random

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from donations import checkout, reconciling
from donations.invariants import CHECKS
from donations.models import (
    CheckoutAttempt,
    Donation,
    LedgerPosting,
    ProviderEvent,
    RecurringGift,
)
from sistercities.shared import clock
from tests.thoroughness import IN_CI, rounds

ORDERS = rounds(12, in_ci=30, thorough=500)
LIVES = {
    "its fee comes late": ["pay late", "settle"],
    "a bank debit that fails": ["pay unpaid", "debit failed"],
    "a bank debit, given back": ["pay unpaid", "debit succeeded", "refund 5000"],
    "two refunds, of which one comes back": ["pay", "refund 1500", "refund 500", "come back"],
    "a dispute that is won": ["pay late", "settle", "refund 500", "dispute 2000", "won"],
    "a dispute that is lost": ["pay", "dispute 5000", "lost"],
    "monthly, mended by another card": ["monthly", "pay", "renew paid", "renew failed",
                                        "renew paid"],
    "monthly, until the last try fails": ["monthly", "pay", "renew failed", "renew failed",
                                          "renew final_failure"],
    "monthly, a renewal is given back": ["monthly", "pay", "renew paid", "refund 2000"],
}  # fmt: skip


class Life:
    """One gift, and what happens to it at Stripe, fact by fact. Nobody tells us but by events."""

    def __init__(self, sandbox) -> None:
        self.sandbox = sandbox
        start_anew(sandbox)
        self.told: set[str] = set()
        self.began_at = clock.now()
        self.frequency = "one_time"

    def control(self, path: str, **body) -> dict:
        return self.sandbox.control(path, **body)

    def newest(self, kind: str) -> str:
        return self.control("state")["objects"][kind][-1]["id"]

    def happen(self, fact: str) -> list[dict]:
        """Its events, the earliest first."""
        verb, _space, how = fact.partition(" ")
        match verb:
            case "monthly":
                self.frequency = "monthly"
            case "pay":
                self._pay(how)
            case "settle":
                self.control(f"charges/{self.newest('charge')}/settle", fee=140)
            case "debit":
                self.control(f"payments/{self.newest('payment_intent')}/async", result=how)
            case "refund":
                self.control(f"payments/{self.newest('payment_intent')}/refund", amount=int(how))
            case "come":
                first = self.control("state")["objects"]["refund"][0]["id"]
                self.control(f"refunds/{first}/fail")
            case "dispute":
                address = f"payments/{self.newest('payment_intent')}/dispute"
                self.control(address, amount=int(how), fee=1500)
            case "won" | "lost":
                self.control(f"disputes/{self.newest('dispute')}/close", result=verb)
            case "renew":
                self.control(f"subscriptions/{self.newest('subscription')}/renew", result=how)
        events = self.control("state")["objects"].get("event", [])
        new = [event for event in events if event["id"] not in self.told]
        self.told.update(event["id"] for event in new)
        return new

    def _pay(self, how: str) -> None:
        checkout.start(
            checkout.Wish(
                form_token="form-1", chosen_cents=5000, campaign=None, donor_name="Ann Lee",
                email="ann@example.org", frequency=self.frequency,
            )
        )  # fmt: skip
        self.control(
            f"sessions/{CheckoutAttempt.objects.get().session_id}/complete", fee=140,
            payment_status="unpaid" if how == "unpaid" else "paid", settle=how != "late",
        )  # fmt: skip

    def payments(self) -> list[str]:
        return [row["id"] for row in self.control("state")["objects"]["payment_intent"]]

    def stripes_balance(self) -> int:
        rows = self.control("state")["objects"].get("balance_transaction", [])
        return sum(row["net"] for row in rows)


def start_anew(sandbox) -> None:
    """Stripe and the register of receipts forget; the database does so by itself."""
    sandbox.control("reset")
    shutil.rmtree(django_settings.PRIVATE_MEDIA_ROOT, ignore_errors=True)


def outcome(payments: Sequence[str] = ()) -> dict:
    """What must not depend on the order: money, states and what donors hold in their hands. The
    gifts stand in the order of these payments: that of our rows is the order of the events.
    """
    gifts = Donation.objects.with_returned().order_by("pk").prefetch_related("receipts")
    place = {reference: number for number, reference in enumerate(payments)}
    plans = RecurringGift.objects.order_by("form_token")
    return {
        "accounts": LedgerPosting.objects.all().balances(),
        "gifts": [
            (
                gift.shown_state, gift.state, gift.amount_cents, gift.needs_attention,
                [row.amount_cents for row in gift.receipts.all() if row.state == "current"],
                sorted(gift.refunds.values_list("state", "amount_cents")),
                list(gift.disputes.values_list("status", flat=True)),
                sorted(gift.ledger_entries.values_list("kind", flat=True)),
            )
            for gift in sorted(gifts, key=lambda gift: place.get(gift.provider_reference, 0))
        ],
        "plans": [(row.state, row.amount_cents, row.needs_attention) for row in plans],
        "waiting": ProviderEvent.objects.exclude(state="processed").count(),
    }  # fmt: skip


def live(life: Life, facts: list[str], hand_over) -> dict:
    """In order, each event once."""
    for fact in facts:
        for event in life.happen(fact):
            hand_over(event)
    return outcome(life.payments())


def live_in_disorder(life: Life, facts: list[str], dice: Random, hand_over) -> dict:
    """Facts happen in order; their events come when they come, twice, or never. What never came
    is found in Stripe's own lists in the end.
    """
    facts, on_their_way, come = list(facts), [], []
    is_lost = False
    while facts or on_their_way:
        moves = [*(["fact"] if facts else []), *(["come", "come", "lose"] if on_their_way else []),
                 *(["again"] if come else [])]  # fmt: skip
        match dice.choice(moves):
            case "fact":
                on_their_way += life.happen(facts.pop(0))
            case "come":
                come.append(on_their_way.pop(dice.randrange(len(on_their_way))))
                hand_over(come[-1])
            case "lose":
                on_their_way.pop(dice.randrange(len(on_their_way)))
                is_lost = True
            case "again":
                hand_over(dice.choice(come))
    if is_lost:
        reconciling.reconcile(since=life.began_at)
    return outcome(life.payments())


@pytest.fixture
def hand_over(deliver):
    def hand(event: dict) -> None:
        assert deliver(event) == [200]

    return hand


def test_d22_f10_any_order_of_events_ends_in_one_state(site, stripe, hand_over):
    expected: dict[str, dict] = {}
    tried = 0

    def afresh(run) -> dict:
        with transaction.atomic():
            life = Life(stripe.sandbox)
            said = run(life)
            assert said["accounts"]["stripe_clearing"] == life.stripes_balance()
            assert {name: list(check()) for name, check in CHECKS.items()} == dict.fromkeys(
                CHECKS, []
            )
            transaction.set_rollback(True)
        return said

    @settings(
        max_examples=ORDERS, deadline=None, derandomize=not IN_CI, database=None, print_blob=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.sampled_from(sorted(LIVES)), st.randoms(use_true_random=False))
    def in_any_order(name: str, dice: Random) -> None:
        nonlocal tried
        facts = LIVES[name]
        if name not in expected:
            expected[name] = afresh(lambda life: live(life, facts, hand_over))
        assert afresh(lambda life: live_in_disorder(life, facts, dice, hand_over)) == expected[name]
        tried += 1

    in_any_order()
    print(f"{tried} orders of the events of {len(expected)} lives")
    assert tried >= ORDERS
