"""The treasurer's work, and what a donor gets of it."""

import datetime as dt
import re

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from django.core import mail
from playwright.sync_api import expect

from sistercities.shared.mail import send_waiting
from tests.shared.test_pdf import pages_of, squeezed


@pytest.fixture
def control(sandbox):
    def run(name: str, **body) -> dict:
        answer = requests.post(f"{sandbox.base_url}/_sandbox/{name}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    return run


@pytest.fixture
def pay(served_site, control):
    """`pay(5000)`: a gift of Ann's that was paid; its letters are out."""
    from donations import checkout, sync
    from donations.models import Donation
    from sistercities.shared.signing import new_token

    def give(cents: int, fee: int = 140) -> Donation:
        wish = checkout.Wish(
            form_token=new_token(), chosen_cents=cents, campaign=None, donor_name="Ann Lee",
            email="ann@example.org",
        )  # fmt: skip
        checkout.start(wish)
        gift = Donation.objects.get(form_token=wish.form_token)
        control(f"sessions/{gift.attempts.get().session_id}/complete", fee=fee)
        gift = sync.sync_checkout(donation=gift, wait=20)  # its events come in, too
        send_waiting()
        mail.outbox.clear()
        return gift

    return give


@pytest.fixture
def desk(watched, client, admin_user, live_server):
    """The browser of somebody who has signed in."""
    client.force_login(admin_user)
    name = "sessionid"
    cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
    watched.context.add_cookies([cookie])
    return watched


def text_of(page, address: str) -> str:
    answer = page.request.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    return squeezed("".join(pages_of(answer.body())))


def test_gift_goes_back_in_part_and_the_donor_has_a_corrected_receipt(desk, pay, live_server):
    from donations.models import LedgerPosting

    gift = pay(5000)
    old = gift.receipts.get().number
    page = desk
    page.goto(f"{live_server.url}/admin/donations/donation/{gift.pk}/change/")
    page.get_by_role("link", name="Give money back").click()
    page.get_by_label("Give back").fill("20")
    page.get_by_label("Reason").select_option("donor")
    page.get_by_label("In your words").fill("She wrote on Monday.")
    page.get_by_role("button", name="Give it back").click()
    expect(page.locator(".messagelist .success")).to_contain_text("$20.00 is on its way back")
    new = gift.receipts.get(state="current").number
    send_waiting()
    (letter,) = [message for message in mail.outbox if message.to == ["ann@example.org"]]
    said = " ".join(letter.body.split())
    assert f"This is receipt {new}. It takes the place of receipt {old}, which is void." in said
    assert "Amount: $30.00 USD" in said
    (thanks,) = re.findall(r"https?://\S+/donate/thanks/\S+", letter.body)
    page.goto(thanks)
    paper = page.locator("a[href$='receipt.pdf']").first.get_attribute("href")
    words = text_of(page, f"{live_server.url}{paper}")
    for part in (new, old, "$30.00", "Ann Lee"):
        assert squeezed(part) in words, part
    balances = LedgerPosting.objects.all().balances()
    assert (balances["gift_revenue"], balances["refunds"]) == (-5000, 2000)
    assert (page.strangers, page.complaints) == ([], [])


def test_checks_are_written_down_booked_and_seen_on_the_bank_statement(
    desk, served_site, live_server
):
    from donations.models import Donation, GiftBatch, LedgerPosting
    from sistercities.shared import clock

    page = desk
    today = clock.today().isoformat()
    page.goto(f"{live_server.url}/admin/donations/giftbatch/add/")
    page.get_by_label("Title").fill("Mail of Monday")
    page.get_by_label("Total of the deposit slip").fill("125")
    line = page.locator("#gifts-0")
    line.get_by_label("Amount", exact=False).first.fill("120.50")
    line.get_by_label("Check number").fill("1001")
    line.get_by_label("Date of the gift").fill("2026-11-02")
    line.get_by_label("Donor:", exact=True).fill("Bo Li")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("link", name="Book these gifts").click()
    main = page.locator("#content")
    expect(main).to_contain_text("Checks and cash: $120.50. Deposit slip: $125.00.")
    expect(main).to_contain_text("The two do not agree, so nothing can be booked.")
    page.get_by_role("link", name="Back to the batch").click()
    page.get_by_label("Total of the deposit slip").fill("120.50")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("link", name="Book these gifts").click()
    page.get_by_role("button", name="Book them").click()
    expect(page.locator(".messagelist .success")).to_contain_text("1 gift is booked.")
    gift = Donation.objects.get()
    assert (gift.amount_cents, gift.given_on) == (12_050, dt.date(2026, 11, 2))
    receipt = gift.receipts.get()
    words = text_of(page, f"{live_server.url}/admin/donations/receipt/{receipt.pk}/pdf/")
    assert squeezed(receipt.number) in words
    assert "$120.50" in words
    page.get_by_role("link", name="Taken to the bank").click()
    page.get_by_role("button", name="It is at the bank").click()
    page.get_by_role("link", name="On the bank statement").click()
    expect(page.get_by_label("Day on the statement")).to_have_value(today)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".messagelist .success")).to_contain_text("Seen on the bank statement")
    assert GiftBatch.objects.get().seen_on is not None
    assert LedgerPosting.objects.all().balances()["bank"] == 12_050
    assert (page.strangers, page.complaints) == ([], [])


def test_d26_donor_opens_the_mailed_link_and_the_statement_equals_the_books(
    watched, pay, control, live_server
):
    from donations import sync
    from donations.models import LedgerPosting
    from sistercities.shared.money import format_exact

    pay(2500)
    gift = pay(10_050)
    control(f"payments/{gift.provider_reference}/refund", amount=1005)
    sync.sync_payment(donation=gift, payment_ref=gift.provider_reference)
    send_waiting()
    mail.outbox.clear()
    page = watched
    page.goto(f"{live_server.url}/donate/my-gifts/")
    page.locator("main form [name=email]").fill("Ann@example.org")
    page.locator("main form button").click()
    expect(page).to_have_url(re.compile("/donate/my-gifts/sent/"))
    send_waiting()
    (letter,) = mail.outbox
    (link,) = [url for url in re.findall(r"https?://\S+", letter.body) if "/open/" in url]
    page.goto(link)
    page.get_by_role("button", name="Show my gifts").click()
    expect(page.locator("main")).to_contain_text("$10.05 given back")
    (paper,) = page.locator("main ul a[href*='statement.pdf']").all()
    words = text_of(page, f"{live_server.url}{paper.get_attribute('href')}")
    books = LedgerPosting.objects.all().balances()
    kept = -(books["gift_revenue"] + books["refunds"])
    assert kept == 11_545
    for cents in (2500, 10_050, 1005, kept):
        assert format_exact(cents) in words
    assert (page.strangers, page.complaints) == ([], [])


def test_pages_of_payouts_suspense_and_documents_are_accessible(desk, pay, control, live_server):
    from donations import reconciling
    from donations.models import LedgerEntry, Payout
    from sistercities.shared import clock

    pay(5000)
    control("balance_transactions", type="stripe_fee", amount=-200, currency="usd")
    control("payouts")
    reconciling.reconcile(since=clock.now() - dt.timedelta(days=1))
    payout, entry = Payout.objects.get(), LedgerEntry.objects.in_suspense().get()
    page, axe, found = desk, Axe(), {}
    own = (
        "donations/payout/", f"donations/payout/{payout.pk}/change/",
        f"donations/payout/{payout.pk}/seen/", f"donations/ledgerentry/{entry.pk}/explain/",
        "donations/donation/desk/", "pages/document/",
    )  # fmt: skip
    looks = [("light", 390, path, None) for path in own]
    looks += [("dark", 1280, path, {"runOnly": ["color-contrast"]}) for path in (own[1], own[4])]
    for scheme, width, path, rules in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{live_server.url}/admin/{path}")
        for violation in axe.run(page, "#content", rules).response["violations"]:
            nodes = [node["html"][:200] for node in violation["nodes"][:3]]
            found[f"{path} {scheme}: {violation['id']}"] = nodes
    assert found == {}
    assert (page.strangers, page.complaints) == ([], [])
