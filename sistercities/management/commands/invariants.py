"""Says whether what must always be true is true."""

import json
import sys
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandParser

import donations.invariants
import exchanges.invariants
import sistercities.shared.invariants

CHECKS = {
    **donations.invariants.CHECKS,
    **exchanges.invariants.CHECKS,
    **sistercities.shared.invariants.CHECKS,
}


class Command(BaseCommand):
    help = (
        "Checks payments, events, receipts, files, the database and consents; changes nothing. "
        "Ends with 1 if something is broken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json",
            action="store_true",
            help="One JSON object: each invariant is true or the rows that break it.",
        )

    def handle(self, *args: object, **options: object) -> None:
        found = {name: list(CHECKS[name]()) for name in sorted(CHECKS)}
        if options["json"]:
            said = {name: [asdict(row) for row in rows] or True for name, rows in found.items()}
            self.stdout.write(json.dumps(said, indent=1))
        else:
            for name, rows in found.items():
                self.stdout.write(f"{name}\t{'broken' if rows else 'true'}")
                for row in rows:
                    self.stdout.write("\t".join(["", *filter(None, (row.row, row.why))]))
        if any(found.values()):
            sys.exit(1)
