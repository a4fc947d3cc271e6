"""The order of a gallery's photos."""

import datetime as dt
import hashlib
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from exchanges.album import Chapter, in_chapters
from exchanges.models import Gallery, Photo

WITHOUT_TIME = "more"  # the chapter of photos without a moment
SECOND = dt.timedelta(seconds=1)


@dataclass
class Story:
    """A gallery's photos as staff see them: every date has its chapter, no time the last one."""

    chapters: list[Chapter]

    @classmethod
    def of(cls, gallery: Gallery, photos: Sequence[Photo]) -> Self:
        """`photos` must be in order. Asks at most two questions."""
        days = gallery.visit.days.defer("text") if gallery.visit else []
        moments = [(photo.pk, photo.taken_at) for photo in photos]
        chapters = in_chapters(moments, days, gallery.local_zone, exact=True)
        if not chapters or chapters[-1].anchor != WITHOUT_TIME:
            chapters.append(Chapter(WITHOUT_TIME))
        by_key = {photo.pk: photo for photo in photos}
        for chapter in chapters:
            chapter.photos = [by_key[key] for key in chapter.keys]
        return cls(chapters)

    @property
    def photos(self) -> list[Photo]:
        return [photo for chapter in self.chapters for photo in chapter.photos]

    @property
    def mark(self) -> str:
        """The same for the same photos in the same order: who sorts says what was seen."""
        keys = ",".join(str(photo.pk) for photo in self.photos)
        return hashlib.sha256(keys.encode()).hexdigest()[:16]

    def guessed(self) -> set[int]:
        """Photos of the same second as a neighbor, where nobody has said which comes first."""
        pairs = [
            {first.pk, second.pk}
            for first, second in pairwise(self.photos)
            if first.order == second.order and _second(first) == _second(second) is not None
        ]
        return set().union(*pairs)


def is_free(photo: Photo) -> bool:
    """Whether its day may be set by hand: no camera wrote a time down, or none counts."""
    return photo.camera_time is None or photo.taken_at is None


def place(
    *, gallery: Gallery, keys: Collection[int], chapter: str, before: int | None = None
) -> None:
    """Moves photos, as they follow each other, before another photo of a chapter, else to its end.

    A photo without a time takes that day, at the time of the photo before it or else at noon;
    put among those without a time it loses its own again. Raises `ValidationError` where one has
    the time of its camera and would have to change its day, and where nothing is there to move.
    """
    with transaction.atomic():
        story = _opened(gallery)
        moved = [photo for photo in story.photos if photo.pk in keys]
        target = next((each for each in story.chapters if each.anchor == chapter), None)
        if target is None or not moved:
            raise ValidationError(_("That is not here any more. Please look at the page again."))
        rest = [photo for photo in target.photos if photo.pk not in keys]
        at = next((n for n, photo in enumerate(rest) if photo.pk == before), len(rest))
        strangers = [photo for photo in moved if photo.pk not in target.keys]
        _date(strangers, target, rest[at - 1 : at], rest[at : at + 1], gallery.local_zone)
        for each in story.chapters:
            each.photos = [photo for photo in each.photos if photo.pk not in keys]
        target.photos = [*rest[:at], *moved, *rest[at:]]
        _keep(story, by_hand=keys)


def step(*, gallery: Gallery, key: int, by: int) -> None:
    """Moves a photo one place earlier (`by` is -1) or later (1); at the end of its day it stays."""
    with transaction.atomic():
        story = _opened(gallery)
        chapter = next((each for each in story.chapters if key in each.keys), None)
        if chapter is None:
            raise ValidationError(_("That is not here any more. Please look at the page again."))
        rest = [other for other in chapter.photos if other.pk != key]
        at = min(max(chapter.keys.index(key) + by, 0), len(rest))
        rest.insert(at, next(photo for photo in chapter.photos if photo.pk == key))
        chapter.photos = rest
        _keep(story, by_hand={key})


def sort_by_numbers(*, gallery: Gallery, numbers: Mapping[int, int], mark: str) -> bool:
    """Sorts each day by the numbers typed for its photos; whether one moved.

    A photo that is given another one's number stands before that when it goes up, after it when
    it goes down. Raises `ValidationError` if the order is not the one whose `mark` was seen.
    """
    with transaction.atomic():
        story = _opened(gallery)
        if story.mark != mark:
            raise ValidationError(
                _("Somebody else moved photos meanwhile. This is the order now: please type your "
                  "numbers once more.")
            )  # fmt: skip
        by_hand = set()
        for chapter in story.chapters:
            ranks = {}
            for now, photo in enumerate(chapter.photos, start=1):
                typed = numbers.get(photo.pk, now)
                ranks[photo.pk] = (typed, (typed > now) - (typed < now), now)
                if typed != now:
                    by_hand.add(photo.pk)
            chapter.photos.sort(key=lambda photo: ranks[photo.pk])
        _keep(story, by_hand=by_hand)
    return bool(by_hand)


def confirm_guessed(*, gallery: Gallery) -> int:
    """Says of all photos of the same second that they stand right; of how many."""
    with transaction.atomic():
        story = _opened(gallery)
        guessed = story.guessed()
        _keep(story, by_hand=guessed)
    return len(guessed)


def sort_by_time(*, gallery: Gallery) -> None:
    """Forgets every order by hand."""
    gallery.photos.update(order=0)


def _opened(gallery: Gallery) -> Story:
    """The story, in a transaction in which nobody else sorts this gallery."""
    Gallery.objects.select_for_update().get(pk=gallery.pk)
    return Story.of(gallery, list(gallery.photos.kept().in_order()))


def _date(
    photos: list[Photo], chapter: Chapter, before: list[Photo], after: list[Photo], zone: ZoneInfo
) -> None:
    """Gives photos the day of a chapter that they are to join."""
    if not all(is_free(photo) for photo in photos):
        raise ValidationError(
            _("A photo with the time of its camera stays in its day. If the day is wrong, set the "
              "clock of the camera, or the moment on the photo’s own page.")
        )  # fmt: skip
    if photos and not chapter.on and chapter.anchor != WITHOUT_TIME:
        raise ValidationError(_("This day has no date yet. Give it one on the page of its visit."))
    for number, photo in enumerate(photos, start=1):
        photo.taken_at = None
        if chapter.on:
            first = dt.datetime.combine(chapter.on, dt.time.min, zone)
            last = dt.datetime.combine(chapter.on, dt.time(23, 59, 59), zone)
            noon = dt.datetime.combine(chapter.on, dt.time(12), zone)
            moment = next((each.taken_at for each in before if each.taken_at), None)
            if moment is None and after and after[0].taken_at:
                moment = after[0].taken_at - (len(photos) + 1) * SECOND
            photo.taken_at = min(max((moment or noon) + number * SECOND, first), last)


def _keep(story: Story, *, by_hand: Collection[int]) -> None:
    """Numbers the runs anew and saves what that changed. Whoever calls has opened the story."""
    photos = story.photos
    runs = [1] * len(photos)
    for at, (first, second) in enumerate(pairwise(photos), start=1):
        goes_on = (
            first.order == second.order
            and first.pk not in by_hand
            and second.pk not in by_hand
            and _natural(first) < _natural(second)
        )
        runs[at] = runs[at - 1] if goes_on else runs[at - 1] + 1
    changed = []
    for photo, run in zip(photos, runs, strict=True):
        if photo.order != run or photo.pk in by_hand:
            photo.order = run
            changed.append(photo)
    Photo.objects.bulk_update(changed, ["order", "taken_at"], batch_size=200)


def _natural(photo: Photo) -> tuple:
    """What photos of one run are sorted by."""
    return (photo.taken_at is None, photo.taken_at or 0, photo.pk)


def _second(photo: Photo) -> dt.datetime | None:
    return photo.taken_at and photo.taken_at.replace(microsecond=0)


def sort_in(photos: Iterable[Photo], others: Sequence[Photo]) -> None:
    """Gives each photo the run of the one taken before it, as intake does; does not save.

    Where no other photo has a time, they keep the order that they have.
    """
    timed = sorted((other.taken_at, other.order) for other in others if other.taken_at)
    moments = [moment for moment, _order in timed]
    for photo in photos if timed else ():
        at = bisect_right(moments, photo.taken_at) if photo.taken_at else len(timed)
        photo.order = timed[at - 1][1] if at else 0
