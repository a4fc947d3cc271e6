"""Which photos' files are public: brought in line with what consent and staff say at this moment.

A photo's renditions lie in private storage. To publish it is to copy them to a fresh random
address; to take it back is to forget that address and delete what is there. So an address that
was known once never comes back, and nothing is public that `publishable()` does not name
(trust.md, Minors, I7).
"""

import contextlib
import logging

from django.core.files.storage import storages
from django.db import transaction

from exchanges.downloading import drop_archives
from exchanges.models import Photo
from exchanges.models.gallery import PhotoQuerySet
from sistercities.newsletter import composing
from sistercities.shared.images import random_name, rendition_names
from sistercities.shared.rows import each
from sistercities.shared.site import at_home
from sistercities.shared.stored_files import PRIVATE, PUBLIC, discard, plain_errors, store

logger = logging.getLogger(__name__)
FOLDER = "photos"


@at_home()
def settle() -> int:
    """Takes back what may not be public any more, then publishes what may; how many changed.

    Runs each minute and after every change that matters. Safe to run twice at once.
    """
    changed = withhold(Photo.objects.all())
    for photo in each(Photo.objects.publishable().filter(picture="")):
        try:
            changed += _publish(photo)
        except OSError as error:  # a full disk, a lost file: the others shall not wait
            logger.warning("Photo %s was not published: %s", photo.pk, error)
    return changed


@at_home()
def withhold(photos: PhotoQuerySet) -> int:
    """Takes back those of `photos` that may not be public at this moment; how many were.

    Letters hold copies of photos: those that consent no longer lets stand there go too.
    """
    if copied := composing.copied_photos():
        composing.take_back_photos(copied - allowed_in_letters(copied))
    return take_back(photos.exclude(pk__in=Photo.objects.publishable().values("pk")))


@at_home()
def allowed_in_letters(sources: set[str]) -> set[str]:
    """Those of these photos, named as `photo:12`, that consent lets stand in letters now."""
    keys = [source.removeprefix("photo:") for source in sources if source.startswith("photo:")]
    rows = Photo.objects.allowed_in_letters().filter(pk__in=keys)
    return {f"photo:{key}" for key in rows.values_list("pk", flat=True)}


def take_back(photos: PhotoQuerySet) -> int:
    """Makes these photos' public files go, at once and with the galleries' ZIP; how many did.

    The rows say so when this returns; the files are deleted right after the transaction.
    """
    with transaction.atomic():
        shown = photos.exclude(picture="").order_by("pk")
        out = list(shown.select_for_update(of=("self",)))
        for photo in out:
            photo.adopt_original()
            discard(PUBLIC, photo.public_traces())
        Photo.objects.filter(pk__in=[photo.pk for photo in out]).update(picture="")
        drop_archives(photo.gallery_id for photo in out)
    return len(out)


def _publish(photo: Photo) -> int:
    name = random_name(FOLDER, ".webp")
    sizes = {"has_avif": photo.picture_has_avif}
    originals = rendition_names(photo.stored_renditions, photo.picture_width, **sizes)
    copies = rendition_names(name, photo.picture_width, **sizes)
    with contextlib.ExitStack() as opened, plain_errors():
        files = [opened.enter_context(storages[PRIVATE].open(name)) for name in originals]
        store(PUBLIC, dict(zip(copies, files, strict=True)))
    with transaction.atomic():
        # Waits for whoever takes it back at this moment; the next question then knows of it.
        Photo.objects.select_for_update().in_bulk([photo.pk])
        waiting = Photo.objects.publishable().filter(
            pk=photo.pk,
            picture="",
            picture_original=photo.picture_original,
            picture_has_avif=photo.picture_has_avif,
        )
        published = waiting.update(picture=name)
        if not published:  # taken back, or published by another worker, meanwhile
            discard(PUBLIC, copies)
    return published
