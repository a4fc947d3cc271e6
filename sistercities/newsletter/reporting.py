"""What became of a letter, in numbers."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from sistercities.newsletter.models import Delivery, Issue, LinkCount

SENT = Q(state=Delivery.State.SENT)
COUNTS = {
    "sent": Count("pk", filter=SENT),
    "hard": Count("pk", filter=SENT & Q(is_hard_bounce=True)),
    "soft": Count("pk", filter=SENT & Q(is_hard_bounce=False, bounced_at__isnull=False)),
    "left": Count("pk", filter=Q(left_at__isnull=False)),
    "complained": Count("pk", filter=Q(complained_at__isnull=False)),
}
STATES = {
    state.value: Count("pk", filter=Q(state=state))
    for state in Delivery.State
    if state not in {Delivery.State.SENT, Delivery.State.SKIPPED}
}


@dataclass(frozen=True)
class Figures:
    """`sent` were handed over; of those some came back. `title` is a topic, or "" for all."""

    title: str
    sent: int
    hard: int
    soft: int
    left: int
    complained: int

    @property
    def bounced(self) -> int:
        return self.hard + self.soft

    @property
    def delivered(self) -> int:
        """Handed over and not come back: nobody can know more without spying on readers (E23)."""
        return max(0, self.sent - self.bounced)


@dataclass(frozen=True)
class Report:
    total: Figures
    states: dict[str, int]  # those not handed over, by state; those left out stand by reason
    skipped: dict[str, int]  # those left out, by reason
    refused: int  # times that a provider or server did not want our mail
    topics: list[Figures]
    links: QuerySet[LinkCount]


def report(issue: Issue) -> Report:
    """Five questions, however many people it went to.

    By topic counts each reader under all topics that they follow now; who chose none follows all
    and stands under "". Erased readers stand in the total only.
    """
    rows = issue.deliveries.order_by()
    found: dict[str, Any] = rows.aggregate(**COUNTS, **STATES)
    by_topic = (
        rows.exclude(subscriber=None)
        .annotate(title=F("subscriber__topics__title"))
        .values("title")
        .annotate(**COUNTS)
        .order_by("title")
        .values_list("title", *COUNTS)
    )
    skipped = rows.filter(state=Delivery.State.SKIPPED).values_list("skip_reason")
    return Report(
        total=Figures("", *(found[name] for name in COUNTS)),
        states={state: found[state] for state in STATES},
        skipped=dict(skipped.annotate(Count("pk"))),
        refused=rows.filter(events__kind="rejected").count(),
        topics=[Figures(title or "", *counts) for title, *counts in by_topic],
        links=LinkCount.objects.filter(issue=issue),
    )
