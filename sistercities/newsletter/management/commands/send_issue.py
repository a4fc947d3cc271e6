"""Lets a letter go from a shell."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sistercities.newsletter import releasing
from sistercities.newsletter.models import Issue


class Command(BaseCommand):
    help = "Lets a letter go now. Without --yes it says how many people it would reach."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the last part of the letter's address")
        parser.add_argument(
            "--yes", type=int, metavar="COUNT", help="the number of people that it would reach"
        )

    def handle(self, *args: object, slug: str, yes: int | None, **options: object) -> None:
        issue = Issue.objects.filter(slug=slug).first()
        if issue is None:
            raise CommandError(f"There is no letter {slug!r}.")
        if yes is None:
            self.stdout.write(f"It would reach {releasing.reach(issue)} people. Nothing was sent.")
            return
        try:
            releasing.release(issue=issue, by=None, people=yes)
        except releasing.CannotRelease as reason:
            raise CommandError(str(reason)) from reason
        self.stdout.write(f"On its way to {yes} people.")
