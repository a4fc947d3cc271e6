"""Who may use the sign-up form at this moment (mail.md E2; trust.md, Limits).

Nothing here looks at the list of subscribers, so no answer says who is on it.
"""

from sistercities.newsletter.models import normalise
from sistercities.shared import admission, limits
from sistercities.shared.admission import Admission, Most

DAY = 24 * 60 * 60
# A roomful of people behind one address may all sign up, if their browsers did the work.
WITH_PROOF = Most(place=60, everywhere=500)
WITHOUT_PROOF = Most(place=5, everywhere=60)
TRIES_PER_MAILBOX = 5  # a day


def admit(*, address: str, proof: str) -> Admission:
    """Counts one sign-up from a network address, as `sistercities.shared.admission` does."""
    return admission.admit(
        action="newsletter",
        address=address,
        proof=proof,
        with_proof=WITH_PROOF,
        without=WITHOUT_PROOF,
    )


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
