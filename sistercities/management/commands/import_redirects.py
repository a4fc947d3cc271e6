"""Takes in a list of old addresses, such as those of the site that came before."""

import csv
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from sistercities.shared.models import Redirect


class Command(BaseCommand):
    help = (
        "Reads a CSV file without a heading: old address, new address, one pair a line. Each is "
        "checked as in the admin; if one is refused, none is taken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    @transaction.atomic
    def handle(self, *args: object, **options: object) -> None:
        refused = []
        lines = Path(str(options["file"])).read_text(encoding="utf-8-sig").splitlines()
        rows = [row for row in csv.reader(lines) if any(row)]
        for number, row in enumerate(rows, start=1):
            try:
                old, new = (cell.strip() for cell in row)
                known = Redirect.objects.filter(old_path=old).first()
                redirect = known or Redirect(old_path=old)
                redirect.new_path = new
                redirect.full_clean()
                redirect.save()
            except ValidationError as error:
                refused.append(f"{number}: {', '.join(row)}: {' '.join(error.messages)}")
            except ValueError:
                refused.append(f"{number}: {', '.join(row)}: two columns are needed")
        if refused:
            raise CommandError("Nothing was taken:\n" + "\n".join(refused))
        self.stdout.write(f"{len(rows)} old addresses taken in")
