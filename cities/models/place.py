"""Places of a city, with season, hours and prices."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from cities.models.city import City
from cities.models.parts import Ordered
from cities.units import CURRENCIES, UNITS
from sistercities.shared.pictures import Pictured

valid_season_day = RegexValidator(
    r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z", _("Write month and day as 04-10.")
)


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
