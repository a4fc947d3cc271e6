"""The hosted payment page: what Stripe shows a donor, in plain HTML and clearly a test."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote, urlsplit

from . import checkout, payments
from .errors import ApiError
from .store import Store
from .wire import Json, Reply, Request, parse_form

PATH = "/c/pay/"
STYLE = "/c/style.css"
_PAGES = Path(__file__).with_name("pages")
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}
_NAME_AT_MOST = 200


def answer(store: Store, request: Request) -> Reply:
    """Show a session's page, or take what its form says (303 to the success address once paid)."""
    session_id = request.path.removeprefix(PATH)
    try:
        with store.change():
            checkout.expire_due(store)
            session = store.get("checkout.session", session_id)
            if session is None:
                return _closed(404, "No such payment", "Nothing is waiting at this address.")
            if request.method == "POST":
                return _submit(store, session, parse_form(request.body.decode()))
            return _show(session, store)
    except (ApiError, UnicodeDecodeError):
        return _closed(400, "That did not arrive", "The form could not be read. Please go back.")


def style() -> Reply:
    """The page's own style sheet."""
    headers = {"Content-Type": "text/css; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return Reply(200, _read("style.css").encode(), headers)


def _submit(store: Store, session: Json, form: Json) -> Reply:
    if session["status"] == "complete":
        # A second press of the button, or a second tab: the first one has paid.
        return Reply(303, headers={"Location": _success_url(session)})
    if session["status"] != "open":
        return _show(session, store)
    email = _text(form, "email").strip()
    name = _text(form, "name").strip()[:_NAME_AT_MOST]
    if not checkout.EMAIL.fullmatch(email):
        return _show(
            session,
            store,
            email=email,
            name=name,
            problem="Enter an email address, such as name@example.com.",
            is_about_email=True,
        )
    if form.get("card") == "declined":
        payments.decline(store, session, email=email, name=name or None)
        return _show(
            session,
            store,
            email=email,
            name=name,
            problem="The card was declined. Nothing was paid. Try another card.",
        )
    payments.complete(store, session, email=email, name=name or None)
    return Reply(303, headers={"Location": _success_url(session)})


def _show(
    session: Json,
    store: Store,
    *,
    email: str | None = None,
    name: str = "",
    problem: str = "",
    is_about_email: bool = False,
) -> Reply:
    if session["status"] == "complete":
        text = "This payment is complete. There is nothing left to do here."
        return _closed(200, "Payment complete", text, link=_success_url(session))
    if session["status"] == "expired":
        text = "This payment page has expired. Nothing was paid."
        return _closed(200, "Page expired", text, link=session["cancel_url"])
    if email is None:
        customer = store.get("customer", session["customer"] or "") or {}
        email = session["customer_email"] or customer.get("email") or ""
    verb = "Give" if session["submit_type"] == "donate" else "Pay"
    total = money(session["amount_total"], session["currency"])
    values = {
        "title": f"{verb} {total}",
        "lines": "".join(_line(item) for item in session["_sandbox"]["line_items"]),
        "total": total,
        "alert": _fill("alert.html", problem=problem) if problem else "",
        "email": email,
        "email_error": _fill("email_error.html", problem=problem) if is_about_email else "",
        "email_state": 'aria-invalid="true" aria-describedby="email-error"'
        if is_about_email
        else "",
        "name": name,
        "cancel": _fill("cancel.html", url=session["cancel_url"]) if session["cancel_url"] else "",
    }
    raw = {"lines", "alert", "email_error", "email_state", "cancel"}
    page = Template(_read("pay.html")).substitute(
        {key: value if key in raw else escape(value) for key, value in values.items()}
    )
    return _html(200, page, form_goes_to=session["success_url"])


def _closed(status: int, title: str, text: str, *, link: str | None = None) -> Reply:
    onward = _fill("onward.html", url=link) if link else ""
    page = Template(_read("closed.html")).substitute(
        title=escape(title), text=escape(text), onward=onward
    )
    return _html(status, page)


def _line(item: Json) -> str:
    price = item["price_data"]
    many = f" × {item['quantity']}" if item["quantity"] > 1 else ""
    return _fill(
        "line.html",
        name=price["product_data"]["name"] + many,
        description=price["product_data"].get("description", ""),
        amount=money(price["unit_amount"] * item["quantity"], price["currency"]),
    )


def money(amount: int, currency: str) -> str:
    """Cents as people write them: ``$1,234.50``."""
    whole, cents = divmod(amount, 100)
    return f"{_SIGNS.get(currency, currency.upper() + ' ')}{whole:,}.{cents:02}"


def _success_url(session: Json) -> str:
    url: str = session["success_url"]
    return quote(url.replace("{CHECKOUT_SESSION_ID}", session["id"]), safe="%/:=&?~#+!$,;'@()*[]")


def _text(form: Json, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _fill(file: str, **values: str) -> str:
    return Template(_read(file)).substitute({key: escape(text) for key, text in values.items()})


@cache
def _read(file: str) -> str:
    return (_PAGES / file).read_text(encoding="utf-8")


def _html(status: int, page: str, *, form_goes_to: str | None = None) -> Reply:
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
