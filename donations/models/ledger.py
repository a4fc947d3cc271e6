"""The books: rows are only ever added, and each row moves one amount between two accounts."""

from typing import NoReturn, Self

from django.db import models
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext_lazy as _

from sistercities.shared import clock

EXPLANATION = "suspense-"  # and the key of the entry that it explains


class LedgerIsFinal(Exception):
    """Someone tried to change or remove what is booked. Corrections are new entries."""


class FinalQuerySet(models.QuerySet):
    def update(self, **changes) -> NoReturn:
        raise LedgerIsFinal

    def delete(self) -> NoReturn:
        raise LedgerIsFinal

    def bulk_update(self, *args, **kwargs) -> NoReturn:
        raise LedgerIsFinal


class FinalModel(models.Model):
    """A row that can be written once and never changed."""

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise LedgerIsFinal
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs) -> NoReturn:
        raise LedgerIsFinal


class Account(models.TextChoices):
    GIFT_REVENUE = "gift_revenue", _("Gifts")
    TRIP_FEES = "trip_fees", _("Trip fees")
    PROCESSING_FEES = "processing_fees", _("Card fees")
    REFUNDS = "refunds", _("Refunds")
    CHARGEBACKS = "chargebacks", _("Chargebacks")
    DISPUTE_FEES = "dispute_fees", _("Dispute fees")
    STRIPE_CLEARING = "stripe_clearing", _("Money at Stripe")
    UNDEPOSITED_CHECKS = "undeposited_checks", _("Checks not yet deposited")
    BANK = "bank", _("Bank")
    SUSPENSE = "suspense", _("Suspense: to be explained")


class LedgerEntryQuerySet(FinalQuerySet):
    def in_suspense(self) -> Self:
        """What nobody has explained yet."""
        explained = LedgerEntry.objects.filter(
            kind=LedgerEntry.Kind.EXPLAINED,
            offline_id=Concat(
                Value(EXPLANATION), Cast(OuterRef("pk"), CharField()), output_field=CharField()
            ),
        )
        return self.filter(~Exists(explained), kind=LedgerEntry.Kind.SUSPENSE)


class LedgerEntry(FinalModel):
    """One fact about money: a charge, a refund, a payout. Its postings say what moved where."""

    shown_on_pages = True

    class Kind(models.TextChoices):
        CHARGE = "charge", _("Gift charged")
        REFUND = "refund", _("Refund")
        REFUND_FAILURE = "refund_failure", _("Refund came back")
        DISPUTE = "dispute", _("Money of a dispute")
        PAYOUT = "payout", _("Paid out to the bank")
        RECEIVED = "received", _("Gift received by hand")
        DEPOSIT = "deposit", _("Taken to the bank")
        BOUNCED = "bounced", _("Check came back")
        MISTAKE = "mistake", _("Entered by mistake")
        TRIP_FEE = "trip_fee", _("Trip fee charged")
        TRIP_RECEIVED = "trip_received", _("Trip fee received by hand")
        TRIP_REFUND = "trip_refund", _("Trip fee given back")
        TRIP_REFUND_BACK = "trip_refund_back", _("Refund of a trip fee came back")
        TRIP_DISPUTE = "trip_dispute", _("Money of a disputed trip fee")
        SUSPENSE = "suspense", _("In suspense")
        EXPLAINED = "explained", _("Taken out of suspense")

    # What can lower a gift. Few entries are of these kinds, so questions begin with them.
    RETURNS = (Kind.REFUND, Kind.REFUND_FAILURE, Kind.DISPUTE, Kind.BOUNCED)
    # What happens to a trip fee has kinds of its own, so that no sum of gifts can meet it (D17).
    TRIP_RETURNS = (Kind.TRIP_REFUND, Kind.TRIP_REFUND_BACK, Kind.TRIP_DISPUTE)

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    donation = models.ForeignKey(
        "donations.Donation", models.PROTECT, null=True, blank=True,
        related_name="ledger_entries", verbose_name=_("gift"),
    )  # fmt: skip
    trip_fee = models.ForeignKey(
        "donations.TripFee", models.PROTECT, null=True, blank=True,
        related_name="ledger_entries", verbose_name=_("trip fee"),
    )  # fmt: skip
    currency = models.CharField(_("currency"), max_length=3)
    provider_txn_id = models.CharField(
        _("processor's transaction"), max_length=100, null=True, blank=True,
        help_text=_("The card processor's own number for this movement. Each is booked once."),
    )  # fmt: skip
    offline_id = models.CharField(
        _("gift or batch entered by staff"), max_length=40, null=True, blank=True
    )
    note = models.CharField(_("note"), max_length=250, blank=True)
    occurred_at = models.DateTimeField(_("happened"))
    journal_on = models.DateField(
        _("in the journal on"), null=True, editable=False,
        help_text=_("Its own day, or the day it was booked if its month was closed by then."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("booked"), default=clock.now)

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        ordering = ["-occurred_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider_txn_id"], name="ledger_books_each_transaction_once"
            ),
            models.UniqueConstraint(
                fields=["offline_id", "kind"], name="ledger_books_each_step_once"
            ),
            models.CheckConstraint(
                condition=Q(donation=None) | Q(trip_fee=None),
                name="ledger_entry_of_a_gift_or_a_trip_fee",
            ),
            models.CheckConstraint(
                condition=~Q(kind__startswith="trip_") | Q(trip_fee__isnull=False),
                name="ledger_trip_kinds_have_their_fee",
            ),
        ]
        indexes = [
            models.Index(fields=["journal_on"], name="ledger_by_journal_day"),
            models.Index(fields=["kind", "occurred_at"], name="ledger_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.provider_txn_id or self.pk}"


class PostingQuerySet(FinalQuerySet):
    def balances(self) -> dict[str, int]:
        """Cents by account, debit positive, over these rows; every account is named.

        Amounts of all currencies are added as they stand: anything but US dollars is only ever
        posted to suspense and clearing, where it waits for a person.
        """
        totals = dict.fromkeys(Account.values, 0)
        pairs = self.order_by().values_list("debit", "credit").annotate(Sum("amount_cents"))
        for debit, credit, cents in pairs:
            totals[debit] += int(cents)
            totals[credit] -= int(cents)
        return totals

    def with_effect_on(self, *accounts: str) -> Self:
        """Adds `effect_cents`: what each row does to `accounts` together, debit positive."""
        return self.annotate(
            effect_cents=Case(When(debit__in=accounts, then=F("amount_cents")), default=0)
            - Case(When(credit__in=accounts, then=F("amount_cents")), default=0)
        )

    def returns(self) -> Self:
        """What went back to donors, as `effect_cents`: refunds and chargebacks, less failures."""
        back = self.filter(entry__kind__in=LedgerEntry.RETURNS)
        return back.with_effect_on(Account.REFUNDS, Account.CHARGEBACKS)

    def trip_returns(self) -> Self:
        """The same for trip fees: what was given back to delegates, or taken by their banks."""
        back = self.filter(entry__kind__in=LedgerEntry.TRIP_RETURNS)
        return back.with_effect_on(Account.TRIP_FEES, Account.CHARGEBACKS)


class LedgerPosting(FinalModel):
    """One amount from one account to another, so that every posting sums to zero by its shape."""

    shown_on_pages = True

    effect_cents: int  # after with_effect_on()

    entry = models.ForeignKey(
        LedgerEntry, models.PROTECT, related_name="postings", verbose_name=_("entry")
    )
    debit = models.CharField(_("debit"), max_length=20, choices=Account)
    credit = models.CharField(_("credit"), max_length=20, choices=Account)
    amount_cents = models.BigIntegerField(_("amount in cents"))

    objects = PostingQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger posting")
        verbose_name_plural = _("ledger postings")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0), name="posting_amount_above_zero"
            ),
            models.CheckConstraint(
                condition=~Q(debit=F("credit")), name="posting_joins_two_accounts"
            ),
            models.CheckConstraint(
                condition=Q(debit__in=Account.values) & Q(credit__in=Account.values),
                name="posting_accounts_exist",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_debit_display()} / {self.get_credit_display()}"
