"""Shuts the books of a month."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from donations import closing
from donations.providers.base import ProviderDown


class Command(BaseCommand):
    help = (
        "Shuts a month once the books and Stripe agree, and writes its journal as CSV. "
        "A second run writes the same bytes."
    )

    def add_arguments(self, parser):
        parser.add_argument("month", help="such as 2026-10")
        parser.add_argument("--out", type=Path, help="the file of the journal; else it is printed")

    def handle(self, *args, **options):
        try:
            month = closing.Month.parse(options["month"])
            closing.close(month=month)
        except ValueError:
            raise CommandError("Name the month like this: 2026-10.") from None
        except closing.CannotClose as refused:
            raise CommandError("\n".join([f"{month} stays open:", *refused.reasons])) from None
        except ProviderDown as error:
            raise CommandError(f"{month} stays open: Stripe does not answer ({error}).") from None
        text = closing.journal(month)
        if options["out"]:
            options["out"].write_text(text, encoding="utf-8", newline="")
        else:
            self.stdout.write(text, ending="")
