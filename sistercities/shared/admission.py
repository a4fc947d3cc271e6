"""Who may use a form that is open to everybody at this moment (trust.md, Limits).

Many people may post from one address if their browsers did a small piece of work; a reader
without script gets a few tries.
"""

import logging
from dataclasses import dataclass
from enum import Enum, auto

from sistercities.shared import limits, proof_of_work

logger = logging.getLogger(__name__)
HOUR = 60 * 60


class Admission(Enum):
    WELCOME = auto()
    PROOF_FAILED = auto()
    COME_BACK_LATER = auto()


@dataclass(frozen=True)
class Most:
    """Posts an hour: from one place, and from everywhere together."""

    place: int
    everywhere: int


def admit(*, action: str, address: str, proof: str, with_proof: Most, without: Most) -> Admission:
    """Counts one post of `action` from a network address, with or without a solved puzzle.

    A puzzle that is wrong, late or used is refused and counts nothing. When the shared cache does
    not answer, everybody is asked to come back later.
    """
    try:
        if proof and not proof_of_work.holds(proof):
            return Admission.PROOF_FAILED
        proved = bool(proof) or proof_of_work.is_off()
        kind, most = ("proved", with_proof) if proved else ("bare", without)
        # The place first: one that is over its limit takes nothing from everybody's.
        place = limits.network(address)
        if limits.allowed(
            f"{action}-{kind}", place, times=most.place, seconds=HOUR
        ) and limits.allowed(f"{action}-{kind}", "everywhere", times=most.everywhere, seconds=HOUR):
            return Admission.WELCOME
    except Exception:
        logger.exception("The shared cache did not answer; what is posted waits")
    return Admission.COME_BACK_LATER
