"""Bounces as mail: what a returned letter says (RFC 3464), and what a spam report says (RFC 5965).

Which letter it was stands in the address that it came back to, signed by us. Whatever has no such
address, or one with a wrong signature, is nobody's business here.
"""

import re
from email import message_from_bytes, policy
from email.message import Message
from hashlib import sha256

from sistercities.newsletter.bounce_addresses import bounce_address, token_in
from sistercities.newsletter.bounces import Told
from sistercities.newsletter.models import Delivery, MailEvent

SOURCE = "mailbox"
Kind = MailEvent.Kind
RETURN_ADDRESS = re.compile(r"[\w.-]+\+[\w-]{20,40}\.[0-9a-fA-F]{16}@[\w.-]+")
TO_US = ("To", "Delivered-To", "X-Original-To", "X-Delivered-To", "Envelope-To", "X-Envelope-To")
STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
REPLY = re.compile(r"\b([45])\d\d\b")
# 5.x.x that says nothing about the mailbox: full, message too large.
FULL = {("2", "2"), ("2", "3"), ("3", "4")}


def read(raw: bytes) -> Told | None:
    """What a message in the bounce mailbox tells; None for what is no signed bounce of ours."""
    message = message_from_bytes(raw, policy=policy.compat32)
    found = _kind(message)
    if found is None:
        return None
    kind, said = found
    token = _token(message)
    if not token:
        return None
    return Told(SOURCE, sha256(raw).hexdigest(), kind, token=token, said=said)


def _kind(message: Message) -> tuple[MailEvent.Kind, str] | None:
    for part in message.walk():
        content_type = part.get_content_type()
        if content_type == "message/delivery-status":
            for block in _blocks(part):
                if block.get("Action"):
                    return _kind_of(block)
        if content_type == "message/feedback-report":
            report = "".join(str(block) for block in _blocks(part))
            if re.search(r"(?mi)^Feedback-Type:\s*(abuse|fraud)", report):
                return Kind.COMPLAINT, "feedback report"
    return None


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [block for block in payload if isinstance(block, Message)] if payload else []


def _kind_of(block: Message) -> tuple[MailEvent.Kind, str] | None:
    action = str(block.get("Action", "")).strip().lower()
    said = str(block.get("Diagnostic-Code", "") or block.get("Status", ""))
    if action == "delayed":
        return Kind.SOFT, said
    if action != "failed":
        return None  # delivered, relayed, expanded
    # A diagnostic code is what the other side said; the status is what our own server made of it.
    code = STATUS.search(str(block.get("Status", ""))) or STATUS.search(said)
    if code is None:
        reply = REPLY.search(said)
        return (Kind.SOFT if reply and reply[1] == "4" else Kind.HARD), said
    first, subject, detail = code.groups()
    if first != "5" or (subject, detail) in FULL:
        return Kind.SOFT, said
    # 5.7.x is the other side's opinion of us, not news about the mailbox.
    return (Kind.REJECTED if subject == "7" else Kind.HARD), said


def _token(message: Message) -> str:
    """The token of the delivery, from our signed return address wherever it stands."""
    for part in message.walk():
        for name in (*TO_US, "Return-Path"):
            for value in part.get_all(name, []):
                for address in RETURN_ADDRESS.findall(str(value)):
                    if token := token_in(address) or _token_in_small_letters(address):
                        return token
        # The original's headers come as text where the body was left out.
        if part.get_content_type() == "text/rfc822-headers":
            for address in RETURN_ADDRESS.findall(str(part.get_payload())):
                if token := token_in(address):
                    return token
    return ""


def _token_in_small_letters(address: str) -> str:
    """Some mail servers write every address in small letters; our tokens have large ones."""
    if address != address.lower():
        return ""
    small = address.rpartition("@")[0].partition("+")[2].rpartition(".")[0]
    for token in Delivery.objects.filter(token__iexact=small).values_list("token", flat=True):
        if bounce_address(token).lower() == address:
            return token
    return ""
