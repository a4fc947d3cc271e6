"""Where facts and sentences come from."""

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, Q, When
from django.utils.translation import gettext_lazy as _


class SourceQuerySet(models.QuerySet):
    def cited_by(self, city) -> Self:
        """The sources of a city's facts, places, sections and honors."""
        return self.filter(
            Q(pk__in=city.facts.values("source"))
            | Q(pk__in=city.places.values("source"))
            | Q(pk__in=city.sections.values("source"))
            | Q(pk__in=city.honours.values("source"))
        ).order_by("publisher", "title", "pk")


def source_name(path: str = "source") -> Case:
    """For queries: what `Source.name` is, empty for a row without a source."""
    publisher, title = F(f"{path}__publisher"), F(f"{path}__title")
    return Case(When(**{f"{path}__publisher": ""}, then=title), default=publisher)


class Source(models.Model):
    """Where a fact or a sentence comes from."""

    shown_on_pages = True

    title = models.CharField(_("title"), max_length=200)
    publisher = models.CharField(_("publisher"), max_length=160, blank=True)
    url = models.URLField(_("web address"), blank=True, max_length=400)
    year = models.PositiveSmallIntegerField(
        _("year"), null=True, blank=True,
        validators=[MinValueValidator(1000), MaxValueValidator(2200)],
        help_text=_("When it was written or read."),
    )  # fmt: skip

    objects = SourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title

    @property
    def name(self) -> str:
        """Short, for where it is cited: who says so."""
        return self.publisher or self.title
