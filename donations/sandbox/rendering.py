"""How the hosted pages are put together: templates, money, and the headers of a page."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from .wire import Reply

STYLE = "/c/style.css"
_PAGES = Path(__file__).with_name("pages")
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}


def style() -> Reply:
    """The pages' own style sheet."""
    headers = {"Content-Type": "text/css; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return Reply(200, _read("style.css").encode(), headers)


def money(amount: int, currency: str) -> str:
    """Cents as people write them: ``$1,234.50``."""
    whole, cents = divmod(amount, 100)
    return f"{_SIGNS.get(currency, currency.upper() + ' ')}{whole:,}.{cents:02}"


def fill(file: str, *, raw: frozenset[str] = frozenset(), **values: str) -> str:
    """A template with its values, escaped except for those named in ``raw``."""
    return Template(_read(file)).substitute(
        {name: text if name in raw else escape(text) for name, text in values.items()}
    )


def closed(status: int, title: str, text: str, *, link: str | None = None) -> Reply:
    """A page that has nothing left to do, with a way back to the site where there is one."""
    onward = fill("onward.html", url=link) if link else ""
    page = fill("closed.html", raw=frozenset({"onward"}), title=title, text=text, onward=onward)
    return html(status, page)


def html(status: int, page: str, *, form_goes_to: str | None = None) -> Reply:
    """A page as a reply; ``form_goes_to`` is the address that its form redirects to."""
    # Browsers hold a form's redirect to form-action as well, so the success address is named.
    forms = "'self'"
    if form_goes_to:
        parts = urlsplit(form_goes_to)
        forms += f" {parts.scheme}://{parts.netloc}"
    policy = (
        f"default-src 'self'; form-action {forms}; base-uri 'none'; object-src 'none'; "
        "frame-ancestors 'none'"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        # Not no-referrer, under which a browser sends `Origin: null` with the form.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
    return Reply(status, page.encode(), headers)


@cache
def _read(file: str) -> str:
    return (_PAGES / file).read_text(encoding="utf-8")
