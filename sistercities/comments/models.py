"""What readers wrote under a city, a visit or an article. Held until a person has read it."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from cities.models import City
from exchanges.models import Visit
from sistercities.news.models import Article
from sistercities.shared import clock
from sistercities.shared.cards import as_cards

ON_PAGE = 50
Subject = City | Visit | Article
# Field of the row, which is also the name of the pattern: the model that it points at.
SUBJECTS: dict[str, type[City] | type[Visit] | type[Article]] = {
    "city": City, "visit": Visit, "article": Article,
}  # fmt: skip


class CommentQuerySet(models.QuerySet):
    def published(self) -> Self:
        """What visitors may see. Public code starts here."""
        return self.filter(state=Comment.State.PUBLISHED)

    def newest(self) -> Self:
        return self.order_by("-pk")

    def page(self, *, before: int | None = None) -> Self:
        """The newest that one page shows, and one more, which says that there are older ones."""
        rows = self.filter(pk__lt=before) if before else self
        newest = rows.newest().values("pk")[: ON_PAGE + 1]
        return self.__class__(self.model).filter(pk__in=newest)

    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "comment", title="name", summary="text", on="written_at__date",
            more={"answer": "answer"},
        )  # fmt: skip


class Comment(models.Model):
    shown_on_pages = ("state", "name", "text", "answer")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        PUBLISHED = "published", _("Published")
        REJECTED = "rejected", _("Rejected")

    city = models.ForeignKey(
        City, models.CASCADE, null=True, blank=True, related_name="comments",
        verbose_name=_("city"),
    )  # fmt: skip
    visit = models.ForeignKey(
        Visit, models.CASCADE, null=True, blank=True, related_name="comments",
        verbose_name=_("visit"),
    )  # fmt: skip
    article = models.ForeignKey(
        Article, models.CASCADE, null=True, blank=True, related_name="comments",
        verbose_name=_("article"),
    )  # fmt: skip
    name = models.CharField(
        _("name"), max_length=60, help_text=_("As the writer chose it. Visitors see it.")
    )
    email = models.EmailField(
        _("mail address"), max_length=254, blank=True,
        help_text=_("Never shown. Forgotten 90 days after the reply was written."),
    )  # fmt: skip
    text = models.TextField(_("reply"), max_length=3000)
    answer = models.TextField(
        _("our answer"), max_length=2000, blank=True,
        help_text=_("Stands under the reply, in the name of the organization."),
    )  # fmt: skip
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    written_at = models.DateTimeField(_("written"), default=clock.now)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    reported_at = models.DateTimeField(
        _("reported"), null=True, blank=True,
        help_text=_("A reader asks you to look at it again."),
    )  # fmt: skip
    report = models.CharField(_("why it was reported"), max_length=500, blank=True)

    objects = CommentQuerySet.as_manager()

    class Meta:
        verbose_name = _("reply")
        verbose_name_plural = _("replies")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(city__isnull=False, visit__isnull=True, article__isnull=True)
                | Q(city__isnull=True, visit__isnull=False, article__isnull=True)
                | Q(city__isnull=True, visit__isnull=True, article__isnull=False),
                name="comment_is_about_one_thing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}: {Truncator(self.text).chars(60)}"

    @property
    def about(self) -> Subject:
        about = self.city or self.visit or self.article
        assert about
        return about

    @property
    def page_url(self) -> str:
        """The page of all replies to the same thing."""
        kind = next(kind for kind in SUBJECTS if getattr(self, f"{kind}_id"))
        return reverse(f"comments:{kind}", args=[self.about.slug])

    def get_absolute_url(self) -> str:
        return f"{self.page_url}?before={self.pk + 1}#reply-{self.pk}"
