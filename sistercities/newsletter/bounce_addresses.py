"""Where a letter goes back to when it cannot be delivered: an address of its own (mail.md, No ESP).

`BOUNCE_ADDRESS` names a mailbox such as bounce@example.org; a letter's is
bounce+<token of the delivery>.<signature>@example.org. Nobody can invent one.
"""

import hmac

from django.conf import settings

from sistercities.shared.signing import fingerprint

SIGNATURE = 16  # hex digits; with the token it stays within the 64 of a local part


def bounce_address(token: str) -> str:
    """The envelope sender of one delivery; "" where no bounce mailbox is set."""
    local, at, domain = settings.BOUNCE_ADDRESS.rpartition("@")
    return f"{local}+{token}.{_signature(token)}@{domain}" if at else ""


def token_in(address: str) -> str:
    """The delivery's token in such an address; "" for one that is not ours or not signed by us."""
    token, _dot, signature = address.rpartition("@")[0].partition("+")[2].rpartition(".")
    return token if hmac.compare_digest(signature.encode(), _signature(token).encode()) else ""


def _signature(token: str) -> str:
    return fingerprint("bounce-address", token)[:SIGNATURE]
