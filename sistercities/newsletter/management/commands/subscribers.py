"""People from another list, taken in from the command line."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sistercities.newsletter import importing
from sistercities.newsletter.importing import Outcome


class Command(BaseCommand):
    help = (
        "`subscribers import FILE --basis …` takes in a CSV file, in whole or not at all. Prints a "
        "line for each row that is not taken or known already, then the counts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_subparsers(dest="what", required=True)
        part = parts.add_parser("import")
        part.add_argument("file", type=Path)
        part.add_argument("--basis", required=True, help="when and how they asked for the letter")
        part.add_argument("--dry-run", action="store_true", help="look, and change nothing")

    def handle(self, *args: object, **options) -> None:
        path: Path = options["file"]
        try:
            data = path.read_bytes()
            if options["dry_run"]:
                importing.check_basis(options["basis"])
                preview = importing.examine(data)
            else:
                preview = importing.take_in(data=data, basis=options["basis"], source=path.name)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        except importing.Unreadable as refused:
            raise CommandError(f"Nothing was taken in. {refused}") from None
        for note in preview.notes:
            self.stderr.write(note)
        for row in preview.rows:
            if row.outcome != Outcome.NEW:
                self.stdout.write(f"row {row.number}\t{row.outcome}\t{row.email}\t{row.reason}")
        for outcome, count in preview.counts.items():
            self.stdout.write(f"{outcome}\t{count}")
        if options["dry_run"]:
            self.stdout.write("Nothing was changed.")
