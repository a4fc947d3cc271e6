"""Events: an hour, an evening, whole days; at a place, online or both."""

import datetime as dt
from dataclasses import dataclass
from typing import Self, cast
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext_lazy as _

from cities.models import City
from exchanges.models.visit import Visit, check_days, when
from sistercities.shared import clock
from sistercities.shared.cards import Card, as_cards, as_time, picture_columns
from sistercities.shared.models import time_zone_choices, validate_time_zone
from sistercities.shared.pictures import Pictured
from sistercities.shared.publishing import Publishable, PublishableQuerySet
from sistercities.shared.richtext import RichTextField


class EventQuerySet(PublishableQuerySet):
    def with_last_day(self) -> Self:
        return self.annotate(last_day=Coalesce("ends_on", "starts_on"))

    def upcoming(self) -> Self:
        """Not over yet, the next first; one that ends today still counts. Adds `begins_at`."""
        return (
            self.with_last_day()
            .filter(last_day__gte=clock.today())
            .annotate(begins_at=Coalesce("starts_at", dt.time()))
            .order_by("starts_on", "begins_at", "pk")
        )

    def next_of_series(self) -> Self:
        """Of an event that comes back only the next date; for `upcoming()`."""
        sooner = (
            Event.objects.published()
            .upcoming()
            .filter(series=OuterRef("series"), starts_on__lt=OuterRef("starts_on"))
        )
        return self.exclude(Exists(sooner))

    def between(self, first: dt.date, last: dt.date) -> Self:
        """What is on at some day from `first` to `last`."""
        return (
            self.with_last_day()
            .filter(starts_on__lte=last, last_day__gte=first)
            .order_by("starts_on", "starts_at", "pk")
        )

    def past(self) -> Self:
        return self.with_last_day().filter(last_day__lt=clock.today()).order_by("-starts_on", "-pk")

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
    series = models.UUIDField(
        _("series"), null=True, editable=False, db_index=True,
        help_text=_("Dates of the same event have the same."),
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

    times: "list[LocalTime]"  # this and the next: given by the pages that list events
    is_another_year: bool  # than the present one

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["starts_on", "starts_at", "pk"]
        indexes = [models.Index(fields=["status", "starts_on", "id"], name="event_in_order")]
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
        if self.slug in {"calendar", "national-days"}:
            raise ValidationError({"slug": _("This address belongs to a calendar of many days.")})
        check_days(self.starts_on, self.ends_on)
        if self.ends_at and not self.starts_at:
            raise ValidationError({"starts_at": _("An hour of ending needs an hour of beginning.")})
        same_day = not self.ends_on or self.ends_on == self.starts_on
        if self.starts_at and self.ends_at and same_day and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": _("It ends before it begins.")})

    @property
    def dates(self) -> EventQuerySet:
        """The other dates of an event that comes back, in their order."""
        dates = Event.objects.filter(series=self.series) if self.series else Event.objects.none()
        return dates.exclude(pk=self.pk).order_by("starts_on", "pk")

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

    @classmethod
    def from_card(cls, card: Card) -> "Event":
        """The event that a card tells of, for lists; its text, visit and city are not read."""
        return cls(
            pk=card.pk,
            slug=card.slug,
            title=card.title,
            native_title=card.native,
            native_language=card.language,
            summary=card.summary,
            starts_on=cast(dt.date, card.on),
            ends_on=card.until,
            starts_at=as_time(card.more["starts_at"]),
            ends_at=as_time(card.more["ends_at"]),
            time_zone=card.more["time_zone"],
            place=card.more["place"],
            is_online=card.more["is_online"],
        )

    def local_times(self, home: ZoneInfo, city: City | None) -> list["LocalTime"]:
        """Its hours at home, in `city`, and in its own zone where that is neither.

        Clocks that show the same are told once. Empty when it lasts all day.
        """
        if self.start is None:
            return []
        clocks: list[tuple[str, ZoneInfo]] = [("", home)]
        if city:
            clocks.append((city.name, ZoneInfo(city.time_zone)))
        if self.time_zone not in {zone.key for _name, zone in clocks}:
            town = self.time_zone.rpartition("/")[2].replace("_", " ")
            clocks.insert(0, (town, ZoneInfo(self.time_zone)))
        times: dict[str, LocalTime] = {}
        for place, zone in clocks:
            words = _hours(self.start.astimezone(zone), self.end and self.end.astimezone(zone))
            times.setdefault(words, LocalTime(place, words))
        return list(times.values())

    @property
    def public_city(self) -> City | None:
        """Its city, unless visitors may not know of that yet."""
        return self.city if self.city and self.city.is_public else None

    @property
    def is_over(self) -> bool:
        return (self.ends_on or self.starts_on) < clock.today()


@dataclass(frozen=True)
class LocalTime:
    """`words` on the clock of `place`, such as `Thu 6 p.m. to 8 p.m.`; no place means home."""

    place: str
    words: str


def _hours(start: dt.datetime, end: dt.datetime | None) -> str:
    first = f"{date_format(start, 'D')} {time_format(start, 'P')}"
    if end is None:
        return first
    last = time_format(end, "P")
    if end.date() != start.date():
        last = f"{date_format(end, 'D')} {last}"
    return _("%(first)s to %(last)s") % {"first": first, "last": last}
