"""What became of a letter, for staff; and how often its links were followed, if that is counted."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sistercities.newsletter.models.issue import Issue


class LetterReport(Issue):
    """A letter as its report sees it: a page of its own among the staff pages."""

    class Meta:
        proxy = True
        verbose_name = _("report on a letter")
        verbose_name_plural = _("reports and mail set-up")


class LinkCount(models.Model):
    """How often a link of a letter was followed, by whomever: a number and nothing else (E23)."""

    issue = models.ForeignKey(
        Issue, models.CASCADE, related_name="link_counts", verbose_name=_("letter")
    )
    url = models.CharField(_("leads to"), max_length=500)
    count = models.PositiveIntegerField(_("followed"), default=0)

    class Meta:
        verbose_name = _("count of a link")
        verbose_name_plural = _("counts of links")
        ordering = ["-count", "url"]
        constraints = [
            models.UniqueConstraint(fields=["issue", "url"], name="link_counted_once_a_letter")
        ]

    def __str__(self) -> str:
        return self.url
