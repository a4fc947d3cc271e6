"""Asking for the letter, confirming, leaving. Nobody gets it who has not pressed two buttons.

`subscribe` → one confirmation mail → `confirm` → the letter → `unsubscribe`. Whoever calls must
answer the same for every address: nothing here returns or raises what an address was (E2).
"""

from collections.abc import Iterable

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from sistercities.newsletter import suppressing, welcoming
from sistercities.newsletter.models import (
    CONFIRM_WITHIN,
    TAKE_BACK_WITHIN,
    Consent,
    Delivery,
    Subscriber,
    Suppression,
    Topic,
    normalise,
)
from sistercities.newsletter.wording import CURRENT, wording
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail, wake_sender
from sistercities.shared.models import OutgoingMessage, SiteSettings
from sistercities.shared.signing import fingerprint, new_token

MAIL_KEY = "newsletter-confirm:"
REASON = {Consent.How.STAFF: Suppression.Reason.STAFF}  # by how a person left


class UnknownToken(Exception):
    """No row has this token: never given out, used up, or replaced by a newer one."""


class ExpiredToken(Exception):
    """The token was right, more than 7 days ago."""


class Erased(Exception):
    """The link of a person whose row was erased: they get no letter, and that is all we know."""


class CannotReturn(Exception):
    """Leaving cannot be taken back: too long ago, or it was not the person who ended it."""


@transaction.atomic
def subscribe(
    *,
    email: str,
    name: str = "",
    language: str = "en",
    topics: Iterable[str] = (),
    source: str = "",
    wording_version: str = CURRENT,
    address_fingerprint: str = "",
) -> None:
    """Puts a clean address on the list as pending and sends it one confirmation mail (E1).

    An address that is confirmed, or was sent a confirmation within 24 hours, gets nothing (E2).
    One that has left stays so until it confirms. `topics` are slugs, none means all; they stand
    in the proof and hold from the confirmation on. The mail and its proof of consent are written
    together or not at all. Every address costs the same statements, so the time taken says
    nothing: what a silent one must not keep is written and rolled back.
    """
    now = clock.now()
    row, _is_new = Subscriber.objects.get_or_create(
        email_key=normalise(email),
        defaults={"email": email.strip(), "name": name, "language": language},
    )
    token = new_token()
    # The condition is in the update itself: of two posts at once, one finds the row due.
    is_due = (
        Subscriber.objects.due_for_question()
        .filter(pk=row.pk)
        .update(confirm_fingerprint=_confirm_fingerprint(token), confirm_sent_at=now)
    )
    # What a pending person typed last counts; a stranger changes nothing on any other row.
    is_pending = row.status == Subscriber.Status.PENDING
    typed = {"email": email.strip(), "name": name, "language": language}
    Subscriber.objects.filter(pk=row.pk).update(
        asked_at=now, **(typed if is_due and is_pending else {})
    )
    with transaction.atomic(), translation.override(language):
        agreed = wording(wording_version)
        Consent.objects.create(
            subscriber=row,
            event=Consent.Event.SIGNED_UP,
            at=now,
            how=Consent.How.FORM,
            wording_version=agreed.version,
            wording=agreed.text,
            chosen={"topics": sorted(topics), "language": language},
            source=source,
            address_fingerprint=address_fingerprint,
        )
        queue_mail(
            key=f"{MAIL_KEY}{row.pk}:{_confirm_fingerprint(token)}",
            template="newsletter/emails/confirm",
            to=email.strip(),
            context={
                "organization": SiteSettings.load(),
                "confirm_url": settings.SITE_URL + reverse("newsletter:confirm", args=[token]),
                "days": CONFIRM_WITHIN.days,
            },
        )
        if not is_due:
            transaction.set_rollback(True)
    if not is_due:
        wake_sender()  # as the mail that was not written would have


def check_confirmation(*, token: str) -> None:
    """Passes when `confirm` would. Raises `UnknownToken`, `ExpiredToken`. Changes nothing (E1)."""
    _open(token)


@transaction.atomic
def confirm(*, token: str, address_fingerprint: str = "") -> Subscriber:
    """Puts the address on the list and returns its row.

    The token works once; of two presses one succeeds (E1).

    This is the new double opt-in that lifts a suppression, whatever its reason (E17). The person
    follows what the sign-up chose and gets one mail of welcome. Raises `UnknownToken`,
    `ExpiredToken`.
    """
    row = _open(token)
    now = clock.now()
    is_first = _waiting(token).update(
        status=Subscriber.Status.CONFIRMED,
        confirmed_at=now,
        unsubscribed_at=None,
        paused_until=None,
        confirm_fingerprint="",
    )
    if not is_first:
        raise UnknownToken
    _welcome_back(row)
    asked = row.consents.filter(event=Consent.Event.SIGNED_UP).first()
    row.topics.set(Topic.objects.filter(slug__in=asked.chosen.get("topics", []) if asked else []))
    Consent.objects.create(
        subscriber=row,
        event=Consent.Event.CONFIRMED,
        at=now,
        how=Consent.How.LINK,
        address_fingerprint=address_fingerprint,
    )
    welcoming.welcome(row)
    return row


def find(token: str) -> Subscriber:
    """The person behind a link of a letter, whatever their status.

    Raises `UnknownToken`, `Erased`.
    """
    return _holder(token)[0]


def check_unsubscribing(*, token: str) -> None:
    """Passes when `unsubscribe` would. Raises `UnknownToken`, `Erased`. Changes nothing (E6)."""
    _holder(token)


@transaction.atomic
def unsubscribe(*, token: str, how: Consent.How, address_fingerprint: str = "") -> None:
    """Ends the subscription at once (E6, E10). A second call changes nothing and succeeds.

    `token` is the person's, or that of a letter to them, which then says that it was left by it.
    The address is suppressed until it confirms anew, so no import revives it (E17). Raises
    `UnknownToken`, `Erased`.
    """
    row, letter = _holder(token)
    now = clock.now()
    suppressing.suppress(
        address=row.email,
        reason=REASON.get(how, Suppression.Reason.LEFT),
        how=how,
        address_fingerprint=address_fingerprint,
        at=now,
    )
    if letter:
        Delivery.objects.filter(pk=letter.pk, left_at=None).update(left_at=now)


@transaction.atomic
def come_back(*, token: str, address_fingerprint: str = "") -> Subscriber:
    """Takes leaving back within 7 days, and returns the row.

    Raises `CannotReturn`, `UnknownToken`, `Erased`.

    Only for who had confirmed and left by themselves: bounces, complaints and what staff ended
    are lifted by a new double opt-in alone (E17). Changes nothing for who has not left.
    """
    row = find(token)
    if row.status == Subscriber.Status.CONFIRMED:
        return row
    if not can_return(row):
        raise CannotReturn
    is_first = (
        Subscriber.objects.filter(pk=row.pk, status=Subscriber.Status.UNSUBSCRIBED)
        .exclude(confirmed_at=None)
        .update(status=Subscriber.Status.CONFIRMED, unsubscribed_at=None)
    )
    if is_first:
        _welcome_back(row)
        Consent.objects.create(
            subscriber=row,
            event=Consent.Event.RETURNED,
            how=Consent.How.PREFERENCES,
            address_fingerprint=address_fingerprint,
        )
    return row


def can_return(row: Subscriber) -> bool:
    """Whether this person may take leaving back at this moment."""
    return (
        row.status == Subscriber.Status.UNSUBSCRIBED
        and row.confirmed_at is not None
        and row.unsubscribed_at is not None
        and row.unsubscribed_at > clock.now() - TAKE_BACK_WITHIN
        and suppressing.reason_for(row.email) in {None, Suppression.Reason.LEFT}
    )


def why_not_sent(message: OutgoingMessage) -> str:
    """Why a mail from the outbox must wait: its mailbox is gone (E16). Else nothing stops it.

    The mail to confirm goes out all the same: with it the reader says that the mailbox is back.
    """
    if message.key.startswith(MAIL_KEY) or not suppressing.is_dead(message.to):
        return ""
    return _("The mailbox does not exist: an earlier mail to it came back.")


def list_headers(subscriber: Subscriber) -> dict[str, str]:
    """The two headers of RFC 8058 for bulk mail: one address, this person's own (E4, E5).

    Not for confirmation or receipt mail (E21).
    """
    return {
        "List-Unsubscribe": f"<{subscriber.unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@transaction.atomic
def purge() -> int:
    """Removes who never confirmed for 30 days, with all that was kept on them; how many.

    Confirmation mail goes from the outbox when its link is dead: it holds an address and a token.
    A second run changes nothing (trust.md, Personal data).
    """
    OutgoingMessage.objects.filter(
        key__startswith=MAIL_KEY, created_at__lte=clock.now() - CONFIRM_WITHIN
    ).delete()
    # Locked first: a person who confirms at this moment is not removed.
    gone = list(
        Subscriber.objects.never_confirmed().select_for_update().values_list("pk", flat=True)
    )
    Subscriber.objects.filter(pk__in=gone).delete()
    return len(gone)


def _welcome_back(row: Subscriber) -> None:
    """Lifts what kept the address off the list; links from before an erasure work again (E8)."""
    if earlier := suppressing.lift(address=row.email):
        Subscriber.objects.filter(pk=row.pk).update(earlier_token_key=earlier)


def _confirm_fingerprint(token: str) -> str:
    return fingerprint("newsletter-confirm", token)


def _waiting(token: str) -> models.QuerySet[Subscriber]:
    return Subscriber.objects.exclude(status=Subscriber.Status.CONFIRMED).filter(
        confirm_fingerprint=_confirm_fingerprint(token)
    )


def _open(token: str) -> Subscriber:
    row = _waiting(token).first()
    if row is None:
        raise UnknownToken
    if not row.confirm_sent_at or row.confirm_sent_at <= clock.now() - CONFIRM_WITHIN:
        raise ExpiredToken
    return row


def _holder(token: str) -> tuple[Subscriber, Delivery | None]:
    """The person behind a link, and the letter that it stood in where the link says so."""
    token = _clean(token)
    row = Subscriber.objects.with_token(token).first()
    if row:
        return row, None
    letter = Delivery.objects.select_related("subscriber").filter(token=token).first()
    if letter and letter.subscriber:
        return letter.subscriber, letter
    raise Erased if letter or suppressing.is_link_of_an_erased(token) else UnknownToken


def _clean(token: str) -> str:
    """PostgreSQL takes no NUL in a question; no token of ours holds one."""
    return token.replace("\0", "")
