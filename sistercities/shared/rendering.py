"""Renditions are made by a job, never in a request: a row for each picture that waits.

The job claims a row by moving its `next_try_at` ahead, so a worker that is killed leaves the
picture to the next one. A picture whose worker died twice is decoded in a process of its own:
if that dies too it was the picture, which is given up, and not somebody who stopped the worker.
"""

import datetime as dt
import io
import logging
import time
from typing import TYPE_CHECKING, Optional, Self

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.files.storage import storages
from django.db import models, transaction
from django.utils.translation import gettext_lazy

from sistercities.shared import clock
from sistercities.shared.images import Prepared, prepare, prepare_apart
from sistercities.shared.queue import wake
from sistercities.shared.stored_files import PRIVATE, plain_errors

if TYPE_CHECKING:
    from sistercities.shared.pictures import Pictured

logger = logging.getLogger(__name__)
LEASE = dt.timedelta(minutes=2)
PAUSE = dt.timedelta(minutes=1)
TRIES_IN_WORKER = 2
APART = ".avif"  # may say that it is small and decode to a gigabyte


class PictureWork(models.Model):
    """Work on an upload. `label` and `object_id` name the row it belongs to."""

    label = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    original = models.CharField(max_length=120, unique=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        abstract = True
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.original

    def row(self) -> Optional["Pictured"]:
        """The row that waits for it, unless that is gone or has another picture by now."""
        rows = apps.get_model(self.label)._base_manager
        return rows.filter(pk=self.object_id, picture_original=self.original).first()

    @classmethod
    def due(cls) -> models.QuerySet[Self]:
        return cls._default_manager.filter(next_try_at__lte=clock.now()).order_by("pk")

    @classmethod
    def claim(cls) -> Self | None:
        """The oldest that is due, as it was before; nobody else gets it for two minutes."""
        while work := cls.due().first():
            claimed = cls.due().filter(pk=work.pk, next_try_at=work.next_try_at)
            if claimed.update(next_try_at=clock.now() + LEASE, attempts=work.attempts + 1):
                return work
        return None


class Rendering(PictureWork):
    """An upload that waits to be decoded."""

    class Meta(PictureWork.Meta):
        verbose_name = gettext_lazy("picture in the works")
        verbose_name_plural = gettext_lazy("pictures in the works")


class AvifTrial(PictureWork):
    """A rendered picture for which AVIF has not been tried yet."""

    class Meta(PictureWork.Meta):
        verbose_name = gettext_lazy("picture to try as AVIF")
        verbose_name_plural = gettext_lazy("pictures to try as AVIF")


def request_rendering(row: "Pictured") -> None:
    """Writes down, in the caller's transaction, that the row's original waits to be rendered."""
    Rendering.objects.get_or_create(
        original=row.picture_original, defaults={"label": row._meta.label, "object_id": row.pk}
    )
    transaction.on_commit(wake_renderer)


def wake_renderer() -> None:
    from sistercities.shared.tasks import render_pictures

    wake(render_pictures)


def render_waiting(*, seconds: float | None = None) -> int:
    """Renders what waits, oldest first, for about so many seconds; the number done.

    Safe to run twice at once. A storage that fails leaves the picture for a minute later.
    """
    end = None if seconds is None else time.monotonic() + seconds
    done = 0
    while (end is None or time.monotonic() < end) and (work := Rendering.claim()):
        done += _render(work)
    return done


def is_waiting() -> bool:
    return Rendering.due().exists()


def _render(work: Rendering) -> bool:
    row = work.row()
    if row is None:
        work.delete()
        return False
    try:
        with plain_errors(), storages[PRIVATE].open(work.original) as file:
            content = io.BytesIO(file.read())
        is_apart = work.attempts >= TRIES_IN_WORKER or work.original.endswith(APART)
        prepared = prepare_apart(content) if is_apart else prepare(content)
        _keep(work, row, prepared)
    except ValidationError as refused:
        return _give_up(work, row, " ".join(refused.messages))
    except OSError as error:  # a full disk, a storage that is not there
        return _leave_for_later(work, error)
    return True


def _keep(work: Rendering, row: "Pictured", prepared: Prepared) -> None:
    name = row.save_renditions(prepared)
    with transaction.atomic():
        work.delete()
        row.picture_rendered(name, prepared)
        AvifTrial.objects.get_or_create(
            original=work.original, defaults={"label": work.label, "object_id": work.object_id}
        )


def _give_up(work: Rendering, row: "Pictured", reason: str) -> bool:
    with transaction.atomic():
        work.delete()
        row.picture_refused(reason)
    return False


def _leave_for_later(work: Rendering, error: Exception) -> bool:
    """Not the picture's fault, so it does not count as a try."""
    logger.warning("A picture could not be read or stored yet: %s", error)
    Rendering.objects.filter(pk=work.pk).update(
        next_try_at=clock.now() + PAUSE, attempts=work.attempts
    )
    return False
