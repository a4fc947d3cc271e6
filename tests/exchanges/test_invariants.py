"""What must be true of photos is told when it is broken."""

from exchanges.invariants import consents
from exchanges.models import Photo
from sistercities.shared.invariants import Broken


def test_i7_photo_that_is_public_and_must_not_be(make_gallery, bring_photo):
    photo = bring_photo(make_gallery(), people="none")
    assert Photo.objects.exclude(picture="").count() == 1
    assert list(consents()) == []
    Photo.objects.update(people="minors")
    row = f"exchanges.Photo {photo.pk}"
    assert list(consents()) == [Broken(row, "It is public and must not be")]
