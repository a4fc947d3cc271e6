"""The letters about a gift that repeats: that it began, that a card failed, that it ended, and that
a yearly one is near (giving.md D24). Receipts are written elsewhere, one for each gift.

Every letter is a row in the outbox with a key of its own: it goes out once, however often we look.
"""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse

from donations.models import RecurringGift
from donations.providers.base import InvoiceSnap
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings
from sistercities.shared.money import format_exact

BEGAN, ENDED = "donations/emails/recurring_began", "donations/emails/recurring_ended"
FAILING, NEAR = "donations/emails/recurring_failing", "donations/emails/recurring_near"
NOTICE_DAYS = 7
LAST_TRY = 3


def began(*, plan: RecurringGift, site: SiteSettings) -> None:
    """Says what was agreed and how to stop it. Runs in the transaction that holds the plan, as do
    the two below.
    """
    _send(plan, site, f"plan:{plan.token}:began", BEGAN)


def failing(*, plan: RecurringGift, invoice: InvoiceSnap, site: SiteSettings) -> None:
    """Once for each try to charge the card, with the page on which another card pays."""
    is_last = invoice.attempts >= LAST_TRY or invoice.next_attempt_at is None
    _send(
        plan,
        site,
        f"plan:{plan.pk}:failing:{invoice.invoice_ref}:{invoice.attempts}",
        FAILING,
        owed=format_exact(invoice.amount_cents, invoice.currency),
        pay_url=invoice.pay_url,
        next_attempt_at=invoice.next_attempt_at,
        is_first=invoice.attempts == 1 and not is_last,
        is_last=is_last,
    )


def ended(*, plan: RecurringGift, is_card: bool, site: SiteSettings) -> None:
    """`is_card`: nobody stopped it, the card could not be charged."""
    path = plan.campaign.get_absolute_url() if plan.campaign else reverse("donations:give")
    _send(
        plan,
        site,
        f"plan:{plan.token}:ended",
        ENDED,
        is_card=is_card,
        give_url=f"{settings.SITE_URL}{path}?frequency={plan.interval}",
    )


def announce_yearly() -> int:
    """Tells the donors whose yearly gift is charged in the next 7 days, once for each due date;
    the number told now.
    """
    site = SiteSettings.load()
    today = clock.today()
    near = RecurringGift.objects.running().filter(
        Q(announced_on=None) | ~Q(announced_on=F("next_on")),
        interval=RecurringGift.Interval.YEARLY,
        next_on__gt=today,
        next_on__lte=today + dt.timedelta(days=NOTICE_DAYS),
    )
    pks = list(near.order_by("pk").values_list("pk", flat=True))
    told = 0
    for pk in pks:
        with transaction.atomic():
            plan = RecurringGift.objects.select_for_update().get(pk=pk)
            _send(plan, site, f"plan:{plan.token}:near:{plan.next_on}", NEAR)
            RecurringGift.objects.filter(pk=pk).update(announced_on=plan.next_on)
            told += 1
    return told


def _send(plan: RecurringGift, site: SiteSettings, key: str, letter: str, **more: Any) -> None:
    queue_mail(
        key=key,
        template=letter,
        to=plan.email,
        context={
            "plan": plan,
            "amount": format_exact(plan.amount_cents, plan.currency),
            "is_monthly": plan.interval == RecurringGift.Interval.MONTHLY,
            "organization": site.name,
            "postal_address": site.postal_address,
            "plan_url": f"{settings.SITE_URL}{plan.get_absolute_url()}",
            "is_test": not plan.livemode,
            **more,
        },
    )
