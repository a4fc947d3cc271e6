"""A fact is a value, its unit, the time it held and who says so; never bare text."""

from decimal import Decimal
from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cities.models.city import City
from cities.models.source import Source
from cities.units import CURRENCIES, UNITS, in_base, in_other, unit_choices


class Measure(models.Model):
    """What a fact measures. Two facts of one city with the same measure are compared."""

    shown_on_pages = True

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

    shown_on_pages = True

    city = models.ForeignKey(City, models.CASCADE, related_name="facts")
    measure = models.ForeignKey(Measure, models.PROTECT, verbose_name=_("measure"))
    detail = models.CharField(
        _("of what exactly"), max_length=80, blank=True,
        help_text=_("Such as: city proper. Facts are compared only where this is the same."),
    )  # fmt: skip
    qualifier = models.CharField(
        _("word before the number"), max_length=30, blank=True,
        help_text=_("Understood are: about, some, nearly, just over, over, more than, at least, "
                    "up to, less than, names. Facts with other words are compared only with "
                    "facts that have the same words."),
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
