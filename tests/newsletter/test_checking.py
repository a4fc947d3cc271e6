"""What is found before a letter goes out, and what then holds it back."""

import pytest

from cities.models import City
from exchanges.models import Gallery, GuardianConsent, Photo
from sistercities.newsletter import checking, composing
from sistercities.newsletter.checking import Problem
from sistercities.newsletter.models import Block, Issue, Topic
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings

pytestmark = pytest.mark.django_db


@pytest.fixture
def block(site, issue, make_city):
    make_city("Jinzhou")
    return Block.objects.create(
        issue=issue, kind="article", title="The tide", text="<p>A road of stones.</p>",
        url="/cities/jinzhou/", label="Read on",
    )  # fmt: skip


def found(issue: Issue) -> list[tuple[bool, str]]:
    issue.refresh_from_db()
    return [(problem.is_blocking, problem.text) for problem in checking.problems(issue)]


def write(row: Block | Issue, **fields) -> None:
    """Past every form, as an import or an older version could have."""
    type(row).objects.filter(pk=row.pk).update(**fields)


def test_a_good_letter_has_no_problems(issue, block):
    assert found(issue) == []
    assert not checking.blocks_release(issue)


# --- the head -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("", "The subject is empty."),
        ("   ", "The subject is empty."),
        ("READ THIS NOW", "The subject is all in capitals. Mail programs take that for spam."),
        ("ҚЫЗЫЛОРДА ҚАЛАСЫ", "The subject is all in capitals. Mail programs take that for spam."),
        ("Come!!", "The subject shouts: use one exclamation mark at most."),
        ("Come! Sing!", "The subject shouts: use one exclamation mark at most."),
        ("A\r\nBcc: b@example.org", "The subject has a line break or a hidden sign in it."),
        ("A\u2028b", "The subject has a line break or a hidden sign in it."),
    ],
)
def test_a_subject_that_nobody_should_send_blocks(issue, block, subject, text):
    write(issue, subject=subject)
    assert (True, text) in found(issue)


@pytest.mark.parametrize("subject", ["NASA calls", "Come and sing!", "锦州来信", "UNESCO", "2026"])
def test_a_quiet_subject_passes(issue, block, subject):
    write(issue, subject=subject)
    assert found(issue) == []


def test_a_long_head_is_advice(issue, block):
    write(issue, subject="a" * 60, preheader="")
    assert found(issue) == [
        (False, "The subject is long: phones show about 45 letters of it."),
        (False, "There is no line after the subject. Mail programs then show the first words."),
    ]
    write(issue, subject="A supper", preheader="a" * 140)
    assert found(issue) == [
        (False, "The line after the subject is long: about 100 letters are seen.")
    ]


def test_e11_without_a_postal_address_nothing_is_sent(issue, block):
    SiteSettings.objects.update(postal_address=" \n ")
    assert found(issue) == [
        (True, "Your postal address is missing in the site settings. By law every letter has it.")
    ]


# --- blocks ---------------------------------------------------------------------------------


def test_a_letter_without_blocks_blocks(site, issue):
    assert found(issue) == [(True, "The letter has no blocks yet.")]


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "text"},
        {"kind": "text", "text": "<p> </p>"},
        {"kind": "picture", "title": ""},
        {"kind": "events", "lines": []},
        {"kind": "button", "url": "/cities/jinzhou/"},
        {"kind": "article", "text": "<p></p>"},
    ],
)
def test_an_empty_block_blocks(issue, block, fields):
    Block.objects.create(issue=issue, **fields)
    assert [text.partition("” ")[2] for _, text in found(issue)] == [
        "is empty. Fill it in or remove it."
    ]


def test_words_of_a_link_need_a_page(issue, block):
    write(block, url="")
    assert found(issue) == [(True, "“The tide” has words for a link and no page.")]


# --- links ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["/cities/jinzhou/", "/", "/cities/jinzhou/?a=b#facts", "/donate/",
            "/events/calendar.ics",
            "https://example.org/a", "mailto:ann@example.org", "tel:+13035550100",
            "{{ preferences_url }}"],
)  # fmt: skip
def test_a_link_that_works_passes(issue, block, url):
    write(block, url=url)
    assert found(issue) == []


@pytest.mark.parametrize("place", ["url", "text", "line"])
@pytest.mark.parametrize(
    "url", ["/cities/draft/", "/cities/nowhere/", "/no/such/page/", "/admin/", "/cities/jinzhou",
            "/newsletter/unsubscribe/abc/", "/newsletter/issues/autumn-2026/"],
)  # fmt: skip
def test_a_link_that_visitors_cannot_open_blocks(issue, block, make_city, url, place):
    make_city("Draft", status="draft")
    fields = {
        "url": {"url": url},
        "text": {"text": f'<p><a href="{url}">x</a></p>'},
        "line": {"lines": [{"title": "Supper", "url": url}]},
    }[place]
    write(block, **fields)
    assert found(issue) == [(True, f"“The tide” leads to {url}, which visitors cannot open.")]


def test_a_whole_address_of_our_own_is_looked_up_too(issue, block, settings):
    write(block, url=f"{settings.SITE_URL}/cities/jinzhou/")
    assert found(issue) == []
    City.objects.update(status="draft")
    assert [blocking for blocking, _ in found(issue)] == [True]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://example.org/", "https://", "https://localhost/",
            "www.a.b",
            "https://a b.org/", "//example.org/", "https://[::1/", "mailto:", "data:text/html,x"],
)  # fmt: skip
def test_an_address_that_is_none_blocks(issue, block, url):
    write(block, url=url)
    assert found(issue) == [(True, f"“The tide” leads to “{url}”, which is no address.")]


def test_an_address_without_https_is_advice(issue, block):
    write(block, url="http://example.org/")
    assert found(issue) == [
        (False, "“The tide” leads to http://example.org/, which is not secure. Try it with https.")
    ]


# --- pictures -------------------------------------------------------------------------------


def test_a_picture_without_words_blocks(issue, block, picture_file, finish_pictures):
    block.picture = picture_file()
    block.save()
    assert found(issue) == [
        (True, "The picture of “The tide” is still in the works. Wait a minute.")
    ]
    finish_pictures()
    assert found(issue) == [(True, "The picture of “The tide” has no words for who cannot see it.")]
    write(block, picture_alt="A road of stones")
    assert found(issue) == []


def test_i7_a_photo_whose_consent_does_not_cover_letters_blocks(
    issue, block, make_city, picture_file, finish_pictures
):
    gallery = Gallery.objects.create(
        title="Album", slug="album", city=City.objects.get(), status="published"
    )
    photo = Photo(gallery=gallery, picture_alt="Mei", people="minors", picture=picture_file())
    photo.save()
    given = GuardianConsent.objects.create(
        child="Mei", guardian="Li", given_on=clock.today(), for_web=True, for_newsletter=True
    )
    photo.consents.set([given])
    finish_pictures()
    drafted = composing.draft()
    write(drafted, preheader="One album.")
    drafted.blocks.update(topic=None)
    assert found(drafted) == []
    GuardianConsent.objects.update(for_newsletter=False)  # and nobody has settled yet
    assert found(drafted) == [
        (True, "The picture of “Album” shows children, and consent does not cover the newsletter. "
               "Remove it.")
    ]  # fmt: skip


def test_a_picture_that_was_left_out_is_named(issue, block):
    write(block, picture_problem="The cover was left out: reasons.")
    assert found(issue) == [(False, "“The tide”: The cover was left out: reasons.")]


# --- placeholders and size ------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [{"title": "Dear {{ first_name }}"}, {"text": "<p>Dear {{first_name}}</p>"},
     {"url": "https://example.org/{{ first_name }}"}, {"label": "For {{ first_name }}"},
     {"picture_alt": "{{ first_name }}"}, {"picture_caption": "{{ first_name }}"},
     {"lines": [{"title": "{{ first_name }}’s day"}]}],
)  # fmt: skip
def test_an_unknown_placeholder_blocks(issue, block, fields):
    write(block, **fields)
    assert (
        True,
        "{{ first_name }} means nothing. You can use: {{ name }}, {{ unsubscribe_url }}, "
        "{{ preferences_url }}, {{ web_url }}.",
    ) in found(issue)


def test_a_known_placeholder_passes_and_half_of_one_blocks(issue, block):
    write(issue, subject="A supper for {{ name }}")
    write(block, text='<p>Dear {{name}}, <a href="{{ web_url }}">on the web</a></p>')
    assert found(issue) == []
    write(block, text="<p>Dear {{ name</p>")
    assert found(issue) == [(True, "There is a {{ without its }}, or the other way around.")]


def test_a_letter_that_mail_programs_cut_off_blocks(issue, block):
    write(block, text=f"<p>{'word ' * 20_000}</p>")
    assert found(issue) == [
        (True, "The letter is too large: 111 KB. Mail programs cut it off after 100 KB. Shorten it "
               "and lead to the site for the rest.")
    ]  # fmt: skip


# --- readers --------------------------------------------------------------------------------


def test_readers_of_one_topic_who_find_nothing_are_named(issue, block):
    jinzhou = Topic.objects.create(slug="jinzhou", title="Jinzhou")
    Topic.objects.create(slug="midleton", title="Midleton")
    assert found(issue) == []
    write(block, topic=jinzhou)
    assert found(issue) == [(False, "Who follows only Midleton finds nothing in it.")]


# --- order and cost -------------------------------------------------------------------------


def test_what_blocks_comes_first(issue, block):
    write(issue, preheader="")
    write(block, url="/no/such/page/")
    assert [blocking for blocking, _ in found(issue)] == [True, False]
    assert checking.blocks_release(issue)
    assert all(isinstance(problem, Problem) for problem in checking.problems(issue))


def test_checking_costs_the_same_for_any_number(issue, block, make_city, django_assert_num_queries):
    with django_assert_num_queries(3):
        checking.problems(issue)
    for number in range(15):
        make_city(f"City {number}")
        Block.objects.create(issue=issue, title=f"{number}", url=f"/cities/city-{number}/")
    with django_assert_num_queries(3):
        checking.problems(issue)
