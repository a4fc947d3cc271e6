"""What counts as a token of thanks in a year: the IRS changes the figures each year."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TokenLimit(models.Model):
    """The safe harbor of one year, from the IRS's yearly notice (giving.md D11).

    Something in return is a token where it is worth at most `percent` of the gift and at most
    `value_cents`. Cents of US dollars.
    """

    year = models.PositiveSmallIntegerField(_("year"), unique=True)
    percent = models.PositiveSmallIntegerField(_("percent of the gift"), default=2)
    value_cents = models.BigIntegerField(
        _("and at most"), help_text=_("In dollars, from the yearly notice of the IRS.")
    )
    source = models.CharField(
        _("source"), max_length=160, help_text=_("Which notice, such as: Rev. Proc. 2013-35.")
    )

    class Meta:
        verbose_name = _("token of thanks")
        verbose_name_plural = _("tokens of thanks: figures of the IRS")
        ordering = ["-year"]
        constraints = [
            models.CheckConstraint(
                condition=Q(value_cents__gt=0), name="token_value_above_zero",
                violation_error_message=_("A value is more than zero."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return str(self.year)

    def covers(self, *, gift_cents: int, value_cents: int) -> bool:
        """Whether a thing of this worth is a token beside a gift of this size."""
        return value_cents <= self.value_cents and value_cents * 100 <= gift_cents * self.percent
