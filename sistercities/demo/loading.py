"""Loads the demo: content/*.toml and pictures/ become rows and files, all of them or none."""

import datetime as dt
import tomllib
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.files.storage import storages
from django.db import models, transaction

from cities.models import (
    City,
    DistrictLink,
    Fact,
    Honour,
    Measure,
    Partner,
    Person,
    Place,
    Section,
    Source,
)
from donations.models import Campaign, CampaignCost, CampaignUpdate, Donation, Ticket
from exchanges import releasing
from exchanges.models import Day, Event, Gallery, Host, Participant, Photo, Stop, Visit
from sistercities.comments.models import Comment
from sistercities.demo import letters
from sistercities.demo.album import CREDIT, Album
from sistercities.demo.days import find_day
from sistercities.demo.papers import add_paper
from sistercities.news.feeds import parse
from sistercities.news.models import Article, FeedSource
from sistercities.newsletter.models import Block, Issue, Subscriber, Topic
from sistercities.pages import filing
from sistercities.pages.models import BoardMember, Document, Message, Page
from sistercities.shared import clock
from sistercities.shared.models import Redirect, SiteLink, SiteSettings
from sistercities.shared.publishing import Publishable
from sistercities.shared.stored_files import PRIVATE, PUBLIC

CONTENT = Path(__file__).parent / "content"
# In this order, so that what is pointed at is there before what points.
FILES = (
    "site", "sources", "arvada", "jinzhou", "kyzylorda", "midleton",
    "visits", "galleries", "events", "news", "pages", "documents", "giving", "letters", "readers",
)  # fmt: skip
TABLES: dict[str, type[models.Model]] = {
    "settings": SiteSettings, "source": Source, "measure": Measure, "city": City, "visit": Visit,
    "gallery": Gallery, "event": Event, "article": Article, "feed": FeedSource, "page": Page,
    "document": Document, "campaign": Campaign, "ticket": Ticket, "topic": Topic,
    "letter": Issue, "comment": Comment, "message": Message, "board": BoardMember,
    "redirect": Redirect,
}  # fmt: skip
PARTS: dict[type[models.Model], dict[str, tuple[type[models.Model], str]]] = {
    SiteSettings: {"link": (SiteLink, "settings")},
    City: {
        "section": (Section, "city"), "fact": (Fact, "city"), "place": (Place, "city"),
        "honour": (Honour, "city"), "person": (Person, "city"), "partner": (Partner, "city"),
        "district": (DistrictLink, "city"),
    },
    Visit: {"day": (Day, "visit"), "host": (Host, "visit"), "participant": (Participant, "visit")},
    Day: {"stop": (Stop, "day")},
    Gallery: {"photo": (Photo, "gallery")},
    Campaign: {"cost": (CampaignCost, "campaign"), "update": (CampaignUpdate, "campaign")},
    Issue: {"block": (Block, "issue")},
}  # fmt: skip
USERNAME, PASSWORD = "demo", "sister-cities-demo"


class Refused(Exception):
    """The database is not the demo's to fill; the message says why and what to do."""


def is_demo() -> bool:
    return SiteSettings.objects.filter(is_demo=True).exists()


def somebodys_content() -> str:
    """What the demo did not make, in words such as `2 cities`; empty if there is nothing."""
    kinds: list[type[models.Model]] = [
        model for model in apps.get_models() if issubclass(model, Publishable)
    ]
    kinds += [Source, FeedSource, Donation, Subscriber, Issue, Message, BoardMember, SiteSettings]
    for model in kinds:
        if count := model._default_manager.count():
            return in_words(model, count)
    return ""


def in_words(model: type[models.Model], count: int) -> str:
    meta = model._meta
    return f"{count} {meta.verbose_name if count == 1 else meta.verbose_name_plural}"


def load() -> Counter[type[models.Model]]:
    """Fills an empty database and counts the rows; where the demo is already, does nothing.

    One transaction: after an error no row and no file of the attempt is left. Raises `Refused`
    for a database with content of somebody's own.
    """
    if is_demo():
        return Counter()
    if found := somebodys_content():
        raise Refused(
            f"This database holds content that the demo did not make ({found}), and the demo goes "
            "only into an empty one. To look at the demo, give it a folder of its own, for example "
            "VAR_DIR=/tmp/demo, run migrate and then demo again."
        )
    content = [read(name) for name in FILES]
    album = Album(read("pictures"))
    album.develop(_pictures_in(content))
    loader = Loader(album)
    try:
        with transaction.atomic():
            for tables in content:
                loader.add_all(tables)
    except BaseException:
        loader.remove_files()
        raise
    releasing.settle()
    if loader.counts[Issue]:
        with transaction.atomic():  # once the photos are public that the draft tells of
            letters.load()
    return loader.counts


def add_account() -> bool:
    """The sign-in to try the admin with; only with DEBUG, and never over somebody's account."""
    users = get_user_model()._default_manager
    if not settings.DEBUG or users.filter(username=USERNAME).exists():
        return False
    users.create_superuser(USERNAME, "demo@sister-cities.example", PASSWORD)
    return True


def read(name: str) -> dict[str, Any]:
    text = (CONTENT / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text, parse_float=Decimal)


def _pictures_in(tree: Any) -> set[str]:
    if isinstance(tree, list):
        return {name for branch in tree for name in _pictures_in(branch)}
    if isinstance(tree, dict):
        own = {tree["picture"]} if "picture" in tree else set()
        return own | _pictures_in(list(tree.values()))
    return set()


class Loader:
    """Turns tables of the content files into rows, each checked as a form would check it."""

    def __init__(self, album: Album) -> None:
        self.album = album
        self.counts: Counter[type[models.Model]] = Counter()
        self.today = clock.today()
        self._known: dict[tuple[type[models.Model], str], models.Model] = {}
        self._with_files: list[Any] = []

    def add_all(self, tables: dict[str, Any]) -> None:
        for name, rows in tables.items():
            for number, data in enumerate(rows, start=1):
                self.add(TABLES[name], data, number)

    def add(
        self, model: type[models.Model], data: dict[str, Any], number: int, **given: Any
    ) -> Any:
        """One row and its parts. `data` holds fields by name and these besides:

        `key` names the row for others to point at (otherwise its slug or name does); `lasts`
        counts days; `picture` names a picture of the album, `caption` goes with it; `file` of a
        feed is read into its items; `due` of a document makes it one of the last Forms 990, and
        `example` is what its PDF says.
        """
        row: Any = model(**given)
        data = self._defaults(model, number) | data
        parts = {name: data.pop(name) for name in PARTS.get(model, {}) if name in data}
        key, lasts = data.pop("key", ""), data.pop("lasts", 0)
        example = data.pop("example", [])
        if "due" in data:
            row.year = filing.years_due(self.today)[data.pop("due")]
            row.slug = f"form-990-{row.year}"
        many: dict[str, list[models.Model]] = {}
        for name, value in data.items():
            if name == "picture":
                self._give_picture(row, value, data)
            elif name == "caption":
                row.picture_caption = value
            elif name == "file":
                row.items, row.fetched_at = parse((CONTENT / value).read_bytes()), clock.now()
            else:
                field: Any = model._meta.get_field(name)
                if field.many_to_many:
                    many[name] = [self._known[field.related_model, slug] for slug in value]
                else:
                    setattr(row, name, self._value(field, value))
        if lasts:
            row.ends_on = row.starts_on + dt.timedelta(days=lasts - 1)
        row.full_clean()
        if example:
            add_paper(row, example)
            self._with_files.append(row)
        else:
            row.save()
        for name, rows in many.items():
            getattr(row, name).set(rows)
        self._known[model, key or getattr(row, "slug", "") or getattr(row, "name", "")] = row
        self.counts[model] += 1
        for name, rows in parts.items():
            part, parent = PARTS[model][name]
            for index, part_data in enumerate(rows, start=1):
                self.add(part, part_data, index, **{parent: row})
        return row

    def _defaults(self, model: type[models.Model], number: int) -> dict[str, Any]:
        names = {field.name for field in model._meta.get_fields()}
        found: dict[str, Any] = {"order": number} if "order" in names else {}
        if issubclass(model, Publishable):
            found |= {"status": Publishable.Status.PUBLISHED, "publish_at": {"days": -18}}
        if model is SiteSettings:
            found["is_demo"] = True
        if model is Photo:
            found["people"] = Photo.People.NONE  # drawings
        return found

    def _value(self, field: Any, value: Any) -> Any:
        if field.is_relation:
            return self._known[field.related_model, value]
        if isinstance(field, models.DateTimeField):
            day = value if isinstance(value, dt.date) else find_day(value, self.today)
            at = SiteSettings.load().zone
            return dt.datetime.combine(day, dt.time(9), at)
        if isinstance(field, models.DateField) and isinstance(value, dict):
            return find_day(value, self.today)
        if isinstance(field, models.TextField) and isinstance(value, str):
            return value.strip()
        return value

    def _give_picture(self, row: Any, name: str, data: dict[str, Any]) -> None:
        row.picture = self.album.file(name)
        row.picture_alt = data.get("picture_alt") or self.album.alt(name)
        row.picture_credit = CREDIT
        self._with_files.append(row)

    def remove_files(self) -> None:
        """Takes back the files of every row that was tried."""
        for row in self._with_files:
            for name in row.public_files():
                storages[PUBLIC].delete(name)
            for name in row.private_files():
                storages[PRIVATE].delete(name)
