"""The three journeys that the site exists for, as a person walks them."""

import re
from urllib.parse import urlsplit

import pytest
from django.core import mail
from playwright.sync_api import expect

from sistercities.shared.mail import send_waiting


def links_in(message) -> list[str]:
    return re.findall(r"https?://\S+", message.body)


def test_sign_up_confirm_and_leave(watched, served_site, live_server):
    from sistercities.newsletter.models import Subscriber

    page = watched
    page.goto(live_server.url)
    box = page.locator("section.join form")
    box.get_by_label("email", exact=False).first.fill("ann@example.org")
    box.get_by_role("button").click()
    expect(page.locator("main h1")).to_be_visible()
    expect(page).to_have_url(re.compile("/newsletter/"))
    send_waiting()
    (message,) = mail.outbox
    assert message.to == ["ann@example.org"]
    assert Subscriber.objects.get().status == "pending"

    (confirm,) = {link for link in links_in(message) if "/newsletter/confirm/" in link}
    page.goto(confirm)
    assert Subscriber.objects.get().status == "pending"
    page.locator("main form button").click()
    page.wait_for_load_state()
    subscriber = Subscriber.objects.get()
    assert subscriber.status == "confirmed"

    page.goto(f"{live_server.url}/newsletter/unsubscribe/{subscriber.token}/")
    assert Subscriber.objects.get().status == "confirmed"
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    assert Subscriber.objects.get().status == "unsubscribed"
    assert (page.strangers, page.complaints) == ([], [])


def test_give_25_dollars(watched, served_site, live_server, sandbox):
    from donations.models import Campaign, Donation

    campaign = Campaign.objects.create(
        title="A bed, a bus seat", slug="kyzylorda", summary="Bring them to Arvada.",
        goal_cents=100000, status="published", suggested="10, 25, 40, 80, 160, 320",
    )  # fmt: skip
    page = watched
    page.own_hosts.add(urlsplit(sandbox.base_url).netloc)
    page.goto(f"{live_server.url}{campaign.get_absolute_url()}")
    expect(page.locator("main")).to_contain_text("$0")
    for dollars in ("320", "10", "25"):
        page.locator(f'label:has(input[name=preset][value="{dollars}"])').click()
        expect(page.locator("button.give")).to_have_text(
            f"Give ${dollars} once", use_inner_text=True
        )
    page.get_by_label("Name").first.fill("Ann Lee")
    page.locator("main form [name=email]").fill("ann@example.org")
    button = page.locator("button.give")
    assert " ".join(button.inner_text().split()) == "Give $25 once"
    button.click()

    expect(page.locator("body")).to_contain_text("TEST")
    expect(page.locator("body")).to_contain_text("$25")
    page.get_by_role("button", name=re.compile("with a test card")).click()

    expect(page).to_have_url(re.compile("/donate/thanks/"))
    expect(page.locator("main")).to_contain_text("$25")
    donation = Donation.objects.get()
    assert (donation.state, donation.amount_cents) == ("paid", 2500)
    send_waiting()
    (receipt,) = mail.outbox
    assert receipt.to == ["ann@example.org"]
    for words in ("Ann Lee", "$25.00", served_site.ein, "No goods or services"):
        assert words in receipt.body
    page.goto(f"{live_server.url}{campaign.get_absolute_url()}")
    expect(page.locator("main")).to_contain_text("$25 in hand")
    assert (page.strangers, page.complaints) == ([], [])


def test_one_time_gift_with_the_fee_covered_and_a_card_to_the_family(
    watched, served_site, live_server, sandbox
):
    page = watched
    page.own_hosts.add(urlsplit(sandbox.base_url).netloc)
    page.goto(f"{live_server.url}/donate/")
    button, fee = page.locator("button.give"), page.get_by_label("Add the card fee")

    def says(words: str) -> None:
        assert " ".join(button.inner_text().split()) == f"Give {words} once"

    says("$50")
    fee.check()
    says("$51.80")
    page.locator("label:has(input[name=preset][value=other])").click()
    says("your amount and the fee")
    page.get_by_label("Your amount").fill("1,000")
    says("$1,030.17")
    fee.uncheck()
    says("$1,000")
    fee.check()
    page.get_by_label("Name").first.fill("Ann Lee")
    page.locator("main form [name=email]").fill("ann@example.org")
    page.get_by_text("In honor or memory of someone").click()
    page.get_by_label("In honor or memory").select_option(label="In memory of")
    page.get_by_label("Of whom").fill("Grace Lee")
    page.get_by_label("Whom may we tell?").fill("The Lees")
    page.get_by_label("Their email").fill("lees@example.org")
    button.click()
    expect(page.locator("body")).to_contain_text("$1,030.17")
    page.get_by_role("button", name=re.compile("with a test card")).click()
    main = page.locator("main")
    for words in ("$1,030.17", "$30.17", "In memory of Grace Lee", "A card goes to The Lees"):
        expect(main).to_contain_text(re.compile(re.escape(words).replace(r"\ ", r"\s*")))
    send_waiting()
    readers = {message.to[0]: message for message in mail.outbox}
    assert set(readers) == {"ann@example.org", "lees@example.org", "hello@example.org"}
    assert "1,030" not in readers["lees@example.org"].body
    assert (page.strangers, page.complaints) == ([], [])


def test_thanks_come_without_a_press(watched, served_site, live_server, sandbox):
    """The processor answers some seconds after the donor is back."""
    from donations.models import Donation

    page = watched
    page.own_hosts.add(urlsplit(sandbox.base_url).netloc)
    page.goto(f"{live_server.url}/donate/")
    page.locator('label:has(input[name=preset][value="25"])').click()
    page.get_by_label("Name").first.fill("Ann Lee")
    page.locator("main form [name=email]").fill("ann@example.org")
    page.locator("button.give").click()
    page.wait_for_url(lambda url: url.startswith(sandbox.base_url))
    hosted = page.url
    page.goto(f"{live_server.url}{Donation.objects.get().get_absolute_url()}")
    expect(page.locator("h1")).to_have_text("One moment")
    payer = page.context.new_page()
    payer.goto(hosted)
    payer.get_by_role("button", name=re.compile("with a test card")).click()
    payer.wait_for_url(re.compile("/donate/thanks/"))
    expect(page.locator("h1")).to_have_text("Thank you", timeout=15_000)
    expect(page).to_have_title(re.compile("Thank you"))
    assert (page.strangers, page.complaints) == ([], [])


def test_staff_adds_a_city_and_publishes_it(
    watched, served_site, live_server, admin_user, tmp_path, picture_file
):
    from cities.models import Measure, Source

    Measure.objects.create(name="Area")
    Source.objects.create(title="City atlas", year=2009)
    picture = tmp_path / "tower.jpg"
    picture.write_bytes(picture_file(1200, 800).read())
    page = watched
    page.goto(f"{live_server.url}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{live_server.url}/admin/cities/city/add/")
    page.locator("#id_name").press_sequentially("Jinzhou")
    expect(page.locator("#id_slug")).to_have_value("jinzhou")
    page.locator("#id_native_name").fill("锦州")
    page.locator("#id_native_language").fill("zh-Hans")
    page.locator("#id_summary").fill("A harbor at the top of the Bohai Sea.")
    page.locator("#id_country").select_option("CN")
    page.locator("#id_region").fill("Liaoning")
    page.locator("#id_latitude").fill("41.11")
    page.locator("#id_longitude").fill("121.14")
    page.locator("#id_time_zone").select_option("Asia/Shanghai")
    page.locator("#id_picture").set_input_files(picture)
    page.locator("#id_picture_alt").fill("A tower by the sea")
    editor = page.locator(".field-partnership [contenteditable=true]")
    editor.click()
    editor.type("It began with a letter.")
    page.locator("#facts-heading, #facts-group summary").first.click()
    page.locator("#facts-group .add-row a").click()
    for field, words in (("measure", "Area"), ("source", "City atlas")):
        page.locator(f".field-{field} .select2-selection").last.click()
        page.locator(".select2-search__field").fill(words)
        page.locator(".select2-results__option", has_text=words).click()
    page.locator("#id_facts-0-value").fill("10301")
    page.locator("#id_facts-0-unit").select_option("km2")
    page.locator("#id_facts-0-as_of_year").fill("2009")
    page.locator("#id_status").select_option("published")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.locator(".messagelist .success")).to_contain_text("Jinzhou")

    page.goto(f"{live_server.url}/cities/jinzhou/")
    expect(page.locator("h1")).to_contain_text("锦州")
    expect(page.locator("#partnership")).to_contain_text("It began with a letter.")
    expect(page.locator("#figures")).to_contain_text("10,301")
    shown = page.locator("main figure.plate img")
    expect(shown).to_have_attribute("alt", "A tower by the sea")
    assert shown.evaluate("image => image.naturalWidth") > 0
    assert (page.strangers, page.complaints) == ([], [])


@pytest.mark.parametrize("javascript", [False])
def test_reading_and_giving_work_without_script(
    browser, served_site, live_server, sandbox, javascript
):
    context = browser.new_context(java_script_enabled=javascript)
    page = context.new_page()
    page.goto(f"{live_server.url}/donate/")
    page.locator("main form [name=preset][value=other]").check(force=True)
    page.locator("main form [name=amount]").fill("12.50")
    page.locator("main form [name=name]").fill("Ann Lee")
    page.locator("main form [name=email]").fill("ann@example.org")
    page.locator("button.give").click()
    expect(page.locator("body")).to_contain_text("$12.50")
    context.close()
