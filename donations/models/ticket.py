"""Seats at an event that are sold: what each costs, what it is worth, who has one."""

from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from donations.amounts import CURRENCY
from donations.models.donation import Donation
from donations.models.ledger import Account, LedgerEntry, LedgerPosting
from exchanges.models import Event
from sistercities.shared import clock
from sistercities.shared.money import format_amount

State = Donation.State


class TicketQuerySet(models.QuerySet):
    def without_value(self) -> Self:
        """On sale by the wish of staff, but nobody said what they are worth (giving.md D10)."""
        return self.filter(is_on_sale=True, value_cents=None)

    def on_sale(self) -> Self:
        """Those that a visitor may buy today, sold out or not; the last day counts.

        One without its fair value is not among them: the law wants it said at the ask (D9).
        """
        today = clock.today()
        return self.filter(
            Q(sale_ends_on=None) | Q(sale_ends_on__gte=today),
            is_on_sale=True,
            value_cents__isnull=False,
        )

    def with_taken(self) -> Self:
        """Adds `taken`: the seats that nobody else can have. Counted from the rows each time."""
        lines = TicketLine.objects.holding().filter(ticket=OuterRef("pk")).order_by()
        seats = lines.values("ticket").annotate(n=Sum(F("quantity") - F("given_up")))
        return self.annotate(taken=Coalesce(Subquery(seats.values("n")), 0))


class Ticket(models.Model):
    """A kind of seat at an event. Cents of `CURRENCY`: price = fair value + gift (D9)."""

    shown_on_pages = True

    taken: int  # after with_taken()

    event = models.ForeignKey(
        Event, models.CASCADE, related_name="tickets", verbose_name=_("event")
    )
    title = models.CharField(
        _("title"), max_length=60, help_text=_("Such as: Seat at the Friendship Dinner.")
    )
    what = models.CharField(
        _("what a guest gets"), max_length=60,
        help_text=_("Such as: the dinner. Visitors read “$40 is the dinner, $60 is your gift”."),
    )  # fmt: skip
    price_cents = models.BigIntegerField(_("price"), help_text=_("In dollars, for one seat."))
    value_cents = models.BigIntegerField(
        _("fair value"), null=True, blank=True, default=None,
        help_text=_("In dollars: what a guest would pay elsewhere for the same, by your honest "
                    "estimate, whatever it costs you. Without it the ticket cannot be bought: "
                    "the law wants it said before people pay. 0 only for what is free to all."),
    )  # fmt: skip
    places = models.PositiveIntegerField(
        _("how many there are"), null=True, blank=True, help_text=_("Leave empty for no limit.")
    )
    is_on_sale = models.BooleanField(_("on sale"), default=True)
    sale_ends_on = models.DateField(
        _("last day of the sale"), null=True, blank=True,
        help_text=_("Leave empty to sell until the day of the event."),
    )  # fmt: skip
    order = models.PositiveSmallIntegerField(
        _("order"), default=0, help_text=_("Small numbers come first.")
    )

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["event", "order", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "title"], name="one_ticket_per_title_of_an_event"
            ),
            models.CheckConstraint(
                condition=Q(price_cents__gt=0), name="ticket_price_above_zero",
                violation_error_message=_("A price is more than zero."),
            ),
            models.CheckConstraint(
                condition=Q(value_cents=None)
                | Q(value_cents__gte=0, value_cents__lte=F("price_cents")),
                name="ticket_value_within_its_price",
                violation_error_message=_(
                    "The fair value is between zero and the price: what is paid beyond it is "
                    "the gift."
                ),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title

    def clean(self):
        super().clean()
        last = self.event.ends_on or self.event.starts_on if self.event_id else None
        if last and self.sale_ends_on and self.sale_ends_on > last:
            raise ValidationError({"sale_ends_on": _("The event is over by then.")})

    @property
    def left(self) -> int | None:
        """How many can still be had, None for no limit: needs `with_taken()`."""
        return None if self.places is None else max(0, self.places - self.taken)

    @property
    def gift_cents(self) -> int:
        """What is paid beyond the worth of a seat."""
        return self.price_cents - (self.value_cents or 0)

    @property
    def split(self) -> str:
        """What of the price is a gift: stands beside it before anybody pays, at any price (D9)."""
        words = {
            "value": format_amount(self.value_cents or 0, CURRENCY),
            "gift": format_amount(self.gift_cents, CURRENCY),
            "what": self.what,
        }
        if not self.value_cents:
            text = gettext("All of it is your gift and may be deductible.")
        elif not self.gift_cents:
            text = gettext("All of it is %(what)s (our estimate in good faith). No part is a gift, "
                           "and none can be deducted.")  # fmt: skip
        else:
            text = gettext("%(value)s is %(what)s (our estimate in good faith), %(gift)s is your "
                           "gift and may be deductible.")  # fmt: skip
        return text % words


class TicketLineQuerySet(models.QuerySet):
    def with_refunded(self) -> Self:
        """Adds `refunded_cents`: what of the whole order was given back, from the ledger."""
        back = (
            LedgerPosting.objects.filter(
                entry__kind__in=LedgerEntry.RETURNS, entry__donation=OuterRef("donation")
            )
            .with_effect_on(Account.REFUNDS)
            .order_by()
            .values("entry__donation")
            .annotate(cents=Sum("effect_cents"))
        )
        cents = Coalesce(Subquery(back.values("cents")), 0)
        return self.annotate(refunded_cents=Cast(cents, models.BigIntegerField()))

    def paid(self) -> Self:
        """Those of paid orders that were not given back whole."""
        return self.with_refunded().filter(
            Donation.counts("donation__"), refunded_cents__lt=F("donation__amount_cents")
        )

    def holding(self) -> Self:
        """Those whose seats nobody else can have: paid and not given back whole, on their way
        from a bank, or at a payment page whose time is not over.
        """
        is_waiting = Q(donation__state__in=[State.DRAFT, State.OPEN], held_until__gt=clock.now())
        return self.with_refunded().filter(
            Q(donation__state__in=[State.PROCESSING, State.PAID]) | is_waiting,
            donation__livemode=settings.STRIPE_LIVE_MODE,
            refunded_cents__lt=F("donation__amount_cents"),
        )


class TicketLine(models.Model):
    """Seats of one kind in one order; the order is a gift. Price and value of one seat are those
    that the buyer read. The money, its receipt and what went back stand with the gift.
    """

    shown_on_pages = True
    turns_at = ("held_until",)

    refunded_cents: int  # after with_refunded()

    donation = models.ForeignKey(
        Donation, models.PROTECT, related_name="ticket_lines", verbose_name=_("order")
    )
    ticket = models.ForeignKey(
        Ticket, models.PROTECT, related_name="lines", verbose_name=_("ticket")
    )
    quantity = models.PositiveSmallIntegerField(_("seats"))
    given_up = models.PositiveSmallIntegerField(
        _("of these taken back"), default=0, db_default=0,
        help_text=_("Seats that the buyer does not need any more. Others can buy them."),
    )  # fmt: skip
    price_cents = models.BigIntegerField(_("price in cents"))
    value_cents = models.BigIntegerField(_("fair value in cents"))
    held_until = models.DateTimeField(
        _("kept until"), help_text=_("Until then nobody else can buy them, paid or not.")
    )

    objects = TicketLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("buyer of tickets")
        verbose_name_plural = _("buyers of tickets")
        ordering = ["-donation", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["donation", "ticket"], name="one_line_per_ticket_of_an_order"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="ticket_line_has_seats"),
            models.CheckConstraint(
                condition=Q(given_up__lte=F("quantity")), name="no_more_given_up_than_bought"
            ),
            models.CheckConstraint(
                condition=Q(price_cents__gt=0, value_cents__gte=0)
                & Q(value_cents__lte=F("price_cents")),
                name="ticket_line_value_within_its_price",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seats} × {self.ticket}"

    @property
    def seats(self) -> int:
        return self.quantity - self.given_up

    @property
    def paid_cents(self) -> int:
        """What they cost, those included that were taken back since."""
        return self.quantity * self.price_cents
