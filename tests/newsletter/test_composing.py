"""A letter drafts itself from the site, and what staff may not show does not get into it."""

import datetime as dt

import pytest
from django.core.files.storage import storages
from django.urls import reverse

from donations.models import Campaign
from exchanges import consenting, releasing
from exchanges.models import Event, Gallery, GuardianConsent, Photo, Visit
from sistercities.news.models import Article
from sistercities.newsletter import composing
from sistercities.newsletter.models import Block, Issue, Topic
from sistercities.shared import clock

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def jinzhou(home_city, make_city):
    return make_city(
        "Jinzhou", native_name="锦州", native_language="zh-Hans", accent="#7b2a4e",
        accent_dark="#e0a4bd",
    )  # fmt: skip


@pytest.fixture
def midleton(make_city):
    return make_city("Midleton", country="IE", latitude="51.91", longitude="-8.17",
                     time_zone="Europe/Dublin")  # fmt: skip


@pytest.fixture
def make_visit(jinzhou):
    def make(title="The gardens", **fields) -> Visit:
        values = {
            "slug": title.lower().replace(" ", "-"), "city": jinzhou, "direction": "outbound",
            "stage": "completed", "starts_on": clock.today() - 20 * DAY, "summary": "Five <days>.",
            "status": "published", **fields,
        }  # fmt: skip
        return Visit.objects.create(title=title, **values)

    return make


@pytest.fixture
def make_photo(jinzhou, picture_file, finish_pictures):
    """`make_photo(gallery, …)`: a public photo, files and all."""

    def make(gallery: Gallery, **fields) -> Photo:
        consents = fields.pop("consents", [])
        photo = Photo(gallery=gallery, **{"picture_alt": "A tide", "people": "none", **fields})
        photo.picture = picture_file(1000, 600)
        photo.save()
        photo.consents.set(consents)
        finish_pictures()
        photo.refresh_from_db()
        return photo

    return make


@pytest.fixture
def album(jinzhou):
    return Gallery.objects.create(
        title="Album", slug="album", city=jinzhou, status="published", summary="Two photos."
    )


def consent(**scopes) -> GuardianConsent:
    return GuardianConsent.objects.create(
        child="Mei", guardian="Li", given_on=clock.today() - DAY, **scopes
    )


@pytest.fixture
def published(site, jinzhou, make_visit, album, make_photo):
    """One of everything, told since a day ago."""
    visit = make_visit(story="<p>What came of it.</p>")
    Gallery.objects.filter(pk=album.pk).update(visit=visit)
    make_photo(album, is_cover=True)
    make_visit("The next visit", stage="planned", starts_on=clock.today() + 90 * DAY)
    article = Article.objects.create(
        headline="A choir", slug="choir", lead="Come & sing.", status="published"
    )
    article.cities.add(jinzhou)
    for number, title in enumerate(["Supper", "A talk", "Nauryz", "Singing", "A walk", "A sixth"]):
        Event.objects.create(
            title=title, slug=title.lower().replace(" ", "-"), summary="Come.",
            starts_on=clock.today() + (number + 1) * DAY, starts_at=dt.time(17), place="The hall",
            status="published",
        )  # fmt: skip
    Campaign.objects.create(
        title="A bus", slug="bus", summary="For a bus.", goal_cents=600_000, designation="Bus",
        visit=visit, status="published",
    )  # fmt: skip
    return visit


# --- drafting -------------------------------------------------------------------------------


def test_a_new_letter_tells_what_is_new_in_order_of_weight(published):
    issue = composing.draft()
    told = [(block.kind, block.title, block.url) for block in issue.blocks.all()]
    assert told == [
        ("visit", "The gardens", "/visits/the-gardens/"),
        ("visit", "The next visit", "/visits/the-next-visit/"),
        ("gallery", "Album", "/galleries/album/"),
        ("article", "A choir", "/news/choir/"),
        ("events", "Dates", "/events/"),
        ("appeal", "A bus", "/donate/bus/"),
    ]
    assert (issue.status, issue.subject) == ("draft", "The gardens, and The next visit")
    assert issue.preheader == "Album · A choir · Supper · A bus"
    blocks = {block.kind: block for block in issue.blocks.all()}
    assert blocks["article"].text == "<p>Come &amp; sing.</p>"
    assert [line["title"] for line in blocks["events"].lines] == [
        "Supper", "A talk", "Nauryz", "Singing", "A walk",
    ]  # fmt: skip
    assert "5 p.m." in blocks["events"].lines[0]["words"]
    assert blocks["events"].lines[0]["words"].endswith(" · The hall")
    assert blocks["appeal"].lines[0]["percent"] == 0
    assert blocks["appeal"].lines[0]["words"].startswith("$0 of $6,000 given by ")


def test_the_drafted_head_of_a_letter_holds_whole_titles_only(site, jinzhou):
    long = " ".join(["Chrysanthemums"] * 9)  # of 134 letters
    for number, headline in enumerate([long, "A" * 91, "A choir"]):
        Article.objects.create(
            headline=headline, slug=f"a{number}", lead="x", status="published",
            publish_at=clock.now() - number * DAY,
        )  # fmt: skip
    Event.objects.create(
        title="Supper", slug="supper", summary="Come.", starts_on=clock.today() + DAY,
        status="published",
    )  # fmt: skip
    issue = composing.draft()
    assert issue.subject == " ".join(["Chrysanthemums"] * 7) + " …"
    assert issue.preheader == "A choir · Supper"
    issue = composing.draft(keys=["events"])
    assert (issue.subject, issue.preheader) == ("What is new, and what is next", "Supper")


def test_only_what_is_published_is_told(site, jinzhou, make_visit):
    make_visit("A draft", status="draft")
    make_visit("Tomorrow", publish_at=clock.now() + DAY)
    make_visit("Called off", stage="cancelled")
    Gallery.objects.create(
        title="By link", slug="link", city=jinzhou, status="published", is_unlisted=True
    )
    Article.objects.create(headline="A draft", slug="draft", lead="x")
    issue = composing.draft()
    assert list(issue.blocks.all()) == []
    assert issue.subject == "What is new, and what is next"


def test_the_next_letter_begins_where_the_last_one_ended(site, make_visit, jinzhou):
    make_visit("Told", publish_at=clock.now() - 2 * DAY, starts_on=clock.today() - 300 * DAY)
    first = composing.draft()
    assert [block.title for block in first.blocks.all()] == ["Told"]
    assert len(composing.draft().blocks.all()) == 1  # a draft has told nobody anything
    release(first)
    assert list(composing.draft().blocks.all()) == []
    make_visit("New")
    assert [block.title for block in composing.draft().blocks.all()] == ["New"]


def release(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(
        status="sent", send_at=clock.now(), began_at=clock.now(), ended_at=clock.now(), people=3
    )


def test_a_visit_is_told_again_when_it_was_made(site, make_visit):
    visit = make_visit(stage="planned", starts_on=clock.today() - 3 * DAY)
    visit.ends_on = clock.today() + DAY
    visit.save()
    first = composing.draft()
    release(first)
    Issue.objects.filter(pk=first.pk).update(created_at=clock.now() - 5 * DAY)
    Visit.objects.update(publish_at=clock.now() - 9 * DAY)
    assert list(composing.draft().blocks.all()) == []
    Visit.objects.update(stage="completed", story="<p>x</p>")
    (block,) = composing.draft().blocks.all()
    assert (block.source, block.label) == ("visit:the-gardens:completed", "Read about the visit")


def test_staff_choose_what_is_told_and_add_more_later(published):
    issue = composing.draft(keys=["article:choir", "nothing:such"])
    assert [block.title for block in issue.blocks.all()] == ["A choir"]
    left = [each.key for each in composing.offers(since=issue.covers_since, issue=issue)]
    assert "article:choir" not in left
    assert composing.add(issue, keys=["gallery:album", "article:choir"]) == 1
    assert [block.title for block in issue.blocks.all()] == ["A choir", "Album"]


def test_letters_of_one_month_have_addresses_of_their_own(site):
    slugs = [composing.draft().slug for _ in range(3)]
    assert len(set(slugs)) == 3
    assert slugs[2] == f"{slugs[0]}-3"


# --- topics ---------------------------------------------------------------------------------


def test_each_sister_city_has_a_topic_with_its_flag_and_colors(site, jinzhou, midleton, make_city):
    make_city("A draft", status="draft")
    Topic.objects.create(slug="midleton", title="Our friends in Midleton")
    assert composing.make_topics() == 3
    assert composing.make_topics() == 0
    topics = {topic.slug: topic for topic in Topic.objects.all()}
    assert list(topics) == ["jinzhou", "midleton", "events", "giving"]
    assert topics["giving"].description == "A few times a year: what an appeal paid for."
    assert (topics["jinzhou"].title, topics["jinzhou"].native_title) == ("Jinzhou", "锦州")
    assert (topics["jinzhou"].country, topics["jinzhou"].accent) == ("CN", "#7b2a4e")
    assert (topics["midleton"].title, topics["midleton"].country) == (
        "Our friends in Midleton", "IE",
    )  # fmt: skip


def test_what_is_told_of_a_city_reaches_who_follows_it(published, midleton):
    both = Article.objects.create(headline="Both", slug="both", lead="x", status="published")
    both.cities.add(midleton, published.city)
    topics = {
        block.title: block.topic and block.topic.slug for block in composing.draft().blocks.all()
    }
    assert topics == {
        "The gardens": "jinzhou", "The next visit": "jinzhou", "Album": "jinzhou",
        "A choir": "jinzhou", "Both": None, "Dates": None, "A bus": None,
    }  # fmt: skip


# --- pictures -------------------------------------------------------------------------------


def test_a_block_has_its_own_copy_of_the_picture(published):
    block = composing.draft().blocks.get(kind="gallery")
    photo = Photo.objects.get()
    assert (block.picture_width, block.picture_height) == (1000, 600)
    assert block.picture_alt == "A tide"
    assert str(block.picture) != str(photo.picture)
    for name in block.public_files():
        assert storages["default"].exists(name)
    assert storages["private"].exists(block.picture_original)
    photo.gallery.delete()
    assert all(storages["default"].exists(name) for name in block.public_files())


def test_a_picture_that_cannot_be_read_is_left_out_and_named(published):
    for name in Photo.objects.get().public_files():
        storages["default"].delete(name)
    block = composing.draft().blocks.get(kind="gallery")
    assert not block.picture
    assert block.picture_problem == "The picture could not be read. Choose one yourself."


@pytest.mark.parametrize(
    ("scopes", "is_shown"),
    [
        ({"for_web": True, "for_newsletter": True}, True),
        ({"for_web": True}, False),
        ({"for_web": True, "for_print": True, "for_social": True}, False),
    ],
)
def test_a_child_is_shown_only_where_consent_names_the_newsletter(
    site, album, make_photo, scopes, is_shown
):
    make_photo(album, is_cover=True, people="minors", consents=[consent(**scopes)])
    block = composing.draft().blocks.get()
    assert bool(block.picture) is is_shown
    refused = "The cover was left out: a guardian’s consent does not cover the newsletter."
    assert block.picture_problem == ("" if is_shown else refused)


def test_of_two_children_both_guardians_must_agree(site, album, make_photo):
    both = [consent(for_web=True, for_newsletter=True), consent(for_web=True)]
    make_photo(album, is_cover=True, people="minors", picture_alt="Two", consents=both)
    make_photo(album, picture_alt="A hill")
    block = composing.draft().blocks.get()
    assert block.picture_alt == "A hill"
    assert block.picture_problem.startswith("The cover was left out")


def test_i7_consent_that_is_taken_back_takes_the_picture_out_of_sent_letters(
    client, site, album, make_photo, admin_user, django_capture_on_commit_callbacks
):
    given = consent(for_web=True, for_newsletter=True)
    make_photo(album, is_cover=True, people="minors", consents=[given])
    issue = composing.draft()
    release(issue)
    block = issue.blocks.get()
    address = f"/media/{block.picture}"
    response = client.get(address)
    assert (response.status_code, response["Cache-Control"]) == (200, "public, max-age=60")
    assert response.getvalue()
    with django_capture_on_commit_callbacks(execute=True):
        consenting.withdraw(consent=given, by=admin_user, note="")
    block.refresh_from_db()
    assert not block.picture
    assert client.get(address).status_code == 404
    page = client.get(issue.get_absolute_url()).content.decode()
    assert "/media/" not in page.partition("<article")[2]


def test_i7_consent_that_ran_out_takes_it_out_within_the_minute(site, album, make_photo):
    given = consent(for_web=True, for_newsletter=True, expires_on=clock.today())
    make_photo(album, is_cover=True, people="minors", consents=[given])
    block = composing.draft().blocks.get()
    releasing.settle()
    block.refresh_from_db()
    assert block.picture
    GuardianConsent.objects.update(expires_on=clock.today() - DAY, given_on=clock.today() - DAY)
    releasing.settle()
    block.refresh_from_db()
    assert not block.picture
    assert block.picture_problem.startswith("The picture was taken out")


def test_a_picture_that_staff_chose_themselves_stays_and_the_photo_goes(
    site, album, make_photo, picture_file, finish_pictures, django_capture_on_commit_callbacks
):
    given = consent(for_web=True, for_newsletter=True)
    make_photo(album, is_cover=True, people="minors", consents=[given])
    block = composing.draft().blocks.get()
    block = Block.objects.get(pk=block.pk)
    copy = str(block.picture)
    block.picture, block.picture_alt = picture_file(), "A hill"
    with django_capture_on_commit_callbacks(execute=True):
        block.save()
    assert not storages["default"].exists(copy)
    finish_pictures()
    GuardianConsent.objects.all().delete()
    releasing.settle()
    block.refresh_from_db()
    assert block.picture


# --- cost -----------------------------------------------------------------------------------


def test_looking_for_material_costs_the_same_for_any_number(
    published, jinzhou, make_visit, django_assert_num_queries
):
    with django_assert_num_queries(9):
        composing.offers(since=clock.now() - DAY)
    for number in range(12):
        make_visit(f"Visit {number}")
        Article.objects.create(
            headline=f"News {number}", slug=f"n{number}", lead="x", status="published"
        ).cities.add(jinzhou)
        Gallery.objects.create(
            title=f"Album {number}", slug=f"a{number}", city=jinzhou, status="published"
        )
    with django_assert_num_queries(9):
        composing.offers(since=clock.now() - DAY)


def test_every_address_that_is_told_opens(client, published):
    for block in composing.draft().blocks.all():
        assert client.get(block.url).status_code == 200, block.url
    assert reverse("exchanges:events") == "/events/"
