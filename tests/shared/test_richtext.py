import re

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from sistercities.shared.richtext import clean_html, clean_page, plain_text, refuse_skipped_heading

ALLOWED = {
    "p", "br", "strong", "em", "b", "i", "ul", "ol", "li", "blockquote", "h3", "h4", "a",
    "sup", "span",
}  # fmt: skip


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("", ""),
        (None, ""),
        ("<p>锦州 <strong>Jinzhou</strong></p>", "<p>锦州 <strong>Jinzhou</strong></p>"),
        ("<p>a<script>alert(1)</script>b</p>", "<p>ab</p>"),
        ("<p>a<style>p{color:red}</style>b</p>", "<p>ab</p>"),
        ("<p>a<!-- note -->b</p>", "<p>ab</p>"),
        ('<p onclick="x()" style="color:red" class="c" id="i">a</p>', "<p>a</p>"),
        ("<img src=x onerror=alert(1)>", ""),
        ("<svg><script>alert(1)</script></svg>", ""),
        ("<iframe src=/admin/></iframe>", ""),
        ('<form action="/x"><input name="a"><button>b</button></form>', "b"),
        ('<a href="javascript:alert(1)">a</a>', '<a rel="noopener">a</a>'),
        ('<a href=" jAvA\tscript:alert(1)">a</a>', '<a rel="noopener">a</a>'),
        ('<a href="&#106;avascript:alert(1)">a</a>', '<a rel="noopener">a</a>'),
        ('<a href="data:text/html,x">a</a>', '<a rel="noopener">a</a>'),
        ('<a href="vbscript:x">a</a>', '<a rel="noopener">a</a>'),
        (
            '<a href="https://a.example/?b=1&amp;c=2" target="_blank" rel="opener">a</a>',
            '<a href="https://a.example/?b=1&amp;c=2" rel="noopener">a</a>',
        ),
        (
            '<a href="mailto:ann@example.org">a</a>',
            '<a href="mailto:ann@example.org" rel="noopener">a</a>',
        ),
        ('<a href="/cities/jinzhou/">a</a>', '<a href="/cities/jinzhou/" rel="noopener">a</a>'),
        ('<span lang="kk">Қызылорда</span>', '<span lang="kk">Қызылорда</span>'),
        ("<h1>a</h1><h2>b</h2><h3>c</h3>", "ab<h3>c</h3>"),
        ("{{ settings.SECRET_KEY }}", "{{ settings.SECRET_KEY }}"),
    ],
)
def test_only_what_the_editor_makes_survives(html, clean):
    assert clean_html(html) == clean


def test_cleaning_twice_changes_nothing():
    once = clean_html('<p>a &amp; b <a href="https://a.example">c</a> &lt;script&gt;</p>')
    assert clean_html(once) == once


@pytest.mark.parametrize("tag", ["div", "b", "blockquote", "ul"])
def test_hostile_nesting_ends_soon_and_clean(tag):
    html = f"<{tag}>" * 5_000 + "<script>alert(1)</script>x" + f"</{tag}>" * 5_000
    clean = clean_html(html)
    assert "script" not in clean and "x" in clean


@given(st.text(alphabet="<>/\"'= abpsonclick!-script:java&;#x0", max_size=120))
def test_no_text_becomes_another_tag_or_an_event(text):
    clean = clean_html(text)
    for name, attributes in re.findall(r"<([a-z0-9]+)([^>]*)>", clean):
        assert name in ALLOWED
        assert not re.search(r"\bon\w+\s*=", re.sub(r'"[^"]*"', "", attributes))
    assert clean_html(clean) == clean


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("", ""),
        (None, ""),
        ("<p>One</p><p>two</p>", "One two"),
        ("one<br>two", "one two"),
        ("<ul><li>a</li><li>b</li></ul>", "a b"),
        ("<p>AT&amp;T &lt;b&gt;</p>", "AT&T <b>"),
        ("<p>&amp;lt;</p>", "&lt;"),
        ("<p>12&nbsp;km</p>", "12 km"),
        ("<p>a<script>b</script>c</p>", "ac"),
    ],
)
def test_plain_text_is_the_words_alone(html, words):
    assert plain_text(html) == words


def test_headings_right_under_a_title_go_up_one_level():
    html = "<h3>a</h3><p>&lt;h3&gt; is a tag</p><h4 onclick='x()'>b</h4><script>x</script>"
    assert clean_page(html) == "<h2>a</h2><p>&lt;h3&gt; is a tag</p><h3>b</h3>"


@pytest.mark.parametrize("html", ["<h4>a</h4>", "<p>x</p><h4>a</h4><h3>b</h3>"])
def test_a_small_heading_before_a_large_one_is_refused(html):
    with pytest.raises(ValidationError, match="large heading"):
        refuse_skipped_heading(html)


@pytest.mark.parametrize("html", ["", "<p>x</p>", "<h3>a</h3>", "<h3>a</h3><h4>b</h4>"])
def test_headings_in_order_are_fine(html):
    refuse_skipped_heading(html)


def test_a_field_is_cleaned_whoever_writes_it(db):
    from sistercities.pages.models import Page

    page = Page.objects.create(
        title="About", slug="about", body="<p onclick='x()'>a<script>b</script></p>"
    )
    page.refresh_from_db()
    assert page.body == "<p>a</p>"


def test_an_empty_paragraph_is_no_text(db):
    from sistercities.pages.models import Page

    assert Page.objects.create(title="About", slug="about", body="<p></p>").body == ""
