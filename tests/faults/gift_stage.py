"""Jobs of giving for a stage: each is what one process of the site would do, and can be killed at
any of its places: before a statement, before and after a commit, before and after a request.
"""

import json
import os
import signal
from pathlib import Path

from tests.faults.stage import JOBS, job, main

CENTS = 5000
OF_STRIPE = ("BalanceTransaction", "Charge", "Dispute", "PaymentIntent", "Refund", "StripeClient")


@job
def dying_at(place: str, counted: str, name: str, *arguments: str) -> None:
    """Another job, killed at its place with this number; at 0 it lives, and writes down how many
    there are.
    """
    import requests.adapters
    from django.db import connection

    passed = 0

    def pass_by() -> None:
        nonlocal passed
        passed += 1
        if passed == int(place):
            os.kill(os.getpid(), signal.SIGKILL)

    def around(execute, *said):
        pass_by()
        return execute(*said)

    def between(call):
        def with_places(*said, **named):
            pass_by()
            result = call(*said, **named)
            pass_by()
            return result

        return with_places

    connection._commit = between(connection._commit)
    requests.adapters.HTTPAdapter.send = between(requests.adapters.HTTPAdapter.send)
    with connection.execute_wrapper(around):
        JOBS[name](*arguments)
    Path(counted).write_text(str(passed))


@job
def prepare_giving() -> None:
    from django.contrib.auth.models import User

    from sistercities.shared.models import SiteSettings

    SiteSettings.objects.create(
        name="Arvada Sister Cities", ein="84-1234567", postal_address="8101 Ralston Road"
    )
    User.objects.create_user("tess")


@job
def begin(*form_tokens: str) -> None:
    """Donors send the form; the same token is the same form."""
    from donations import checkout

    for token in form_tokens:
        checkout.start(
            checkout.Wish(
                form_token=token, chosen_cents=CENTS, campaign=None, donor_name="Ann Lee",
                email=f"{token}@example.org",
            )
        )  # fmt: skip


@job
def take_events(folder: str, *names: str) -> None:
    """Stripe hands over events; what they wake up runs in the same process."""
    from donations import webhooks

    for name in names:
        path = Path(folder, name)
        headers = {"Stripe-Signature": path.with_suffix(".signature").read_text()}
        webhooks.receive(raw_body=path.read_bytes(), headers=headers)


@job
def take_lost_events(folder: str, *names: str) -> None:
    """Stripe sends again what was never stored, and nothing else: the rest is ours to do."""
    from donations.models import ProviderEvent

    stored = ProviderEvent.objects.values_list("event_id", flat=True)
    take_events(folder, *(name for name in names if Path(name).stem not in set(stored)))


@job
def give_back(form_token: str) -> None:
    """The treasurer gives 20 dollars of this gift back."""
    from django.contrib.auth.models import User

    from donations import refunds
    from donations.models import Donation

    refunds.ask(
        donation=Donation.objects.get(form_token=form_token), cents=2000, reason="donor", note="",
        asked_by=User.objects.get(), form_token=f"back-{form_token}",
    )  # fmt: skip


@job
def write_down(*titles: str) -> None:
    """Two checks in each batch, not booked yet."""
    from donations.models import GiftBatch, OfflineGift

    for title in titles:
        batch = GiftBatch.objects.create(title=title, deposit_cents=2 * CENTS)
        for number in range(2):
            OfflineGift.objects.create(
                batch=batch, donor_name="Ben", email=f"{title}@example.org", method="check",
                check_number=str(number), amount_cents=CENTS, given_on="2026-11-20",
            )  # fmt: skip


@job
def book(title: str) -> None:
    from django.contrib.auth.models import User

    from donations import offline
    from donations.models import GiftBatch

    offline.book(batch=GiftBatch.objects.get(title=title), by=User.objects.get())


@job
def go_on(path: str, key: str, name: str, *arguments: str) -> None:
    """Minutes pass, somebody tries again, the clock's job runs; then what came of it."""
    from donations import sync
    from donations.models import Donation, ProviderEvent
    from sistercities.shared import mail
    from sistercities.shared.models import OutgoingMessage

    long_ago = "2020-01-01T00:00:00Z"
    Donation.objects.exclude(lease_until=None).update(lease_until=long_ago)
    ProviderEvent.objects.filter(state="received").update(next_try_at=long_ago)
    OutgoingMessage.objects.filter(sent_at=None).update(next_try_at=long_ago)
    JOBS[name](*arguments)
    sync.sweep()
    mail.send_waiting()
    tell(path, key)


@job
def tell(path: str, key: str) -> None:
    """What became of the gifts of one donor, and whether all is well, as JSON."""
    from donations import invariants
    from donations.models import Donation, LedgerPosting, ProviderEvent
    from sistercities.shared.invariants import whole_database
    from sistercities.shared.models import OutgoingMessage

    checks = {**invariants.CHECKS, "I6": whole_database}
    said = {
        "gifts": [
            {
                "state": gift.state,
                "sessions": list(gift.attempts.values_list("session_id", flat=True)),
                "receipts": list(gift.receipts.order_by("serial").values_list(
                    "state", "amount_cents")),
                "refunds": list(gift.refunds.values_list("state", "amount_cents")),
                "booked": list(gift.ledger_entries.order_by("pk").values_list("kind", flat=True)),
            }
            for gift in Donation.objects.filter(email=f"{key}@example.org").order_by("pk")
        ],
        "mails": OutgoingMessage.objects.filter(to=f"{key}@example.org").count(),
        "outbox": OutgoingMessage.objects.count(),
        "unsent": OutgoingMessage.objects.filter(sent_at=None).count(),
        "waiting": ProviderEvent.objects.exclude(state="processed").count(),
        "broken": {name: str(found) for name, check in checks.items() if (found := list(check()))},
        "clearing": LedgerPosting.objects.all().balances()["stripe_clearing"],
    }  # fmt: skip
    Path(path).write_text(json.dumps(said))


def load() -> None:
    """What each player would find out anew: half a second for a gift. Typst itself must wait, for
    its threads do not outlive a fork.
    """
    import contextlib
    import importlib

    import stripe
    from django.template.loader import get_template
    from django.urls import reverse
    from django.utils import timezone

    from donations import (  # noqa: F401
        checkout,
        invariants,
        offline,
        receipts,
        refunds,
        tasks,
        webhooks,
    )  # fmt: skip
    from sistercities.shared import pdf

    reverse("donations:give")
    for end in ("subject.txt", "txt", "html"):
        get_template(f"{receipts.MAIL}.{end}")
    for name in OF_STRIPE:
        getattr(stripe, name)
    importlib.import_module("stripe.checkout")
    with contextlib.suppress(pdf.MissingGlyph):
        pdf.render("", {"": "\U0010fffd"}, title="", made_at=timezone.now())


if __name__ == "__main__":
    main(load)
