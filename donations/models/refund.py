"""Money that goes back to donors: by our wish, or because their bank takes it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from donations.models.donation import Donation
from donations.models.trip_fee import TripFee
from sistercities.shared import clock
from sistercities.shared.money import format_exact
from sistercities.shared.signing import new_token


def _paid_for() -> Q:
    """A condition: the row is about one gift, or about one trip fee."""
    is_gift = Q(donation__isnull=False, trip_fee=None)
    return is_gift | Q(donation=None, trip_fee__isnull=False)


class RefundQuerySet(models.QuerySet):
    def unanswered(self) -> Self:
        """Asked for, and the processor has not said that it knows of it."""
        return self.filter(state=Refund.State.ASKED)

    def holding_money(self) -> Self:
        """Those that lower what can still be given back."""
        return self.filter(state__in=[Refund.State.ASKED, Refund.State.PENDING, Refund.State.DONE])


class Refund(models.Model):
    """A gift given back, whole or in part. What it moved stands in the ledger.

    The row is kept before the processor is asked, so that a repeat asks for the very same (F8).
    One that was made in the processor's dashboard appears here without a name (F9).
    """

    class State(models.TextChoices):
        ASKED = "asked", _("Asked for")
        PENDING = "pending", _("On its way")
        DONE = "done", _("Given back")
        FAILED = "failed", _("Came back to us")
        REFUSED = "refused", _("Refused by the processor")

    class Reason(models.TextChoices):
        DONOR = "donor", _("The donor asked for it")
        DUPLICATE = "duplicate", _("Given twice by mistake")
        FRAUD = "fraud", _("The card was not the giver's")
        WITHDREW = "withdrew", _("The delegate does not travel")
        BOUNCED = "bounced", _("The check came back from the bank")
        OTHER = "other", _("Another reason")

    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    form_token = models.CharField(max_length=40, unique=True, null=True, editable=False)
    donation = models.ForeignKey(
        Donation, models.PROTECT, null=True, blank=True, related_name="refunds",
        verbose_name=_("gift"),
    )  # fmt: skip
    trip_fee = models.ForeignKey(
        TripFee, models.PROTECT, null=True, blank=True, related_name="refunds",
        verbose_name=_("trip fee"),
    )  # fmt: skip
    amount_cents = models.BigIntegerField(_("amount in cents"))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason, blank=True)
    note = models.TextField(_("in your words"), max_length=500, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("asked for by"), help_text=_("Empty: made at the card processor."),
    )  # fmt: skip
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.ASKED)
    params = models.JSONField(default=dict, editable=False)
    provider_refund_id = models.CharField(
        _("processor's refund"), max_length=100, null=True, blank=True, unique=True
    )
    problem = models.CharField(_("what the processor said"), max_length=300, blank=True)
    asked_at = models.DateTimeField(_("asked"), default=clock.now)

    objects = RefundQuerySet.as_manager()

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-asked_at", "-pk"]
        permissions = [("refund_donation", _("Can give gifts back"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0), name="refund_amount_above_zero"
            ),
            models.CheckConstraint(
                condition=_paid_for(), name="refund_is_of_a_gift_or_a_trip_fee"
            ),
            models.CheckConstraint(
                condition=~Q(reason="withdrew") | Q(donation=None),
                name="no_gift_goes_back_because_a_delegate_withdrew",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{format_exact(self.amount_cents, self.payment.currency)} {self.asked_at:%Y-%m-%d}"

    @property
    def payment(self) -> Donation | TripFee:
        """What it gives back."""
        return _either(self.donation, self.trip_fee)

    @property
    def idempotency_key(self) -> str:
        return f"refund:{self.token}"


class DisputeQuerySet(models.QuerySet):
    def open(self) -> Self:
        return self.filter(status__in=Dispute.OPEN)

    def lost(self) -> Self:
        return self.filter(status=Dispute.Status.LOST)


class Dispute(models.Model):
    """A donor's bank asks about a charge, or takes it back. A mirror of what the processor says."""

    class Status(models.TextChoices):
        WARNING_NEEDS_RESPONSE = "warning_needs_response", _("The bank asks")
        WARNING_UNDER_REVIEW = "warning_under_review", _("The bank reads our answer")
        WARNING_CLOSED = "warning_closed", _("The bank asked, and took nothing")
        NEEDS_RESPONSE = "needs_response", _("Answer needed")
        UNDER_REVIEW = "under_review", _("The bank reads our answer; the money is held")
        WON = "won", _("Won: the money is back")
        LOST = "lost", _("Lost: the money is gone")
        PREVENTED = "prevented", _("Prevented")

    OPEN = (
        Status.WARNING_NEEDS_RESPONSE, Status.WARNING_UNDER_REVIEW,
        Status.NEEDS_RESPONSE, Status.UNDER_REVIEW,
    )  # fmt: skip

    donation = models.ForeignKey(
        Donation, models.PROTECT, null=True, blank=True, related_name="disputes",
        verbose_name=_("gift"),
    )  # fmt: skip
    trip_fee = models.ForeignKey(
        TripFee, models.PROTECT, null=True, blank=True, related_name="disputes",
        verbose_name=_("trip fee"),
    )  # fmt: skip
    provider_dispute_id = models.CharField(_("processor's dispute"), max_length=100, unique=True)
    amount_cents = models.BigIntegerField(_("amount in cents"))
    currency = models.CharField(_("currency"), max_length=3)
    status = models.CharField(_("state"), max_length=30, choices=Status)
    reason = models.CharField(_("reason that the bank gives"), max_length=60, blank=True)
    is_charge_refundable = models.BooleanField(_("may still be given back"), default=False)
    due_at = models.DateTimeField(_("answer due"), null=True, blank=True)
    opened_at = models.DateTimeField(_("opened"))

    objects = DisputeQuerySet.as_manager()

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0), name="dispute_amount_above_zero"
            ),
            models.CheckConstraint(
                condition=_paid_for(), name="dispute_is_of_a_gift_or_a_trip_fee"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{format_exact(self.amount_cents, self.currency)} {self.get_status_display()}"

    @property
    def payment(self) -> Donation | TripFee:
        """What the bank asks about."""
        return _either(self.donation, self.trip_fee)

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


def _either(donation: Donation | None, trip_fee: TripFee | None) -> Donation | TripFee:
    found = donation or trip_fee
    assert found is not None  # by a constraint of the table
    return found
