"""The night's housekeeping, as one list of calls."""

from django.core.management.base import BaseCommand

from donations import gift_links, plan_letters
from exchanges import receiving, sorting
from sistercities.comments import moderating
from sistercities.newsletter import bounces, composing, importing, journal, subscribing
from sistercities.pages import writing
from sistercities.shared import mail, sweeping


class Command(BaseCommand):
    help = (
        "Removes what need not be kept: sign-ups never confirmed, old texts, broken uploads. "
        "Tells donors of yearly gifts that are near."
    )

    def handle(self, *args, **options):
        for name, work in (
            ("sign-ups never confirmed", subscribing.purge),
            ("files of subscribers not taken in", importing.forget_unfinished),
            ("old news of bounces", bounces.forget_old),
            ("addresses and rejected replies of readers", moderating.forget_old),
            ("messages of long ago", writing.forget_old),
            ("links to gifts", gift_links.forget_old),
            ("journals of letters", journal.forget_old),
            ("texts of old mail", mail.forget_old_texts),
            ("uploads that were broken off", receiving.forget_abandoned),
            ("photos deleted 30 days ago", sorting.remove_deleted),
            ("public files that no row names", sweeping.sweep_public),
        ):
            self.stdout.write(f"{name}: {work()} removed")
        self.stdout.write(f"topics of the letter: {composing.make_topics()} added")
        told = plan_letters.announce_yearly()
        self.stdout.write(f"yearly gifts that are near: {told} donors told")
