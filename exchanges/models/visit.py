"""A delegation visit: the hub that ties city, days, people, pictures, events and gifts together."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from cities.models import City
from cities.models.cooperation import CooperationField, in_words
from sistercities.shared import clock
from sistercities.shared.cards import Card, as_cards, as_time, picture_columns
from sistercities.shared.pictures import Pictured
from sistercities.shared.publishing import Publishable, PublishableQuerySet, TakesReplies
from sistercities.shared.richtext import RichTextField


class VisitQuerySet(PublishableQuerySet):
    def coming(self) -> Self:
        """Visits that are not over, the next one first; the last day still counts.

        Where only the month or the year is on file, all of it counts.
        """
        return self.filter(not_over(clock.today())).order_by("starts_on", "pk")

    def behind(self) -> Self:
        """All others, the latest first: made, canceled, or never closed by staff."""
        return self.exclude(not_over(clock.today())).order_by("-starts_on", "-pk")

    def between(self, first: dt.date, last: dt.date) -> Self:
        """Those whose days are known and that are on at some day from `first` to `last`."""
        return (
            self.filter(precision=Visit.Precision.DAY, starts_on__lte=last)
            .annotate(last_day=Coalesce("ends_on", "starts_on"))
            .filter(last_day__gte=first)
            .order_by("starts_on", "pk")
        )

    def made(self) -> Self:
        """Visits that took place, the latest first."""
        return self.filter(stage=Visit.Stage.COMPLETED).order_by("-starts_on", "-pk")

    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "visit", slug="slug", title="title", summary="summary", on="starts_on",
            until="ends_on", **picture_columns(),
            more={
                "direction": "direction", "stage": "stage", "precision": "precision",
                "answers": "answers_id", "city": "city__name", "city_slug": "city__slug",
            },
        )  # fmt: skip


def not_over(today: dt.date) -> Q:
    """Visits that are planned or under way, and whose time is not past on `today`."""
    return Q(stage__in=[Visit.Stage.PLANNED, Visit.Stage.UNDER_WAY]) & (
        Q(ends_on__gte=today)
        | Q(ends_on=None, starts_on__gte=today)
        | Q(ends_on=None, stage=Visit.Stage.UNDER_WAY)
        | Q(precision=Visit.Precision.MONTH, starts_on__gte=today.replace(day=1))
        | Q(precision=Visit.Precision.YEAR, starts_on__gte=today.replace(month=1, day=1))
    )


class Visit(Publishable, Pictured, TakesReplies):
    class Direction(models.TextChoices):
        OUTBOUND = "outbound", _("We travel there")
        INBOUND = "inbound", _("They come to us")

    class Stage(models.TextChoices):
        PLANNED = "planned", _("Planned")
        UNDER_WAY = "under_way", _("Under way")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Canceled")

    class Precision(models.TextChoices):
        DAY = "day", _("The days are known")
        MONTH = "month", _("Only the month is on file")
        YEAR = "year", _("Only the year is on file")

    title = models.CharField(_("title"), max_length=120)
    city = models.ForeignKey(
        City, models.PROTECT, related_name="visits", verbose_name=_("city"),
        help_text=_("The partner city, whichever way the delegation travels."),
    )  # fmt: skip
    direction = models.CharField(_("direction"), max_length=10, choices=Direction)
    stage = models.CharField(_("stage"), max_length=10, choices=Stage, default=Stage.PLANNED)
    starts_on = models.DateField(
        _("first day"), help_text=_("If only the year is on file, write January 1 of it.")
    )
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    precision = models.CharField(
        _("how exact"), max_length=5, choices=Precision, default=Precision.DAY
    )
    cooperation = CooperationField(_("fields of cooperation"), default=list, blank=True)
    summary = models.TextField(
        _("summary"), max_length=300, help_text=_("One or two sentences under the title.")
    )
    story = RichTextField(_("story"), help_text=_("What came of it."))
    answers = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, related_name="answered_by",
        verbose_name=_("is the return visit for"),
        help_text=_("The earlier visit, in the other direction, that this one answers."),
    )  # fmt: skip

    objects = VisitQuerySet.as_manager()

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        ordering = ["-starts_on", "-pk"]
        indexes = [models.Index(fields=["status", "starts_on", "id"], name="visit_latest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="visit_ends_after_start",
                violation_error_message=_("The last day is before the first day."),
            ),
            models.CheckConstraint(
                condition=~Q(answers=F("pk")), name="visit_answers_another",
                violation_error_message=_("A visit cannot be its own return visit."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.title} ({self.starts_on.year})"

    def get_absolute_url(self) -> str:
        return reverse("exchanges:visit", args=[self.slug])

    def clean(self):
        super().clean()
        check_days(self.starts_on, self.ends_on)
        if self.answers:
            if self.answers == self:
                raise ValidationError({"answers": _("A visit cannot be its own return visit.")})
            if self.answers.city_id != self.city_id:
                raise ValidationError({"answers": _("That visit belongs to another city.")})
            if self.answers.direction == self.direction:
                raise ValidationError(
                    {"answers": _("A return visit goes the other way than the one it answers.")}
                )

    @property
    def when(self) -> str:
        return when(self.starts_on, self.ends_on, self.precision)

    @property
    def has_exact_days(self) -> bool:
        """Whether its days may be shown: not where only the month or the year is on file."""
        return self.precision == self.Precision.DAY

    @property
    def is_outbound(self) -> bool:
        return self.direction == self.Direction.OUTBOUND

    @property
    def is_made(self) -> bool:
        return self.stage == self.Stage.COMPLETED

    @property
    def is_cancelled(self) -> bool:
        return self.stage == self.Stage.CANCELLED

    @property
    def fields(self) -> list[str]:
        """The fields of cooperation in words, in the order of the programme."""
        return in_words(self.cooperation)

    def standing(self, home: ZoneInfo) -> "Standing":
        """Before, during or after, by the calendar of the place that is visited.

        Exact days say more than the stage that staff may have forgotten to change; where they are
        not on file, the stage is all there is to know.
        """
        if self.is_cancelled:
            return Standing(Phase.CANCELLED)
        if self.is_made:
            return Standing(Phase.AFTER)
        is_on_the_way = self.stage == self.Stage.UNDER_WAY
        if not self.has_exact_days:
            return Standing(Phase.DURING if is_on_the_way else Phase.BEFORE)
        today = clock.now().astimezone(self.zone(home)).date()
        number = (today - self.starts_on).days + 1
        if number < 1:
            return Standing(Phase.BEFORE, number=1 - number)
        has_open_end = is_on_the_way and not self.ends_on
        last = today if has_open_end else self.ends_on or self.starts_on
        if today > last:
            return Standing(Phase.AFTER)
        count = None if has_open_end else (last - self.starts_on).days + 1
        return Standing(Phase.DURING, number, count, today)

    def zone(self, home: ZoneInfo) -> ZoneInfo:
        """The clock of the place that is visited: there when we travel, `home` when they come."""
        return ZoneInfo(self.city.time_zone) if self.is_outbound else home


class Phase(models.TextChoices):
    BEFORE = "before"
    DURING = "during"
    AFTER = "after"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Standing:
    """How a visit stands today.

    `number` is how many days ahead it begins, or which of its `count` days this is; None where
    that is not known. `today` is the day at the place that is visited, only while it is under way.
    """

    phase: Phase
    number: int | None = None
    count: int | None = None
    today: dt.date | None = None


def check_days(starts_on: dt.date | None, ends_on: dt.date | None) -> None:
    """Refuses, each beside its own field, an end before the start and a year that is a slip."""
    errors = {}
    for field, day in (("starts_on", starts_on), ("ends_on", ends_on)):
        if day and not 1900 <= day.year <= 2200:
            errors[field] = _("Please check the year: it lies outside 1900 to 2200.")
    if starts_on and ends_on and ends_on < starts_on:
        errors["ends_on"] = _("The last day is before the first day.")
    if errors:
        raise ValidationError(errors)


def when(starts_on: dt.date, ends_on: dt.date | None, precision: str = Visit.Precision.DAY) -> str:
    """The dates in words, no more exact than what is on file: `2010`, `September 7 to 11, 2013`."""
    if precision == Visit.Precision.YEAR:
        return str(starts_on.year)
    if precision == Visit.Precision.MONTH:
        return date_format(starts_on, "F Y")
    if not ends_on or ends_on == starts_on:
        return date_format(starts_on, "F j, Y")
    first = "F j" if starts_on.year == ends_on.year else "F j, Y"
    same_month = (starts_on.year, starts_on.month) == (ends_on.year, ends_on.month)
    return _("%(first)s to %(last)s") % {
        "first": date_format(starts_on, first),
        "last": date_format(ends_on, "j, Y" if same_month else "F j, Y"),
    }


class DayQuerySet(models.QuerySet):
    def cards(self) -> models.QuerySet:
        return as_cards(self, "day", title="title", summary="text", on="on", rank="number")


class Day(models.Model):
    """A day of the itinerary; its number is its place in the visit."""

    shown_on_pages = True

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="days")
    number = models.PositiveSmallIntegerField(_("day"))
    on = models.DateField(_("date"), null=True, blank=True)
    title = models.CharField(_("title"), max_length=120)
    text = RichTextField(_("text"))

    programme: "list[Stop]"  # given by the page of its visit

    objects = DayQuerySet.as_manager()

    class Meta:
        verbose_name = _("day")
        verbose_name_plural = _("days")
        ordering = ["number", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["visit", "number"], name="one_day_per_number",
                violation_error_message=_("This visit has that day already."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.number}: {self.title}"

    def clean(self):
        super().clean()
        visit = getattr(self, "visit", None)
        if self.on and visit and visit.starts_on and visit.precision == Visit.Precision.DAY:
            last = visit.ends_on or visit.starts_on
            if not visit.starts_on <= self.on <= last:
                raise ValidationError({"on": _("This day lies outside the visit.")})

    @classmethod
    def from_card(cls, card: Card, stops: Iterable[Card]) -> "Day":
        """The day that a card tells of, with those of `stops` that belong to it as `programme`."""
        day = cls(pk=card.pk, number=card.rank, on=card.on, title=card.title, text=card.summary)
        own = [Stop.from_card(stop) for stop in stops if stop.more["day"] == card.pk]
        day.programme = sorted(own, key=lambda stop: (stop.at or dt.time.max, stop.pk))
        return day


class StopQuerySet(models.QuerySet):
    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "stop", title="title", native="native", more={"day": "day_id", "at": "at"}
        )


class Stop(models.Model):
    """One line of a day's programme."""

    shown_on_pages = True

    day = models.ForeignKey(Day, models.CASCADE, related_name="stops")
    at = models.TimeField(_("time"), null=True, blank=True)
    title = models.CharField(_("what"), max_length=160)
    native = models.CharField(_("name in its own script"), max_length=80, blank=True)

    objects = StopQuerySet.as_manager()

    class Meta:
        verbose_name = _("stop")
        verbose_name_plural = _("stops")
        ordering = [F("at").asc(nulls_last=True), "pk"]

    def __str__(self) -> str:
        return self.title

    @classmethod
    def from_card(cls, card: Card) -> "Stop":
        at = as_time(card.more["at"])
        return cls(pk=card.pk, title=card.title, native=card.native, at=at)


class ParticipantQuerySet(models.QuerySet):
    def named(self) -> Self:
        """Only who agreed to be named on public pages."""
        return self.filter(agreed_to_be_named=True)

    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "participant", title="name", summary="role", more={"from": "organisation"}
        )


class Participant(models.Model):
    shown_on_pages = True

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="participants")
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(_("role"), max_length=120, blank=True)
    organisation = models.CharField(_("organization"), max_length=120, blank=True)
    agreed_to_be_named = models.BooleanField(
        _("agreed to be named"), default=False,
        help_text=_("Tick only when this person said yes. Without it the name stays in the admin."),
    )  # fmt: skip

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class HostQuerySet(models.QuerySet):
    def cards(self) -> models.QuerySet:
        return as_cards(self, "host", title="name", native="native_name", more={"url": "url"})


class Host(models.Model):
    """An organisation that received the delegation."""

    shown_on_pages = True

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="hosts")
    name = models.CharField(_("name"), max_length=120)
    native_name = models.CharField(_("name in its own script"), max_length=120, blank=True)
    url = models.URLField(_("web address"), blank=True)

    objects = HostQuerySet.as_manager()

    class Meta:
        verbose_name = _("host organization")
        verbose_name_plural = _("host organizations")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name
