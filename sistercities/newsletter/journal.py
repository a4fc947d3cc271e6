"""What was handed over, written down beside the database (docs/decisions/0020).

A database that is brought back from a copy knows nothing of what went out since. So each letter
has a file of its own in `VAR_DIR`: before a message is handed over, the fingerprint of its address
and the number of the try are added to it, and afterwards whether it was taken. A row that knows of
fewer tries is from an older database. No mail address stands in there.

It also says what a killed worker had begun: only that is unknown, the rest of what it had in hand
goes back into the queue (docs/decisions/0021). A process that is killed loses nothing of it; a
loss of power can, so rows that were taken before the machine started are judged by nobody.
"""

import contextlib
import fcntl
import os
import secrets
import struct
import time
from collections.abc import Iterator
from enum import IntEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.db import transaction

from sistercities.newsletter.models import Delivery, Issue
from sistercities.newsletter.models.delivery import DeliveryQuerySet

RECORD = struct.Struct(">32sBxH")  # the address, what is noted of it, the number of the try
AT_ONCE = 500
KEEP_SECONDS = 90 * 24 * 60 * 60
State = Delivery.State


class Note(IntEnum):
    BEGUN = 0
    TAKEN = 1
    NOT_TAKEN = 2


class Journal:
    """The file of one letter. Opening it makes it; several processes may write at once."""

    def __init__(self, issue: Issue) -> None:
        self.issue = issue
        self.path = _folder() / f"{issue.pk}-{issue.created_at.timestamp():.0f}"
        self.is_new = not self.path.exists()

    def __enter__(self) -> Self:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with self.alone():
            if torn := self._size() % RECORD.size:
                os.write(self._file, bytes(RECORD.size - torn))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else notes anything or judges meanwhile. Nothing in here may wait for another."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def new_claim(self) -> str:
        """What stands in the rows that a worker takes: by it this very file can be told."""
        return f"{self._name()}.{secrets.token_urlsafe(12)}"

    def note(self, address_key: str, attempt: int, what: Note = Note.BEGUN) -> None:
        """Only `alone`. Raises `OSError` on a full disk: then nothing may be sent."""
        size = self._size()
        record = RECORD.pack(bytes.fromhex(address_key), what, attempt)
        if os.write(self._file, record) != len(record):
            os.truncate(self._file, size)
            raise OSError("No room for the journal of letters.")

    def is_ahead(self) -> bool:
        """Whether it knows of a try that the database does not. The newest are the first lost."""
        start = max(0, self._size() - AT_ONCE * RECORD.size)
        return any(self._lost(self._read(start)))

    def catch_up(self) -> int:
        """Marks the rows that an older database has lost as `unknown`; how many. Once is enough."""
        marked = 0
        for noted in self._pieces():
            for pk, attempt in self._lost(noted):
                marked += Delivery.objects.filter(pk=pk, attempts__lt=attempt).update(
                    state=State.UNKNOWN, skip_reason="", claim="", attempts=attempt
                )
        return marked

    def judge(self, lost: DeliveryQuerySet) -> None:
        """Settles rows that a worker of this machine had in hand when it died: what it had begun
        is `unknown` unless the answer stands here, and what it had not is in nobody's hands.
        """
        with self.alone(), transaction.atomic():
            rows = {
                row.address_key: row for row in lost.filter(claim__startswith=f"{self._name()}.")
            }
            ends: dict[str, int] = {}
            for noted in self._pieces():
                for key in rows.keys() & noted.keys():
                    attempt, what = noted[key]
                    if attempt >= rows[key].attempts:
                        ends[key] = what if attempt == rows[key].attempts else Note.BEGUN
            for key, row in rows.items():
                Delivery.objects.filter(pk=row.pk, claim=row.claim, state=State.CLAIMED).update(
                    **_what_became_of(row, ends.get(key))
                )

    def _name(self) -> str:
        """No copy of the file has it, nor has the file itself once the machine has started anew."""
        about = os.fstat(self._file)
        name = f"{_started()} {about.st_dev} {about.st_ino}"
        return sha256(name.encode()).hexdigest()[:20]

    def _size(self) -> int:
        return os.fstat(self._file).st_size

    def _pieces(self) -> Iterator[dict[str, tuple[int, int]]]:
        place, size = 0, self._size()
        while place < size:
            yield self._read(place)
            place += AT_ONCE * RECORD.size

    def _read(self, start: int) -> dict[str, tuple[int, int]]:
        """What is noted last of each address in one piece of the file: its try, and what of it."""
        read = os.pread(self._file, AT_ONCE * RECORD.size, start)
        whole = read[: len(read) - len(read) % RECORD.size]
        return {key.hex(): (attempt, what) for key, what, attempt in RECORD.iter_unpack(whole)}

    def _lost(self, noted: dict[str, tuple[int, int]]) -> Iterator[tuple[int, int]]:
        rows = Delivery.objects.filter(issue=self.issue, address_key__in=noted)
        for pk, key, attempts in list(rows.values_list("pk", "address_key", "attempts")):
            if attempts < noted[key][0]:
                yield pk, noted[key][0]


def _what_became_of(row: Delivery, noted: int | None) -> dict[str, Any]:
    match noted:
        case None:
            return {"state": State.QUEUED, "claim": "", "attempts": row.attempts - 1}
        case Note.TAKEN:
            return {"state": State.SENT, "sent_at": row.claimed_at}
        case Note.NOT_TAKEN:
            return {"state": State.QUEUED, "claim": ""}
    return {"state": State.UNKNOWN}


@cache
def _started() -> str:
    """One word for the time since the machine started; where it has none, for this process."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        return secrets.token_hex(4)


def forget_old() -> int:
    """Removes files in which nothing was written for 90 days; how many."""
    old = [
        path for path in _folder().glob("*") if path.stat().st_mtime < time.time() - KEEP_SECONDS
    ]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "letters"
