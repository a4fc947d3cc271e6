"""A city and what is known about it. Knows nobody: visits, news and gifts point here."""

from decimal import Decimal
from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Concat
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from cities.colours import check_accents
from cities.units import CURRENCIES, UNITS, in_base, in_other, unit_choices
from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.images import Pictured
from sistercities.shared.models import time_zone_choices, validate_time_zone
from sistercities.shared.publishing import Publishable, PublishableQuerySet
from sistercities.shared.richtext import RichTextField

valid_language = RegexValidator(
    r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
    _("Write a language code such as zh-Hans, kk, ga or en."),
)
valid_season_day = RegexValidator(
    r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", _("Write month and day as 04-10.")
)


class Source(models.Model):
    """Where a fact or a sentence comes from. Shown by its `number` on the page."""

    number: int  # set by the page that shows it

    title = models.CharField(_("title"), max_length=200)
    publisher = models.CharField(_("publisher"), max_length=160, blank=True)
    url = models.URLField(_("web address"), blank=True, max_length=400)
    year = models.PositiveSmallIntegerField(
        _("year"), null=True, blank=True,
        validators=[MinValueValidator(1000), MaxValueValidator(2200)],
        help_text=_("When it was written or read."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title


class CityQuerySet(PublishableQuerySet):
    def partners(self) -> Self:
        """Every city but home, in the order of the site's menus."""
        return self.exclude(relationship=City.Relationship.HOME).order_by("name")

    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "city", slug="slug", title="name", native="native_name",
            language="native_language", summary="summary", **picture_columns(),
            more={
                "relationship": "relationship", "country": "country", "region": "region",
                "time_zone": "time_zone", "latitude": "latitude", "longitude": "longitude",
                "accents": Concat(
                    "accent", "accent_line", "accent_dark", "accent_line_dark"
                ),
            },
        )  # fmt: skip


class City(Publishable, Pictured):
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
        _("accent on light pages"), max_length=7, default="#1a4f4b",
        help_text=_("From the city's life, not its flag. Checked so that words in it can be read."),
    )  # fmt: skip
    accent_line = models.CharField(_("second accent, for lines"), max_length=7, default="#a8761a")
    accent_dark = models.CharField(_("accent on dark pages"), max_length=7, default="#8fd0c6")
    accent_line_dark = models.CharField(
        _("second accent, for lines on dark pages"), max_length=7, default="#dcb25a"
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

    def get_absolute_url(self) -> str:
        return reverse("cities:detail", args=[self.slug])

    def clean(self):
        super().clean()
        if self.native_name and not self.native_language:
            raise ValidationError(
                {"native_language": _("Which language is the name in its own script?")}
            )
        check_accents(
            {
                field: getattr(self, field)
                for field in ("accent", "accent_line", "accent_dark", "accent_line_dark")
            }
        )

    @property
    def is_home(self) -> bool:
        return self.relationship == self.Relationship.HOME


class Ordered(models.Model):
    """A row of a city's page, in the order that staff give it."""

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
            more={"caption": "picture_caption", "credit": "picture_credit", "source": "source_id"},
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


class Measure(models.Model):
    """What a fact measures. Two facts of one city with the same measure are compared."""

    name = models.CharField(
        _("name"), max_length=80, unique=True, help_text=_("Such as Population.")
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("measure")
        verbose_name_plural = _("measures")
        ordering = ["order", "name"]

    def __str__(self) -> str:
        return self.name


class FactQuerySet(models.QuerySet):
    def for_page(self) -> Self:
        return self.select_related("measure", "source").order_by(
            "measure__order", "measure__name", "detail",
            F("as_of_year").asc(nulls_last=True), "pk",
        )  # fmt: skip


class Fact(models.Model):
    """A value, its unit, the time it held, and who says so."""

    city = models.ForeignKey(City, models.CASCADE, related_name="facts")
    measure = models.ForeignKey(Measure, models.PROTECT, verbose_name=_("measure"))
    detail = models.CharField(
        _("of what exactly"), max_length=80, blank=True,
        help_text=_("Such as: city proper. Facts are compared only where this is the same."),
    )  # fmt: skip
    qualifier = models.CharField(
        _("word before the number"), max_length=30, blank=True,
        help_text=_("Such as: about, more than, just over."),
    )  # fmt: skip
    value = models.DecimalField(_("value"), max_digits=20, decimal_places=4)
    unit = models.CharField(_("unit"), max_length=10, blank=True, choices=unit_choices)
    paired_value = models.DecimalField(
        _("in the other currency"), max_digits=20, decimal_places=4, null=True, blank=True,
        help_text=_("For money: the amount as the source gives it, never converted by us."),
    )  # fmt: skip
    paired_unit = models.CharField(
        _("other currency"), max_length=10, blank=True, choices=unit_choices
    )
    exchange_rate = models.DecimalField(
        _("rate used"), max_digits=12, decimal_places=4, null=True, blank=True,
        help_text=_("How much of the first currency the source counts for one of the other."),
    )  # fmt: skip
    as_of_year = models.SmallIntegerField(
        _("year"), null=True, blank=True,
        validators=[MinValueValidator(-3000), MaxValueValidator(2200)],
        help_text=_("The year in which it was so. Leave empty if the source does not say."),
    )  # fmt: skip
    as_of_date = models.DateField(_("exact day"), null=True, blank=True)
    source = models.ForeignKey(
        Source, models.PROTECT, verbose_name=_("source"), related_name="facts"
    )

    objects = FactQuerySet.as_manager()

    class Meta:
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        ordering = ["measure__order", "measure__name", "detail", "as_of_year", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(paired_value=None, paired_unit="")
                | (Q(paired_value__isnull=False) & ~Q(paired_unit="")),
                name="fact_second_currency_is_whole",
                violation_error_message=_("Give the amount and the currency, or neither."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.measure}: {self.value.normalize():f} {UNITS[self.unit].label}".strip()

    def clean(self):
        super().clean()
        if self.unit in CURRENCIES and (self.paired_value is None or not self.exchange_rate):
            raise ValidationError(
                {"paired_value": _("Money needs both currencies and the rate that was used.")}
            )
        if self.as_of_date:
            if self.as_of_year and self.as_of_year != self.as_of_date.year:
                raise ValidationError({"as_of_date": _("The day lies in another year.")})
            self.as_of_year = self.as_of_date.year

    @property
    def key(self) -> tuple[int, str]:
        """Facts with the same key say something about the same thing."""
        return self.measure_id, self.detail

    @property
    def comparable(self) -> tuple[str, Decimal]:
        return in_base(self.value, self.unit)

    @property
    def unit_label(self) -> str:
        return str(UNITS[self.unit].label)

    @property
    def paired_unit_label(self) -> str:
        return str(UNITS[self.paired_unit].label)

    @property
    def other_unit(self) -> tuple[Decimal, str] | None:
        """The same in the reader's other unit: (value, label), or None."""
        other = in_other(self.value, self.unit)
        return (other[0], str(UNITS[other[1]].label)) if other else None


class Place(Ordered, Pictured):
    """Somewhere to go: a sight, a market with its season and hours."""

    class Kind(models.TextChoices):
        SIGHT = "sight", _("Sight")
        MARKET = "market", _("Market")
        NATURE = "nature", _("Nature")
        MUSEUM = "museum", _("Museum")
        TEMPLE = "temple", _("Temple or church")

    city = models.ForeignKey(City, models.CASCADE, related_name="places")
    name = models.CharField(_("name"), max_length=100)
    native_name = models.CharField(_("name in its own script"), max_length=100, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SIGHT)
    text = models.TextField(_("text"), max_length=600)
    season_from = models.CharField(
        _("season from"), max_length=5, blank=True, validators=[valid_season_day],
        help_text=_("Month and day, such as 04-10. Empty: all year."),
    )  # fmt: skip
    season_until = models.CharField(
        _("season until"), max_length=5, blank=True, validators=[valid_season_day]
    )
    opens_at = models.TimeField(_("opens at"), null=True, blank=True)
    closes_at = models.TimeField(_("closes at"), null=True, blank=True)
    price_from = models.PositiveIntegerField(_("price from"), null=True, blank=True)
    price_until = models.PositiveIntegerField(_("price until"), null=True, blank=True)
    price_currency = models.CharField(
        _("currency"), max_length=3, blank=True, choices=[(c, c) for c in sorted(CURRENCIES)]
    )

    class Meta(Ordered.Meta):
        verbose_name = _("place")
        verbose_name_plural = _("places")
        constraints = [
            models.CheckConstraint(
                condition=Q(price_from=None) | Q(price_until=None)
                | Q(price_until__gte=F("price_from")),
                name="place_prices_rise",
                violation_error_message=_("The higher price comes second."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def clean(self):
        super().clean()
        if bool(self.season_from) != bool(self.season_until):
            raise ValidationError({"season_until": _("A season has a first and a last day.")})
        if (self.opens_at is None) != (self.closes_at is None):
            raise ValidationError({"closes_at": _("Give both hours, or neither.")})
        if (self.price_from is not None or self.price_until is not None) and not (
            self.price_currency
        ):
            raise ValidationError({"price_currency": _("In which currency?")})

    @property
    def price_unit(self) -> str:
        return str(UNITS[self.price_currency].label) if self.price_currency else ""


class HonourQuerySet(models.QuerySet):
    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "honour", title="title", rank="order",
            more={"year": "year", "giver": "giver", "source": "source_id"},
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
    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "person", title="name", native="native_name", summary="known_for", rank="order",
            more={"source": "source_id"},
        )  # fmt: skip


class Person(Ordered):
    """A well-known person of the city; never a private one."""

    city = models.ForeignKey(City, models.CASCADE, related_name="people")
    name = models.CharField(_("name"), max_length=100)
    native_name = models.CharField(_("name in its own script"), max_length=100, blank=True)
    known_for = models.CharField(_("known for"), max_length=160)

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

    objects = DistrictLinkQuerySet.as_manager()

    class Meta(Ordered.Meta):
        verbose_name = _("district link")
        verbose_name_plural = _("district links")

    def __str__(self) -> str:
        return f"{self.district} – {self.town}"
