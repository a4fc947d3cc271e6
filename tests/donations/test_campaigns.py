"""What belongs to one campaign: its amounts, its updates and the names on its page."""

import re

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from donations.amounts import MOST_PRESETS, PRESETS, Presets
from donations.models import Donation

from .conftest import form_fields

pytestmark = pytest.mark.usefixtures("told_templates")

# --- the amounts that its form offers ---------------------------------------------------------


def offered(html: str) -> list[str]:
    return re.findall(r'name="preset" id="id_preset_\d" value="(\w+)"', html)


def test_campaign_offers_its_own_amounts_and_others_the_general_ones(site, client, make_campaign):
    bus = make_campaign("A bus", suggested="$120 30;60, 1000", suggested_first=120)
    plain = make_campaign("Plain")
    html = client.get(bus.get_absolute_url()).content.decode()
    assert (bus.suggested, offered(html)) == (
        "30, 60, 120, 1000", ["30", "60", "120", "1000", "other"],
    )  # fmt: skip
    assert form_fields(html)["preset"] == "120"
    assert (
        '<span data-n="3"><span data-fee="no">$1,000</span><span data-fee="yes">$1,030.17</span>'
        in html
    )
    for page in ("/donate/", f"/donate/?campaign={bus.slug}", plain.get_absolute_url()):
        html = client.get(page).content.decode()
        assert offered(html) == ["25", "50", "100", "250", "other"]
        assert form_fields(html)["preset"] == "50"


def test_second_amount_is_chosen_where_staff_say_nothing(make_campaign, site):
    assert make_campaign(suggested="40 20 80").presets == Presets((20, 40, 80), chosen=40)
    assert make_campaign("Plain").presets == PRESETS


def test_amount_of_the_campaign_is_given(begin, make_campaign):
    bus = make_campaign("A bus", suggested="30, 60, 120")
    gift = begin(bus.get_absolute_url(), preset="60")
    assert (gift.amount_cents, gift.campaign) == (6000, bus)


def test_amount_of_another_form_is_refused(site, stripe, client, gift_form, make_campaign):
    bus = make_campaign("A bus", suggested="30, 60, 120")
    page = bus.get_absolute_url()
    for preset in ("25", "50", "6", "60.0", "-60"):
        html = client.post(page, gift_form(page, preset=preset)).content.decode()
        assert '<div id="id_preset_error" class="invalid-feedback">Please choose one of' in html
    assert "Please choose one of" in client.post(
        "/donate/", gift_form(campaign=bus.slug, preset="60")
    ).content.decode()  # fmt: skip
    assert Donation.objects.count() == 0


def test_link_with_an_amount_knows_the_campaigns_amounts(site, client, make_campaign):
    page = make_campaign("A bus", suggested="30, 60, 120").get_absolute_url()
    fields = form_fields(client.get(f"{page}?amount=120&frequency=monthly").content.decode())
    assert (fields["preset"], fields["amount"], fields["frequency"]) == ("120", "", "monthly")
    fields = form_fields(client.get(f"{page}?amount=50").content.decode())
    assert (fields["preset"], fields["amount"]) == ("other", "50")
    assert form_fields(client.get(f"{page}?amount=x").content.decode())["preset"] == "60"


def test_amount_that_the_limits_have_overtaken_is_refused(
    site, stripe, client, gift_form, make_campaign
):
    page = make_campaign("A bus", suggested="30, 60, 120").get_absolute_url()
    type(site).objects.update(smallest_gift=40)
    html = client.post(page, gift_form(page, preset="30")).content.decode()
    assert "The smallest gift that we can take by card is $40." in html
    assert Donation.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"suggested": "30"}, "two to six amounts"),
        ({"suggested": "30 30"}, "two to six amounts"),
        ({"suggested": "1 2 3 4 5 6 7"}, "two to six amounts"),
        ({"suggested": "30, 12.50"}, "whole dollars"),
        ({"suggested": "30, -60"}, "whole dollars"),
        ({"suggested": "a few"}, "whole dollars"),
        ({"suggested": "50, 1,000"}, "from $5 to $25,000. Write 1000 without a comma."),
        ({"suggested": "50, 25001"}, "from $5 to $25,000"),
        ({"suggested": "30, 60", "suggested_first": 45}, "none of the suggested amounts"),
        ({"suggested": "", "suggested_first": 25}, "none of the suggested amounts"),
    ],
)
def test_amounts_that_no_gift_could_have_are_refused(fields, said, site, make_campaign):
    with pytest.raises(ValidationError, match=re.escape(said)):
        make_campaign(**fields)


def test_style_sheet_shows_each_amount_that_a_form_can_have():
    sheet = (settings.BASE_DIR / "sistercities/static/site/style.css").read_text()
    places = re.findall(r':has\(#id_preset_(\d):checked\) \[data-n="(\d)"\]', sheet)
    assert places == [(str(place), str(place)) for place in range(MOST_PRESETS)]


# --- what happened since ------------------------------------------------------------------------


def test_updates_appear_on_their_day_the_newest_first(site, client, make_campaign, time_machine):
    time_machine.move_to("2026-11-22T20:00:00Z")
    campaign = make_campaign()
    for day, text in (
        ("2026-11-01", "The bus is booked."), ("2026-11-22", "Beds <for> all.\n\nThank you."),
        ("2026-11-23", "Tomorrow's news."),
    ):  # fmt: skip
        campaign.updates.create(published_on=day, text=text)
    html = client.get(campaign.get_absolute_url()).content.decode()
    [part] = re.findall(r'<section class="updates.*?</section>', html, re.DOTALL)
    assert re.findall(r"<h3>(.*?)</h3>", part) == ["November 22, 2026", "November 1, 2026"]
    assert "<p>Beds &lt;for&gt; all.</p>" in part
    assert "Tomorrow" not in html
    assert "What happened since" not in client.get("/donate/").content.decode()


def test_staff_write_updates_on_the_page_of_the_campaign(site, admin_client, make_campaign):
    campaign = make_campaign()
    page = f"/admin/donations/campaign/{campaign.pk}/change/"
    html = admin_client.get(page).content.decode()
    form = admin_client.get(page).context["adminform"].form
    typed = {name: form.get_initial_for_field(part, name) for name, part in form.fields.items()}
    typed |= {"goal_cents": "6000", "publish_at_0": "2026-11-01", "publish_at_1": "12:00:00"}
    for prefix in ("costs", "updates"):
        typed |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    typed |= {
        "updates-TOTAL_FORMS": "1", "updates-0-published_on": "2026-11-01",
        "updates-0-text": "The bus is booked.", "updates-0-campaign": campaign.pk,
        "suggested": "60 30", "suggested_first": "30", "has_names": "on",
    }  # fmt: skip
    del typed["picture"]
    filled = {name: value for name, value in typed.items() if value is not None}
    answer = admin_client.post(page, filled)
    assert answer.status_code == 302, answer.context["errors"]
    assert "Suggested amounts" in html
    campaign.refresh_from_db()
    assert (campaign.suggested, campaign.has_names) == ("30, 60", True)
    assert campaign.updates.get().text == "The bus is booked."
