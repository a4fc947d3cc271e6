"""Compares our books with Stripe's lists and fills in what is missing."""

import datetime as dt

from django.core.management.base import BaseCommand, CommandError

from donations.providers.base import ProviderDown
from donations.reconciling import reconcile
from donations.sync import GiftBusy
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings


class Command(BaseCommand):
    help = "Finds payments, refunds, disputes and payouts of which no event arrived."

    def add_arguments(self, parser):
        parser.add_argument(
            "--since", default="3",
            help="a day (2026-11-01) or moment, or a number of days back; 3 unless said",
        )  # fmt: skip
        parser.add_argument(
            "--rebuild", action="store_true",
            help="after a restore: also make the gifts again that began after the copy was made",
        )  # fmt: skip

    def handle(self, *args, since: str, rebuild: bool, **options):
        try:
            report = reconcile(since=moment(since), is_rebuilding=rebuild)
        except (ProviderDown, GiftBusy) as error:
            raise CommandError(f"Not finished, please run it again: {error!r}") from error
        self.stdout.write(
            f"{report.events} events, {report.transactions} balance transactions, "
            f"{report.booked} newly booked"
        )
        if rebuild:
            self.stdout.write(f"{report.rebuilt} gifts made again")
        for problem in report.problems:
            self.stderr.write(problem)


def moment(text: str) -> dt.datetime:
    """Days back, or an ISO day or moment; without an offset in the organisation's time zone."""
    if text.isascii() and text.isdigit():
        return clock.now() - dt.timedelta(days=int(text))
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"--since is {text!r}; write a day such as 2026-11-01 or a number of days."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=SiteSettings.load().zone)
