"""The treasurer's desk: sums that agree with the books, and what waits for a person."""

import datetime as dt

import pytest

from donations import reports
from donations.models import ClosedMonth, Donation, GiftBatch, LedgerPosting

DESK = "/admin/donations/donation/desk/"
FIRST, LAST = dt.date(2026, 1, 1), dt.date(2026, 12, 31)


def shown(rows) -> list[tuple]:
    return [(row.label, row.gifts, row.given_cents, row.returned_cents) for row in rows]


@pytest.fixture
def year(give, ask, by_hand, make_campaign, time_machine):
    """Two gifts by card, one returned in part, and two by hand, one of the year before."""
    time_machine.move_to(dt.datetime(2026, 11, 22, 20, tzinfo=dt.UTC))
    campaign = make_campaign()
    first = give(amount="50")
    give(amount="25", campaign=campaign.slug)
    ask(first, 2000)
    by_hand("Bo Li", 70_000, method="check", check_number="1", campaign=campaign)
    by_hand("Cy Orr", 90_000, given_on=dt.date(2025, 12, 31))
    return campaign


def test_totals_agree_with_the_books(year):
    assert shown(reports.totals(FIRST, LAST)) == [("USD", 3, 77_500, 2000)]
    assert shown(reports.totals(FIRST, LAST, by="method")) == [
        ("check", 1, 70_000, 0), ("card", 2, 7500, 2000),
    ]  # fmt: skip
    assert shown(reports.totals(FIRST, LAST, by="designation")) == [
        (year.designation, 2, 72_500, 0), ("Where it is needed most", 1, 5000, 2000),
    ]  # fmt: skip
    [both] = reports.totals(dt.date(2025, 1, 1), LAST)
    books = LedgerPosting.objects.all().balances()
    assert both.kept_cents == -(books["gift_revenue"] + books["refunds"])


def test_desk_shows_sums_and_what_waits(year, admin_client, stripe, deliver):
    gift = Donation.objects.get(amount_cents=2500)
    stripe.control(f"payments/{gift.provider_reference}/dispute", amount=2500)
    deliver(*stripe.events())
    GiftBatch.objects.create(title="Begun")
    html = admin_client.get(DESK).content.decode()
    for part in (
        "$775.00", "$45.00", "$730.00", "A bank disputes $25.00 Ann Lee: answer by",
        "2 receipts are to be printed and posted.", "1 batch of gifts is not booked.",
        "2 batches are not marked as taken to the bank.", "December 2025 can be closed.",
    ):  # fmt: skip
        assert part in html, part


def test_empty_desk_has_nothing_to_do(site, admin_client):
    html = admin_client.get(DESK).content.decode()
    assert "Nothing waits for you." in html
    assert "No gift yet this year." in html


def test_desk_is_linked_and_guarded(site, admin_client, client, django_user_model):
    assert DESK in admin_client.get("/admin/donations/donation/").content.decode()
    client.force_login(django_user_model.objects.create_user("ed", is_staff=True))
    assert client.get(DESK).status_code == 403


def test_desk_asks_the_same_with_few_gifts_and_many(
    year,
    admin_client,
    by_hand,
    django_assert_max_num_queries,
):
    counts = []
    for _ in range(2):
        with django_assert_max_num_queries(20) as asked:
            admin_client.get(DESK)
        counts.append(len(asked))
        for number in range(10):
            by_hand(f"Donor {number}", given_on=dt.date(2026, 1, 1 + number))
    assert counts[0] == counts[1]


def test_month_is_closed_on_its_page_with_every_reason(year, admin_client, time_machine):
    months = "/admin/donations/closedmonth/"
    assert "Close 2025-12" in admin_client.get(months).content.decode()
    said = admin_client.post(f"{months}close/", {"month": "2026-11"}, follow=True)
    assert "2026-11 is not over yet." in said.content.decode()
    assert "2025-12 is still open; close it first." in said.content.decode()
    said = admin_client.post(f"{months}close/", {"month": "2025-12"}, follow=True)
    assert "2025-12 is closed." in said.content.decode()
    closed = ClosedMonth.objects.get()
    journal = admin_client.get(f"{months}{closed.pk}/journal/")
    assert journal["Content-Disposition"] == 'attachment; filename="journal-2025-12.csv"'
    assert "2025-12-31" in journal.content.decode()
    assert "This is no month." in admin_client.post(
        f"{months}close/", {"month": "x"}, follow=True
    ).content.decode()  # fmt: skip
    assert admin_client.get(f"{months}close/").status_code == 403


def test_closing_needs_the_permission(year, client, django_user_model):
    client.force_login(django_user_model.objects.create_user("ed", is_staff=True))
    answer = client.post("/admin/donations/closedmonth/close/", {"month": "2025-12"})
    assert (answer.status_code, ClosedMonth.objects.count()) == (403, 0)


def test_d28_registration_that_ends_is_told_sixty_days_before(
    site, admin_client, admin_user, time_machine
):
    site.registration_ends_on = dt.date(2027, 5, 15)
    site.save()
    told = []
    for day in (dt.date(2027, 3, 15), dt.date(2027, 3, 16), dt.date(2027, 5, 16)):
        time_machine.move_to(dt.datetime.combine(day, dt.time(18), dt.UTC))
        admin_client.force_login(admin_user)
        html = admin_client.get(DESK).content.decode()
        told.append("The charity registration is good until May 15, 2027." in html)
    assert told == [False, True, True]
