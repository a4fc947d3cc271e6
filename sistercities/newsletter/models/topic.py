"""What a reader can choose to hear of: each city, events, stories of giving."""

from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

valid_colour = RegexValidator(r"^#[0-9a-f]{6}\Z", _("Write a color such as #7b2a4e."))


class TopicQuerySet(models.QuerySet):
    def offered(self) -> Self:
        """Those that readers can tick."""
        return self.filter(is_offered=True)


class Topic(models.Model):
    """A city's topic has the slug of the city, so what is told of it finds its readers.

    Its name in its own script, its flag and its colors dress what a letter tells of it; they are
    copied from the city each time a letter is drafted.
    """

    shown_on_pages = True

    slug = models.SlugField(
        _("short name"), max_length=80, unique=True,
        help_text=_("For a city the last part of its page's address, such as jinzhou."),
    )  # fmt: skip
    title = models.CharField(_("title"), max_length=120)
    description = models.CharField(
        _("in a few words"), max_length=200, blank=True,
        help_text=_("Stands beside the box to tick."),
    )  # fmt: skip
    order = models.PositiveSmallIntegerField(
        _("order"), default=0, help_text=_("Small numbers come first.")
    )
    is_offered = models.BooleanField(
        _("readers can choose it"), default=True,
        help_text=_("Who chose it before keeps it."),
    )  # fmt: skip

    native_title = models.CharField(
        _("title in its own script"), max_length=80, blank=True, default="", db_default=""
    )
    native_language = models.CharField(
        _("language of that title"), max_length=20, blank=True, default="", db_default=""
    )
    country = models.CharField(
        _("flag"), max_length=2, blank=True, default="", db_default="",
        validators=[RegexValidator(r"^[A-Z]{2}\Z")],
        help_text=_("Two letters of a country, such as CN."),
    )  # fmt: skip
    accent = models.CharField(
        _("color in letters"), max_length=7, blank=True, default="", db_default="",
        validators=[valid_colour],
    )  # fmt: skip
    accent_dark = models.CharField(
        _("color in dark letters"), max_length=7, blank=True, default="", db_default="",
        validators=[valid_colour],
    )  # fmt: skip

    objects = TopicQuerySet.as_manager()

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["order", "title"]

    def __str__(self) -> str:
        return self.title
