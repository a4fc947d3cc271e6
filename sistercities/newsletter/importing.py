"""People from another list: read, looked at, taken in whole or not at all (mail.md E3, E17, E19).

Nobody comes back this way: who has left, asked to be erased, complained or whose mailbox is gone
stays out, here and if the file itself says so. Each one who is taken in has the reason why we may
write to them as proof.
"""

import csv
import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from sistercities.newsletter import suppressing
from sistercities.newsletter.forms import known_language
from sistercities.newsletter.models import (
    Consent,
    ListImport,
    Subscriber,
    Suppression,
    Topic,
    normalise,
)
from sistercities.shared import clock
from sistercities.shared.open_forms import OneLine, check_address
from sistercities.shared.rows import stand_in_line
from sistercities.shared.spreadsheets import plain

MOST_BYTES = 10_000_000
MOST_ROWS = 50_000
SHORTEST_BASIS = 15
AT_ONCE = 500
KEEP_LOOKED_AT = dt.timedelta(days=2)
HEADINGS = {
    "email": {"email address", "email", "e-mail", "e-mail address", "mail", "mail address"},
    "name": {"name", "full name"},
    "first": {"first name", "first", "fname", "given name"},
    "last": {"last name", "last", "lname", "surname", "family name"},
    "language": {"language", "lang"},
    "topics": {"topics"},
    "status": {"status"},
    "asked": {"optin time", "signed up"},
    "left": {"unsub time", "left"},
    "gone": {"clean time"},
}
WANTS_IT = {"", "subscribed", "confirmed", "active", "gets the letter"}
MISREAD = re.compile("[ÃÂ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")
HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
one_name = OneLine(required=False, max_length=120)


class Unreadable(Exception):
    """The whole file is refused; the text says why in plain words."""


class Outcome(StrEnum):
    NEW = "new"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass
class Row:
    """One line of the file; `number` as a spreadsheet counts. What is refused says why."""

    number: int
    email: str
    name: str = ""
    language: str = "en"
    topics: list[str] = field(default_factory=list)
    asked: str = ""  # when they signed up there, as it stands in the file
    elsewhere: Suppression.Reason | None = None  # why the other list stopped writing to them
    outcome: Outcome = Outcome.NEW
    reason: str = ""

    def refuse(self, reason: str) -> None:
        self.outcome, self.reason = Outcome.REFUSED, reason


@dataclass
class Preview:
    """What taking a file in would do, or did. `notes` are about the file as a whole."""

    rows: list[Row]
    notes: list[str]

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(row.outcome for row in self.rows)
        return {outcome.value: found[outcome] for outcome in Outcome}

    @property
    def refused(self) -> list[Row]:
        return [row for row in self.rows if row.outcome == Outcome.REFUSED]

    @property
    def new(self) -> list[Row]:
        return [row for row in self.rows if row.outcome == Outcome.NEW]


def examine(data: bytes) -> Preview:
    """What taking the file in would do. Changes nothing. Raises `Unreadable`."""
    text, notes = _decode(data)
    rows = list(_rows(text))
    if not rows:
        raise Unreadable(_("There is nobody in this file."))
    _judge(rows)
    return Preview(rows, notes)


def check_basis(basis: str) -> None:
    """Raises `Unreadable` where it is too short to say when and how somebody asked (E3)."""
    if len(basis.strip()) < SHORTEST_BASIS:
        raise Unreadable(_("Say when and how these people asked for the letter."))


@transaction.atomic
def take_in_once(chosen: ListImport) -> ListImport:
    """Takes in a file that was looked at, and forgets it; the row with its counts. Of two presses
    at once, one finds it. Raises `Unreadable`.
    """
    row = ListImport.objects.select_for_update().get(pk=chosen.pk)
    if row.imported_at:
        raise Unreadable(_("This file was taken in before."))
    done = take_in(data=bytes(row.data), basis=row.basis, source=row.file_name)
    row.data, row.imported_at = b"", clock.now()
    row.new, row.known, row.refused = (done.counts[outcome] for outcome in Outcome)
    row.save()
    return row


def forget_unfinished() -> int:
    """Removes files that were looked at two days ago and not taken in; how many (trust.md)."""
    old = ListImport.objects.filter(imported_at=None, created_at__lt=clock.now() - KEEP_LOOKED_AT)
    return old.delete()[0]


def take_in(*, data: bytes, basis: str, source: str) -> Preview:
    """Puts the new people of a file on the list, all of them or none; who is known stays as is.

    `basis` says when and how they asked for the letter; it becomes their proof. Who left the other
    list is kept off this one. A second run finds everybody known. Raises `Unreadable`.
    """
    check_basis(basis)
    try:
        with transaction.atomic():
            stand_in_line("newsletter-import")
            preview = examine(data)
            _write(preview.new, basis.strip(), source[:300])
            for row in preview.refused:
                if row.elsewhere:
                    note = "so said the list that was imported"
                    suppressing.suppress(address=row.email, reason=row.elsewhere, note=note)
    except IntegrityError:
        raise Unreadable(
            _("Somebody of this file signed up at this moment. Nothing was taken in; try again.")
        ) from None
    return preview


def _decode(data: bytes) -> tuple[str, list[str]]:
    if len(data) > MOST_BYTES:
        raise Unreadable(_("This file is larger than 10 MB. Split it into several."))
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Unreadable(
            _("This is a ZIP or a workbook, not a CSV file. Unpack it, or save it as CSV (UTF-8).")
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace"), [_("The file is in UTF-16.")]
    notes = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError as error:
            raise Unreadable(
                _("The letters of this file cannot be read: it is neither UTF-8 nor Windows-1252 "
                  "(byte %d). Save it as CSV (UTF-8).") % error.start
            ) from None  # fmt: skip
        notes.append(
            _("The file is not in UTF-8 and was read as Windows-1252. Look at the names below: "
              "if they are wrong, save it as CSV (UTF-8) and choose it again.")
        )  # fmt: skip
    if MISREAD.search(text):
        notes.append(
            _("Some letters look as if another program had misread them, such as “Ã©” for “é”. "
              "Look at the names below.")
        )  # fmt: skip
    return text, notes


def _rows(text: str) -> Iterator[Row]:
    if "\0" in text:
        raise Unreadable(_("This is not a text file: it holds zero bytes."))
    first_line = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns: dict[str, int] | None = None
    try:
        for number, cells in enumerate(lines, start=1):
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns(cells)
                if columns:
                    width = len(cells)
                    continue
                columns, width = _columns_without_headings(cells), len(cells)
            if number > MOST_ROWS:
                raise Unreadable(_("This file has more than 50,000 rows. Split it into several."))
            yield _row(number, cells, columns, width)
    except csv.Error as error:
        raise Unreadable(_("Row %d of this file is broken.") % (lines.line_num + 1)) from error


def _columns(cells: list[str]) -> dict[str, int]:
    """Which column holds what, by its heading; {} where no heading names mail addresses."""
    found: dict[str, int] = {}
    for index, cell in enumerate(cells):
        heading = " ".join(cell.replace("_", " ").lower().split())
        for what, names in HEADINGS.items():
            if heading in names:
                found.setdefault(what, index)
    return found if "email" in found else {}


def _columns_without_headings(cells: list[str]) -> dict[str, int]:
    """A plain list: the address where the first row has its @, the name beside it."""
    at = next((index for index, cell in enumerate(cells) if "@" in cell), None)
    if at is None:
        raise Unreadable(
            _("No column of this file holds mail addresses. Write “Email” above that column.")
        )
    beside = at + 1 if at + 1 < len(cells) else at - 1
    return {"email": at} | ({"name": beside} if beside >= 0 else {})


def _row(number: int, cells: list[str], columns: dict[str, int], width: int) -> Row:
    def cell(what: str) -> str:
        index = columns.get(what)
        return plain(cells[index].strip()) if index is not None and index < len(cells) else ""

    name = cell("name") or _whole_name(cell("first"), cell("last"))
    row = Row(number, cell("email"), name, asked=cell("asked"))
    row.language = known_language(cell("language"))
    row.topics = re.findall(r"[\w-]+", cell("topics"))
    status = cell("status").lower()
    if cell("gone") or status == "cleaned":
        row.elsewhere = Suppression.Reason.HARD_BOUNCE
    elif cell("left") or status in {"unsubscribed", "left"}:
        row.elsewhere = Suppression.Reason.LEFT
    try:
        if len(cells) > width:
            raise ValidationError(_("This row has more cells than the first one."))
        if "\ufffd" in row.email + row.name:
            raise ValidationError(_("Letters were lost when this file was made."))
        if not row.elsewhere and status not in WANTS_IT:
            raise ValidationError(_("That list says: %(status)s."), params={"status": status})
        check_address(row.email)
        row.name = one_name.clean(name)
    except ValidationError as refused:
        row.refuse(" ".join(refused.messages))
    return row


def _whole_name(first: str, last: str) -> str:
    """As it is said: 陈 and 伟 are 陈伟."""
    if HAN.fullmatch(first) and HAN.fullmatch(last):
        return last + first
    return f"{first} {last}".strip()


def _judge(rows: list[Row]) -> None:
    """Holds the rows against each other, the list and the suppressions: some questions for 400."""
    known = _statuses(rows)
    suppressed = suppressing.suppressed_among(row.email for row in rows)
    seen: set[str] = set()
    for row in rows:
        key = normalise(row.email)
        if row.outcome == Outcome.REFUSED:
            row.elsewhere = None  # not an address that anybody could be kept off with
        elif row.elsewhere:
            row.refuse(_("That list says: %s.") % row.elsewhere.label)
            if known.get(key) == Subscriber.Status.CONFIRMED:
                row.elsewhere = None  # they asked us since, by two presses
        elif key in seen:
            row.outcome, row.reason = Outcome.KNOWN, _("Stands twice in this file.")
        elif key in suppressed:
            row.refuse(_("Must not be written to: %s.") % suppressed[key].label)
        elif known.get(key) == Subscriber.Status.CONFIRMED:
            row.outcome, row.reason = Outcome.KNOWN, _("Gets the letter already.")
        elif known.get(key) == Subscriber.Status.UNSUBSCRIBED:
            row.refuse(_("Has left. Only they can come back, by signing up."))
        elif key in known:
            row.refuse(_("Was asked here and has not confirmed."))
        seen.add(key)


def _statuses(rows: list[Row]) -> dict[str, str]:
    keys = [normalise(row.email) for row in rows if row.email]
    found: dict[str, str] = {}
    for start in range(0, len(keys), AT_ONCE):
        people = Subscriber.objects.filter(email_key__in=keys[start : start + AT_ONCE])
        found.update(people.values_list("email_key", "status"))
    return found


def _write(rows: list[Row], basis: str, source: str) -> None:
    now = clock.now()
    topics = {topic.slug: topic for topic in Topic.objects.all()}
    people = [
        Subscriber(
            email=row.email,
            email_key=normalise(row.email),
            name=row.name,
            language=row.language,
            status=Subscriber.Status.CONFIRMED,
            confirmed_at=now,
        )
        for row in rows
    ]
    Subscriber.objects.bulk_create(people, batch_size=AT_ONCE)
    Consent.objects.bulk_create(
        (
            Consent(
                subscriber=person,
                event=Consent.Event.IMPORTED,
                at=now,
                how=Consent.How.IMPORT,
                wording=basis,
                source=source,
                chosen={"topics": [t for t in row.topics if t in topics], "asked": row.asked},
            )
            for person, row in zip(people, rows, strict=True)
        ),
        batch_size=AT_ONCE,
    )
    Follows = Subscriber.topics.through
    Follows.objects.bulk_create(
        (
            Follows(subscriber=person, topic=topics[slug])
            for person, row in zip(people, rows, strict=True)
            for slug in sorted(topics.keys() & set(row.topics))
        ),
        batch_size=AT_ONCE,
    )
