"""Photos get their words: many rows at once, by several people, and nobody's words are lost.

Who describes a photo says what it held when the page was opened. What somebody else changed
since, and this person did not touch, stays; what both changed is told and not saved.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from exchanges import captions, releasing
from exchanges.models import Gallery, Photo
from exchanges.models.gallery import wake_releaser

Words = Mapping[str, Any]  # by the names of `FIELDS`; consents are a sorted list of keys
COLUMNS = (
    "picture_caption", "picture_alt", "is_decorative", "people", "picture_credit", "licence",
)  # fmt: skip
FIELDS = (*COLUMNS, "consents")
CHECKS: dict[str, forms.Field] = forms.fields_for_model(Photo, fields=FIELDS)


@dataclass(frozen=True)
class Said:
    """What somebody typed for the photo `key`; `mark` says what it held when they began.

    `is_sure`: they looked, and it names no child and no child's school.
    """

    key: int
    words: Words
    mark: str
    is_sure: bool = False


@dataclass
class Outcome:
    """What came of it: the fields that changed, or why nothing did."""

    said: Said
    photo: Photo | None = None  # None if it was deleted or moved meanwhile
    changed: list[str] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)  # a field or "", a sentence
    doubts: list[str] = field(default_factory=list)  # what looks like the name of a child
    overtaken: list[str] = field(default_factory=list)  # fields that somebody else changed too

    @property
    def is_saved(self) -> bool:
        return not (self.errors or self.doubts or self.overtaken)


def words_of(photo: Photo) -> dict[str, Any]:
    """What a photo holds. Its consents should be prefetched."""
    values: dict[str, Any] = {name: getattr(photo, name) for name in COLUMNS}
    return values | {"consents": sorted(consent.pk for consent in photo.consents.all())}


def mark_of(words: Words) -> str:
    """A short print of each field, with points between: says later which of them were changed."""
    prints = (hashlib.sha256(repr(words[name]).encode()).hexdigest()[:10] for name in FIELDS)
    return ".".join(prints)


def changed_since(words: Words, mark: str) -> list[str]:
    """The fields that are not what they were when `mark` was made; all if that is no mark."""
    before = mark.split(".")
    if len(before) != len(FIELDS):
        return list(FIELDS)
    now = mark_of(words).split(".")
    return [name for name, old, new in zip(FIELDS, before, now, strict=True) if old != new]


def describe(
    *, gallery: Gallery, rows: Sequence[Said], fields: Collection[str] = FIELDS
) -> list[Outcome]:
    """Gives photos of a gallery their words, each photo wholly or not at all; one outcome a row.

    Only `fields` may change. When this returns, whatever may not be public with its new words or
    answers has been taken back (trust.md, Minors, I7).
    """
    known = captions.names_known_to(gallery)
    with transaction.atomic():
        mine = gallery.photos.kept().filter(pk__in=[row.key for row in rows])
        locked = mine.select_for_update(of=("self",)).prefetch_related("consents")
        photos = {photo.pk: photo for photo in locked}
        outcomes = [_apply(row, photos.get(row.key), fields, known) for row in rows]
        changed = [outcome.photo for outcome in outcomes if outcome.changed and outcome.photo]
        Photo.objects.bulk_update(changed, [*COLUMNS, "confirmed_caption"], batch_size=100)
        for outcome in outcomes:
            if outcome.photo and "consents" in outcome.changed:
                outcome.photo.consents.set(outcome.said.words["consents"])
        releasing.withhold(Photo.objects.filter(pk__in=[photo.pk for photo in changed]))
        transaction.on_commit(wake_releaser)
    return outcomes


def _apply(
    said: Said, photo: Photo | None, fields: Collection[str], known: Collection[str]
) -> Outcome:
    """Puts what was said on the photo, unsaved; on one that stays as it is, nothing."""
    outcome = Outcome(said, photo)
    if photo is None:
        outcome.errors = [("", _("This photo was deleted or moved meanwhile."))]
        return outcome
    now = words_of(photo)
    touched = [name for name in changed_since(said.words, said.mark) if name in fields]
    wanted = [name for name in touched if said.words[name] != now[name]]
    elsewhere = changed_since(now, said.mark)
    outcome.overtaken = [name for name in wanted if name in elsewhere]
    outcome.errors = _errors(said.words, wanted)
    if outcome.overtaken or outcome.errors:
        return outcome
    for name in wanted:
        if name in COLUMNS:
            setattr(photo, name, said.words[name])
    found = captions.doubts(photo, known=known)
    if found and said.is_sure:
        captions.confirm(photo)
    elif found:
        for name in COLUMNS:
            setattr(photo, name, now[name])
        outcome.doubts = found
        return outcome
    outcome.changed = wanted
    return outcome


def _errors(words: Words, names: Collection[str]) -> list[tuple[str, str]]:
    errors = []
    for name in names:
        try:
            CHECKS[name].clean(words[name])
        except ValidationError as refused:
            errors.append((name, " ".join(refused.messages)))
    return errors
