"""Tokens in addresses, and fingerprints of what must not be kept in the clear."""

import hmac
import secrets
from hashlib import sha256

from django.conf import settings

TOKEN_BYTES = 24


def new_token() -> str:
    """192 random bits for use in an address. It says nothing about the row that it opens."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def fingerprint(purpose: str, value: str) -> str:
    """A keyed hash of `value`: the same for the same purpose, useless to who lacks the key."""
    key = f"{purpose}:{settings.SECRET_KEY}".encode()
    return hmac.new(key, value.encode(), sha256).hexdigest()
