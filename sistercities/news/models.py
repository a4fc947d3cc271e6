"""Our news, and headlines from the wider community."""

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cities.models import City, Source
from exchanges.models import Visit
from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.pictures import Pictured
from sistercities.shared.publishing import Publishable, PublishableQuerySet, TakesReplies
from sistercities.shared.richtext import RichTextField


class ArticleQuerySet(PublishableQuerySet):
    def newest(self):
        return self.order_by("-publish_at", "-pk")

    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "article", slug="slug", title="headline", summary="lead",
            on="publish_at__date", **picture_columns(), more={"section": "section"},
        )  # fmt: skip


class Article(Publishable, Pictured, TakesReplies):
    class Section(models.TextChoices):
        EXCHANGES = "exchanges", _("Exchanges")
        COMMUNITY = "community", _("Community")
        ORGANISATION = "organisation", _("From the organization")
        WORLD = "world", _("Sister cities elsewhere")

    section = models.CharField(
        _("section"), max_length=12, choices=Section, default=Section.EXCHANGES
    )
    headline = models.CharField(_("headline"), max_length=140)
    lead = models.TextField(
        _("lead"), max_length=400, help_text=_("The first sentences: who, what, where, when.")
    )
    body = RichTextField(_("text"))
    cities = models.ManyToManyField(
        City, blank=True, related_name="articles", verbose_name=_("cities")
    )
    visit = models.ForeignKey(
        Visit, models.SET_NULL, null=True, blank=True, related_name="articles",
        verbose_name=_("visit"),
    )  # fmt: skip
    source = models.ForeignKey(
        Source, models.SET_NULL, null=True, blank=True, verbose_name=_("source"), related_name="+"
    )
    updated_on = models.DateField(
        _("updated on"), null=True, blank=True,
        help_text=_("The day of the last change that readers should know of. "
                    "Say in one line what changed."),
    )  # fmt: skip

    objects = ArticleQuerySet.as_manager()

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering = ["-publish_at", "-pk"]
        indexes = [
            models.Index(fields=["status", "publish_at", "id"], name="article_newest"),
        ]

    def __str__(self) -> str:
        return self.headline

    def get_absolute_url(self) -> str:
        return reverse("news:detail", args=[self.slug])

    def clean(self):
        super().clean()
        if self.slug == "feed":
            raise ValidationError({"slug": _("This address belongs to the news feed.")})
        if self.updated_on and not self.change_note:
            raise ValidationError({"change_note": _("Say in one line what changed.")})


class FeedSourceQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "feed", title="title", rank="order",
            more={"items": "items", "url": "site_url", "fetched_at": "fetched_at"},
        )  # fmt: skip


class FeedSource(models.Model):
    """A feed of somebody else's headlines. `items` is what we last could read, cleaned:
    a list of {"title", "url", "published"} (ISO 8601, may be empty), newest first.
    """

    shown_on_pages = True

    title = models.CharField(_("title"), max_length=120)
    url = models.URLField(
        _("address of the feed"), max_length=400, unique=True,
        validators=[URLValidator(schemes=["http", "https"])],
    )  # fmt: skip
    site_url = models.URLField(_("address of the site"), max_length=400, blank=True)
    is_active = models.BooleanField(_("shown"), default=True)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    items = models.JSONField(default=list, editable=False)
    fetched_at = models.DateTimeField(_("last read"), null=True, editable=False)
    tried_at = models.DateTimeField(_("last tried"), null=True, editable=False)
    last_error = models.CharField(_("last error"), max_length=200, blank=True, editable=False)

    objects = FeedSourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("outside feed")
        verbose_name_plural = _("outside feeds")
        ordering = ["order", "title"]

    def __str__(self) -> str:
        return self.title
