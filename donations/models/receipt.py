"""A numbered acknowledgment. Never changed: a correction is a new one that names the old."""

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from donations.models.donation import Donation
from sistercities.shared import clock
from sistercities.shared.signing import new_token


def number_of(year: int, serial: int) -> str:
    """As it is printed: `2026-000001`."""
    return f"{year}-{serial:06d}"


class ReceiptSeries(models.Model):
    """The last number given in a year. Its row is the lock under which numbers are taken."""

    year = models.PositiveSmallIntegerField(_("year"), unique=True)
    last_serial = models.PositiveIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("receipt numbers")
        verbose_name_plural = _("receipt numbers")
        ordering = ["-year"]

    def __str__(self) -> str:
        return str(self.year)


class Receipt(models.Model):
    """`inputs` holds every word and figure that the receipt was written from."""

    class State(models.TextChoices):
        CURRENT = "current", _("Current")
        VOID = "void", _("Void")

    donation = models.ForeignKey(
        Donation, models.PROTECT, related_name="receipts", verbose_name=_("gift")
    )
    number = models.CharField(_("number"), max_length=20, unique=True)
    year = models.PositiveSmallIntegerField(_("tax year"))
    serial = models.PositiveIntegerField(_("serial number"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.CURRENT)
    replaced_by = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="replaces",
        verbose_name=_("replaced by"),
    )  # fmt: skip
    amount_cents = models.BigIntegerField(_("amount in cents"))
    currency = models.CharField(_("currency"), max_length=3)
    inputs = models.JSONField(_("written from"))
    token = models.CharField(
        max_length=40, unique=True, null=True, default=new_token, editable=False
    )
    pdf_sha256 = models.CharField(
        _("fingerprint of its PDF"), max_length=64, blank=True, null=True, editable=False,
        help_text=_("Taken within a minute; empty where no font has the donor's letters."),
    )  # fmt: skip
    issued_at = models.DateTimeField(_("issued"), default=clock.now)
    is_to_print = models.BooleanField(
        _("to be printed"), default=False, db_default=False,
        help_text=_("The donor gave no mail address, and nobody has printed it yet."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        ordering = ["-year", "-serial"]
        constraints = [
            models.UniqueConstraint(fields=["year", "serial"], name="receipt_serial_used_once"),
            models.UniqueConstraint(
                fields=["donation"], condition=Q(state="current"), name="one_current_receipt"
            ),
            models.CheckConstraint(
                condition=Q(amount_cents__gte=0), name="receipt_amount_not_below_zero"
            ),
            models.CheckConstraint(
                condition=Q(replaced_by=None) | Q(state="void"), name="replaced_receipt_is_void"
            ),
        ]

        indexes = [
            models.Index(
                fields=["id"], name="receipts_to_print", condition=Q(is_to_print=True)
            ),
            models.Index(
                fields=["id"], name="receipts_not_set_yet", condition=Q(pdf_sha256=None)
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        """The page that says whether this receipt is genuine. Nothing on it is personal."""
        return reverse("donations:receipt", args=[self.token])


class LostReceipt(models.Model):
    """A number that was given before the database was brought back from an older copy. Nobody
    gets it but the gift that had it, with the very same receipt (giving.md F10).
    """

    year = models.PositiveSmallIntegerField(_("tax year"))
    serial = models.PositiveIntegerField(_("serial number"))
    gift = models.CharField(
        _("gift"), max_length=100, blank=True,
        help_text=_("The processor's payment. Empty: it is not known whose receipt it was."),
    )  # fmt: skip
    digest = models.CharField(max_length=64, blank=True, editable=False)
    token = models.CharField(max_length=40, blank=True, editable=False)
    issued_at = models.DateTimeField(_("issued"), null=True)
    noticed_at = models.DateTimeField(_("noticed"), default=clock.now)

    class Meta:
        verbose_name = _("lost receipt")
        verbose_name_plural = _("lost receipts")
        ordering = ["-year", "-serial"]
        constraints = [
            models.UniqueConstraint(fields=["year", "serial"], name="receipt_number_lost_once")
        ]

    def __str__(self) -> str:
        return number_of(self.year, self.serial)
