"""Who may use which address with which method: one table for the whole site.

`manage.py access_table` prints it; tests hold it against the URL patterns and against what the
site really answers. A pattern without a row is `unclassified`, and a row without a pattern is
stale: both fail the tests (trust.md, Authorization).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

PUBLIC = "public"
TOKEN = "token holder"
DONOR = "donor who came by a mailed link"
PROVIDER = "signed provider"
STAFF = "staff"
PERMITTED = "staff with the model's permission"
ADMINISTRATOR = "administrator"
DEVELOPER = "developer, only with DEBUG"
UNCLASSIFIED = "unclassified"

READ = {"GET": PUBLIC}
READ_AND_SEND = {"GET": PUBLIC, "POST": PUBLIC}

# By the pattern's name; a name with `*` is a rule for what no other row names, the longest first.
# HEAD goes with GET. A method that is not here is refused with 405.
TABLE: dict[str, dict[str, str]] = {
    "cities:list": READ,
    "cities:style": READ,
    "cities:map": READ,
    "cities:detail": READ,
    "cities:figures": READ,
    "cities:day": READ,
    "exchanges:visits": READ,
    "exchanges:visit": READ,
    "exchanges:galleries": READ,
    "exchanges:gallery": READ,
    "exchanges:gallery_feed": READ,
    "exchanges:gallery_zip": READ,
    "exchanges:photo": READ,
    "exchanges:shared_*": {"GET": TOKEN},
    "exchanges:events": READ,
    "exchanges:event": READ,
    "exchanges:calendar": READ,
    "exchanges:national_calendar": READ,
    "exchanges:city_calendar": READ,
    "exchanges:event_ics": READ,
    "news:list": READ,
    "news:feed": READ,
    "news:json_feed": READ,
    "news:detail": READ,
    "comments:city": READ_AND_SEND,
    "comments:visit": READ_AND_SEND,
    "comments:article": READ_AND_SEND,
    "comments:report": READ_AND_SEND,
    "donations:give": READ_AND_SEND,
    "donations:campaign": READ_AND_SEND,
    "donations:tickets": READ_AND_SEND,
    "donations:thanks": {"GET": TOKEN},
    "donations:take_name_off": {"POST": TOKEN},
    "donations:receipt_pdf": {"GET": TOKEN},
    "donations:receipt": {"GET": TOKEN},
    "donations:my_gifts": READ_AND_SEND,
    "donations:link_sent": READ,
    "donations:open_my_gifts": {"GET": TOKEN, "POST": TOKEN},
    "donations:leave_my_gifts": {"POST": PUBLIC},
    "donations:change_address": {"POST": DONOR},
    "donations:change_gift": {"POST": DONOR},
    "donations:my_statement": {"GET": DONOR},
    "donations:plan": {"GET": TOKEN},
    "donations:plan_change": {"POST": TOKEN},
    "donations:plan_card": {"POST": TOKEN},
    "donations:plan_stop": {"GET": TOKEN, "POST": TOKEN},
    "donations:trip_fee": {"GET": TOKEN},
    "donations:trip_fee_pay": {"POST": TOKEN},
    "donations:stripe_webhook": {"POST": PROVIDER},
    "newsletter:newsletter": READ_AND_SEND,
    "newsletter:feed": READ,
    "newsletter:issue": READ,
    "newsletter:thanks": READ,
    "newsletter:challenge": READ,
    "newsletter:confirm": {"GET": TOKEN, "POST": TOKEN},
    "newsletter:unsubscribe": {"GET": TOKEN, "POST": TOKEN},
    "newsletter:preferences": {"GET": TOKEN, "POST": TOKEN},
    "newsletter:link": {"GET": TOKEN},
    "newsletter:mail_events": {"POST": PROVIDER},
    "pages:home": READ,
    "pages:search": READ,
    "pages:documents": READ,
    "pages:document": READ,
    "pages:contact": READ_AND_SEND,
    "pages:board": READ,
    "pages:robots": READ,
    "pages:sitemap": READ,
    "pages:healthz": READ,
    "pages:readyz": READ,
    "pages:media": READ,
    "pages:share_picture": READ,
    "pages:styleguide": {"GET": STAFF},
    "pages:page": READ,
    "demo:mailbox": {"GET": DEVELOPER},
    "nothing_here": {"GET": DEVELOPER},
    "admin:login": READ_AND_SEND,
    "admin:logout": {"POST": PUBLIC},
    "admin:index": {"GET": STAFF},
    "admin:jsi18n": {"GET": STAFF},
    "admin:password_change": {"GET": STAFF, "POST": STAFF},
    "admin:password_change_done": {"GET": STAFF},
    "admin:auth_*": {"GET": ADMINISTRATOR, "POST": ADMINISTRATOR},
    "admin:donations_receipt_pdf": {"GET": PERMITTED},
    "admin:donations_donation_desk": {"GET": PERMITTED},
    "admin:donations_campaign_letter": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_closedmonth_close": {"POST": PERMITTED},
    "admin:donations_closedmonth_journal": {"GET": PERMITTED},
    "admin:donations_donor_split": {"POST": PERMITTED},
    "admin:donations_ticketline_door": {"GET": PERMITTED},
    "admin:donations_ticketline_take_back": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_giftbatch_book": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_giftbatch_deposit": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_giftbatch_seen": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_ledgerentry_explain": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_payout_csv": {"GET": PERMITTED},
    "admin:donations_payout_seen": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_recurringgift_cancel": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_donation_void": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_donation_refund": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_tripfee_send": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_tripfee_withdraw": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_tripfee_by_hand": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_tripfee_deposit": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:donations_tripfee_refund": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:exchanges_guardianconsent_evidence": {"GET": PERMITTED},
    "admin:exchanges_photo_preview": {"GET": PERMITTED},
    "admin:exchanges_gallery_sort": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:exchanges_gallery_words": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:exchanges_batch_drop": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:exchanges_batch_file": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:exchanges_batch_state": {"GET": PERMITTED},
    "admin:exchanges_batch_answer": {"POST": PERMITTED},
    "admin:newsletter_issue_material": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:newsletter_issue_preview": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:newsletter_issue_send": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:newsletter_issue_test": {"GET": PERMITTED, "POST": PERMITTED},
    "admin:newsletter_issue_progress": {"GET": PERMITTED},
    "admin:newsletter_issue_order": {"POST": PERMITTED},
    "admin:newsletter_issue_unknown": {"POST": PERMITTED},
    "admin:pages_document_pdf": {"GET": PERMITTED},
    "admin:*_history": {"GET": PERMITTED},
    "admin:*": {"GET": PERMITTED, "POST": PERMITTED},
}


@dataclass(frozen=True)
class Address:
    """A URL pattern as Django knows it: its path, its name with namespaces, its view."""

    path: str
    name: str
    pattern: URLPattern


@dataclass(frozen=True)
class Row:
    pattern: str
    name: str
    method: str
    who: str


def addresses(resolver: URLResolver | None = None, path: str = "/", space: str = "") -> Iterator[
    Address
]:  # fmt: skip
    """Every URL pattern, in the order in which Django tries them.

    A pattern without a name is called after its namespace alone: `admin:`.
    """
    for entry in (resolver or get_resolver()).url_patterns:
        below = path + str(entry.pattern).removeprefix("^")
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from addresses(entry, below, inner)
        else:
            yield Address(below, f"{space}{entry.name or ''}", entry)


def rule_for(name: str) -> str | None:
    """The key of `TABLE` that holds for a pattern of this name, the most exact first."""
    if name in TABLE:
        return name
    fitting = [key for key in TABLE if "*" in key and fnmatchcase(name, key)]
    return max(fitting, key=len) if fitting else None


def table() -> list[Row]:
    """One row per URL pattern × method; what no rule names is `unclassified`, with method `*`."""
    rows = []
    for address in addresses():
        rule = rule_for(address.name)
        methods = TABLE[rule] if rule else {"*": UNCLASSIFIED}
        rows += [Row(address.path, address.name, method, who) for method, who in methods.items()]
    return rows


def stale_rules() -> list[str]:
    """Rows of `TABLE` that no pattern uses any more.

    The pages of developers are missed only where `DEVELOPMENT_PAGES` serves them.
    """
    used = {rule_for(address.name) for address in addresses()}
    return [
        name
        for name, methods in TABLE.items()
        if name not in used and (settings.DEVELOPMENT_PAGES or DEVELOPER not in methods.values())
    ]
