"""Every public picture file, with its hash."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from django.apps import apps
from django.core.files.storage import storages
from django.core.management.base import BaseCommand, CommandParser

from exchanges.models import Photo
from sistercities.shared.pictures import Pictured
from sistercities.shared.rows import each
from sistercities.shared.stored_files import PUBLIC

PIECE = 1024 * 1024
FORMATS = {".webp": "webp", ".jpg": "jpeg", ".avif": "avif"}


class Command(BaseCommand):
    help = "Every public file: the photo or other row it belongs to, width, format, bytes, sha256."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="A JSON list, one file a line.")

    def handle(self, *args: object, **options: object) -> None:
        if not options["json"]:
            for file in _files():
                self.stdout.write("\t".join(str(value) for value in file.values()))
            return
        before = "[\n"
        for file in _files():
            self.stdout.write(before + json.dumps(file), ending="")
            before = ",\n"
        self.stdout.write("\n]" if before != "[\n" else "[]")


def _files() -> Iterator[dict[str, Any]]:
    """Read through the storage, wherever that is. A file that is missing is for `sweep` to tell."""
    for model in apps.get_models():
        if not issubclass(model, Pictured):
            continue
        for row in each(model._base_manager.exclude(picture="")):
            for name in row.public_files():
                if storages[PUBLIC].exists(name):
                    yield _described(row, name)


def _described(row: Pictured, name: str) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with storages[PUBLIC].open(name) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    path = PurePosixPath(name)
    _stem, _dash, step = path.stem.partition("-")
    return {
        "file": name,
        "photo": row.pk if isinstance(row, Photo) else None,
        "row": f"{row._meta.label} {row.pk}",
        "width": int(step or row.picture_width),
        "format": FORMATS[path.suffix],
        "bytes": size,
        "sha256": digest.hexdigest(),
    }
