"""A month whose books are shut: its journal never changes again."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from donations.models.ledger import FinalModel, FinalQuerySet
from sistercities.shared import clock


class ClosedMonth(FinalModel):
    """Written once, when the books and the card processor agreed."""

    first_on = models.DateField(_("month"), unique=True, help_text=_("Its first day."))
    entries = models.PositiveIntegerField(_("ledger entries"))
    journal_sha256 = models.CharField(_("fingerprint of its journal"), max_length=64)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("closed by"),
    )  # fmt: skip
    closed_at = models.DateTimeField(_("closed"), default=clock.now)

    objects = FinalQuerySet.as_manager()

    class Meta:
        verbose_name = _("closed month")
        verbose_name_plural = _("closed months")
        ordering = ["-first_on"]
        constraints = [
            models.CheckConstraint(condition=Q(first_on__day=1), name="closed_month_begins_first")
        ]

    def __str__(self) -> str:
        return f"{self.first_on:%Y-%m}"
