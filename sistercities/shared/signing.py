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
    return _hash(settings.SECRET_KEY, purpose, value)


def fingerprints(purpose: str, value: str) -> list[str]:
    """The fingerprint under the present key, then those under each of `SECRET_KEY_FALLBACKS`."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_hash(key, purpose, value) for key in keys]


def _hash(key: str, purpose: str, value: str) -> str:
    return hmac.new(f"{purpose}:{key}".encode(), value.encode(), sha256).hexdigest()
