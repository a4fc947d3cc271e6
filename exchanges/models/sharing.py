"""A gallery for those who were there: links that expire, and its pictures in one file."""

import datetime as dt
import secrets
from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from exchanges.models.gallery import Gallery
from sistercities.shared import clock
from sistercities.shared.stored_files import KeepsFiles


def new_token() -> str:
    return secrets.token_urlsafe(24)


def in_a_month() -> dt.datetime:
    return clock.now() + dt.timedelta(days=30)


class GalleryLinkQuerySet(models.QuerySet):
    def in_force(self) -> Self:
        """Those that open their gallery at this moment. None opens a draft."""
        return self.filter(
            expires_at__gt=clock.now(),
            revoked_at=None,
            gallery__status=Gallery.Status.PUBLISHED,
        )


class GalleryLink(models.Model):
    """Opens one gallery, listed or not, to whoever holds it, for some time (192 random bits)."""

    gallery = models.ForeignKey(
        Gallery, models.CASCADE, related_name="links", verbose_name=_("gallery")
    )
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    note = models.CharField(
        _("for whom"), max_length=120, help_text=_("Such as: the delegation of 2026.")
    )
    expires_at = models.DateTimeField(_("open until"), default=in_a_month)
    revoked_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    made_at = models.DateTimeField(default=clock.now, editable=False)

    objects = GalleryLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("link to a gallery")
        verbose_name_plural = _("links to galleries")
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return self.note

    def get_absolute_url(self) -> str:
        return reverse("exchanges:shared_gallery", args=[self.token])


class GalleryArchive(KeepsFiles):
    """The photos of a gallery that may be seen, in one ZIP. `fingerprint` says which they are."""

    shown_on_pages = True

    gallery = models.OneToOneField(Gallery, models.CASCADE, related_name="archive")
    file = models.CharField(max_length=120, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    bytes = models.BigIntegerField(default=0)
    photo_count = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("gallery in one file")
        verbose_name_plural = _("galleries in one file")
        ordering = ["pk"]

    def __str__(self) -> str:
        return str(self.gallery)

    def private_files(self) -> list[str]:
        return [self.file] if self.file else []

    def mend_files(self, *, public: list[str], private: list[str]) -> list[str]:
        GalleryArchive.objects.filter(pk=self.pk).update(file="", fingerprint="")
        return []
