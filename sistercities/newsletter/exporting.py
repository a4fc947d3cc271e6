"""The list of subscribers as a file for a spreadsheet, which `importing` can read again."""

import csv
import io
from collections.abc import Iterator

from django.db.models import QuerySet

from sistercities.newsletter.models import Subscriber
from sistercities.shared.spreadsheets import inert

HEADINGS = (
    "Email", "Name", "Status", "Language", "Topics", "How often", "Pauses until", "Signed up",
    "Confirmed", "Left",
)  # fmt: skip


def as_csv(people: QuerySet[Subscriber]) -> Iterator[str]:
    """UTF-8 with a mark that spreadsheets look for, some thousand rows a piece, days as ISO 8601.

    No cell is run as a formula.
    """
    yield "\ufeff" + _lines([HEADINGS])
    rows = []
    for person in people.order_by("pk").prefetch_related("topics").iterator(chunk_size=1000):
        rows.append(tuple(inert(cell) for cell in _cells(person)))
        if len(rows) == 1000:
            yield _lines(rows)
            rows = []
    yield _lines(rows)


def _cells(person: Subscriber) -> Iterator[str]:
    yield person.email
    yield person.name
    yield person.status
    yield person.language
    yield " ".join(sorted(topic.slug for topic in person.topics.all()))
    yield person.frequency
    yield person.paused_until.isoformat() if person.paused_until else ""
    for moment in (person.created_at, person.confirmed_at, person.unsubscribed_at):
        yield moment.date().isoformat() if moment else ""


def _lines(rows: list[tuple[str, ...]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue()
