"""Which receipt numbers were given, noted outside of the database as well (giving.md F10).

A database that is brought back from yesterday knows nothing of today's receipts, which donors hold
in their hands. Each number is one small file in the private storage, at a name that begins with a
dot, so that the sweeper leaves it alone. It holds nothing personal. A storage that does not answer
never holds up a gift: its numbers are noted at night.
"""

import datetime as dt
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Min

from donations.models import Donation, LostReceipt, Receipt, ReceiptSeries
from sistercities.shared.stored_files import PRIVATE, plain_errors

logger = logging.getLogger(__name__)
FOLDER, MARK = ".receipts", "last"
QUIET = 60.0  # seconds in which a storage that did not answer is not asked again
_silent_until = 0.0


@dataclass(frozen=True)
class Note:
    """What tells whose number it was. `gift` is the processor's payment, which outlives our rows,
    or for a gift by hand its token. `digest` stands for all that the receipt was written from.
    """

    gift: str
    digest: str
    token: str
    issued_at: str


def name_of(donation: Donation) -> str:
    return donation.provider_reference or donation.token


def digest_of(inputs: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def note(receipt: Receipt) -> bool:
    """Notes a receipt that is committed; says whether the storage took it. Safe to repeat."""
    entry = Note(
        gift=name_of(receipt.donation),
        digest=digest_of(receipt.inputs),
        token=receipt.token or "",
        issued_at=receipt.issued_at.isoformat(),
    )
    return _ask(lambda: _write(receipt, entry), otherwise=False)


def _write(receipt: Receipt, entry: Note) -> bool:
    _save(_path(receipt.year, receipt.serial), json.dumps(asdict(entry)))
    _save(f"{_folder()}/{receipt.year}/{MARK}", str(receipt.serial))
    return True


def _save(path: str, text: str) -> None:
    storages[PRIVATE].save(path, ContentFile(text.encode()))


def set_aside_lost(series: ReceiptSeries) -> int:
    """Moves a series behind the numbers that were given and that its database has forgotten; each
    becomes a row. How many there were. Runs in the transaction that holds the series.
    """
    last = _ask(lambda: _last_given(series), otherwise=0)
    forgotten = range(series.last_serial + 1, last + 1)
    for serial in forgotten:
        # None: the storage was away when this number was given.
        _set_aside(series, serial, _ask(partial(_read, series.year, serial), otherwise=None))
    if forgotten:
        series.last_serial = last
        series.save(update_fields=["last_serial"])
    return len(forgotten)


def _last_given(series: ReceiptSeries) -> int:
    """The last number in the register; 0 where a short look finds none that is new to us.

    The mark may be one behind, where two processes noted at once: hence the look at the next.
    """
    known = series.last_serial
    if _read(series.year, known + 1) is None and _read_mark(series.year) <= known:
        return 0
    return max(_serials(series.year), default=0)


def _set_aside(series: ReceiptSeries, serial: int, entry: Note | None) -> None:
    LostReceipt.objects.create(
        year=series.year,
        serial=serial,
        gift=entry.gift if entry else "",
        digest=entry.digest if entry else "",
        token=entry.token if entry else "",
        issued_at=dt.datetime.fromisoformat(entry.issued_at) if entry else None,
    )
    logger.error("Receipt %d-%06d was given, and its row is lost", series.year, serial)


def catch_up() -> int:
    """Holds register and database against each other: what only the database has is noted, what
    only the register has is set aside. The number of differences; a second run finds none.
    """
    years = set(ReceiptSeries.objects.values_list("year", flat=True))
    years |= _ask(lambda: set(_years()), otherwise=set())
    return sum(_catch_up(year) for year in sorted(years))


def _catch_up(year: int) -> int:
    noted = _ask(lambda: set(_serials(year)), otherwise=None)
    if noted is None:
        return 0
    with transaction.atomic():
        differences = set_aside_lost(held(year))
    rows = Receipt.objects.filter(year=year)
    missing = set(rows.values_list("serial", flat=True)) - noted
    unnoted = rows.filter(serial__in=missing).select_related("donation").order_by("serial")
    return differences + sum(note(row) for row in unnoted)


def held(year: int) -> ReceiptSeries:
    """The series of a year, locked until the transaction ends."""
    ReceiptSeries.objects.get_or_create(year=year)
    return ReceiptSeries.objects.select_for_update().get(year=year)


def _ask(question: Callable[[], Any], *, otherwise: Any) -> Any:
    """What the storage answers, or `otherwise`; a silent one costs a donor one wait a minute."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return otherwise
    try:
        with plain_errors():
            return question()
    except OSError as error:
        _silent_until = time.monotonic() + QUIET
        logger.error("The register of receipt numbers does not answer: %s", error)
        return otherwise


def _read(year: int, serial: int) -> Note | None:
    text = _text(_path(year, serial))
    return Note(**json.loads(text)) if text else None


def _read_mark(year: int) -> int:
    return int(_text(f"{_folder()}/{year}/{MARK}") or 0)


def _text(path: str) -> str:
    try:
        with storages[PRIVATE].open(path) as file:
            return file.read().decode()
    except FileNotFoundError:
        return ""


def _years() -> Iterator[int]:
    return _numbers(0, _folder())


def _serials(year: int) -> Iterator[int]:
    return _numbers(1, f"{_folder()}/{year}")


def _numbers(part: int, folder: str) -> Iterator[int]:
    """The subfolders or the files of a folder, which need not be there."""
    try:
        names = storages[PRIVATE].listdir(folder)[part]
    except FileNotFoundError:
        return
    yield from (int(name) for name in names if name.isdecimal())


def _path(year: int, serial: int) -> str:
    return f"{_folder()}/{year}/{serial:06d}"


def _folder() -> str:
    """A folder for each database, known by the moment when it was made: a copy that is restored
    finds its own register, a new site beside old files none.
    """
    made_at = MigrationRecorder.Migration.objects.aggregate(at=Min("applied"))["at"]
    return f"{FOLDER}/{made_at:%Y%m%dT%H%M%S%f}"
