"""The night's housekeeping, as one list of calls."""

from django.core.management.base import BaseCommand

from sistercities.newsletter import subscribing
from sistercities.shared import mail


class Command(BaseCommand):
    help = "Removes what need not be kept: sign-ups never confirmed, the text of old mail."

    def handle(self, *args, **options):
        for name, work in (
            ("sign-ups never confirmed", subscribing.purge),
            ("texts of old mail", mail.forget_old_texts),
        ):
            self.stdout.write(f"{name}: {work()} removed")
