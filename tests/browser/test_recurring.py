"""A monthly gift as a donor lives with it: begun, failing, mended, stopped."""

import datetime as dt
import re
from urllib.parse import urlsplit

import requests
from django.core import mail
from playwright.sync_api import expect

from sistercities.shared.mail import send_waiting


def control(sandbox, name: str, **body) -> dict:
    answer = requests.post(f"{sandbox.base_url}/_sandbox/{name}", json=body, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def begin(page, live_server, sandbox) -> None:
    page.own_hosts.add(urlsplit(sandbox.base_url).netloc)
    page.goto(f"{live_server.url}/donate/?frequency=monthly")
    page.locator('label:has(input[name=preset][value="25"])').click()
    page.get_by_label("Name").first.fill("Ann Lee")
    page.locator("main form [name=email]").fill("ann@example.org")


def test_monthly_gift_fails_is_mended_and_is_stopped_in_two_clicks(
    watched, served_site, live_server, sandbox
):
    from donations import recurring
    from donations.models import RecurringGift

    page = watched
    begin(page, live_server, sandbox)
    button, terms = page.locator("button.give"), page.locator(".sum .note:visible").first

    def says(found) -> str:
        return " ".join(found.inner_text().split())

    assert says(button) == "Give $25 each month"
    assert says(terms).startswith("$25 is taken today, again on ")
    assert says(terms).endswith("Every receipt carries a link that stops it in two clicks.")
    page.locator("label:has(input[value=yearly])").click()
    assert says(button) == "Give $25 each year"
    page.locator("label:has(input[value=monthly])").click()
    button.click()

    expect(page.locator("body")).to_contain_text("$25.00 each month")
    page.get_by_role("button", name=re.compile("with a test card")).click()
    expect(page).to_have_url(re.compile("/donate/recurring/"))
    expect(page.locator("h1")).to_have_text("Thank you")
    expect(page.locator("main")).to_contain_text("You give $25.00 each month.")
    plan = RecurringGift.objects.get()
    home = f"{live_server.url}{plan.get_absolute_url()}"

    next_at = dt.datetime.now(dt.UTC) + dt.timedelta(days=32)
    control(sandbox, "clock", now=next_at.isoformat())
    control(sandbox, f"subscriptions/{plan.provider_reference}/renew", result="failed")
    recurring.sync_plan(plan=plan, wait=10)
    send_waiting()
    letter = next(message for message in mail.outbox if "did not pay" in message.subject)
    (mend,) = {link for link in re.findall(r"https?://\S+", letter.body) if "/c/invoice/" in link}
    page.goto(home)
    expect(page.locator("main")).to_contain_text("Your card did not pay the last gift")
    page.goto(mend)
    page.get_by_role("button", name=re.compile("with another test card")).click()
    expect(page.locator("body")).to_contain_text("Payment complete")
    recurring.sync_plan(plan=plan, wait=10)
    page.goto(home)
    expect(page.locator("main")).not_to_contain_text("Your card did not pay")
    assert plan.donations.filter(state="paid").count() == 2

    page.get_by_role("link", name="Stop this gift").click()
    page.get_by_role("button", name="Yes, stop it").click()
    expect(page.locator("main")).to_contain_text("has ended. Nothing more will be taken.")
    plan.refresh_from_db()
    assert plan.state == "canceled"
    assert (page.strangers, page.complaints) == ([], [])


def test_all_of_it_works_without_script(browser, served_site, live_server, sandbox):
    from donations.models import RecurringGift

    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.own_hosts = set()
    begin(page, live_server, sandbox)
    page.locator("label:has(input[value=yearly])").click()
    button = page.locator("button.give")
    assert " ".join(button.inner_text().split()) == "Give $25 each year"
    button.click()
    page.get_by_role("button", name=re.compile("with a test card")).click()
    expect(page.locator("main")).to_contain_text("You give $25.00 each year.")
    page.get_by_label("New amount").fill("40")
    page.get_by_role("button", name="Change the amount").click()
    expect(page.locator("main")).to_contain_text("You give $40.00 each year.")
    page.get_by_role("button", name=re.compile("Skip the gift of")).click()
    expect(page.locator("main")).to_contain_text("Paused")
    page.get_by_role("button", name="Go on with the gift").click()
    expect(page.locator("main")).to_contain_text("Active")
    page.get_by_role("button", name="Use another card").click()
    page.get_by_role("button", name="Use another test card").click()
    expect(page).to_have_url(f"{live_server.url}{RecurringGift.objects.get().get_absolute_url()}")
    page.get_by_role("link", name="Stop this gift").click()
    page.get_by_role("button", name="Yes, stop it").click()
    expect(page.locator("main")).to_contain_text("has ended. Nothing more will be taken.")
    context.close()
