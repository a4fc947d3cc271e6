"""Year-end statements of all donors, as files or by mail."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from donations import year_end
from donations.statements import Period, givers
from sistercities.shared.models import SiteSettings


class Command(BaseCommand):
    help = (
        "Writes the giving statement of each donor as PDF into a folder, and with --mail tells "
        "those with a mail address where to get theirs. Running it again changes nothing."
    )

    def add_arguments(self, parser):
        parser.add_argument("--year", required=True, help="2026, or 2025-07 for twelve months")
        parser.add_argument("--out", type=Path, help="the folder; it is made if need be")
        parser.add_argument("--mail", action="store_true", help="tell the donors by mail, once")

    def handle(self, *args, **options):
        if not (options["out"] or options["mail"]):
            raise CommandError("Say where to write (--out), or --mail, or both.")
        try:
            period = Period.parse(options["year"])
        except ValueError as error:
            raise CommandError(str(error)) from None
        site = SiteSettings.load()
        timezone.activate(site.zone)
        written = told = 0
        if options["out"]:
            options["out"].mkdir(parents=True, exist_ok=True)
            for name, content in year_end.files(givers(period), period, site=site):
                (options["out"] / name).write_bytes(content)
                if name.endswith(".pdf"):
                    written += 1
                else:
                    self.stderr.write(f"{name}: {content.decode()}")
        if options["mail"]:
            told = year_end.tell(period, site=site)
        self.stdout.write(f"{written} statements written, {told} donors told.")
