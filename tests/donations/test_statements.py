"""Year statements: what they list, and that they equal the books to the cent."""

import datetime as dt
import random

import pytest
from django.core.management import CommandError, call_command

from donations import documents, offline, refunds, statements
from donations.models import Donation, Donor, GiftBatch, LedgerPosting, OfflineGift
from sistercities.shared.models import OutgoingMessage, SiteSettings
from tests.shared.test_pdf import pages_of, squeezed

Period = statements.Period
DAY = dt.date(2027, 1, 4)


def has_words(pdf: bytes, *words: str) -> list[bool]:
    """Which of `words` stand in a document; how it is spaced does not count."""
    text = squeezed("".join(pages_of(pdf)))
    return [squeezed(word) in text for word in words]


def rows(found: statements.Statement) -> list[tuple]:
    return [(line.number, line.given_cents, line.returned_cents) for line in found.lines]


@pytest.mark.parametrize(
    ("text", "first", "last", "label"),
    [
        ("2026", dt.date(2026, 1, 1), dt.date(2026, 12, 31), "2026"),
        ("2024", dt.date(2024, 1, 1), dt.date(2024, 12, 31), "2024"),
        ("2025-07", dt.date(2025, 7, 1), dt.date(2026, 6, 30), "July 2025 – June 2026"),
        ("2023-03", dt.date(2023, 3, 1), dt.date(2024, 2, 29), "March 2023 – February 2024"),
    ],
)
def test_period(text, first, last, label):
    period = Period.parse(text)
    assert (period.first, period.last, period.label, str(period)) == (first, last, label, text)


@pytest.mark.parametrize(
    "text", ["", "26", "2026-13", "2026-00", "2026-1", "x", "２０２６", "20260"]
)
def test_no_period(text):
    with pytest.raises(ValueError, match="neither a year nor a month"):
        Period.parse(text)


def test_d26_lists_gifts_less_what_went_back(give, ask):
    first, second = give(amount="50"), give(amount="25.50")
    give(amount="99", email="somebody@example.org")
    ask(first, 2000)
    period = Period.parse(str(first.given_on.year))
    found = statements.statement(donor=first.donor, period=period)
    year = first.given_on.year
    assert rows(found) == [(f"{year}-000004", 5000, 2000), (f"{year}-000002", 2550, 0)]
    assert (found.given_cents, found.returned_cents, found.deductible_cents) == (7550, 2000, 5550)
    assert rows(statements.statement(donor=second.donor, period=Period.parse(str(year - 1)))) == []


def test_d20_what_went_back_next_year_is_taken_off_the_gifts_own_year(give, ask):
    gift = give(amount="50")
    last_year = gift.given_on.year - 1
    Donation.objects.update(given_on=dt.date(last_year, 12, 31))
    gift.refresh_from_db()
    ask(gift, 2000)
    own = statements.statement(donor=gift.donor, period=Period.parse(str(last_year)))
    assert [(line.given_cents, line.returned_cents) for line in own.lines] == [(5000, 2000)]
    later = statements.statement(donor=gift.donor, period=Period.parse(str(last_year + 1)))
    assert later.lines == ()


def test_d14_last_evening_of_the_year_in_denver(by_hand):
    gift = by_hand("Ann Lee", given_on=dt.date(2025, 12, 31))
    found = [
        len(statements.statement(donor=gift.donor, period=Period.parse(year)).lines)
        for year in ("2025", "2026", "2025-07", "2026-01")
    ]
    assert found == [1, 0, 1, 0]


def test_d16_grant_of_a_fund_is_on_no_statement(by_hand):
    gift = by_hand("Example Charitable", method="daf", email="grants@example.com")
    period = Period.parse("2026")
    assert statements.statement(donor=gift.donor, period=period).lines == ()
    assert list(statements.givers(period)) == []


def test_d26_all_statements_equal_the_books_to_the_cent(site, admin_user):
    """A year of 120 gifts by 9 people, some returned in part, some bounced, some mistakes."""
    dice = random.Random(26)
    batch = GiftBatch.objects.create(title="A year")
    for _ in range(120):
        OfflineGift.objects.create(
            batch=batch, method="transfer", amount_cents=dice.randint(1, 99_999),
            donor_name=f"Donor {dice.randint(1, 9)}",
            given_on=dt.date(2025, 1, 1) + dt.timedelta(days=dice.randrange(365)),
        )  # fmt: skip
    offline.book(batch=batch, by=admin_user)
    for number, gift in enumerate(Donation.objects.order_by("pk")):
        if number % 7 == 0:
            refunds.ask(
                donation=gift, cents=dice.randint(1, gift.amount_cents), reason="donor", note="x",
                asked_by=admin_user, form_token=f"form-{number}",
            )  # fmt: skip
        elif number % 11 == 0:
            offline.void(donation=gift, note="x")
    period = Period.parse("2025")
    givers = list(statements.givers(period))
    assert len(givers) == 9
    total = sum(statements.statement(donor=one, period=period).kept_cents for one in givers)
    books = LedgerPosting.objects.all().balances()
    assert total == -(books["gift_revenue"] + books["refunds"] + books["chargebacks"])


def test_d5_statement_on_paper_names_each_gift_and_says_the_words(give, ask):
    gift = give(amount="50")
    ask(gift, 2000)
    Donor.objects.update(address="1 Grandview Ave\nArvada, CO 80002")
    donor = Donor.objects.get()
    period = Period.parse(str(gift.given_on.year))
    site = SiteSettings.load()
    found = statements.statement(donor=donor, period=period)
    paper = documents.statement_pdf(found, site=site, issued_on=dt.date(2027, 1, 4))
    words = (
        "Arvada Sister Cities International", "84-1234567", "Ann Lee", "1 Grandview Ave",
        "$50.00", "$20.00", "$30.00", "January 4, 2027", f"{gift.given_on.year}-000002",
        "No goods or services were provided in exchange for these gifts.",
    )  # fmt: skip
    assert has_words(paper, *words) == [True] * len(words)
    assert paper == documents.statement_pdf(found, site=site, issued_on=dt.date(2027, 1, 4))


def test_d12_goods_stand_on_a_statement_without_an_amount(by_hand):
    gift = by_hand("Ann Lee", 0, method="in_kind", description="Forty folding chairs")
    found = statements.statement(donor=gift.donor, period=Period.parse("2026"))
    assert found.deductible_cents == 0
    paper = documents.statement_pdf(found, site=SiteSettings.load(), issued_on=DAY)
    assert has_words(paper, "Forty folding chairs", "$0.00") == [True, True]  # the sum


def test_command_writes_files_and_tells_once(give, by_hand, tmp_path, capsys):
    year = give(amount="50").given_on.year
    by_hand("Bo 锦州 Li", given_on=dt.date(year, 3, 1))
    folder = tmp_path / "statements"
    for _ in range(2):
        call_command("statements", year=str(year), out=folder, mail=True)
    assert "2 statements written, 1 donors told." in capsys.readouterr().out
    assert [path.name[:4] for path in sorted(folder.iterdir())] == [str(year)] * 2
    assert all(path.read_bytes().startswith(b"%PDF-") for path in folder.iterdir())
    letters = OutgoingMessage.objects.filter(key__startswith="statement:")
    assert [letter.to for letter in letters] == ["ann@example.org"]
    assert "/donate/my-gifts/" in letters[0].text


@pytest.mark.parametrize("options", [{"year": "soon", "mail": True}, {"year": "2026"}])
def test_command_says_what_it_needs(options, site):
    with pytest.raises(CommandError):
        call_command("statements", **options)
