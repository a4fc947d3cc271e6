"""The one letter in which the donors of a campaign read what their gifts made possible."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from donations.models.campaign import Campaign
from sistercities.shared import clock


class CampaignLetter(models.Model):
    """Written when the letter is released, so that it is released once."""

    campaign = models.OneToOneField(
        Campaign, models.PROTECT, related_name="letter", verbose_name=_("campaign")
    )
    subject = models.CharField(_("subject"), max_length=120)
    opening = models.TextField(_("opening"), max_length=1500)
    readers = models.PositiveIntegerField(_("people"))
    released_at = models.DateTimeField(_("released"), default=clock.now)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+",
        verbose_name=_("released by"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("letter to the donors of a campaign")
        verbose_name_plural = _("letters to the donors of campaigns")
        ordering = ["-released_at", "-pk"]

    def __str__(self) -> str:
        return self.subject
