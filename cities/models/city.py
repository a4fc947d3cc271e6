"""A city. Knows nobody: visits, news and gifts point here."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_countries import countries
from django_countries.fields import CountryField

from cities.colours import check_accents
from cities.models.cooperation import CooperationField, in_words
from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.linked_data import of_page
from sistercities.shared.models import time_zone_choices, validate_time_zone
from sistercities.shared.pictures import Pictured
from sistercities.shared.publishing import Publishable, PublishableQuerySet, TakesReplies
from sistercities.shared.richtext import RichTextField

valid_language = RegexValidator(
    r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
    _("Write a language code such as zh-Hans, kk, ga or en."),
)


# By field, and what a city has that was given none: those of home.
COLOURS = {
    "accent": "#1a4f4b", "accent_line": "#a8761a", "accent_dark": "#8fd0c6",
    "accent_line_dark": "#dcb25a",
}  # fmt: skip


class CityQuerySet(PublishableQuerySet):
    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "city", slug="slug", title="name", native="native_name",
            language="native_language", summary="summary", **picture_columns(),
            more={
                "relationship": "relationship", "country": "country", "region": "region",
                "time_zone": "time_zone", "latitude": "latitude", "longitude": "longitude",
            },
        )  # fmt: skip


class City(Publishable, Pictured, TakesReplies):
    class Relationship(models.TextChoices):
        HOME = "home", _("Home")
        SISTER = "sister", _("Sister city")
        FRIENDSHIP = "friendship", _("Friendship city")
        EMERITUS = "emeritus", _("Former sister city")

    name = models.CharField(_("name"), max_length=80)
    native_name = models.CharField(
        _("name in its own script"), max_length=80, blank=True, help_text=_("Such as 锦州.")
    )
    native_language = models.CharField(
        _("language of that name"), max_length=20, blank=True, validators=[valid_language],
        help_text=_("A code: zh-Hans, kk, ga. Screen readers and fonts need it."),
    )  # fmt: skip
    other_names = models.CharField(
        _("other spellings"), max_length=200, blank=True,
        help_text=_("For search, with commas between: Qyzylorda, Kzyl-Orda."),
    )  # fmt: skip
    relationship = models.CharField(
        _("relationship"), max_length=10, choices=Relationship, default=Relationship.SISTER
    )
    signed_on = models.DateField(
        _("agreement signed on"), null=True, blank=True,
        help_text=_("Leave empty while the day is not on file."),
    )  # fmt: skip
    cooperation = CooperationField(
        _("fields of cooperation"), default=list, db_default=[], blank=True,
        help_text=_("What you do together. Visitors find the city by them on the page of cities."),
    )  # fmt: skip
    signed_by = models.CharField(
        _("signed by"), max_length=200, blank=True, default="", db_default="",
        help_text=_("In words, such as: the mayors Ann Lee and Li Wei. Only people in office. "
                    "The scan goes to Documents, as an agreement with this city."),
    )  # fmt: skip
    country = CountryField(_("country"))
    region = models.CharField(_("state or province"), max_length=80, blank=True)
    latitude = models.DecimalField(
        _("latitude"), max_digits=8, decimal_places=5,
        validators=[
            MinValueValidator(-90, _("A latitude lies between -90 and 90.")),
            MaxValueValidator(90, _("A latitude lies between -90 and 90.")),
        ],
        help_text=_("In degrees, north of the equator positive: 41.11."),
    )  # fmt: skip
    longitude = models.DecimalField(
        _("longitude"), max_digits=8, decimal_places=5,
        validators=[
            MinValueValidator(-180, _("A longitude lies between -180 and 180.")),
            MaxValueValidator(180, _("A longitude lies between -180 and 180.")),
        ],
        help_text=_("In degrees, east of Greenwich positive: 121.14."),
    )  # fmt: skip
    time_zone = models.CharField(
        _("time zone"), max_length=64, choices=time_zone_choices, validators=[validate_time_zone]
    )
    postal_address = models.CharField(_("postal address"), max_length=200, blank=True)
    summary = models.TextField(
        _("summary"), max_length=300,
        help_text=_("One or two sentences under the name. They also stand in search results."),
    )  # fmt: skip
    partnership = RichTextField(
        _("partnership"), help_text=_("How it began and what it means today.")
    )
    accent = models.CharField(
        _("accent on light pages"), max_length=7, default=COLOURS["accent"],
        help_text=_("From the city's life, not its flag. Checked so that words in it can be read."),
    )  # fmt: skip
    accent_line = models.CharField(
        _("second accent, for lines"), max_length=7, default=COLOURS["accent_line"]
    )
    accent_dark = models.CharField(
        _("accent on dark pages"), max_length=7, default=COLOURS["accent_dark"]
    )
    accent_line_dark = models.CharField(
        _("second accent, for lines on dark pages"),
        max_length=7,
        default=COLOURS["accent_line_dark"],
    )

    objects = CityQuerySet.as_manager()

    class Meta:
        verbose_name = _("city")
        verbose_name_plural = _("cities")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["relationship"], condition=Q(relationship="home"), name="one_home_city",
                violation_error_message=_("There is a home city already."),
            ),
            models.CheckConstraint(
                condition=Q(latitude__range=(-90, 90)) & Q(longitude__range=(-180, 180)),
                name="city_is_on_earth",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def linked_data(self) -> dict[str, Any]:
        """What search engines read of it (schema.org `City`)."""
        names = [self.native_name, *self.other_names.split(",")]
        geo = {
            "@type": "GeoCoordinates",
            "latitude": float(self.latitude),
            "longitude": float(self.longitude),
        }
        region = {"@type": "AdministrativeArea", "name": self.region} if self.region else None
        country = {"@type": "Country", "name": countries.name(str(self.country))}
        return of_page(
            self, "City", self.name, self.summary,
            alternateName=[name.strip() for name in names if name.strip()],
            geo=geo,
            containedInPlace=[place for place in (region, country) if place],
        )  # fmt: skip

    def get_absolute_url(self) -> str:
        return reverse("cities:detail", args=[self.slug])

    def clean(self):
        super().clean()
        if self.native_name and not self.native_language:
            raise ValidationError(
                {"native_language": _("Which language is the name in its own script?")}
            )
        check_accents(self.colours)

    @property
    def fields(self) -> list[str]:
        """The fields of cooperation in words."""
        return in_words(self.cooperation)

    @property
    def colours(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in COLOURS}

    @property
    def is_home(self) -> bool:
        return self.relationship == self.Relationship.HOME

    @property
    def is_former(self) -> bool:
        return self.relationship == self.Relationship.EMERITUS
