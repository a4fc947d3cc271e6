"""The addresses of the sandbox's own pages, and those that a request wants people sent to."""

from __future__ import annotations

from urllib.parse import urlsplit

from .errors import refused
from .store import Store

PAY = "/c/pay/"
INVOICE = "/c/invoice/"
PORTAL = "/c/portal/"
_HOLDERS = (
    ("checkout.session", "url", PAY),
    ("invoice", "hosted_invoice_url", INVOICE),
    ("billing_portal.session", "url", PORTAL),
)


def check(url: str, param: str) -> None:
    """Refuse, with ApiError 400, what is no address of a web page."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise refused("Not a valid URL", param=param, code="url_invalid")


def move(store: Store, base_url: str) -> None:
    """Give the pages the address that the sandbox answers at since it was started again."""
    with store.change():
        store.base_url = base_url
        for kind, field, path in _HOLDERS:
            for item in store.all(kind):
                if item[field]:
                    item[field] = f"{base_url}{path}{item['id']}"
