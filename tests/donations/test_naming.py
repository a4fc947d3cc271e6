"""Names on a campaign's page: only by the donor's own wish, and never more than the name."""

import datetime as dt

import pytest
from django.test import Client

from donations import naming, offline
from donations.models import Donation, RecurringGift

from .conftest import form_fields


@pytest.fixture
def campaign(site, make_campaign):
    return make_campaign(has_names=True)


@pytest.fixture
def named(give, campaign):
    """`named("Ann Lee")`: a gift whose donor wishes to be named."""

    def pay(name: str, **fields) -> Donation:
        mailbox = f"{name.replace(' ', '.').lower()}@example.org"
        wish = {"name": name, "email": mailbox, "listed": "on", "campaign": campaign.slug}
        return give(campaign.get_absolute_url(), **(wish | fields))

    return pay


def names(campaign) -> list[str]:
    return naming.names_of(campaign).shown


def shown(client, campaign) -> str:
    html = client.get(campaign.get_absolute_url()).content.decode()
    return html.split('<ul class="names', 1)[1].split("</ul>")[0] if "names gap-s" in html else ""


def test_wish_is_offered_off_and_only_where_the_campaign_has_names(client, campaign, make_campaign):
    plain = make_campaign("Plain")
    html = client.get(campaign.get_absolute_url()).content.decode()
    assert "Show my name on this campaign" in html
    assert "listed" not in form_fields(html)
    for page in ("/donate/", f"/donate/?campaign={campaign.slug}", plain.get_absolute_url()):
        assert 'name="listed"' not in client.get(page).content.decode()


def test_name_alone_stands_there_the_latest_first(named, give, campaign, client):
    named("Ann Lee", amount="137", message="Hello")
    named("锦州 李明", email="li@example.org")
    give(campaign.get_absolute_url(), name="Silent One", email="s@example.org")
    part = shown(client, campaign)
    assert part.split("<li>")[1:] == ["锦州 李明</li>", "Ann Lee</li>"]
    html = client.get(campaign.get_absolute_url()).content.decode()
    assert "137" not in part
    for private in ("ann.lee@", "li@example.org", "Hello", "Silent"):
        assert private not in html


@pytest.mark.parametrize(
    "fields", [{"anonymous": "on"}, {"campaign": ""}, {"campaign": "another"}, {"listed": ""}]
)
def test_anonymous_wins_and_the_wish_holds_for_its_own_page(fields, named, campaign, make_campaign):
    another = make_campaign("Another", has_names=True)
    assert not named("Ann Lee", **fields).is_listed
    assert names(campaign) == names(another) == []


def test_wish_that_was_never_offered_is_not_taken(begin, make_campaign):
    plain = make_campaign("Plain")
    assert not begin(plain.get_absolute_url(), listed="on").is_listed
    assert not begin(listed="on", email="bo@example.org").is_listed


def test_anonymous_wins_also_later(named, campaign):
    gift = named("Ann Lee")
    Donation.objects.filter(pk=gift.pk).update(is_anonymous=True)
    assert names(campaign) == []


def test_gifts_that_went_back_fall_off(named, campaign, ask, stripe, hand_over_new):
    part, whole = named("Ann Lee"), named("Bo Li")
    open_one, lost, won = named("Cy Orr"), named("Di Poe"), named("Ed Roy")
    hand_over_new()
    ask(part, 4999)
    ask(whole, 5000, "form-2")
    disputes = [
        stripe.control(f"payments/{gift.provider_reference}/dispute")
        for gift in (open_one, lost, won)
    ]
    stripe.control(f"disputes/{disputes[1]['id']}/close", result="lost")
    stripe.control(f"disputes/{disputes[2]['id']}/close", result="won")
    hand_over_new()
    assert names(campaign) == ["Ed Roy", "Ann Lee"]


def test_gift_by_hand_is_named_as_staff_wrote_and_falls_off_as_a_mistake(by_hand, campaign):
    gift = by_hand("Ann Lee", campaign=campaign, is_listed=True)
    by_hand("Bo Li", campaign=campaign)
    assert names(campaign) == ["Ann Lee"]
    offline.void(donation=gift, note="x")
    assert names(campaign) == []


def test_test_gifts_are_not_named_when_the_site_is_live(named, campaign, settings):
    named("Ann Lee")
    settings.STRIPE_LIVE_MODE = True
    assert names(campaign) == []


def test_a_donor_stands_there_once(named, campaign):
    named("Ann Lee")
    named("Bo Li")
    named("Ann Lee")
    named("Ann and Jo Lee", email="ann.lee@example.org")
    assert names(campaign) == ["Ann and Jo Lee", "Ann Lee", "Bo Li"]


def test_the_latest_are_shown_and_the_others_counted(
    by_hand, campaign, client, django_assert_num_queries, monkeypatch
):
    for number in range(5):
        by_hand(f"Donor {number}", campaign=campaign, is_listed=True)
    by_hand("Donor 4", campaign=campaign, is_listed=True, email="other@example.org")
    with django_assert_num_queries(1):
        assert naming.names_of(campaign).more == 0
    monkeypatch.setattr(naming, "SHOWN", 4)
    with django_assert_num_queries(1):
        assert naming.names_of(campaign).more == 2
    assert "And 2 more." in client.get(campaign.get_absolute_url()).content.decode()


def test_donor_takes_the_name_off_on_the_page_of_thanks(named, campaign, site):
    gift = named("Ann Lee")
    browser = Client(enforce_csrf_checks=True)
    page = browser.get(gift.get_absolute_url())
    assert page["Referrer-Policy"] == "same-origin"  # else browsers send no origin with the form
    html = page.content.decode()
    assert "your name may stand on the page “Kyzylorda comes to Arvada”." in html
    token = browser.cookies["csrftoken"].value
    address = f"{gift.get_absolute_url()}name/"
    assert browser.post(address).status_code == 403
    answer = browser.post(address, {"csrfmiddlewaretoken": token})
    assert (answer.status_code, answer["Location"]) == (302, gift.get_absolute_url())
    assert names(campaign) == []
    page = browser.get(gift.get_absolute_url())
    assert page["Referrer-Policy"] == "no-referrer"
    assert "your name may stand" not in page.content.decode()


@pytest.fixture
def my_gifts(client):
    """`my_gifts(gift)`: the donor's own page, open, of the donor of this gift."""
    from donations.views.my_gifts import OPEN_FOR, SESSION_KEY

    def open_page(gift: Donation) -> Client:
        session = client.session
        until = dt.datetime.now(dt.UTC) + OPEN_FOR
        session[SESSION_KEY] = {"donor": gift.donor_id, "until": until.isoformat()}
        session.save()
        return client

    return open_page


def test_donor_changes_the_wish_among_the_own_gifts(named, campaign, my_gifts):
    gift = named("Ann Lee")
    browser = my_gifts(gift)
    page, form = "/donate/my-gifts/", f"/donate/my-gifts/gifts/{gift.token}/"
    assert "Take my name off the campaign" in browser.get(page).content.decode()
    browser.post(form, {"listed": "off"})
    assert names(campaign) == []
    assert "Show my name on the campaign" in browser.get(page).content.decode()
    browser.post(form, {"listed": "on"})
    assert names(campaign) == ["Ann Lee"]
    browser.post(form, {"anonymous": "on"})
    html = browser.get(page).content.decode()
    assert names(campaign) == []
    assert "Show my name on the campaign" not in html
    browser.post(form, {"listed": "off"})
    browser.post(form, {})
    assert (names(campaign), Donation.objects.get().is_anonymous) == (["Ann Lee"], False)


def test_own_gifts_cost_the_same_with_few_and_many(
    named, by_hand, my_gifts, django_assert_max_num_queries
):
    gift = named("Ann Lee")
    my_gifts(gift).get("/donate/my-gifts/")  # what is read once a process
    counts = []
    for _ in range(2):
        with django_assert_max_num_queries(20) as asked:
            my_gifts(gift).get("/donate/my-gifts/")
        counts.append(len(asked))
        for _number in range(5):
            by_hand("Ann Lee", email="ann.lee@example.org", campaign=gift.campaign)
    assert counts[0] == counts[1]


def test_wish_of_a_monthly_gift_is_one(give_plan, renew, campaign, at):
    at("2026-12-01")
    plan = give_plan(
        campaign.get_absolute_url(), listed="on", campaign=campaign.slug, name="Ann Lee"
    )
    at("2027-01-01")
    renew(plan)
    assert names(campaign) == ["Ann Lee"]
    first = plan.donations.earliest("pk")
    naming.change(gift=first, is_listed=False)
    at("2027-02-01")
    renew(plan)
    assert (plan.donations.count(), names(campaign)) == (3, [])
    naming.change(gift=first, is_listed=True)
    assert names(campaign) == ["Ann Lee"]


def test_staff_take_a_name_off_for_good(give_plan, renew, campaign, at, admin_client, admin_user):
    at("2026-12-01")
    plan = give_plan(campaign.get_absolute_url(), listed="on", campaign=campaign.slug)
    gift = plan.donations.get()
    admin_client.force_login(admin_user)
    said = admin_client.post(
        "/admin/donations/donation/",
        {"action": "withhold_name", "_selected_action": [gift.pk]}, follow=True,
    )  # fmt: skip
    assert "1 name is taken off." in said.content.decode()
    at("2027-01-01")
    renew(plan)
    naming.change(gift=gift, is_listed=True)
    gift.refresh_from_db()
    assert (names(campaign), gift.is_withheld) == ([], True)
    assert not RecurringGift.objects.get().is_listed


def test_a_campaign_without_names_asks_nothing(named, campaign, django_assert_num_queries):
    named("Ann Lee")
    type(campaign).objects.update(has_names=False)
    campaign.refresh_from_db()
    with django_assert_num_queries(0):
        assert names(campaign) == []
