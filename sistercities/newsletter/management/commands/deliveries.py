"""Says how far a letter has come."""

import json

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sistercities.newsletter.models import Issue


class Command(BaseCommand):
    help = "How many people's letters wait, were handed over, failed, or are not known of."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the last part of the letter's address")
        parser.add_argument("--json", action="store_true", help="One JSON object.")

    def handle(self, *args: object, slug: str, **options: object) -> None:
        issue = Issue.objects.filter(slug=slug).first()
        if issue is None:
            raise CommandError(f"There is no letter {slug!r}.")
        tally = issue.deliveries.all().tally()
        if options["json"]:
            self.stdout.write(json.dumps(tally))
            return
        self.stdout.write(f"{issue.get_status_display()} {issue.problem}".strip())
        skipped = tally.pop("skipped")
        for state, count in (tally | {f"skipped, {why}": n for why, n in skipped.items()}).items():
            self.stdout.write(f"{count}\t{state}")
