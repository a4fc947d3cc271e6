"""The letters about a trip fee: that it is asked for, that it is paid, that it went back. None of
them is a receipt for taxes (giving.md D17).

Every letter is a row in the outbox with a key of its own: it goes out once, however often we look.
"""

from typing import Any

from django.conf import settings

from donations.models import Refund, TripFee
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings
from sistercities.shared.money import format_exact

ASKED, PAID = "donations/emails/trip_fee_asked", "donations/emails/trip_fee_paid"
GIVEN_BACK = "donations/emails/trip_fee_given_back"


def asked(*, fee: TripFee, site: SiteSettings) -> None:
    """The link to pay; the first time and each time that staff send it again. Runs in the
    transaction that holds the fee, as do the two below.
    """
    _send(fee, site, f"trip-fee:{fee.token}:asked:{fee.times_sent}", ASKED)


def paid(*, fee: TripFee, site: SiteSettings) -> None:
    _send(fee, site, f"trip-fee:{fee.token}:paid", PAID)


def given_back(*, refund: Refund, fee: TripFee, site: SiteSettings) -> None:
    back = format_exact(refund.amount_cents, fee.currency)
    _send(fee, site, f"trip-fee:{fee.token}:given-back:{refund.pk}", GIVEN_BACK, back=back)


def _send(fee: TripFee, site: SiteSettings, key: str, letter: str, **more: Any) -> None:
    queue_mail(
        key=key,
        template=letter,
        to=fee.email,
        context={
            "fee": fee,
            "visit": fee.visit.title,
            "amount": format_exact(fee.amount_cents, fee.currency),
            "organization": site.name,
            "postal_address": site.postal_address,
            "contact": site.email,
            "fee_url": f"{settings.SITE_URL}{fee.get_absolute_url()}",
            "is_test": not fee.livemode,
            **more,
        },
    )
