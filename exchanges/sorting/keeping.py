"""Which photos a gallery shows, holds and lets go of.

What takes photos from public pages has done so when the function returns (trust.md, I7).
"""

import datetime as dt
from typing import Any

from django.db import transaction

from exchanges import releasing
from exchanges.downloading import drop_archives
from exchanges.models import Gallery, Photo
from exchanges.models.gallery import PhotoQuerySet, wake_releaser
from exchanges.sorting.clocks import take_along
from exchanges.sorting.order import sort_in
from sistercities.shared import clock

KEPT_FOR = dt.timedelta(days=30)


def choose_cover(photo: Photo) -> None:
    """Makes it the one cover of its gallery."""
    with transaction.atomic():
        Photo.objects.filter(gallery=photo.gallery_id, is_cover=True).update(is_cover=False)
        Photo.objects.filter(pk=photo.pk).update(is_cover=True)


def hide(photos: PhotoQuerySet) -> int:
    """Shows these photos to nobody outside from now on; how many were not hidden yet."""
    return _take_away(photos.kept().filter(is_hidden=False), is_hidden=True)


def show(photos: PhotoQuerySet) -> int:
    """Ends hiding; how many were hidden. Words and consent must still allow them."""
    with transaction.atomic():
        count = photos.kept().filter(is_hidden=True).update(is_hidden=False)
        transaction.on_commit(wake_releaser)
    return count


def delete(photos: PhotoQuerySet) -> int:
    """Puts photos aside for 30 days; how many. All of one call carry the same `deleted_at`."""
    return _take_away(photos.kept(), deleted_at=clock.now())


def bring_back(photos: PhotoQuerySet) -> int:
    """Undoes a deletion, with order, words and consents as they were; how many."""
    with transaction.atomic():
        count = photos.exclude(deleted_at=None).update(deleted_at=None)
        transaction.on_commit(wake_releaser)
    return count


def remove_deleted() -> int:
    """Removes for good, with all files, what was deleted 30 days ago; the number removed."""
    old = Photo.objects.filter(deleted_at__lt=clock.now() - KEPT_FOR)
    removed = 0
    for key in list(old.values_list("pk", flat=True)):
        with transaction.atomic():
            photo = old.select_for_update(of=("self",)).filter(pk=key).first()
            if photo:  # not brought back meanwhile
                photo.delete()
                removed += 1
    return removed


def move(photos: PhotoQuerySet, *, gallery: Gallery) -> int:
    """Moves photos to another gallery, where they are sorted in by time; how many.

    A camera's clock goes along if that gallery has no photo of the camera; else they take the
    clock that it has there.
    """
    with transaction.atomic():
        Gallery.objects.select_for_update().get(pk=gallery.pk)
        moved = list(photos.kept().exclude(gallery=gallery))
        take_along(moved, gallery)
        sort_in(moved, list(gallery.photos.kept()))
        drop_archives(photo.gallery_id for photo in moved)
        for photo in moved:
            photo.gallery, photo.is_cover = gallery, False
        columns = ["gallery", "is_cover", "order", "taken_at"]
        Photo.objects.bulk_update(moved, columns, batch_size=200)
        releasing.withhold(Photo.objects.filter(pk__in=[photo.pk for photo in moved]))
        transaction.on_commit(wake_releaser)
    return len(moved)


def _take_away(photos: PhotoQuerySet, **values: Any) -> int:
    # The keys first: the change itself may put the photos outside of the queryset.
    galleries = dict(photos.values_list("pk", "gallery_id"))
    with transaction.atomic():
        taken = Photo.objects.filter(pk__in=galleries)
        taken.update(**values)
        releasing.withhold(taken)
        drop_archives(galleries.values())
    return len(galleries)
