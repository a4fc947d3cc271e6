"""Receipts and statements on paper. A receipt is set from what it kept when it was issued."""

import datetime as dt
import hashlib
import io
import logging
from typing import Any
from urllib.parse import urlsplit

import segno
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from donations.amounts import CURRENCY
from donations.models import Receipt
from donations.statements import Line, Statement
from sistercities.shared import pdf
from sistercities.shared.models import SiteSettings
from sistercities.shared.money import format_exact

logger = logging.getLogger(__name__)
AT_ONCE = 500  # a minute: some ten seconds


def receipt_pdf(receipt: Receipt) -> bytes:
    """The receipt as PDF, the same bytes each time. Raises `pdf.MissingGlyph`.

    A receipt that comes out otherwise than when it was issued is shown all the same: fonts or
    typst were changed since, which the log says.
    """
    document = _set_receipt(receipt)
    if receipt.pdf_sha256 and receipt.pdf_sha256 != fingerprint(document):
        logger.warning("Receipt %s is not set as it was when it was issued", receipt.number)
    return document


def fingerprint(document: bytes) -> str:
    return hashlib.sha256(document).hexdigest()


def keep_fingerprints() -> int:
    """Notes how the PDFs of new receipts come out; how many. The minute's work: setting one takes
    longer than booking its gift, and whoever pays next should not wait for it.

    A receipt that cannot be set goes by mail alone.
    """
    receipts = list(Receipt.objects.filter(pdf_sha256=None).order_by("pk")[:AT_ONCE])
    for receipt in receipts:
        try:
            found = fingerprint(_set_receipt(receipt))
        except pdf.MissingGlyph as missing:
            logger.warning("Receipt %s has no PDF: %s", receipt.number, missing)
            found = ""
        Receipt.objects.filter(pk=receipt.pk).update(pdf_sha256=found)
    return len(receipts)


def _set_receipt(receipt: Receipt) -> bytes:
    kept = receipt.inputs
    currency = kept["currency"]
    address = f"{settings.SITE_URL}{receipt.get_absolute_url()}"
    correction = ""
    if kept.get("returned_cents"):
        correction = _("Charged %(charged)s, given back %(returned)s") % {
            "charged": format_exact(kept["charged_cents"], currency),
            "returned": format_exact(kept["returned_cents"], currency),
        }
    data = {
        "labels": _receipt_labels(),
        "organization": kept["organization"],
        "postal_address": kept["postal_address"],
        "ein": kept["ein"],
        "nonprofit_line": kept.get("nonprofit_line", ""),
        "website": urlsplit(settings.SITE_URL).netloc,
        "number": receipt.number,
        "issued_on": date_format(receipt.issued_at.date(), "F j, Y"),
        "donor": kept["donor"],
        "donor_address": kept.get("donor_address", ""),
        "amount": kept.get("description") or format_exact(kept["amount_cents"], currency),
        "covered_fee": format_exact(fee, currency)
        if (fee := kept.get("covered_fee_cents"))
        else "",
        "given_on": date_format(dt.date.fromisoformat(kept["given_on"]), "F j, Y"),
        "designation": kept["designation"],
        "benefits": (
            [{"what": kept["benefit"], "value": format_exact(kept["benefit_cents"], currency)}]
            if kept.get("benefit")
            else []
        ),
        "deductible": (
            format_exact(kept["deductible_cents"], currency) if kept.get("benefit") else ""
        ),
        "statement": kept["statement"],
        "replaces": kept.get("replaces", ""),
        "correction": correction,
        "is_test": kept.get("is_test", False),
        "qr_svg": _qr(address),
        "verify_url": address,
    }
    return pdf.render(
        "donations/documents/receipt.typ", data, title=receipt.number, made_at=receipt.issued_at
    )


def _qr(address: str) -> str:
    svg = io.BytesIO()
    segno.make(address, error="m").save(svg, kind="svg", border=0, xmldecl=False)
    return svg.getvalue().decode()


def statement_pdf(statement: Statement, *, site: SiteSettings, issued_on: dt.date) -> bytes:
    """A giving statement as PDF; the same for the same day. Raises `pdf.MissingGlyph`."""
    has_returns = statement.returned_cents > 0
    data = {
        "labels": _statement_labels(),
        "organization": site.name,
        "postal_address": site.postal_address,
        "ein": site.ein,
        "nonprofit_line": site.nonprofit_line,
        "website": urlsplit(settings.SITE_URL).netloc,
        "donor": statement.donor.name,
        "donor_address": statement.donor.address,
        "period": statement.period.label,
        "issued_on": date_format(issued_on, "F j, Y"),
        "rows": [_row(line, has_returns=has_returns) for line in statement.lines],
        "total_given": format_exact(statement.given_cents, CURRENCY),
        "total_returned": format_exact(statement.returned_cents, CURRENCY) if has_returns else "",
        "total_value": format_exact(statement.value_cents, CURRENCY)
        if statement.value_cents
        else "",
        "total_deductible": format_exact(statement.deductible_cents, CURRENCY),
        "statement": _in_return(statement),
        "is_test": any(not line.gift.livemode for line in statement.lines),
    }
    return pdf.render(
        "donations/documents/statement.typ",
        data,
        title=f"{statement.period.label} {statement.donor.name}",
        made_at=dt.datetime.combine(issued_on, dt.time(), dt.UTC),
    )


def _in_return(statement: Statement) -> str:
    """The words without which a statement acknowledges nothing (D2, D5)."""
    if not statement.value_cents:
        return _("No goods or services were provided in exchange for these gifts.")
    return _(
        "Where a value received is named, it is our estimate in good faith of what was given "
        "in return. No goods or services were provided in exchange for the other gifts."
    )


def _row(line: Line, *, has_returns: bool) -> dict[str, Any]:
    """Stock and goods stand with their description and without an amount (D12)."""
    gift = line.gift
    row = {
        "given_on": date_format(gift.given_on, "M j, Y") if gift.given_on else "",
        "number": line.number,
        "designation": gift.designation,
        "given": format_exact(line.given_cents, gift.currency),
        "returned": format_exact(line.returned_cents, gift.currency) if has_returns else "",
        "value": format_exact(line.value_cents, gift.currency) if line.value_cents else "",
        "deductible": format_exact(line.deductible_cents, gift.currency),
    }
    if gift.is_non_cash:
        what = gift.offline.description
        row |= {"designation": f"{gift.designation}: {what}", "given": "–", "deductible": "–"}
    return row


def _receipt_labels() -> dict[str, str]:
    return {
        "ein": _("EIN"),
        "receipt": _("Receipt"),
        "issued_on": _("Issued"),
        "thanks": _("Thank you, {donor}."),
        "received_from": _("Received from"),
        "given_on": _("Date of the gift"),
        "amount": _("Amount"),
        "covered_fee": _("Of this, for the card fee"),
        "designation": _("For"),
        "method": _("Paid by"),
        "benefits": _("You received"),
        "benefit": _("{what}, worth {value}"),
        "deductible": _("Deductible"),
        "replaces": _("This receipt replaces {number}, which is void."),
        "correction": _("What changed"),
        "keep": _("Please keep this for your taxes."),
        "verify": _("Check that this receipt is genuine:"),
        "qr_alt": _("QR code of the address beside it"),
        "test": _("TEST – not a receipt"),
        "page": _("Page {number} of {total}"),
    }


def _statement_labels() -> dict[str, str]:
    return {
        "ein": _("EIN"),
        "title": _("Giving statement"),
        "issued_on": _("Prepared"),
        "given_on": _("Date"),
        "number": _("Receipt"),
        "designation": _("For"),
        "given": _("Given"),
        "returned": _("Returned"),
        "value": _("Value received"),
        "deductible": _("Deductible"),
        "total": _("Total"),
        "test": _("TEST – not a statement"),
        "page": _("Page {number} of {total}"),
    }
