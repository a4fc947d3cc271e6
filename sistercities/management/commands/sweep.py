"""Holds rows and files against each other."""

import json

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchanges import releasing
from sistercities.shared import rendering, stored_files, sweeping


class Command(BaseCommand):
    help = (
        "Finds rows without files, files without rows and work that got stuck. Changes nothing "
        "without --mend."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="One JSON object.")
        parser.add_argument(
            "--mend",
            action="store_true",
            help="Make again what can be made, delete files that no row names, render what waits.",
        )

    def handle(self, *args: object, **options: object) -> None:
        try:
            with stored_files.plain_errors():
                report = sweeping.sweep(mend=bool(options["mend"]))
                if options["mend"]:
                    rendering.render_waiting()
                    releasing.settle()
        except OSError as error:
            raise CommandError(f"Not finished, please run it again: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), indent=1))
            return
        for title, part in (
            ("A file is missing", report.rows_without_files),
            ("No row names it", report.files_without_rows),
            ("Work got stuck", report.stuck),
        ):
            for found in part:
                end = "mended" if found.is_mended else ""
                words = (title, found.row, f"{found.storage}:{found.file}", end)
                self.stdout.write("\t".join(filter(None, words)))
        self.stdout.write(f"{report.left} left to mend")
