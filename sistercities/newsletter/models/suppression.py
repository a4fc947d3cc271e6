"""Addresses that get no letter, whatever list they come on. It outlives the person's row (E17)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sistercities.shared import clock


class Suppression(models.Model):
    """One address that must not be written to. `address_key` is a keyed hash: the address itself
    need not be kept to be respected (mail.md E17).
    """

    class Reason(models.TextChoices):
        LEFT = "left", _("Has left")
        ERASED = "erased", _("Asked to be erased")
        HARD_BOUNCE = "hard_bounce", _("The mailbox does not exist")
        SOFT_BOUNCES = "soft_bounces", _("The mailbox took no mail several times")
        COMPLAINT = "complaint", _("Reported as spam")
        STAFF = "staff", _("By staff")

    address_key = models.CharField(
        _("fingerprint of the address"), max_length=64, unique=True, editable=False
    )
    token_key = models.CharField(
        _("fingerprint of its links"), max_length=64, blank=True, editable=False, db_index=True,
        help_text=_("Links in old letters still say that this person has left."),
    )  # fmt: skip
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    note = models.CharField(_("what was said"), max_length=250, blank=True)
    at = models.DateTimeField(_("since"), default=clock.now)

    class Meta:
        verbose_name = _("address not to write to")
        verbose_name_plural = _("addresses not to write to")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}, {self.at:%Y-%m-%d}"
