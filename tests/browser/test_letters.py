"""One letter from its reader's sign-up to the press that ends it, as staff and reader see it."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from sistercities.newsletter import delivering, releasing
from sistercities.newsletter.admin import sending
from sistercities.newsletter.models import Delivery, Issue, Subscriber
from sistercities.shared import clock
from sistercities.shared.mail import send_waiting
from tests.newsletter.mail_server import Sink

READER = "gulnara@readers.example"


@pytest.fixture
def post_office(served_site, settings, tmp_path, unused_port_number, monkeypatch):
    """A real mail server. Letters wait until the test does the worker's part."""
    server = Sink(unused_port_number)
    server.controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_port_number
    settings.MAIL_RATE, settings.VAR_DIR = 0, tmp_path
    monkeypatch.setattr(releasing, "_wake", lambda: None)
    monkeypatch.setattr(sending, "REFRESH_SECONDS", 1)
    yield server
    server.closing.set()
    server.controller.stop()


@pytest.fixture
def news(make_city):
    """What the site has published: two articles, one of them of a city."""
    from sistercities.news.models import Article

    jinzhou = make_city("Jinzhou")
    for headline, city in (("The gardens open", jinzhou), ("A bus is bought", None)):
        article = Article.objects.create(
            headline=headline, slug=headline.split()[1], lead="Come and see.", status="published"
        )
        if city:
            article.cities.add(city)


def words_of(message) -> str:
    return message.get_body(["plain"]).get_content()


def link_in(message, path: str) -> str:
    (link,) = {url for url in re.findall(r"https?://\S+", words_of(message)) if path in url}
    return link


def test_sign_up_compose_send_to_fifty_read_and_leave(
    watched, live_server, post_office, news, client, admin_user
):
    page, admin = watched, f"{live_server.url}/admin/newsletter/issue"

    # Somebody signs up and confirms.
    page.goto(live_server.url)
    page.locator("section.join form [name=email]").fill(READER)
    page.locator("section.join form button").click()
    expect(page).to_have_url(re.compile("/newsletter/thanks/"))
    send_waiting()
    page.goto(link_in(post_office.messages[-1], "/newsletter/confirm/"))
    page.locator("main form button").click()
    expect(page.locator("h1")).to_have_text("You are on the list")
    reader = Subscriber.objects.get()
    assert (reader.email, reader.status) == (READER, "confirmed")
    emails = [f"reader-{number}@readers.example" for number in range(49)]
    Subscriber.objects.bulk_create(
        Subscriber(email=email, email_key=email, status="confirmed", confirmed_at=clock.now())
        for email in emails
    )
    send_waiting()
    post_office.got.clear()

    # Staff have the letter drafted, and change it.
    User.objects.create_user("ed", email="ed@example.org", is_staff=True)
    client.force_login(admin_user)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    page.context.add_cookies([{**cookie, "url": live_server.url}])
    page.goto(f"{admin}/")
    page.get_by_role("link", name="New letter").click()
    page.get_by_role("button", name="Draft the letter").click()
    expect(page.locator(".messagelist")).to_contain_text("Your draft is ready. Nothing is sent")
    issue = Issue.objects.get()
    blocks = [block.title for block in issue.blocks.all()]
    assert sorted(blocks) == ["A bus is bought", "The gardens open"]
    dropped = page.locator(f"#blocks-{blocks.index('A bus is bought')}")
    dropped.get_by_label("Delete").check()
    page.get_by_label("Subject:", exact=True).fill("The gardens wait for you")
    shown = page.frame_locator("iframe[name=preview]")
    expect(shown.locator(".title")).to_have_text("The gardens wait for you")
    expect(shown.locator("h2")).to_have_text(["The gardens open"])
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".messagelist")).to_contain_text("Saved. Nothing is sent yet.")
    assert [block.title for block in issue.blocks.all()] == ["The gardens open"]

    # A test goes to one of the staff and counts nowhere.
    page.get_by_role("link", name="Send a test").click()
    page.get_by_label("admin,").uncheck()
    page.get_by_label("ed, ed@example.org").check()
    page.get_by_role("button", name="Send the test").click()
    expect(page.locator(".messagelist")).to_contain_text("1 test is on its way.")
    send_waiting()
    (test,) = post_office.messages
    assert (test["To"], test["Subject"]) == ("ed@example.org", "TEST: The gardens wait for you")
    assert not Delivery.objects.exists()
    post_office.got.clear()

    # It goes to everybody, once the right number is typed.
    page.get_by_role("link", name="Send…").click()
    page.get_by_label("How many people").fill("5")
    page.get_by_role("button", name="Send it").click()
    error = "It would reach 50 people. Type that number."
    expect(page.locator(".errorlist")).to_have_text(error)
    page.get_by_label("How many people").fill("50")
    page.get_by_role("button", name="Send it").click()
    expect(page).to_have_url(f"{admin}/{issue.pk}/progress/")
    expect(page.locator("#content h2").first).to_have_text("It starts in a moment")
    assert post_office.got == []
    releasing.settle()
    delivering.deliver()
    expect(page.locator("#content")).to_contain_text("50 of 50 handed over")  # by itself
    expect(page.locator("#content h2").first).to_have_text("Sent")
    assert sorted(post_office.reached) == sorted([READER, *emails])

    # The reader, who is signed in nowhere, leaves by the link of their own letter.
    page.context.clear_cookies()
    (letter,) = [message for message in post_office.messages if message["To"] == READER]
    delivery = reader.deliveries.get()
    leave = link_in(letter, "/newsletter/unsubscribe/")
    assert letter["List-Unsubscribe"].strip() == f"<{leave}>"
    page.goto(leave)
    reader.refresh_from_db()
    assert reader.status == "confirmed"
    page.get_by_role("button", name="Send me no more letters").click()
    expect(page.locator("h1")).to_have_text("You have left")
    reader.refresh_from_db()
    delivery.refresh_from_db()
    assert (reader.status, delivery.left_at is not None) == ("unsubscribed", True)

    # Everybody can read it on the site, where nothing of a reader stands.
    page.goto(f"{live_server.url}/newsletter/")
    page.get_by_role("link", name="The gardens wait for you").click()
    expect(page).to_have_url(link_in(letter, "/newsletter/issues/"))
    expect(page.locator("article h2")).to_have_text("The gardens open")
    for personal in (READER, reader.token, delivery.token):
        assert personal not in page.content()
    assert (page.strangers, page.complaints) == ([], [])
