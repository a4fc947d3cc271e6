"""Year-end statements of all donors, as files or by mail."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from donations import documents, statements
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings
from sistercities.shared.pdf import MissingGlyph


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
            period = statements.Period.parse(options["year"])
        except ValueError as error:
            raise CommandError(str(error)) from None
        site = SiteSettings.load()
        timezone.activate(site.zone)
        if options["out"]:
            options["out"].mkdir(parents=True, exist_ok=True)
        written = told = 0
        for donor in statements.givers(period):
            if options["out"]:
                written += self._write(donor, period, site, options["out"])
            if options["mail"] and donor.email_key:
                self._tell(donor, period, site)
                told += 1
        self.stdout.write(f"{written} statements written, {told} donors told.")

    def _write(self, donor, period, site, folder: Path) -> int:
        found = statements.statement(donor=donor, period=period)
        try:
            content = documents.statement_pdf(found, site=site, issued_on=clock.today())
        except MissingGlyph as missing:
            self.stderr.write(f"{donor}: {missing}")
            return 0
        name = f"{period}-{donor.pk:06d}-{slugify(donor.name)[:40] or 'donor'}.pdf"
        (folder / name).write_bytes(content)
        return 1

    def _tell(self, donor, period, site) -> None:
        queue_mail(
            key=f"statement:{donor.pk}:{period}",
            template="donations/emails/statement",
            to=donor.email_key,
            context={
                "donor": donor.name,
                "period": period.label,
                "organization": site.name,
                "postal_address": site.postal_address,
                "page": f"{settings.SITE_URL}{reverse('donations:my_gifts')}",
            },
        )
