"""The donate page and the pages of campaigns, as a visitor sees them."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.test.utils import CaptureQueriesContext

from donations.models import CampaignCost, Donation
from tests.donations.conftest import form_fields


def test_d8_page_shows_who_asks(site, client):
    html = client.get("/donate/").content.decode()
    assert "Arvada Sister Cities International is a 501(c)(3) nonprofit, EIN 84-1234567." in html


@pytest.mark.parametrize("ein", ["", "12345", "00-1234567", "84-123456x"])
def test_d8_without_an_ein_no_gift_is_taken(ein, site, stripe, client, gift_form):
    fields = gift_form()
    type(site).objects.update(ein=ein)
    page = client.get("/donate/")
    assert page.status_code == 200
    assert "Gifts cannot be taken online yet." in page.content.decode()
    assert "<form class=" not in page.content.decode().split("<main")[1].split("</main")[0]
    response = client.post("/donate/", fields)
    assert response.status_code == 503
    assert "Gifts cannot be taken online yet." in response.content.decode()
    assert stripe.requests("/v1") == []


def test_d23_no_card_field_and_no_foreign_script(site, client):
    html = client.get("/donate/").content.decode()
    for word in ("cc-number", "cc-csc", "cc-exp", "cardnumber", "js.stripe.com"):
        assert word not in html


def test_page_is_stored_nowhere_but_may_be_found(site, client):
    response = client.get("/donate/")
    assert response["Cache-Control"] == "private, no-store"
    assert "X-Robots-Tag" not in response


def test_button_knows_every_amount(site, client):
    html = client.get("/donate/").content.decode()
    for name in ("0", "1", "2", "3", "other"):
        assert f'data-n="{name}"' in html
        assert 'name="preset" id="id_preset_' in html
    assert '<span data-when="once">once</span>' in html


def test_campaign_page_shows_goal_progress_and_costs(site, client, make_campaign):
    campaign = make_campaign(body="<p>How it began.</p>", goal_cents=600_000)
    CampaignCost.objects.create(campaign=campaign, what="Bus and driver", amount_cents=210_000)
    CampaignCost.objects.create(campaign=campaign, what="Interpreter", amount_cents=160_000)
    html = client.get(campaign.get_absolute_url()).content.decode()
    for said in (
        "<h1>Kyzylorda comes to Arvada</h1>", "$6,000</b> needed", "$0</b> in hand",
        "Bus and driver", "$2,100", "$3,700", "<p>How it began.</p>",
    ):  # fmt: skip
        assert said in html
    assert f'<option value="{campaign.slug}" selected>' in html


def test_campaign_takes_the_color_of_its_city(site, client, make_campaign, make_city):
    from exchanges.models import Visit

    visit = Visit.objects.create(
        title="They come", slug="they-come", city=make_city("Kyzylorda", country="KZ"),
        direction="inbound", starts_on=dt.date(2027, 5, 1), summary="They come.",
    )  # fmt: skip
    campaign = make_campaign(visit=visit)
    assert ' data-city="kyzylorda"' in client.get(campaign.get_absolute_url()).content.decode()


def test_draft_campaign_has_no_page(site, client, make_campaign):
    campaign = make_campaign(status="draft")
    assert client.get(campaign.get_absolute_url()).status_code == 404


def test_campaign_that_is_over_keeps_its_page_without_a_form(site, stripe, client, make_campaign):
    campaign = make_campaign(ends_on=dt.date(2020, 1, 1))
    page = client.get(campaign.get_absolute_url())
    assert page.status_code == 200
    assert "This campaign takes no gifts at present." in page.content.decode()
    assert "give-form" not in page.content.decode()
    assert client.post(campaign.get_absolute_url(), {}).status_code == 409


def test_donor_is_told_when_they_left_the_payment_page(site, client):
    html = client.get("/donate/?amount=75&stopped=1").content.decode()
    assert "You left the payment page. Nothing was charged." in html
    assert 'value="75"' in html


def test_pages_cost_the_same_with_many_rows(
    site, client, make_campaign, django_assert_max_num_queries
):
    campaign = make_campaign("One")
    CampaignCost.objects.create(campaign=campaign, what="Bus", amount_cents=100)
    client.get("/donate/")  # what is read once a process

    def queries(address: str) -> int:
        with django_assert_max_num_queries(8) as seen:
            assert client.get(address).status_code == 200
        assert isinstance(seen, CaptureQueriesContext)
        return len(seen)

    few = [queries(page) for page in ("/donate/", "/donate/one/")]
    for number in range(10):
        other = make_campaign(f"Campaign {number}")
        for line in range(10):
            CampaignCost.objects.create(campaign=other, what=f"Cost {line}", amount_cents=100)
            CampaignCost.objects.create(campaign=campaign, what=f"Cost {line}", amount_cents=100)
    assert [queries(page) for page in ("/donate/", "/donate/one/")] == few


def test_a_cache_that_is_down_keeps_what_was_typed_and_moves_no_money(
    client, site, settings, unused_port_number
):
    token = form_fields(client.get("/donate/").content.decode())["form_token"]
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{unused_port_number}/0",
        }
    }
    answer = client.post(
        "/donate/",
        {"preset": "25", "frequency": "one_time", "name": "Ann Lee", "email": "ann@example.org",
         "form_token": token},
    )  # fmt: skip
    assert answer.status_code == 503
    text = answer.content.decode()
    assert "We cannot take gifts at the moment. Nothing was charged." in text
    assert 'value="Ann Lee"' in text
    assert not Donation.objects.exists()


def test_d28_registration_line_stands_on_the_donate_page(client, site):
    site.links.create(kind="registration", label="Colorado registration 20261234567")
    assert "Colorado registration 20261234567" in client.get("/donate/").content.decode()


def test_d29_words_on_deducting_are_dated_and_refer_to_an_adviser(client, site):
    assert "tax adviser" not in client.get("/donate/").content.decode()
    site.deductibility_text = "Up to $1,000 without itemizing."
    site.deductibility_on = dt.date(2026, 11, 1)
    site.full_clean()
    site.save()
    html = client.get("/donate/").content.decode()
    assert "Up to $1,000 without itemizing. As of November 1, 2026; please ask" in html
    site.deductibility_on = None
    with pytest.raises(ValidationError, match="needs its day"):
        site.full_clean()
