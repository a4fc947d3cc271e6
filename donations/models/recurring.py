"""A gift that repeats, and each change that is made to it at the card processor."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from donations.models.campaign import Campaign
from sistercities.shared import clock
from sistercities.shared.money import format_exact
from sistercities.shared.signing import new_token


class RecurringGiftQuerySet(models.QuerySet):
    def running(self) -> Self:
        """Those that have begun and have not ended."""
        return self.filter(state__in=RecurringGift.RUNNING)


class RecurringGift(models.Model):
    """What a donor gives each month or each year, as the processor has it (giving.md, "Plan").

    The state mirrors what was fetched last; `canceled` is never left. Each charge is a gift of
    its own with its own receipt (giving.md D4).
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Form sent")
        OPEN = "open", _("At the card page")
        EXPIRED = "expired", _("Never began")
        INCOMPLETE = "incomplete", _("First payment not done")
        ACTIVE = "active", _("Active")
        PAST_DUE = "past_due", _("Card is failing")
        PAUSED = "paused", _("Paused")
        CANCELING = "canceling", _("Ends with this period")
        CANCELED = "canceled", _("Ended")

    class Interval(models.TextChoices):
        MONTHLY = "monthly", _("Each month")
        YEARLY = "yearly", _("Each year")

    NOT_BEGUN = (State.DRAFT, State.OPEN)
    RUNNING = (State.ACTIVE, State.PAST_DUE, State.PAUSED, State.CANCELING)

    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    form_token = models.CharField(max_length=40, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    interval = models.CharField(_("how often"), max_length=7, choices=Interval)
    amount_cents = models.BigIntegerField(_("amount in cents"))
    covered_fee_cents = models.BigIntegerField(
        _("added for the card fee"), default=0, db_default=0,
        help_text=_("In cents. Part of the amount above, by the donor's own wish."),
    )  # fmt: skip
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="recurring_gifts",
        verbose_name=_("campaign"),
    )  # fmt: skip
    designation = models.CharField(_("for"), max_length=160)
    donor_name = models.CharField(_("donor's name"), max_length=120)
    email = models.EmailField(_("mail address"))
    donor_address = models.TextField(
        _("postal address"), max_length=300, blank=True, default="", db_default=""
    )
    employer = models.CharField(
        _("employer"), max_length=120, blank=True, default="", db_default=""
    )
    is_anonymous = models.BooleanField(_("anonymous"), default=False)
    is_listed = models.BooleanField(
        _("name on the campaign's page"), default=False, db_default=False
    )
    message = models.TextField(_("comment"), max_length=500, blank=True)
    tribute_kind = models.CharField(_("tribute"), max_length=6, blank=True)
    tribute_name = models.CharField(_("for whom"), max_length=120, blank=True)
    notice_name = models.CharField(_("card to"), max_length=120, blank=True)
    notice_email = models.EmailField(_("its mail address"), blank=True)
    notice_address = models.TextField(_("its postal address"), max_length=300, blank=True)
    livemode = models.BooleanField(_("real money"), default=False)
    provider_reference = models.CharField(
        _("processor's subscription"), max_length=100, null=True, blank=True, unique=True
    )
    customer_reference = models.CharField(_("processor's customer"), max_length=100, blank=True)
    next_on = models.DateField(
        _("next gift"), null=True, blank=True,
        help_text=_("The day of the next charge, in the organization's time zone."),
    )  # fmt: skip
    pay_url = models.TextField(
        _("where the donor mends it"), blank=True,
        help_text=_("The processor's page for the payment that failed."),
    )  # fmt: skip
    announced_on = models.DateField(
        _("announced for"), null=True, blank=True, editable=False,
        help_text=_("The due date of which the donor of a yearly gift was told last."),
    )  # fmt: skip
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    looked_at = models.DateTimeField(_("last compared"), null=True, blank=True, editable=False)
    needs_attention = models.TextField(_("needs a person"), blank=True)
    lease = models.CharField(max_length=40, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("form sent"), default=clock.now)

    objects = RecurringGiftQuerySet.as_manager()

    class Meta:
        verbose_name = _("monthly or yearly gift")
        verbose_name_plural = _("monthly and yearly gifts")
        ordering = ["-created_at", "-pk"]
        permissions = [("cancel_recurringgift", _("Can stop monthly and yearly gifts"))]
        constraints = [
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="plan_amount_above_zero"),
            models.CheckConstraint(
                condition=Q(covered_fee_cents=0)
                | Q(covered_fee_cents__gt=0, covered_fee_cents__lt=F("amount_cents")),
                name="covered_fee_within_the_plan",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "open", "expired"])
                | Q(provider_reference__isnull=False),
                name="begun_plan_has_its_subscription",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "created_at"], name="plans_by_state"),
            models.Index(fields=["interval", "next_on"], name="plans_by_next_day"),
        ]

    def __str__(self) -> str:
        amount = format_exact(self.amount_cents, self.currency)
        return f"{amount} {self.get_interval_display()} {self.donor_name}"

    def get_absolute_url(self) -> str:
        """The donor's own page: whoever has this address may change and stop this gift."""
        return reverse("donations:plan", args=[self.token])

    @property
    def is_running(self) -> bool:
        return self.state in self.RUNNING


class Action(models.TextChoices):
    AMOUNT = "amount", _("Another amount")
    DAY = "day", _("Another day of the month")
    SKIP = "skip", _("Skip the next one")
    PAUSE = "pause", _("Pause")
    RESUME = "resume", _("Go on")
    CANCEL = "cancel", _("Stop")


class PlanChange(models.Model):
    """One wish to change a repeating gift. Key and parameters are kept before they are sent, so a
    repeat sends the very same (giving.md hazard 12).
    """

    class State(models.TextChoices):
        ASKED = "asked", _("Asked for")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused by the processor")
        DROPPED = "dropped", _("Overtaken by a later change")

    plan = models.ForeignKey(
        RecurringGift, models.PROTECT, related_name="changes",
        verbose_name=_("monthly or yearly gift"),
    )  # fmt: skip
    number = models.PositiveIntegerField(_("number"))
    action = models.CharField(_("what"), max_length=6, choices=Action)
    value = models.BigIntegerField(
        _("value"),
        default=0,
        help_text=_("Cents, a day of the month, or how many gifts are left out."),
    )
    idempotency_key = models.CharField(max_length=120, unique=True, editable=False)
    params = models.JSONField(default=dict, editable=False)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.ASKED)
    problem = models.CharField(_("what the processor said"), max_length=300, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("asked for by"), help_text=_("Empty: the donor."),
    )  # fmt: skip
    asked_at = models.DateTimeField(_("asked"), default=clock.now)

    class Meta:
        verbose_name = _("change of a monthly or yearly gift")
        verbose_name_plural = _("changes of monthly and yearly gifts")
        ordering = ["plan", "number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="one_plan_change_per_number")
        ]
        indexes = [
            models.Index(
                fields=["asked_at"], name="plan_changes_waiting", condition=Q(state="asked")
            )
        ]

    def __str__(self) -> str:
        return self.idempotency_key
