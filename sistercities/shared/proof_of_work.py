"""A small puzzle that a browser solves by itself, so that mass posting costs machine time.

No other host is asked. `static/site/proof.js` fetches a challenge when a visitor reaches a form,
solves it in a worker and posts the solution in the field `proof` (mail.md E2).
"""

import secrets
import time
from typing import Any

import altcha
from django.conf import settings
from django.core.cache import cache

from sistercities.shared.signing import fingerprint

LIFETIME = 30 * 60  # seconds; proof.js asks anew after 20 minutes
ALGORITHM = "PBKDF2/SHA-256"  # browsers compute it natively, so an attacker gains little
ROUNDS = 5_000
FEWEST_TRIES, MOST_TRIES = 60, 180  # bounded, so no honest visitor is unlucky: 0.3 to 2 seconds
MAX_PAYLOAD = 4_000  # characters; a true one has about 750


def _secret(what: str) -> str:
    return fingerprint("proof-of-work", what)


def new_challenge() -> dict[str, Any]:
    """A fresh signed challenge, ready for JSON. Costs about 2 ms and keeps nothing."""
    challenge = altcha.create_challenge(
        ALGORITHM,
        ROUNDS,
        counter=FEWEST_TRIES + secrets.randbelow(MOST_TRIES - FEWEST_TRIES + 1),
        expires_at=int(time.time()) + LIFETIME,  # the library compares with the machine's clock
        hmac_secret=_secret("challenge"),
        hmac_key_secret=_secret("solution"),
    )
    return challenge.to_dict()


def is_off() -> bool:
    """`PROOF_OF_WORK=off`, which settings allow only with DEBUG: then no form needs a proof."""
    return not settings.PROOF_OF_WORK


def holds(payload: str) -> bool:
    """Whether `payload` solves a challenge of ours, in time and for the first time.

    Takes whatever was posted and never raises for it. A solution counts once: the library would
    accept it again, so used ones are remembered in the shared cache until they expire. While the
    check is off everything holds.
    """
    if is_off():
        return True
    if not payload or len(payload) > MAX_PAYLOAD:
        return False
    answer = altcha.verify_solution(
        payload, _secret("challenge"), hmac_key_secret=_secret("solution")
    )
    if not answer.verified:
        return False
    signature = altcha.Payload.from_base64(payload).challenge.signature or ""
    return cache.add(f"proof:{fingerprint('proof', signature)}", 1, timeout=LIFETIME + 60)
