"""Headlines from the wider community: read, cleaned, kept while their source is away."""

import datetime as dt
import io
import logging
import re
from typing import Any

import feedparser
from django.utils.translation import gettext as _

from sistercities.news.fetching import Unreachable, fetch
from sistercities.news.models import FeedSource
from sistercities.shared import clock
from sistercities.shared.richtext import plain_text

logger = logging.getLogger(__name__)
MAX_ITEMS = 10
MAX_TITLE = 200
MAX_URL = 1000
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(hours=24)
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")  # and bidi tricks
SLACK = dt.timedelta(minutes=5)  # an hourly job does not come on the second


def parse(content: bytes, base: str = "") -> list[dict]:
    """The newest headlines of an RSS or Atom document, at most ten; none for anything else.

    Each is {"title", "url", "published"}: plain words of at most 200 characters, an address
    that begins with http or https, an ISO 8601 date or nothing. Relative addresses are taken
    from `base`. Never raises for what the document contains.
    """
    try:
        # A stream, never the bytes themselves: feedparser takes bytes for the name of a file.
        document = feedparser.parse(
            io.BytesIO(content), response_headers={"content-location": base} if base else None
        )
    except Exception:
        logger.warning("A feed broke its parser.", exc_info=True)
        return []
    items = []
    for entry in document.get("entries", []):
        title = plain_text(UNSEEN.sub(" ", str(entry.get("title", ""))))
        url = _web_address(str(entry.get("link", "")))
        if title and url:
            if len(title) > MAX_TITLE:
                title = title[: MAX_TITLE - 1].rstrip() + "…"
            items.append({"title": title, "url": url, "published": _day(entry)})
    if all(item["published"] for item in items):
        items.sort(key=lambda item: item["published"], reverse=True)
    return items[:MAX_ITEMS]


def _web_address(text: str) -> str:
    """The address if a reader may safely follow it, or nothing."""
    address = text.strip()
    is_web = address.lower().startswith(("http://", "https://"))
    is_clean = all(sign.isprintable() and not sign.isspace() for sign in address)
    return address if is_web and is_clean and len(address) <= MAX_URL else ""


def _day(entry: dict[str, Any]) -> str:
    # Not `entry.get`, which warns whenever one of the two has to stand for the other.
    moment: Any = dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed")
    try:
        return dt.date(*moment[:3]).isoformat()
    except (TypeError, ValueError):
        return ""


def read_feed(source: FeedSource) -> str:
    """Reads one source now and keeps what it says. Returns the error in words, or nothing.

    When it cannot be read, the headlines kept before stay. `source` is brought up to date.
    """
    try:
        content, address = fetch(source.url)
        items = parse(content, address)
        error = "" if items else _("No headlines could be read there. Is it the feed's address?")
    except Unreachable as problem:
        items, error = [], str(problem)
    now = clock.now()
    values: dict = {"tried_at": now, "last_error": error[:200]}
    if not error:
        values |= {"items": items, "fetched_at": now}
    FeedSource.objects.filter(pk=source.pk).update(**values)
    for name, value in values.items():
        setattr(source, name, value)
    return error


def is_due(source: FeedSource, now: dt.datetime) -> bool:
    """Each hour; a source that fails, after as long again as it has been away, a day at most."""
    if source.tried_at is None:
        return True
    pause = HOUR
    if source.last_error and source.fetched_at:
        pause = min(max(source.tried_at - source.fetched_at, HOUR), DAY)
    return source.tried_at <= now - pause + SLACK


def read_due_feeds() -> int:
    """Reads every shown source whose time has come; returns how many could be read.

    Two workers at once share the sources between them: each is claimed before it is read.
    """
    now = clock.now()
    count = 0
    for source in FeedSource.objects.active().order_by("tried_at", "pk"):
        if not is_due(source, now):
            continue
        claim = FeedSource.objects.filter(pk=source.pk, tried_at=source.tried_at)
        if claim.update(tried_at=clock.now()) and not read_feed(source):
            count += 1
    return count
