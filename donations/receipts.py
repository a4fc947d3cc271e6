"""Acknowledgments: numbered without gaps, written once, sent by mail (giving.md D1 to D8, D19)."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from donations.models import Donation, Receipt, ReceiptSeries
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings, valid_ein

MAIL = "donations/emails/receipt"


class ReceiptBlocked(Exception):
    """This receipt must not be written: what is missing stands in the message, for staff."""


def can_take_gifts(site: SiteSettings) -> bool:
    """Whether receipts could be written: a name and a well-formed EIN (giving.md D8)."""
    try:
        valid_ein(site.ein)
    except ValidationError:
        return False
    return bool(site.name.strip())


def statement(goods_services: str) -> str:
    """What a receipt says of goods and services, as affirmative text (giving.md D2, D3).

    Raises `ReceiptBlocked` where the choice is missing: silence would make the receipt worthless.
    """
    if goods_services == Donation.GoodsServices.NONE:
        return _("No goods or services were provided in exchange for this gift.")
    raise ReceiptBlocked(_("It is not recorded what the donor was given in return."))


def issue(*, donation: Donation, site: SiteSettings) -> Receipt:
    """Writes the receipt of a paid gift and puts it in the mail, or returns the one there is.

    Must run in the transaction that makes the gift paid, so that number, gift and mail exist
    together or not at all. Raises `ReceiptBlocked` before anything is written.
    """
    present = donation.receipts.filter(state=Receipt.State.CURRENT).first()
    if present:
        return present
    if donation.state != Donation.State.PAID or donation.given_on is None:
        raise ReceiptBlocked(_("This gift is not paid."))  # D21
    if not can_take_gifts(site):
        raise ReceiptBlocked(_("The organization's name or EIN is missing in the site settings."))
    inputs = {
        "organization": site.name,
        "ein": site.ein,
        "postal_address": site.postal_address,
        "donor": donation.donor_name,
        "amount_cents": donation.amount_cents,
        "currency": donation.currency,
        "given_on": donation.given_on.isoformat(),
        "designation": donation.designation,
        "goods_services": donation.goods_services,
        "statement": statement(donation.goods_services),
    }
    year, serial = donation.given_on.year, _next_serial(donation.given_on.year)
    receipt = Receipt.objects.create(
        donation=donation,
        year=year,
        serial=serial,
        number=f"{year}-{serial:06d}",
        amount_cents=donation.amount_cents,
        currency=donation.currency,
        inputs=inputs,
    )
    queue_mail(
        key=f"receipt:{donation.token}:{donation.receipts.count()}",
        template=MAIL,
        to=donation.email,
        context={
            **inputs,
            "receipt": receipt,
            "given_on": donation.given_on,
            "is_test": not donation.livemode,
        },
    )
    return receipt


def _next_serial(year: int) -> int:
    """The next number of a year. The row stays locked until the caller's transaction ends, so a
    number that is rolled back is given to the next receipt: no gaps, no doubles (I3).
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("Receipt numbers need a transaction.")
    series, _is_new = ReceiptSeries.objects.get_or_create(year=year)
    ReceiptSeries.objects.filter(pk=series.pk).update(last_serial=F("last_serial") + 1)
    series.refresh_from_db()
    return series.last_serial


def issue_missing() -> int:
    """Writes the receipts that were blocked when their gifts were paid; the number written."""
    written = 0
    site = SiteSettings.load()
    for pk in Donation.objects.without_receipt().order_by("pk").values_list("pk", flat=True)[:100]:
        with transaction.atomic():
            donation = Donation.objects.select_for_update().get(pk=pk)
            try:
                issue(donation=donation, site=site)
            except ReceiptBlocked:
                continue
            written += 1
    return written
