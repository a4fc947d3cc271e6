"""The pages of recurring gifts: pay an open invoice, and replace a card in the portal."""

from __future__ import annotations

from urllib.parse import quote

from . import addresses, due, invoices, portal, prices, subscriptions
from .rendering import closed, fill, html, money
from .store import Store
from .wire import Json, Reply, Request

_MARKUP = frozenset({"lines", "away"})
_ENDINGS = {
    "paid": ("Payment complete", "This payment is complete. There is nothing left to do here."),
    "void": ("Nothing to pay", "This payment was waived. There is nothing to do here."),
}


def answer_invoice(store: Store, request: Request) -> Reply:
    """Show an invoice's page, or pay it with another card (once)."""
    with store.change():
        due.catch_up(store)
        invoice = store.get("invoice", request.path.removeprefix(addresses.INVOICE))
        if invoice is None or invoice["hosted_invoice_url"] is None:
            return closed(404, "No such payment", "Nothing is waiting at this address.")
        if request.method == "POST" and invoice["status"] == "open":
            subscriptions.pay_invoice(store, invoice)
        if invoice["status"] != "open":
            ending = _ENDINGS.get(invoice["status"], _ENDINGS["void"])
            return closed(200, *ending)
        return _show_invoice(invoice)


def answer_portal(store: Store, request: Request) -> Reply:
    """Show the portal, or replace the card, pay what is open and go back to the site."""
    with store.change():
        due.catch_up(store)
        session = store.get("billing_portal.session", request.path.removeprefix(addresses.PORTAL))
        customer = store.get("customer", session["customer"]) if session else None
        if session is None or customer is None:
            return closed(404, "No such page", "Nothing is waiting at this address.")
        if request.method == "POST":
            subscriptions.replace_card(store, customer)
            link = portal.goes_back_to(session)
            if link is None:
                return closed(200, "Card replaced", "The new card will be used from now on.")
            return Reply(303, headers={"Location": quote(link, safe="%/:=&?~#+!$,;'@()*[]")})
        return _show_portal(store, session, customer)


def _show_invoice(invoice: Json) -> Reply:
    total = money(invoice["amount_due"], invoice["currency"])
    line = invoice["lines"]["data"][0]
    page = fill(
        "act.html",
        raw=_MARKUP,
        title=f"Pay {total}",
        text="The card on file was declined. Nothing was paid. Another card can pay this.",
        caption="What you pay for",
        lines=fill("line.html", name=line["description"], description="", amount=total),
        button=f"Pay {total} with another test card",
        away="",
    )
    return html(200, page)


def _show_portal(store: Store, session: Json, customer: Json) -> Reply:
    link = portal.goes_back_to(session)
    page = fill(
        "act.html",
        raw=_MARKUP,
        title="Your card",
        text=f"Your payments are taken from the card ending in {invoices.card_of(customer)}.",
        caption="What the card pays for",
        lines="".join(_line(store, row) for row in subscriptions.running(store, customer)),
        button="Use another test card",
        away=fill("onward.html", url=link) if link else "",
    )
    return html(200, page, form_goes_to=link)


def _line(store: Store, subscription: Json) -> str:
    item = subscription["items"]["data"][0]
    price = item["price"]
    product = store.get("product", price["product"]) or {"name": "Gift"}
    waiting = invoices.open_one(store, subscription)
    amount = money(price["unit_amount"] * item["quantity"], price["currency"])
    return fill(
        "line.html",
        name=product["name"],
        description="The last payment failed. A new card pays it at once." if waiting else "",
        amount=f"{amount} {prices.every(price['recurring'])}",
    )
