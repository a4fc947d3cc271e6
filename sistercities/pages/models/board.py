"""Who runs the organisation: only people who agreed to stand on the site."""

from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sistercities.shared import clock
from sistercities.shared.pictures import Pictured

YEAR = (MinValueValidator(1950), MaxValueValidator(2200))


class BoardMemberQuerySet(models.QuerySet):
    def shown(self) -> Self:
        """Who agreed and is in office; the last year of a term counts to its end."""
        in_office = Q(until=None) | Q(until__gte=clock.today().year)
        return self.filter(in_office, agreed_to_be_named=True)


class BoardMember(Pictured):
    name = models.CharField(_("name"), max_length=120)
    role = models.CharField(
        _("role"), max_length=80, blank=True, help_text=_("Such as President or Treasurer.")
    )
    about = models.TextField(
        _("about"), max_length=300, blank=True,
        help_text=_("A sentence or two in this person's own words."),
    )  # fmt: skip
    since = models.PositiveSmallIntegerField(
        _("since"), null=True, blank=True, validators=YEAR, help_text=_("The year.")
    )
    until = models.PositiveSmallIntegerField(
        _("until"), null=True, blank=True, validators=YEAR,
        help_text=_("The last year of the term. After it the person is not shown any more."),
    )  # fmt: skip
    agreed_to_be_named = models.BooleanField(
        _("agreed to be named"), default=False,
        help_text=_("Only with this tick does the person stand on the site."),
    )  # fmt: skip
    agreed_to_picture = models.BooleanField(
        _("agreed to the picture"), default=False,
        help_text=_("A picture needs its own yes."),
    )  # fmt: skip
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    objects = BoardMemberQuerySet.as_manager()

    class Meta:
        verbose_name = _("board member")
        verbose_name_plural = _("board")
        ordering = ["order", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(picture="", picture_original="") | Q(agreed_to_picture=True),
                name="board_picture_is_agreed_to",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("pages:board")

    def clean(self):
        super().clean()
        has_picture = (self.picture or self.picture_original) and not self.picture_is_cleared
        if has_picture and not self.agreed_to_picture:
            reason = _("Did this person agree to the picture? If not, clear it.")
            raise ValidationError({"agreed_to_picture": reason})
        if self.since and self.until and self.until < self.since:
            raise ValidationError({"until": _("The term ends before it begins.")})
