"""Prints who may use which address."""

import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandParser

from sistercities.access import table


class Command(BaseCommand):
    help = "One row per URL pattern and method: pattern, name, method, who may use it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="A JSON list of objects.")

    def handle(self, *args: object, **options: object) -> None:
        rows = table()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(row) for row in rows], indent=1))
        else:
            for row in rows:
                self.stdout.write("\t".join(asdict(row).values()))
