"""A year of gifts for the demo, through the same code as real ones and the stand-in for Stripe.

The clock of both is moved from day to day, so receipts, books, statements and closed months are
those of a year that was lived. Only with DEBUG, and only where nobody has given yet.
"""

import contextlib
import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from donations import (
    checkout,
    closing,
    offline,
    payouts,
    recurring,
    refunds,
    selling,
    sync,
    trip_fees,
)
from donations.models import (
    Account,
    Campaign,
    Donation,
    ExpectedMatch,
    GiftBatch,
    LedgerPosting,
    OfflineGift,
    RecurringGift,
    Ticket,
    TripFee,
)
from donations.sandbox import Sandbox
from exchanges.models import Event, Visit
from sistercities.shared import clock
from sistercities.shared.models import OutgoingMessage, SiteSettings
from sistercities.shared.signing import new_token

# Invented people; the addresses lead nowhere.
PEOPLE = (
    "Ruth Abbott", "Daniel Ortiz", "Mei Zhang", "Harold Finch", "Aigerim Sadykova",
    "Nora O'Brien", "Tom Kessler", "Grace Lindqvist", "Samuel Boyd", "Elena Petrova",
    "Lucy Tran", "Walter Haas", "Joan McAllister", "Peter Novak",
)  # fmt: skip
AMOUNTS = (2500, 2500, 5000, 5000, 5000, 7500, 10_000, 10_000, 25_000, 1500)
MONTHS = 12
FEE_POINTS, FEE_FIXED = 290, 30


def is_wanted() -> bool:
    return settings.DEBUG and not Donation.objects.exists() and Campaign.objects.exists()


def load_year() -> int:
    """Gives a year of gifts; how many there are then. Takes some seconds.

    Among them: gifts covered and in memory, two monthly ones of which one fails, refunds in part
    and whole, a dispute that waits and one that was lost, a match that an employer promised, names
    on a campaign's page, seats at an event, checks at the bank, a batch that is not booked, a
    grant, goods, and all months closed but the last two. Beside them the trip fees of one visit:
    paid, open, overdue, given back.
    """
    box = Sandbox(
        secret_key=settings.STRIPE_SECRET_KEY,
        webhook_secret=",".join(settings.STRIPE_WEBHOOK_SECRETS),
        state_file=settings.VAR_DIR / "sandbox.json",
    )
    box.start()
    before = settings.STRIPE_API_BASE, settings.CLOCK
    settings.STRIPE_API_BASE = box.base_url
    box.control("delivery", drop=True)  # everything is fetched here, at once
    try:
        Year(box, SiteSettings.load()).live()
    finally:
        settings.STRIPE_API_BASE, settings.CLOCK = before
        box.control("clock", now=None)
        box.control("delivery", drop=0)
        box.stop()
    # These letters are history: nobody waits for them.
    OutgoingMessage.objects.filter(sent_at=None).update(sent_at=timezone.now())
    return Donation.objects.counting().count()


@dataclass
class Year:
    box: Sandbox
    site: SiteSettings
    dice: random.Random = field(default_factory=lambda: random.Random(1995))

    def live(self) -> None:
        today = timezone.localdate(timezone.now(), self.site.zone)
        months = [_months_before(today, count) for count in range(MONTHS, -1, -1)]
        campaigns = [None, None, *Campaign.objects.published().order_by("order", "title")]
        staff = User.objects.filter(is_superuser=True).order_by("pk").first()
        visit = Visit.objects.published().coming().first()
        plans: list[RecurringGift] = []
        for number, first in enumerate(months):
            for day in sorted(self.dice.sample(range(2, 27), 2)):
                if (on := first.replace(day=day)) < today:
                    with self.day(on):
                        open_then = [c for c in campaigns if not c or not _is_over(c, on)]
                        self.card(self.dice.choice(open_then), number)
            with self.day(min(first.replace(day=27), today)):
                if number == 2:
                    plans = [
                        self.begin_plan("Grace Lindqvist", 2500),
                        self.begin_plan("Tom Kessler", 1500),
                    ]
                elif number > 2 and first.replace(day=27) < today:
                    self.renew(plans, is_failing=number == len(months) - 2)
                is_last = number == len(months) - 1
                if staff:
                    self.by_hand(number, first, staff, is_last=is_last)
                    if visit and number == len(months) - 2:
                        self.trip_fees(visit, staff, today)
                self.pay_out(None if is_last else staff)
        with self.day(today):
            self.expect_match(next(filter(None, campaigns), None))
            self.sell()
            self.send_back(staff)
            if staff:
                self.send_fee_back(staff)
                self.close_months(staff)

    @contextlib.contextmanager
    def day(self, on: dt.date) -> Iterator[None]:
        """The afternoon of a day in the organisation's zone, here and at the processor."""
        moment = min(
            dt.datetime.combine(on, dt.time(15, self.dice.randrange(60)), self.site.zone),
            timezone.now(),
        )
        settings.CLOCK = moment.astimezone(dt.UTC)
        self.box.control("clock", now=settings.CLOCK.isoformat())
        timezone.activate(self.site.zone)
        try:
            yield
        finally:
            timezone.deactivate()

    def card(self, campaign: Campaign | None, number: int, **extra: Any) -> Donation:
        name = self.dice.choice(PEOPLE)
        if number % 4 == 1:
            extra |= {"tribute_kind": "memory", "tribute_name": "Margaret Haas"}
        wish = checkout.Wish(
            form_token=new_token(),
            chosen_cents=extra.pop("cents", self.dice.choice(AMOUNTS)),
            campaign=campaign,
            donor_name=name,
            email=_mailbox(name),
            is_anonymous=self.dice.random() < 0.15,
            is_listed=bool(campaign and campaign.has_names and self.dice.random() < 0.7),
            **extra,
        )
        return self.give(wish)

    def give(self, wish: checkout.Wish) -> Donation:
        checkout.start(wish)
        gift = Donation.objects.get(form_token=wish.form_token)
        self.pay(gift.attempts.get().session_id, gift.amount_cents)
        return sync.sync_checkout(donation=gift)

    def expect_match(self, campaign: Campaign | None) -> None:
        """An employer is named, and its match is promised."""
        company = "Ralston Instruments (demonstration)"
        gift = self.card(campaign, number=0, cents=30_000, employer=company)
        ExpectedMatch.objects.create(
            company=company, amount_cents=gift.amount_cents, employee_gift=gift,
            campaign=campaign, expected_on=clock.today() + dt.timedelta(days=60),
        )  # fmt: skip

    def sell(self) -> None:
        """Some seats at the next events that sell any."""
        events = Event.objects.published().upcoming()
        tickets = list(Ticket.objects.on_sale().filter(event__in=events).select_related("event"))
        for number, name in enumerate(PEOPLE[: 4 * len(tickets)]):
            seats = (selling.Seats(tickets[number % len(tickets)], self.dice.randint(1, 3)),)
            self.give(
                checkout.Wish(
                    form_token=new_token(), chosen_cents=selling.together(seats), campaign=None,
                    donor_name=name, email=_mailbox(name), seats=seats,
                    message="One of us eats no meat." if number % 3 == 1 else "",
                )
            )  # fmt: skip

    def pay(self, session_id: str | None, cents: int) -> None:
        self.box.control(f"sessions/{session_id}/complete", fee=_fee(cents))

    def begin_plan(self, name: str, cents: int) -> RecurringGift:
        wish = checkout.Wish(
            form_token=new_token(), chosen_cents=cents, campaign=None, donor_name=name,
            email=_mailbox(name), frequency="monthly",
        )  # fmt: skip
        checkout.start(wish)
        plan = RecurringGift.objects.get(form_token=wish.form_token)
        self.pay(plan.attempts.get().session_id, cents)
        recurring.sync_plan(plan=plan)
        plan.refresh_from_db()
        return plan

    def renew(self, plans: list[RecurringGift], *, is_failing: bool) -> None:
        for plan in plans:
            fails = is_failing and plan == plans[-1]
            plan.refresh_from_db()
            if plan.state != RecurringGift.State.ACTIVE:
                continue
            result = {"result": "failed"} if fails else {"fee": _fee(plan.amount_cents)}
            self.box.control(f"subscriptions/{plan.provider_reference}/renew", **result)
            recurring.sync_plan(plan=plan)

    def by_hand(self, number: int, first: dt.date, staff: User, *, is_last: bool) -> None:
        """Checks every other month; once a grant and chairs; the last batch is not booked yet."""
        if number % 2 and not is_last:
            return
        batch = GiftBatch.objects.create(title=f"Mail of {first:%B %Y}")
        rows = [
            {"method": "check", "check_number": str(1000 + number * 3 + row),
             "amount_cents": self.dice.choice((5000, 10_000, 20_000)),
             "donor_name": self.dice.choice(PEOPLE), "donor_address": "Arvada, CO 80002"}
            for row in range(2)
        ]  # fmt: skip
        if number == 4:
            rows.append({"method": "daf", "check_number": "88012", "amount_cents": 100_000,
                         "donor_name": "Front Range Charitable (demonstration)",
                         "adviser_name": "Joan McAllister"})  # fmt: skip
        if number == 6:
            rows.append({"method": "in_kind", "donor_name": "Walter Haas",
                         "description": "Forty folding chairs for the garden party"})  # fmt: skip
        for row in rows:
            OfflineGift.objects.create(batch=batch, given_on=first, **row)
        batch.deposit_cents = batch.entered_cents
        batch.save(update_fields=["deposit_cents"])
        if not is_last:
            offline.book(batch=batch, by=staff)
            offline.deposit(batch=batch, on=clock.today())
            payouts.see(deposit=batch, on=clock.today(), by=staff)

    def trip_fees(self, visit: Visit, staff: User, today: dt.date) -> None:
        """What the delegates of one visit are asked to pay: two by card, one by check, and two
        that are not paid, of which one is late.
        """
        fees = []
        for place, name in enumerate(PEOPLE[:5]):
            fee = TripFee(
                visit=visit, delegate_name=name, email=_mailbox(name), purpose="Deposit",
                amount_cents=60_000, due_on=today + dt.timedelta(days=-6 if place == 3 else 30),
            )  # fmt: skip
            trip_fees.ask(fee=fee, by=staff)
            fees.append(fee)
        for fee in fees[:2]:
            trip_fees.pay(fee=fee)
            self.pay(fee.attempts.get().session_id, fee.amount_cents)
            trip_fees.sync_fee(fee=fee)
        trip_fees.take_by_hand(
            fee=fees[2], method="check", on=clock.today(), check_number="2071", is_at_bank=True
        )

    def send_fee_back(self, staff: User) -> None:
        """One delegate does not travel after all."""
        fee = TripFee.objects.filter(method="card").order_by("pk").first()
        if fee:
            refunds.ask_of_fee(
                fee=fee, cents=fee.amount_cents, reason="withdrew", note="Broke a leg.",
                asked_by=staff, form_token=new_token(),
            )  # fmt: skip

    def pay_out(self, seen_by: User | None) -> None:
        """What has come so far goes to the bank; somebody may have seen it there."""
        there = LedgerPosting.objects.all().balances()[Account.STRIPE_CLEARING]
        if there > 0:
            payout = self.box.control("payouts", amount=there)
            kept = payouts.keep(payouts.read(payout["id"]))
            if seen_by:
                payouts.see(deposit=kept, on=clock.today(), by=seen_by)

    def send_back(self, staff: User | None) -> None:
        """A refund in part and a whole one, a dispute that waits and one that was lost."""
        gifts = Donation.objects.filter(method="card", plan=None, employer="", ticket_lines=None)
        cards = list(gifts.order_by("-paid_at"))
        part, whole = [gift for gift in cards if gift.amount_cents >= 5000][:2]
        open_one, lost = [gift for gift in cards if gift not in (part, whole)][:2]
        if staff:
            for gift, cents, reason in (
                (part, 2000, "donor"), (whole, whole.amount_cents, "duplicate"),
            ):  # fmt: skip
                refunds.ask(
                    donation=gift, cents=cents, reason=reason, note="Asked by phone.",
                    asked_by=staff, form_token=new_token(),
                )  # fmt: skip
        for gift, result in ((open_one, None), (lost, "lost")):
            dispute = self.box.control(f"payments/{gift.provider_reference}/dispute")
            if result:
                self.box.control(f"disputes/{dispute['id']}/close", result=result)
            sync.sync_payment(donation=gift, payment_ref=gift.provider_reference)

    def close_months(self, staff: User) -> None:
        for _ in range(MONTHS - 2):
            month = closing.first_open()
            if month is None:
                return
            try:
                closing.close(month=month, by=staff)
            except closing.CannotClose:
                return


def _is_over(campaign: Campaign, on: dt.date) -> bool:
    return bool(campaign.ends_on and campaign.ends_on < on)


def _mailbox(name: str) -> str:
    plain = "".join(letter for letter in name.lower() if letter.isalpha() or letter == " ")
    return f"{plain.replace(' ', '.')}@sister-cities.example"


def _fee(cents: int) -> int:
    return (cents * FEE_POINTS + 5000) // 10_000 + FEE_FIXED


def _months_before(day: dt.date, count: int) -> dt.date:
    """The first day of the month that was so many months ago."""
    index = day.year * 12 + day.month - 1 - count
    return dt.date(index // 12, index % 12 + 1, 1)
