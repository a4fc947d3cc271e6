"""A gift, from the form to the money, and each try to open a payment page for it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Cast, Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from donations.models.campaign import Campaign
from donations.models.donor import Donor
from donations.models.ledger import Account, LedgerPosting
from donations.models.recurring import RecurringGift
from donations.models.trip_fee import TripFee
from sistercities.shared import clock
from sistercities.shared.money import format_exact
from sistercities.shared.signing import new_token


def gone() -> models.QuerySet:
    """For a subquery: the gifts that went back as a whole, or that a bank has taken back."""
    is_bank = Q(debit=Account.CHARGEBACKS) | Q(credit=Account.CHARGEBACKS)
    returns = LedgerPosting.objects.returns().filter(entry__donation__isnull=False)
    sums = returns.order_by().values("entry__donation").annotate(
        back=Sum("effect_cents"), to_bank=Sum("effect_cents", filter=is_bank)
    )  # fmt: skip
    is_gone = Q(to_bank__gt=0) | Q(back__gte=F("entry__donation__amount_cents"))
    return sums.filter(is_gone).values("entry__donation")


class DonationQuerySet(models.QuerySet):
    def paid(self) -> Self:
        return self.filter(state=Donation.State.PAID)

    def counting(self) -> Self:
        """Paid gifts of real money. What was tried with test cards stops counting when the site
        goes live; a check is always real.
        """
        return self.filter(Donation.counts())

    def kept(self) -> Self:
        """Without those that are `gone`."""
        return self.exclude(pk__in=gone())

    def with_returned(self) -> Self:
        """Adds `refunded_cents` and `charged_back_cents`, from the ledger."""

        def returned(account: str) -> Cast:
            rows = LedgerPosting.objects.with_effect_on(account).filter(
                entry__donation=OuterRef("pk")
            )
            totals = rows.order_by().values("entry__donation").annotate(s=Sum("effect_cents"))
            return Cast(Coalesce(Subquery(totals.values("s")), 0), models.BigIntegerField())

        return self.annotate(
            refunded_cents=returned(Account.REFUNDS),
            charged_back_cents=returned(Account.CHARGEBACKS),
        )


class Donation(models.Model):
    """A gift. Its state is a rank that only rises (giving.md, table "Gift").

    Refunds and disputes do not change the state: they are ledger rows, and `shown_state` reads
    them.
    """

    # A gift that was begun shows nowhere: it counts from when it is paid, and in the ledger.
    shown_on_pages = ("paid_at", "amount_cents", "campaign")

    refunded_cents: int  # after with_returned(), like the next
    charged_back_cents: int

    class State(models.TextChoices):
        DRAFT = "draft", _("Form sent")
        OPEN = "open", _("At the card page")
        EXPIRED = "expired", _("Not paid in time")
        PROCESSING = "processing", _("Bank is working on it")
        FAILED = "failed", _("Payment failed")
        PAID = "paid", _("Paid")
        VOID = "void", _("Entered by mistake")

        @property
        def rank(self) -> int:
            return list(type(self)).index(self)

    class Kind(models.TextChoices):
        ONE_TIME = "one_time", _("Once")
        MONTHLY = "monthly", _("Each month")
        YEARLY = "yearly", _("Each year")

    class Tribute(models.TextChoices):
        HONOR = "honor", _("In honor of")
        MEMORY = "memory", _("In memory of")

    class GoodsServices(models.TextChoices):
        """What the donor got in return, which a receipt must say (giving.md D2, D3)."""

        NONE = "none", _("Nothing in return")
        BENEFIT = "benefit", _("Something in return")

    class Provider(models.TextChoices):
        STRIPE = "stripe", _("Stripe")
        OFFLINE = "offline", _("Entered by staff")

    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    form_token = models.CharField(max_length=40, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.ONE_TIME)
    plan = models.ForeignKey(
        RecurringGift, models.PROTECT, null=True, blank=True, related_name="donations",
        verbose_name=_("monthly or yearly gift"),
    )  # fmt: skip
    invoice_reference = models.CharField(
        _("processor's invoice"), max_length=100, null=True, blank=True, unique=True,
        help_text=_("Of a gift that repeats: each invoice is one gift."),
    )  # fmt: skip
    amount_cents = models.BigIntegerField(_("amount in cents"))
    covered_fee_cents = models.BigIntegerField(
        _("added for the card fee"), default=0, db_default=0,
        help_text=_("In cents. Part of the gift and of the amount above, by the donor's own wish."),
    )  # fmt: skip
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="donations",
        verbose_name=_("campaign"),
    )  # fmt: skip
    designation = models.CharField(
        _("for"), max_length=160,
        help_text=_("What the gift is for, as the donor read it. A program, never a person."),
    )  # fmt: skip
    donor = models.ForeignKey(
        Donor, models.PROTECT, null=True, editable=False, related_name="gifts",
        verbose_name=_("donor"), help_text=_("Known when the gift is paid."),
    )  # fmt: skip
    donor_name = models.CharField(_("donor's name"), max_length=120)
    email = models.EmailField(_("mail address"), blank=True)
    donor_address = models.TextField(
        _("postal address"), max_length=300, blank=True, default="", db_default=""
    )
    employer = models.CharField(
        _("employer"), max_length=120, blank=True, default="", db_default="",
        help_text=_("As the donor wrote it: whom to ask whether it matches the gift."),
    )  # fmt: skip
    is_anonymous = models.BooleanField(
        _("anonymous"), default=False,
        help_text=_("The name is never shown in public, not even on a list of donors."),
    )  # fmt: skip
    is_listed = models.BooleanField(
        _("name on the campaign's page"), default=False, db_default=False,
        help_text=_("By the donor's own wish; never where the gift is anonymous."),
    )  # fmt: skip
    is_withheld = models.BooleanField(
        _("name withheld by staff"), default=False, db_default=False,
        help_text=_("Keeps the name off the campaign's page, whatever the donor wishes."),
    )  # fmt: skip
    message = models.TextField(_("comment"), max_length=500, blank=True)
    tribute_kind = models.CharField(
        _("tribute"), max_length=6, choices=Tribute, blank=True, default="", db_default=""
    )
    tribute_name = models.CharField(
        _("for whom"), max_length=120, blank=True, default="", db_default=""
    )
    notice_name = models.CharField(
        _("card to"), max_length=120, blank=True, default="", db_default=""
    )
    notice_email = models.EmailField(_("its mail address"), blank=True, default="", db_default="")
    notice_address = models.TextField(
        _("its postal address"), max_length=300, blank=True, default="", db_default="",
        help_text=_("A card never names the amount."),
    )  # fmt: skip
    goods_services = models.CharField(
        _("given in return"), max_length=10, choices=GoodsServices, blank=True,
        help_text=_("Without this choice no receipt can be written."),
    )  # fmt: skip
    benefit = models.CharField(
        _("what was given in return"), max_length=200, blank=True, default="", db_default=""
    )
    benefit_cents = models.BigIntegerField(
        _("what that is worth"), default=0, db_default=0,
        help_text=_("In cents: our estimate in good faith. The donor cannot deduct it."),
    )  # fmt: skip
    given_on = models.DateField(
        _("date of the gift"), null=True, blank=True,
        help_text=_("For a card the day it was charged, in the organization's time zone. "
                    "It decides the tax year."),
    )  # fmt: skip
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    provider = models.CharField(
        _("processor"), max_length=10, choices=Provider, default=Provider.STRIPE
    )
    provider_reference = models.CharField(
        _("processor's payment"), max_length=100, blank=True, editable=False
    )
    method = models.CharField(_("paid with"), max_length=30, blank=True)
    livemode = models.BooleanField(
        _("real money"), default=False, help_text=_("Off for gifts made in test mode.")
    )
    is_receipt_due = models.BooleanField(
        _("receipt still to be written"), default=False, db_default=False, editable=False
    )
    needs_attention = models.TextField(
        _("needs a person"), blank=True,
        help_text=_("What did not fit. Nothing was marked as paid because of it."),
    )  # fmt: skip
    lease = models.CharField(max_length=40, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("form sent"), default=clock.now)

    objects = DonationQuerySet.as_manager()

    class Meta:
        verbose_name = _("gift")
        verbose_name_plural = _("gifts")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0)
                | Q(amount_cents=0, provider="offline", method__in=["stock", "in_kind"]),
                name="gift_above_zero_or_not_cash",
            ),
            models.CheckConstraint(
                condition=Q(covered_fee_cents=0)
                | Q(covered_fee_cents__gt=0, covered_fee_cents__lt=F("amount_cents")),
                name="covered_fee_within_the_gift",
            ),
            models.CheckConstraint(
                condition=Q(benefit_cents__gte=0), name="benefit_not_below_zero"
            ),
            models.CheckConstraint(
                condition=~Q(goods_services="benefit") | (Q(benefit_cents__gt=0) & ~Q(benefit="")),
                name="benefit_has_its_value",
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_reference"], name="one_gift_per_provider_payment",
                condition=~Q(provider_reference=""),
            ),
            models.CheckConstraint(
                condition=~Q(state="paid") | Q(paid_at__isnull=False, given_on__isnull=False),
                name="paid_gift_has_its_date",
            ),
            models.CheckConstraint(
                condition=Q(plan=None, invoice_reference=None, kind="one_time")
                | (
                    Q(plan__isnull=False, invoice_reference__isnull=False)
                    & Q(kind__in=["monthly", "yearly"])
                ),
                name="repeating_gift_has_plan_and_invoice",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(
                # All that a campaign's sums read, so that they need not look at the gifts.
                fields=["campaign", "state", "provider", "livemode", "amount_cents"],
                name="gifts_of_campaign",
            ),
            models.Index(
                fields=["campaign", "state"], name="gifts_listed_by_name",
                condition=Q(is_listed=True),
            ),
            models.Index(
                fields=["state", "created_at"], name="gifts_with_employer",
                condition=~Q(employer=""),
            ),
            models.Index(fields=["state", "created_at"], name="gifts_by_state"),
            models.Index(fields=["state", "given_on"], name="gifts_by_day"),
            models.Index(fields=["donor", "state"], name="gifts_of_donor"),
            models.Index(fields=["-created_at", "-id"], name="gifts_latest_first"),
            models.Index(fields=["paid_at"], name="gifts_by_payment"),
            models.Index(
                fields=["id"], name="gifts_without_receipt", condition=Q(is_receipt_due=True)
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        if self.is_non_cash:
            return self.donor_name
        return f"{format_exact(self.amount_cents, self.currency)} {self.donor_name}"

    def get_absolute_url(self) -> str:
        """The donor's own page: whoever has this address may read it."""
        return reverse("donations:thanks", args=[self.token])

    @staticmethod
    def counts(prefix: str = "") -> Q:
        """What `counting` asks, for a question that reaches gifts through `prefix`."""
        is_real = Q(**{f"{prefix}livemode": settings.STRIPE_LIVE_MODE})
        is_real |= Q(**{f"{prefix}provider": Donation.Provider.OFFLINE})
        return Q(**{f"{prefix}state": Donation.State.PAID}) & is_real

    @property
    def is_non_cash(self) -> bool:
        """Stock or goods: described, never valued (giving.md D12)."""
        return self.amount_cents == 0

    def rise_to(self, state: State) -> bool:
        """Takes `state` if it ranks higher than the present one; says whether it did."""
        if self.State(state).rank <= self.State(self.state).rank:
            return False
        self.state = state
        return True

    @property
    def shown_state(self) -> str:
        """The state with what came after: needs `with_returned()`."""
        if self.state != self.State.PAID:
            return self.state
        if self.charged_back_cents > 0:
            return "disputed"
        if self.refunded_cents >= self.amount_cents and not self.is_non_cash:
            return "refunded"
        return "partially_refunded" if self.refunded_cents > 0 else self.state


class CheckoutAttempt(models.Model):
    """One request for a payment page: its key and parameters are kept before it is sent, so a
    repeat sends the very same (giving.md hazard 12, F1, F2).
    """

    donation = models.ForeignKey(
        Donation, models.CASCADE, null=True, blank=True, related_name="attempts",
        verbose_name=_("gift"),
    )  # fmt: skip
    plan = models.ForeignKey(
        RecurringGift, models.CASCADE, null=True, blank=True, related_name="attempts",
        verbose_name=_("monthly or yearly gift"),
    )  # fmt: skip
    trip_fee = models.ForeignKey(
        TripFee, models.CASCADE, null=True, blank=True, related_name="attempts",
        verbose_name=_("trip fee"),
    )  # fmt: skip
    number = models.PositiveSmallIntegerField(_("try"))
    idempotency_key = models.CharField(max_length=120, unique=True)
    params = models.JSONField()
    is_spent = models.BooleanField(
        default=False, help_text=_("The processor will answer this key with an error for ever.")
    )
    session_id = models.CharField(
        _("payment page"), max_length=100, null=True, blank=True, unique=True
    )
    url = models.TextField(blank=True)
    expires_at = models.DateTimeField(_("ends"))
    created_at = models.DateTimeField(_("made"), default=clock.now)

    class Meta:
        verbose_name = _("payment page")
        verbose_name_plural = _("payment pages")
        ordering = ["donation", "number"]
        constraints = [
            models.UniqueConstraint(fields=["donation", "number"], name="one_attempt_per_number"),
            models.UniqueConstraint(fields=["plan", "number"], name="one_plan_attempt_per_number"),
            models.UniqueConstraint(
                fields=["trip_fee", "number"], name="one_trip_fee_attempt_per_number"
            ),
            models.CheckConstraint(
                condition=Q(donation__isnull=False, plan=None, trip_fee=None)
                | Q(donation=None, plan__isnull=False, trip_fee=None)
                | Q(donation=None, plan=None, trip_fee__isnull=False),
                name="attempt_is_for_one_payment",
            ),
        ]

    def __str__(self) -> str:
        return self.idempotency_key
