"""Files that no row needs any more: first a row that says so, then the deletion.

A transaction that lets go of files writes their names here, so a crash in between, or a storage
that does not answer, leaves work to do and not a picture that stays reachable (trust.md, I7).
"""

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import storages
from django.db import models, transaction
from django.utils.translation import gettext_lazy

from sistercities.shared import clock
from sistercities.shared.rows import each

logger = logging.getLogger(__name__)
PUBLIC, PRIVATE = "default", "private"


class DiscardedFile(models.Model):
    """`storage` is the alias in `STORAGES`."""

    storage = models.CharField(max_length=10)
    name = models.CharField(max_length=200)
    discarded_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = gettext_lazy("file to be deleted")
        verbose_name_plural = gettext_lazy("files to be deleted")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class KeepsFiles(models.Model):
    """A row with files in the storages. They are discarded with it, and the sweeper asks for them.

    Subclasses answer with the names of all files that the row should have at this moment.
    """

    class Meta:
        abstract = True

    def public_files(self) -> list[str]:
        return []

    def private_files(self) -> list[str]:
        return []

    def public_traces(self) -> list[str]:
        """Its public files, and what a job that was killed may have left at their address."""
        return self.public_files()

    def mend_files(self, *, public: list[str], private: list[str]) -> list[str]:
        """Told which of its files are lost, has made again what can be; the names of the others.

        Called in a transaction that holds the row. A second call changes nothing.
        """
        return [*public, *private]


def discard_files_of(instance: KeepsFiles, **kwargs: Any) -> None:
    """Connected to `post_delete` of every model that keeps files."""
    discard(PUBLIC, instance.public_traces())
    discard(PRIVATE, instance.private_files())


def discard(storage: str, names: Iterable[str]) -> None:
    """Has these files deleted right after the transaction; the minute's job mends a failure.

    Names are random and never given twice, so a late deletion cannot hit a newer file.
    """
    rows = [DiscardedFile(storage=storage, name=name) for name in names if name]
    if rows:
        DiscardedFile.objects.bulk_create(rows)
        transaction.on_commit(remove_discarded, robust=True)


def remove_discarded() -> int:
    """Deletes what was discarded; the number deleted. What fails stays for the next run."""
    removed = 0
    for row in each(DiscardedFile.objects.all()):
        try:
            with plain_errors():
                storages[row.storage].delete(row.name)
        except OSError as error:
            logger.warning("A file could not be deleted yet: %s", error)
            continue
        row.delete()
        removed += 1
    return removed


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Whatever a storage raises inside, as `OSError`: each has errors of its own."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def store(storage: str, files: Mapping[str, bytes | File]) -> None:
    """Writes files by their names: all of them whole or, after an `OSError`, none.

    Only then a row may name them, so a process that is killed leaves files without a row, which
    the sweeper finds, and never a row without its files.
    """
    begun: list[str] = []
    try:
        with plain_errors():
            for name, file in files.items():
                begun.append(name)
                content = ContentFile(file) if isinstance(file, bytes) else file
                storages[storage].save(name, content)
    except BaseException:
        for name in begun:
            with contextlib.suppress(Exception):
                storages[storage].delete(name)
        raise
