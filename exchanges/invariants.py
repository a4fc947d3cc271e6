"""What must be true of photos at any moment (trust.md, "Invariants")."""

from collections.abc import Iterator

from exchanges.models import Photo
from sistercities.shared.invariants import Broken, Check


def consents() -> Iterator[Broken]:
    """I7: no photo without the consent it needs is reachable."""
    publishable = Photo.objects.publishable().values("pk")
    reachable = Photo.objects.exclude(picture="").exclude(pk__in=publishable).order_by("pk")
    for pk in reachable.values_list("pk", flat=True):
        yield Broken(f"exchanges.Photo {pk}", "It is public and must not be")


CHECKS: dict[str, Check] = {"I7": consents}
