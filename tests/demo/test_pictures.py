"""The kept pictures, how they become uploads, and the program that draws them."""

import datetime as dt
import io
from decimal import Decimal

import pytest
from PIL import Image, ImageChops, ImageStat

from sistercities.demo import loading
from sistercities.demo.album import FOLDER, Album
from sistercities.shared.images import inspect, prepare


@pytest.fixture(scope="module")
def recipes():
    return loading.read("pictures")


def test_folder_stays_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 4_000_000


def test_every_picture_is_used_and_there(recipes):
    drawn = {path.stem for path in FOLDER.glob("*.webp")}
    shown = loading._pictures_in([loading.read(name) for name in loading.FILES])

    assert {recipe.get("file", name) for name, recipe in recipes.items()} == drawn
    assert shown == set(recipes)


def test_every_picture_is_said_in_words(recipes):
    assert all(0 < len(recipe["alt"]) <= 250 for recipe in recipes.values())
    assert not any(recipe["alt"].endswith(".") for recipe in recipes.values())


def test_crops_stay_inside(recipes):
    for name, recipe in recipes.items():
        left, top, width, height = recipe.get("crop", (0, 0, 1, 1))
        assert left + width <= 1600 and top + height <= 1067, name


def test_upload_carries_time_and_place_and_intake_takes_them_off():
    album = Album(
        {
            "arvada-creek": {
                "crop": (480, 380, 60, 40),
                "taken": dt.datetime(2011, 10, 9, 14, 52),
                "at": [Decimal("39.8211"), Decimal("-105.0961")],
                "alt": "A bridge",
            }
        }
    )

    upload = album.upload("arvada-creek")
    notes = inspect(upload, size=upload.size)

    assert notes.taken == dt.datetime(2011, 10, 9, 14, 52)
    assert (notes.latitude, notes.longitude) == (39.8211, -105.0961)
    for content in prepare(upload).files.values():
        with Image.open(io.BytesIO(content)) as image:
            assert (image.size, dict(image.getexif())) == ((60, 40), {})


def test_program_draws_the_same_picture_twice():
    pytest.importorskip("numpy", reason="only the drawing program needs numpy")
    from sistercities.demo.draw.draw import draw

    first = draw("midleton-harbour", (160, 107), seed=3)
    second = draw("midleton-harbour", (160, 107), seed=3)

    assert first.size == (160, 107)
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != draw("midleton-harbour", (160, 107), seed=4).tobytes()


@pytest.mark.parametrize("name", ["midleton-harbour", "kyzylorda-river-noon"])
def test_kept_picture_comes_from_the_program(name):
    pytest.importorskip("numpy", reason="only the drawing program needs numpy")
    from sistercities.demo.draw.draw import PRINTS, draw

    scene, *recipe = PRINTS[name]
    drawn = draw(scene, (1600, 1067), *recipe)
    with Image.open(FOLDER / f"{name}.webp") as kept:
        difference = ImageStat.Stat(ImageChops.difference(kept.convert("RGB"), drawn)).mean

    assert max(difference) < 8  # what WebP rounds away, out of 255


def test_every_kept_picture_has_its_recipe():
    pytest.importorskip("numpy", reason="only the drawing program needs numpy")
    from sistercities.demo.draw.draw import PRINTS

    assert set(PRINTS) == {path.stem for path in FOLDER.glob("*.webp")}
