"""What is wrong with a letter before it goes out: what holds it back, and what is advice."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sistercities.newsletter import material
from sistercities.newsletter.lines import lines_of
from sistercities.newsletter.links import address
from sistercities.newsletter.models import Block, Issue, Topic
from sistercities.newsletter.rendering import PLACEHOLDERS, of_blocks, shown_to
from sistercities.shared.models import SiteSettings
from sistercities.shared.richtext import plain_text

MOST_BYTES = 100_000  # Gmail cuts off what is beyond 102 KB, and with it the way to leave
SUBJECT_ON_PHONES = 45
PREHEADER_SEEN = 100
BRACES = re.compile(r"\{\{([^{}]*)\}\}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
AWAY = {"mailto", "tel"}
PLACEHOLDER_PATHS = tuple(f"{{{{ {name} }}}}" for name in PLACEHOLDERS)


@dataclass(frozen=True)
class Problem:
    is_blocking: bool
    text: str


def problems(issue: Issue) -> list[Problem]:
    """All that is found, what blocks first. Asks no other host; costs the same for any number of
    subscribers and of links.
    """
    blocks, site = shown_to(issue.blocks), SiteSettings.load()
    found = [
        *_of_headers(issue),
        *_of_sender(site),
        *_of_blocks(blocks),
        *_of_links(blocks),
        *_of_pictures(blocks),
        *_of_placeholders(issue, blocks),
        *_of_size(issue, blocks, site),
        *_of_readers(blocks),
    ]
    return sorted(found, key=lambda problem: not problem.is_blocking)


def blocks_release(issue: Issue) -> bool:
    return any(problem.is_blocking for problem in problems(issue))


def _error(text: str, **words: object) -> Problem:
    return Problem(True, text % words if words else text)


def _advice(text: str, **words: object) -> Problem:
    return Problem(False, text % words if words else text)


def _of_headers(issue: Issue) -> Iterator[Problem]:
    subject = issue.subject
    if not subject.strip():
        yield _error(_("The subject is empty."))
    for text, name in ((subject, _("subject")), (issue.preheader, _("line after the subject"))):
        if CONTROL.search(text):
            yield _error(_("The %(name)s has a line break or a hidden sign in it."), name=name)
    letters = [sign for sign in subject if sign.isalpha() and sign.upper() != sign.lower()]
    if len(letters) > 7 and all(sign.isupper() for sign in letters):
        yield _error(_("The subject is all in capitals. Mail programs take that for spam."))
    elif "!!" in subject or subject.count("!") > 1:
        yield _error(_("The subject shouts: use one exclamation mark at most."))
    if len(subject) > SUBJECT_ON_PHONES:
        yield _advice(_("The subject is long: phones show about %(count)d letters of it."),
                      count=SUBJECT_ON_PHONES)  # fmt: skip
    if not issue.preheader.strip():
        yield _advice(
            _("There is no line after the subject. Mail programs then show the first words.")
        )
    elif len(issue.preheader) > PREHEADER_SEEN:
        yield _advice(_("The line after the subject is long: about %(count)d letters are seen."),
                      count=PREHEADER_SEEN)  # fmt: skip


def _of_sender(site: SiteSettings) -> Iterator[Problem]:
    if not site.postal_address.strip():
        yield _error(
            _("Your postal address is missing in the site settings. By law every letter has it.")
        )


def _of_blocks(blocks: list[Block]) -> Iterator[Problem]:
    if not blocks:
        yield _error(_("The letter has no blocks yet."))
    for block in blocks:
        has_words = bool(plain_text(block.text)) or bool(block.title.strip())
        has_picture = bool(block.picture) or block.picture_is_waiting
        match block.kind:
            case Block.Kind.BUTTON:
                is_empty = not (block.label.strip() and block.url)
            case Block.Kind.PICTURE:
                is_empty = not has_picture
            case Block.Kind.EVENTS:
                is_empty = not lines_of(block)
            case _:
                is_empty = not has_words and not has_picture
        if is_empty:
            yield _error(_("“%(block)s” is empty. Fill it in or remove it."), block=block)
        if block.label and not block.url:
            yield _error(_("“%(block)s” has words for a link and no page."), block=block)


# --- links ----------------------------------------------------------------------------------


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found.append(dict(attrs).get("href") or "")


def links_of(block: Block) -> list[str]:
    """Every address that a block leads to, as it was written."""
    reader = _Links()
    reader.feed(block.text)
    lines = [line.url for line in lines_of(block)]
    return [*reader.found, *(url for url in (block.url, *lines) if url)]


def _own_path(url: str) -> str | None:
    """The path of a page of this site, or None for an address elsewhere."""
    if url.startswith(("/", "?", "#")) and not url.startswith("//"):
        return urlsplit(url).path
    parts, home = urlsplit(url), urlsplit(settings.SITE_URL)
    return parts.path or "/" if parts.netloc and parts.netloc == home.netloc else None


def _of_links(blocks: list[Block]) -> Iterator[Problem]:
    told = [(block, url) for block in blocks for url in dict.fromkeys(links_of(block))]
    paths: dict[str, str | None] = {}
    for _block, url in told:
        try:
            paths[url] = _own_path(url)
        except ValueError:  # [ in a place where it cannot be
            paths[url] = None
    public = material.public(path for path in paths.values() if path)
    for block, url in told:
        if url in PLACEHOLDER_PATHS:
            continue
        path = paths[url]
        if path is not None:
            if path not in public:
                yield _error(_("“%(block)s” leads to %(url)s, which visitors cannot open."),
                             block=block, url=url)  # fmt: skip
        elif (problem := _of_address(url)) is not None:
            is_blocking, text = problem
            yield Problem(is_blocking, text % {"block": block, "url": url})


def _of_address(url: str) -> tuple[bool, str] | None:
    """Its form alone: nobody is asked. None if it is fine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return True, _("“%(block)s” leads to “%(url)s”, which is no address.")
    if parts.scheme in AWAY and parts.path:
        return None
    if not address(url) or parts.scheme not in {"http", "https"} or "." not in host:
        return True, _("“%(block)s” leads to “%(url)s”, which is no address.")
    if parts.scheme == "http":
        return False, _("“%(block)s” leads to %(url)s, which is not secure. Try it with https.")
    return None


# --- pictures, placeholders, size, readers --------------------------------------------------


def _of_pictures(blocks: list[Block]) -> Iterator[Problem]:
    shown = [block for block in blocks if block.picture]
    allowed = material.allowed(block.picture_source for block in shown if block.picture_source)
    for block in blocks:
        if block.picture_problem:
            yield _advice("“%(block)s”: %(problem)s", block=block, problem=block.picture_problem)
        elif block.picture_is_waiting:
            yield _error(
                _("The picture of “%(block)s” is still in the works. Wait a minute."), block=block
            )
    for block in shown:
        if not block.picture_alt.strip():
            yield _error(_("The picture of “%(block)s” has no words for who cannot see it."),
                         block=block)  # fmt: skip
        if block.picture_source and block.picture_source not in allowed:
            yield _error(_("The picture of “%(block)s” shows children, and consent does not cover "
                           "the newsletter. Remove it."), block=block)  # fmt: skip


def _of_placeholders(issue: Issue, blocks: list[Block]) -> Iterator[Problem]:
    texts = [issue.subject, issue.preheader]
    for block in blocks:
        texts += [block.title, plain_text(block.text), block.label, *links_of(block)]
        texts += [block.picture_alt, block.picture_caption, block.picture_credit]
        texts += [text for line in lines_of(block) for text in (line.title, line.words)]
    unknown = {name.strip() for text in texts for name in BRACES.findall(text)} - set(PLACEHOLDERS)
    for name in sorted(unknown):
        yield _error(_("{{ %(name)s }} means nothing. You can use: %(known)s."), name=name,
                     known=", ".join(f"{{{{ {known} }}}}" for known in PLACEHOLDERS))  # fmt: skip
    if any("{{" in BRACES.sub("", text) or "}}" in BRACES.sub("", text) for text in texts):
        yield _error(_("There is a {{ without its }}, or the other way around."))


def _of_size(issue: Issue, blocks: list[Block], site: SiteSettings) -> Iterator[Problem]:
    made = of_blocks(blocks, issue, site=site, language=issue.language)
    size = len(made.html.encode())
    if size > MOST_BYTES:
        yield _error(_("The letter is too large: %(size)d KB. Mail programs cut it off after "
                       "100 KB. Shorten it and lead to the site for the rest."),
                     size=round(size / 1000))  # fmt: skip


def _of_readers(blocks: list[Block]) -> Iterator[Problem]:
    """Who follows one topic and finds nothing of it."""
    told = {block.topic.slug for block in blocks if block.topic}
    if not blocks or any(block.topic is None for block in blocks):
        return
    left = [topic.title for topic in Topic.objects.offered() if topic.slug not in told]
    if left:
        text = ngettext(
            "Who follows only %(topics)s finds nothing in it.",
            "Who follows only one of these finds nothing in it: %(topics)s.",
            len(left),
        )
        yield _advice(text, topics=", ".join(left))
