"""The books on the terminal."""

import json

from django.core.management.base import BaseCommand

from donations.models import Account
from donations.reports import ledger_report
from sistercities.shared.money import format_exact


class Command(BaseCommand):
    help = "Shows what stands in each account, debit positive; --json adds gifts and campaigns."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="everything, in cents")

    def handle(self, *args, **options):
        report = ledger_report()
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2))
            return
        for account, cents in report["accounts"].items():
            self.stdout.write(f"{Account(account).label:30}{format_exact(cents):>16}")
