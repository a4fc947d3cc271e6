"""Composing a letter as staff do it: by keys, by dragging, with the letter before their eyes."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import expect

from sistercities.newsletter.models import Block, Issue


@pytest.fixture
def letter(served_site):
    issue = Issue.objects.create(slug="autumn", subject="A supper to book")
    for number, title in enumerate(["The tide", "The choir", "The bus"]):
        Block.objects.create(issue=issue, order=number * 10, title=title, text="<p>Words.</p>")
    return issue


@pytest.fixture
def desk(watched, live_server, letter):
    """The page on which it is composed, open for somebody on the staff."""
    client, page = Client(), watched
    client.force_login(
        User.objects.create_superuser("staff"), "django.contrib.auth.backends.ModelBackend"
    )
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    page.context.add_cookies([{**cookie, "url": live_server.url}])
    page.goto(f"{live_server.url}/admin/newsletter/issue/{letter.pk}/change/")
    return page


def order(page) -> list[str]:
    rows = page.locator(".blocks .inline-related:not(.empty-form) .inline_label")
    return [text.strip() for text in rows.all_inner_texts()]


def test_blocks_move_by_keys_and_by_dragging_and_stay_where_they_were_put(desk, letter):
    desk.locator("#blocks-0 .grip").focus()
    desk.keyboard.press("ArrowDown")
    assert order(desk) == ["The choir", "The tide", "The bus"]
    grip, first = desk.locator("#blocks-2 .grip"), desk.locator("#blocks-1")
    grip.scroll_into_view_if_needed()
    at = grip.bounding_box()
    desk.mouse.move(at["x"] + 5, at["y"] + 5)
    desk.mouse.down()
    desk.mouse.move(at["x"] + 5, at["y"] - 200)  # near an edge of the window the page scrolls
    to = first.bounding_box()
    desk.mouse.move(to["x"] + 20, to["y"] + 5, steps=3)
    desk.mouse.up()
    assert order(desk) == ["The bus", "The choir", "The tide"]
    assert desk.locator(".submit-row .state").inner_text() == "Place 1 of 3"
    with desk.expect_navigation():
        desk.locator("input[name=_save]").click()
    assert [block.title for block in letter.blocks.all()] == ["The bus", "The choir", "The tide"]


def test_the_preview_follows_what_is_typed_and_keeps_nothing(desk, letter):
    desk.locator("#id_subject").fill("COME AND SING WITH US")
    shown = desk.frame_locator("iframe[name=preview]")
    shown.locator(".title", has_text="COME AND SING").wait_for()
    assert "The subject is all in capitals." in desk.locator(".checks").inner_text()
    assert desk.locator(".submit-row .state").inner_text() == "Not saved yet"
    desk.locator("input[name=look][value=text]").check()
    shown.locator("pre", has_text="COME AND SING WITH US").wait_for()
    letter.refresh_from_db()
    assert letter.subject == "A supper to book"


def test_what_was_typed_outlives_the_session(desk, letter, live_server):
    cookies = desk.context.cookies()
    desk.context.clear_cookies()
    desk.locator("#id_subject").fill("Come and sing with us")
    gone = "You are signed out. Nothing here is lost"
    expect(desk.locator("#preview-form .state")).to_contain_text(gone)
    desk.get_by_role("button", name="Save").click()
    expect(desk.locator(".submit-row .state")).to_contain_text(gone)
    expect(desk.get_by_role("link", name="Sign in")).to_be_visible()
    desk.context.add_cookies([each for each in cookies if each["name"] == "sessionid"])
    with desk.expect_navigation():
        desk.get_by_role("button", name="Save").click()
    letter.refresh_from_db()
    assert letter.subject == "Come and sing with us"


def test_a_mistake_has_the_focus_and_nothing_counts_as_saved(desk, letter):
    desk.locator("#blocks-1 summary").click()
    heading = desk.locator("#id_blocks-1-title")
    heading.evaluate("field => field.maxLength = 200")
    heading.fill("x" * 151)
    said = "The preview waits. Heading: Ensure this value has at most 150 characters"
    expect(desk.locator("#preview-form .state")).to_contain_text(said)
    with desk.expect_navigation():
        desk.get_by_role("button", name="Save").click()
    expect(heading).to_be_focused()
    expect(desk.locator(".checks li")).to_have_text(
        "Not saved yet Something below is not complete."
    )
    expect(desk.locator(".submit-row .state")).to_have_text("Not saved yet")


def test_a_new_block_is_written_in_the_editor(desk, letter):
    desk.locator(".add-row a").click()
    desk.locator("#id_blocks-3-title").fill("A word from us")
    desk.locator("#blocks-3 .prose-editor > .ProseMirror").click()
    desk.keyboard.type("Dear {{ name }}, come.")
    shown = desk.frame_locator("iframe[name=preview]")
    shown.get_by_text("Dear Ann, come.").wait_for()
    with desk.expect_navigation():
        desk.locator("input[name=_save]").click()
    block = letter.blocks.last()
    assert (block.title, block.text) == ("A word from us", "<p>Dear {{ name }}, come.</p>")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_accessible(desk, width):
    desk.set_viewport_size({"width": width, "height": 900})
    desk.locator("#blocks-0 summary").click()
    found = Axe().run(desk, options={"iframes": False}).response["violations"]
    told = [(each["id"], [node["html"][:300] for node in each["nodes"]]) for each in found]
    assert told == []
    assert desk.evaluate("document.documentElement.scrollWidth") == width
    expect(desk.get_by_role("link", name="Sign in")).to_be_hidden()
