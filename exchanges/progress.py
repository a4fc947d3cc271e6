"""How far a gallery has come: what is left to do before its photos can be seen."""

from dataclasses import dataclass

from django.db.models import Count, Q

from exchanges.models import Gallery, Photo


@dataclass(frozen=True)
class Progress:
    """Numbers of photos; a photo may count in several. Deleted ones count in none.

    Hidden photos count in `photos` and `hidden` alone: nothing is left to do for them.
    """

    photos: int
    hidden: int
    wordless: int
    unanswered: int
    without_consent: int
    waiting: int  # for their renditions
    unreadable: int
    ready: int  # shown as soon as the gallery is published

    @property
    def kept_back(self) -> int:
        """Photos that nobody will see although staff do not hide them."""
        return self.photos - self.hidden - self.ready


def progress_of(gallery: Gallery) -> Progress:
    """One query."""
    mine = Photo.objects.filter(gallery=gallery)
    shown, rendered = Q(is_hidden=False), Q(picture_width__gt=0)
    allowed = Q(pk__in=mine.allowed().values("pk"))
    wordless = Q(picture_alt="", is_decorative=False)

    def number(condition: Q) -> Count:
        return Count("pk", filter=condition)

    return Progress(
        **mine.kept().aggregate(
            photos=Count("pk"),
            hidden=number(~shown),
            wordless=number(shown & wordless),
            unanswered=number(shown & Q(people=Photo.People.NOT_ASKED)),
            without_consent=number(shown & Q(people=Photo.People.MINORS) & ~allowed),
            waiting=number(shown & ~rendered & Q(picture_problem="")),
            unreadable=number(shown & ~rendered & ~Q(picture_problem="")),
            ready=number(allowed & rendered & ~wordless),
        )
    )
