"""Tells staff that what comes to our door is not signed as it should be (giving.md F12).

A secret that was changed, or a clock that is minutes off, loses every event, and nobody else would
notice for days.
"""

import datetime as dt
import logging

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from donations.models import ProviderEvent
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import OutgoingMessage, SiteSettings

logger = logging.getLogger(__name__)
TEN_MINUTES = 600
JUDGED = 5  # failures; fewer say nothing


def count_refused() -> None:
    """Counts a delivery whose signature does not hold. Staff get a mail, at most one an hour, once
    at least five in ten minutes do not, and more than half.

    Never raises: a cache or database that is away must not change the answer at the door.
    """
    try:
        refused = _counted()
        if refused >= JUDGED and not _taken(refused):
            _alert(refused)
    except Exception:
        logger.exception("A delivery with a wrong signature could not be counted")


def _counted() -> int:
    """How many there were in this window of ten minutes, this one included."""
    key = f"webhook-refused:{int(timezone.now().timestamp()) // TEN_MINUTES}"
    cache.add(key, 0, timeout=TEN_MINUTES)
    refused = cache.incr(key)
    cache.touch(key, TEN_MINUTES)  # a cache in the database forgets the span with each step
    return refused


def _taken(times: int) -> bool:
    """Whether at least so many events were taken in the last ten minutes. Reads one row."""
    since = clock.now() - dt.timedelta(seconds=TEN_MINUTES)
    latest = ProviderEvent.objects.order_by("-pk").values_list("received_at", flat=True)
    return any(received_at >= since for received_at in latest[times - 1 : times])


def _alert(refused: int) -> None:
    key = f"webhook-alarm:{timezone.now():%Y-%m-%d-%H}"
    site = SiteSettings.load()
    if not site.email or OutgoingMessage.objects.filter(key=key).exists():
        return
    logger.error("The signatures of %d events in ten minutes did not hold", refused)
    with transaction.atomic():
        queue_mail(
            key=key,
            template="donations/emails/webhook_alarm",
            to=site.email,
            context={"refused": refused, "organization": site.name},
        )
