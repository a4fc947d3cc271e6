"""One letter to one address, and what became of it: the delivery ledger (mail.md E18)."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sistercities.newsletter.models.issue import Issue
from sistercities.newsletter.models.subscriber import Subscriber
from sistercities.shared.signing import new_token


class DeliveryQuerySet(models.QuerySet):
    def waiting(self) -> Self:
        return self.filter(state=Delivery.State.QUEUED)

    def unfinished(self) -> Self:
        """Those for which there is still something to do without a person's word."""
        return self.filter(state__in=[Delivery.State.QUEUED, Delivery.State.CLAIMED])

    def tally(self) -> dict[str, Any]:
        """How many are in each state, all of them named; `skipped` has a number for each reason."""
        states = dict(self.order_by().values_list("state").annotate(Count("pk")))
        skipped = self.filter(state=Delivery.State.SKIPPED).order_by()
        reasons = dict(skipped.values_list("skip_reason").annotate(Count("pk")))
        return {
            **{state: states.get(state, 0) for state in Delivery.State.values},
            "skipped": {reason: reasons.get(reason, 0) for reason in Delivery.Skip.values},
        }


class Delivery(models.Model):
    """A row for each person, made when the letter is released. A worker takes a few at a time;
    the one whose message was in flight when it died becomes `unknown` and waits for a person.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        CLAIMED = "claimed", _("Being handed over")
        SENT = "sent", _("Handed over")
        FAILED = "failed", _("Refused by the mail server")
        UNKNOWN = "unknown", _("Not known whether it went out")
        SKIPPED = "skipped", _("Left out")

    class Skip(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("Has left")
        SUPPRESSED = "suppressed", _("Must not be written to")
        PAUSED = "paused", _("Pauses")

    issue = models.ForeignKey(
        Issue, models.PROTECT, related_name="deliveries", verbose_name=_("letter")
    )
    subscriber = models.ForeignKey(
        Subscriber, models.SET_NULL, null=True, related_name="deliveries",
        verbose_name=_("subscriber"),
    )  # fmt: skip
    address_key = models.CharField(
        _("fingerprint of the address"), max_length=64, editable=False,
        help_text=_("Stays when a person is erased, so that nobody gets a letter twice."),
    )  # fmt: skip
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.QUEUED)
    skip_reason = models.CharField(_("left out because"), max_length=12, choices=Skip, blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=200, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    claimed_at = models.DateTimeField(_("taken by a worker"), null=True, blank=True)
    claim = models.CharField(max_length=40, blank=True, editable=False)
    sent_at = models.DateTimeField(_("handed over"), null=True, blank=True)
    answer = models.CharField(_("what the mail server said"), max_length=300, blank=True)
    bounced_at = models.DateTimeField(_("came back"), null=True, blank=True)
    is_hard_bounce = models.BooleanField(_("came back for good"), default=False)
    complained_at = models.DateTimeField(_("reported as spam"), null=True, blank=True)
    left_at = models.DateTimeField(_("left by this letter"), null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["issue", "address_key"], name="one_delivery_per_letter_and_address"
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(sent_at__isnull=False),
                name="delivery_sent_at_a_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state="claimed") | (Q(claimed_at__isnull=False) & ~Q(claim="")),
                name="delivery_claimed_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state="skipped", skip_reason__gt="")
                | (~Q(state="skipped") & Q(skip_reason="")),
                name="delivery_left_out_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["issue", "state", "next_try_at"], name="deliveries_by_state"),
            models.Index(
                fields=["claimed_at"], name="deliveries_in_hand", condition=Q(state="claimed")
            ),
            models.Index(fields=["subscriber", "sent_at"], name="deliveries_of_subscriber"),
        ]

    def __str__(self) -> str:
        return f"{self.issue}: {self.get_state_display()}"


def unsubscribe_url(token: str) -> str:
    """The one address in the header and the foot of a letter: it tells by which one a person left,
    opens for ever and needs nothing but itself (E4, E5, E8).
    """
    return settings.SITE_URL + reverse("newsletter:unsubscribe", args=[token])
