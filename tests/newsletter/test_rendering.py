"""The letter as mail: what staff wrote, made safe; what the law wants; what programs can show."""

import re
from email import message_from_bytes
from email.policy import default

import pytest
from django.core.mail import EmailMultiAlternatives

from sistercities.newsletter.models import Block, Issue, Topic
from sistercities.newsletter.rendering import PLACEHOLDERS, Letter, personal, skeleton

pytestmark = pytest.mark.django_db
EVERYBODY: frozenset[str] = frozenset()
WORDS = {
    "name": "Ann",
    "unsubscribe_url": "https://example.org/newsletter/unsubscribe/T1/",
    "preferences_url": "https://example.org/newsletter/preferences/T1/",
    "web_url": "https://example.org/newsletter/issues/autumn/",
}


def letter(issue: Issue, follows=EVERYBODY) -> Letter:
    return skeleton(issue, language="en", follows=follows)


def body_of(html: str) -> str:
    """What is seen, without the head, whose title repeats the subject."""
    return html[html.index("<body") :]


@pytest.fixture
def jinzhou(db):
    return Topic.objects.create(
        slug="jinzhou", title="Jinzhou", native_title="锦州", native_language="zh-Hans",
        country="CN", accent="#7b2a4e", accent_dark="#e0a4bd",
    )  # fmt: skip


# --- both parts -----------------------------------------------------------------------------


def test_a_letter_has_its_words_in_both_parts(site, issue, jinzhou):
    Block.objects.create(
        issue=issue, kind="article", title="The tide & the port", url="/news/tide/", topic=jinzhou,
        text="<p>A road of <strong>stones</strong>.</p><ul><li>Boots</li><li>Tea</li></ul>",
        label="Read the article",
    )  # fmt: skip
    made = letter(issue)
    assert made.subject == "A supper to book"
    for part in (
        "A supper to book\n================\n",
        "The tide & the port\n-------------------\n\n(Jinzhou 锦州)\n\nA road of stones.\n\n"
        "- Boots\n- Tea\n\nRead the article:\nhttp://localhost:8000/news/tide/\n",
    ):
        assert part.replace("http://localhost:8000", home()) in made.text
    html = body_of(made.html)
    assert "The tide &amp; the port</h2>" in html
    assert "<strong>stones</strong>" in html
    assert f'href="{home()}/news/tide/"' in html
    assert '<span lang="zh-Hans">锦州</span>' in html
    assert "flag-icons/mail/cn.png" in html
    assert "%%" not in made.html


def home() -> str:
    from django.conf import settings

    return settings.SITE_URL


def test_e22_the_text_is_wrapped_and_its_links_are_numbered(site, issue):
    words = "word " * 40
    Block.objects.create(
        issue=issue,
        text=f'<p>{words}<a href="/visits/x/">the visit</a> and <a href="https://a.example/b">b</a>'
        ' and <a href="/visits/x/">again</a>.</p><ol start="3"><li>three</li><li>four</li></ol>'
        "<blockquote><p>Said.</p></blockquote><p>One<br>Two</p>",
    )  # fmt: skip
    text = letter(issue).text
    assert max(len(line) for line in text.splitlines() if "http" not in line) <= 72
    assert "the visit [1] and b [2] and again [1]." in text.replace("\n", " ")
    assert "3. three\n4. four\n\n> Said.\n\nOne\nTwo\n\n" in text
    assert f"[1] {home()}/visits/x/\n[2] https://a.example/b\n" in text


def test_e22_a_letter_reads_without_its_pictures(site, issue, picture_file, finish_pictures):
    block = Block(
        issue=issue, kind="picture", title="Riders", picture_alt="Riders ford a river",
        picture_caption="The Syr Darya.", picture_credit="Illustration",
    )  # fmt: skip
    block.picture = picture_file(1000, 500)
    block.save()
    finish_pictures()
    made = letter(issue)
    (picture,) = re.findall(r"<img [^>]*>", made.html)
    assert f'src="{home()}/media/pictures/' in picture
    assert ".jpg" in picture  # some mail programs read no WebP
    assert 'width="552" height="276"' in picture
    assert 'alt="Riders ford a river"' in picture
    assert "[Picture: Riders ford a river · The Syr Darya. · Illustration]" in made.text


def test_a_list_of_events_and_an_appeal_are_told_in_both_parts(site, issue):
    Block.objects.create(
        issue=issue, kind="events", title="Dates", url="/events/", label="All events",
        lines=[{"day": "2027-02-06", "title": "Supper", "native": "春节", "language": "zh-Hans",
                "words": "Sat 5 p.m.", "url": "/events/supper/"}],
    )  # fmt: skip
    Block.objects.create(
        issue=issue, kind="appeal", title="A bus", url="/donate/bus/", label="Give to this",
        lines=[{"percent": 64, "words": "$3,840 of $6,000"}],
    )  # fmt: skip
    made = letter(issue)
    assert f"* Feb 6: Supper 春节\n  Sat 5 p.m.\n  {home()}/events/supper/\n" in made.text
    assert "$3,840 of $6,000\n\nGive to this:\n" in made.text
    assert ">Feb</span>6</td>" in made.html
    assert 'width="64%"' in made.html
    assert 'width="36%"' in made.html


def test_a_broken_line_is_left_out(site, issue):
    Block.objects.create(
        issue=issue, kind="events", title="Dates",
        lines=["x", {"day": "soon", "title": "Lost"}, {"percent": None}, {"title": "Kept"}],
    )  # fmt: skip
    made = letter(issue)
    assert "* Kept" in made.text
    assert "Lost" not in made.text + made.html


# --- what the law wants ---------------------------------------------------------------------


def test_e9_e11_the_foot_says_who_why_and_how_to_leave(site, issue):
    made = personal(letter(issue), WORDS)
    for part in (made.text, body_of(made.html)):
        flat = " ".join(part.split())
        assert "8101 Ralston Road, Arvada, CO 80002" in flat
        assert "You get this letter because you asked for it and confirmed your address." in flat
        for url in ("unsubscribe_url", "preferences_url", "web_url"):
            assert part.count(WORDS[url]) == 1
    assert re.search(rf'<a href="{WORDS["unsubscribe_url"]}"[^>]*>Leave, with one click</a>',
                     made.html)  # fmt: skip


def test_e23_nothing_in_a_letter_tells_who_opened_it(site, issue, jinzhou):
    Block.objects.create(issue=issue, title="One", topic=jinzhou, text="<p>x</p>")
    made = personal(letter(issue), WORDS)
    pictures = re.findall(r'<img src="([^"]*)"', made.html)
    assert [url for url in pictures if not url.endswith("/flag-icons/mail/cn.png")] == []
    asks = re.findall(r'(?:src|background|srcset)="[^"]*|url\([^)]*\)|@import|<link', made.html)
    assert [found for found in asks if not found.startswith(f'src="{home()}/static/')] == []


def test_the_foot_is_in_the_readers_language_and_the_rest_in_the_letters(site, issue):
    Issue.objects.filter(pk=issue.pk).update(language="kk")
    issue.refresh_from_db()
    html = letter(issue).html
    assert '<html lang="kk"' in html
    assert re.search(r'<td class="rule ink" lang="en"[^>]*>.*Leave, with one click', html)


# --- topics ---------------------------------------------------------------------------------


def test_a_block_for_a_topic_reaches_only_who_follows_it(site, issue, jinzhou):
    midleton = Topic.objects.create(slug="midleton", title="Midleton")
    Block.objects.create(issue=issue, order=1, title="For all", text="<p>a</p>")
    Block.objects.create(issue=issue, order=2, title="The tide", topic=jinzhou)
    Block.objects.create(issue=issue, order=3, title="The choir", topic=midleton)

    def told(*follows: str) -> list[str]:
        return re.findall(r"<h2[^>]*>([^<]*)</h2>", letter(issue, frozenset(follows)).html)

    assert told() == ["For all", "The tide", "The choir"]
    assert told("jinzhou") == ["For all", "The tide"]
    assert told("midleton") == ["For all", "The choir"]
    assert told("jinzhou", "midleton") == ["For all", "The tide", "The choir"]
    assert told("giving") == ["For all"]


def test_a_block_for_everybody_keeps_the_colors_of_its_city(site, issue, jinzhou):
    Block.objects.create(issue=issue, title="The tide", about=jinzhou)
    made = letter(issue, frozenset(["midleton"]))
    assert "color:#7b2a4e" in made.html
    dark = made.html.partition("prefers-color-scheme: dark")[2].partition("</style>")[0]
    assert "&" not in dark  # mrml leaves entities as they stand, and no browser reads those there
    assert re.search(rf"\.c{jinzhou.pk}[^}}]*#e0a4bd", dark)


# --- what people typed ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<p>a<script>alert(1)</script></p>",
        '<p onclick="alert(1)">a</p>',
        '<p><a href="javascript:alert(1)">a</a></p>',
        "<p>a</p><mj-raw><script>alert(1)</script></mj-raw>",
        '<mj-include path="/etc/passwd"></mj-include><p>a</p>',
        "<p>a</p></div></td></tr></table><style>*{display:none}</style>",
        "<p>a</p><!-- --><![endif]--><script>alert(1)</script>",
        '<p style="position:fixed">a</p>',
        "<p>a</p><img src=https://evil.example/pixel.gif>",
    ],
)  # fmt: skip
def test_no_active_content_survives(site, issue, text):
    block = Block.objects.create(issue=issue, title="T")
    Block.objects.filter(pk=block.pk).update(text=text)  # past the editor's cleaning
    html = body_of(letter(issue).html)
    for bad in ("<script", "onclick", "javascript:", "mj-raw", "mj-include", "position:fixed",
                "evil.example", "display:none}"):  # fmt: skip
        assert bad not in html
    assert html.count("<table") == html.count("</table")


@pytest.mark.parametrize(
    "typed",
    ["</mj-text><mj-raw>x", "<b>x</b>", '"><script>', "&amp;", "%%0%%", "%%99%%", "Қызылорда 锦州",
     "{% now 'Y' %}", "{{ settings.SECRET_KEY }}", "' onload='x"],
)  # fmt: skip
def test_a_title_comes_back_as_it_was_typed(site, issue, typed):
    from django.utils.html import escape

    Block.objects.create(
        issue=issue, title=typed, text="<p>a</p>", url="/news/x/", label=typed, picture_alt=typed
    )
    made = personal(letter(issue), WORDS)
    assert f"{escape(typed)}</h2>" in made.html
    assert f"{escape(typed)}</a>" in made.html
    assert typed in made.text


def test_a_link_cannot_leave_its_attribute(site, issue):
    Block.objects.create(issue=issue, title="T", url='/x/"><img src=y>')
    assert "<img src=y" not in letter(issue).html


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example/", "https://[::1/",
            "https://a.example/\nb", "vbscript:x"],
)  # fmt: skip
def test_an_address_that_is_none_is_no_link(client, site, issue, url):
    Block.objects.create(issue=issue, kind="events", title="T", url=url, label="Read",
                         lines=[{"title": "Supper", "url": url}])  # fmt: skip
    made = letter(issue)
    Issue.objects.filter(pk=issue.pk).update(
        status="sent", send_at=issue.created_at, began_at=issue.created_at, people=1
    )
    for page in (made.html, made.text, client.get(issue.get_absolute_url()).content.decode()):
        assert url not in page


@pytest.mark.parametrize(
    "name",
    ["{{ unsubscribe_url }}", "{{name}}", "<script>alert(1)</script>", "%%1%%", r"\g<0> \1",
     "李 & 王"],
)  # fmt: skip
def test_a_name_is_never_read_as_anything_else(site, issue, name):
    from django.utils.html import escape

    Block.objects.create(issue=issue, text="<p>Dear {{ name }}, {{name}}!</p>")
    made = personal(letter(issue), {**WORDS, "name": name})
    assert f"Dear {escape(name)}, {escape(name)}!" in made.html
    assert f"Dear {name}, {name}!" in made.text
    assert made.html.count(WORDS["unsubscribe_url"]) == 1


def test_an_unknown_placeholder_stays_as_it_was_typed(site, issue):
    Block.objects.create(issue=issue, text="<p>Dear {{ first_name }}</p>")
    assert "Dear {{ first_name }}" in personal(letter(issue), WORDS).html


@pytest.mark.parametrize(
    "ending", ["\r\nBcc: all@example.org", "\nX: y", "\rX: y", "\x0bX", "\u2028X"]
)
def test_e22_no_header_follows_in_a_subject(site, issue, ending):
    Issue.objects.filter(pk=issue.pk).update(subject=f"A supper{ending}, {{{{ name }}}}")
    issue.refresh_from_db()
    made = personal(letter(issue), {**WORDS, "name": f"Ann{ending}"})
    assert len(made.subject.splitlines()) == 1
    mail = EmailMultiAlternatives(made.subject, made.text, "a@example.org", ["b@example.org"])
    mail.attach_alternative(made.html, "text/html")
    read = message_from_bytes(mail.message().as_bytes(), policy=default)
    assert "Bcc" not in read and "X" not in read
    assert read["To"] == "b@example.org"


# --- cost -----------------------------------------------------------------------------------


def test_every_placeholder_is_filled(site, issue):
    Block.objects.create(issue=issue, text="<p>Dear {{ name }}</p>")
    made = letter(issue)
    assert set(re.findall(r"\{\{ (\w+) \}\}", made.text + made.html)) == set(PLACEHOLDERS)
    mine = personal(made, WORDS)
    assert "{{" not in mine.text + mine.html


def test_a_skeleton_costs_two_queries_for_any_number_of_blocks(
    site, issue, jinzhou, django_assert_num_queries
):
    Block.objects.create(issue=issue, title="One", topic=jinzhou)
    with django_assert_num_queries(2):
        letter(issue)
    Block.objects.bulk_create(
        Block(issue=issue, title=f"Block {number}", about=jinzhou, lines=[{"title": "Supper"}])
        for number in range(30)
    )
    with django_assert_num_queries(2):
        letter(issue)


def test_a_large_letter_stays_below_100_kb(site, issue, jinzhou):
    Block.objects.bulk_create(
        Block(
            issue=issue, title=f"Block {number}", about=jinzhou, url="/news/x/", label="Read",
            text="<p>" + "A sentence of some words. " * 20 + "</p>",
        )
        for number in range(12)
    )  # fmt: skip
    assert len(letter(issue).html.encode()) < 60_000
