"""Takes a donor from our form to the processor's payment page, once per form, and opens the pages
of all other payments.
"""

import contextlib
import datetime as dt
import logging
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from donations import rebuilding, receipts, recurring, selling, sync
from donations.amounts import CURRENCY
from donations.models import Campaign, CheckoutAttempt, Donation, RecurringGift, TripFee
from donations.providers import provider
from donations.providers.base import ProviderDown, ProviderRefused
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings
from sistercities.shared.money import MINOR_UNITS

logger = logging.getLogger(__name__)
PAGE_LASTS = dt.timedelta(minutes=31)  # Stripe allows no less than 30
State = Donation.State
Kind = Donation.Kind
STRIPE_INTERVALS = {Kind.MONTHLY: "month", Kind.YEARLY: "year"}
PREFIXES = {Donation: "gift", RecurringGift: "plan", TripFee: "trip_fee"}
NOT_AT_A_PAGE = (State.DRAFT, TripFee.State.ASKED)


class GiftsClosed(Exception):
    """The organisation cannot write receipts yet, so it takes no gifts (giving.md D8)."""


class FormUsed(Exception):
    """This form's payment page has ended. A new form, with a new token, starts a new gift."""


class FormChanged(Exception):
    """The form was sent before with other words: sending it on would charge what it said then."""


@dataclass(frozen=True)
class Wish:
    """What the donor asked for. Cents of `CURRENCY`; the gift is both sums together (D13)."""

    form_token: str
    chosen_cents: int
    campaign: Campaign | None
    donor_name: str
    email: str
    covered_fee_cents: int = 0
    frequency: str = Kind.ONE_TIME
    donor_address: str = ""
    employer: str = ""
    is_anonymous: bool = False
    is_listed: bool = False
    message: str = ""
    tribute_kind: str = ""
    tribute_name: str = ""
    notice_name: str = ""
    notice_email: str = ""
    notice_address: str = ""
    seats: tuple[selling.Seats, ...] = ()  # of one event; `chosen_cents` is what they cost
    left_order: str = ""  # the token of an order that this one takes the place of


def start(wish: Wish) -> str:
    """The address to send the donor to: the payment page, or the thank-you page if already paid.

    The same wish twice, one after the other or at the same time, leads to the same page (F1, F2).
    Raises `GiftsClosed`, `FormUsed`, `FormChanged`, `selling.SoldOut`, and for a processor that is
    down or says no `ProviderDown` or `ProviderRefused`: no money moved, and the same form may be
    sent again.
    """
    if not receipts.can_take_gifts(SiteSettings.load()):
        raise GiftsClosed
    if wish.frequency != Kind.ONE_TIME:
        return _start_plan(wish)
    _refuse_if_taken(RecurringGift, wish)
    if wish.left_order and (paid := _end_left(wish.left_order)):
        return paid.get_absolute_url()
    donation, is_new = _begin(wish)
    _refuse_if_taken(RecurringGift, wish)  # two at the same moment: no page is opened for either
    if not is_new:
        donation = _look_again(donation, wish)
    if donation.state in {State.PAID, State.PROCESSING}:
        return donation.get_absolute_url()
    if wish.seats and not is_new:
        selling.hold(donation=donation)
    return open_page(donation)


def _end_left(token: str) -> Donation | None:
    """Closes the payment page of an order whose buyer came back to choose anew, so that its seats
    are free at once; the order, if it was paid after all.
    """
    order = Donation.objects.filter(token=token, ticket_lines__isnull=False).first()
    if order is None or order.state not in {State.OPEN, State.PAID, State.PROCESSING}:
        return None
    if order.state == State.OPEN:
        # Whatever comes of it, the order is looked at: a page that was paid cannot be closed.
        with contextlib.suppress(ProviderDown, ProviderRefused):
            provider.end_checkout(sync.last_session_id(order))
        with contextlib.suppress(ProviderDown, ProviderRefused, sync.GiftBusy):
            order = sync.sync_checkout(donation=order)
    return order if order.state in {State.PAID, State.PROCESSING} else None


def _begin(wish: Wish) -> tuple[Donation, bool]:
    """The gift of a form, and whether it is new; a new order is there with its seats or not."""
    with transaction.atomic():
        donation, is_new = Donation.objects.get_or_create(
            form_token=wish.form_token, defaults={**_fields_of(wish), **_in_return(wish)}
        )
        if is_new and wish.seats:
            selling.add_lines(donation=donation, seats=wish.seats)
    return donation, is_new


def _start_plan(wish: Wish) -> str:
    """The same for a gift that repeats; once it has begun the address is its own page."""
    _refuse_if_taken(Donation, wish)
    fields = {**_fields_of(wish), "interval": wish.frequency}
    plan, is_new = RecurringGift.objects.get_or_create(form_token=wish.form_token, defaults=fields)
    _refuse_if_taken(Donation, wish)
    if not is_new:
        asked = {**fields, "designation": plan.designation}
        if any(getattr(plan, name) != value for name, value in asked.items()):
            raise FormChanged
        if plan.state == RecurringGift.State.OPEN:
            with contextlib.suppress(sync.GiftBusy):
                recurring.sync_plan(plan=plan)
            plan.refresh_from_db()
        if plan.state == RecurringGift.State.EXPIRED:
            raise FormUsed
    if plan.state not in RecurringGift.NOT_BEGUN:
        return plan.get_absolute_url()
    return open_page(plan)


def _refuse_if_taken(other: type[Donation | RecurringGift], wish: Wish) -> None:
    """A form begins one gift: not one that is given once and then one that repeats."""
    if other._default_manager.filter(form_token=wish.form_token).exists():
        raise FormChanged


def _fields_of(wish: Wish) -> dict[str, Any]:
    """What a gift takes over from the form, whether it repeats or not."""
    campaign = wish.campaign
    designation = campaign.designation if campaign else _("Where it is needed most")
    if wish.seats:
        designation = _("Tickets: %s") % wish.seats[0].ticket.event.title
    return {
        "amount_cents": wish.chosen_cents + wish.covered_fee_cents,
        "covered_fee_cents": wish.covered_fee_cents,
        "currency": CURRENCY,
        "campaign": campaign,
        "designation": designation,
        "donor_name": wish.donor_name,
        "email": wish.email,
        "donor_address": wish.donor_address,
        "employer": wish.employer,
        "is_anonymous": wish.is_anonymous,
        "is_listed": wish.is_listed,
        "message": wish.message,
        "tribute_kind": wish.tribute_kind,
        "tribute_name": wish.tribute_name,
        "notice_name": wish.notice_name,
        "notice_email": wish.notice_email,
        "notice_address": wish.notice_address,
        "livemode": settings.STRIPE_LIVE_MODE,
    }


def _in_return(wish: Wish) -> dict[str, Any]:
    """What a gift that is given once says of goods and services (D3): tickets are some."""
    worth = sum(wanted.quantity * (wanted.ticket.value_cents or 0) for wanted in wish.seats)
    return selling.in_return(wish.seats, worth)


def _look_again(donation: Donation, wish: Wish) -> Donation:
    """A form that comes a second time: its gift as the processor sees it now."""
    asked = {**_fields_of(wish), **_in_return(wish), "designation": donation.designation}
    if any(getattr(donation, name) != value for name, value in asked.items()):
        raise FormChanged
    if donation.state == State.OPEN:
        try:
            donation = sync.sync_checkout(donation=donation)
        except sync.GiftBusy:
            donation.refresh_from_db()
    if donation.state in {State.EXPIRED, State.FAILED}:
        raise FormUsed
    return donation


def open_page(gift: Donation | RecurringGift | TripFee) -> str:
    """The address of the payment page; the one that is open already, if there is one.

    A trip fee that is asked for and had a page gets a new one: that page has ended unpaid. Who
    calls for a trip fee is alone with it. Raises `ProviderDown` and `ProviderRefused`.
    """
    attempt = gift.attempts.order_by("-number").first()
    is_over = isinstance(gift, TripFee) and gift.state == TripFee.State.ASKED
    if attempt and attempt.session_id and not is_over and attempt.url:
        return attempt.url
    is_repeat = bool(
        attempt
        and not attempt.is_spent
        and attempt.expires_at > clock.now()
        and not (is_over and attempt.session_id)
    )
    if attempt is None or not is_repeat:
        attempt = _new_attempt(gift, number=attempt.number + 1 if attempt else 1)
    try:
        return _ask_for_page(gift, attempt)
    except ProviderRefused:
        if not is_repeat:
            raise
        # The first answer was lost and the frozen request has since become too old to be taken:
        # nothing was opened under that key, nor can be.
        return _ask_for_page(gift, _new_attempt(gift, number=attempt.number + 1))


def _new_attempt(gift: Donation | RecurringGift | TripFee, *, number: int) -> CheckoutAttempt:
    """Keeps key and parameters before anything is sent. Two processes get the same row."""
    expires_at = clock.now().replace(microsecond=0) + PAGE_LASTS
    prefix = PREFIXES[type(gift)]
    attempt, _is_new = gift.attempts.get_or_create(
        number=number,
        defaults={
            "idempotency_key": f"{prefix}:{gift.token}:checkout:{number}",
            "params": _params(gift, number, expires_at),
            "expires_at": expires_at,
        },
    )
    return attempt


def _ask_for_page(gift: Donation | RecurringGift | TripFee, attempt: CheckoutAttempt) -> str:
    try:
        page = provider.start_checkout(key=attempt.idempotency_key, params=attempt.params)
    except (ProviderDown, ProviderRefused) as error:
        if isinstance(error, ProviderRefused) or error.is_key_spent:
            CheckoutAttempt.objects.filter(pk=attempt.pk).update(is_spent=True)
        logger.warning("No payment page for %s: %s", attempt, type(error).__name__)
        raise
    # An event may have been faster than this reply (F3): only what is still unset is written.
    # Both or none: a draft with a page would never be asked about again.
    with transaction.atomic():
        attempts = CheckoutAttempt.objects.filter(pk=attempt.pk)
        attempts.update(session_id=page.session_id, url=page.url)
        rows = type(gift)._default_manager.filter(pk=gift.pk, state__in=NOT_AT_A_PAGE)
        rows.update(state=State.OPEN)
    return page.url


def _params(
    gift: Donation | RecurringGift | TripFee, number: int, expires_at: dt.datetime
) -> dict[str, Any]:
    """What we ask Stripe for, as it stands in giving.md. Metadata is not copied from the page to
    its payment or subscription, so it is set on both (hazard 5).
    """
    back = f"{settings.SITE_URL}{gift.get_absolute_url()}"
    order = selling.bought(gift) if isinstance(gift, Donation) else None
    if isinstance(gift, TripFee):
        title = _("Trip fee, not a gift: %(purpose)s. %(visit)s") % {
            "purpose": gift.purpose, "visit": gift.visit.title,
        }  # fmt: skip
        submit, descriptor, cancel_url = "pay", "TRIP", f"{back}?stopped=1"
    elif order:
        title = selling.words(order.seats)
        submit, descriptor, cancel_url = "pay", "TICKETS", _order_url(order, gift.token)
    else:
        title = _("Gift: %s") % gift.designation
        submit, descriptor, cancel_url = "donate", "GIFT", _cancel_url(gift)
    price: dict[str, Any] = {
        "currency": gift.currency.lower(),
        "unit_amount": gift.amount_cents,
        "product_data": {"name": title},
    }
    if isinstance(gift, RecurringGift):
        metadata = {"plan": gift.token, "attempt": str(number), **rebuilding.words_of(gift)}
        price["recurring"] = {"interval": STRIPE_INTERVALS[Kind(gift.interval)]}
        mode: dict[str, Any] = {
            "mode": "subscription",
            "subscription_data": {"metadata": metadata, "description": title},
        }
    else:
        metadata = {PREFIXES[type(gift)]: gift.token, "attempt": str(number)}
        metadata |= rebuilding.words_of(gift)
        mode = {
            "mode": "payment",
            "payment_intent_data": {
                "metadata": metadata,
                "description": title,
                "statement_descriptor_suffix": descriptor,
            },
        }
    return {
        **mode,
        "ui_mode": "hosted_page",
        "submit_type": submit,
        "locale": "en",
        "client_reference_id": gift.token,
        "customer_email": gift.email,
        "success_url": f"{back}?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": cancel_url,
        "expires_at": int(expires_at.timestamp()),
        "metadata": metadata,
        "adaptive_pricing": {"enabled": False},
        "line_items": [{"quantity": 1, "price_data": price}],
    }


def _cancel_url(gift: Donation | RecurringGift) -> str:
    """Back to the form, with what was chosen: the amount, how often, the fee covered or not."""
    campaign = gift.campaign
    path = campaign.get_absolute_url() if campaign else reverse("donations:give")
    digits = MINOR_UNITS[gift.currency]
    amount = Decimal(gift.amount_cents - gift.covered_fee_cents).scaleb(-digits)
    text = f"{amount:.{digits}f}".removesuffix("." + "0" * digits)
    often = f"&frequency={gift.interval}" if isinstance(gift, RecurringGift) else ""
    cover = "&cover_fees=on" if gift.covered_fee_cents else ""
    return f"{settings.SITE_URL}{path}?amount={text}{often}{cover}&stopped=1"


def _order_url(order: selling.Bought, token: str) -> str:
    """Back to the tickets, with what was chosen; the next order takes the place of this one."""
    path = reverse("donations:tickets", args=[order.event.slug])
    chosen = "&".join(f"seats-{seats.ticket.pk}={seats.quantity}" for seats in order.seats)
    return f"{settings.SITE_URL}{path}?{chosen}&left={token}&stopped=1"
