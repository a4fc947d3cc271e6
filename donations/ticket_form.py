"""The form that sells seats at an event. It calls nobody and stores nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from donations.amounts import CURRENCY
from donations.checkout import Wish
from donations.forms import PayerForm
from donations.models import Ticket
from donations.selling import MOST_SEATS, Seats, together
from sistercities.shared.models import SiteSettings
from sistercities.shared.money import format_amount

FEW = 10  # so few seats are counted in public


@dataclass(frozen=True)
class Offer:
    """A kind of ticket as the page offers it."""

    ticket: Ticket
    field: forms.BoundField

    @property
    def choices(self) -> range:
        """How many can be chosen; none where it is sold out."""
        left = self.ticket.left
        if left == 0:
            return range(0)
        return range(MOST_SEATS + 1 if left is None else min(MOST_SEATS, left) + 1)

    @property
    def chosen(self) -> str:
        return str(self.field.value() or 0)

    @property
    def few_left(self) -> int:
        left = self.ticket.left
        return left if left is not None and left <= FEW else 0


class TicketForm(PayerForm):
    """How many seats of each kind, and for whom. `tickets` are those on sale, `with_taken()`."""

    guests = forms.CharField(
        label=_("Who comes with you?"),
        help_text=_("Optional: names for the door, and what the kitchen should know. "
                    "Only our staff read it."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )  # fmt: skip
    offer = forms.CharField(max_length=2000, required=False, widget=forms.HiddenInput)
    left = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, tickets: Sequence[Ticket], site: SiteSettings, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.tickets, self.limits = tickets, site.gift_limits
        for ticket in tickets:
            self.fields[_name(ticket)] = _seats_field(ticket)
        kinds = [_name(ticket) for ticket in tickets]
        self.order_fields([*kinds, "name", "email", "guests"])
        self.style(kinds)

    @property
    def present_offer(self) -> str:
        """What the page says of prices and values: nobody pays others than those read (D9)."""
        return " ".join(
            f"{ticket.pk}:{ticket.price_cents}:{ticket.value_cents}" for ticket in self.tickets
        )

    @property
    def offers(self) -> list[Offer]:
        return [Offer(ticket, self[_name(ticket)]) for ticket in self.tickets]

    @property
    def is_sold_out(self) -> bool:
        return all(ticket.left == 0 for ticket in self.tickets)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("offer") != self.present_offer:
            raise ValidationError(
                _("The tickets have changed since you opened this page. Nothing was charged. "
                  "Please look at them again.")
            )  # fmt: skip
        seats = tuple(
            Seats(ticket, count)
            for ticket in self.tickets
            if (count := cleaned.get(_name(ticket)) or 0)
        )
        cleaned["seats"] = seats
        if not any(_name(ticket) in self.errors for ticket in self.tickets):
            self._check_count(seats)
        return cleaned

    def _check_count(self, seats: Sequence[Seats]) -> None:
        smallest, largest = self.limits
        cents = together(seats)
        if not seats:
            self.add_error(None, _("Please choose how many seats you would like."))
        elif sum(wanted.quantity for wanted in seats) > MOST_SEATS:
            text = gettext("At most %d seats can be bought at once. For more, please write to us.")
            self.add_error(None, text % MOST_SEATS)
        elif cents < smallest:
            text = gettext("The smallest sum that we can take by card is %s.")
            self.add_error(None, text % format_amount(smallest, CURRENCY))
        elif cents > largest:
            text = gettext("The largest sum that we can take online is %s. Please write to us.")
            self.add_error(None, text % format_amount(largest, CURRENCY))

    def wish(self) -> Wish:
        cleaned = self.cleaned_data
        return Wish(
            form_token=cleaned["form_token"],
            chosen_cents=together(cleaned["seats"]),
            campaign=None,
            donor_name=cleaned["name"],
            email=cleaned["email"],
            message=cleaned["guests"],
            seats=cleaned["seats"],
            left_order=cleaned["left"],
        )


def _name(ticket: Ticket) -> str:
    return f"seats-{ticket.pk}"


def _seats_field(ticket: Ticket) -> forms.TypedChoiceField:
    """How many are left is asked when they are kept, where two buyers stand in line: a form that
    comes twice must not be told that its own seats are gone.
    """
    return forms.TypedChoiceField(
        label=ticket.title,
        choices=[(count, str(count)) for count in range(MOST_SEATS + 1)],
        coerce=int,
        required=False,
        error_messages={"invalid_choice": _("Please choose a number from the list.")},
    )
