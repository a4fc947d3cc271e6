"""Matches that employers promised: waited for, received, overdue, and in no sum before (D15)."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from donations import offline, refunds
from donations.models import Campaign, Donation, ExpectedMatch, LedgerPosting

pytestmark = pytest.mark.usefixtures("told_templates")

LIST = "/admin/donations/expectedmatch/"
DAY = dt.date(2026, 12, 31)


@pytest.fixture
def expect(db):
    """`expect(gift)`: its employer has promised the same again by the end of 2026."""

    def record(gift, cents: int = 5000, **fields) -> ExpectedMatch:
        values = {
            "company": "Example Corp.", "amount_cents": cents, "employee_gift": gift,
            "campaign": gift.campaign, "expected_on": DAY, **fields,
        }  # fmt: skip
        match = ExpectedMatch(**values)
        match.full_clean()
        match.save()
        return match

    return record


def sums() -> tuple[int, int, int]:
    campaign = Campaign.objects.with_raised().with_by_hand().with_promised().get()
    return campaign.raised_cents, campaign.by_hand_cents, campaign.promised_cents


def test_d15_promised_match_is_in_no_sum_until_it_comes(
    give, expect, by_hand, make_campaign, client
):
    campaign = make_campaign(goal_cents=20_000)
    gift = give(amount="50", campaign=campaign.slug)
    match = expect(gift)
    assert sums() == (5000, 0, 5000)
    assert LedgerPosting.objects.all().balances()["gift_revenue"] == -5000
    html = client.get(campaign.get_absolute_url()).content.decode()
    assert "$50 of $200 in hand; a further $50 is promised by employers’ matches" in html
    assert '<path class="pledge" d="M25 5H50"/><path class="have" d="M0 5H25"/>' in html
    assert "<b>$50</b> promised as matches" in html
    assert "in another way than by card" not in html

    came = by_hand("Example Corp.", 4500, matched_gift=gift, campaign=campaign)
    match.refresh_from_db()
    assert match.received == came
    assert sums() == (9500, 4500, 0)
    assert gift.receipts.get().amount_cents == 5000
    assert came.receipts.get().inputs["donor"] == "Example Corp."
    html = client.get(campaign.get_absolute_url()).content.decode()
    assert "promised" not in html
    assert "Of what is in hand, $45 came by check, in cash or in another way than by card." in html


def test_match_that_was_a_mistake_is_waited_for_again(give, expect, by_hand, make_campaign):
    campaign = make_campaign()
    gift = give(campaign=campaign.slug)
    match = expect(gift)
    came = by_hand("Example Corp.", 5000, matched_gift=gift, campaign=campaign)
    offline.void(donation=came, note="Typed twice")
    match.refresh_from_db()
    assert (match.received, sums()) == (None, (5000, 0, 5000))
    again = by_hand("Example Corp.", 5000, matched_gift=gift, campaign=campaign)
    match.refresh_from_db()
    assert (match.received, sums()) == (again, (10_000, 5000, 0))


@pytest.mark.parametrize(("cents", "is_waiting"), [(5000, True), (4999, False)])
def test_match_whose_check_came_back_is_waited_for_again(
    cents, is_waiting, give, expect, by_hand, treasurer
):
    gift = give()
    expect(gift)
    came = by_hand("Example Corp.", 5000, method="check", check_number="7", matched_gift=gift)
    refunds.ask(
        donation=came, cents=cents, reason="bounced", note="x", asked_by=treasurer,
        form_token="form-1",
    )  # fmt: skip
    assert ExpectedMatch.objects.waiting().exists() == is_waiting


def test_match_expected_anew_stays_the_only_one_that_waits(give, expect, by_hand):
    gift = give()
    first = expect(gift)
    came = by_hand("Example Corp.", 5000, matched_gift=gift)
    second = expect(gift)
    offline.void(donation=came, note="x")
    first.refresh_from_db()
    assert (first.received, list(ExpectedMatch.objects.waiting())) == (came, [second])


def test_match_of_a_gift_that_does_not_count_is_not_promised(give, expect, make_campaign, settings):
    gift = give(campaign=make_campaign().slug)
    expect(gift)
    settings.STRIPE_LIVE_MODE = True  # the gift was made with a test card
    assert sums() == (0, 0, 0)


def test_match_of_a_gift_that_went_back_is_not_promised(
    give, expect, make_campaign, ask, admin_client
):
    gift = give(campaign=make_campaign().slug, employer="Example Corp.")
    expect(gift)
    ask(gift, 4999)
    assert sums() == (1, 0, 5000)
    ask(gift, 1, "form-2")
    assert sums() == (0, 0, 0)
    ExpectedMatch.objects.all().delete()
    html = admin_client.get("/admin/donations/donation/?match=may").content.decode()
    assert ">Ann Lee<" not in html


def test_what_cannot_be_expected(give, begin, expect):
    gift = give()
    match = expect(gift)
    with pytest.raises(ValidationError, match="expected already"):
        expect(gift)
    with pytest.raises(ValidationError, match="not paid"):
        expect(begin(email="bo@example.org"))
    with pytest.raises(ValidationError, match="more than zero"):
        expect(give(email="cy@example.org"), 0)
    for broken in (
        {"amount_cents": 0},
        {"received": gift, "given_up_at": gift.paid_at},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            ExpectedMatch.objects.filter(pk=match.pk).update(**broken)
    with pytest.raises(IntegrityError), transaction.atomic():
        ExpectedMatch.objects.create(
            company="X", amount_cents=1, employee_gift=gift, expected_on=DAY
        )


def test_staff_find_whom_to_ask_expect_and_give_up(give, admin_client, make_campaign):
    campaign = make_campaign()
    gift = give(employer="Example & Co", name="Ann Lee", campaign=campaign.slug)
    give(email="bo@example.org", name="Bo Li")
    gifts = "/admin/donations/donation/"

    def found(query: str) -> list[str]:
        html = admin_client.get(f"{gifts}?{query}").content.decode()
        return [name for name in ("Ann Lee", "Bo Li") if f">{name}<" in html]

    assert (found("match=may"), found("match=expected")) == (["Ann Lee"], [])
    page = admin_client.get(f"{gifts}{gift.pk}/change/").content.decode()
    address = (
        f"{LIST}add/?company=Example+%26+Co&amp;employee_gift={gift.pk}"
        f"&amp;campaign={campaign.pk}&amp;amount_cents=50.00"
    )
    assert f'<a href="{address}">Expect a match</a>' in page
    form = admin_client.get(address.replace("&amp;", "&"))
    filled = form.context["adminform"].form.initial
    assert (filled["company"], filled["amount_cents"]) == ("Example & Co", "50.00")
    admin_client.post(
        f"{LIST}add/",
        {"company": "Example & Co", "amount_cents": "50", "employee_gift": gift.pk,
         "campaign": campaign.pk, "expected_on": "2026-12-31"},
    )  # fmt: skip
    match = ExpectedMatch.objects.get()
    assert (match.amount_cents, match.expected_on) == (5000, DAY)
    assert (found("match=may"), found("match=expected")) == ([], ["Ann Lee"])
    page = admin_client.get(f"{gifts}{gift.pk}/change/").content.decode()
    assert ("Example &amp; Co" in page, "Expect a match" in page) == (True, False)
    said = admin_client.post(
        LIST, {"action": "give_up", "_selected_action": [match.pk]}, follow=True
    )
    assert "1 match is given up." in said.content.decode()
    match.refresh_from_db()
    assert match.given_up_at is not None
    assert found("match=expected") == []
    assert "Example" in admin_client.get(f"{LIST}?state=given_up").content.decode()


def test_gift_whose_match_came_is_asked_about_no_more(give, by_hand, admin_client):
    gift = give(employer="Example Corp.")
    by_hand("Example Corp.", 5000, matched_gift=gift)
    html = admin_client.get("/admin/donations/donation/?match=may").content.decode()
    assert ">Ann Lee<" not in html


def test_received_match_is_read_and_not_changed(give, expect, by_hand, admin_client):
    gift = give()
    match = expect(gift)
    by_hand("Example Corp.", 5000, matched_gift=gift)
    page = f"{LIST}{match.pk}/change/"
    assert admin_client.get(page).status_code == 200
    assert admin_client.post(page, {"company": "X"}).status_code == 403
    assert admin_client.post(f"{LIST}{match.pk}/delete/", {"post": "yes"}).status_code == 403


def test_desk_reminds_of_a_match_after_its_day(give, expect, admin_client, admin_user, later):
    gift = give()
    expect(gift, expected_on=dt.date.today() + dt.timedelta(days=2))
    told = []
    for days in (0, 2, 2):
        later(days=days)
        admin_client.force_login(admin_user)
        html = admin_client.get("/admin/donations/donation/desk/").content.decode()
        told.append("1 match that an employer promised is overdue." in html)
    assert told == [False, False, True]
    html = admin_client.get(f"{LIST}?state=overdue").content.decode()
    assert "Example Corp." in html
    assert Donation.objects.get().expected_matches.overdue().count() == 1
