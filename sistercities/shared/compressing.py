"""AVIF is tried by a job when nothing else waits for a picture. Rows say which are untried."""

import io
import logging
import time

from django.core.exceptions import ValidationError
from django.core.files.storage import storages

from sistercities.shared import rendering
from sistercities.shared.avif import smaller
from sistercities.shared.rendering import AvifTrial
from sistercities.shared.stored_files import PRIVATE, plain_errors

logger = logging.getLogger(__name__)
MOST_ATTEMPTS = 2


def try_waiting(*, seconds: float | None = None) -> int:
    """Tries what waits, oldest first, for about so many seconds; how many pictures gained AVIF.

    Gives way as soon as a picture waits for its renditions. Safe to run twice at once.
    """
    end = None if seconds is None else time.monotonic() + seconds
    gained = 0
    while end is None or time.monotonic() < end:
        work = None if rendering.is_waiting() else AvifTrial.claim()
        if work is None:
            break
        gained += _try(work)
    return gained


def is_waiting() -> bool:
    return AvifTrial.due().exists()


def _try(work: AvifTrial) -> bool:
    row = work.row()
    is_gained = False
    if row and row.picture_width and work.attempts < MOST_ATTEMPTS:
        try:
            with plain_errors(), storages[PRIVATE].open(work.original) as file:
                files = smaller(io.BytesIO(file.read()))
            is_gained = files is not None and row.keep_avif(files)
        except ValidationError:
            pass  # it was read when it was rendered: the renditions there are must do
        except OSError as error:  # a full disk, a storage that is not there
            logger.warning("AVIF could not be stored yet: %s", error)
            return False  # the next one comes when its lease is over
    work.delete()
    return is_gained
