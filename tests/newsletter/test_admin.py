import pytest
from django.urls import reverse

from sistercities.newsletter import suppressing
from sistercities.newsletter.models import Consent, Subscriber, Suppression

pytestmark = pytest.mark.django_db

LIST = "/admin/newsletter/subscriber/"


@pytest.fixture
def three(site, confirmed, sign_up):
    confirmed("ann@example.org")
    confirmed("bob@example.org")
    sign_up("carol@example.org")
    return list(Subscriber.objects.order_by("email_key"))


def test_list_is_searched_and_filtered(admin_client, three):
    page = admin_client.get(LIST, {"q": "ann", "status__exact": "confirmed"}).content.decode()
    assert "ann@example.org" in page
    assert "bob@example.org" not in page


def test_list_costs_the_same_for_any_number(admin_client, three, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        admin_client.get(LIST)


def test_one_persons_page_shows_the_proof_and_nothing_to_edit(admin_client, three):
    page = admin_client.get(f"{LIST}{three[0].pk}/change/").content.decode()
    assert "You ask us to send you our newsletter by mail." in page
    assert 'name="status"' not in page
    assert 'name="_save"' not in page
    assert three[0].token not in page


def test_status_cannot_be_posted(admin_client, three):
    response = admin_client.post(f"{LIST}{three[2].pk}/change/", {"status": "confirmed"})
    assert response.status_code == 403
    three[2].refresh_from_db()
    assert three[2].status == "pending"


@pytest.mark.parametrize("what", ["subscriber", "consent"])
def test_nobody_is_added_or_removed_by_hand(admin_client, three, what):
    row = {"subscriber": Subscriber, "consent": Consent}[what].objects.first()
    assert admin_client.get(f"/admin/newsletter/{what}/add/").status_code == 403
    path = f"/admin/newsletter/{what}/{row.pk}/delete/"
    assert admin_client.post(path, {"post": "yes"}).status_code == 403


def test_ending_asks_first_and_says_how_many(admin_client, three):
    chosen = {"action": "unsubscribe", "_selected_action": [row.pk for row in three]}
    page = admin_client.post(LIST, chosen)

    assert page.status_code == 200
    assert "This ends the subscriptions of 3 people." in page.content.decode()
    assert not Subscriber.objects.filter(status="unsubscribed").exists()

    admin_client.post(LIST, {**chosen, "confirmed": "yes"})
    assert {row.status for row in Subscriber.objects.all()} == {"unsubscribed"}
    assert (
        list(Consent.objects.filter(event="unsubscribed").values_list("how", flat=True))
        == ["staff"] * 3
    )


def test_e17_staff_can_ask_about_an_address_and_list_none(admin_client, site):
    suppressing.suppress(address="ann@example.org", reason=Suppression.Reason.COMPLAINT)
    page = "/admin/newsletter/suppression/"
    asked = admin_client.get(page, {"q": " Ann@example.ORG"}).content.decode()
    assert "1 address not to write to" in asked
    assert "0 addresses not to write to" in (
        admin_client.get(page, {"q": "bob@example.org"}).content.decode()
    )
    assert "ann@example.org" not in admin_client.get(page).content.decode()


def test_one_persons_page_says_why_they_must_not_be_written_to(admin_client, three):
    suppressing.suppress(address="ann@example.org", reason=Suppression.Reason.HARD_BOUNCE)
    page = admin_client.get(f"{LIST}{three[0].pk}/change/").content.decode()
    assert "The mailbox does not exist" in page


def test_proof_is_read_only(admin_client, three):
    proof = Consent.objects.first()
    path = reverse("admin:newsletter_consent_change", args=[proof.pk])
    assert admin_client.get(path).status_code == 200
    assert admin_client.post(path, {"how": "staff"}).status_code == 403
