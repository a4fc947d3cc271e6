"""Cleaned rich text as plain text that is pleasant to read: wrapped, with lists and addresses."""

import re
import textwrap
from html.parser import HTMLParser

from sistercities.shared.addresses import absolute

COLUMNS = 72
GAP = re.compile(r"\n{3,}")
ASIDE = {"p", "li", "h3", "h4", "blockquote", "ul", "ol"}


def wrapped(text: str, *, first: str = "", indent: str = "") -> str:
    """One paragraph in lines of at most 72 signs; an address is never broken."""
    return textwrap.fill(
        " ".join(text.split()), COLUMNS, initial_indent=first, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def heading(text: str, rule: str) -> str:
    lines = wrapped(text)
    return f"{lines}\n{rule * min(COLUMNS, max(map(len, lines.splitlines()), default=0))}"


def from_html(html: str) -> str:
    """Text without tags. Links are numbered, and their addresses follow the text."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Knows the tags of `shared.richtext` and nothing else: it is fed cleaned text only."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._words: list[str] = []
        self._lists: list[int | None] = []  # the number of the last item; None where it has none
        self._begin = ""  # what stands before the first line of the next paragraph
        self._was_in_list = False
        self._quotes = 0
        self._links: list[str] = []
        self._href = ""
        self._linked = 0

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag in ASIDE and tag != "p":
            self._end_paragraph()
        if tag in {"ul", "ol"}:
            self._was_in_list = self._was_in_list and bool(self._lists)
            start = given.get("start") or "1"
            self._lists.append(None if tag == "ul" else int(start) - 1 if start.isdigit() else 0)
        elif tag == "li":
            if self._lists and self._lists[-1] is not None:
                self._lists[-1] += 1
                self._begin = f"{self._lists[-1]}. "
            else:
                self._begin = "- "
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "br":
            self._words.append("\n")
        elif tag == "a":
            self._href, self._linked = given.get("href") or "", len(self._words)

    def handle_endtag(self, tag):
        if tag in {"h3", "h4"}:
            self._end_paragraph(rule="-" if tag == "h3" else "")
        elif tag in ASIDE:
            self._end_paragraph()
        if tag in {"ul", "ol"} and self._lists:
            self._lists.pop()
        elif tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif tag == "a" and self._href:
            self._end_link()

    def handle_data(self, data):
        self._words.append(data.replace("\n", " "))

    def _end_link(self) -> None:
        said = "".join(self._words[self._linked :]).strip()
        url = absolute(self._href).removeprefix("mailto:").removeprefix("tel:")
        self._href = ""
        if said == url:
            return
        if url not in self._links:
            self._links.append(url)
        self._words.append(f" [{self._links.index(url) + 1}]")

    def _end_paragraph(self, rule: str = "") -> None:
        text, self._words = "".join(self._words), []
        if not text.strip():
            return
        margin = "> " * self._quotes + "  " * max(0, len(self._lists) - 1)
        begin, self._begin = self._begin, ""
        hang = " " * (len(begin) or (2 if self._lists else 0))
        lines = [
            wrapped(line, first=margin + (hang if number else begin or hang), indent=margin + hang)
            for number, line in enumerate(text.split("\n"))
            if line.strip()
        ]
        if rule:
            lines = [heading(" ".join(lines), rule)]
        follows_item = bool(begin) and self._was_in_list
        self._was_in_list = bool(self._lists)
        self._parts.append(("\n" if follows_item else "\n\n") + "\n".join(lines))

    def text(self) -> str:
        self._end_paragraph()
        body = GAP.sub("\n\n", "".join(self._parts)).strip("\n")
        notes = "\n".join(f"[{number}] {url}" for number, url in enumerate(self._links, 1))
        return "\n\n".join(part for part in (body, notes) if part)
