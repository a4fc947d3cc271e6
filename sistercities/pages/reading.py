"""Reads the words of published papers, so that readers can look for them. Rows say which wait."""

import logging

from django.core.files.storage import storages
from django.db import transaction
from django.utils.translation import gettext as _

from sistercities.pages.models import Document
from sistercities.shared import clock, pdf_words
from sistercities.shared.queue import wake
from sistercities.shared.rows import each
from sistercities.shared.stored_files import PRIVATE, plain_errors

logger = logging.getLogger(__name__)


def wake_reader() -> None:
    """Has waiting papers read soon after this transaction."""
    from sistercities.pages.tasks import read_documents

    transaction.on_commit(lambda: wake(read_documents))


def read_waiting() -> int:
    """Reads every paper that waits; how many. One whose file cannot be fetched waits on."""
    count = 0
    for document in each(Document.objects.unread()):
        try:
            with plain_errors(), storages[PRIVATE].open(document.file) as file:
                pdf = file.read()
        except OSError as error:
            logger.warning("A document could not be read yet: %s", error)
            continue
        text, problem = _words(pdf)
        # The file may have been replaced meanwhile: then it waits for its own turn.
        count += (
            Document.objects.unread()
            .filter(pk=document.pk, file=document.file)
            .update(text=text, read_at=clock.now(), read_problem=problem)
        )
    return count


def _words(pdf: bytes) -> tuple[str, str]:
    try:
        text = pdf_words.extract(pdf)
    except pdf_words.Locked:
        return "", _("It asks for a password, so nobody can search in it.")
    except pdf_words.Unreadable:
        return "", _("Its words cannot be read: it is damaged or too much work.")
    return text, "" if text else _("There are no words in it: it is a scan, made of pictures.")
