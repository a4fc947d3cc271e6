"""Books the gifts that staff write down: checks, cash, transfers, funds' grants, stock, goods.

The books say for each where its money is: with us, at the bank, or nowhere for what is not money.
"""

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from donations import donors, matching, posting, receipts
from donations.amounts import CURRENCY
from donations.models import (
    Account,
    Donation,
    GiftBatch,
    LedgerEntry,
    LedgerPosting,
    OfflineGift,
    Refund,
)
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings
from sistercities.shared.money import format_exact
from sistercities.shared.signing import new_token

Kind = LedgerEntry.Kind
THANKS = "donations/emails/adviser_thanks"


class CannotBook(Exception):
    """This cannot be booked as it stands; the message says why, for staff. Nothing was changed."""


def difference(batch: GiftBatch) -> int:
    """The checks and the cash of a batch less its deposit slip, in cents: 0 where they agree."""
    return batch.entered_cents - batch.deposit_cents


def book(*, batch: GiftBatch, by: User) -> GiftBatch:
    """Makes every line of a batch a paid gift with its receipt, all or none.

    A batch that is booked already stays as it is. Raises `CannotBook` where it is empty or its
    checks and cash do not come to the total of the deposit slip.
    """
    site = SiteSettings.load()
    with transaction.atomic():
        batch = GiftBatch.objects.select_for_update().get(pk=batch.pk)
        if batch.booked_at:
            return batch
        lines = list(batch.gifts.select_related("campaign"))
        if not lines:
            raise CannotBook(_("There is no gift in this batch yet."))
        if wrong := difference(batch):
            raise CannotBook(
                _("The checks and the cash come to %(entered)s, the deposit slip says %(slip)s: "
                  "%(wrong)s too %(direction)s. Nothing was booked.")
                % {
                    "entered": format_exact(batch.entered_cents, CURRENCY),
                    "slip": format_exact(batch.deposit_cents, CURRENCY),
                    "wrong": format_exact(abs(wrong), CURRENCY),
                    "direction": _("much") if wrong > 0 else _("little"),
                }
            )  # fmt: skip
        for line in lines:
            _book_line(line, site)
        batch.booked_at, batch.booked_by = clock.now(), by
        batch.save(update_fields=["booked_at", "booked_by"])
    return batch


def _book_line(line: OfflineGift, site: SiteSettings) -> None:
    gift = Donation.objects.create(
        form_token=new_token(),
        state=Donation.State.PAID,
        provider=Donation.Provider.OFFLINE,
        method=line.method,
        amount_cents=line.amount_cents,
        campaign=line.campaign,
        designation=line.campaign.designation if line.campaign else _("Where it is needed most"),
        donor_name=line.donor_name,
        email=line.email,
        donor_address=line.donor_address,
        is_anonymous=line.is_anonymous,
        is_listed=line.is_listed,
        goods_services=(
            Donation.GoodsServices.BENEFIT if line.benefit else Donation.GoodsServices.NONE
        ),
        benefit=line.benefit,
        benefit_cents=line.benefit_cents,
        given_on=line.given_on,
        paid_at=clock.now(),
        livemode=True,
    )
    donors.attach(donation=gift)
    gift.save(update_fields=["donor"])
    line.donation = gift
    line.save(update_fields=["donation"])
    matching.receive(line=line)
    if not gift.is_non_cash:
        here = Account.UNDEPOSITED_CHECKS if line.is_for_deposit else Account.BANK
        posting.post_offline(
            kind=Kind.RECEIVED,
            offline_id=gift.token,
            donation=gift,
            occurred_at=clock.noon_of(line.given_on, site.zone),
            moves=[
                (here, Account.GIFT_REVENUE, line.amount_cents - line.fee_cents),
                (Account.PROCESSING_FEES, Account.GIFT_REVENUE, line.fee_cents),
            ],
        )
    try:
        receipts.issue(donation=gift, site=site)
    except receipts.ReceiptBlocked as reason:
        gift.needs_attention = _("No receipt could be written. %s") % reason
        gift.save(update_fields=["needs_attention"])
    if line.adviser_email:
        queue_mail(
            key=f"adviser:{gift.token}",
            template=THANKS,
            to=line.adviser_email,
            context={
                "adviser": line.adviser_name,
                "sponsor": line.donor_name,
                "designation": gift.designation,
                "organization": site.name,
                "postal_address": site.postal_address,
            },
        )


def deposit(*, batch: GiftBatch, on: dt.date) -> GiftBatch:
    """Says that the checks and the cash of a booked batch are at the bank since `on`.

    What came back before that day is not among them. A second call changes nothing.
    Raises `CannotBook` for a batch that is not booked, or a day to come.
    """
    with transaction.atomic():
        batch = GiftBatch.objects.select_for_update().get(pk=batch.pk)
        if batch.deposited_on:
            return batch
        if not batch.booked_at:
            raise CannotBook(_("Book the gifts of this batch first."))
        if on > clock.today():
            raise CannotBook(_("This day is still to come."))
        posting.post_offline(
            kind=Kind.DEPOSIT,
            offline_id=batch.token,
            occurred_at=clock.noon_of(on, SiteSettings.load().zone),
            note=batch.title,
            moves=[(Account.BANK, Account.UNDEPOSITED_CHECKS, _still_with_us(batch))],
        )
        batch.deposited_on = on
        batch.save(update_fields=["deposited_on"])
    return batch


def _still_with_us(batch: GiftBatch) -> int:
    rows = LedgerPosting.objects.filter(entry__donation__offline__batch=batch)
    return rows.balances()[Account.UNDEPOSITED_CHECKS]


def give_back(*, refund: Refund) -> None:
    """Books that a check came back, or that we gave a gift back by hand, and corrects its receipt.

    Runs inside the transaction that holds the gift.
    """
    gift = refund.donation
    assert gift is not None
    is_bounced = refund.reason == Refund.Reason.BOUNCED
    posting.post_offline(
        kind=Kind.BOUNCED if is_bounced else Kind.REFUND,
        offline_id=refund.token,
        donation=gift,
        occurred_at=clock.now(),
        note=refund.note,
        moves=[(Account.REFUNDS, _place_of_money(gift), refund.amount_cents)],
    )
    refund.state = Refund.State.DONE
    refund.save(update_fields=["state"])
    if Donation.objects.with_returned().get(pk=gift.pk).shown_state == "refunded":
        matching.wait_again(gift=gift)
    receipts.issue(donation=gift, site=SiteSettings.load())


def may_be_mistake(gift: Donation) -> bool:
    """Whether a gift can be taken out of the books: by hand, and nothing of it went back."""
    is_by_hand = gift.provider == Donation.Provider.OFFLINE and gift.state == Donation.State.PAID
    return is_by_hand and not gift.refunds.exists()


def void(*, donation: Donation, note: str) -> Donation:
    """Takes a gift that was entered by mistake out of the books; its receipt becomes void.

    A second call changes nothing. Raises `CannotBook` for a gift by card, or one of which money
    was given back.
    """
    with transaction.atomic():
        gift = Donation.objects.select_for_update().get(pk=donation.pk)
        if gift.state == Donation.State.VOID:
            return gift
        if not may_be_mistake(gift):
            raise CannotBook(_("Only a gift that was entered by hand, and of which nothing went "
                               "back, can be a mistake."))  # fmt: skip
        received = gift.ledger_entries.filter(kind=Kind.RECEIVED).first()
        place = _place_of_money(gift)
        posting.post_offline(
            kind=Kind.MISTAKE,
            offline_id=gift.token,
            donation=gift,
            occurred_at=clock.now(),
            note=note,
            moves=[
                (
                    row.credit,
                    row.debit if row.debit == Account.PROCESSING_FEES else place,
                    row.amount_cents,
                )
                for row in (received.postings.all() if received else ())
            ],
        )
        gift.rise_to(Donation.State.VOID)
        gift.save(update_fields=["state"])
        matching.wait_again(gift=gift)
        receipts.issue(donation=gift, site=SiteSettings.load())
    return gift


def _place_of_money(gift: Donation) -> Account:
    line = OfflineGift.objects.select_related("batch").get(donation=gift)
    is_here = line.is_for_deposit and not line.batch.deposited_on
    return Account.UNDEPOSITED_CHECKS if is_here else Account.BANK
