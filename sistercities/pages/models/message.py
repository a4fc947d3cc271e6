"""What people wrote to us through the site, so that nothing is lost when mail fails."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sistercities.shared import clock


class Message(models.Model):
    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("mail address"), max_length=254)
    about = models.CharField(_("about"), max_length=150, blank=True)
    text = models.TextField(_("message"), max_length=5000)
    written_at = models.DateTimeField(_("written"), default=clock.now)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("answered by"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name}: {self.about}" if self.about else self.name
