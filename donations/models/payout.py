"""What the card processor sent to the bank, and the movements that it consists of."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Q, Sum
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from donations.amounts import money
from donations.models.ledger import Account, FinalModel, FinalQuerySet, LedgerEntry
from sistercities.shared import clock


class SeenAtBank(models.Model):
    """A deposit that the treasurer ticks once it stands on the bank statement."""

    seen_on = models.DateField(
        _("on the bank statement"), null=True, editable=False,
        help_text=_("Its day there, as the treasurer read it."),
    )  # fmt: skip
    seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+",
        verbose_name=_("seen by"),
    )  # fmt: skip
    seen_at = models.DateTimeField(_("ticked"), null=True, editable=False)

    class Meta:
        abstract = True


class PayoutQuerySet(models.QuerySet):
    def unsettled(self) -> Self:
        """What must be looked at again: under way, not yet listed, or with something odd."""
        return self.filter(
            Q(status__in=Payout.UNDER_WAY)
            | ~Q(problem="")
            | Q(is_automatic=True, is_listed=False, status=Payout.Status.PAID)
        )


class Payout(SeenAtBank):
    """One payout, as the processor told us last. `problem` is empty where all of it fits."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Not sent yet")
        IN_TRANSIT = "in_transit", _("On its way")
        PAID = "paid", _("At the bank")
        FAILED = "failed", _("Sent back by the bank")
        CANCELED = "canceled", _("Canceled")

    UNDER_WAY = (Status.PENDING, Status.IN_TRANSIT)

    provider_reference = models.CharField(_("processor's number"), max_length=100, unique=True)
    amount_cents = models.BigIntegerField(_("amount in cents"))
    currency = models.CharField(_("currency"), max_length=3)
    arrives_on = models.DateField(_("arrived on"))
    status = models.CharField(_("state"), max_length=12, choices=Status)
    is_automatic = models.BooleanField(
        _("automatic"),
        help_text=_("The processor says what an automatic payout consists of. Of one that was "
                    "asked for by hand it does not."),
    )  # fmt: skip
    is_listed = models.BooleanField(_("its list is complete"), default=False)
    problem = models.CharField(_("what does not fit"), max_length=300, blank=True)
    checked_at = models.DateTimeField(_("last compared"), default=clock.now)

    objects = PayoutQuerySet.as_manager()

    class Meta:
        verbose_name = _("payout to the bank")
        verbose_name_plural = _("payouts to the bank")
        ordering = ["-arrives_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "in_transit", "paid", "failed", "canceled"]),
                name="payout_state_exists",
            ),
            models.CheckConstraint(
                condition=Q(is_listed=False) | Q(is_automatic=True),
                name="only_automatic_payouts_are_listed",
            ),
            models.CheckConstraint(
                condition=Q(seen_on=None, seen_at=None)
                | Q(seen_on__isnull=False, seen_at__isnull=False),
                name="payout_seen_day_and_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["-arrives_on", "-id"], name="payouts_by_day"),
            models.Index(fields=["status"], name="payouts_odd", condition=~Q(problem="")),
        ]

    def __str__(self) -> str:
        return _("%(amount)s, %(day)s") % {
            "amount": money(self.amount_cents, self.currency),
            "day": date_format(self.arrives_on, "F j, Y"),
        }

    def follow_status(self, status: str) -> None:
        """A status only goes on, so an old answer that comes late changes nothing."""
        order = self.Status.values
        if not self.status or order.index(status) > order.index(self.status):
            self.status = status


class PayoutLineQuerySet(FinalQuerySet):
    def parts(self) -> Self:
        """What a payout consists of: its lines without the payout itself."""
        return self.exclude(is_payout_itself=True)

    def sums(self) -> list[dict]:
        """By payout and kind of ledger entry (None: not in the books): how many, cents."""
        return list(
            self.parts().order_by("payout", "entry__kind").values("payout", "entry__kind").annotate(
                lines=Count("pk"), amount=Sum("amount_cents"), fee=Sum("fee_cents"),
            )
        )  # fmt: skip


class PayoutLine(FinalModel):
    """One movement of a payout, as the processor lists it. Amounts in cents, signed; what reached
    the bank is the amount less the fee.
    """

    payout = models.ForeignKey(
        Payout, models.PROTECT, related_name="lines", verbose_name=_("payout")
    )
    # By the movement's own number: a line may be known before its entry is booked, and no line
    # has to be changed when it is.
    entry = models.OneToOneField(
        LedgerEntry, models.DO_NOTHING, to_field="provider_txn_id", db_column="provider_txn_id",
        db_constraint=False, null=True, related_name="payout_line", verbose_name=_("ledger entry"),
    )  # fmt: skip
    type = models.CharField(_("kind, as the processor calls it"), max_length=60)
    is_payout_itself = models.BooleanField(default=False)
    amount_cents = models.BigIntegerField(_("amount in cents"))
    fee_cents = models.BigIntegerField(_("fee in cents"))
    currency = models.CharField(_("currency"), max_length=3)
    occurred_at = models.DateTimeField(_("happened"))

    objects = PayoutLineQuerySet.as_manager()

    class Meta:
        verbose_name = _("line of a payout")
        verbose_name_plural = _("lines of a payout")
        ordering = ["occurred_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(entry__isnull=False), name="payout_line_has_its_movement"
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.entry_id}"

    @property
    def net_cents(self) -> int:
        return self.amount_cents - self.fee_cents

    @property
    def booked_cents(self) -> int | None:
        """What our books say it did to the money at the processor; None: not in the books.

        Reads the entry's postings, which whoever lists lines has fetched.
        """
        if self.entry is None:
            return None
        here = Account.STRIPE_CLEARING
        return sum(
            row.amount_cents * ((row.debit == here) - (row.credit == here))
            for row in self.entry.postings.all()
        )

    @property
    def fits(self) -> bool:
        return self.booked_cents == self.net_cents
