"""Takes out of suspense what the treasurer has found out, by new entries: no old one changes."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from donations import payouts, posting
from donations.amounts import CURRENCY
from donations.models import Account, LedgerEntry, Payout
from donations.models.ledger import EXPLANATION
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings

# Gifts, refunds and chargebacks are booked through their gift, or totals and books would differ.
PLACES = {
    Account.PROCESSING_FEES: gettext_lazy("Card fees: something that the processor charges for"),
    Account.DISPUTE_FEES: gettext_lazy("Dispute fees"),
    Account.BANK: gettext_lazy("Bank: money that stands, or is booked, there"),
}


class CannotExplain(Exception):
    """This entry stays as it is; the message says why, for staff."""


def explain(*, entry: LedgerEntry, account: Account, note: str) -> LedgerEntry:
    """Moves an entry's amount from suspense to `account`, one of `PLACES`, on the entry's own day
    of the journal; the new entry. Each is explained once: a second call returns the first one's.

    Raises `CannotExplain` for what is not in suspense, another currency, or another account.
    """
    if account not in PLACES:
        raise CannotExplain(_("Gifts and what goes back of them are booked through their gift."))
    if entry.kind != LedgerEntry.Kind.SUSPENSE:
        raise CannotExplain(_("This movement is not in suspense."))
    if entry.currency != CURRENCY:
        raise CannotExplain(_("Nobody knows what %s are worth in dollars.") % entry.currency)
    cents = entry.postings.all().balances()[Account.SUSPENSE]
    zone = SiteSettings.load().zone
    day = entry.journal_on or timezone.localdate(entry.occurred_at, zone)
    debit, credit = (account, Account.SUSPENSE) if cents > 0 else (Account.SUSPENSE, account)
    with transaction.atomic():
        explained = posting.post_offline(
            kind=LedgerEntry.Kind.EXPLAINED,
            offline_id=f"{EXPLANATION}{entry.pk}",
            # A month with something in suspense cannot be shut, so this day is open.
            occurred_at=clock.noon_of(day, zone),
            note=note,
            moves=[(debit, credit, abs(cents))],
        )
        for payout in Payout.objects.select_for_update().filter(lines__entry=entry):
            payouts.compare(payout)
    return explained
