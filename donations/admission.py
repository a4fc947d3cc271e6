"""Who may begin a gift at this moment: the layers against card testing (trust.md; giving.md, D23).

Many people may give from one address, such as at an event, if their browsers did a small piece of
work; a reader without script gets a few tries. Above that stands a breaker for the whole site: it
reads what came of the last ten minutes from the rows themselves.
"""

import datetime as dt
import logging
from enum import Enum, IntEnum, auto

from django.db import transaction
from django.utils import timezone

from donations.models import CheckoutAttempt, Donation, ProviderEvent
from sistercities.shared import limits, proof_of_work
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings

logger = logging.getLogger(__name__)
TEN_MINUTES, DAY = 600, 86_400
# Tries of one place: in ten minutes and in a day.
WITH_PROOF, WITHOUT_PROOF = (100, 400), (5, 20)
A_MAILBOX_A_DAY = 5
# In ten minutes over the whole site.
MANY_STARTS, TOO_MANY_STARTS = 150, 600
JUDGED = 40  # paid and declined together; fewer say nothing
DECLINED = "payment_intent.payment_failed"


class Admission(Enum):
    WELCOME = auto()
    PROOF_FAILED = auto()
    PROOF_NEEDED = auto()
    COME_BACK_LATER = auto()
    PAUSED = auto()


class Level(IntEnum):
    """CALM; GUARDED: only with a proof; PAUSED: nobody until it is calmer."""

    CALM = 0
    GUARDED = 1
    PAUSED = 2


def level() -> Level:
    """How the last ten minutes look. A decline is told by the processor, whoever caused it.

    Guarded where most of at least 40 cards were declined, or very many gifts were begun; paused
    where nine of ten were declined, or even more were begun.
    """
    since = timezone.now() - dt.timedelta(seconds=TEN_MINUTES)
    begun = CheckoutAttempt.objects.filter(created_at__gte=since).count()
    declined = ProviderEvent.objects.filter(type=DECLINED, received_at__gte=since).count()
    judged = declined + Donation.objects.paid().filter(paid_at__gte=since).count()
    if begun >= TOO_MANY_STARTS or (judged >= JUDGED and declined * 10 >= judged * 9):
        return Level.PAUSED
    if begun >= MANY_STARTS or (judged >= JUDGED and declined * 2 > judged):
        return Level.GUARDED
    return Level.CALM


def admit(*, address: str, email: str, proof: str) -> Admission:
    """Counts one try to begin a gift. Raises what the shared cache raises when it is away."""
    present = level()
    if present != Level.CALM:
        _alert(present)
    if present == Level.PAUSED:
        return Admission.PAUSED
    if proof and not proof_of_work.holds(proof):
        return Admission.PROOF_FAILED
    has_proof = bool(proof) or proof_of_work.is_off()
    if present == Level.GUARDED and not has_proof:
        return Admission.PROOF_NEEDED
    kind, (soon, daily) = ("proved", WITH_PROOF) if has_proof else ("bare", WITHOUT_PROOF)
    place = limits.network(address)
    if (
        limits.allowed(f"gift-start-{kind}", place, times=soon, seconds=TEN_MINUTES)
        and limits.allowed(f"gift-day-{kind}", place, times=daily, seconds=DAY)
        and limits.allowed("gift-email", email.lower(), times=A_MAILBOX_A_DAY, seconds=DAY)
    ):
        return Admission.WELCOME
    return Admission.COME_BACK_LATER


def _alert(present: Level) -> None:
    """One mail an hour and level to staff."""
    site = SiteSettings.load()
    logger.error("Gifts are guarded against card testing, level %s", present.name)
    if not site.email:
        return
    with transaction.atomic():
        queue_mail(
            key=f"gift-breaker:{present.name}:{timezone.now():%Y-%m-%d-%H}",
            template="donations/emails/breaker",
            to=site.email,
            context={"is_paused": present == Level.PAUSED, "organization": site.name},
        )
