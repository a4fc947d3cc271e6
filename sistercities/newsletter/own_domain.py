"""Whose name our letters are sent in (mail.md E12)."""

from email.utils import parseaddr

from django.conf import settings


def from_domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower().rpartition("@")[2]


def belong_together(one: str, other: str) -> bool:
    """Whether one is the other or a part of it, as `mail.example.org` is of `example.org`."""
    one, other = one.lower(), other.lower()
    return bool(one and other) and (
        one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
    )
