"""Photos in the days of the visit, by the cameras' clocks and by hand."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import storages

from exchanges import releasing, sorting
from exchanges.album import Album
from exchanges.models import CameraClock, GalleryArchive, Photo

CHINA = ZoneInfo("Asia/Shanghai")


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> dt.datetime:
    return dt.datetime(2013, 9, day, hour, minute, second, tzinfo=CHINA)


@pytest.fixture
def gallery(home_city, make_visit, make_day, make_gallery):
    """Of a visit from September 7 to 11, 2013, with two days in its itinerary and a third bare."""
    visit = make_visit()
    for number in (1, 2):
        make_day(visit, number)
    make_day(visit, 3, on=None)
    return make_gallery(visit=visit)


@pytest.fixture
def take(gallery, make_photo):
    """`take("A", at(7, 9))`: a photo that its camera dated. `None`: no camera wrote a time."""

    def make(name: str, moment: dt.datetime | None, *, camera: str = "Canon", **fields) -> Photo:
        values = {"camera": camera, "camera_time": moment, "taken_at": moment, **fields}
        return make_photo(gallery, name, **values)

    return make


def story(gallery) -> dict[str, str]:
    """The names of the photos by chapter; chapters without photos are left out."""
    photos = list(gallery.photos.kept().in_order())
    chapters = sorting.Story.of(gallery, photos).chapters
    return {c.anchor: "".join(p.picture_alt for p in c.photos) for c in chapters if c.photos}


def public_order(gallery) -> str:
    """As visitors turn the pages."""
    album = Album.of(gallery, gallery.photos.kept(), home=ZoneInfo("America/Denver"))
    photos = gallery.photos.in_bulk(album.keys)
    return "".join(photos[key].picture_alt for key in album.keys)


# --- days -----------------------------------------------------------------------------------


def test_photos_fall_into_the_days_of_the_visited_city(gallery, take):
    """11:59 p.m. and 12:01 a.m. there are one day at home and two days in Jinzhou."""
    take("B", at(8, 0, 1)), take("A", at(7, 23, 59)), take("C", at(10, 9)), take("D", None)
    assert story(gallery) == {"day-1": "A", "day-2": "B", "on-2013-09-10": "C", "more": "D"}


def test_days_of_a_visit_to_us_are_those_at_home(gallery, take):
    gallery.visit.direction = "inbound"
    gallery.visit.save()
    take("A", dt.datetime(2013, 9, 8, 5, 59, tzinfo=dt.UTC))
    take("B", dt.datetime(2013, 9, 8, 6, 1, tzinfo=dt.UTC))
    assert story(gallery) == {"day-1": "A", "day-2": "B"}


# --- by hand --------------------------------------------------------------------------------


@pytest.fixture
def three(take):
    return [take(name, at(7, 9 + number)) for number, name in enumerate("ABC")]


def test_a_photo_moved_before_another_stays_there(gallery, three, take):
    take("D", at(8, 9))
    sorting.place(gallery=gallery, keys=[three[2].pk], chapter="day-1", before=three[0].pk)
    assert story(gallery) == {"day-1": "CAB", "day-2": "D"}
    assert public_order(gallery) == "CABD"


def test_photos_moved_together_keep_their_order(gallery, three):
    a, b, c = three
    sorting.place(gallery=gallery, keys=[b.pk, a.pk], chapter="day-1")
    assert story(gallery) == {"day-1": "CAB"}
    sorting.place(gallery=gallery, keys=[a.pk, b.pk], chapter="day-1", before=c.pk)
    assert story(gallery) == {"day-1": "ABC"}


def test_a_photo_that_comes_later_falls_between_those_that_nobody_moved(gallery, three, take):
    """Numbers are given to runs, so sorting one photo does not freeze the others."""
    from exchanges.intake import _order_of

    sorting.place(gallery=gallery, keys=[three[2].pk], chapter="day-1", before=three[0].pk)
    late = at(7, 9, 30)
    take("L", late, order=_order_of(gallery, late))
    assert story(gallery) == {"day-1": "CALB"}


@pytest.mark.parametrize(("by", "expected"), [(-1, "BAC"), (1, "ACB")])
def test_a_photo_goes_one_place_earlier_or_later(gallery, three, by, expected):
    sorting.step(gallery=gallery, key=three[1].pk, by=by)
    assert story(gallery) == {"day-1": expected}


@pytest.mark.parametrize(("index", "by"), [(0, -1), (2, 1)])
def test_a_photo_at_the_end_of_its_day_stays_there(gallery, three, take, index, by):
    take("Z", at(8, 9))
    sorting.step(gallery=gallery, key=three[index].pk, by=by)
    assert story(gallery) == {"day-1": "ABC", "day-2": "Z"}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({2: 1}, "CAB"),
        ({0: 3}, "BCA"),
        ({0: 2}, "BAC"),
        ({0: 3, 2: 1}, "CBA"),
        ({0: 99}, "BCA"),
        ({}, "ABC"),
    ],
)
def test_typed_numbers_sort_a_day(gallery, three, typed, expected):
    mark = sorting.Story.of(gallery, three).mark
    numbers = {photo.pk: number for number, photo in enumerate(three, start=1)}
    numbers |= {three[index].pk: number for index, number in typed.items()}
    moved = sorting.sort_by_numbers(gallery=gallery, numbers=numbers, mark=mark)
    assert (story(gallery), moved) == ({"day-1": expected}, bool(typed))


def test_numbers_typed_for_an_order_that_is_gone_are_refused(gallery, three):
    """Two staff saving the same object: the second saver is told (trust.md, Races)."""
    mark = sorting.Story.of(gallery, three).mark
    sorting.step(gallery=gallery, key=three[0].pk, by=1)
    with pytest.raises(ValidationError, match="Somebody else moved photos"):
        sorting.sort_by_numbers(gallery=gallery, numbers={three[2].pk: 1}, mark=mark)
    assert story(gallery) == {"day-1": "BAC"}


def test_sorting_by_time_forgets_what_was_done_by_hand(gallery, three):
    sorting.place(gallery=gallery, keys=[three[2].pk], chapter="day-1", before=three[0].pk)
    sorting.sort_by_time(gallery=gallery)
    assert story(gallery) == {"day-1": "ABC"}


def test_photos_of_one_second_are_a_guess_until_somebody_decides(gallery, take):
    first, second = take("A", at(7, 9, 0, 5)), take("B", at(7, 9, 0, 5), camera="Nokia")
    take("C", at(7, 9, 0, 6)), take("D", None), take("E", None)

    def guessed() -> set[int]:
        return sorting.Story.of(gallery, list(gallery.photos.in_order())).guessed()

    assert guessed() == {first.pk, second.pk}
    assert sorting.confirm_guessed(gallery=gallery) == 2
    assert guessed() == set()
    assert story(gallery) == {"day-1": "ABC", "more": "DE"}


def test_photos_of_another_gallery_are_not_moved(gallery, three, make_gallery, make_photo):
    other = make_photo(make_gallery("other"), "X")
    for keys, chapter in (([other.pk], "day-1"), ([three[0].pk], "day-9")):
        with pytest.raises(ValidationError, match="not here any more"):
            sorting.place(gallery=gallery, keys=keys, chapter=chapter)
    assert story(gallery) == {"day-1": "ABC"}


# --- days by hand ---------------------------------------------------------------------------


def test_a_photo_without_a_time_takes_the_day_and_a_time_after_its_neighbor(gallery, three, take):
    photo, other = take("X", None), take("Y", None)
    sorting.place(gallery=gallery, keys=[photo.pk, other.pk], chapter="day-1", before=three[1].pk)
    assert story(gallery) == {"day-1": "AXYBC"}
    photo.refresh_from_db(), other.refresh_from_db()
    assert (photo.taken_at, other.taken_at) == (at(7, 9, 0, 1), at(7, 9, 0, 2))
    sorting.sort_by_time(gallery=gallery)
    assert story(gallery) == {"day-1": "AXYBC"}


@pytest.mark.parametrize(
    ("others", "before", "expected"),
    [
        ([], None, at(8, 12, 0, 1)),
        ([at(8, 23, 59, 59)], None, at(8, 23, 59, 59)),
        ([at(8, 7)], 0, at(8, 6, 59, 59)),
        ([at(8, 0)], 0, at(8, 0)),
    ],
)
def test_that_time_stays_within_the_day(gallery, take, others, before, expected):
    known = [take("O", moment) for moment in others]
    photo = take("X", None)
    target = known[before].pk if before is not None else None
    sorting.place(gallery=gallery, keys=[photo.pk], chapter="day-2", before=target)
    photo.refresh_from_db()
    assert photo.taken_at == expected


def test_a_day_set_by_hand_can_be_changed_and_taken_away(gallery, take):
    photo = take("X", None)
    for chapter in ("day-1", "day-2", "more"):
        sorting.place(gallery=gallery, keys=[photo.pk], chapter=chapter)
        assert story(gallery) == {chapter: "X"}
    photo.refresh_from_db()
    assert photo.taken_at is None


@pytest.mark.parametrize("chapter", ["day-2", "more"])
def test_a_photo_that_its_camera_dated_stays_in_its_day(gallery, three, take, chapter):
    take("Z", at(8, 9))
    with pytest.raises(ValidationError, match="stays in its day"):
        sorting.place(gallery=gallery, keys=[three[0].pk], chapter=chapter)
    assert story(gallery) == {"day-1": "ABC", "day-2": "Z"}


def test_a_day_without_a_date_takes_no_photo(gallery, take):
    photo = take("X", None)
    with pytest.raises(ValidationError, match="no date yet"):
        sorting.place(gallery=gallery, keys=[photo.pk], chapter="day-3")


# --- clocks of cameras ----------------------------------------------------------------------


def test_one_photo_of_known_time_sets_the_clock_of_its_series(gallery, take):
    """The camera was left on the time at home: 14 hours behind, so a day too early."""
    series = [take(name, at(7, hour)) for name, hour in (("A", 9), ("B", 11), ("C", 20))]
    other = take("N", at(7, 23, 30), camera="Nokia")
    real = dt.datetime(2013, 9, 8, 1, 0)
    assert sorting.set_clock(gallery=gallery, photo=series[1], real_time=real) == 3
    assert story(gallery) == {"day-1": "AN", "day-2": "BC"}
    assert [p.taken_at for p in gallery.photos.filter(camera="Canon").in_order()] == [
        at(7, 23), at(8, 1), at(8, 10),
    ]  # fmt: skip
    other.refresh_from_db()
    assert other.taken_at == at(7, 23, 30)
    (clock,) = CameraClock.objects.all()
    assert (clock.camera, clock.shift) == ("Canon", dt.timedelta(hours=14))


def test_a_clock_set_twice_counts_from_what_the_camera_wrote(gallery, take):
    photo = take("A", at(7, 9))
    for real in (dt.datetime(2013, 9, 9, 9), dt.datetime(2013, 9, 7, 10)):
        sorting.set_clock(gallery=gallery, photo=photo, real_time=real)
    photo.refresh_from_db()
    assert (photo.taken_at, photo.camera_time) == (at(7, 10), at(7, 9))
    assert CameraClock.objects.get().shift == dt.timedelta(hours=1)


def test_a_clock_can_be_forgotten(gallery, take):
    photo = take("A", at(7, 9))
    sorting.set_clock(gallery=gallery, photo=photo, real_time=dt.datetime(2013, 9, 8, 9))
    assert sorting.forget_clock(gallery=gallery, camera="Canon") == 1
    photo.refresh_from_db()
    assert photo.taken_at == at(7, 9)
    assert not CameraClock.objects.exists()


def test_a_moment_typed_by_hand_is_not_moved_by_a_clock(gallery, take):
    photo = take("A", at(7, 9))
    typed = take("T", at(7, 9), taken_at=at(8, 15))
    sorting.set_clock(gallery=gallery, photo=photo, real_time=dt.datetime(2013, 9, 7, 12))
    typed.refresh_from_db()
    assert typed.taken_at == at(8, 15)
    (camera,) = sorting.cameras_of(gallery, list(gallery.photos.all()))
    assert (camera.name, len(camera.photos), camera.by_hand) == ("Canon", 2, 1)


def test_clocks_are_read_anew_where_the_gallery_turns_out_to_be_elsewhere(gallery, take):
    """The sheet named a visit to Jinzhou, and it was one to us: half past eleven stays that."""
    china = {"clock_zone": "Asia/Shanghai"}
    photo = take("A", at(7, 23, 30), **china)
    late = take("N", at(7, 12), camera="Nokia", taken_at=at(7, 13), **china)  # set an hour ahead
    CameraClock.objects.create(gallery=gallery, camera="Nokia", shift=dt.timedelta(hours=1))
    exact = take("E", at(8, 1))  # the camera wrote its own offset
    typed = take("T", at(7, 9), taken_at=at(8, 15), **china)
    assert sorting.follow_zones() == 0
    gallery.visit.direction = "inbound"
    gallery.visit.save()
    assert sorting.follow_zones() == 3
    moments = {p.picture_alt: p.taken_at for p in gallery.photos.all()}
    denver = ZoneInfo("America/Denver")
    assert moments == {
        "A": dt.datetime(2013, 9, 7, 23, 30, tzinfo=denver),
        "N": dt.datetime(2013, 9, 7, 13, tzinfo=denver),
        "E": exact.taken_at,
        "T": typed.taken_at,
    }
    assert sorting.follow_zones() == 0
    gallery.visit.direction = "outbound"
    gallery.visit.save()
    sorting.follow_zones()
    for row in (photo, late):
        before = row.taken_at
        row.refresh_from_db()
        assert row.taken_at == before


def test_a_shifted_series_is_sorted_among_photos_that_were_moved_by_hand(gallery, three, take):
    late = take("L", at(7, 22), camera="Nokia")
    sorting.place(gallery=gallery, keys=[three[2].pk], chapter="day-1", before=three[0].pk)
    assert story(gallery) == {"day-1": "CABL"}
    sorting.set_clock(gallery=gallery, photo=late, real_time=dt.datetime(2013, 9, 7, 9, 30))
    assert story(gallery) == {"day-1": "CALB"}


@pytest.mark.parametrize(
    ("moment", "real", "words"),
    [
        (None, dt.datetime(2013, 9, 7), "wrote no time"),
        (at(7, 9), dt.datetime(1713, 9, 7), "check the year"),
        (at(7, 9), dt.datetime.max, "check the year"),
        (at(7, 9), dt.datetime.min, "check the year"),
    ],
)
def test_a_clock_that_cannot_be_is_refused(gallery, take, moment, real, words):
    photo = take("A", moment)
    with pytest.raises(ValidationError, match=words):
        sorting.set_clock(gallery=gallery, photo=photo, real_time=real)
    assert not CameraClock.objects.exists()


def test_a_photo_that_comes_later_takes_the_clock_of_its_camera(gallery, take, picture_file):
    from sistercities.shared.images import Notes

    photo = take("A", at(7, 9))
    sorting.set_clock(gallery=gallery, photo=photo, real_time=dt.datetime(2013, 9, 8, 9))
    later = Photo(gallery=type(gallery).objects.get(pk=gallery.pk))
    later.picture_received(
        Notes(".jpeg", dt.datetime(2013, 9, 7, 10), None, None, None, "Canon")
    )  # fmt: skip
    assert later.taken_at == at(8, 10)


# --- hiding, deleting, moving ---------------------------------------------------------------


@pytest.fixture
def shown(gallery, bring_photo) -> Photo:
    """A photo that visitors see, in a gallery that has a ZIP."""
    photo = bring_photo(gallery)
    assert photo.picture
    GalleryArchive.objects.create(gallery=gallery, fingerprint="x")
    return photo


def public_files(photo: Photo) -> list[Path]:
    return [Path(storages["default"].path(name)) for name in photo.public_files()]


@pytest.mark.parametrize("verb", [sorting.hide, sorting.delete])
def test_what_takes_a_photo_away_takes_its_files_at_once(
    shown, verb, django_capture_on_commit_callbacks
):
    """No later run is needed (trust.md, Minors, I7)."""
    files = public_files(shown)
    assert all(file.exists() for file in files)
    with django_capture_on_commit_callbacks(execute=True):
        assert verb(Photo.objects.filter(pk=shown.pk)) == 1
    assert not any(file.exists() for file in files)
    shown.refresh_from_db()
    assert shown.picture == ""
    assert not GalleryArchive.objects.exists()
    assert all(storages["private"].exists(name) for name in shown.private_files())


@pytest.mark.parametrize("verb", [sorting.hide, sorting.delete])
def test_the_zip_of_a_gallery_that_only_links_open_goes_too(make_gallery, make_photo, verb):
    unlisted = make_gallery("unlisted", is_unlisted=True)
    photo = make_photo(unlisted, picture="")
    GalleryArchive.objects.create(gallery=unlisted, fingerprint="x")
    verb(Photo.objects.filter(pk=photo.pk))
    assert not GalleryArchive.objects.exists()


def test_hiding_reaches_photos_that_the_change_itself_leaves_out_of_the_list(shown):
    """A list filtered by “not hidden” is empty afterwards; its photos must go all the same."""
    assert sorting.hide(Photo.objects.filter(is_hidden=False)) == 1
    shown.refresh_from_db()
    assert shown.picture == ""


@pytest.mark.parametrize(
    ("away", "back"), [(sorting.hide, sorting.show), (sorting.delete, sorting.bring_back)]
)
def test_what_comes_back_is_public_again_at_another_address(shown, away, back):
    before = shown.picture.name
    mine = Photo.objects.filter(pk=shown.pk)
    away(mine)
    assert back(mine) == 1
    releasing.settle()
    shown.refresh_from_db()
    assert shown.picture
    assert shown.picture.name != before
    assert (shown.is_hidden, shown.deleted_at) == (False, None)


def test_a_deleted_photo_goes_for_good_after_30_days(shown, settings):
    private = shown.private_files()
    sorting.delete(Photo.objects.filter(pk=shown.pk))
    settings.CLOCK += sorting.KEPT_FOR
    assert sorting.remove_deleted() == 0
    settings.CLOCK += dt.timedelta(seconds=1)
    assert sorting.remove_deleted() == 1
    assert not Photo.objects.exists()
    from sistercities.shared.stored_files import remove_discarded

    remove_discarded()
    assert not any(storages["private"].exists(name) for name in private)


def test_a_photo_moved_to_a_draft_is_taken_back(shown, make_gallery, gallery):
    draft = make_gallery("draft", status="draft")
    shown.is_cover = True
    shown.save()
    assert sorting.move(Photo.objects.filter(pk=shown.pk), gallery=draft) == 1
    shown.refresh_from_db()
    assert (shown.gallery, shown.picture, shown.is_cover) == (draft, "", False)
    assert not GalleryArchive.objects.exists()


def test_a_moved_photo_falls_into_its_place_by_time(gallery, take, make_gallery, make_photo):
    other = make_gallery("other")
    for order, (name, hour) in enumerate((("P", 8), ("Q", 10)), start=1):
        make_photo(other, name, taken_at=at(7, hour), order=order)
    sorting.move(Photo.objects.filter(pk=take("A", at(7, 9)).pk), gallery=other)
    assert "".join(p.picture_alt for p in other.photos.in_order()) == "PAQ"


def test_a_clock_goes_with_moved_photos_where_their_camera_is_new(gallery, take, make_gallery):
    photo = take("A", at(7, 9))
    sorting.set_clock(gallery=gallery, photo=photo, real_time=dt.datetime(2013, 9, 8, 9))
    other = make_gallery("other")
    sorting.move(gallery.photos.all(), gallery=other)
    photo.refresh_from_db()
    assert photo.taken_at == at(8, 9)
    assert other.camera_clocks.get().shift == dt.timedelta(days=1)


def test_moved_photos_take_the_clock_that_their_camera_has_there(
    gallery, take, make_gallery, make_photo
):
    photo, typed = take("A", at(7, 9)), take("T", at(7, 9), taken_at=at(9, 9))
    other = make_gallery("other")
    make_photo(other, "P", camera="Canon", camera_time=at(7, 8), taken_at=at(8, 8))
    other.camera_clocks.create(camera="Canon", shift=dt.timedelta(days=1))
    sorting.move(gallery.photos.all(), gallery=other)
    photo.refresh_from_db(), typed.refresh_from_db()
    assert (photo.taken_at, typed.taken_at) == (at(8, 9), at(9, 9))


def test_a_gallery_has_one_cover(gallery, three):
    for photo in three[:2]:
        sorting.choose_cover(photo)
    assert [p.is_cover for p in gallery.photos.in_order()] == [False, True, False]
