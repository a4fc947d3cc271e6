"""manage.py demo: believable content to look at, in an empty database."""

from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Model

from cities.models import City, DistrictLink, Fact, Place
from exchanges.models import Event, Photo, Visit
from sistercities.demo import loading, network
from sistercities.news.models import Article
from sistercities.pages.models import Page

TOLD = (City, DistrictLink, Fact, Place, Visit, Photo, Event, Article, Page)


class Command(BaseCommand):
    help = (
        "Fills an empty database with the demo: Arvada, its three sister cities, visits, pictures, "
        "news. Where the demo is already, nothing changes; where somebody's content is, it refuses."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="do nothing, and say nothing, unless the database is empty",
        )

        parser.add_argument(
            "--network",
            action="store_true",
            help="add a sample of a large office: 85 partnerships and forty years of visits",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_empty"] and (loading.is_demo() or loading.somebodys_content()):
            return
        try:
            counts = loading.load()
        except loading.Refused as refusal:
            raise CommandError(str(refusal)) from None
        self._tell(counts, "The demo")
        if options["network"]:
            self._tell(network.load(), "The network")
        if not counts:
            return
        if loading.add_account():
            self.stdout.write(
                f"Sign in at /admin/ as {loading.USERNAME} with the password {loading.PASSWORD}."
            )
        elif settings.DEBUG:
            self.stdout.write(f"An account named {loading.USERNAME} was there already: kept as is.")
        else:
            self.stdout.write(
                "No account was made, because DEBUG is off. To make one: manage.py createsuperuser"
            )

    def _tell(self, counts: Counter[type[Model]], what: str) -> None:
        told = [loading.in_words(model, counts[model]) for model in TOLD if counts[model]]
        if told:
            self.stdout.write(f"{what} is loaded: {', '.join(told)}.")
        else:
            self.stdout.write(f"{what} is here already; nothing was changed.")
