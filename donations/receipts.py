"""Acknowledgments: numbered without gaps, written once, sent by mail (giving.md D1 to D8, D19)."""

import datetime as dt
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from donations import receipt_register, selling
from donations.models import Donation, LostReceipt, Receipt, TokenLimit
from donations.models.receipt import number_of
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings, valid_ein
from sistercities.shared.money import format_exact

State = Donation.State
MAIL, VOID_MAIL = "donations/emails/receipt", "donations/emails/receipt_void"


class ReceiptBlocked(Exception):
    """This receipt must not be written: what is missing stands in the message, for staff."""


def can_take_gifts(site: SiteSettings) -> bool:
    """Whether receipts could be written: a name and a well-formed EIN (giving.md D8)."""
    try:
        valid_ein(site.ein)
    except ValidationError:
        return False
    return bool(site.name.strip())


def statement(donation: Donation, kept: int) -> str:
    """What a receipt says of goods and services, as affirmative text (giving.md D2, D3, D9).

    `kept` is what is left of the gift in cents. Raises `ReceiptBlocked` where the choice is
    missing: silence would make the receipt worthless.
    """
    match donation.goods_services:
        case Donation.GoodsServices.NONE:
            return _("No goods or services were provided in exchange for this gift.")
        case Donation.GoodsServices.BENEFIT if is_token(donation):
            return _("In return you received a token of thanks: %s. You may deduct all of your "
                     "gift.") % donation.benefit  # fmt: skip
        case Donation.GoodsServices.BENEFIT if 0 < kept <= donation.benefit_cents:
            return _(
                "In return you received: %(what)s. We estimate in good faith that it is worth "
                "%(value)s. You gave no more than that, so you cannot deduct any of it."
            ) % {
                "what": donation.benefit,
                "value": format_exact(donation.benefit_cents, donation.currency),
            }
        case Donation.GoodsServices.BENEFIT:
            return _(
                "In return you received: %(what)s. We estimate in good faith that it is worth "
                "%(value)s. What you can deduct is at most what you gave beyond that: %(rest)s."
            ) % {
                "what": donation.benefit,
                "value": format_exact(donation.benefit_cents, donation.currency),
                "rest": format_exact(deductible_cents(donation, kept), donation.currency),
            }
    raise ReceiptBlocked(_("It is not recorded what the donor was given in return."))


def is_token(donation: Donation) -> bool:
    """Whether what was given in return is a token by the figures of the gift's year (D11)."""
    year = donation.given_on.year if donation.given_on else 0
    limit = TokenLimit.objects.filter(year=year).first()
    return limit is not None and limit.covers(
        gift_cents=donation.amount_cents, value_cents=donation.benefit_cents
    )


def deductible_cents(donation: Donation, kept: int) -> int:
    """What was given beyond the worth of what came in return: $100 for a $40 ticket is $60 (D9)."""
    if not donation.benefit_cents or is_token(donation):
        return kept
    return max(0, kept - donation.benefit_cents)


def issue(*, donation: Donation, site: SiteSettings) -> Receipt | None:
    """Writes the receipt of a paid gift and puts it in the mail, or returns the one that stands.

    Where more or less of the gift was kept than that one says, it is void and a new one names it
    (giving.md D19, D20). None stands, and None is returned, for a gift that was wholly given back
    or entered by mistake, and for one of a donor-advised fund: its sponsor receipts it (D16).
    Must run in the transaction that holds the gift, so that number, gift and mail exist together
    or not at all. Raises `ReceiptBlocked` before anything is written; `issue_missing` tries again.
    """
    if donation.state not in {State.PAID, State.VOID} or donation.given_on is None:
        raise ReceiptBlocked(_("This gift is not paid."))  # D21
    try:
        receipt = _issue(donation, donation.given_on, site)
    except ReceiptBlocked:
        _mark_due(donation, is_due=True)
        raise
    _mark_due(donation, is_due=False)
    return receipt


def _issue(donation: Donation, given_on: dt.date, site: SiteSettings) -> Receipt | None:
    kept = kept_cents(donation)
    is_kept = donation.state == State.PAID and (kept > 0 or donation.is_non_cash)
    present = donation.receipts.filter(state=Receipt.State.CURRENT).first()
    if present and is_kept and _says(present, donation, kept):
        return present
    if donation.method == "daf" or not (present or is_kept):
        return None
    last = present or donation.receipts.order_by("-pk").first()
    if not can_take_gifts(site):
        raise ReceiptBlocked(_("The organization's name or EIN is missing in the site settings."))
    if present and not is_kept:
        _void(present)
        _send(present, donation, VOID_MAIL, present.inputs)
        return None
    inputs = {
        "organization": site.name,
        "ein": site.ein,
        "postal_address": site.postal_address,
        "donor": donation.donor_name,
        "donor_address": donation.donor_address,
        "amount_cents": kept,
        "currency": donation.currency,
        "given_on": given_on.isoformat(),
        "designation": donation.designation,
        "covered_fee_cents": donation.covered_fee_cents,
        "goods_services": donation.goods_services,
        "nonprofit_line": site.nonprofit_line,
        "is_test": not donation.livemode,
        "statement": statement(donation, kept),
    }
    if donation.benefit_cents:
        inputs["benefit"] = donation.benefit
        inputs["benefit_cents"] = donation.benefit_cents
        inputs["deductible_cents"] = deductible_cents(donation, kept)
    if donation.is_non_cash:
        inputs["description"] = donation.offline.description
    elif kept != donation.amount_cents or last:
        inputs["charged_cents"] = donation.amount_cents
        inputs["returned_cents"] = donation.amount_cents - kept
    if last:
        inputs["replaces"] = last.number
        _void(last)
    lost, serial = _take_number(donation, given_on.year, inputs)
    receipt = Receipt.objects.create(
        donation=donation,
        year=given_on.year,
        serial=serial,
        number=number_of(given_on.year, serial),
        amount_cents=kept,
        currency=donation.currency,
        inputs=inputs,
        is_to_print=not donation.email,
        **({"token": lost.token, "issued_at": lost.issued_at} if lost else {}),
    )
    # Before its mail is sent: queue_mail wakes the sender after the same commit.
    transaction.on_commit(partial(receipt_register.note, receipt), robust=True)
    if last:
        Receipt.objects.filter(pk=last.pk).update(replaced_by=receipt)
    _send(receipt, donation, MAIL, inputs)
    return receipt


def _says(receipt: Receipt, donation: Donation, kept: int) -> bool:
    """Whether a receipt still says what was given, and what came in return."""
    worth = receipt.inputs.get("benefit_cents", 0)
    return (receipt.amount_cents, worth) == (kept, donation.benefit_cents)


def kept_cents(donation: Donation) -> int:
    """What is left of a gift in cents: without what was given back or lost to the donor's bank.

    A dispute that is still open changes nothing: it is not known yet whose money it is.
    """
    booked = Donation.objects.with_returned().get(pk=donation.pk)
    lost = donation.disputes.lost().aggregate(cents=Sum("amount_cents"))["cents"] or 0
    return max(0, donation.amount_cents - booked.refunded_cents - lost)


def _void(receipt: Receipt) -> None:
    Receipt.objects.filter(pk=receipt.pk).update(state=Receipt.State.VOID)


def _send(receipt: Receipt, donation: Donation, template: str, inputs: dict[str, Any]) -> None:
    """By mail, if the donor gave an address: else it is for staff to print. A correction in
    another year than the gift's may touch a tax return that was sent (D20).
    """
    if not donation.email:
        return
    today = timezone.localdate(clock.now(), SiteSettings.load().zone)
    queue_mail(
        key=f"receipt:{donation.token}:{donation.receipts.count()}"
        + (":void" if template == VOID_MAIL else ""),
        template=template,
        to=donation.email,
        context={
            **inputs,
            "receipt": receipt,
            "given_on": donation.given_on,
            "gift_path": donation.get_absolute_url(),
            "plan": donation.plan,
            "plan_url": plan_url(donation),
            "order": selling.bought(donation),
            "is_bounced": donation.refunds.filter(reason="bounced").exists(),
            "is_mistake": donation.state == State.VOID,
            "is_corrected": "replaces" in inputs or template == VOID_MAIL,
            "is_other_year": donation.given_on and donation.given_on.year != today.year,
        },
    )


def plan_url(donation: Donation) -> str:
    """Where a gift that repeats is changed and stopped; every receipt of it says so (D24)."""
    return f"{settings.SITE_URL}{donation.plan.get_absolute_url()}" if donation.plan else ""


def _mark_due(donation: Donation, *, is_due: bool) -> None:
    if donation.is_receipt_due != is_due:
        donation.is_receipt_due = is_due
        donation.save(update_fields=["is_receipt_due"])


def _take_number(
    donation: Donation, year: int, inputs: dict[str, Any]
) -> tuple[LostReceipt | None, int]:
    """The next number of a year; or the one that this very receipt had before the database was
    brought back from an older copy, with what else it had (F10).

    The series stays locked until the caller's transaction ends, so a number that is rolled back
    is given to the next receipt: no gaps, no doubles (I3).
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("Receipt numbers need a transaction.")
    series = receipt_register.held(year)
    receipt_register.set_aside_lost(series)
    digest, name = receipt_register.digest_of(inputs), receipt_register.name_of(donation)
    lost = LostReceipt.objects.filter(year=year, gift=name, digest=digest).first()
    if lost:
        LostReceipt.objects.filter(pk=lost.pk).delete()
        return lost, lost.serial
    series.last_serial += 1
    series.save(update_fields=["last_serial"])
    return None, series.last_serial


def lost_of(donation: Donation) -> int:
    """How many numbers of this gift were lost with a restore, and are not found again."""
    return LostReceipt.objects.filter(gift=receipt_register.name_of(donation)).count()


def issue_missing() -> int:
    """Writes the receipts that were blocked when their gifts were paid; the number written."""
    written = 0
    site = SiteSettings.load()
    waiting = Donation.objects.filter(is_receipt_due=True).order_by("pk")
    for pk in waiting.values_list("pk", flat=True)[:100]:
        with transaction.atomic():
            donation = Donation.objects.select_for_update().get(pk=pk)
            try:
                issue(donation=donation, site=site)
            except ReceiptBlocked:
                continue
            written += 1
    return written
