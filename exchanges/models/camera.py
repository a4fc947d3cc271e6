"""Cameras whose clock was wrong."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from exchanges.models.gallery import Gallery


class CameraClock(models.Model):
    """By how much one camera's photos of one gallery are shifted. Positive: its clock was slow."""

    gallery = models.ForeignKey(Gallery, models.CASCADE, related_name="camera_clocks")
    camera = models.CharField(_("camera"), max_length=120, blank=True)
    shift = models.DurationField(_("shift"))

    class Meta:
        verbose_name = _("clock of a camera")
        verbose_name_plural = _("clocks of cameras")
        ordering = ["camera", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["gallery", "camera"], name="one_clock_per_camera_and_gallery"
            )
        ]

    def __str__(self) -> str:
        return self.camera
