"""Takes in the papers that we publish, and knows which of them are missing (giving.md D30)."""

import contextlib
import datetime as dt
from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import transaction
from django.utils.translation import gettext as _

from sistercities.pages.models import Document
from sistercities.pages.reading import wake_reader
from sistercities.shared.images import random_name
from sistercities.shared.stored_files import PRIVATE, discard, store

FOLDER = "documents"
LARGEST = 20 * 1024 * 1024  # bytes
TAIL = 1024  # bytes, in which a PDF says that it ends
KEPT_YEARS = 3
DUE = (11, 15)  # month and day of the next year: Form 990 of a calendar year, with its extension


def check_pdf(upload: File) -> None:
    """Raises `ValidationError` in one sentence for what is no whole PDF, or larger than 20 MB."""
    if upload.size > LARGEST:
        raise ValidationError(_("This file is larger than 20 MB. Please make a smaller PDF of it."))
    upload.seek(0)
    start = upload.read(5)
    upload.seek(max(0, upload.size - TAIL))
    end = upload.read(TAIL)
    upload.seek(0)
    if start != b"%PDF-":
        raise ValidationError(_("This is not a PDF. Please save the document as PDF first."))
    if b"%%EOF" not in end:
        raise ValidationError(_("This PDF is not whole. Please save or download it once more."))


def file(*, document: Document, upload: File | None = None) -> None:
    """Saves a document; `upload` takes the place of the file that it has. A job reads its words.

    Raises `ValidationError` for an upload that is no PDF, `OSError` if it cannot be stored; then
    nothing has changed.
    """
    if upload is None:
        document.save()
        return
    check_pdf(upload)
    before = document.private_files()
    name = random_name(FOLDER, ".pdf")
    store(PRIVATE, {name: upload})
    try:
        with transaction.atomic():
            document.file, document.size_bytes = name, upload.size
            document.text, document.read_at, document.read_problem = "", None, ""
            document.save()
            wake_reader()
            discard(PRIVATE, before)
    except BaseException:
        with contextlib.suppress(Exception):
            storages[PRIVATE].delete(name)
        raise


def years_due(today: dt.date) -> range:
    """The tax years of the last three Forms 990 that are due, the latest first."""
    last = today.year - (1 if (today.month, today.day) > DUE else 2)
    return range(last, last - KEPT_YEARS, -1)


def missing(today: dt.date) -> Iterator[str]:
    """In words, what the law asks us to publish and visitors do not see: the last three Forms 990
    that are due, by calendar years, and the papers of the exemption.
    """
    rows = Document.objects.published().filter(
        kind__in=[Document.Kind.FORM_990, Document.Kind.EXEMPTION]
    )
    there = set(rows.values_list("kind", "year"))
    for year in years_due(today):
        if (Document.Kind.FORM_990, year) not in there:
            yield _("Form 990 for %d") % year
    if not any(kind == Document.Kind.EXEMPTION for kind, _year in there):
        yield _("the application for tax exemption with the letter of the IRS")
