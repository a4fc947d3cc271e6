"""AVIF only where it is at least a fifth smaller at equal quality, and only after all else."""

import datetime as dt
import io
import random
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from PIL import ExifTags, Image

from exchanges import releasing
from exchanges.models import Gallery, Photo
from sistercities.shared import clock, compressing
from sistercities.shared.avif import likeness, smaller
from sistercities.shared.images import ENCODERS, encoded, in_widths
from sistercities.shared.rendering import AvifTrial, render_waiting, request_rendering
from sistercities.shared.stored_files import PRIVATE, PUBLIC, remove_discarded


def soft(width: int = 600, height: int = 400, seed: int = 1) -> Image.Image:
    """Colors that run into each other: what AVIF is best at."""
    cells = random.Random(seed)
    channels = [Image.frombytes("L", (24, 24), cells.randbytes(24 * 24)) for _ in range(3)]
    return Image.merge("RGB", channels).resize((width, height), Image.Resampling.BICUBIC)


def file_of(image: Image.Image, form: str = "PNG", **options) -> ContentFile:
    return ContentFile(encoded(image, format=form, **options), name="picture")


@pytest.fixture
def bring(make_city):
    """`bring(image, …)`: a photo with renditions in a published gallery."""
    gallery = Gallery.objects.create(
        slug="album", title="Album", city=make_city("Midleton"), status="published",
        publish_at=clock.now() - dt.timedelta(days=1),
    )  # fmt: skip

    def make(image: Image.Image, **fields) -> Photo:
        photo = Photo.objects.create(gallery=gallery, picture=file_of(image), **fields)
        render_waiting()
        photo.refresh_from_db()
        return photo

    return make


SHOWN = {"people": "none", "picture_alt": "Colors"}


def stored(storage: str) -> set[str]:
    root = Path(storages[storage].location)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def avifs(storage: str) -> set[str]:
    return {name for name in stored(storage) if name.endswith(".avif")}


# --- what is worth it -----------------------------------------------------------------------


def test_avif_is_kept_where_each_file_is_a_fifth_smaller_and_as_good():
    files = smaller(file_of(soft()))
    pictures = {picture.width: picture for picture in in_widths(file_of(soft()))}
    assert sorted(files) == [480, 600]
    for width, avif in files.items():
        webp = encoded(pictures[width], **ENCODERS[".webp"])
        assert len(avif) <= 0.8 * len(webp)
        assert likeness(pictures[width], avif) >= likeness(pictures[width], webp)
        with Image.open(io.BytesIO(avif)) as image:
            assert (image.format, image.size) == ("AVIF", pictures[width].size)


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGB", (60, 40), "#8a6b4d"),
        Image.merge("RGB", [Image.effect_noise((320, 200), 80)] * 3),
    ],
    ids=["nothing in it", "noise alone"],
)
def test_avif_is_dropped_where_it_gains_less(image):
    assert smaller(file_of(image)) is None


def test_very_tall_picture_is_left_alone():
    assert smaller(file_of(Image.new("RGB", (1600, 2001)))) is None


def test_likeness_falls_with_damage():
    picture = soft()
    good = likeness(picture, encoded(picture, format="JPEG", quality=95))
    bad = likeness(picture, encoded(picture, format="JPEG", quality=5))
    assert likeness(picture, encoded(picture, format="PNG")) == pytest.approx(1)
    assert 1 > good > bad > 0


def test_avif_tells_nothing_of_the_camera():
    """trust.md, Metadata."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretCam"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (41.0, 7.0, 30.0)
    upload = file_of(soft(), "WEBP", exif=exif, xmp=b"<x>SecretCam</x>", lossless=True)
    assert b"SecretCam" in upload.read()
    for avif in smaller(upload).values():
        assert b"SecretCam" not in avif and b"Exif" not in avif and b"<x" not in avif
        with Image.open(io.BytesIO(avif)) as image:
            assert not image.getexif()
            assert not {"exif", "xmp", "icc_profile"} & {
                key for key in image.info if image.info[key]
            }


# --- when and where -------------------------------------------------------------------------


def test_picture_gains_avif_beside_its_other_files(make_city):
    city = make_city("Jinzhou", picture=file_of(soft()), picture_alt="Colors")
    render_waiting()
    assert avifs(PUBLIC) == set()
    assert compressing.try_waiting() == 1
    city.refresh_from_db()
    assert city.picture_has_avif
    assert stored(PUBLIC) == set(city.public_files())
    assert len(avifs(PUBLIC)) == 2
    assert not AvifTrial.objects.exists()


def test_picture_that_gains_nothing_is_tried_once(make_city):
    city = make_city("Jinzhou", picture=file_of(Image.new("RGB", (60, 40))), picture_alt="Dark")
    render_waiting()
    assert compressing.try_waiting() == 0
    city.refresh_from_db()
    assert not city.picture_has_avif
    assert stored(PUBLIC) == set(city.public_files())
    assert not AvifTrial.objects.exists()


def test_avif_gives_way_to_renditions(make_city, bring):
    photo = bring(soft())
    request_rendering(photo)
    assert compressing.try_waiting() == 0
    assert AvifTrial.objects.count() == 1
    render_waiting()
    assert compressing.try_waiting() == 1


def test_avif_of_a_photo_stays_private_until_the_photo_is_public(bring):
    photo = bring(soft())
    compressing.try_waiting()
    photo.refresh_from_db()
    assert stored(PUBLIC) == set()
    assert stored(PRIVATE) == set(photo.private_files())
    assert len(avifs(PRIVATE)) == 2
    Photo.objects.update(**SHOWN)
    releasing.settle()
    photo.refresh_from_db()
    assert stored(PUBLIC) == set(photo.public_files())
    assert len(avifs(PUBLIC)) == 2


def test_public_photo_gains_avif_at_the_address_that_it_has(bring):
    photo = bring(soft(), **SHOWN)
    releasing.settle()
    photo.refresh_from_db()
    address = str(photo.picture)
    assert compressing.try_waiting() == 1
    photo.refresh_from_db()
    assert (str(photo.picture), photo.picture_has_avif) == (address, True)
    assert stored(PUBLIC) == set(photo.public_files())
    assert len(avifs(PUBLIC)) == 2


# --- what comes between ---------------------------------------------------------------------


def killed_before_the_row(photo: Photo) -> None:
    """Leaves what a job leaves that is killed when all files lie there and no row says so."""
    compressing.try_waiting()
    Photo.objects.update(picture_has_avif=False)
    AvifTrial.objects.create(
        label=photo._meta.label, object_id=photo.pk, original=photo.picture_original, attempts=1
    )


def test_job_killed_between_files_and_row_is_done_again(bring):
    photo = bring(soft(), **SHOWN)
    releasing.settle()
    killed_before_the_row(photo)
    assert compressing.try_waiting() == 1
    photo.refresh_from_db()
    assert stored(PUBLIC) == set(photo.public_files())
    assert stored(PRIVATE) == set(photo.private_files())


@pytest.mark.parametrize("way", ["taken back", "deleted"])
def test_photo_leaves_nothing_public_of_a_job_that_was_killed(bring, way):
    """trust.md, Minors and I7: the address of the WebP tells that of the AVIF."""
    photo = bring(soft(), **SHOWN)
    releasing.settle()
    killed_before_the_row(photo)
    assert len(avifs(PUBLIC)) == 2
    if way == "deleted":
        Photo.objects.get().delete()
    else:
        releasing.take_back(Photo.objects.all())
    remove_discarded()
    assert stored(PUBLIC) == set()


def test_picture_that_kills_its_worker_twice_is_left_alone(bring):
    photo = bring(soft())
    AvifTrial.objects.update(attempts=2)
    assert compressing.try_waiting() == 0
    photo.refresh_from_db()
    assert not photo.picture_has_avif
    assert not AvifTrial.objects.exists()


def test_storage_that_fails_leaves_it_for_later(bring, settings, tmp_path):
    photo = bring(soft())
    hidden = tmp_path / "away"
    (tmp_path / "originals").rename(hidden)
    assert compressing.try_waiting() == 0
    assert AvifTrial.objects.count() == 1
    hidden.rename(tmp_path / "originals")
    AvifTrial.objects.update(next_try_at=clock.now())
    assert compressing.try_waiting() == 1
    photo.refresh_from_db()
    assert photo.picture_has_avif


def test_row_that_took_another_picture_meanwhile_gets_no_avif(bring, make_city):
    city = make_city("Jinzhou", picture=file_of(soft()), picture_alt="Colors")
    render_waiting()
    city.refresh_from_db()
    photo = bring(soft(seed=2), **SHOWN)
    releasing.settle()
    for row in (city, photo):
        stale = type(row).objects.get(pk=row.pk)
        row.refresh_from_db()
        row.picture = file_of(soft(seed=3))
        row.save()
        render_waiting()
        releasing.settle()
        assert stale.keep_avif({480: b"480", 600: b"600"}) is False
        remove_discarded()
        row.refresh_from_db()
        assert not row.picture_has_avif
    assert avifs(PUBLIC) == avifs(PRIVATE) == set()


def test_photo_that_gains_avif_while_it_is_published_is_published_with_it(bring):
    photo = bring(soft(), **SHOWN)
    seen_before = Photo.objects.get()
    compressing.try_waiting()
    assert releasing._publish(seen_before) == 0
    remove_discarded()
    assert stored(PUBLIC) == set()
    releasing.settle()
    photo.refresh_from_db()
    assert stored(PUBLIC) == set(photo.public_files())
    assert len(avifs(PUBLIC)) == 2
