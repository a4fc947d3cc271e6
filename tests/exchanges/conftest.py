"""Rows that the tests of visits, galleries and events start from."""

import datetime as dt

import pytest

from exchanges.models import Day, Event, Gallery, GuardianConsent, Photo, Stop, Visit

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 21, 19, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def one_moment(settings):
    """It is noon on Saturday, November 21, 2026, in Arvada."""
    settings.CLOCK = NOW


@pytest.fixture
def jinzhou(make_city):
    return make_city("Jinzhou", native_name="锦州", native_language="zh-Hans")


@pytest.fixture
def make_visit(jinzhou):
    """`make_visit("gardens", …)`: a published, completed visit to Jinzhou."""

    def make(slug: str = "gardens", **fields) -> Visit:
        values = {
            "slug": slug,
            "title": f"The {slug} visit",
            "city": jinzhou,
            "direction": "outbound",
            "stage": "completed",
            "starts_on": dt.date(2013, 9, 7),
            "ends_on": dt.date(2013, 9, 11),
            "summary": f"Five days of {slug}.",
            "status": "published",
            "publish_at": LONG_AGO,
            **fields,
        }
        return Visit.objects.create(**values)

    return make


@pytest.fixture
def make_day():
    def make(visit: Visit, number: int, **fields) -> Day:
        on = visit.starts_on + dt.timedelta(days=number - 1)
        values = {"on": on, "title": f"Title of day {number}", "text": "<p>Words.</p>", **fields}
        day = Day.objects.create(visit=visit, number=number, **values)
        Stop.objects.create(day=day, at=dt.time(9, 5), title=f"Stop of day {number}", native="古塔")
        return day

    return make


@pytest.fixture
def make_gallery(jinzhou):
    def make(slug: str = "album", **fields) -> Gallery:
        values = {
            "slug": slug,
            "title": f"The {slug}",
            "city": jinzhou,
            "status": "published",
            "publish_at": LONG_AGO,
            **fields,
        }
        return Gallery.objects.create(**values)

    return make


@pytest.fixture
def make_photo():
    """A photo without a file behind it: pages only write its name."""

    def make(gallery: Gallery, alt: str = "A gate", **fields) -> Photo:
        values = {
            "picture": f"pictures/ab/{alt.replace(' ', '-')}.webp",
            "picture_width": 1600,
            "picture_height": 1067,
            "picture_colour": "#8a6b4d",
            "picture_alt": alt,
            "people": "none",
            **fields,
        }
        (photo,) = Photo.objects.bulk_create([Photo(gallery=gallery, **values)])
        return photo

    return make


@pytest.fixture
def bring_photo(picture_file, finish_pictures):
    """`bring_photo(gallery, "A gate", …)`: a photo with real files, published if it may be."""

    def bring(gallery: Gallery, alt: str = "A gate", size=(1000, 200), **fields) -> Photo:
        consents = fields.pop("consents", [])
        values = {"picture_alt": alt, "people": "none", **fields}
        photo = Photo.objects.create(gallery=gallery, picture=picture_file(*size), **values)
        photo.consents.set(consents)
        finish_pictures()
        photo.refresh_from_db()
        return photo

    return bring


@pytest.fixture
def make_consent(db):
    """`make_consent("Mia", …)`: a guardian's word of this year for the website."""

    def make(child: str = "Mia", **fields) -> GuardianConsent:
        values = {
            "child": child,
            "guardian": f"The mother of {child}",
            "given_on": dt.date(2026, 5, 3),
            "for_web": True,
            **fields,
        }
        return GuardianConsent.objects.create(**values)

    return make


@pytest.fixture
def make_event(jinzhou):
    """`make_event("supper", …)`: published, for February 6, 2027, all day."""

    def make(slug: str = "supper", **fields) -> Event:
        values = {
            "slug": slug,
            "title": f"The {slug}",
            "summary": f"Come to the {slug}.",
            "starts_on": dt.date(2027, 2, 6),
            "status": "published",
            "publish_at": LONG_AGO,
            **fields,
        }
        return Event.objects.create(**values)

    return make


HIDDEN = {
    "draft": {"status": "draft"},
    "scheduled": {"publish_at": NOW + dt.timedelta(minutes=1)},
}


@pytest.fixture(params=sorted(HIDDEN))
def hidden(request) -> dict:
    """The fields of something that visitors may not see yet."""
    return HIDDEN[request.param]
