"""Photos come in: each file becomes a row before its sender gets an answer.

One door for the admin's drop zone, for the entries of an archive and for `import_photos`.
"""

import contextlib
import datetime as dt
import hashlib
import uuid
from typing import IO

from django.core.exceptions import ValidationError
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Q
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from exchanges.models import Batch, Gallery, Photo, Upload
from sistercities.shared.file_names import clean
from sistercities.shared.images import inspect
from sistercities.shared.pictures import Received, store_original
from sistercities.shared.rendering import request_rendering
from sistercities.shared.rows import stand_in_line
from sistercities.shared.stored_files import PRIVATE, discard

PIECE = 1024 * 1024
LONGEST_REASON = 250  # characters: a gallery and a file may both have long names


def take_in(
    *,
    batch: Batch,
    file: IO[bytes],
    size: int,
    name: str,
    key: uuid.UUID | None = None,
    archive: Upload | None = None,
) -> Upload:
    """One file of a batch: stored, here already, or refused with a sentence. Nothing is decoded.

    When it returns, the original lies in private storage and the row is committed. The same key,
    or the same name with the same content, in the same batch gives the same row again, so a
    sender that lost the answer may simply repeat. Raises `OSError` if the storage cannot take it
    and `OperationalError` if the database cannot; then nothing is left of it.
    """
    name, key, digest = clean(name), key or uuid.uuid4(), _sha256(file)
    said = {"key": key, "name": name, "bytes": size, "sha256": digest, "archive": archive}
    if known := _known(batch, key, name, digest):
        return known
    try:
        received, reason = store_original(file, size=size), ""
    except ValidationError as refused:
        received, reason = None, " ".join(refused.messages)
    try:
        with transaction.atomic():
            # Two copies that come at the same moment: the second waits and finds the first.
            stand_in_line(f"photo {digest}")
            Batch.objects.get(pk=batch.pk)
            if known := _known(batch, key, name, digest):
                discard(PRIVATE, [received.name] if received else [])
                return known
            return _keep(batch, said, received) if received else _refuse(batch, said, reason)
    except Exception:
        if received:
            _let_go(received.name)
        raise


def add_anyway(upload: Upload) -> Upload:
    """Adds a file that was here already as a photo of its own. A second call changes nothing."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        if upload.state != Upload.State.DUPLICATE:
            return upload
        with storages[PRIVATE].open(upload.original) as file:
            received = Received(upload.original, inspect(file, size=upload.bytes))
        upload.photo = _add_photo(upload.batch, upload.name, upload.sha256, received)
        upload.state, upload.original, upload.reason = Upload.State.STORED, "", ""
        upload.save()
    return upload


def leave_out(upload: Upload) -> Upload:
    """Lets go of a file that was here already. A second call changes nothing."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        if upload.state == Upload.State.DUPLICATE:
            discard(PRIVATE, [upload.original])
            upload.state, upload.original = Upload.State.LEFT_OUT, ""
            upload.save()
    return upload


def _let_go(original: str) -> None:
    """Deletes an original, unless its row was written although no answer came."""
    with contextlib.suppress(Exception):  # what stays is found by the sweeper
        photos = Photo.objects.filter(picture_original=original)
        if not (photos.exists() or Upload.objects.filter(original=original).exists()):
            storages[PRIVATE].delete(original)


def _sha256(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _known(batch: Batch, key: uuid.UUID, name: str, digest: str) -> Upload | None:
    uploads = Upload.objects.filter(batch=batch).exclude(state=Upload.State.ARRIVING)
    same = uploads.filter(name=name, sha256=digest)
    gone = Q(photo__deleted_at__isnull=False) | Q(photo=None, state=Upload.State.STORED)
    return uploads.filter(key=key).first() or same.exclude(gone).first()


def _refuse(batch: Batch, said: dict, reason: str) -> Upload:
    return Upload.objects.create(batch=batch, state=Upload.State.REFUSED, reason=reason, **said)


def _keep(batch: Batch, said: dict, received: Received) -> Upload:
    twin = Photo.objects.kept().filter(sha256=said["sha256"]).select_related("gallery").first()
    if twin:
        reason = _("The same picture is in “%(gallery)s” already, as %(name)s.") % {
            "gallery": twin.gallery,
            "name": twin.file_name or twin,
        }
        return Upload.objects.create(
            batch=batch,
            state=Upload.State.DUPLICATE,
            reason=Truncator(reason).chars(LONGEST_REASON),
            duplicate_of=twin,
            original=received.name,
            **said,
        )
    photo = _add_photo(batch, said["name"], said["sha256"], received)
    return Upload.objects.create(batch=batch, state=Upload.State.STORED, photo=photo, **said)


def _add_photo(batch: Batch, name: str, digest: str, received: Received) -> Photo:
    photo = Photo(
        gallery=batch.gallery,
        batch=batch,
        file_name=name,
        sha256=digest,
        picture_original=received.name,
        picture_credit=batch.credit,
        licence=batch.licence,
        people=batch.people,
    )
    photo.picture_received(received.notes)
    photo.order = _order_of(batch.gallery, photo.taken_at)
    photo.save()
    photo.consents.set(batch.consents.all())
    request_rendering(photo)
    return photo


def _order_of(gallery: Gallery, taken_at: dt.datetime | None) -> int:
    """The place of the photo taken just before; 0 where staff have not ordered by hand."""
    before = gallery.photos.kept().order_by("-order")
    if taken_at:
        before = before.filter(taken_at__lte=taken_at).order_by("-taken_at", "-order")
    return before.values_list("order", flat=True).first() or 0
