"""The pages on which staff compose a letter, through the real admin."""

import datetime as dt
import json
import os
import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from exchanges.models import Event
from sistercities.news.models import Article
from sistercities.newsletter.models import Block, Issue, Subscriber, Topic
from sistercities.shared import clock

pytestmark = pytest.mark.django_db
ADD = "/admin/newsletter/issue/add/"


@pytest.fixture
def block(site, issue):
    return Block.objects.create(
        issue=issue, order=10, kind="events", title="Dates", url="/events/", label="All dates",
        lines=[{"day": "2027-02-06", "title": "Supper"}, {"day": "2027-03-21", "title": "Nauryz"}],
    )  # fmt: skip


def page_of(issue: Issue) -> str:
    return reverse("admin:newsletter_issue_change", args=[issue.pk])


def form_of(issue: Issue, *blocks: dict, **fields) -> dict:
    """What a browser posts: the letter's own fields, then each block's."""
    data = {
        "subject": issue.subject, "preheader": issue.preheader, "slug": issue.slug,
        "language": issue.language, "is_in_archive": "on",
        "blocks-TOTAL_FORMS": len(blocks),
        "blocks-INITIAL_FORMS": sum("id" in block for block in blocks),
        "blocks-MIN_NUM_FORMS": 0, "blocks-MAX_NUM_FORMS": 1000, **fields,
    }  # fmt: skip
    for number, block in enumerate(blocks):
        values = {"kind": "text", "order": number * 10, "issue": issue.pk, "picture_focus": 50}
        for name, value in {**values, **block}.items():
            data[f"blocks-{number}-{name}"] = value
    return data


# --- drafting -------------------------------------------------------------------------------


def test_a_new_letter_shows_what_there_is_and_takes_what_is_ticked(admin_client, site):
    Article.objects.create(headline="A choir", slug="choir", lead="Come.", status="published")
    Article.objects.create(headline="A draft", slug="draft", lead="Come.")
    page = admin_client.get(ADD).content.decode()
    assert 'value="article:choir" checked' in page
    assert "A draft" not in page

    response = admin_client.post(ADD, {"key": ["article:choir"], "since": "2020-01-01T00:00"})
    issue = Issue.objects.get()
    assert (response.status_code, response["Location"]) == (302, page_of(issue))
    assert [block.title for block in issue.blocks.all()] == ["A choir"]
    assert (issue.status, issue.covers_since.year) == ("draft", 2020)


def test_staff_look_further_back(admin_client, site):
    Article.objects.create(
        headline="Old news", slug="old", lead="x", status="published",
        publish_at=clock.now().replace(year=2020),
    )  # fmt: skip
    assert "Old news" not in admin_client.get(ADD).content.decode()
    assert "Old news" in admin_client.get(ADD, {"since": "2019-01-01T00:00"}).content.decode()
    for bad in ("soon", "2019-99-99T00:00", "9999-12-31T23:59", "0001-01-01T00:00+14:00", "\0"):
        assert admin_client.get(ADD, {"since": bad}).status_code == 200, bad


def test_more_of_the_site_is_added_below(admin_client, issue, block):
    Article.objects.create(headline="A choir", slug="choir", lead="Come.", status="published")
    address = reverse("admin:newsletter_issue_material", args=[issue.pk])
    assert "A choir" in admin_client.get(address).content.decode()
    admin_client.post(address, {"key": ["article:choir"]})
    assert [each.title for each in issue.blocks.all()] == ["Dates", "A choir"]


# --- composing ------------------------------------------------------------------------------


def test_blocks_are_written_reordered_added_and_dropped(admin_client, issue, block):
    topic = Topic.objects.create(slug="jinzhou", title="Jinzhou")
    other = Block.objects.create(issue=issue, order=20, title="The tide")
    gone = Block.objects.create(issue=issue, order=30, title="Gone")
    data = form_of(
        issue,
        {"id": block.pk, "kind": "events", "order": 30, "title": "Dates", "url": "/events/",
         "label": "All dates", "kept_lines": ["0", "1"]},
        {"id": other.pk, "order": 10, "title": "The tide!", "topic": topic.pk,
         "text": "<p>A <strong>road</strong><script>x</script></p>"},
        {"id": gone.pk, "title": "Gone", "DELETE": "on"},
        {"kind": "button", "order": 40, "label": "Give", "url": "/donate/"},
        subject="A supper for you",
    )  # fmt: skip
    response = admin_client.post(page_of(issue), data)
    assert (response.status_code, response["Location"]) == (302, page_of(issue))
    assert "Saved. Nothing is sent yet." in admin_client.get(page_of(issue)).content.decode()
    issue.refresh_from_db()
    assert issue.subject == "A supper for you"
    told = [(each.kind, each.title, each.label) for each in issue.blocks.all()]
    assert told == [("text", "The tide!", ""), ("events", "Dates", "All dates"),
                    ("button", "", "Give")]  # fmt: skip
    tide = issue.blocks.first()
    assert (tide.text, tide.topic, tide.about) == ("<p>A <strong>road</strong></p>", topic, topic)


def test_a_date_is_left_out_by_its_tick(admin_client, issue, block):
    assert "Feb 6 Supper" in admin_client.get(page_of(issue)).content.decode()
    data = form_of(issue, {"id": block.pk, "kind": "events", "title": "Dates", "kept_lines": ["1"]})
    admin_client.post(page_of(issue), data)
    block.refresh_from_db()
    assert [line["title"] for line in block.lines] == ["Nauryz"]


def test_a_list_of_events_that_is_begun_by_hand_has_the_next_dates(admin_client, site, issue):
    supper = Event.objects.create(
        title="Supper", slug="supper", summary="Come.", starts_on=clock.today() + dt.timedelta(9),
        status="published",
    )  # fmt: skip
    admin_client.post(page_of(issue), form_of(issue, {"kind": "events", "title": "Come and see"}))
    block = issue.blocks.get()
    assert (block.title, block.url, block.label) == ("Come and see", "/events/", "All dates")
    assert [line["title"] for line in block.lines] == ["Supper"]
    supper.delete()
    admin_client.post(page_of(issue), form_of(issue, {"kind": "events"}))
    assert [each.lines for each in issue.blocks.filter(title="")] == [[]]


@pytest.mark.parametrize("field", ["subject", "preheader"])
def test_e22_a_line_break_in_the_head_is_refused(admin_client, issue, block, field):
    response = admin_client.post(
        page_of(issue), form_of(issue, **{field: "A supper\r\nBcc: all@example.org"})
    )
    assert response.status_code == 200
    assert "Please write this on one line, without line breaks." in response.content.decode()
    issue.refresh_from_db()
    assert issue.subject == "A supper to book"


def test_the_page_says_what_is_wrong(admin_client, issue, block):
    page = admin_client.get(page_of(issue)).content.decode()
    assert "“Dates” leads to" not in page
    Block.objects.update(url="/no/such/page/")
    page = admin_client.get(page_of(issue)).content.decode()
    assert "<b>Must be mended</b> “Dates” leads to /no/such/page/" in page


@pytest.mark.parametrize("status", ["sending", "paused", "sent", "cancelled"])
def test_a_letter_on_its_way_is_not_changed(admin_client, issue, block, status):
    now = clock.now()
    Issue.objects.update(status=status, send_at=now, began_at=now, people=1)
    page = admin_client.get(page_of(issue)).content.decode()
    assert 'name="_save"' not in page
    assert "Supper, Nauryz" in page
    data = form_of(issue, {"id": block.pk, "title": "Changed"}, subject="Changed")
    assert admin_client.post(page_of(issue), data).status_code == 403
    for name in ("material", "preview"):
        address = reverse(f"admin:newsletter_issue_{name}", args=[issue.pk])
        assert admin_client.post(address, data).status_code == 403
    delete = reverse("admin:newsletter_issue_delete", args=[issue.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    issue.refresh_from_db()
    assert issue.subject == "A supper to book"


def test_a_draft_can_be_thrown_away(admin_client, issue, block):
    delete = reverse("admin:newsletter_issue_delete", args=[issue.pk])
    admin_client.post(delete, {"post": "yes"})
    assert not Issue.objects.exists()


def readers(count: int) -> None:
    now = clock.now()
    Subscriber.objects.bulk_create(
        Subscriber(
            email=f"r{number}@example.org", email_key=f"r{number}@example.org",
            status="confirmed", confirmed_at=now,
        )
        for number in range(count)
    )  # fmt: skip


def test_the_page_costs_the_same_with_many_readers_blocks_and_topics(
    admin_client, issue, block, make_city, django_assert_num_queries
):
    """At most 15 queries; 100,000 readers where there is time for it."""
    topic = Topic.objects.create(slug="jinzhou", title="Jinzhou")
    issue.topics.add(topic)
    readers(1)
    make_city("Jinzhou")
    Block.objects.update(
        topic=topic, url="/cities/jinzhou/", picture="photos/a.webp", picture_width=900,
        picture_source="photo:1",
    )  # fmt: skip
    admin_client.get(page_of(issue))
    with django_assert_num_queries(15):
        admin_client.get(page_of(issue))
    Subscriber.objects.all().delete()
    readers(100_000 if os.environ.get("CI") else 1000)
    for number in range(20):
        make_city(f"City {number}")
        each = Topic.objects.create(slug=f"t{number}", title=f"Topic {number}")
        Block.objects.create(
            issue=issue, order=100 + number, title=f"{number}", topic=each,
            url=f"/cities/city-{number}/", picture="photos/a.webp", picture_width=900,
            picture_source=f"photo:{number}",
        )  # fmt: skip
        Article.objects.create(headline="A", slug=f"a{number}", lead="x", status="published")
    with django_assert_num_queries(15):
        admin_client.get(page_of(issue))


# --- looking --------------------------------------------------------------------------------


def test_the_preview_is_the_letter_and_may_be_framed_here_only(admin_client, issue, block):
    address = reverse("admin:newsletter_issue_preview", args=[issue.pk])
    response = admin_client.get(address)
    assert "Dates</h2>" in response.content.decode()
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'; img-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "script" not in policy
    assert response["Cache-Control"] == "private, no-store"
    text = admin_client.get(address, {"look": "text"})
    assert text["Content-Type"] == "text/plain; charset=utf-8"
    assert "Dates\n-----\n" in text.content.decode()


def test_the_preview_is_light_or_dark_as_asked(admin_client, issue, block):
    address = reverse("admin:newsletter_issue_preview", args=[issue.pk])
    light = admin_client.get(address).content.decode()
    dark = admin_client.get(address, {"look": "dark"}).content.decode()
    assert re.search(r"@media not all \{\s+body, \.paper", light)
    assert re.search(r"@media all \{\s+body, \.paper", dark)


def test_the_preview_is_what_followers_of_a_topic_get(admin_client, issue, block):
    for slug in ("jinzhou", "midleton"):
        topic = Topic.objects.create(slug=slug, title=slug)
        Block.objects.create(issue=issue, order=20, title=f"Of {slug}", topic=topic)
    address = reverse("admin:newsletter_issue_preview", args=[issue.pk])
    page = admin_client.get(address, {"follows": ["midleton"]}).content.decode()
    assert "Of midleton" in page
    assert "Of jinzhou" not in page


def test_the_live_preview_shows_the_form_and_keeps_nothing(admin_client, issue, block):
    data = form_of(
        issue,
        {"id": block.pk, "kind": "events", "title": "Days", "kept_lines": ["1"],
         "url": "/nowhere/x/"},
        {"title": "New", "text": "<p>Quite new</p>"},
        subject="Another",
    )  # fmt: skip
    address = reverse("admin:newsletter_issue_preview", args=[issue.pk])
    answer = json.loads(admin_client.post(address, data).content)
    assert answer["is_valid"] is True
    assert "Days</h2>" in answer["html"]
    assert "Another\n=======\n" in answer["text"]
    assert "Quite new" in answer["text"]
    assert "Supper" not in answer["text"]
    assert [True, "“Days” leads to /nowhere/x/, which visitors cannot open."] in answer["problems"]
    issue.refresh_from_db()
    assert issue.subject == "A supper to book"
    assert [(each.title, len(each.lines)) for each in issue.blocks.all()] == [("Dates", 2)]


def test_a_form_that_is_not_complete_has_no_preview(admin_client, issue, block):
    address = reverse("admin:newsletter_issue_preview", args=[issue.pk])
    response = admin_client.post(address, form_of(issue, subject=""))
    said = "Subject: This field is required."
    assert json.loads(response.content) == {"is_valid": False, "incomplete": said}
    broken = form_of(issue, {"id": block.pk, "title": "x" * 151})
    response = admin_client.post(address, broken)
    said = "Heading: Ensure this value has at most 150 characters (it has 151)."
    assert json.loads(response.content) == {"is_valid": False, "incomplete": said}


# --- who may --------------------------------------------------------------------------------


@pytest.mark.parametrize("right", ["view_issue", "view_subscriber"])
def test_who_may_only_look_changes_nothing(client, django_user_model, issue, block, right):
    ann = django_user_model.objects.create_user("ann", is_staff=True)
    ann.user_permissions.add(Permission.objects.get(codename=right))
    client.force_login(ann)
    may_look = right == "view_issue"
    material = reverse("admin:newsletter_issue_material", args=[issue.pk])
    preview = reverse("admin:newsletter_issue_preview", args=[issue.pk])
    assert client.get(page_of(issue)).status_code == (200 if may_look else 403)
    assert client.get(preview).status_code == (200 if may_look else 403)
    assert client.post(preview, form_of(issue)).status_code == 403
    assert client.get(material).status_code == 403
    assert client.post(material, {"key": "events"}).status_code == 403
    assert client.post(ADD, {}).status_code == 403
    assert client.post(page_of(issue), form_of(issue, subject="x")).status_code == 403
