"""Who may use the sign-up form at this moment (mail.md E2; trust.md, Limits).

Nothing here looks at the list of subscribers, so no answer says who is on it.
"""

import logging
from enum import Enum, auto

from sistercities.newsletter.models import normalise
from sistercities.shared import limits, proof_of_work

logger = logging.getLogger(__name__)
HOUR = 60 * 60
DAY = 24 * HOUR
# A roomful of people behind one address may all sign up, if their browsers did the work.
WITH_PROOF = {"place": 60, "everywhere": 500}
WITHOUT_PROOF = {"place": 5, "everywhere": 60}  # readers without script, an hour
TRIES_PER_MAILBOX = 5  # a day


class Admission(Enum):
    WELCOME = auto()
    PROOF_FAILED = auto()
    COME_BACK_LATER = auto()


def admit(*, address: str, proof: str) -> Admission:
    """Counts one sign-up from a network address, with or without a solved puzzle.

    A puzzle that is wrong, late or used is refused and counts nothing. When the shared cache does
    not answer, everybody is asked to come back later.
    """
    try:
        if proof and not proof_of_work.holds(proof):
            return Admission.PROOF_FAILED
        proved = bool(proof) or proof_of_work.is_off()
        kind, most = ("proved", WITH_PROOF) if proved else ("bare", WITHOUT_PROOF)
        # The place first: one that is over its limit takes nothing from everybody's.
        place = limits.allowed(
            f"newsletter-{kind}", limits.network(address), times=most["place"], seconds=HOUR
        )
        if place and limits.allowed(
            f"newsletter-{kind}", "everywhere", times=most["everywhere"], seconds=HOUR
        ):
            return Admission.WELCOME
    except Exception:
        logger.exception("The shared cache did not answer; sign-ups wait")
    return Admission.COME_BACK_LATER


def mailbox_has_room(email: str) -> bool:
    """Counts one try for the mailbox behind an address; False beyond five a day.

    `ann+a@…` and `ann+b@…` are one mailbox, and dots in a Gmail name mean nothing, so nobody
    can be flooded through their variants.
    """
    local, _at, domain = normalise(email).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.replace(".", ""), "gmail.com"
    return limits.allowed(
        "newsletter-mailbox", f"{local}@{domain}", times=TRIES_PER_MAILBOX, seconds=DAY
    )
