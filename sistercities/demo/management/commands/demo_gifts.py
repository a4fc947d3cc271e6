"""manage.py demo_gifts: a year of gifts for the demo, through the stand-in for Stripe."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sistercities.demo import giving, letters


class Command(BaseCommand):
    help = (
        "Gives the demo a year of gifts. Only with DEBUG, and only where nobody has given yet; "
        "elsewhere nothing changes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-wanted", action="store_true", help="say nothing where there is nothing to do"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not giving.is_wanted():
            if not options["if_wanted"]:
                self.stdout.write(
                    "Gifts are here already, or this is no demo; nothing was changed."
                )
            return
        self.stdout.write(f"The demo has a year of gifts: {giving.load_year()}.")
        letters.draft_again()
