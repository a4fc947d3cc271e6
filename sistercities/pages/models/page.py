"""What stands alone: pages such as about and privacy, and the papers that we publish."""

from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cities.models import City
from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.pictures import Pictured
from sistercities.shared.publishing import Publishable, PublishableQuerySet
from sistercities.shared.richtext import RichTextField
from sistercities.shared.stored_files import KeepsFiles

TAKEN = {
    "admin", "cities", "visits", "galleries", "events", "news", "newsletter", "donate", "replies",
    "webhooks", "search", "documents", "healthz", "readyz", "static", "media", "share",
    "styleguide",
}  # fmt: skip
MORE_THAN_TEXT = {"contact", "board"}  # pages of staff under which the site puts something


class PageQuerySet(PublishableQuerySet):
    def for_address(self, slug: str, title: str) -> "Page":
        """The published page of one of `MORE_THAN_TEXT`, or an empty one with this title."""
        page: Page | None = self.published().filter(slug=slug).first()  # type: ignore[assignment]
        return page or Page(slug=slug, title=title)

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


class DocumentQuerySet(PublishableQuerySet):
    def published(self) -> Self:
        """Without the words of the PDF, which may be a whole book; they can still be asked for."""
        return super().published().defer("text")

    def unread(self) -> Self:
        """Whose words wait to be read."""
        return self.defer("text").filter(read_at=None).exclude(file="")

    def newest_first(self) -> Self:
        return self.order_by(F("year").desc(nulls_last=True), "title")

    def agreements(self) -> Self:
        return self.filter(kind=Document.Kind.AGREEMENT)

    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "document", slug="slug", title="title",
            more={"year": "year", "size_bytes": "size_bytes"},
        )  # fmt: skip


class Document(Publishable, KeepsFiles):
    """A paper that anyone may read, as a PDF. Posted here, nobody need be sent a copy (D30)."""

    class Kind(models.TextChoices):
        FORM_990 = "form_990", _("Form 990")
        EXEMPTION = "exemption", _("Tax exemption")
        REPORT = "report", _("Annual reports")
        MINUTES = "minutes", _("Minutes")
        AGREEMENT = "agreement", _("Agreements with our cities")
        POLICY = "policy", _("Bylaws and policies")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    title = models.CharField(
        _("title"), max_length=120,
        help_text=_("Without the year, such as: Form 990."),
    )  # fmt: skip
    year = models.PositiveSmallIntegerField(
        _("year"), null=True, blank=True,
        validators=[MinValueValidator(1950), MaxValueValidator(2200)],
        help_text=_("That it is about: for a Form 990 the tax year. Empty if it has none."),
    )  # fmt: skip
    city = models.ForeignKey(
        City, models.SET_NULL, null=True, blank=True, related_name="documents",
        verbose_name=_("city"),
        help_text=_("An agreement with a city is linked from the city's page."),
    )  # fmt: skip
    file = models.CharField(max_length=120, editable=False)
    size_bytes = models.PositiveIntegerField(_("size"), default=0, editable=False)
    text = models.TextField(default="", db_default="", blank=True, editable=False)
    read_at = models.DateTimeField(null=True, editable=False)
    read_problem = models.CharField(
        max_length=150, default="", db_default="", blank=True, editable=False
    )

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["kind", "-year", "title"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="form_990") | Q(year__isnull=False),
                name="form_990_has_a_year",
                violation_error_message=_("Which tax year is this Form 990 for?"),
            )
        ]

    def __str__(self) -> str:
        if self.year is None:
            return self.title
        return _("%(title)s for %(year)d") % {"title": self.title, "year": self.year}

    def get_absolute_url(self) -> str:
        return reverse("pages:document", args=[self.slug])

    def private_files(self) -> list[str]:
        return [self.file] if self.file else []

    @property
    def size(self) -> str:
        """Rounded up: `312 KB`, `1.3 MB`."""
        kilobytes = -(-self.size_bytes // 1024)
        if kilobytes < 1000:
            return f"{kilobytes} KB"
        tenths = -(-kilobytes * 10 // 1024)
        return f"{tenths // 10}.{tenths % 10} MB"
