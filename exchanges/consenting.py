"""Guardians' consents are recorded and taken back; the photos that they cover follow at once.

trust.md, Minors: who, when, for what, until when, with evidence; taking it back hides every
rendition within a minute. Here it is done when the function returns.
"""

import contextlib
from typing import IO

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import transaction
from django.utils.translation import gettext as _

from exchanges import releasing
from exchanges.downloading import drop_archives
from exchanges.models import GuardianConsent, Photo
from exchanges.models.gallery import PhotoQuerySet, wake_releaser
from sistercities.shared import clock
from sistercities.shared.images import random_name
from sistercities.shared.site import at_home
from sistercities.shared.stored_files import PRIVATE, discard, store

FOLDER = "consents"
MAX_EVIDENCE_BYTES = 10 * 1024 * 1024
HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"mif1", b"msf1"}
CONTENT_TYPES = {
    ".pdf": "application/pdf", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
    ".heic": "image/heic",
}  # fmt: skip


def suffix_of(evidence: IO[bytes], *, size: int) -> str:
    """The kind of a scan by its first bytes, as a key of `CONTENT_TYPES`.

    Raises `ValidationError` in one sentence for any other kind and for more than 10 MB.
    """
    if size > MAX_EVIDENCE_BYTES:
        raise ValidationError(_("This file is larger than 10 MB. Please scan it smaller."))
    evidence.seek(0)
    start = evidence.read(12)
    evidence.seek(0)
    if start.startswith(b"%PDF-"):
        return ".pdf"
    if start.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if start[:4] == b"RIFF" and start[8:] == b"WEBP":
        return ".webp"
    if start[4:8] == b"ftyp" and start[8:] in HEIC_BRANDS:
        return ".heic"
    raise ValidationError(_("Please choose a PDF or a picture: JPEG, PNG, HEIC or WebP."))


@at_home()
def record(
    *,
    consent: GuardianConsent,
    by: User,
    evidence: File | None = None,
    without_evidence: bool = False,
) -> None:
    """Saves a new or changed consent; photos that it does not let stand any more go at once.

    `evidence` takes the place of the scan on file, `without_evidence` removes that. Raises
    `ValidationError` for a scan that is none, `OSError` if it cannot be stored; then nothing
    has changed.
    """
    stored = _store(evidence) if evidence else ""
    try:
        with transaction.atomic():
            if consent._state.adding:
                consent.recorded_by = by
                consent.evidence = stored
                consent.save()
            else:
                _change(consent, stored, without_evidence)
            _take_back_photos(consent)
            transaction.on_commit(wake_releaser)
    except BaseException:
        with contextlib.suppress(Exception):  # whoever called rolls back what we wrote, too
            storages[PRIVATE].delete(stored)
        raise


@at_home()
def withdraw(*, consent: GuardianConsent, by: User, note: str = "") -> int:
    """Takes a consent back for good; how many photos nobody can see any more for that.

    A second call changes nothing. When it returns and the transaction is over, none of those
    photos is on a page, in a feed, in a ZIP or at an address of its own; should the storage
    refuse to delete a file, the next minute's run tries again.
    """
    with transaction.atomic():
        consent = GuardianConsent.objects.select_for_update().get(pk=consent.pk)
        if consent.withdrawn_at:
            return 0
        count = reached(consent).count()
        consent.withdrawn_at, consent.withdrawn_by = clock.now(), by
        consent.withdrawn_note = note
        consent.save()
        _take_back_photos(consent)
    return count


def reached(consent: GuardianConsent) -> PhotoQuerySet:
    """The photos that people outside may see and that need this consent for it."""
    return Photo.objects.allowed().filter(consents=consent, people=Photo.People.MINORS)


def _change(consent: GuardianConsent, stored: str, without_evidence: bool) -> None:
    """Leaves alone what says that it was taken back: perhaps it was, since the form was opened."""
    before = GuardianConsent.objects.select_for_update().get(pk=consent.pk)
    consent.evidence = before.evidence
    if stored or without_evidence:
        discard(PRIVATE, before.private_files())
        consent.evidence = stored
    kept = {"id", "withdrawn_at", "withdrawn_by", "withdrawn_note"}
    consent.save(update_fields={field.name for field in consent._meta.fields} - kept)


def _take_back_photos(consent: GuardianConsent) -> None:
    """Those that may not be public any more, with the ZIP of each of their galleries."""
    photos = Photo.objects.filter(consents=consent)
    # A worker that is about to publish one of them waits for this lock and then knows better.
    locked = list(photos.order_by("pk").select_for_update(of=("self",)))
    releasing.withhold(photos)
    if not consent.is_in_force:
        drop_archives(photo.gallery_id for photo in locked)


def _store(evidence: File) -> str:
    name = random_name(FOLDER, suffix_of(evidence, size=evidence.size))
    store(PRIVATE, {name: evidence})
    return name
