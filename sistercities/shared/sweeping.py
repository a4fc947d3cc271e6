"""Rows without files and files without rows: found, told and, if asked, mended (trust.md, I5).

It reads the storages' lists and every row once and keeps only names in mind: some 65 MB for
20,000 photos. What happens meanwhile is looked at again before anything is said or done.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

from django.apps import apps
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from sistercities.shared import clock
from sistercities.shared.pictures import Pictured
from sistercities.shared.rendering import (
    AvifTrial,
    Rendering,
    request_rendering,
    wake_renderer,
)
from sistercities.shared.rows import AT_ONCE, each
from sistercities.shared.stored_files import (
    PRIVATE,
    PUBLIC,
    DiscardedFile,
    KeepsFiles,
    discard,
    plain_errors,
    remove_discarded,
)

YOUNG = dt.timedelta(hours=1)
PLACES = {PUBLIC: "public", PRIVATE: "private"}
STEM = 32  # characters of a random name, which a picture's original and renditions share


@dataclass(frozen=True)
class Found:
    """One thing that is not as it should be. `row` is like `exchanges.Photo 12`."""

    row: str
    storage: str
    file: str
    is_mended: bool


@dataclass
class Report:
    rows_without_files: list[Found] = field(default_factory=list)
    files_without_rows: list[Found] = field(default_factory=list)
    stuck: list[Found] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many of them are still so."""
        return sum(not found.is_mended for part in vars(self).values() for found in part)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "left": self.left}


def sweep(*, mend: bool = False, spare: Collection[str] = ()) -> Report:
    """Holds all rows and all files against each other; a second run after mending finds nothing.

    To mend is to have pictures rendered or published again and to delete the files that no row
    names, but for those in a storage of `spare` and for those younger than an hour, whose rows
    may be on their way. What cannot be mended stays in the report.
    """
    report = Report()
    names = {storage: set(_names(storages[storage])) for storage in PLACES}
    in_work = _in_work()
    for row in _rows():
        kept = {PUBLIC: row.public_files(), PRIVATE: row.private_files()}
        is_whole = all(names[storage].issuperset(files) for storage, files in kept.items())
        if getattr(row, "picture_original", "") in in_work:
            kept[PUBLIC] = row.public_traces()  # its job may be about to add to them
        for storage, files in kept.items():
            names[storage].difference_update(files)
        is_told = isinstance(row, Pictured) and _look_for_work(row, names[PRIVATE], report, mend)
        if not (is_whole or is_told):
            _look_closer(row, report, mend)
    _free_what_is_stuck(report, mend)
    for storage in PLACES:
        _sweep_out(storage, names[storage], report, mend and storage not in spare)
    return report


def sweep_public() -> int:
    """Mends daily, but leaves the originals alone; how many public files were deleted.

    An original without a row may be one whose row was lost, for example by restoring a database
    of yesterday. To delete those is for a person to say: `manage.py sweep --mend`.
    """
    report = sweep(mend=True, spare=[PRIVATE])
    return sum(found.is_mended for found in report.files_without_rows)


def _names(storage: Storage, folder: str = "") -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever stored, or the folder went meanwhile
        return
    for name in files:
        if name and not name.startswith("."):
            yield f"{folder}{name}"
    for name in folders:
        if name and not name.startswith("."):
            yield from _names(storage, f"{folder}{name}/")


def _rows() -> Iterator[KeepsFiles]:
    for model in apps.get_models():
        if issubclass(model, KeepsFiles):
            yield from each(model._base_manager.all())


def _as_text(row: KeepsFiles) -> str:
    return f"{row._meta.label} {row.pk}"


def _look_closer(row: KeepsFiles, report: Report, mend: bool) -> None:
    """Asks row and storage again: by now the file may be there or the row have another one."""
    with transaction.atomic():
        now = type(row)._base_manager.select_for_update().filter(pk=row.pk).first()
        if now is None:
            return
        public = [name for name in now.public_files() if not storages[PUBLIC].exists(name)]
        private = [name for name in now.private_files() if not storages[PRIVATE].exists(name)]
        original = getattr(now, "picture_original", "")
        is_coming = original and original not in private and _is_waiting(original)
        if is_coming or not (public or private):
            return
        lost = set(now.mend_files(public=public, private=private)) if mend else ()
    for storage, files in ((PUBLIC, public), (PRIVATE, private)):
        for name in files:
            is_mended = mend and name not in lost
            report.rows_without_files.append(Found(_as_text(now), PLACES[storage], name, is_mended))


def _is_waiting(original: str) -> bool:
    return Rendering.objects.filter(original=original).exists()


def _look_for_work(row: Pictured, files: set[str], report: Report, mend: bool) -> bool:
    """An upload that no job was asked to render, or one from before uploads had their own names.

    Whether there is such a one.
    """
    earlier = files.intersection(row.earlier_originals)
    files -= earlier
    is_forgotten = row.picture_is_waiting and not _is_waiting(row.picture_original)
    if not (earlier or is_forgotten):
        return False
    with transaction.atomic():
        now = type(row)._base_manager.select_for_update().filter(pk=row.pk).first()
        if now is None or now.picture_original != row.picture_original:
            return True  # something has been done with it meanwhile
        original = now.picture_original or min(earlier)
        if not storages[PRIVATE].exists(original) or _is_waiting(original):
            return False
        if mend and earlier:
            now.adopt_original()
        elif mend:
            request_rendering(now)
    report.stuck.append(Found(_as_text(now), PLACES[PRIVATE], original, mend))
    return True


def _free_what_is_stuck(report: Report, mend: bool) -> None:
    """Jobs that are an hour late, or far ahead because the clock was wrong when they were due."""
    now = clock.now()
    late, ahead = Q(next_try_at__lt=now - YOUNG), Q(next_try_at__gt=now + YOUNG)
    # To wait for hours is usual for AVIF: it comes last.
    for rows in (Rendering.objects.filter(late | ahead), AvifTrial.objects.filter(ahead)):
        for work in each(rows):
            row = f"{work.label} {work.object_id}"
            report.stuck.append(Found(row, PLACES[PRIVATE], work.original, mend))
        if mend:
            rows.update(next_try_at=now)
    if mend:
        wake_renderer()
        remove_discarded()
    for file in each(DiscardedFile.objects.filter(discarded_at__lt=now - YOUNG)):
        report.stuck.append(Found("", PLACES.get(file.storage, ""), file.name, False))


def _in_work() -> set[str]:
    """The originals for which a job is to write files."""
    works = (Rendering, AvifTrial)
    return {name for work in works for name in work.objects.values_list("original", flat=True)}


def _sweep_out(storage: str, names: set[str], report: Report, mend: bool) -> None:
    # Also a duplicate's file that became a photo's after we looked at the photos.
    in_work = {PurePosixPath(name).stem for name in _in_work()}
    names.difference_update(
        DiscardedFile.objects.filter(storage=storage).values_list("name", flat=True)
    )
    orphans = sorted(
        name
        for name in names
        if PurePosixPath(name).name[:STEM] not in in_work and _is_old(storages[storage], name)
    )
    for start in range(0, len(orphans) if mend else 0, AT_ONCE):
        discard(storage, orphans[start : start + AT_ONCE])
    report.files_without_rows += [Found("", PLACES[storage], name, mend) for name in orphans]


def _is_old(storage: Storage, name: str) -> bool:
    """By the storage's own clock; the site's may be held still."""
    try:
        with plain_errors():
            return storage.get_modified_time(name) < timezone.now() - YOUNG
    except OSError:  # it went meanwhile
        return False
