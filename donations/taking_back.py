"""Takes seats back that a buyer does not need any more, so that others can have them.

No money moves. What the buyer got in return is worth less from then on, so the receipt changes;
who gives money back as well does so on the page of the gift.
"""

import contextlib

from django.db import transaction
from django.utils.translation import gettext as _

from donations import receipts, selling
from donations.models import Donation, TicketLine
from sistercities.shared.models import SiteSettings


class CannotTakeBack(Exception):
    """So many seats cannot be taken back; the message says why, for staff."""


def take_back(*, line: TicketLine, seats: int) -> None:
    """Takes `seats` of a paid line back and corrects the receipt, all or nothing.

    Raises `CannotTakeBack` for more than the buyer has, or an order that is not paid.
    """
    with transaction.atomic():
        gift = Donation.objects.select_for_update().get(pk=line.donation_id)
        present = gift.ticket_lines.get(pk=line.pk)
        if gift.state != Donation.State.PAID or not 0 < seats <= present.seats:
            raise CannotTakeBack(_("This buyer has %d seats that are paid.") % (
                present.seats if gift.state == Donation.State.PAID else 0
            ))  # fmt: skip
        present.given_up += seats
        present.save(update_fields=["given_up"])
        kept = [row for row in gift.ticket_lines.select_related("ticket__event") if row.seats]
        value = sum(row.seats * row.value_cents for row in kept)
        told = selling.in_return([selling.Seats(row.ticket, row.seats) for row in kept], value)
        for name, content in told.items():
            setattr(gift, name, content)
        gift.save(update_fields=list(told))
        with contextlib.suppress(receipts.ReceiptBlocked):  # the sweep writes it later
            receipts.issue(donation=gift, site=SiteSettings.load())
