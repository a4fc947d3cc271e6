"""Addresses that get no letter, whoever asks for it and whatever file they come in (E16, E17).

Kept as keyed hashes, so they are respected after the person's row is gone. What they stop is the
letter; mail that a person caused, such as a receipt, still goes out (E21).
"""

import datetime as dt
import re
from collections.abc import Iterable

from django.db import transaction

from sistercities.newsletter.models import (
    ADDRESS_PURPOSE,
    TOKEN_PURPOSE,
    Consent,
    Subscriber,
    Suppression,
    address_key,
    normalise,
)
from sistercities.shared import clock
from sistercities.shared.signing import fingerprints

Reason = Suppression.Reason
# A weaker reason never takes the place of a stronger one: who reported us as spam and then
# "left" cannot take the leaving back.
RANK = (
    Reason.LEFT, Reason.STAFF, Reason.SOFT_BOUNCES, Reason.ERASED, Reason.HARD_BOUNCE,
    Reason.COMPLAINT,
)  # fmt: skip
HOW = {
    Reason.LEFT: Consent.How.PAGE,
    Reason.STAFF: Consent.How.STAFF,
    Reason.ERASED: Consent.How.PREFERENCES,
    Reason.SOFT_BOUNCES: Consent.How.BOUNCE,
    Reason.HARD_BOUNCE: Consent.How.BOUNCE,
    Reason.COMPLAINT: Consent.How.COMPLAINT,
}
AT_ONCE = 400
ADDRESS = re.compile(r"\S+@\S+")


@transaction.atomic
def suppress(
    *,
    address: str,
    reason: Suppression.Reason,
    note: str = "",
    how: Consent.How | None = None,
    address_fingerprint: str = "",
    at: dt.datetime | None = None,
) -> None:
    """Stops the letter to an address at once, known or not. A second call changes nothing.

    A subscription that it ends gets its line of proof, with `how` or what fits the reason. `at` is
    the moment of a caller who writes it down elsewhere, too.
    """
    now = at or clock.now()
    # The person first, then the suppression, as confirming does: no two wait for each other.
    people = list(Subscriber.objects.select_for_update().filter(email_key=normalise(address)))
    note = ADDRESS.sub("…", note)[:250]  # what a mail server says names the address
    row, is_new = Suppression.objects.get_or_create(
        address_key=address_key(address),
        defaults={"reason": reason, "note": note, "at": now},
    )
    if not is_new:
        weaker = RANK[: RANK.index(reason)]
        Suppression.objects.filter(pk=row.pk, reason__in=weaker).update(
            reason=reason, note=note, at=now
        )
    for person in people:
        has_ended = (
            Subscriber.objects.filter(pk=person.pk)
            .exclude(status=Subscriber.Status.UNSUBSCRIBED)
            .update(
                status=Subscriber.Status.UNSUBSCRIBED, unsubscribed_at=now, confirm_fingerprint=""
            )
        )
        if has_ended:
            Consent.objects.create(
                subscriber=person,
                event=Consent.Event.UNSUBSCRIBED,
                at=now,
                how=how or HOW[reason],
                address_fingerprint=address_fingerprint,
            )


def lift(*, address: str) -> str:
    """Lets an address be written to again, and returns `token_key` of its erased owner or "".

    Only for what its owner did: a new double opt-in, or leaving taken back (E17).
    """
    rows = Suppression.objects.filter(address_key__in=keys_of(address))
    keys = [key for key in rows.values_list("token_key", flat=True) if key]
    rows.delete()
    return keys[0] if keys else ""


def reason_for(address: str) -> Suppression.Reason | None:
    """Why an address must not be written to; None where it may be."""
    rows = Suppression.objects.filter(address_key__in=keys_of(address)).order_by()
    reasons = [Reason(reason) for reason in rows.values_list("reason", flat=True)]
    return max(reasons, key=RANK.index) if reasons else None


def is_suppressed(address: str) -> bool:
    """Whether an address must not be written to. The sender asks just before handing over."""
    return reason_for(address) is not None


def suppressed_among(addresses: Iterable[str]) -> dict[str, Suppression.Reason]:
    """Those of many addresses that must not be written to, normalised, each with its reason."""
    by_key = {key: normalise(address) for address in addresses for key in keys_of(address)}
    keys = list(by_key)
    found = {}
    for start in range(0, len(keys), AT_ONCE):
        rows = Suppression.objects.filter(address_key__in=keys[start : start + AT_ONCE])
        for key, reason in rows.values_list("address_key", "reason"):
            found[by_key[key]] = Reason(reason)
    return found


def is_link_of_an_erased(token: str) -> bool:
    """Whether a link is that of a person whose row was erased (E8, E25)."""
    keys = fingerprints(TOKEN_PURPOSE, token)
    return Suppression.objects.filter(token_key__in=keys).exists()


def is_dead(address: str) -> bool:
    """Whether mail to an address came back for good: then not even a receipt goes there (E16)."""
    return Suppression.objects.filter(
        address_key__in=keys_of(address), reason=Reason.HARD_BOUNCE
    ).exists()


def keys_of(address: str) -> list[str]:
    """Under the present secret key and under former ones: changing it forgets nobody's wish."""
    return fingerprints(ADDRESS_PURPOSE, normalise(address))
