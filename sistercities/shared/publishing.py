"""Draft, published, scheduled: one base for every public thing, and one question, `published()`."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from sistercities.shared import clock


class PublishableQuerySet(models.QuerySet):
    """For the models that inherit `Publishable`."""

    def published(self) -> Self:
        """What visitors may see at this moment. Public code starts here, never from `all()`."""
        return self.filter(status=Publishable.Status.PUBLISHED, publish_at__lte=clock.now())

    def first_few(self, count: int) -> Self:
        """The first `count` rows in the present order, in a form that `gather` can take."""
        return self.__class__(self.model).filter(pk__in=self.values("pk")[:count])


class Publishable(models.Model):
    """Something with a page of its own. A publish date in the future means: scheduled."""

    shown_on_pages = True
    turns_at = ("publish_at",)

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    slug = models.SlugField(
        _("address"),
        max_length=80,
        unique=True,
        help_text=_("The last part of the page's web address. Filled in from the title. "
                    "Links from elsewhere break when it changes."),
    )  # fmt: skip
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=Status,
        default=Status.DRAFT,
        help_text=_("Visitors see a page only when it is published."),
    )
    publish_at = models.DateTimeField(
        _("publish at"),
        default=clock.now,
        help_text=_("A published page appears at this moment. A date ahead schedules it."),
    )
    updated_at = models.DateTimeField(_("last changed"), auto_now=True)
    change_note = models.CharField(
        _("what changed"),
        max_length=200,
        blank=True,
        help_text=_("One line for readers, such as: Port figures for 2018 added."),
    )

    class Meta:
        abstract = True

    @property
    def is_public(self) -> bool:
        return self.status == self.Status.PUBLISHED and self.publish_at <= clock.now()

    @property
    def state(self) -> str:
        """The status as staff think of it: draft, scheduled or published."""
        if self.status == self.Status.DRAFT:
            return str(self.Status.DRAFT.label)
        return str(self.Status.PUBLISHED.label if self.is_public else _("Scheduled"))
