"""What became of the matches that employers promised: received, waiting again, given up."""

from collections.abc import Iterable

from donations.models import Donation, ExpectedMatch, OfflineGift
from sistercities.shared import clock


def receive(*, line: OfflineGift) -> None:
    """Says that a match has come, if this line is one and somebody waits for it.

    A company may pay another amount than it promised: it counts what came, and the rest is
    promised no more. Inside the transaction that books the line.
    """
    if line.matched_gift:
        waiting = ExpectedMatch.objects.waiting().filter(employee_gift=line.matched_gift)
        waiting.update(received=line.donation)


def wait_again(*, gift: Donation) -> None:
    """Says that a match has not come after all: its gift was a mistake, or its check came back.

    Inside the transaction that takes the gift out. Where the same match is expected anew already,
    the old row stays as it is.
    """
    for match in ExpectedMatch.objects.filter(received=gift):
        others = ExpectedMatch.objects.waiting().filter(employee_gift=match.employee_gift)
        if not others.exists():
            ExpectedMatch.objects.filter(pk=match.pk).update(received=None)


def give_up(*, matches: Iterable[ExpectedMatch]) -> int:
    """Stops waiting; how many were still waiting."""
    rows = ExpectedMatch.objects.waiting().filter(pk__in=[match.pk for match in matches])
    return rows.update(given_up_at=clock.now())
