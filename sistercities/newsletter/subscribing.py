"""Asking for the letter, confirming, leaving. Nobody gets it who has not pressed two buttons.

`subscribe` → one confirmation mail → `confirm` → the letter → `unsubscribe`. Whoever calls must
answer the same for every address: nothing here returns or raises what an address was (E2).
"""

from django.conf import settings
from django.db import models, transaction
from django.urls import reverse
from django.utils import translation

from sistercities.newsletter.models import CONFIRM_WITHIN, Consent, Subscriber, normalise
from sistercities.newsletter.wording import CURRENT, wording
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail, wake_sender
from sistercities.shared.models import OutgoingMessage, SiteSettings
from sistercities.shared.signing import fingerprint, new_token

MAIL_KEY = "newsletter-confirm:"


class UnknownToken(Exception):
    """No row has this token: never given out, used up, or replaced by a newer one."""


class ExpiredToken(Exception):
    """The token was right, more than 7 days ago."""


@transaction.atomic
def subscribe(
    *,
    email: str,
    name: str = "",
    language: str = "en",
    source: str = "",
    wording_version: str = CURRENT,
    address_fingerprint: str = "",
) -> None:
    """Puts a clean address on the list as pending and sends it one confirmation mail (E1).

    An address that is confirmed, or was sent a confirmation within 24 hours, gets nothing (E2).
    One that has left stays so until it confirms. The mail and its proof of consent are written
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
def confirm(*, token: str, address_fingerprint: str = "") -> None:
    """Puts the address on the list. The token works once; of two presses one succeeds (E1).

    Raises `UnknownToken`, `ExpiredToken`.
    """
    row = _open(token)
    now = clock.now()
    is_first = _waiting(token).update(
        status=Subscriber.Status.CONFIRMED,
        confirmed_at=now,
        unsubscribed_at=None,
        confirm_fingerprint="",
    )
    if not is_first:
        raise UnknownToken
    Consent.objects.create(
        subscriber=row,
        event=Consent.Event.CONFIRMED,
        at=now,
        how=Consent.How.LINK,
        address_fingerprint=address_fingerprint,
    )


def check_unsubscribing(*, token: str) -> None:
    """Passes when `unsubscribe` would. Raises `UnknownToken`. Changes nothing (E6)."""
    if not Subscriber.objects.filter(token=_clean(token)).exists():
        raise UnknownToken


@transaction.atomic
def unsubscribe(*, token: str, how: Consent.How, address_fingerprint: str = "") -> None:
    """Ends the subscription at once (E6, E10). A second call changes nothing and succeeds.

    Raises `UnknownToken`.
    """
    row = Subscriber.objects.filter(token=_clean(token)).first()
    if row is None:
        raise UnknownToken
    now = clock.now()
    is_changed = (
        Subscriber.objects.filter(pk=row.pk)
        .exclude(status=Subscriber.Status.UNSUBSCRIBED)
        .update(status=Subscriber.Status.UNSUBSCRIBED, unsubscribed_at=now, confirm_fingerprint="")
    )
    if is_changed:
        Consent.objects.create(
            subscriber=row,
            event=Consent.Event.UNSUBSCRIBED,
            at=now,
            how=how,
            address_fingerprint=address_fingerprint,
        )


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


def _clean(token: str) -> str:
    """PostgreSQL takes no NUL in a question; no token of ours holds one."""
    return token.replace("\0", "")
