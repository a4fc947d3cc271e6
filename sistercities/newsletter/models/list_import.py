"""A file of addresses from elsewhere, and what became of it: who took it in, and why they may."""

from django.conf import settings
from django.core.validators import MinLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from sistercities.shared import clock


class ListImport(models.Model):
    """The file is kept only between the preview and the press of the button (trust.md)."""

    file_name = models.CharField(_("file"), max_length=200)
    basis = models.TextField(
        _("why we may write to them"), max_length=1000, validators=[MinLengthValidator(15)],
        help_text=_("When and how these people asked for the letter, such as: Signed up on paper "
                    "at the Harvest Festival in September 2025. It is kept with each of them as "
                    "the proof of their consent."),
    )  # fmt: skip
    data = models.BinaryField(editable=False, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+",
        verbose_name=_("by"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("looked at"), default=clock.now, editable=False)
    imported_at = models.DateTimeField(_("taken in"), null=True, editable=False)
    new = models.PositiveIntegerField(_("new"), default=0, editable=False)
    known = models.PositiveIntegerField(_("known already"), default=0, editable=False)
    refused = models.PositiveIntegerField(_("not taken"), default=0, editable=False)

    class Meta:
        verbose_name = _("file of subscribers")
        verbose_name_plural = _("files of subscribers")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.file_name
