"""Gifts and trip fees that began after the copy from which a database was brought back (F10).

What a gift needs beyond its money goes to the processor as metadata when its payment page is
opened, so that the row can be made again: what its receipt says, how its name is shown, its seats.
Never kept there, and so lost: the comment, the tribute with its card, wishes to change a plan, who
asked for a refund and why, the staff's note on a trip fee. A fee whose page nobody opened is lost.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from donations import posting, recurring, selling, sync
from donations.amounts import CURRENCY
from donations.models import (
    Campaign,
    CheckoutAttempt,
    Donation,
    LedgerEntry,
    RecurringGift,
    Ticket,
    TicketLine,
    TripFee,
)
from donations.providers import provider
from donations.providers.base import CheckoutSnap, PageSnap, ProviderRefused
from exchanges.models import Visit

WAIT = 30.0  # seconds in line for a busy gift: nobody is waiting for this job
ON = "yes"
# What our columns are called in the metadata, and which of them are switches or cents.
WORDS = ("form_token", "designation", "donor_name", "donor_address", "employer")
SWITCHES = ("is_anonymous", "is_listed")
WORDS_OF_FEE = ("delegate_name", "purpose")
# What the metadata calls the token of each.
MODELS: dict[str, type[Donation | RecurringGift | TripFee]] = {
    "gift": Donation,
    "plan": RecurringGift,
    "trip_fee": TripFee,
}


@dataclass
class Rebuilt:
    """`gifts`: the tokens of what was made again; `problems`: what a person must look at."""

    gifts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class CannotRebuild(Exception):
    """What the processor holds is not enough, or no longer fits; says why, for staff."""


def words_of(gift: Donation | RecurringGift | TripFee) -> dict[str, str]:
    """What the processor keeps for us of a gift, as metadata: nothing empty, no value longer than
    500 characters.
    """
    if isinstance(gift, TripFee):
        fee = {name: getattr(gift, name) for name in WORDS_OF_FEE}
        return {**fee, "visit": gift.visit.slug, "due_on": gift.due_on.isoformat()}
    words = {name: getattr(gift, name) for name in WORDS}
    words |= {name: ON for name in SWITCHES if getattr(gift, name)}
    words["campaign"] = gift.campaign.slug if gift.campaign else ""
    words["covered_fee_cents"] = str(gift.covered_fee_cents or "")
    if isinstance(gift, RecurringGift):
        words["interval"] = gift.interval
    else:
        words["benefit"] = gift.benefit
        words["benefit_cents"] = str(gift.benefit_cents or "")
        words["seats"] = " ".join(
            f"{line.ticket_id}:{line.quantity}:{line.price_cents}:{line.value_cents}"
            for line in gift.ticket_lines.order_by("pk")
        )
    return {name: word for name, word in words.items() if word}


def rebuild(pages: Iterable[PageSnap]) -> Rebuilt:
    """Makes the gifts and trip fees of these payment pages again where we have none, and looks at
    each of them. A fee that is here gets those of its pages that are not.

    A page that ended unpaid is left alone. A second run changes nothing. Stops half way with
    `ProviderDown` or `GiftBusy`: what was made by then stays, and the sweep goes on with it.
    """
    report = Rebuilt()
    for page in pages:
        try:
            if gift := _rebuild(page):
                report.gifts.append(gift.token)
                _look(gift, page)
        except (CannotRebuild, ProviderRefused) as reason:
            report.problems.append(f"{page.checkout.session_id}: {reason}")
    return report


def _rebuild(page: PageSnap) -> Donation | RecurringGift | TripFee | None:
    token, checkout = page.checkout.gift_token, page.checkout
    prefix = next((name for name in MODELS if token and page.words.get(name) == token), "")
    if (
        not prefix
        or checkout.status == "expired"
        or checkout.livemode != settings.STRIPE_LIVE_MODE
        or _is_here(prefix, checkout)
    ):
        return None
    if checkout.currency != CURRENCY:
        raise CannotRebuild(_("It is in another currency: %s.") % checkout.currency)
    if not {"form_token", "delegate_name"} & page.words.keys():
        raise CannotRebuild(_("It began before enough was kept to make it again."))
    try:
        model = MODELS[prefix]
        fields = _fields_of_fee(page) if model is TripFee else _fields_of(page, model)
        seats = list(_seats(page.words.get("seats", "")))
    except (KeyError, ValueError) as error:
        raise CannotRebuild(_("What was kept of this gift cannot be read.")) from error
    if staff_explained := list(_explained(page)):
        raise CannotRebuild(
            _("Staff have taken its money out of suspense: %s") % ", ".join(staff_explained)
        )
    return _make(prefix, page, fields, seats)


def _is_here(prefix: str, checkout: CheckoutSnap) -> bool:
    """A fee may be older than the copy and its payment page younger."""
    if prefix == "trip_fee":
        return CheckoutAttempt.objects.filter(session_id=checkout.session_id).exists()
    return MODELS[prefix]._default_manager.filter(token=checkout.gift_token).exists()


def _fields_of_fee(page: PageSnap) -> dict[str, Any]:
    visit = Visit.objects.filter(slug=page.words["visit"]).first()
    if visit is None:
        raise CannotRebuild(_("It is for a visit that is not here: %s.") % page.words["visit"])
    return {
        **{name: page.words[name] for name in WORDS_OF_FEE},
        "visit": visit,
        "due_on": dt.date.fromisoformat(page.words["due_on"]),
        "state": TripFee.State.OPEN,
        "amount_cents": page.checkout.amount_cents,
        "currency": page.checkout.currency,
        "email": page.email,
        "livemode": page.checkout.livemode,
        "created_at": page.created_at,
        "times_sent": 1,
        "sent_at": page.created_at,
    }


def _fields_of(page: PageSnap, model: type[Donation | RecurringGift | TripFee]) -> dict[str, Any]:
    words, checkout = page.words, page.checkout
    slug = words.get("campaign", "")
    campaign = Campaign.objects.filter(slug=slug).first()
    fields: dict[str, Any] = {name: words.get(name, "") for name in WORDS}
    fields |= {name: words.get(name) == ON for name in SWITCHES}
    fields |= {
        "state": model.State.OPEN,
        "amount_cents": checkout.amount_cents,
        "covered_fee_cents": int(words.get("covered_fee_cents", 0)),
        "currency": checkout.currency,
        "campaign": campaign,
        "email": page.email,
        "livemode": checkout.livemode,
        "created_at": page.created_at,
    }
    if slug and campaign is None:
        fields["needs_attention"] = _("It was for the campaign %s, which is not here.") % slug
    if model is RecurringGift:
        return {**fields, "interval": RecurringGift.Interval(words["interval"]).value}
    worth = int(words.get("benefit_cents", 0))
    kinds = Donation.GoodsServices
    return {
        **fields,
        "goods_services": kinds.BENEFIT if worth else kinds.NONE,
        "benefit": words.get("benefit", ""),
        "benefit_cents": worth,
    }


def _seats(kept: str) -> Iterator[dict[str, Any]]:
    """The lines of an order, from `ticket:seats:price:value` with blanks between."""
    for line in kept.split():
        ticket_pk, quantity, price_cents, value_cents = map(int, line.split(":"))
        if not Ticket.objects.filter(pk=ticket_pk).exists():
            raise CannotRebuild(_("It bought tickets that are not here."))
        yield {
            "ticket_id": ticket_pk,
            "quantity": quantity,
            "price_cents": price_cents,
            "value_cents": value_cents,
        }


def _explained(page: PageSnap) -> Iterator[str]:
    """The transactions of a page's payments that staff took out of suspense: what they booked in
    their stead stays, and must not be booked again.
    """
    refs = [page.checkout.payment_ref] if page.checkout.payment_ref else []
    if page.checkout.plan_ref:
        invoices = map(provider.fetch_invoice, provider.invoices_of(page.checkout.plan_ref))
        refs = [invoice.payment_ref for invoice in invoices if invoice.payment_ref]
    for ref in refs:
        txns = [txn.id for _kind, txn in posting.rows_of(provider.fetch_payment(ref))]
        entries = LedgerEntry.objects.filter(
            provider_txn_id__in=txns, kind=LedgerEntry.Kind.SUSPENSE
        )
        done = entries.exclude(pk__in=LedgerEntry.objects.in_suspense())
        yield from (entry.provider_txn_id or "" for entry in done.order_by("pk"))


def _make(
    prefix: str, page: PageSnap, fields: dict[str, Any], seats: list[dict[str, Any]]
) -> Donation | RecurringGift | TripFee | None:
    """The gift with its payment page and its seats; None where another process was faster."""
    token, number = page.checkout.gift_token, page.checkout.attempt
    with transaction.atomic():
        gift, is_new = MODELS[prefix]._default_manager.get_or_create(token=token, defaults=fields)
        if not (is_new or isinstance(gift, TripFee)):
            return None
        gift.attempts.get_or_create(
            number=int(number),
            defaults={
                "idempotency_key": f"{prefix}:{token}:checkout:{number}",
                "params": {},
                # What was sent is not known here, so it must not be sent again.
                "is_spent": True,
                "session_id": page.checkout.session_id,
                "url": page.url,
                "expires_at": page.expires_at,
            },
        )
        TicketLine.objects.bulk_create(
            TicketLine(donation_id=gift.pk, held_until=page.created_at + selling.HOLD, **line)
            for line in seats
        )
    return gift


def _look(gift: Donation | RecurringGift | TripFee, page: PageSnap) -> None:
    """Makes what was made again say what the processor says: paid, booked, receipted."""
    from donations import trip_fees  # it opens payment pages, which ask for `words_of`

    session_id = page.checkout.session_id
    if isinstance(gift, TripFee):
        trip_fees.sync_fee(fee=gift, session_id=session_id, wait=WAIT)
        return
    if isinstance(gift, RecurringGift):
        recurring.sync_plan(plan=gift, session_id=session_id, wait=WAIT)
        gift.refresh_from_db()
        recurring.sync_history(plan=gift)
        return
    present = sync.sync_checkout(donation=gift, session_id=session_id, wait=WAIT)
    if present.refunds.exists() and present.ticket_lines.exists():
        sync.flag(
            present, _("Money went back. Which of its seats were taken back is not known here.")
        )
