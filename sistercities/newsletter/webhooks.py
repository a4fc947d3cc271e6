"""What a mail provider tells us, in the one language into which django-anymail puts it."""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from anymail.exceptions import AnymailConfigurationError, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType
from anymail.webhooks.base import AnymailBaseWebhookView
from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.mailersend import MailerSendTrackingWebhookView
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.mailjet import MailjetTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.resend import ResendTrackingWebhookView
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView
from django.conf import settings
from django.http import HttpRequest

from sistercities.newsletter.bounces import Told, arrived, take_note
from sistercities.newsletter.models import MailEvent

Kind = MailEvent.Kind
HOOKS: dict[str, type[AnymailBaseWebhookView]] = {
    "brevo": BrevoTrackingWebhookView,
    "mailersend": MailerSendTrackingWebhookView,
    "mailgun": MailgunTrackingWebhookView,
    "mailjet": MailjetTrackingWebhookView,
    "postmark": PostmarkTrackingWebhookView,
    "resend": ResendTrackingWebhookView,
    "sparkpost": SparkPostTrackingWebhookView,
}
# Those that also sign what they send, and how django-anymail calls the key.
SIGNED = {"mailersend": "signing_secret", "mailgun": "webhook_signing_key"}
KINDS = {
    EventType.BOUNCED: Kind.HARD,
    EventType.DEFERRED: Kind.SOFT,
    EventType.COMPLAINED: Kind.COMPLAINT,
    EventType.UNSUBSCRIBED: Kind.LEFT,
    EventType.REJECTED: Kind.REJECTED,
}
# django-anymail calls hard and soft bounces alike; only the provider's own words tell.
IS_SOFT: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "brevo": lambda event: event.get("event") == "soft_bounce",
    "mailersend": lambda event: "soft" in str(event.get("type")),
    "mailjet": lambda event: not event.get("hard_bounce"),
    "postmark": lambda event: event.get("Type") != "HardBounce",
    "resend": lambda event: (event.get("data") or {}).get("bounce", {}).get("type") != "Permanent",
    "sparkpost": lambda event: str(event.get("bounce_class")) not in {"10", "30", "90"},
}


UNREADABLE = (
    AnymailWebhookValidationFailure, AnymailConfigurationError, ValueError, KeyError, TypeError,
    AttributeError,
)  # fmt: skip


class NotFromProvider(Exception):
    """The request does not prove that it comes from the provider, or says nothing readable."""


def receive(*, provider: str, request: HttpRequest) -> int:
    """Acts on what a provider tells; how many of it were news. Raises `NotFromProvider`.

    A request counts only with MAIL_WEBHOOK_SECRET (`user:password`, as in the address that the
    provider was given) and, where the provider signs, with a signature by MAIL_WEBHOOK_KEY.
    """
    hook = HOOKS.get(provider)
    if hook is None or not settings.MAIL_WEBHOOK_SECRET:
        raise NotFromProvider
    keys = {"webhook_secret": settings.MAIL_WEBHOOK_SECRET}
    if provider in SIGNED:
        if not settings.MAIL_WEBHOOK_KEY:
            raise NotFromProvider
        keys[SIGNED[provider]] = settings.MAIL_WEBHOOK_KEY
    view = hook(**keys)
    try:
        view.run_validators(request)
        events = view.parse_events(request)
    except UNREADABLE:
        raise NotFromProvider from None
    return sum(_hear(provider, event) for event in events)


def _hear(provider: str, event: AnymailTrackingEvent) -> bool:
    token = str((event.metadata or {}).get("delivery", ""))
    if event.event_type == EventType.DELIVERED and token:
        arrived(token=token)
    kind = KINDS.get(event.event_type)
    if kind is None:
        return False
    esp_event = event.esp_event if isinstance(event.esp_event, Mapping) else {}
    if kind == Kind.HARD and IS_SOFT.get(provider, lambda _: False)(esp_event):
        kind = Kind.SOFT
    return take_note(
        Told(
            source=provider,
            event_id=event.event_id or _own_id(event),
            kind=kind,
            token=token,
            address=event.recipient or "",
            said=str(event.mta_response or event.description or ""),
        )
    )


def _own_id(event: AnymailTrackingEvent) -> str:
    """The same for the same event, where the provider gives none (a change of subscription)."""
    parts = (event.event_type, event.message_id, event.recipient, event.timestamp)
    return sha256("|".join(map(str, parts)).encode()).hexdigest()
