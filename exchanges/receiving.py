"""Files arrive from a browser: whole, or large ones in pieces that survive a lost connection.

Each piece is a file of its own in private storage and the row says which are there. So the next
one may come to another web machine, and a piece that comes twice changes nothing.
"""

import contextlib
import datetime as dt
import hashlib
import math
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from typing import IO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import transaction
from django.utils.translation import gettext as _

from exchanges.intake import take_in
from exchanges.models import Batch, Upload
from sistercities.shared import clock
from sistercities.shared.archives import ZIPS
from sistercities.shared.file_names import clean
from sistercities.shared.images import MAX_BYTES, inspect, random_name
from sistercities.shared.queue import wake
from sistercities.shared.stored_files import PRIVATE, discard

PIECE = 4 * 1024**2
LARGEST_WHOLE = 8 * 1024**2  # what is larger, the page sends in pieces
LARGEST = 1024**3  # a ZIP; a picture may have `images.MAX_BYTES`
PATIENCE = dt.timedelta(days=1)
FOLDER = "arriving"
State = Upload.State


class NotAPiece(Exception):
    """What came is no piece of the file that was announced; its text is a sentence for people."""


def receive(*, batch: Batch, file: File, name: str, key: uuid.UUID) -> Upload:
    """A whole file: a picture is taken in, a ZIP (by its bytes) is kept for a job to open.

    What `take_in` promises holds for both.
    """
    if not _is_archive(file):
        return take_in(batch=batch, file=file, size=file.size, name=name, key=key)
    name, digest = clean(name), _sha256(file)
    same = batch.uploads.exclude(state=State.ARRIVING).filter(name=name, sha256=digest)
    if known := settled(batch=batch, key=key) or same.first():
        return known
    said = {"key": key, "name": name, "bytes": file.size, "sha256": digest}
    if file.size > LARGEST:
        return batch.uploads.create(state=State.REFUSED, reason=_too_large(), **said)
    kept = _store(file)
    try:
        with transaction.atomic():
            transaction.on_commit(wake_opener)
            return batch.uploads.create(state=State.WAITING, pieces={"0": kept}, **said)
    except Exception:
        _let_go(batch, key, kept)
        raise


def receive_piece(
    *, batch: Batch, file: File, number: int, size: int, name: str, key: uuid.UUID
) -> Upload:
    """Piece `number` (from 0) of a file of `size` bytes; all but the last have `PIECE` bytes.

    The piece that makes it complete is answered with the outcome; before that the row is
    `ARRIVING`. The same piece may come again, even after the end. Raises `NotAPiece`, and
    `OSError` if it cannot be stored; then it is as if it had not come.
    """
    if known := settled(batch=batch, key=key):
        return known
    said = {"name": clean(name), "bytes": size, "next_try_at": clock.now() + PATIENCE}
    upload, _is_new = batch.uploads.get_or_create(key=key, defaults=said)
    if reason := _refused_early(file, number, size):
        return _refuse(upload, reason)
    if upload.bytes != size or not _fits(file, number, size):
        raise NotAPiece(_("This file changed while it was sent. Please add it again."))
    if str(number) not in upload.pieces:
        upload = _keep_piece(upload, number, file)
    return _finish(upload) if len(upload.pieces) == _count(size) else upload


def pieces_there(*, batch: Batch, key: uuid.UUID) -> list[int]:
    """The numbers of the pieces that need not be sent again."""
    upload = batch.uploads.filter(key=key, state=State.ARRIVING).first()
    return sorted(int(number) for number in upload.pieces) if upload else []


def settled(*, batch: Batch, key: uuid.UUID) -> Upload | None:
    """What became of the file with this key, if all of it has arrived."""
    uploads = batch.uploads.exclude(state=State.ARRIVING)
    return uploads.filter(key__in=[key, _key_of_whole(key)]).first()


def forget_abandoned() -> int:
    """Lets go of uploads that were broken off a day ago, with their pieces; how many."""
    abandoned = Upload.objects.filter(state=State.ARRIVING, next_try_at__lte=clock.now())
    return len([upload.delete() for upload in abandoned])


@contextlib.contextmanager
def gathered(upload: Upload) -> Iterator[IO[bytes]]:
    """The file made whole from its pieces: on disk, not in memory, and gone afterwards."""
    with tempfile.TemporaryFile(dir=settings.VAR_DIR) as whole:
        for number in range(len(upload.pieces)):
            with storages[PRIVATE].open(upload.pieces[str(number)]) as piece:
                shutil.copyfileobj(piece, whole, PIECE)
        whole.seek(0)
        yield whole


def wake_opener() -> None:
    from exchanges.tasks import open_archives

    wake(open_archives)


def _is_archive(file: IO[bytes]) -> bool:
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    return head.startswith(ZIPS)


def _sha256(file: File) -> str:
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    return digest.hexdigest()


def _store(file: File) -> str:
    """Keeps it in private storage; after an error nothing of it."""
    name = random_name(FOLDER, ".part")
    file.seek(0)
    try:
        return storages[PRIVATE].save(name, File(file))
    except Exception:
        with contextlib.suppress(Exception):  # what stays is found by the sweeper
            storages[PRIVATE].delete(name)
        raise


def _let_go(batch: Batch, key: uuid.UUID, kept: str) -> None:
    """Deletes what was stored, unless its row was written although no answer came."""
    with contextlib.suppress(Exception):
        upload = batch.uploads.filter(key=key).first()
        if upload is None or kept not in upload.private_files():
            storages[PRIVATE].delete(kept)


def _too_large() -> str:
    return _("This file is larger than 1 GB. Please make several smaller ZIP files.")


def _refused_early(file: File, number: int, size: int) -> str:
    """Why the rest need not be sent: a film is known to be too large by its first piece."""
    if size > LARGEST:
        return _too_large()
    if number == 0 and size > MAX_BYTES and not _is_archive(file):
        try:
            inspect(file, size=size)  # it has the sentence for this
        except ValidationError as refused:
            return " ".join(refused.messages)
    return ""


def _count(size: int) -> int:
    return math.ceil(size / PIECE)


def _fits(file: File, number: int, size: int) -> bool:
    return 0 <= number < _count(size) and file.size == min(PIECE, size - number * PIECE)


def _refuse(upload: Upload, reason: str) -> Upload:
    with transaction.atomic():
        discard(PRIVATE, upload.private_files())
        upload.state, upload.reason, upload.pieces = State.REFUSED, reason, {}
        upload.save()
    return upload


def _keep_piece(upload: Upload, number: int, file: File) -> Upload:
    kept = _store(file)
    try:
        with transaction.atomic():
            # Two pieces, or one piece twice, at the same moment: each adds itself in turn.
            locked = Upload.objects.select_for_update().filter(pk=upload.pk).first()
            if locked is None or locked.state != State.ARRIVING or str(number) in locked.pieces:
                discard(PRIVATE, [kept])
                return locked or _outcome(upload)
            locked.pieces[str(number)] = kept
            locked.next_try_at = clock.now() + PATIENCE
            locked.save()
            return locked
    except Exception:
        _let_go(upload.batch, upload.key, kept)
        raise


def _finish(upload: Upload) -> Upload:
    """All pieces are there. A second call, even at the same moment, gives the same outcome."""
    if upload.state != State.ARRIVING:
        return upload
    try:
        with storages[PRIVATE].open(upload.pieces["0"]) as first:
            is_archive = _is_archive(first)
        if is_archive:
            return _leave_to_opener(upload)
        with gathered(upload) as file:
            taken = take_in(
                batch=upload.batch,
                file=file,
                size=upload.bytes,
                name=upload.name,
                key=_key_of_whole(upload.key),
            )
    except FileNotFoundError:
        return _outcome(upload)
    upload.delete()
    return taken


def _leave_to_opener(upload: Upload) -> Upload:
    with transaction.atomic():
        arriving = Upload.objects.filter(pk=upload.pk, state=State.ARRIVING)
        arriving.update(state=State.WAITING, next_try_at=clock.now())
        transaction.on_commit(wake_opener)
    upload.refresh_from_db()
    return upload


def _outcome(upload: Upload) -> Upload:
    """What another request made of an upload whose pieces are gone."""
    if known := settled(batch=upload.batch, key=upload.key):
        return known
    upload.delete()  # nobody made anything of it: the storage lost them
    raise NotAPiece(_("Parts of this file were lost. Please add it again."))


def _key_of_whole(key: uuid.UUID) -> uuid.UUID:
    """The key under which a picture is taken in while the row of its pieces still stands.

    So a crash between the two leaves both, and the sender's next try ends in the same row.
    """
    return uuid.uuid5(key, "whole")
