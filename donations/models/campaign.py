"""What people give to: a goal, what it pays for, and how far it has come."""

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, Greatest, Least
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from donations.amounts import CURRENCY, progress_percent
from donations.models.ledger import LedgerPosting
from exchanges.models import Visit
from sistercities.shared import clock
from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.money import MINOR_UNITS
from sistercities.shared.pictures import Pictured
from sistercities.shared.publishing import Publishable, PublishableQuerySet
from sistercities.shared.richtext import RichTextField

TAKEN = {"thanks", "receipts", "my-gifts", "recurring"}  # addresses below /donate/


class CampaignQuerySet(PublishableQuerySet):
    def open(self) -> Self:
        """Those that take gifts today; both days count, in the organisation's zone."""
        today = clock.today()
        return self.filter(
            Q(starts_on=None) | Q(starts_on__lte=today), Q(ends_on=None) | Q(ends_on__gte=today)
        )

    def with_raised(self) -> Self:
        """Adds `raised_cents`: gifts minus refunds and chargebacks.

        A paid gift counts in full whether or not its fee is known yet. Read from the rows each
        time, so it cannot drift.
        """
        from donations.models.donation import Donation

        given = Donation.objects.counting().filter(campaign=OuterRef("pk"))
        back = LedgerPosting.objects.returns().filter(
            Donation.counts("entry__donation__"), entry__donation__campaign=OuterRef("pk")
        )
        gifts = given.order_by().values("campaign").annotate(cents=Sum("amount_cents"))
        returns = (
            back.order_by().values("entry__donation__campaign").annotate(cents=Sum("effect_cents"))
        )
        raised = Coalesce(Subquery(gifts.values("cents")), 0) - Coalesce(
            Subquery(returns.values("cents")), 0
        )
        # PostgreSQL adds whole numbers up to a decimal one.
        return self.annotate(raised_cents=Cast(raised, models.BigIntegerField()))

    def cards(self) -> models.QuerySet:
        raised = self.with_raised().annotate(
            percent=Greatest(Value(0), Least(Value(100), F("raised_cents") * 100 / F("goal_cents")))
        )
        return as_cards(
            raised, "campaign", slug="slug", title="title", summary="summary", on="starts_on",
            until="ends_on", rank="order", **picture_columns(),
            more={
                "goal": "goal_cents", "raised": "raised_cents", "percent": "percent",
                "currency": "currency", "visit": "visit__slug", "visit_title": "visit__title",
                "city": "visit__city__name", "city_slug": "visit__city__slug",
            },
        )  # fmt: skip


class Campaign(Publishable, Pictured):
    raised_cents: int  # after with_raised()

    title = models.CharField(_("title"), max_length=120)
    summary = models.TextField(
        _("summary"), max_length=300, help_text=_("One or two sentences under the title.")
    )
    body = RichTextField(_("text"))
    goal_cents = models.BigIntegerField(_("goal"), help_text=_("In dollars, such as 6,000."))
    currency = models.CharField(
        _("currency"), max_length=3, default=CURRENCY, editable=False,
        choices=[(code, code) for code in MINOR_UNITS],
    )  # fmt: skip
    visit = models.ForeignKey(
        Visit, models.SET_NULL, null=True, blank=True, related_name="campaigns",
        verbose_name=_("visit"),
        help_text=_("The visit that this campaign pays for; its city gives the page its color."),
    )  # fmt: skip
    designation = models.CharField(
        _("in the list “Use it for”"), max_length=160,
        help_text=_("A program, never a person: The visit from Kyzylorda. It stands on receipts."),
    )  # fmt: skip
    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(
        _("last day"), null=True, blank=True, help_text=_("After it the page stays, the form goes.")
    )
    order = models.PositiveSmallIntegerField(
        _("order"), default=0, help_text=_("Small numbers come first.")
    )

    objects = CampaignQuerySet.as_manager()

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["order", "title"]
        constraints = [
            models.CheckConstraint(
                condition=Q(goal_cents__gt=0), name="campaign_goal_above_zero",
                violation_error_message=_("A goal is more than zero."),
            ),
            models.CheckConstraint(
                condition=Q(starts_on=None) | Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="campaign_ends_after_start",
                violation_error_message=_("The last day is before the first day."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("donations:campaign", args=[self.slug])

    def clean(self):
        super().clean()
        if self.slug in TAKEN:
            raise ValidationError({"slug": _("This address is taken. Please choose another.")})

    @property
    def city(self):
        return self.visit.city if self.visit else None

    @property
    def is_open(self) -> bool:
        today = clock.today()
        return (not self.starts_on or self.starts_on <= today) and (
            not self.ends_on or today <= self.ends_on
        )

    @property
    def percent(self) -> int:
        """Whole percent of the goal, 0 to 100: needs `with_raised()`."""
        return progress_percent(self.raised_cents, self.goal_cents)


class CampaignCost(models.Model):
    """A line of what the money pays for."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="costs")
    what = models.CharField(_("what"), max_length=120)
    amount_cents = models.BigIntegerField(_("amount"), help_text=_("In dollars."))
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("cost")
        verbose_name_plural = _("what the money pays for")
        ordering = ["order", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_cents__gt=0), name="campaign_cost_above_zero",
                violation_error_message=_("A cost is more than zero."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.what
