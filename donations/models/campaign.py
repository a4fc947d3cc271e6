"""What people give to: a goal, what it pays for, and how far it has come."""

import datetime as dt
import re
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Cast, Coalesce, Greatest, Least
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from donations.amounts import CURRENCY, MOST_PRESETS, PRESETS, Presets, progress_percent
from donations.models.ledger import LedgerPosting
from exchanges.models import Visit
from sistercities.shared import clock
from sistercities.shared.addresses import absolute
from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.linked_data import of_page, us
from sistercities.shared.models import SiteSettings
from sistercities.shared.money import MINOR_UNITS, format_amount
from sistercities.shared.pictures import Pictured
from sistercities.shared.publishing import Publishable, PublishableQuerySet
from sistercities.shared.richtext import RichTextField

# Addresses below /donate/.
TAKEN = {"thanks", "receipts", "my-gifts", "recurring", "trip-fees", "tickets"}


def _kept(**which: str) -> Cast:
    """For an annotation: the gifts of a campaign minus what went back of them, in cents."""
    from donations.models.donation import Donation

    given = Donation.objects.counting().filter(campaign=OuterRef("pk"), **which)
    gifts = given.order_by().values("campaign").annotate(cents=Sum("amount_cents"))
    # In a case no index helps: SQLite would look for the few returns among all of the gifts.
    counts = Donation.counts("entry__donation__")
    counts &= Q(**{f"entry__donation__{name}": value for name, value in which.items()})
    back = LedgerPosting.objects.returns().annotate(
        of=Case(When(counts, then=F("entry__donation__campaign")))
    )
    returns = (
        back.filter(of=OuterRef("pk")).order_by().values("of").annotate(cents=Sum("effect_cents"))
    )
    kept = Coalesce(Subquery(gifts.values("cents")), 0) - Coalesce(
        Subquery(returns.values("cents")), 0
    )
    # PostgreSQL adds whole numbers up to a decimal one.
    return Cast(kept, models.BigIntegerField())


def _takes_gifts(today: dt.date) -> Q:
    has_begun = Q(starts_on=None) | Q(starts_on__lte=today)
    return has_begun & (Q(ends_on=None) | Q(ends_on__gte=today))


class CampaignQuerySet(PublishableQuerySet):
    def open(self) -> Self:
        """Those that take gifts today; both days count, in the organisation's zone."""
        return self.filter(_takes_gifts(clock.today()))

    def with_raised(self) -> Self:
        """Adds `raised_cents`: gifts minus refunds and chargebacks.

        A paid gift counts in full whether or not its fee is known yet. Read from the rows each
        time, so it cannot drift.
        """
        return self.annotate(raised_cents=_kept())

    def with_by_hand(self) -> Self:
        """Adds `by_hand_cents`: the part of `raised_cents` that did not come by card."""
        return self.annotate(by_hand_cents=_kept(provider="offline"))

    def with_promised(self) -> Self:
        """Adds `promised_cents`: employers' matches that are still to come, in no other sum."""
        from donations.models.expected_match import ExpectedMatch

        waiting = ExpectedMatch.objects.promised().filter(campaign=OuterRef("pk"))
        sums = waiting.order_by().values("campaign").annotate(cents=Sum("amount_cents"))
        cents = Coalesce(Subquery(sums.values("cents")), 0)
        return self.annotate(promised_cents=Cast(cents, models.BigIntegerField()))

    def cards(self) -> models.QuerySet:
        raised = self.with_raised().annotate(
            percent=Greatest(Value(0), Least(Value(100), F("raised_cents") * 100 / F("goal_cents")))
        )
        return as_cards(
            raised, "campaign", slug="slug", title="title", summary="summary", on="starts_on",
            until="ends_on", rank="order", **picture_columns(),
            more={
                "is_open": Case(When(_takes_gifts(clock.today()), then=1), default=0),
                "goal": "goal_cents", "raised": "raised_cents", "percent": "percent",
                "currency": "currency", "visit": "visit__slug", "visit_title": "visit__title",
                "city": "visit__city__name", "city_slug": "visit__city__slug",
            },
        )  # fmt: skip

    def costs(self) -> models.QuerySet:
        """What these campaigns pay for, as cards of kind `cost`."""
        return as_cards(
            CampaignCost.objects.filter(campaign__in=self), "cost", title="what", rank="order",
            more={"campaign": "campaign_id", "cents": "amount_cents"},
        )  # fmt: skip

    def latest_updates(self) -> models.QuerySet:
        """The newest of what happened since, one a campaign, as cards of kind `update`."""
        newest = CampaignUpdate.objects.published().filter(campaign=OuterRef("pk"))
        ids = self.annotate(update=Subquery(newest.values("pk")[:1])).values("update")
        return as_cards(
            CampaignUpdate.objects.filter(pk__in=ids), "update", summary="text",
            on="published_on", more={"campaign": "campaign_id"},
        )  # fmt: skip


class Campaign(Publishable, Pictured):
    raised_cents: int  # after with_raised()
    by_hand_cents: int  # after with_by_hand()
    promised_cents: int  # after with_promised()

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
    has_names = models.BooleanField(
        _("names of donors"), default=False, db_default=False,
        help_text=_("Donors may then choose that their name stands on the campaign's page. "
                    "Names only, never amounts."),
    )  # fmt: skip
    suggested = models.CharField(
        _("suggested amounts"), max_length=60, blank=True, default="", db_default="",
        help_text=_("Two to six amounts in whole dollars, such as: 30, 60, 120, 1000. "
                    "Empty: the amounts of the general form."),
    )  # fmt: skip
    suggested_first = models.PositiveIntegerField(
        _("chosen at first"), null=True, blank=True,
        help_text=_("Which of these amounts is chosen when the page opens. Empty: the second."),
    )  # fmt: skip

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

    def linked_data(self) -> dict[str, Any]:
        """What search engines read of it: that here one gives, and to whom."""
        address = absolute(self.get_absolute_url())
        return of_page(
            self, "DonateAction", self.title, self.summary, target=address, recipient=us()
        )

    def clean(self):
        super().clean()
        if self.slug in TAKEN:
            raise ValidationError({"slug": _("This address is taken. Please choose another.")})
        self._clean_suggested()

    def _clean_suggested(self) -> None:
        """Puts the suggested amounts in order; refuses those that no gift could have."""
        texts = [text for text in re.split(r"[\s,;$]+", self.suggested) if text]
        if not all(re.fullmatch(r"[0-9]{1,7}", text) for text in texts):
            raise ValidationError(
                {"suggested": _("Please write whole dollars, such as: 30, 60, 120, 1000.")}
            )
        amounts = sorted({int(text) for text in texts})
        smallest, largest = SiteSettings.load().gift_limits
        if amounts and not 2 <= len(amounts) <= MOST_PRESETS:
            raise ValidationError({"suggested": _("Please write two to six amounts.")})
        if amounts and (amounts[0] * 100 < smallest or amounts[-1] * 100 > largest):
            text = _("Each amount must be from %(least)s to %(most)s. Write 1000 without a comma.")
            least, most = format_amount(smallest, CURRENCY), format_amount(largest, CURRENCY)
            raise ValidationError({"suggested": text % {"least": least, "most": most}})
        if self.suggested_first is not None and self.suggested_first not in amounts:
            raise ValidationError({"suggested_first": _("This is none of the suggested amounts.")})
        self.suggested = ", ".join(str(amount) for amount in amounts)

    @property
    def presets(self) -> Presets:
        """What its page offers: its own amounts, or else those of the general form."""
        if not self.suggested:
            return PRESETS
        dollars = tuple(int(text) for text in self.suggested.split(", "))
        return Presets(dollars, chosen=self.suggested_first or dollars[1])

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

    @property
    def promised_percent(self) -> int:
        """Where what is promised ends beyond what is in hand: needs `with_promised()` too."""
        return progress_percent(self.raised_cents + self.promised_cents, self.goal_cents)


class CampaignCost(models.Model):
    """A line of what the money pays for."""

    shown_on_pages = True

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


class CampaignUpdateQuerySet(models.QuerySet):
    def published(self) -> Self:
        """Those whose day has come, the newest first."""
        return self.filter(published_on__lte=clock.today()).order_by("-published_on", "-pk")


class CampaignUpdate(models.Model):
    """What happened since: a few sentences with their day."""

    shown_on_pages = True

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="updates")
    published_on = models.DateField(
        _("day"), default=clock.today, help_text=_("A day ahead: it appears on that day.")
    )
    text = models.TextField(
        _("text"), max_length=600, help_text=_("A few plain sentences, without links.")
    )

    objects = CampaignUpdateQuerySet.as_manager()

    class Meta:
        verbose_name = _("update")
        verbose_name_plural = _("updates")
        ordering = ["-published_on", "-pk"]

    def __str__(self) -> str:
        return f"{self.published_on}: {self.text[:40]}"
