"""What an employer has promised to add to a gift. It is no money yet, so no sum counts it (D15)."""

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from donations.amounts import CURRENCY
from donations.models.campaign import Campaign
from donations.models.donation import Donation, gone
from sistercities.shared import clock
from sistercities.shared.money import format_exact


class ExpectedMatchQuerySet(models.QuerySet):
    def waiting(self) -> Self:
        """Neither received nor given up."""
        return self.filter(received=None, given_up_at=None)

    def overdue(self) -> Self:
        """Still waiting after their day, which is in the organisation's zone."""
        return self.waiting().filter(expected_on__lt=clock.today())

    def promised(self) -> Self:
        """Waiting, and for a gift that counts and stayed: what a page may call promised."""
        waiting = self.waiting().filter(Donation.counts("employee_gift__"))
        return waiting.exclude(employee_gift__in=gone())


class ExpectedMatch(models.Model):
    """A match that staff wait for. Booking the company's gift beside the employee's receives it."""

    company = models.CharField(
        _("company"), max_length=120, help_text=_("It is the donor of the match.")
    )
    amount_cents = models.BigIntegerField(_("amount"), help_text=_("In dollars."))
    employee_gift = models.ForeignKey(
        Donation, models.PROTECT, related_name="expected_matches",
        verbose_name=_("matches the gift"),
        help_text=_("The gift of the employee, whose receipt never counts the match."),
    )  # fmt: skip
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="expected_matches",
        verbose_name=_("campaign"), help_text=_("Empty: where it is needed most."),
    )  # fmt: skip
    expected_on = models.DateField(
        _("expected by"), help_text=_("After this day the treasurer's desk reminds you.")
    )
    note = models.TextField(
        _("note"), max_length=500, blank=True,
        help_text=_("Whom you asked and what they said. Only staff read this."),
    )  # fmt: skip
    received = models.OneToOneField(
        Donation, models.PROTECT, null=True, editable=False, related_name="met_match",
        verbose_name=_("received as"),
    )  # fmt: skip
    given_up_at = models.DateTimeField(_("given up"), null=True, editable=False)
    created_at = models.DateTimeField(_("recorded"), default=clock.now, editable=False)

    objects = ExpectedMatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("expected match")
        verbose_name_plural = _("expected matches")
        ordering = ["expected_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0), name="match_above_zero",
                violation_error_message=_("A match is more than zero."),
            ),
            models.CheckConstraint(
                condition=Q(received=None) | Q(given_up_at=None),
                name="match_is_not_received_and_given_up",
            ),
            models.UniqueConstraint(
                fields=["employee_gift"], condition=Q(received=None, given_up_at=None),
                name="one_waiting_match_per_gift",
                violation_error_message=_("A match of this gift is expected already."),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                fields=["campaign"], name="matches_waiting",
                condition=Q(received=None, given_up_at=None),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{format_exact(self.amount_cents, CURRENCY)}, {self.company}"

    def clean(self):
        super().clean()
        gift = getattr(self, "employee_gift", None)
        if gift and gift.state != Donation.State.PAID:
            raise ValidationError({"employee_gift": _("This gift is not paid.")})
