"""The letters that were sent, as everybody reads them."""

import datetime as dt
import re
import xml.etree.ElementTree as ET

import pytest
from django.conf import settings
from django.urls import reverse

from sistercities.newsletter.models import Block, Issue, Topic
from sistercities.shared import clock

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"


def sent(issue: Issue, *, days_ago: int = 0, **fields) -> Issue:
    at = clock.now() - dt.timedelta(days=days_ago)
    values = {
        "status": "sent",
        "send_at": at,
        "began_at": at,
        "ended_at": at,
        "people": 3,
        **fields,
    }
    Issue.objects.filter(pk=issue.pk).update(**values)
    issue.refresh_from_db()
    return issue


def make(number: int, **fields) -> Issue:
    issue = Issue.objects.create(slug=f"letter-{number}", subject=f"Letter {number}")
    return sent(issue, days_ago=number, **fields)


@pytest.fixture
def letter(site, issue):
    topic = Topic.objects.create(slug="jinzhou", title="Jinzhou")
    Block.objects.create(
        issue=issue, order=1, title="The tide", topic=topic, url="/visits/", label="See the visit",
        text="<p>Dear {{ name }}, a road. <a href=\"{{ unsubscribe_url }}\">Leave</a></p>",
    )  # fmt: skip
    Block.objects.create(
        issue=issue, order=2, kind="events", title="Dates",
        lines=[{"day": "2027-02-06", "title": "Supper", "native": "春节", "language": "zh-Hans",
                "words": "Sat 5 p.m.", "url": "/events/supper/"}],
    )  # fmt: skip
    return sent(issue)


def page(client, issue: Issue) -> str:
    response = client.get(issue.get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()


def test_e22_a_letter_has_a_page(client, letter):
    shown = page(client, letter)
    for words in (
        "<title>A supper to book · Arvada Sister Cities</title>",
        '<section id="b',
        'data-city="jinzhou"',
        ">The tide</h2>",
        '<a href="http://testserver/visits/">See the visit</a>'.replace(
            "http://testserver", settings.SITE_URL
        ),
        "<small>Feb</small>6</p>",
        '<span class="native" lang="zh-Hans">春节</span>',
        f'<link rel="canonical" href="{settings.SITE_URL}/newsletter/issues/autumn-2026/">',
        '<meta property="og:title" content="A supper to book">',
    ):
        assert words in shown


def test_nothing_personal_and_no_placeholder_is_on_it(client, letter):
    shown = page(client, letter)
    assert "<p>Dear friend, a road. Leave</p>" in shown
    assert "{{" not in shown
    response = client.get(letter.get_absolute_url())
    assert not response.cookies
    assert response["Cache-Control"] == "public, max-age=30"


def test_a_placeholder_is_nowhere_that_leads_to_a_letter(
    client, letter, picture_file, finish_pictures
):
    make(9, subject="Older words for {{ name }}", preheader="{{ name }}, look")
    letter.blocks.update(label="Come, {{ name }}", lines=[{"title": "{{ name }}’s day"}])
    block = letter.blocks.first()
    block.picture, block.picture_alt = picture_file(900, 600), "A boat for {{ name }}"
    block.picture_caption, block.picture_credit = "See, {{name}}", "By {{ web_url }} Ann"
    block.save()
    finish_pictures()
    listed = client.get("/newsletter/").content.decode()
    assert ">Older words for friend</a>" in listed
    assert ">friend, look</p>" in listed
    shown = page(client, letter)
    assert ">Come, friend</a>" in shown
    assert ">friend’s day" in shown
    assert shown.count("A boat for friend") == 2  # the picture, and the card for sharing
    assert ">See, friend</span>" in shown
    assert ">By Ann</span>" in shown
    assert ">Older words for friend</a>" in shown
    assert "{{" not in listed + shown


def test_the_share_card_has_the_first_picture(client, letter, picture_file, finish_pictures):
    block = letter.blocks.last()
    block.picture, block.picture_alt = picture_file(900, 600), "Riders"
    block.save()
    finish_pictures()
    shown = page(client, letter)
    assert f'<meta property="og:image" content="{settings.SITE_URL}/media/pictures/' in shown
    assert '<meta property="og:image:alt" content="Riders">' in shown


@pytest.mark.parametrize(
    ("status", "code"),
    [("draft", 404), ("scheduled", 404), ("held", 404), ("sending", 200), ("paused", 200),
     ("sent", 200), ("cancelled", 200)],
)  # fmt: skip
def test_a_letter_is_public_from_the_moment_that_it_goes_out(client, letter, status, code):
    sent(letter, status=status)
    assert client.get(letter.get_absolute_url()).status_code == code
    listed = letter.subject in client.get("/newsletter/").content.decode()
    fed = letter.subject in client.get("/newsletter/feed/").content.decode()
    mapped = letter.get_absolute_url() in client.get("/sitemap.xml").content.decode()
    assert (listed, fed, mapped) == ((code == 200,) * 3)


def test_a_letter_kept_out_of_the_archive_is_nowhere(client, letter):
    sent(letter, is_in_archive=False)
    assert client.get(letter.get_absolute_url()).status_code == 404
    for path in ("/newsletter/", "/newsletter/feed/", "/sitemap.xml"):
        assert "autumn-2026" not in client.get(path).content.decode()


def test_a_letter_that_was_stopped_before_it_began_is_nowhere(client, letter):
    sent(letter, status="cancelled", send_at=None, began_at=None, ended_at=None, people=None)
    assert client.get(letter.get_absolute_url()).status_code == 404


def test_the_list_has_the_newest_first_and_pages(client, site, django_assert_num_queries):
    assert "None has been sent yet." in client.get("/newsletter/").content.decode()
    for number in range(25):
        make(number)
    first = client.get("/newsletter/").content.decode()
    assert first.index("Letter 0<") < first.index("Letter 19<")
    assert "Letter 20<" not in first
    (query,) = re.findall(r'<a href="([^"]+)" rel="next"', first)
    assert "Letter 24<" in client.get(f"/newsletter/{query}").content.decode()
    with django_assert_num_queries(4):
        client.get("/newsletter/")


def test_a_letter_leads_to_the_one_before(client, letter):
    make(9)
    make(30)
    assert '<a href="/newsletter/issues/letter-9/" rel="prev">Letter 9</a>' in page(client, letter)


def test_the_page_costs_the_same_for_any_number_of_blocks(
    client, letter, django_assert_num_queries
):
    with django_assert_num_queries(5):
        page(client, letter)
    Block.objects.bulk_create(Block(issue=letter, title=f"Block {n}") for n in range(30))
    with django_assert_num_queries(5):
        page(client, letter)


def test_the_feed_is_atom(client, letter):
    make(3)
    sent(letter, subject="A < B & C for {{ name }}", updated_at=clock.now() - dt.timedelta(days=1))
    response = client.get(reverse("newsletter:feed"))
    assert response["Content-Type"].startswith("application/atom+xml")
    root = ET.fromstring(response.content)
    assert root.find(f"{ATOM}title").text == "Arvada Sister Cities: the letter"
    entries = root.findall(f"{ATOM}entry")
    assert [entry.find(f"{ATOM}title").text for entry in entries] == [
        "A < B & C for friend",
        "Letter 3",
    ]
    link = entries[0].find(f"{ATOM}link").get("href")
    assert link == f"{settings.SITE_URL}/newsletter/issues/autumn-2026/"
    dates = [entries[0].find(f"{ATOM}{name}").text for name in ("published", "updated")]
    assert dates == sorted(dates)
    assert entries[0].find(f"{ATOM}id").text.endswith(f":letter-{letter.pk}")
