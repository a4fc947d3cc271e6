"""Events: an hour, an evening, whole days; at a place, online or both."""

import datetime as dt
from typing import Self
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cities.models import City
from exchanges.models.visit import Visit, when
from sistercities.shared import clock
from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.images import Pictured
from sistercities.shared.models import time_zone_choices, validate_time_zone
from sistercities.shared.publishing import Publishable, PublishableQuerySet
from sistercities.shared.richtext import RichTextField


class EventQuerySet(PublishableQuerySet):
    def with_last_day(self) -> Self:
        return self.annotate(last_day=Coalesce("ends_on", "starts_on"))

    def upcoming(self) -> Self:
        """Not over yet, the next first. An event that ends today is still upcoming."""
        return (
            self.with_last_day()
            .filter(last_day__gte=clock.today())
            .order_by("starts_on", F("starts_at").asc(nulls_first=True), "pk")
        )

    def past(self) -> Self:
        return (
            self.with_last_day().filter(last_day__lt=clock.today()).order_by("-starts_on", "-pk")
        )

    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "event", slug="slug", title="title", native="native_title",
            language="native_language", summary="summary", on="starts_on", until="ends_on",
            **picture_columns(),
            more={
                "starts_at": "starts_at", "ends_at": "ends_at", "time_zone": "time_zone",
                "place": "place", "is_online": "is_online",
            },
        )  # fmt: skip


class Event(Publishable, Pictured):
    """Days are calendar days and hours wall-clock hours in `time_zone`; no hour means all day."""

    title = models.CharField(_("title"), max_length=120)
    native_title = models.CharField(_("title in its own script"), max_length=80, blank=True)
    native_language = models.CharField(_("language of that title"), max_length=20, blank=True)
    summary = models.TextField(_("summary"), max_length=300)
    body = RichTextField(_("text"))
    city = models.ForeignKey(
        City, models.SET_NULL, null=True, blank=True, related_name="events",
        verbose_name=_("city"), help_text=_("The sister city that it is about."),
    )  # fmt: skip
    visit = models.ForeignKey(
        Visit, models.SET_NULL, null=True, blank=True, related_name="events",
        verbose_name=_("visit"),
    )  # fmt: skip
    starts_on = models.DateField(_("day"))
    ends_on = models.DateField(
        _("last day"), null=True, blank=True, help_text=_("Only if it lasts several days.")
    )
    starts_at = models.TimeField(
        _("from"), null=True, blank=True, help_text=_("Leave empty for all day.")
    )
    ends_at = models.TimeField(_("until"), null=True, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, choices=time_zone_choices, default="America/Denver",
        validators=[validate_time_zone],
    )  # fmt: skip
    place = models.CharField(_("place"), max_length=120, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    is_online = models.BooleanField(_("online"), default=False)
    online_url = models.URLField(_("address online"), blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["starts_on", "starts_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="event_ends_after_start",
                violation_error_message=_("The last day is before the first day."),
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at__isnull=False),
                name="event_end_hour_has_start_hour",
                violation_error_message=_("An hour of ending needs an hour of beginning."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.starts_on:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        return reverse("exchanges:event", args=[self.slug])

    def clean(self):
        super().clean()
        same_day = not self.ends_on or self.ends_on == self.starts_on
        if self.starts_at and self.ends_at and same_day and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": _("It ends before it begins.")})

    @property
    def is_all_day(self) -> bool:
        return self.starts_at is None

    @property
    def start(self) -> dt.datetime | None:
        """The moment of beginning; None when it lasts all day."""
        if self.starts_at is None:
            return None
        return dt.datetime.combine(self.starts_on, self.starts_at, ZoneInfo(self.time_zone))

    @property
    def end(self) -> dt.datetime | None:
        """The moment of ending, if an hour of ending was given."""
        if self.ends_at is None:
            return None
        day = self.ends_on or self.starts_on
        return dt.datetime.combine(day, self.ends_at, ZoneInfo(self.time_zone))

    @property
    def when(self) -> str:
        return when(self.starts_on, self.ends_on)

    @property
    def is_over(self) -> bool:
        return (self.ends_on or self.starts_on) < clock.today()
