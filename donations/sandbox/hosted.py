"""The hosted payment page: what Stripe shows a donor, in plain HTML and clearly a test."""

from __future__ import annotations

from urllib.parse import quote

from . import checkout, due, payments, prices
from .addresses import PAY
from .errors import ApiError
from .rendering import closed, fill, html, money
from .store import Store
from .wire import Json, Reply, Request, parse_form

_NAME_AT_MOST = 200
_MARKUP = frozenset({"lines", "note", "alert", "email_error", "email_state", "cancel"})


def answer(store: Store, request: Request) -> Reply:
    """Show a session's page, or take what its form says (303 to the success address once paid)."""
    session_id = request.path.removeprefix(PAY)
    try:
        with store.change():
            due.catch_up(store)
            session = store.get("checkout.session", session_id)
            if session is None:
                return closed(404, "No such payment", "Nothing is waiting at this address.")
            if request.method == "POST":
                return _submit(store, session, parse_form(request.body.decode()))
            return _show(session, store)
    except (ApiError, UnicodeDecodeError):
        return closed(400, "That did not arrive", "The form could not be read. Please go back.")


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
    checkout.complete(store, session, email=email, name=name or None)
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
        return closed(200, "Payment complete", text, link=_success_url(session))
    if session["status"] == "expired":
        text = "This payment page has expired. Nothing was paid."
        return closed(200, "Page expired", text, link=session["cancel_url"])
    if email is None:
        customer = store.get("customer", session["customer"] or "") or {}
        email = session["customer_email"] or customer.get("email") or ""
    verb = "Give" if session["submit_type"] == "donate" else "Pay"
    total = money(session["amount_total"], session["currency"])
    often = _every(session)
    values = {
        "title": f"{verb} {total} {often}".rstrip(),
        "note": fill("note.html", total=total, often=often) if often else "",
        "lines": "".join(_line(item) for item in session["_sandbox"]["line_items"]),
        "total": total,
        "alert": fill("alert.html", problem=problem) if problem else "",
        "email": email,
        "email_error": fill("email_error.html", problem=problem) if is_about_email else "",
        "email_state": 'aria-invalid="true" aria-describedby="email-error"'
        if is_about_email
        else "",
        "name": name,
        "cancel": fill("cancel.html", url=session["cancel_url"]) if session["cancel_url"] else "",
    }
    return html(200, fill("pay.html", raw=_MARKUP, **values), form_goes_to=session["success_url"])


def _every(session: Json) -> str:
    """How often a session's total is charged, in words; empty for once."""
    recurring = session["_sandbox"]["line_items"][0]["price_data"].get("recurring")
    return prices.every(recurring) if recurring else ""


def _line(item: Json) -> str:
    price = item["price_data"]
    many = f" × {item['quantity']}" if item["quantity"] > 1 else ""
    return fill(
        "line.html",
        name=price["product_data"]["name"] + many,
        description=price["product_data"].get("description", ""),
        amount=money(price["unit_amount"] * item["quantity"], price["currency"]),
    )


def _success_url(session: Json) -> str:
    url: str = session["success_url"]
    return quote(url.replace("{CHECKOUT_SESSION_ID}", session["id"]), safe="%/:=&?~#+!$,;'@()*[]")


def _text(form: Json, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
