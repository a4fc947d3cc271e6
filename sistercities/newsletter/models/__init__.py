from sistercities.newsletter.models.delivery import Delivery
from sistercities.newsletter.models.issue import Block, Issue
from sistercities.newsletter.models.list_import import ListImport
from sistercities.newsletter.models.mail_event import MailEvent
from sistercities.newsletter.models.report import LetterReport, LinkCount
from sistercities.newsletter.models.subscriber import (
    ADDRESS_PURPOSE,
    CONFIRM_WITHIN,
    RESEND_AFTER,
    TAKE_BACK_WITHIN,
    TOKEN_PURPOSE,
    Consent,
    Subscriber,
    address_key,
    normalise,
    token_key,
)
from sistercities.newsletter.models.suppression import Suppression
from sistercities.newsletter.models.topic import Topic

__all__ = [
    "ADDRESS_PURPOSE",
    "CONFIRM_WITHIN",
    "RESEND_AFTER",
    "TAKE_BACK_WITHIN",
    "TOKEN_PURPOSE",
    "Block",
    "Consent",
    "Delivery",
    "Issue",
    "LetterReport",
    "LinkCount",
    "ListImport",
    "MailEvent",
    "Subscriber",
    "Suppression",
    "Topic",
    "address_key",
    "normalise",
    "token_key",
]
