"""Pages that stand alone: about, contact, privacy and what else staff write."""

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.pictures import Pictured
from sistercities.shared.publishing import Publishable, PublishableQuerySet
from sistercities.shared.richtext import RichTextField

TAKEN = {
    "admin", "cities", "visits", "galleries", "events", "news", "newsletter", "donate",
    "webhooks", "search", "healthz", "readyz", "static", "media", "styleguide",
}  # fmt: skip


class PageQuerySet(PublishableQuerySet):
    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "page", slug="slug", title="title", summary="lede", rank="order",
            more={"menu": "menu"}, **picture_columns(),
        )  # fmt: skip


class Page(Publishable, Pictured):
    class Menu(models.TextChoices):
        TAKE_PART = "take_part", _("Take part")
        ABOUT = "about", _("About")
        NOWHERE = "", _("nowhere")

    title = models.CharField(_("title"), max_length=120)
    lede = models.TextField(
        _("lede"), max_length=300, blank=True, help_text=_("One or two sentences under the title.")
    )
    body = RichTextField(_("text"))
    menu = models.CharField(
        _("listed under"), max_length=10, choices=Menu, default=Menu.ABOUT, blank=True,
        help_text=_("Where the footer lists it. The front page shows the first ways to take part."),
    )  # fmt: skip
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    objects = PageQuerySet.as_manager()

    class Meta:
        verbose_name = _("page")
        verbose_name_plural = _("pages")
        ordering = ["order", "title"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("pages:page", args=[self.slug])

    def clean(self):
        super().clean()
        if self.slug in TAKEN:
            raise ValidationError({"slug": _("This address belongs to a part of the site.")})
