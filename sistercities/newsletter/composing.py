"""A new letter drafts itself from what was published since the last one; staff do the rest."""

import datetime as dt
from collections.abc import Iterable
from textwrap import shorten
from typing import cast

from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Max
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.text import slugify
from django.utils.translation import gettext as _

from sistercities.newsletter import material
from sistercities.newsletter.material import Material, Picture
from sistercities.newsletter.models import Block, Issue, Topic
from sistercities.shared import clock
from sistercities.shared.images import Prepared, rendition_name, rendition_names
from sistercities.shared.pictures import PreparedFile
from sistercities.shared.stored_files import PUBLIC, plain_errors

FIRST_LETTER_TELLS = dt.timedelta(days=92)
STEP = 10  # between the orders of two blocks, so that one fits in between by hand


def last_letter_at() -> dt.datetime:
    """From when on the next letter tells: when the last one that was released was begun."""
    told = Issue.objects.exclude(status__in=[Issue.Status.DRAFT, Issue.Status.CANCELLED])
    last = told.aggregate(last=Max("created_at"))["last"]
    return last or clock.now() - FIRST_LETTER_TELLS


def offers(*, since: dt.datetime, issue: Issue | None = None) -> list[Material]:
    """What could be told, the heaviest first, without what letters told already.

    Dates ahead and open appeals are told again in each letter.
    """
    blocks = Block.objects.exclude(issue__status__in=[Issue.Status.DRAFT, Issue.Status.CANCELLED])
    if issue:
        blocks = blocks | Block.objects.filter(issue=issue)
    sources = blocks.exclude(source="").values_list("source", "issue")
    told = {source for source, _issue in sources}
    own = {source for source, number in sources if issue and number == issue.pk}
    again = {Block.Kind.EVENTS, Block.Kind.APPEAL}
    return [
        each
        for each in material.since(since)
        if each.key not in (own if each.kind in again else told)
    ]


def draft(*, since: dt.datetime | None = None, keys: Iterable[str] | None = None) -> Issue:
    """A new letter that tells what was published since `since`, or since the last letter.

    `keys` are those of the offers that it takes; None means all. Nothing is sent.
    """
    since = since or last_letter_at()
    wanted = None if keys is None else set(keys)
    chosen = [each for each in offers(since=since) if wanted is None or each.key in wanted]
    with transaction.atomic():
        issue = Issue.objects.create(
            slug=_free_slug(), subject=_subject(chosen), preheader=_preheader(chosen),
            covers_since=since,
        )  # fmt: skip
        _append(issue, chosen)
    return issue


def add(issue: Issue, *, keys: Iterable[str]) -> int:
    """Puts more of the site below what the letter holds; how many blocks."""
    wanted = set(keys)
    since = issue.covers_since or last_letter_at()
    chosen = [each for each in offers(since=since, issue=issue) if each.key in wanted]
    with transaction.atomic():
        _append(issue, chosen)
    return len(chosen)


def fill_events(block: Block) -> None:
    """The next dates of the site, for a list of events that staff began by hand. Saves nothing."""
    for each in material.since(clock.now()):
        if each.kind == Block.Kind.EVENTS:
            block.lines, block.source = each.lines, each.key
            block.title, block.url = block.title or each.title, block.url or each.url
            block.label = block.label or each.label


def make_topics() -> int:
    """A topic for whatever readers should be able to choose and that has none; how many. Flag and
    colors are those of the city now; words that staff changed stay.
    """
    known = {topic.slug: topic for topic in Topic.objects.all()}
    dress = ("native_title", "native_language", "country", "accent", "accent_dark")
    added = 0
    for offer in material.topics():
        values = {name: getattr(offer, name) for name in dress}
        if offer.slug not in known:
            Topic.objects.create(
                slug=offer.slug, title=offer.title, description=offer.description,
                order=offer.order, **values,
            )  # fmt: skip
            added += 1
        elif any(getattr(known[offer.slug], name) != value for name, value in values.items()):
            Topic.objects.filter(slug=offer.slug).update(**values)
    return added


def copied_photos() -> set[str]:
    """The photos of people that letters hold copies of, by their `picture_source`."""
    blocks = Block.objects.exclude(picture_source="").exclude(picture="").order_by()
    return set(blocks.values_list("picture_source", flat=True))


@transaction.atomic
def take_back_photos(sources: set[str]) -> int:
    """Removes the copies of these photos from all letters, also from those that were sent; how
    many. Mail shows the files of the site, so they vanish there too (trust.md, Minors).
    """
    rows = Block.objects.filter(picture_source__in=sources).exclude(picture="")
    blocks = list(rows.order_by("pk").select_for_update())
    for block in blocks:
        block.picture_is_cleared = True
        block.picture_source = ""
        block.save()
        reason = _("The picture was taken out: consent no longer covers the newsletter.")
        Block.objects.filter(pk=block.pk).update(picture_problem=reason[:200])
    return len(blocks)


def _append(issue: Issue, chosen: list[Material]) -> None:
    make_topics()
    topics = {topic.slug: topic for topic in Topic.objects.all()}
    order = issue.blocks.aggregate(last=Max("order"))["last"] or 0
    for each in chosen:
        order += STEP
        block = Block(
            issue=issue, kind=each.kind, order=order, title=each.title[:150],
            text=f"<p>{escape(each.summary)}</p>" if each.summary else "",
            url=each.url, label=each.label[:80], lines=each.lines, source=each.key[:120],
            topic=topics.get(each.topic), about=topics.get(each.topic or each.about),
        )  # fmt: skip
        unreadable = _give_picture(block, each.picture) if each.picture else ""
        problem = unreadable or each.left_out
        block.save()
        if problem:
            Block.objects.filter(pk=block.pk).update(picture_problem=problem[:200])


def _give_picture(block: Block, picture: Picture) -> str:
    """A copy of its files, so that the letter stays what was sent; why not, or nothing."""
    names = rendition_names(picture.name, picture.width)
    widest = rendition_name(picture.name, picture.width, picture.width, ".jpg")
    files: dict[tuple[int, str], bytes] = {}
    try:
        with plain_errors():
            for name in names:
                with storages[PUBLIC].open(name) as file:
                    files[_width_of(name, picture), name[name.rindex(".") :]] = file.read()
    except OSError:
        return _("The picture could not be read. Choose one yourself.")
    prepared = Prepared(files, picture.width, picture.height, picture.colour)
    block.picture = cast(str, PreparedFile(files[_width_of(widest, picture), ".jpg"], prepared))
    block.picture_alt = picture.alt
    block.picture_caption, block.picture_credit = picture.caption, picture.credit
    block.picture_source, block.is_drafted = picture.source, True
    return ""


def _width_of(name: str, picture: Picture) -> int:
    """The width of one of a picture's files, which its name tells."""
    stem = picture.name.rpartition(".")[0]
    step = name.rpartition(".")[0].removeprefix(stem).removeprefix("-")
    return int(step) if step else picture.width


def _subject(chosen: list[Material]) -> str:
    told = [each.title for each in chosen if each.kind != Block.Kind.EVENTS]
    if not told:
        return _("What is new, and what is next")
    both = (
        _("%(first)s, and %(second)s") % {"first": told[0], "second": told[1]} if told[1:] else ""
    )
    return both if both and len(both) <= 60 else shorten(told[0], 120, placeholder=" …")


def _preheader(chosen: list[Material]) -> str:
    """The next headings, each whole, as many as a mail program shows. A list of events has its
    first one there: its own heading tells nobody anything.
    """
    subject = _subject(chosen)
    line = ""
    for each in chosen:
        title = each.lines[0]["title"] if each.kind == Block.Kind.EVENTS else each.title
        longer = f"{line} · {title}" if line else title
        if title not in subject and len(longer) <= 90:
            line = longer
    return line


def _free_slug() -> str:
    name = slugify(date_format(clock.now(), "F Y")) or f"{clock.today():%Y-%m}"
    taken = set(Issue.objects.filter(slug__startswith=name).values_list("slug", flat=True))
    number = next(
        number for number in range(1, len(taken) + 2) if _numbered(name, number) not in taken
    )
    return _numbered(name, number)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"
