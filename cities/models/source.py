"""Where facts and sentences come from."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Source(models.Model):
    """Where a fact or a sentence comes from. Shown by its `number` on the page."""

    shown_on_pages = True

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
