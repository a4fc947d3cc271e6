"""A letter as mail: one skeleton for a language and a choice of topics, then one pass a person.

Author text is never a template. `{{ name }}` and its like are a flat list, put in once, so what a
person is called can never be read as another placeholder (trust.md, `{{ … }}`). What staff wrote
does not go through MJML either, which lets scripts and unknown tags pass: the frame is made with
marks in it, and the cleaned words take their place afterwards.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import mrml
import nh3
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from sistercities.newsletter import plain
from sistercities.newsletter.lines import Line, lines_of
from sistercities.newsletter.links import PLACEHOLDER, address
from sistercities.newsletter.models import Block, Issue, Topic
from sistercities.shared.addresses import absolute, jpeg
from sistercities.shared.addresses import flag as flag_file
from sistercities.shared.models import SiteSettings
from sistercities.shared.richtext import CLEANER_RULES, clean_html

PLACEHOLDERS = ("name", "unsubscribe_url", "preferences_url", "web_url")
SPACED = re.compile(r"(\s*)" + PLACEHOLDER.pattern)
MARK = re.compile(r"%%(\d+)%%")
# By itself mrml has whoever opens a letter that names Roboto ask Google for it (mail.md E23).
NO_FONTS_FROM_ELSEWHERE = mrml.RenderOptions(fonts={})
WIDTH = 552  # of a picture, in the 600 px of the letter
SIZES = {  # of what staff write; the rest of the look is in letter.mjml
    "p": "margin:0 0 14px",
    "h3": "margin:22px 0 8px;font:400 21px/1.25 Literata,Georgia,serif",
    "h4": "margin:18px 0 6px;font-size:17px;font-weight:600",
    "ul": "margin:0 0 14px;padding-left:22px",
    "ol": "margin:0 0 14px;padding-left:24px",
    "li": "margin:0 0 6px",
    "blockquote": "margin:18px 0;padding:0 0 0 16px;border-left:2px solid #a8761a;"
    "font:400 20px/1.5 Literata,Georgia,serif",
    "a": "color:#1a4f4b;text-decoration:underline",
}


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str


def skeleton(issue: Issue, *, language: str, follows: frozenset[str]) -> Letter:
    """The letter before it is anybody's: `language` is that of the words around it, `follows` the
    slugs of the topics that its readers chose; none means all.
    """
    blocks = shown_to(issue.blocks, follows)
    return of_blocks(blocks, issue, site=SiteSettings.load(), language=language)


def of_blocks(blocks: list[Block], issue: Issue, *, site: SiteSettings, language: str) -> Letter:
    """The same for who has read the rows already. No query."""
    with translation.override(language):
        pieces = [_Piece(block) for block in blocks]
        frame = {
            "language": language,
            "subject": one_line(issue.subject),
            "preheader": one_line(issue.preheader),
            "why": _("You get this letter because you asked for it and confirmed your address."),
            "address": ", ".join(line for line in site.postal_address.splitlines() if line.strip()),
        }
        return Letter(
            frame["subject"], _text(frame, site, pieces), _html(issue, frame, site, pieces)
        )


def personal(letter: Letter, words: Mapping[str, str]) -> Letter:
    """The letter of one person; `words` has a value for each of `PLACEHOLDERS`."""

    def fill(text: str, *, is_html: bool) -> str:
        def word(found: re.Match[str]) -> str:
            value = words.get(found[1], found[0])
            return escape(value) if is_html else value

        return PLACEHOLDER.sub(word, text)

    return Letter(
        subject=one_line(fill(letter.subject, is_html=False)),
        text=fill(letter.text, is_html=False),
        html=fill(letter.html, is_html=True),
    )


def one_line(text: str) -> str:
    """Without line breaks, so that no header can follow in a subject (mail.md E22)."""
    return " ".join(text.split())


def shown_to(blocks: Any, follows: Iterable[str] = ()) -> list[Block]:
    """The blocks of a letter that these readers get, in their order."""
    wanted = frozenset(follows)
    return [
        block
        for block in blocks.select_related("topic", "about")
        if not block.topic or not wanted or block.topic.slug in wanted
    ]


def impersonal(html: str) -> str:
    """Cleaned text for everybody: without placeholders and what they would lead to (E22)."""
    without_links = re.sub(r"<a [^>]*\{\{[^>]*>(.*?)</a>", r"\1", str(clean_html(html)), flags=re.S)
    return impersonal_words(without_links)


def impersonal_words(text: str) -> str:
    """Everybody is a friend, as who gave no name is in a letter; the rest is left out."""

    def word(found: re.Match[str]) -> str:
        return found[1] + _("friend") if found[2] == "name" else ""

    return SPACED.sub(word, text)


class _Piece:
    """A block in the form in which a letter shows it; what it holds is not escaped yet."""

    def __init__(self, block: Block) -> None:
        dress = block.dress
        self.kind = block.kind
        self.title = block.title
        self.html = str(clean_html(block.text))
        self.url = address(block.url)
        self.label = block.label or (_("Read on") if self.url else "")
        self.lines: list[Line] = lines_of(block)
        self.topic: Topic | None = dress
        self.picture = absolute(jpeg(block, 800)) if block.picture else ""
        self.height = round(WIDTH * block.picture_height / (block.picture_width or WIDTH))
        self.alt = block.picture_alt
        self.caption, self.credit = block.picture_caption, block.picture_credit


# --- the page -------------------------------------------------------------------------------


class _Kept:
    """What stands in the marks of a frame: HTML, cleaned or escaped by then."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def html(self, html: str) -> str:
        if not html:
            return ""
        self.pieces.append(html)
        return f"%%{len(self.pieces) - 1}%%"

    def words(self, text: Any) -> str:
        return self.html(escape(text))

    def put_into(self, frame: str) -> str:
        return MARK.sub(lambda found: self.pieces[int(found[1])], frame)


def _styled(html: str) -> str:
    """Mail programs want their styles inline, and addresses with the site's name."""
    return MAIL_CLEANER.clean(html)


def _whole_address(tag: str, name: str, value: str) -> str:
    return address(value) if name == "href" else value


MAIL_CLEANER = nh3.Cleaner(
    **cast(Any, CLEANER_RULES),
    set_tag_attribute_values={tag: {"style": style} for tag, style in SIZES.items()},
    attribute_filter=_whole_address,
)


def _html(issue: Issue, frame: Mapping[str, str], site: SiteSettings, pieces: list[_Piece]) -> str:
    kept = _Kept()
    topics = {piece.topic.pk: piece.topic for piece in pieces if piece.topic and piece.topic.accent}
    mjml = render_to_string(
        "newsletter/letter.mjml",
        {
            **{name: kept.words(text) for name, text in frame.items()},
            "language": kept.words(issue.language),
            "frame_language": frame["language"],
            "name": kept.words(site.name),
            "short_name": kept.words(site.short_name),
            "tagline": kept.words(site.tagline),
            "home_url": kept.words(absolute("/")),
            "unsubscribe_url": kept.html("{{ unsubscribe_url }}"),
            "preferences_url": kept.html("{{ preferences_url }}"),
            "web_url": kept.html("{{ web_url }}"),
            "topics": topics.values(),
            "pieces": [_kept_piece(kept, piece) for piece in pieces],
            "width": WIDTH,
        },
    )
    return kept.put_into(mrml.to_html(mjml, render_options=NO_FONTS_FROM_ELSEWHERE).content)


def _kept_piece(kept: _Kept, piece: _Piece) -> dict[str, Any]:
    topic = piece.topic
    return {
        "kind": piece.kind,
        "title": kept.words(piece.title),
        "html": kept.html(_styled(piece.html)),
        "url": kept.words(piece.url),
        "label": kept.words(piece.label),
        "picture": kept.words(piece.picture),
        "height": piece.height,
        "alt": kept.words(piece.alt),
        "caption": kept.words(piece.caption),
        "credit": kept.words(piece.credit),
        "accent": topic.accent if topic else "",
        "topic": topic and {
            "pk": topic.pk,
            "title": kept.words(topic.title),
            "native": kept.words(topic.native_title),
            "language": kept.words(topic.native_language),
            "flag": kept.words(absolute(flag_file(topic.country))) if topic.country else "",
        },
        "lines": [
            {
                "title": kept.words(line.title),
                "native": kept.words(line.native),
                "language": kept.words(line.language),
                "month": kept.words(line.month),
                "number": line.number,
                "words": kept.words(line.words),
                "url": kept.words(address(line.url)),
                "percent": line.percent,
                "rest": None if line.percent is None else 100 - line.percent,
            }
            for line in piece.lines
        ],
    }  # fmt: skip


# --- the text -------------------------------------------------------------------------------


def _text(frame: Mapping[str, str], site: SiteSettings, pieces: list[_Piece]) -> str:
    parts = [plain.heading(frame["subject"], "="), plain.wrapped(frame["preheader"])]
    for piece in pieces:
        parts.append(_piece_text(piece))
    parts += [
        "-- ",
        plain.wrapped(f"{site.name}, {frame['address']}" if frame["address"] else site.name),
        plain.wrapped(frame["why"]),
        f"{_('Read it on the web:')} {{{{ web_url }}}}",
        f"{_('Choose what you get:')} {{{{ preferences_url }}}}",
        f"{_('Leave, with one click:')} {{{{ unsubscribe_url }}}}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _piece_text(piece: _Piece) -> str:
    parts = [plain.heading(piece.title, "-") if piece.title else ""]
    if piece.topic and piece.topic.title not in piece.title:
        names = [piece.topic.title, piece.topic.native_title]
        parts.append(f"({' '.join(name for name in names if name)})")
    if piece.picture and piece.alt:
        said = [_("Picture: %s") % piece.alt, *[s for s in (piece.caption, piece.credit) if s]]
        parts.append(plain.wrapped(f"[{' · '.join(said)}]"))
    parts.append(plain.from_html(piece.html))
    for line in piece.lines:
        when = f"{line.month} {line.number}: " if line.number else ""
        title = " ".join(word for word in (line.title, line.native) if word)
        told = plain.wrapped(f"* {when}{title}", indent="  ") if title else ""
        words = plain.wrapped(line.words, first="  " if title else "", indent="  " if title else "")
        url = f"  {address(line.url)}" if address(line.url) else ""
        parts.append("\n".join(part for part in (told, words, url) if part))
    if piece.url:
        parts.append(f"{piece.label}:\n{piece.url}")
    return "\n\n".join(part for part in parts if part)
