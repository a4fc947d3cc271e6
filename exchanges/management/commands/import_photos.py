"""Photos out of a folder or a ZIP, by the same door as those that come through the admin."""

import json
import os
import stat
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from django.utils.translation import gettext as _

from exchanges import releasing
from exchanges.intake import take_in
from exchanges.models import Batch, Gallery, Photo, Upload
from sistercities.shared.archives import ArchiveRefused, entries
from sistercities.shared.images import MAX_BYTES
from sistercities.shared.rendering import Rendering, render_waiting

PATIENCE = 30  # seconds for a worker that has the picture in hand at this moment
State = Upload.State


class Command(BaseCommand):
    help = (
        "Takes photos into a gallery and renders them; says what became of each file. Nobody "
        "outside sees them before staff have described them and said who is in them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("gallery", help="The last part of the gallery's address.")
        parser.add_argument("path", type=Path, help="A ZIP, or a folder with all folders in it.")
        parser.add_argument("--json", action="store_true", help="One JSON object a line.")
        parser.add_argument("--credit", default="", help="Who took them.")
        parser.add_argument(
            "--people",
            choices=Photo.People.values,
            default=Photo.People.NOT_ASKED.value,
            help="What holds for all of them. Empty: to be answered for each.",
        )
        parser.add_argument(
            "--licence", choices=Photo.Licence.values, default=Photo.Licence.RESERVED.value
        )

    def handle(self, *args: object, **options: Any) -> None:
        gallery = Gallery.objects.filter(slug=options["gallery"]).first()
        if gallery is None:
            raise CommandError(f"There is no gallery {options['gallery']!r}.")
        path: Path = options["path"]
        if not path.exists():
            raise CommandError(f"There is no file or folder {str(path)!r}.")
        said = {name: options[name] for name in ("credit", "people", "licence")}
        batch = Batch.objects.create(gallery=gallery, **said)
        results: Counter[str] = Counter()
        try:
            for outcome in _folder(batch, path) if path.is_dir() else _archive(batch, path):
                results[outcome["result"]] += 1
                self.stdout.write(json.dumps(outcome) if options["json"] else _line(outcome))
                self.stdout.flush()
        except (OSError, OperationalError) as error:
            raise CommandError(f"Not finished, please run it again: {error}") from error
        releasing.settle()
        if not options["json"]:
            counts = [
                f"{results[result]} {result}" for result in ("stored", "duplicate", "refused")
            ]
            self.stdout.write(", ".join(counts))


def _folder(batch: Batch, top: Path, inside: str = "") -> Iterator[dict[str, Any]]:
    """Every file in it by name, then every folder; what is hidden is left out."""
    names = sorted(path.name for path in top.iterdir() if not path.name.startswith("."))
    kinds = {name: (top / name).lstat().st_mode for name in names}
    for name in names:
        file = f"{inside}{name}"
        if stat.S_ISREG(kinds[name]):
            with (top / name).open("rb") as content:
                yield _take_in(batch, content, os.fstat(content.fileno()).st_size, file)
        elif not stat.S_ISDIR(kinds[name]):
            yield _refused(file, _("This is a link or no file at all. Please add the file itself."))
    for name in names:
        if stat.S_ISDIR(kinds[name]):
            yield from _folder(batch, top / name, f"{inside}{name}/")


def _archive(batch: Batch, path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        try:
            for entry in entries(file, largest=MAX_BYTES):
                if entry.file is None:
                    yield _refused(entry.name, entry.reason)
                else:
                    yield _take_in(batch, entry.file, entry.file.size or 0, entry.name)
        except ArchiveRefused as refused:
            yield _refused(path.name, str(refused))


def _take_in(batch: Batch, file: IO[bytes], size: int, name: str) -> dict[str, Any]:
    upload = take_in(batch=batch, file=file, size=size, name=name)
    if upload.photo_id:
        _render(upload.photo_id)
        upload.refresh_from_db()
    if upload.state == State.REFUSED:
        return _refused(name, upload.reason)
    is_duplicate = upload.state == State.DUPLICATE
    return {
        "file": name,
        "result": "duplicate" if is_duplicate else "stored",
        "reason": upload.reason,
        "photo": upload.duplicate_of_id if is_duplicate else upload.photo_id,
    }


def _render(photo: int) -> None:
    """A command is no request: it decodes right here, or waits a while for who does already."""
    waiting = Rendering.objects.filter(object_id=photo, label=Photo._meta.label)
    deadline = time.monotonic() + PATIENCE
    render_waiting()
    while waiting.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
        render_waiting()


def _refused(name: str, reason: str) -> dict[str, Any]:
    return {"file": name, "result": "refused", "reason": reason, "photo": None}


def _line(outcome: dict[str, Any]) -> str:
    """For people, without the signs that a terminal would obey."""
    name = "".join(sign if sign.isprintable() else "?" for sign in outcome["file"])
    return "\t".join(filter(None, (outcome["result"], name, outcome["reason"])))
