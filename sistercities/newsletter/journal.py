"""What was handed over, written down beside the database (docs/decisions/0020).

A database that is brought back from a copy knows nothing of what went out since. So each letter
has a file of its own in `VAR_DIR`: before a message is handed over, the fingerprint of its address
and the number of the try are added to it. A row that knows of fewer tries is from an older
database. No mail address stands in there. A process that is killed loses nothing; only the loss
of power together with an older database can.
"""

import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings

from sistercities.newsletter.models import Delivery, Issue

RECORD = struct.Struct(">32sI")
AT_ONCE = 500
KEEP_SECONDS = 90 * 24 * 60 * 60


class Journal:
    """The file of one letter. Opening it makes it; several processes may write at once."""

    def __init__(self, issue: Issue) -> None:
        self.issue = issue
        self.path = _folder() / f"{issue.pk}-{issue.created_at.timestamp():.0f}"
        self.is_new = not self.path.exists()

    def __enter__(self) -> Self:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        if torn := os.fstat(self._file).st_size % RECORD.size:
            os.write(self._file, bytes(RECORD.size - torn))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def note(self, address_key: str, attempt: int) -> None:
        """Before handing over. Raises `OSError` on a full disk: then nothing may be sent."""
        record = RECORD.pack(bytes.fromhex(address_key), attempt)
        if os.write(self._file, record) != len(record):
            raise OSError("No room for the journal of letters.")

    def is_ahead(self) -> bool:
        """Whether it knows of a try that the database does not. The newest are the first lost."""
        size = os.fstat(self._file).st_size
        start = max(0, size - AT_ONCE * RECORD.size)
        return any(self._lost(self._read(start)))

    def catch_up(self) -> int:
        """Marks the rows that an older database has lost as `unknown`; how many. Once is enough."""
        marked = 0
        place, size = 0, os.fstat(self._file).st_size
        while place < size:
            for pk, attempt in self._lost(self._read(place)):
                marked += Delivery.objects.filter(pk=pk, attempts__lt=attempt).update(
                    state=Delivery.State.UNKNOWN, skip_reason="", claim="", attempts=attempt
                )
            place += AT_ONCE * RECORD.size
        return marked

    def _read(self, start: int) -> dict[str, int]:
        """The last try of each address in one piece of the file."""
        read = os.pread(self._file, AT_ONCE * RECORD.size, start)
        whole = read[: len(read) - len(read) % RECORD.size]
        return {key.hex(): attempt for key, attempt in RECORD.iter_unpack(whole)}

    def _lost(self, noted: dict[str, int]) -> Iterator[tuple[int, int]]:
        rows = Delivery.objects.filter(issue=self.issue, address_key__in=noted)
        for pk, key, attempts in list(rows.values_list("pk", "address_key", "attempts")):
            if attempts < noted[key]:
                yield pk, noted[key]


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
