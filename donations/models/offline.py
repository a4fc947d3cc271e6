"""Gifts that come by post, by hand or through somebody else, as staff write them down."""

from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from donations.amounts import CURRENCY
from donations.models.campaign import Campaign
from donations.models.donation import Donation
from donations.models.payout import SeenAtBank
from sistercities.shared import clock
from sistercities.shared.money import format_exact
from sistercities.shared.signing import new_token


class GiftBatch(SeenAtBank):
    """Gifts that are written down together and booked in one go, once their sum is right."""

    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    title = models.CharField(
        _("title"), max_length=120, help_text=_("To find it again, such as: mail of November 22.")
    )
    deposit_cents = models.BigIntegerField(
        _("total of the deposit slip"), default=0,
        help_text=_("In dollars: checks and cash together. The batch is booked only if the gifts "
                    "below come to the same."),
    )  # fmt: skip
    booked_at = models.DateTimeField(_("booked"), null=True, editable=False)
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+",
        verbose_name=_("booked by"),
    )  # fmt: skip
    deposited_on = models.DateField(_("taken to the bank"), null=True, editable=False)
    created_at = models.DateTimeField(_("begun"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("batch of checks and other gifts")
        verbose_name_plural = _("checks and other gifts")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(deposit_cents__gte=0), name="deposit_not_below_zero",
                violation_error_message=_("A deposit is not below zero."),
            ),
            models.CheckConstraint(
                condition=Q(deposited_on=None) | Q(booked_at__isnull=False),
                name="deposited_batch_is_booked",
            ),
            models.CheckConstraint(
                condition=Q(seen_on=None, seen_at=None)
                | Q(seen_on__isnull=False, seen_at__isnull=False, deposited_on__isnull=False),
                name="batch_seen_is_deposited",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title

    @property
    def entered_cents(self) -> int:
        """The checks and the cash below, in cents."""
        return self.gifts.for_deposit().aggregate(cents=Sum("amount_cents"))["cents"] or 0


class OfflineGiftQuerySet(models.QuerySet):
    def for_deposit(self) -> Self:
        """What is carried to the bank: cash, and whatever came as a check."""
        return self.filter(~Q(check_number="") | Q(method=OfflineGift.Method.CASH))


class OfflineGift(models.Model):
    """One line of a batch. Booking it makes the gift; from then on the line stays as it is."""

    class Method(models.TextChoices):
        CHECK = "check", _("Check")
        CASH = "cash", _("Cash")
        TRANSFER = "transfer", _("Bank transfer")
        PAYPAL = "paypal", _("PayPal or another service")
        DAF = "daf", _("Grant from a donor-advised fund")
        STOCK = "stock", _("Stock")
        IN_KIND = "in_kind", _("Goods")

    NON_CASH = (Method.STOCK, Method.IN_KIND)

    class DeclaredValue(models.TextChoices):
        """What the donor says; we never value a thing (giving.md D12)."""

        SMALL = "small", _("Up to $500")
        OVER_500 = "over_500", _("Over $500: the donor files Form 8283")
        OVER_5000 = "over_5000", _("Over $5,000: appraisal, and we sign Form 8283")

    batch = models.ForeignKey(
        GiftBatch, models.CASCADE, related_name="gifts", verbose_name=_("batch")
    )
    donation = models.OneToOneField(
        Donation, models.PROTECT, null=True, editable=False, related_name="offline",
        verbose_name=_("gift"),
    )  # fmt: skip
    method = models.CharField(_("how it came"), max_length=10, choices=Method, default=Method.CHECK)
    amount_cents = models.BigIntegerField(
        _("amount"), default=0, help_text=_("In dollars. Empty for stock and goods.")
    )
    fee_cents = models.BigIntegerField(
        _("fee taken off"), default=0,
        help_text=_("In dollars. What the service kept; the gift is the whole amount."),
    )  # fmt: skip
    check_number = models.CharField(_("check number"), max_length=30, blank=True)
    given_on = models.DateField(
        _("date of the gift"),
        help_text=_("A check: the day of its postmark. All else: the day it came. "
                    "It decides the tax year."),
    )  # fmt: skip
    donor_name = models.CharField(
        _("donor"), max_length=120,
        help_text=_("Whose money it is. For a donor-advised fund the sponsor, for an employer's "
                    "match the company."),
    )  # fmt: skip
    email = models.EmailField(
        _("mail address"), blank=True, help_text=_("Without one the receipt is for you to print.")
    )
    donor_address = models.TextField(_("postal address"), max_length=300, blank=True)
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("campaign"),
    )  # fmt: skip
    is_anonymous = models.BooleanField(_("anonymous"), default=False)
    is_listed = models.BooleanField(
        _("name on the campaign's page"), default=False, db_default=False,
        help_text=_("Only if the donor has said so, such as on the card with the check."),
    )  # fmt: skip
    description = models.TextField(
        _("what was given"), max_length=500, blank=True,
        help_text=_("Stock and goods only: what and how many, never what it is worth."),
    )  # fmt: skip
    declared_value = models.CharField(
        _("worth, as the donor says"), max_length=10, choices=DeclaredValue, blank=True
    )
    benefit = models.CharField(
        _("what the donor got in return"), max_length=200, blank=True,
        help_text=_("Such as: dinner for two. The amount above is all that was paid."),
    )  # fmt: skip
    benefit_cents = models.BigIntegerField(
        _("what that is worth"), default=0,
        help_text=_("In dollars: your estimate in good faith, whatever it cost you. The receipt "
                    "says it; the donor deducts only what was paid beyond it."),
    )  # fmt: skip
    adviser_name = models.CharField(
        _("adviser of the fund"), max_length=120, blank=True,
        help_text=_("Donor-advised funds only. Is thanked, but gets no receipt."),
    )  # fmt: skip
    adviser_email = models.EmailField(_("mail address of the adviser"), blank=True)
    matched_gift = models.ForeignKey(
        Donation, models.PROTECT, null=True, blank=True, related_name="matches",
        verbose_name=_("matches the gift"),
        help_text=_("An employer's match only: the gift of its employee."),
    )  # fmt: skip

    objects = OfflineGiftQuerySet.as_manager()

    class Meta:
        verbose_name = _("gift of the batch")
        verbose_name_plural = _("gifts of the batch")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0)
                | Q(amount_cents=0, method__in=["stock", "in_kind"]),
                name="offline_gift_above_zero_or_not_cash",
                violation_error_message=_("Please write the amount."),
            ),
            models.CheckConstraint(
                condition=Q(fee_cents__gte=0, fee_cents__lte=models.F("amount_cents")),
                name="offline_fee_within_gift",
                violation_error_message=_("A fee is a part of the gift."),
            ),
            models.CheckConstraint(
                condition=Q(benefit="", benefit_cents=0)
                | (~Q(benefit="") & Q(benefit_cents__gt=0)),
                name="offline_benefit_has_its_value",
                violation_error_message=_("What is it worth? The law asks for an estimate."),
            ),
            models.UniqueConstraint(
                fields=["batch", "check_number", "donor_name"], condition=~Q(check_number=""),
                name="one_check_once_a_batch",
                violation_error_message=_("This check is in the batch already."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.shown_amount}, {self.donor_name}"

    @property
    def shown_amount(self) -> str:
        return format_exact(self.amount_cents, CURRENCY) if self.amount_cents else self.description

    @property
    def is_for_deposit(self) -> bool:
        return bool(self.check_number) or self.method == self.Method.CASH

    def clean(self):
        super().clean()
        is_non_cash = self.method in self.NON_CASH
        problems = {}
        if is_non_cash and self.amount_cents:
            problems["amount_cents"] = _("We never say what stock or goods are worth.")
        if is_non_cash and not self.description:
            problems["description"] = _("Please describe what was given.")
        if self.method == self.Method.CHECK and not self.check_number:
            problems["check_number"] = _("A check has a number.")
        if self.benefit and not self.benefit_cents:
            problems["benefit_cents"] = _("What is it worth? The law asks for an estimate.")
        if self.benefit_cents and not self.benefit:
            problems["benefit"] = _("What did the donor get?")
        if self.given_on and self.given_on > clock.today():
            problems["given_on"] = _("This day is still to come.")
        if self.adviser_name and self.method != self.Method.DAF:
            problems["adviser_name"] = _("Only a donor-advised fund has an adviser.")
        if problems:
            raise ValidationError(problems)
