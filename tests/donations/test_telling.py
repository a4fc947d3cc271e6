"""The letter on what gifts made possible: to each donor once, to nobody else, without tax words."""

import datetime as dt

import pytest

from donations import donors, offline, telling
from donations.models import CampaignLetter, Donation, Donor
from exchanges.models import Gallery, Visit
from sistercities.shared.models import OutgoingMessage

from .test_races import together

WORDS = {"subject": "They came", "opening": "You gave when it was a plan.\n\nIt has happened."}


@pytest.fixture
def visit(make_city):
    return Visit.objects.create(
        title="They come", slug="they-come", city=make_city("Kyzylorda", country="KZ"),
        direction="inbound", starts_on=dt.date(2026, 5, 1), summary="They come.",
        status="published", stage="completed", story="<p>They came.</p>",
    )  # fmt: skip


@pytest.fixture
def campaign(site, make_campaign, visit):
    return make_campaign(visit=visit)


@pytest.fixture
def donor(by_hand, campaign):
    """`donor("Ann Lee")`: a gift to the campaign from a mailbox of that name."""

    def give(name: str, **fields) -> Donation:
        mailbox = f"{name.replace(' ', '.').lower()}@example.org"
        return by_hand(name, **({"email": mailbox, "campaign": campaign} | fields))

    return give


def release(campaign, readers: int, by) -> CampaignLetter:
    return telling.release(campaign=campaign, readers=readers, by=by, **WORDS)


def letters() -> dict[str, OutgoingMessage]:
    rows = OutgoingMessage.objects.filter(key__startswith="made-possible:")
    found = {row.to: row for row in rows}
    assert len(found) == rows.count()
    return found


def test_each_donor_gets_one_letter(campaign, donor, admin_user, visit):
    gallery = Gallery.objects.create(
        title="In the gardens", slug="gardens", city=visit.city, visit=visit, status="published"
    )
    donor("Ann Lee", is_anonymous=True)
    donor("Bo Li")
    donor("Bo and Jo Li", email="Bo.Li@example.org")
    donor("Cy Orr", email="")
    donor("Di Poe", campaign=None)
    letter = release(campaign, 2, admin_user)
    sent = letters()
    assert set(sent) == {"ann.lee@example.org", "Bo.Li@example.org"}
    assert sent["Bo.Li@example.org"].subject == "They came"
    text = sent["Bo.Li@example.org"].text
    for part in (
        "Dear Bo and Jo Li,", "It has happened.", f"/visits/{visit.slug}/",
        gallery.title, gallery.get_absolute_url(), "8101 Ralston Road",
    ):  # fmt: skip
        assert part in text
    assert (letter.readers, letter.released_by) == (2, admin_user)


def test_letter_has_no_tax_word_and_no_amount(campaign, donor, admin_user):
    donor("Ann Lee", cents=13_700)
    release(campaign, 1, admin_user)
    [mail] = letters().values()
    words = (mail.subject + mail.text + mail.html).lower()
    assert not [word for word in ("tax", "deduct", "receipt", "137", "$", "ein ") if word in words]


def test_who_gave_nothing_that_stayed_is_not_told(campaign, donor, give, ask, settings, admin_user):
    offline.void(donation=donor("Ann Lee"), note="x")
    refunded = give(amount="50", campaign=campaign.slug, email="bo@example.org")
    ask(refunded, 5000)
    with pytest.raises(telling.CannotTell, match="would reach 0 people"):
        release(campaign, 0, admin_user)
    give(amount="50", campaign=campaign.slug, email="cy@example.org")
    assert [reader.email for reader in telling.readers_of(campaign)] == ["cy@example.org"]
    settings.STRIPE_LIVE_MODE = True  # that one was made with a test card
    assert telling.readers_of(campaign) == []


def test_donors_who_were_merged_are_one_person(campaign, donor, admin_user):
    donor("Ann Lee")
    donor("Ann Lee-Orr")
    one, other = Donor.objects.order_by("pk")
    donors.merge(donor=one, into=other)
    release(campaign, 1, admin_user)
    assert set(letters()) == {"ann.lee-orr@example.org"}


def test_letter_released_twice_goes_out_once(campaign, donor, admin_user):
    donor("Ann Lee")
    first = release(campaign, 1, admin_user)
    donor("Bo Li")
    assert release(campaign, 2, admin_user) == first
    assert set(letters()) == {"ann.lee@example.org"}


@pytest.mark.django_db(transaction=True)
def test_letter_released_by_two_at_once_goes_out_once(campaign, donor, admin_user):
    donor("Ann Lee")
    donor("Bo Li")
    together(*(lambda: release(campaign, 2, admin_user) for _ in range(4)))
    assert CampaignLetter.objects.count() == 1
    assert len(letters()) == 2


def test_other_people_than_were_shown_stop_the_letter(campaign, donor, admin_user):
    donor("Ann Lee")
    with pytest.raises(telling.CannotTell, match="would reach 1 person"):
        release(campaign, 2, admin_user)
    assert (letters(), CampaignLetter.objects.count()) == ({}, 0)


@pytest.mark.parametrize(
    "fields",
    [{"story": ""}, {"stage": "planned"}, {"status": "draft"}],
    ids=["no story", "not made", "draft"],
)
def test_nothing_to_show_is_nothing_to_tell(fields, campaign, donor, visit, admin_user):
    donor("Ann Lee")
    Visit.objects.update(**fields)
    assert telling.due() == []
    with pytest.raises(telling.CannotTell, match="Nothing is published"):
        release(campaign, 1, admin_user)
    if "story" in fields:
        Gallery.objects.create(
            title="A", slug="a", city=visit.city, visit=visit, status="published"
        )
        assert [due.readers for due in telling.due()] == [1]


def test_what_is_due_is_asked_in_one_question(
    campaign, donor, make_campaign, visit, django_assert_num_queries
):
    other = make_campaign("Another", visit=visit)
    make_campaign("Nobody gave", visit=visit)
    donor("Ann Lee")
    donor("Ann Lee")
    donor("Bo Li")
    donor("Bo Li", campaign=other)
    with django_assert_num_queries(1):
        found = telling.due()
    assert [(due.title, due.readers) for due in found] == [
        ("Another", 1), ("Kyzylorda comes to Arvada", 2),
    ]  # fmt: skip


def test_staff_are_asked_look_and_release(campaign, donor, admin_client, admin_user):
    donor("Ann Lee")
    donor("Bo Li")
    page = f"/admin/donations/campaign/{campaign.pk}/letter/"
    desk = admin_client.get("/admin/donations/donation/desk/").content.decode()
    task = "Tell the 2 donors of “Kyzylorda comes to Arvada” what their gifts made possible."
    assert f'<a href="{page}">{task}</a>' in desk
    html = admin_client.get(page).content.decode()
    assert "2 people gave to “Kyzylorda comes to Arvada” and left a mail address." in html
    html = admin_client.post(page, {**WORDS, "show": "1"}).content.decode()
    assert "<p>It has happened.</p>" in html
    for typed in ("", "3", "-2", "two"):
        html = admin_client.post(page, {**WORDS, "readers": typed, "send": "1"}).content.decode()
        assert letters() == {}, typed
    assert "errors" in html
    said = admin_client.post(page, {**WORDS, "readers": "2", "send": "1"}, follow=True)
    assert "The letter is on its way to 2 people." in said.content.decode()
    assert len(letters()) == 2
    row = CampaignLetter.objects.get()
    assert (row.subject, row.released_by, row.readers) == ("They came", admin_user, 2)
    answer = admin_client.get(page)
    assert answer["Location"] == f"/admin/donations/campaignletter/{row.pk}/change/"
    assert task not in admin_client.get("/admin/donations/donation/desk/").content.decode()


def test_page_needs_the_right_to_change_campaigns(campaign, client, treasurer):
    client.force_login(treasurer)
    page = f"/admin/donations/campaign/{campaign.pk}/letter/"
    assert client.get(page).status_code == 403
    assert client.post(page, {**WORDS, "readers": "0", "send": "1"}).status_code == 403
