"""What became of mail after it was handed over, as its provider or a bounce told us."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sistercities.newsletter.models.delivery import Delivery
from sistercities.shared import clock


class MailEvent(models.Model):
    """Told once, acted on once: providers repeat themselves (mail.md E16). Holds no address."""

    class Kind(models.TextChoices):
        HARD = "hard", _("Came back: there is no such mailbox")
        SOFT = "soft", _("Came back for now: full, or not reached")
        COMPLAINT = "complaint", _("Reported as spam")
        LEFT = "left", _("Left by the mail program or at the provider")
        REJECTED = "rejected", _("Refused: the other side does not want our mail")

    source = models.CharField(_("told by"), max_length=20)
    event_id = models.CharField(max_length=100, editable=False)
    kind = models.CharField(_("what"), max_length=10, choices=Kind)
    delivery = models.ForeignKey(
        Delivery, models.SET_NULL, null=True, related_name="events", verbose_name=_("delivery"),
        help_text=_("Empty for other mail, such as receipts."),
    )  # fmt: skip
    said = models.CharField(_("what was said"), max_length=300, blank=True)
    at = models.DateTimeField(_("when we heard of it"), default=clock.now)

    class Meta:
        verbose_name = _("bounce or complaint")
        verbose_name_plural = _("bounces and complaints")
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "event_id"], name="mail_event_told_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.at:%Y-%m-%d}"
