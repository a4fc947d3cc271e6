"""Draft, published, scheduled: one base for every public thing, and one question, `published()`."""

from typing import Any, Self, cast

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from sistercities.shared import clock
from sistercities.shared.redirects import Redirect


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
                    "When it changes, the old address leads to the new one."),
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

    _public_slug = ""  # under which visitors found it when it was read

    @classmethod
    def from_db(cls, db: Any, field_names: Any, values: Any, **kwargs: Any) -> Self:
        row = super().from_db(db, field_names, values, **kwargs)
        if {"slug", "status", "publish_at"} <= row.__dict__.keys() and row.is_public:
            row._public_slug = row.slug
        return row

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Where a page is published under another address, the old one leads here from now on."""
        if self._public_slug in ("", self.slug):
            super().save(*args, **kwargs)
            return
        with transaction.atomic():
            super().save(*args, **kwargs)
            Redirect.objects.record(
                old=self._address_with(self._public_slug), new=self._address_with(self.slug)
            )
        self._public_slug = self.slug

    def _address_with(self, slug: str) -> str:
        page = cast(Any, self)
        present, self.slug = self.slug, slug
        try:
            return page.get_absolute_url()
        finally:
            self.slug = present

    @property
    def is_public(self) -> bool:
        return self.status == self.Status.PUBLISHED and self.publish_at <= clock.now()

    @property
    def state(self) -> str:
        """The status as staff think of it: draft, scheduled or published."""
        if self.status == self.Status.DRAFT:
            return str(self.Status.DRAFT.label)
        return str(self.Status.PUBLISHED.label if self.is_public else _("Scheduled"))


class TakesReplies(models.Model):
    """A page under which readers may write, until staff close it."""

    takes_replies = models.BooleanField(
        _("takes replies"),
        default=True,
        db_default=True,
        help_text=_("Readers may leave a reply; you read it before anybody sees it. Without the "
                    "tick what is published stays and nothing new is taken."),
    )  # fmt: skip

    class Meta:
        abstract = True
