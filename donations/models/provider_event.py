"""What the card processor told us, word for word, before anything is done about it."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from sistercities.shared import clock


class ProviderEventQuerySet(models.QuerySet):
    def due(self) -> Self:
        return self.filter(
            state=ProviderEvent.State.RECEIVED, next_try_at__lte=clock.now()
        ).order_by("next_try_at", "pk")


class ProviderEvent(models.Model):
    """One event. It is a hint to look, never a source of amounts (giving.md hazard 2)."""

    class State(models.TextChoices):
        RECEIVED = "received", _("Waiting")
        PROCESSED = "processed", _("Done")
        FAILED = "failed", _("Given up")

    event_id = models.CharField(_("event"), max_length=100)
    type = models.CharField(_("type"), max_length=100)
    body = models.TextField(_("as received"))
    livemode = models.BooleanField(_("real money"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RECEIVED)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), default=clock.now)
    note = models.CharField(_("what came of it"), max_length=300, blank=True)
    received_at = models.DateTimeField(_("received"), default=clock.now)
    processed_at = models.DateTimeField(_("done"), null=True, blank=True)

    objects = ProviderEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("processor event")
        verbose_name_plural = _("processor events")
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["event_id"], name="one_row_per_provider_event")
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"], name="provider_events_waiting",
                condition=models.Q(state="received"),
            ),
            models.Index(fields=["type", "received_at"], name="provider_events_by_type"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
