"""Keeps seats for who is about to pay, so that no seat is sold twice (giving.md D9).

An order is a gift with a line for each kind of ticket. Its money goes the way of every gift.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from donations.models import Donation, Ticket, TicketLine
from exchanges.models import Event
from exchanges.models.event import LocalTime
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings

# Longer than a payment page lasts: its last payment must have time to be told to us.
HOLD = dt.timedelta(minutes=36)
MOST_SEATS = 10  # in one order
BENEFIT_LENGTH = 200


class SoldOut(Exception):
    """There are not so many seats left; the message says how many there are, for the buyer."""


@dataclass(frozen=True)
class Seats:
    """So many seats of one kind."""

    ticket: Ticket
    quantity: int

    @property
    def words(self) -> str:
        return f"{self.quantity} × {self.ticket.title}"


def together(seats: Sequence[Seats]) -> int:
    """What an order costs, in cents."""
    return sum(wanted.quantity * wanted.ticket.price_cents for wanted in seats)


def words(seats: Sequence[Seats]) -> str:
    """An order as receipts and the card processor say it: `2 × Seat at the dinner`."""
    text = ", ".join(wanted.words for wanted in seats)
    if len(text) <= BENEFIT_LENGTH:
        return text
    count = sum(wanted.quantity for wanted in seats)
    event = seats[0].ticket.event.title
    return ngettext("%(count)d seat: %(event)s", "%(count)d seats: %(event)s", count) % {
        "count": count, "event": event,
    }  # fmt: skip


def in_return(seats: Sequence[Seats], value_cents: int) -> dict[str, Any]:
    """What a gift says of goods and services for these seats of this worth together (D2, D9)."""
    kinds = Donation.GoodsServices
    return {
        "goods_services": kinds.BENEFIT if value_cents else kinds.NONE,
        "benefit": words(seats) if value_cents else "",
        "benefit_cents": value_cents,
    }


def add_lines(*, donation: Donation, seats: Sequence[Seats]) -> None:
    """Writes the lines of a new order and keeps its seats. Inside the transaction that made it.

    Raises `SoldOut`: then the caller's transaction must end without an order.
    """
    _lock(Ticket.objects.filter(pk__in=[wanted.ticket.pk for wanted in seats]))
    TicketLine.objects.bulk_create(
        TicketLine(
            donation=donation,
            ticket=wanted.ticket,
            quantity=wanted.quantity,
            price_cents=wanted.ticket.price_cents,
            value_cents=wanted.ticket.value_cents or 0,
            held_until=clock.now(),
        )
        for wanted in seats
    )
    hold(donation=donation)


def hold(*, donation: Donation) -> None:
    """Keeps the seats of an order while its payment page is open, once more if need be.

    Two buyers of the last seat stand in line here: one row for each ticket is the lock. Raises
    `SoldOut`, and then keeps none of them.
    """
    with transaction.atomic():
        for line, left in _left_for(donation):
            if left is not None and line.quantity > left:
                raise SoldOut(_too_few(line.ticket, left))
        donation.ticket_lines.update(held_until=clock.now() + HOLD)


def shortages(*, donation: Donation) -> Iterator[str]:
    """Why a paid order does not fit into the event, in words for staff. The money was taken: its
    buyer came back after the seats had been given to others. Inside the transaction that books.
    """
    for line, left in _left_for(donation):
        if left is not None and line.seats > left and line.held_until <= clock.now():
            yield _(
                "%(seats)s was paid after the seats had been given to others; %(left)d can be "
                "had. Find room, or give the money back."
            ) % {"seats": line, "left": left}


def _left_for(donation: Donation) -> list[tuple[TicketLine, int | None]]:
    """The lines of an order with what others leave of their tickets, None for no limit.

    Until the transaction ends nobody else is told how many are left.
    """
    lines = list(donation.ticket_lines.select_related("ticket").order_by("ticket"))
    tickets = _lock(Ticket.objects.filter(pk__in=[line.ticket_id for line in lines]))
    found = []
    for line in lines:
        ticket = tickets[line.ticket_id]
        others = ticket.lines.holding().exclude(donation=donation)
        taken = others.aggregate(n=Sum(F("quantity") - F("given_up")))["n"] or 0
        left = None if ticket.places is None else max(0, ticket.places - taken)
        found.append((line, left))
    return found


def _lock(tickets: QuerySet[Ticket]) -> dict[int, Ticket]:
    """Always in the same order, so that two orders never wait for each other."""
    rows = tickets.select_for_update(no_key=True).order_by("pk")
    return {ticket.pk: ticket for ticket in rows}


def _too_few(ticket: Ticket, left: int) -> str:
    if not left:
        return _("%s: sold out. Nothing was charged.") % ticket.title
    text = ngettext(
        "%(ticket)s: only %(left)d seat is left. Nothing was charged.",
        "%(ticket)s: only %(left)d seats are left. Nothing was charged.",
        left,
    )
    return text % {"ticket": ticket.title, "left": left}


@dataclass(frozen=True)
class Bought:
    """What an order bought, as its buyer reads it; seats that were taken back are not in it."""

    event: Event
    seats: tuple[Seats, ...]

    @property
    def times(self) -> list[LocalTime]:
        """The hours of the event at home, and where it is if that is elsewhere."""
        return self.event.local_times(SiteSettings.load().zone, None)


def bought(donation: Donation) -> Bought | None:
    """The seats of an order; None for a gift that is none. One query."""
    lines = list(donation.ticket_lines.select_related("ticket__event__city").order_by("pk"))
    if not lines:
        return None
    seats = tuple(Seats(line.ticket, line.seats) for line in lines if line.seats)
    return Bought(lines[0].ticket.event, seats)
