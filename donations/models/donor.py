"""Who gave: one row for each mailbox, or for each name and address of those without one."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from sistercities.shared import clock

LINK_LASTS = dt.timedelta(minutes=15)


def email_key(email: str) -> str:
    """The form in which two mail addresses are compared."""
    return email.strip().lower()


class DonorQuerySet(models.QuerySet):
    def roots(self) -> Self:
        """Without those that were merged into another."""
        return self.filter(merged_into=None)

    def same_as(self, donor: "int | models.OuterRef") -> Self:
        """A donor's own row and those that were merged into it."""
        return self.filter(Q(pk=donor) | Q(merged_into=donor))


class Donor(models.Model):
    """Somebody who gave. A merge only points from one row to another, so it can be undone."""

    name = models.CharField(_("name"), max_length=120)
    email_key = models.CharField(
        _("mail address"), max_length=254, blank=True, editable=False,
        help_text=_("As gifts are compared: in small letters."),
    )  # fmt: skip
    address = models.TextField(_("postal address"), max_length=300, blank=True)
    note = models.TextField(
        _("note"), max_length=500, blank=True, help_text=_("Only staff read this.")
    )
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged",
        editable=False, verbose_name=_("is the same as"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("first gift booked"), default=clock.now)

    objects = DonorQuerySet.as_manager()

    class Meta:
        verbose_name = _("donor")
        verbose_name_plural = _("donors")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["email_key"], condition=~Q(email_key=""), name="one_donor_a_mailbox"
            ),
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")), name="donor_is_not_merged_into_itself"
            ),
        ]
        indexes = [
            models.Index(fields=["name"], name="donors_without_mailbox", condition=Q(email_key=""))
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.email_key})" if self.email_key else self.name

    @property
    def root(self) -> "Donor":
        return self.merged_into or self


class DonorLink(models.Model):
    """A link that was mailed to a donor: good once, for a quarter of an hour."""

    fingerprint = models.CharField(max_length=64, unique=True, editable=False)
    donor = models.ForeignKey(Donor, models.CASCADE, related_name="links", verbose_name=_("donor"))
    expires_at = models.DateTimeField(_("good until"))
    used_at = models.DateTimeField(_("used"), null=True)

    class Meta:
        verbose_name = _("link to one's gifts")
        verbose_name_plural = _("links to one's gifts")
        ordering = ["-expires_at"]

    def __str__(self) -> str:
        return f"{self.donor_id} {self.expires_at:%Y-%m-%d %H:%M}"
