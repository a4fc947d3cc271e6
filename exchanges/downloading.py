"""The photos of a gallery that may be seen, in one ZIP: made by a job, never by asking for it.

It holds what visitors see, free of metadata. What its `fingerprint` says must be true at the
moment when somebody asks, so a photo that was taken back is in no answer (trust.md, I7).
"""

import datetime as dt
import json
import logging
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from exchanges.models import Gallery, GalleryArchive, GalleryLink, Photo
from exchanges.models.gallery import PhotoQuerySet
from sistercities.shared import clock
from sistercities.shared.file_names import clean
from sistercities.shared.images import random_name, rendition_name
from sistercities.shared.site import at_home
from sistercities.shared.stored_files import PRIVATE, discard, plain_errors, store

logger = logging.getLogger(__name__)
FOLDER = "archives"
PIECE = 1024 * 1024
LEASE = dt.timedelta(minutes=15)
# An evening of captions changes the archive each minute; it is made anew at most this often.
QUIET = dt.timedelta(minutes=5)
LONGEST_PAUSE = 60  # minutes
LONGEST_WORDS = 60  # in a file name: four bytes a sign stay below the 255 of file systems
FORBIDDEN = str.maketrans(dict.fromkeys('<>:"/\\|?*', " "))  # in file names, by some systems
# What an archive is made of; the gallery's title stands before it.
SAID = (
    "pk", "picture_original", "picture_width", "picture_caption", "picture_alt", "picture_credit",
    "licence",
)  # fmt: skip


def ready(gallery: Gallery) -> GalleryArchive | None:
    """The gallery's archive, if it holds what may be seen at this moment and nothing else."""
    archive = GalleryArchive.objects.filter(gallery=gallery).exclude(file="").first()
    if archive and archive.fingerprint == _fingerprints([gallery.pk]).get(gallery.pk):
        return archive
    return None


@at_home()
def build_waiting() -> int:
    """Lets go of the archives that are wrong by now, then makes the missing ones; how many.

    Safe to run twice at once: each is claimed by moving its `next_try_at` ahead.
    """
    galleries = _wanted()
    GalleryArchive.objects.exclude(gallery__in=galleries.values("pk")).delete()
    right = _fingerprints(galleries.values("pk"))
    for archive in GalleryArchive.objects.exclude(file=""):
        if archive.fingerprint != right.get(archive.gallery_id):
            _let_go(archive)
    without = galleries.filter(pk__in=right).exclude(archive__file__gt="")
    return sum(_build(gallery) for gallery in without.order_by("pk"))


def drop_archives(galleries: Iterable[int]) -> None:
    """Lets go of the archives of these galleries, by their keys; the next run makes them anew."""
    GalleryArchive.objects.filter(gallery__in=set(galleries)).delete()


def _wanted() -> QuerySet[Gallery]:
    """The galleries that somebody outside can open at this moment."""
    return Gallery.objects.filter(
        Q(pk__in=Gallery.objects.published().values("pk"))
        | Q(pk__in=GalleryLink.objects.in_force().values("gallery"))
    )


def _photos(galleries) -> PhotoQuerySet:
    """The photos of these galleries, by their keys, that may be seen outside."""
    return Photo.objects.filter(gallery__in=galleries).allowed().worded().rendered()


def _fingerprints(galleries) -> dict[int, str]:
    """By gallery, what its archive should hold: one query. None for one without photos."""
    taken_in_turn = F("taken_at").asc(nulls_last=True)
    in_turn = _photos(galleries).order_by("gallery_id", "order", taken_in_turn, "pk")
    rows = in_turn.values_list("gallery_id", "gallery__title", *SAID).iterator()
    return {
        key: _fingerprint([row[1:] for row in of_gallery])
        for key, of_gallery in groupby(rows, key=itemgetter(0))
    }


def _fingerprint(rows: list[tuple]) -> str:
    return sha256(json.dumps(rows).encode()).hexdigest()


def _let_go(archive: GalleryArchive) -> None:
    with transaction.atomic():
        same = GalleryArchive.objects.filter(pk=archive.pk, file=archive.file)
        if same.update(file="", fingerprint=""):
            discard(PRIVATE, archive.private_files())


def _build(gallery: Gallery) -> bool:
    archive, _is_new = GalleryArchive.objects.get_or_create(gallery=gallery)
    lease = clock.now() + LEASE
    due = GalleryArchive.objects.filter(pk=archive.pk, file="", next_try_at__lte=clock.now())
    if not due.update(next_try_at=lease, attempts=archive.attempts + 1):
        return False
    ours = GalleryArchive.objects.filter(pk=archive.pk, next_try_at=lease)
    photos = list(_photos([gallery.pk]).in_order().only(*SAID))
    name = random_name(FOLDER, ".zip")
    try:
        size = _store(name, gallery, photos)
    except OSError as error:  # a full disk, a lost file
        logger.warning("The ZIP of gallery %s was not made: %s", gallery.pk, error)
        pause = min(2**archive.attempts, LONGEST_PAUSE)
        ours.update(next_try_at=clock.now() + dt.timedelta(minutes=pause))
        return False
    rows = [(gallery.title, *attrgetter(*SAID)(photo)) for photo in photos]
    with transaction.atomic():
        kept = ours.update(
            file=name, fingerprint=_fingerprint(rows), bytes=size, photo_count=len(photos),
            made_at=clock.now(), next_try_at=clock.now() + QUIET, attempts=0,
        )  # fmt: skip
        if not kept:  # dropped meanwhile, or taken over by another worker
            discard(PRIVATE, [name])
    return bool(kept)


def _store(name: str, gallery: Gallery, photos: list[Photo]) -> int:
    """Writes the ZIP into private storage, piece by piece; its size in bytes."""
    with tempfile.TemporaryFile(dir=settings.VAR_DIR) as file, plain_errors():
        _write(file, gallery, photos)
        size = file.tell()
        store(PRIVATE, {name: File(file)})
    return size


def _write(file: IO[bytes], gallery: Gallery, photos: list[Photo]) -> None:
    """Nothing in it tells the hour of a photo: each entry carries the day of the ZIP."""
    day = clock.today().timetuple()[:6]
    credits = [gallery.title]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for number, photo in enumerate(photos, start=1):
            entry = zipfile.ZipInfo(_entry_name(number, photo), day)
            width = photo.picture_width
            source = rendition_name(photo.stored_renditions, width, width, ".jpg")
            with storages[PRIVATE].open(source) as picture, archive.open(entry, "w") as copy:
                shutil.copyfileobj(picture, copy, PIECE)
            credits.append(_credit(entry.filename, photo))
        archive.writestr(zipfile.ZipInfo(_("credits.txt"), day), "\n\n".join(credits) + "\n")


def _entry_name(number: int, photo: Photo) -> str:
    """Such as `001 At the gate.jpg`: letters of every script stay."""
    words = photo.picture_caption or photo.picture_alt
    words = " ".join(words.translate(FORBIDDEN).split())[:LONGEST_WORDS].strip(" .")
    return f"{number:03} {clean(words)}.jpg" if words else f"{number:03}.jpg"


def _credit(name: str, photo: Photo) -> str:
    lines = [
        name, photo.picture_caption, photo.picture_credit, photo.get_licence_display(),
        photo.licence_url,
    ]  # fmt: skip
    return "\n".join(" ".join(line.split()) for line in lines if line)
