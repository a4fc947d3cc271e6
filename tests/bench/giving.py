"""What giving costs: paper, a hundred thousand gifts, fifty events a second.

Goals: issue "Giving", Figures.
"""

import datetime as dt
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, note
from tests.bench.places import HOST, open_site, postgresql, server, wait_for, worker

GIFTS, DONORS, FEW = 100_000, 20_000, 100
STATEMENTS, GIFTS_EACH = 1000, 12
EVENTS_A_SECOND, SECONDS = 50, 60
SECRET_KEY, SIGNING_SECRET = "sk_test_bench", "whsec_bench"


def paper(folder: Path) -> Iterator[Figure]:
    """Receipts and statements as PDF, set one after the other in one process."""
    open_site(folder)
    from donations import documents, statements
    from donations.models import Donor, Receipt
    from sistercities.shared.models import SiteSettings

    make_gifts(STATEMENTS * GIFTS_EACH, donors=STATEMENTS)
    receipt = Receipt.objects.order_by("pk").first()
    assert receipt
    took = [seconds(lambda: documents.receipt_pdf(receipt)) for _ in range(51)]
    note(f"the first receipt took {took[0] * 1000:.0f} ms")
    yield Figure("giving.paper.receipt_median", statistics.median(took[1:]) * 1000, 100, "ms")
    yield Figure("giving.paper.receipt_slowest", max(took) * 1000, 100, "ms")

    site, period = SiteSettings.load(), statements.Period.parse("2025")
    people = list(Donor.objects.order_by("pk")[:STATEMENTS])

    def set_all() -> None:
        for donor in people:
            found = statements.statement(donor=donor, period=period)
            documents.statement_pdf(found, site=site, issued_on=dt.date(2026, 1, 4))

    yield Figure("giving.paper.1000_statements", seconds(set_all), 60, "s")


def many(folder: Path) -> Iterator[Figure]:
    """The staff's pages and one more gift, beside a hundred gifts and a hundred thousand."""
    open_site(folder)
    from django.contrib.auth.models import User

    boss = User.objects.create_superuser("bench", "bench@example.org", "x")
    make_gifts(FEW, donors=FEW // 5)
    pages = {
        "desk": "/admin/donations/donation/desk/",
        "donor": donor_page(),
        "donors": "/admin/donations/donor/",
        "gifts": "/admin/donations/donation/",
        "campaign": campaign_page(),
    }
    few = {name: look(address, boss)[0] for name, address in pages.items()}
    one_more(boss)
    small = statistics.median(seconds(lambda: one_more(boss)) for _ in range(15))
    make_gifts(GIFTS, donors=DONORS)
    for name, address in pages.items():
        queries, took = look(address, boss)
        yield Figure(f"giving.many.{name}_queries", queries, {"donor": 8}.get(name, 20))
        yield Figure(f"giving.many.{name}_queries_few", few[name], queries)
        yield Figure(f"giving.many.{name}_time", took * 1000, 300, "ms")
    large = statistics.median(seconds(lambda: one_more(boss)) for _ in range(15))
    yield Figure("giving.many.one_gift", large * 1000, small * 1000, "ms", goal=1.2)


def webhooks(folder: Path) -> Iterator[Figure]:
    """Real events of the sandbox, signed and sent at a steady pace, beside the worker's work."""
    yield from webhooks_on(folder, "giving.webhooks")


def on_postgresql(folder: Path) -> Iterator[Figure]:
    """The same with PostgreSQL; left out, with a note, where no server answers."""
    with postgresql() as address:
        if not address:
            note("no PostgreSQL answers here, so giving.postgresql is left out")
            return
        os.environ["DATABASE_URL"] = address
        yield from webhooks_on(folder, "giving.postgresql")


def webhooks_on(folder: Path, name: str) -> Iterator[Figure]:
    os.environ |= {"STRIPE_SECRET_KEY": SECRET_KEY, "STRIPE_WEBHOOK_SECRET": SIGNING_SECRET}
    open_site(folder)
    from django.conf import settings

    from donations.sandbox import Sandbox

    box = Sandbox(secret_key=SECRET_KEY, webhook_secret=SIGNING_SECRET, debug=True)
    box.start()
    os.environ["STRIPE_API_BASE"] = settings.STRIPE_API_BASE = box.base_url
    try:
        yield from send_events(box, name)
    finally:
        box.stop()


def send_events(box: Any, name: str) -> Iterator[Figure]:
    import json
    from concurrent.futures import ThreadPoolExecutor
    from urllib.request import Request, urlopen

    from donations import checkout
    from donations.models import Donation, ProviderEvent
    from donations.sandbox.webhooks import signature
    from sistercities.shared.signing import new_token

    wanted = EVENTS_A_SECOND * SECONDS
    for _ in range(wanted // 2):
        checkout.start(checkout.Wish(new_token(), 5000, None, "Ann Lee", "ann@example.org"))
    for session in list(box.control("state")["objects"]["checkout.session"]):
        box.control(f"sessions/{session['id']}/complete", fee=140)
    events = box.control("state")["objects"]["event"][:wanted]
    bodies = [json.dumps(event).encode() for event in events]
    note(f"{len(bodies)} events of {wanted // 2} gifts")

    def send(port: int, body: bytes) -> tuple[int, float]:
        headers = {
            "Content-Type": "application/json",
            "Stripe-Signature": signature(body, [SIGNING_SECRET], int(time.time())),
        }
        begun = time.perf_counter()
        request = Request(f"http://{HOST}:{port}/webhooks/stripe/", body, headers)
        try:
            with urlopen(request, timeout=30) as answer:
                return answer.status, time.perf_counter() - begun
        except OSError as error:
            return getattr(error, "code", 0), time.perf_counter() - begun

    with server() as port, worker(), ThreadPoolExecutor(64) as pool:
        begun = time.perf_counter()
        sent = []
        for number, body in enumerate(bodies):
            time.sleep(max(0.0, begun + number / EVENTS_A_SECOND - time.perf_counter()))
            sent.append(pool.submit(send, port, body))
        answers = [future.result() for future in sent]
        took = sorted(span for _status, span in answers)
        waiting = ProviderEvent.objects.filter(state=ProviderEvent.State.RECEIVED)
        note(f"{waiting.count()} events wait for the worker when the last is answered")
        yield Figure(f"{name}.p95", took[int(len(took) * 0.95)] * 1000, 500, "ms")
        yield Figure(f"{name}.refused", sum(status != 200 for status, _ in answers), 0)
        wait_for(lambda: not waiting.exists(), seconds=900)
        note(f"all was followed {time.perf_counter() - begun:.0f} s after the first was sent")
        unpaid = Donation.objects.exclude(state=Donation.State.PAID)
        yield Figure(f"{name}.gifts_not_paid", unpaid.count(), 0)


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def look(address: str, boss: Any) -> tuple[int, float]:
    """The questions that a page asks, and its median time of five, in seconds."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME=HOST)
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    client.get(address)
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return len(asked), statistics.median(seconds(lambda: client.get(address)) for _ in range(5))


def donor_page() -> str:
    from django.urls import reverse

    from donations.models import Donor

    return reverse("admin:donations_donor_change", args=[Donor.objects.latest("pk").pk])


def campaign_page() -> str:
    from donations.models import Campaign

    return Campaign.objects.published().order_by("pk")[0].get_absolute_url()


def one_more(boss: Any) -> None:
    """A gift by bank transfer with all that belongs to it: books, receipt, paper, mail."""
    from donations import offline
    from donations.models import GiftBatch, OfflineGift

    batch = GiftBatch.objects.create(title="One more")
    OfflineGift.objects.create(
        batch=batch, method="transfer", amount_cents=2500, donor_name="Ann Lee",
        email="ann@example.org", given_on=dt.date(2026, 3, 1),
    )  # fmt: skip
    offline.book(batch=batch, by=boss)


def make_gifts(count: int, *, donors: int) -> None:
    """Paid gifts with their books and receipts, over 2022 to 2026, the newest donor with most."""
    from donations.models import (
        Campaign,
        Donation,
        Donor,
        LedgerEntry,
        LedgerPosting,
        Receipt,
        ReceiptSeries,
    )
    from sistercities.shared.signing import new_token

    note(f"making {count} gifts of {donors} donors …")
    dice = random.Random(count)
    people = Donor.objects.bulk_create(
        [Donor(name=f"Donor {n}", email_key=f"{new_token()}@example.org") for n in range(donors)]
    )
    campaign = Campaign.objects.published().order_by("pk").first()
    gifts = []
    for number in range(count):
        day = dt.date(2025, 1, 1) + dt.timedelta(days=number % 365)
        if count >= GIFTS:
            day = dt.date(2022, 1, 1) + dt.timedelta(days=dice.randrange(1780))
        donor = people[number % donors] if number % 50 or count < GIFTS else people[-1]
        gifts.append(
            Donation(
                form_token=new_token(), state="paid", provider="offline", method="transfer",
                amount_cents=dice.randint(500, 50_000), donor=donor, donor_name=donor.name,
                email=donor.email_key, designation="Where it is needed most", livemode=True,
                campaign=campaign if number % 3 == 0 else None,
                goods_services="none", given_on=day, paid_at=dt.datetime.now(dt.UTC),
            )
        )  # fmt: skip
    gifts = Donation.objects.bulk_create(gifts, batch_size=2000)
    entries = LedgerEntry.objects.bulk_create(
        [
            LedgerEntry(
                kind="received", donation=gift, currency="USD", offline_id=gift.token,
                journal_on=gift.given_on,
                occurred_at=dt.datetime.combine(gift.given_on, dt.time(18), dt.UTC),
            )
            for gift in gifts
        ],
        batch_size=2000,
    )  # fmt: skip
    LedgerPosting.objects.bulk_create(
        [
            LedgerPosting(
                entry=entry, debit="bank", credit="gift_revenue", amount_cents=gift.amount_cents
            )
            for entry, gift in zip(entries, gifts, strict=True)
        ],
        batch_size=2000,
    )
    last = dict(ReceiptSeries.objects.values_list("year", "last_serial"))
    receipts = []
    for gift in gifts:
        year = gift.given_on.year
        last[year] = last.get(year, 0) + 1
        inputs = {
            "organization": "Arvada Sister Cities International", "ein": "84-1234567",
            "postal_address": "8101 Ralston Road\nArvada, CO 80002", "donor": gift.donor_name,
            "amount_cents": gift.amount_cents, "currency": "USD",
            "given_on": gift.given_on.isoformat(), "designation": gift.designation,
            "goods_services": "none",
            "statement": "No goods or services were provided in exchange for this gift.",
        }  # fmt: skip
        receipts.append(
            Receipt(
                donation=gift, year=year, serial=last[year], number=f"{year}-{last[year]:06d}",
                amount_cents=gift.amount_cents, currency="USD", inputs=inputs,
            )
        )  # fmt: skip
    Receipt.objects.bulk_create(receipts, batch_size=2000)
    for year, serial in last.items():
        ReceiptSeries.objects.update_or_create(year=year, defaults={"last_serial": serial})


SCENES = {"giving.paper": paper, "giving.many": many, "giving.webhooks": webhooks,
          "giving.postgresql": on_postgresql}  # fmt: skip
