"""Archives that were brought are opened by a job; each file in them is taken in like any other.

The job claims an archive by moving its `next_try_at` ahead, so a worker that is killed leaves it
to the next one, which finds by their keys the files that were taken in already. An archive that
takes its worker down three times at the same place is given up.
"""

import datetime as dt
import logging
import uuid

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exchanges.intake import take_in
from exchanges.models import Batch, Upload
from exchanges.receiving import PATIENCE, gathered
from sistercities.shared import archives, clock
from sistercities.shared.images import MAX_BYTES
from sistercities.shared.stored_files import PRIVATE, discard

logger = logging.getLogger(__name__)
LEASE = dt.timedelta(minutes=5)
PAUSE = dt.timedelta(minutes=1)
MOST_ATTEMPTS = 3
State = Upload.State


def open_waiting() -> int:
    """Opens what waits, oldest first; the number of archives that are done with.

    Safe to run twice at once. A storage that fails leaves the archive for a minute later.
    """
    done = 0
    while upload := _claim():
        done += _open(upload)
    return done


def _claim() -> Upload | None:
    while upload := _waiting().filter(next_try_at__lte=clock.now()).order_by("pk").first():
        if _lease(upload):
            return upload
    return None


def _waiting():
    return Upload.objects.filter(state=State.WAITING)


def _lease(upload: Upload) -> bool:
    """Takes or keeps hold of the archive; False if another worker has it, or it is gone.

    `upload.attempts` stays the number of tries before this one, which is counted in the row only.
    """
    until = clock.now() + LEASE
    held = _waiting().filter(pk=upload.pk, next_try_at=upload.next_try_at)
    if not held.update(next_try_at=until, attempts=upload.attempts + 1):
        return False
    upload.next_try_at = until
    return True


def _open(upload: Upload) -> bool:
    if upload.attempts >= MOST_ATTEMPTS:
        return _end(
            upload, State.REFUSED, _("This ZIP could not be opened, not even at the third try.")
        )
    try:
        return _take_entries(upload)
    except archives.ArchiveRefused as refused:
        return _end(upload, State.REFUSED, str(refused))
    except FileNotFoundError as error:
        return _lost(upload, error)
    except Batch.DoesNotExist:  # its gallery was deleted meanwhile, and it with that
        return False
    except Exception as error:  # a full disk; each storage has errors of its own
        return _leave_for_later(upload, error)


def _take_entries(upload: Upload) -> bool:
    count = 0
    known = set(upload.entries.values_list("key", flat=True))
    with gathered(upload) as file:
        for entry in archives.entries(file, largest=MAX_BYTES):
            key = uuid.uuid5(upload.key, str(count))
            outcome = _take_entry(upload, key, entry)
            count += 1
            if outcome.key == key and key not in known:
                upload.attempts = 0  # it got further than the tries before
            if not _lease(upload):
                return False
    words = ngettext("%d file was in it.", "%d files were in it.", count)
    return _end(upload, State.OPENED, words % count)


def _take_entry(archive: Upload, key: uuid.UUID, entry: archives.Entry) -> Upload:
    if entry.file:
        return take_in(
            batch=archive.batch,
            file=entry.file,
            size=entry.file.size or 0,
            name=entry.name,
            key=key,
            archive=archive,
        )
    refused, _is_new = archive.batch.uploads.get_or_create(
        key=key,
        defaults={
            "name": entry.name,
            "state": State.REFUSED,
            "reason": entry.reason,
            "archive": archive,
        },
    )
    return refused


def _lost(upload: Upload, error: Exception) -> bool:
    """A disk that is not there looks the same, so its files have a day to come back."""
    if clock.now() < upload.made_at + PATIENCE:
        return _leave_for_later(upload, error)
    Upload.objects.filter(pk=upload.pk).update(sha256="")  # the same ZIP may be added again
    return _end(upload, State.REFUSED, _("This ZIP was lost. Please add it again."))


def _leave_for_later(upload: Upload, error: Exception) -> bool:
    """Not the archive's fault, so it does not count as a try."""
    logger.warning("An archive could not be opened yet: %s", type(error).__name__)
    later = clock.now() + PAUSE
    _waiting().filter(pk=upload.pk).update(next_try_at=later, attempts=upload.attempts)
    return False


def _end(upload: Upload, state: str, reason: str) -> bool:
    """Says what became of the archive and lets go of its files."""
    with transaction.atomic():
        ended = _waiting().filter(pk=upload.pk).update(state=state, reason=reason, pieces={})
        if ended:
            discard(PRIVATE, upload.private_files())
    return bool(ended)
