"""The statements of a whole year: who gets one, how they hear of it, all of them as files (D6)."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.text import slugify

from donations import documents
from donations.models import Donor
from donations.statements import Period, givers, statement
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import OutgoingMessage, SiteSettings
from sistercities.shared.pdf import MissingGlyph


@dataclass(frozen=True)
class Recipients:
    """Everybody for whom there is a statement of a period, by the way in which it reaches them."""

    told: list[Donor]
    to_tell: list[Donor]
    by_post: list[Donor]

    @property
    def everybody(self) -> list[Donor]:
        return [*self.told, *self.to_tell, *self.by_post]


def recipients(period: Period) -> Recipients:
    """Two queries, whatever the number of donors. Who gave no mail address gets paper."""
    keys = OutgoingMessage.objects.filter(
        key__startswith="statement:", key__endswith=f":{period}"
    ).values_list("key", flat=True)
    known = set(keys)
    found = Recipients([], [], [])
    for donor in givers(period):
        if not donor.email_key:
            found.by_post.append(donor)
        elif _key(donor, period) in known:
            found.told.append(donor)
        else:
            found.to_tell.append(donor)
    return found


def _key(donor: Donor, period: Period) -> str:
    return f"statement:{donor.pk}:{period}"


def tell(period: Period, *, site: SiteSettings) -> int:
    """Mails each donor who was not told yet where the statement is; how many.

    Run again, or twice at once, it tells nobody twice.
    """
    people = recipients(period).to_tell
    for donor in people:
        with transaction.atomic():
            queue_mail(
                key=_key(donor, period),
                template="donations/emails/statement",
                to=donor.email_key,
                context={
                    "donor": donor.name,
                    "period": period.label,
                    "organization": site.name,
                    "postal_address": site.postal_address,
                    "page": f"{settings.SITE_URL}{reverse('donations:my_gifts')}",
                },
            )
    return len(people)


def files(
    people: Iterable[Donor], period: Period, *, site: SiteSettings
) -> Iterator[tuple[str, bytes]]:
    """Name and content of each statement as PDF. For a donor whose letters no font here has it is
    a text file that says so.
    """
    for donor in people:
        name = f"{period}-{donor.pk:06d}-{slugify(donor.name)[:40] or 'donor'}"
        found = statement(donor=donor, period=period)
        try:
            document = documents.statement_pdf(found, site=site, issued_on=clock.today())
        except MissingGlyph as missing:
            yield f"{name}.txt", str(missing).encode()
        else:
            yield f"{name}.pdf", document


def as_zip(named: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """A ZIP piece by piece, while its files are made: the download begins at once."""
    out = _Pieces()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in named:
            archive.writestr(name, content)
            yield out.take()
    yield out.take()


class _Pieces(io.RawIOBase):
    """What is written to it waits until somebody takes it."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece) -> int:
        self.waiting += piece
        return len(piece)

    def take(self) -> bytes:
        piece = bytes(self.waiting)
        self.waiting.clear()
        return piece
