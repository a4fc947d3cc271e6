"""What a delegate pays for a trip: the payment that is never a gift (giving.md D17)."""

from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import OuterRef, Q, Subquery, Sum
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from donations.models.ledger import LedgerEntry, LedgerPosting
from exchanges.models import Visit
from sistercities.shared import clock
from sistercities.shared.money import format_exact
from sistercities.shared.signing import new_token

CARD_LIMITS = (50, 99_999_999)  # Stripe's own, in cents of US dollars


class TripFeeQuerySet(models.QuerySet):
    def counting(self) -> Self:
        """Those of real money; what was asked for as a test stops counting when the site goes
        live. A check is always real.
        """
        return self.filter(TripFee.counts())

    def unpaid(self) -> Self:
        """Asked for, and the money is not here."""
        return self.filter(state__in=TripFee.UNPAID)

    def overdue(self) -> Self:
        return self.unpaid().filter(due_on__lt=clock.today())

    def with_returned(self) -> Self:
        """Adds `refunded_cents` and `charged_back_cents`, from the ledger."""

        def returned(*kinds: str) -> Cast:
            rows = LedgerPosting.objects.trip_returns().filter(
                entry__trip_fee=OuterRef("pk"), entry__kind__in=kinds
            )
            totals = rows.order_by().values("entry__trip_fee").annotate(s=Sum("effect_cents"))
            return Cast(Coalesce(Subquery(totals.values("s")), 0), models.BigIntegerField())

        kinds = LedgerEntry.Kind
        return self.annotate(
            refunded_cents=returned(kinds.TRIP_REFUND, kinds.TRIP_REFUND_BACK),
            charged_back_cents=returned(kinds.TRIP_DISPUTE),
        )


class TripFee(models.Model):
    """A part of a trip's cost that one delegate is asked to pay. No receipt for taxes, in no sum
    of gifts.

    Unlike a gift it can be begun again: where a payment page ends unpaid, the fee is asked for as
    before. `PAID` is never left; what goes back is in the ledger.
    """

    refunded_cents: int  # after with_returned(), like the next
    charged_back_cents: int

    class State(models.TextChoices):
        ASKED = "asked", _("Asked for")
        OPEN = "open", _("At the card page")
        PROCESSING = "processing", _("Bank is working on it")
        PAID = "paid", _("Paid")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Provider(models.TextChoices):
        STRIPE = "stripe", _("Stripe")
        OFFLINE = "offline", _("Entered by staff")

    class Method(models.TextChoices):
        """How money comes that staff write down."""

        CHECK = "check", _("Check")
        CASH = "cash", _("Cash")
        TRANSFER = "transfer", _("Bank transfer")

    UNPAID = (State.ASKED, State.OPEN, State.PROCESSING)

    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    visit = models.ForeignKey(
        Visit, models.PROTECT, related_name="trip_fees", verbose_name=_("visit")
    )
    delegate_name = models.CharField(_("delegate's name"), max_length=120)
    email = models.EmailField(_("mail address"), help_text=_("The link to pay goes here."))
    purpose = models.CharField(
        _("what it is for"), max_length=160,
        help_text=_("Such as: Deposit. Or: Second half of the travel cost."),
    )  # fmt: skip
    amount_cents = models.BigIntegerField(
        _("amount"), help_text=_("In dollars. Once asked for it stays as it is.")
    )
    currency = models.CharField(_("currency"), max_length=3, default="USD", editable=False)
    due_on = models.DateField(_("due"), help_text=_("The last day on which it is in time."))
    note = models.TextField(
        _("note"), max_length=500, blank=True, help_text=_("Only staff read this.")
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ASKED)
    livemode = models.BooleanField(
        _("real money"), default=False, help_text=_("Off for fees asked for in test mode.")
    )
    provider = models.CharField(
        _("processor"), max_length=10, choices=Provider, default=Provider.STRIPE
    )
    provider_reference = models.CharField(
        _("processor's payment"), max_length=100, blank=True, editable=False,
        help_text=_("The one that paid it."),
    )  # fmt: skip
    method = models.CharField(_("paid with"), max_length=30, blank=True)
    check_number = models.CharField(_("number of the check"), max_length=30, blank=True)
    paid_on = models.DateField(_("paid on"), null=True, blank=True)
    deposited_on = models.DateField(_("at the bank since"), null=True, blank=True)
    times_sent = models.PositiveSmallIntegerField(_("link sent"), default=0)
    sent_at = models.DateTimeField(_("last sent"), null=True, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+",
        verbose_name=_("asked for by"),
    )  # fmt: skip
    needs_attention = models.TextField(
        _("needs a person"), blank=True,
        help_text=_("What did not fit. Nothing was marked as paid because of it."),
    )  # fmt: skip
    lease = models.CharField(max_length=40, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("asked"), default=clock.now)

    objects = TripFeeQuerySet.as_manager()

    class Meta:
        verbose_name = _("trip fee")
        verbose_name_plural = _("trip fees")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0), name="trip_fee_above_zero",
                violation_error_message=_("An amount is more than zero."),
            ),
            models.CheckConstraint(
                condition=~Q(state="paid") | Q(paid_on__isnull=False),
                name="paid_trip_fee_has_its_date",
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_reference"],
                name="one_trip_fee_per_provider_payment", condition=~Q(provider_reference=""),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["visit", "state"], name="trip_fees_of_visit"),
            models.Index(fields=["state", "due_on"], name="trip_fees_by_state"),
        ]

    def __str__(self) -> str:
        return f"{format_exact(self.amount_cents, self.currency)} {self.delegate_name}"

    def clean(self):
        super().clean()
        smallest, largest = CARD_LIMITS
        if self.amount_cents is not None and not smallest <= self.amount_cents <= largest:
            text = _("A card can pay from %(smallest)s to %(largest)s at once.")
            limits = {"smallest": format_exact(smallest), "largest": format_exact(largest)}
            raise ValidationError({"amount_cents": text % limits})

    def get_absolute_url(self) -> str:
        """The delegate's own page: whoever has this address may read it and pay."""
        return reverse("donations:trip_fee", args=[self.token])

    @staticmethod
    def counts() -> Q:
        """What `counting` asks, for a sum of some among others."""
        is_real = Q(livemode=settings.STRIPE_LIVE_MODE) | Q(provider=TripFee.Provider.OFFLINE)
        return ~Q(state=TripFee.State.WITHDRAWN) & is_real

    @property
    def is_payable(self) -> bool:
        """Whether a card may be charged. Test money and real money are never mixed."""
        is_asked = self.state in (self.State.ASKED, self.State.OPEN)
        return is_asked and self.livemode == settings.STRIPE_LIVE_MODE

    @property
    def is_unpaid(self) -> bool:
        return self.state in self.UNPAID

    @property
    def is_overdue(self) -> bool:
        return self.is_unpaid and self.due_on < clock.today()

    @property
    def is_by_hand(self) -> bool:
        return self.provider == self.Provider.OFFLINE

    @property
    def is_with_us(self) -> bool:
        """Whether it is a check or cash that is not at the bank yet."""
        is_paper = self.method in (self.Method.CHECK, self.Method.CASH)
        return self.is_by_hand and is_paper and self.deposited_on is None

    @property
    def shown_state(self) -> str:
        """The state with what came after: needs `with_returned()`."""
        if self.state != self.State.PAID:
            return "overdue" if self.is_overdue else self.state
        if self.charged_back_cents > 0:
            return "disputed"
        if self.refunded_cents >= self.amount_cents:
            return "refunded"
        return "partially_refunded" if self.refunded_cents > 0 else self.state
