"""The short rows of a city's page: sections, honors, people, partners, districts."""

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from cities.models.city import City
from cities.models.cooperation import CooperationField, in_words
from cities.models.source import Source, source_name
from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.pictures import Pictured
from sistercities.shared.richtext import RichTextField


class Ordered(models.Model):
    """A row of a city's page, in the order that staff give it."""

    shown_on_pages = True

    order = models.PositiveSmallIntegerField(
        _("order"), default=0, help_text=_("Small numbers come first.")
    )
    source = models.ForeignKey(
        Source, models.PROTECT, null=True, blank=True, verbose_name=_("source"), related_name="+"
    )

    class Meta:
        abstract = True
        ordering = ["order", "pk"]


class SectionQuerySet(models.QuerySet):
    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "section", title="heading", summary="body", rank="order", **picture_columns(),
            more={
                "caption": "picture_caption", "credit": "picture_credit", "source": source_name(),
            },
        )  # fmt: skip


class Section(Ordered, Pictured):
    city = models.ForeignKey(City, models.CASCADE, related_name="sections")
    heading = models.CharField(_("heading"), max_length=100)
    body = RichTextField(_("text"))

    objects = SectionQuerySet.as_manager()

    class Meta(Ordered.Meta):
        verbose_name = _("section")
        verbose_name_plural = _("sections")

    def __str__(self) -> str:
        return self.heading


class HonourQuerySet(models.QuerySet):
    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "honour", title="title", rank="order",
            more={"year": "year", "giver": "giver", "source": source_name()},
        )  # fmt: skip


class Honour(Ordered):
    city = models.ForeignKey(City, models.CASCADE, related_name="honours")
    year = models.SmallIntegerField(
        _("year"), null=True, blank=True,
        validators=[MinValueValidator(-3000), MaxValueValidator(2200)],
    )  # fmt: skip
    title = models.CharField(_("title"), max_length=160)
    giver = models.CharField(_("given by"), max_length=160, blank=True)

    objects = HonourQuerySet.as_manager()

    class Meta(Ordered.Meta):
        verbose_name = _("honor")
        verbose_name_plural = _("honors")

    def __str__(self) -> str:
        return self.title


class PersonQuerySet(models.QuerySet):
    def named(self) -> Self:
        """Whom visitors may read about: people in public, and contacts who agreed."""
        return self.exclude(role=Person.Role.CONTACT, agreed_to_be_named=False)

    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "person", title="name", native="native_name", summary="known_for", rank="order"
        )  # fmt: skip


class Person(Ordered):
    """Somebody of the city: known to all, in office, or a contact of ours who agreed."""

    class Role(models.TextChoices):
        NOTABLE = "notable", _("Well known")
        OFFICE = "office", _("In public office")
        CONTACT = "contact", _("Our contact")

    city = models.ForeignKey(City, models.CASCADE, related_name="people")
    role = models.CharField(
        _("who it is"), max_length=10, choices=Role, default=Role.NOTABLE,
        db_default=Role.NOTABLE.value,
    )  # fmt: skip
    name = models.CharField(_("name"), max_length=100)
    native_name = models.CharField(_("name in its own script"), max_length=100, blank=True)
    known_for = models.CharField(
        _("known for"), max_length=160,
        help_text=_("Or the office or task: Writer. Mayor since 2021. Writes our letters."),
    )  # fmt: skip
    agreed_to_be_named = models.BooleanField(
        _("agreed to be named"), default=False, db_default=False,
        help_text=_("For contacts: tick only when this person said yes. Without it the name "
                    "stays in the admin."),
    )  # fmt: skip

    objects = PersonQuerySet.as_manager()

    class Meta(Ordered.Meta):
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name


class PartnerQuerySet(models.QuerySet):
    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "partner", title="name", native="native_name", summary="text", rank="order",
            more={"url": "url"}, **picture_columns(),
        )  # fmt: skip


class Partner(Ordered, Pictured):
    """An organisation that works with us for this city; its picture is the logo."""

    city = models.ForeignKey(City, models.CASCADE, related_name="partner_organisations")
    name = models.CharField(_("name"), max_length=120)
    native_name = models.CharField(_("name in its own script"), max_length=120, blank=True)
    text = models.CharField(_("what we do together"), max_length=250, blank=True)
    url = models.URLField(_("web address"), blank=True)

    objects = PartnerQuerySet.as_manager()

    class Meta(Ordered.Meta):
        verbose_name = _("partner organization")
        verbose_name_plural = _("partner organizations")

    def __str__(self) -> str:
        return self.name


class DistrictLinkQuerySet(models.QuerySet):
    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "district", title="district", summary="note", rank="order",
            more={"town": "town", "country": "country", "since": "since_year"},
        )  # fmt: skip


class DistrictLink(Ordered):
    """A district of the city that has a tie of its own with a town abroad."""

    city = models.ForeignKey(City, models.CASCADE, related_name="district_links")
    district = models.CharField(_("district"), max_length=80)
    town = models.CharField(_("town abroad"), max_length=80)
    country = CountryField(_("country"))
    since_year = models.PositiveSmallIntegerField(
        _("since"), null=True, blank=True,
        validators=[MinValueValidator(1900), MaxValueValidator(2200)],
    )  # fmt: skip
    note = models.CharField(_("what for"), max_length=200, blank=True)
    cooperation = CooperationField(
        _("fields of cooperation"), default=list, db_default=[], blank=True
    )
    latitude = models.DecimalField(
        _("latitude of the town"), max_digits=8, decimal_places=5, null=True, blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
        help_text=_("For the map of your own city’s links; leave both empty if you do not know."),
    )  # fmt: skip
    longitude = models.DecimalField(
        _("longitude of the town"), max_digits=8, decimal_places=5, null=True, blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )  # fmt: skip

    objects = DistrictLinkQuerySet.as_manager()

    class Meta(Ordered.Meta):
        verbose_name = _("district link")
        verbose_name_plural = _("district links")

    def __str__(self) -> str:
        return f"{self.district} – {self.town}"

    @property
    def fields(self) -> list[str]:
        """The fields of cooperation in words."""
        return in_words(self.cooperation)
