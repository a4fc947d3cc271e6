"""Clocks of cameras: read where the gallery is, put right by one photo whose real time is known."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cities.models import City
from exchanges.models import CameraClock, Gallery, Photo
from exchanges.sorting.order import sort_in

LONGEST_SHIFT = dt.timedelta(days=100 * 365)
NO_SHIFT = dt.timedelta()


@dataclass(frozen=True)
class Camera:
    """The photos of one camera that wrote a time down, in the order of its clock."""

    name: str
    photos: list[Photo]
    shift: dt.timedelta | None

    @property
    def first(self) -> Photo:
        return self.photos[0]

    @property
    def last(self) -> Photo:
        return self.photos[-1]

    @property
    def by_hand(self) -> int:
        """How many have a moment that staff set; the clock leaves them alone."""
        return sum(not follows(photo, self.shift) for photo in self.photos)


def cameras_of(gallery: Gallery, photos: Sequence[Photo]) -> list[Camera]:
    """By name. Asks one question."""
    shifts = gallery.clock_shifts
    timed = [photo for photo in photos if photo.camera_time]
    timed.sort(key=lambda photo: (photo.camera, photo.camera_time, photo.pk))
    return [
        Camera(name, list(of_camera), shifts.get(name))
        for name, of_camera in groupby(timed, key=lambda photo: photo.camera)
    ]


def by_clock(photo: Photo, shift: dt.timedelta | None) -> dt.datetime | None:
    """The moment that its camera's clock gives the photo."""
    return photo.camera_time and photo.camera_time + (shift or NO_SHIFT)


def follows(photo: Photo, shift: dt.timedelta | None) -> bool:
    """Whether that is the moment it has, not one set by hand."""
    return photo.camera_time is not None and photo.taken_at == by_clock(photo, shift)


def set_clock(*, gallery: Gallery, photo: Photo, real_time: dt.datetime) -> int:
    """Shifts the series of the photo's camera so that this one was taken at `real_time`; how many.

    `real_time` is naive, on the clock of the gallery's zone. Later uploads of the camera take the
    shift too. Photos whose moment staff set by hand keep it. The series is sorted by time again
    where other photos stand in the gallery. Raises `ValidationError`.
    """
    if photo.camera_time is None:
        raise ValidationError(_("The camera wrote no time into this photo."))
    shift = real_time.replace(tzinfo=gallery.local_zone) - photo.camera_time
    if abs(shift) > LONGEST_SHIFT:
        raise ValidationError(_("Please check the year."))
    with transaction.atomic():
        count = _shift(gallery, photo.camera, shift)
        CameraClock.objects.update_or_create(
            gallery=gallery, camera=photo.camera, defaults={"shift": shift}
        )
    return count


def forget_clock(*, gallery: Gallery, camera: str) -> int:
    """Gives the camera's photos the time that its clock showed; how many."""
    with transaction.atomic():
        count = _shift(gallery, camera, NO_SHIFT)
        gallery.camera_clocks.filter(camera=camera).delete()
    return count


def _shift(gallery: Gallery, camera: str, shift: dt.timedelta) -> int:
    Gallery.objects.select_for_update().get(pk=gallery.pk)
    before = gallery.camera_clocks.filter(camera=camera).values_list("shift", flat=True).first()
    photos = list(gallery.photos.all())
    series = {p.pk: p for p in photos if p.camera == camera and follows(p, before)}
    for photo in series.values():
        photo.taken_at = by_clock(photo, shift)
    sort_in(series.values(), [p for p in photos if p.pk not in series and not p.deleted_at])
    Photo.objects.bulk_update(series.values(), ["order", "taken_at"], batch_size=200)
    return len(series)


def take_along(photos: Sequence[Photo], gallery: Gallery) -> None:
    """Before photos move to `gallery`: their camera's clock moves too, or they take the one there.

    The clock moves where that gallery knows no photo of the camera. Changes `taken_at` unsaved.
    """
    known = {*gallery.photos.values_list("camera", flat=True), *gallery.clock_shifts}
    rows = CameraClock.objects.filter(gallery__in={photo.gallery_id for photo in photos})
    shifts = {(row.gallery_id, row.camera): row.shift for row in rows}
    for photo in photos:
        shift = shifts.get((photo.gallery_id, photo.camera))
        if photo.camera in known:
            if follows(photo, shift):
                photo.taken_at = by_clock(photo, gallery.clock_shifts.get(photo.camera))
        elif shift:
            CameraClock.objects.get_or_create(
                gallery=gallery, camera=photo.camera, defaults={"shift": shift}
            )


def follow_zones() -> int:
    """Reads clocks anew where a gallery has another zone than when its photos came; how many.

    Staff chose another visit or city for it, or moved photos into it. A camera that wrote its own
    offset needs none of this, and moments that staff set by hand stay. Safe to run twice at once.
    """
    read_in: dict[int, set[str]] = defaultdict(set)
    rows = Photo.objects.exclude(clock_zone="").order_by()
    for key, name in rows.values_list("gallery", "clock_zone").distinct():
        read_in[key].add(name)
    home = City.objects.filter(relationship=City.Relationship.HOME).first()
    galleries = Gallery.objects.select_related("city", "visit__city").filter(pk__in=read_in)
    count = 0
    for gallery in galleries:
        zone = gallery.zone(ZoneInfo((home or gallery.city).time_zone))
        if read_in[gallery.pk] != {zone.key}:
            count += _read_anew(gallery, zone)
    return count


@transaction.atomic
def _read_anew(gallery: Gallery, zone: ZoneInfo) -> int:
    Gallery.objects.select_for_update().get(pk=gallery.pk)
    photos = list(gallery.photos.all())
    strangers, series = [], {}
    for photo in photos:
        if photo.camera_time is None or photo.clock_zone in {"", zone.key}:
            continue
        shift = gallery.clock_shifts.get(photo.camera)
        if follows(photo, shift):
            series[photo.pk] = photo
        wall = photo.camera_time.astimezone(ZoneInfo(photo.clock_zone))
        photo.camera_time, photo.clock_zone = wall.replace(tzinfo=zone), zone.key
        if photo.pk in series:
            photo.taken_at = by_clock(photo, shift)
        strangers.append(photo)
    sort_in(series.values(), [p for p in photos if p.pk not in series and not p.deleted_at])
    fields = ["camera_time", "clock_zone", "order", "taken_at"]
    Photo.objects.bulk_update(strangers, fields, batch_size=200)
    return len(strangers)
