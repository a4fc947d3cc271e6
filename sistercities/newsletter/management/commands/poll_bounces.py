"""Reads the bounce mailbox now."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sistercities.newsletter import bounce_box


class Command(BaseCommand):
    help = "Reads new bounces from the mailbox of BOUNCE_IMAP_URL. The clock does it each minute."

    def handle(self, *args, **options):
        if not settings.BOUNCE_IMAP_URL:
            raise CommandError("BOUNCE_IMAP_URL is not set. .env.example explains it.")
        try:
            count = bounce_box.poll()
        except bounce_box.BoxDown as error:
            raise CommandError(f"The mailbox cannot be read. {error}") from None
        self.stdout.write(f"{count} bounces and complaints")
