"""A gallery in a real browser: turned by hand, by key, by itself, in pieces, without script."""

import datetime as dt
import re
from functools import cache

import brotli
import pytest
from django.core.files.base import ContentFile
from playwright.sync_api import expect

from sistercities.demo.album import FOLDER
from sistercities.shared.images import Prepared, prepare
from sistercities.shared.stored_files import PUBLIC, store

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
ON_SCREEN = ".pswp__item[aria-hidden=false] img.pswp__img:not(.pswp__img--placeholder)"
SHIFTS = """() => {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
}"""


@cache
def demo_pictures() -> list[Prepared]:
    names = (
        "jinzhou-orchard", "jinzhou-gate", "jinzhou-causeway", "jinzhou-port",
        "jinzhou-pagodas", "jinzhou-night-market",
    )  # fmt: skip
    return [prepare(ContentFile((FOLDER / f"{name}.webp").read_bytes())) for name in names]


@pytest.fixture
def make_album(served_site, make_city):
    """`make_album(60)`: a gallery of a visit of three days, with as many photos of real files."""
    from exchanges.models import Day, Gallery, Photo, Visit

    def make(count: int) -> Gallery:
        city = make_city("Jinzhou", native_name="锦州", native_language="zh-Hans")
        visit = Visit.objects.create(
            slug="gardens", title="The gardens", city=city, direction="outbound",
            stage="completed", starts_on=dt.date(2013, 9, 7), ends_on=dt.date(2013, 9, 9),
            summary="Three days.", status="published",
        )  # fmt: skip
        for number in (1, 2, 3):
            on = visit.starts_on + dt.timedelta(days=number - 1)
            Day.objects.create(visit=visit, number=number, on=on, title=f"Title {number}")
        gallery = Gallery.objects.create(
            slug="album", title="The gardens of Jinzhou", city=city, visit=visit,
            summary="Three days in the order they were seen, by four of us.", status="published",
        )  # fmt: skip
        pictures = demo_pictures()
        for place, prepared in enumerate(pictures):
            store(PUBLIC, prepared.named(f"photos/ab/{place:032x}.webp"))
        start = dt.datetime(2013, 9, 7, 9, tzinfo=SHANGHAI)
        Photo.objects.bulk_create(
            Photo(
                gallery=gallery,
                people="none",
                picture=f"photos/ab/{n % len(pictures):032x}.webp",
                picture_width=pictures[n % len(pictures)].width,
                picture_height=pictures[n % len(pictures)].height,
                picture_colour=pictures[n % len(pictures)].colour,
                picture_alt=f"Seen {n + 1}",
                picture_caption=f"Caption {n + 1}",
                picture_credit="Photo: Ann Lee",
                taken_at=start + dt.timedelta(days=3 * n // count, minutes=n),
            )
            for n in range(count)
        )
        return gallery

    return make


@pytest.fixture
def album(watched, live_server, make_album):
    """The page of a gallery of sixty photos, open in the browser."""
    gallery = make_album(60)
    watched.address = f"{live_server.url}{gallery.get_absolute_url()}"
    watched.keys = list(gallery.photos.in_order().values_list("pk", flat=True))
    watched.goto(watched.address)
    yield watched
    assert (watched.strangers, watched.complaints) == ([], [])


def expect_picture(page, number: int, count: int = 60) -> None:
    """The lightbox shows this picture: in the counter, the caption, the address, for real."""
    expect(page.locator(".pswp__counter")).to_have_text(f"{number} / {count}")
    expect(page.locator(".pswp__caption:not(.ruler)")).to_have_text(
        f"Caption {number} · Photo: Ann Lee"
    )
    expect(page).to_have_url(re.compile(rf"/galleries/album/{page.keys[number - 1]}/$"))
    expect(page.locator(ON_SCREEN)).to_have_attribute("alt", f"Seen {number}")
    page.wait_for_function(
        "selector => document.querySelector(selector)?.naturalWidth > 0", arg=ON_SCREEN
    )


def open_picture(page, number: int) -> None:
    page.locator(f"#p{page.keys[number - 1]} a").click()
    expect(page.locator(".pswp")).to_be_focused()  # all of it is there and listens


def expect_closed(page, number: int) -> None:
    """The page is back, with its address, and the focus on this picture."""
    expect(page.locator(".pswp")).to_have_count(0)
    expect(page).to_have_url(page.address)
    expect(page.locator(f"#p{page.keys[number - 1]} a")).to_be_focused()
    expect(page.locator(f"#p{page.keys[number - 1]}")).to_be_in_viewport()


# --- the lightbox ---------------------------------------------------------------------------


def test_picture_opens_by_click_and_closes_where_it_was(album):
    open_picture(album, 3)
    expect_picture(album, 3)
    dialog = album.get_by_role("dialog", name="The gardens of Jinzhou")
    expect(dialog).to_have_attribute("aria-modal", "true")
    album.get_by_role("button", name="Close").click()
    expect_closed(album, 3)


def test_picture_opens_by_key_turns_by_arrows_and_escape_returns_to_the_last_one(album):
    album.locator(f"#p{album.keys[0]} a").focus()
    album.keyboard.press("Enter")
    expect_picture(album, 1)
    for number in (2, 3, 4):
        album.keyboard.press("ArrowRight")
        expect_picture(album, number)
    album.keyboard.press("ArrowLeft")
    expect_picture(album, 3)
    expect(album.locator(".pswp [role=status], .pswp p.vh")).to_have_text(
        "3 / 60. Seen 3. Caption 3 · Photo: Ann Lee"
    )
    album.keyboard.press("Escape")
    expect_closed(album, 3)


def test_the_focus_stays_in_the_lightbox(album):
    open_picture(album, 1)
    visited = []
    for _ in range(12):
        album.keyboard.press("Tab")
        visited.append(album.evaluate("document.activeElement.title"))
    # Nothing but the buttons, then the browser's own, then the buttons again.
    assert set(visited) - {""} == {"Start the slideshow", "Zoom", "Close", "Next picture"}
    assert visited.count("Close") > 1
    assert album.evaluate("document.querySelector('main').inert")
    album.keyboard.press("Escape")
    expect_closed(album, 1)
    assert not album.evaluate("document.querySelector('main').inert")


def test_back_closes_the_lightbox_and_forward_opens_it_again(album):
    open_picture(album, 2)
    album.keyboard.press("ArrowRight")
    expect_picture(album, 3)
    album.go_back()
    expect_closed(album, 3)
    album.go_forward()
    expect_picture(album, 3)
    album.go_back()
    expect_closed(album, 3)
    album.go_back()
    expect(album).to_have_url("about:blank")


def test_back_while_the_lightbox_still_opens_closes_it(album):
    album.evaluate("""key => {
      document.querySelector(`#p${key} a`).click();
      new MutationObserver((_, watch) => {
        if (!document.querySelector(".pswp--open")) return;
        watch.disconnect();
        setTimeout(() => history.back(), 30);
      }).observe(document.body, { childList: true, subtree: true, attributes: true });
    }""", album.keys[1])  # fmt: skip
    expect(album.locator(".pswp")).to_have_count(1)
    expect_closed(album, 2)


def test_a_click_with_a_modifier_is_left_to_the_browser(album):
    with album.context.expect_page() as opened:
        album.locator(f"#p{album.keys[0]} a").click(modifiers=["ControlOrMeta"])
    expect(opened.value).to_have_url(re.compile(rf"/{album.keys[0]}/$"))
    expect(album.locator(".pswp")).to_have_count(0)


def test_the_address_of_a_picture_opens_its_own_page_and_arrows_turn_it(album):
    open_picture(album, 2)
    expect_picture(album, 2)
    album.reload()
    expect(album.locator("h1")).to_have_text("Caption 2")
    expect(album.locator(".pswp")).to_have_count(0)
    album.keyboard.press("ArrowRight")
    expect(album.locator("h1")).to_have_text("Caption 3")
    album.keyboard.press("ArrowLeft")
    expect(album.locator("h1")).to_have_text("Caption 2")
    album.locator("#signup-email").fill("ann")
    album.keyboard.press("ArrowLeft")
    album.wait_for_timeout(200)
    expect(album.locator("h1")).to_have_text("Caption 2")


def test_without_the_lightbox_the_link_is_followed(album):
    album.route("**/photoswipe*.js", lambda route: route.abort())
    album.locator(f"#p{album.keys[1]} a").click()
    expect(album.locator("h1")).to_have_text("Caption 2")
    album.complaints.clear()  # the browser's own line on the file that we kept from it


def test_caption_never_lies_on_the_picture(album):
    from exchanges.models import Photo

    Photo.objects.filter(pk=album.keys[0]).update(picture_caption="一段很长的话。" * 35)
    for width, height in ((390, 844), (844, 390), (1440, 900)):
        album.set_viewport_size({"width": width, "height": height})
        album.goto(album.address)
        open_picture(album, 1)
        album.wait_for_function(
            "selector => document.querySelector(selector)?.naturalWidth > 0", arg=ON_SCREEN
        )
        picture = album.locator(ON_SCREEN).bounding_box()
        caption = album.locator(".pswp__caption:not(.ruler)").bounding_box()
        assert picture["height"] > 50
        assert picture["y"] + picture["height"] <= caption["y"] + 1
        assert caption["y"] + caption["height"] <= height + 1


def test_visit_page_has_the_same_lightbox(album, live_server):
    album.address = f"{live_server.url}/visits/gardens/"
    album.goto(album.address)
    open_picture(album, 2)
    expect_picture(album, 2, count=36)  # twelve a day
    album.keyboard.press("Escape")
    expect_closed(album, 2)


# --- the slideshow (WCAG 2.2.2) -------------------------------------------------------------


@pytest.fixture
def opened(album):
    """The lightbox with the first picture, and a clock that the test turns."""
    album.clock.install()
    album.goto(album.address)
    open_picture(album, 1)
    expect_picture(album, 1)
    return album


def test_slideshow_begins_only_when_asked(opened):
    opened.clock.fast_forward(60_000)
    expect_picture(opened, 1)
    opened.get_by_role("button", name="Start the slideshow").click()
    expect(opened.locator(".pswp p.vh")).to_have_attribute("aria-live", "off")
    for number in (2, 3):
        opened.clock.fast_forward(5_000)
        expect_picture(opened, number)
    opened.get_by_role("button", name="Pause the slideshow").click()
    expect(opened.locator(".pswp p.vh")).to_have_attribute("aria-live", "polite")
    opened.clock.fast_forward(60_000)
    expect_picture(opened, 3)


@pytest.mark.parametrize("act", ["space", "arrow", "press", "wheel", "button"])
def test_slideshow_stops_at_whatever_the_reader_does(opened, act):
    opened.keyboard.press("Space")
    pause = opened.get_by_role("button", name="Pause the slideshow")
    expect(pause).to_be_visible()
    shown = 1
    if act == "space":
        opened.keyboard.press("Space")
    elif act == "arrow":
        opened.keyboard.press("ArrowRight")
        shown = 2
    elif act == "press":
        opened.mouse.move(400, 300)
        opened.mouse.down()
    elif act == "wheel":
        opened.mouse.move(400, 300)
        opened.mouse.wheel(0, 50)
    else:
        opened.get_by_role("button", name="Next picture").click()
        shown = 2
    expect(opened.get_by_role("button", name="Start the slideshow")).to_be_visible()
    opened.clock.fast_forward(60_000)
    expect_picture(opened, shown)


def test_slideshow_ends_with_the_lightbox(opened):
    opened.keyboard.press("Space")
    opened.keyboard.press("Escape")
    opened.clock.run_for(1_000)
    expect_closed(opened, 1)
    opened.clock.fast_forward(60_000)
    expect(opened).to_have_url(opened.address)


def test_slideshow_stops_at_the_last_picture_and_begins_anew(album):
    album.clock.install()
    album.goto(f"{album.address}?page=3")
    open_picture(album, 59)
    expect_picture(album, 59)
    album.keyboard.press("Space")
    album.clock.fast_forward(5_000)
    expect_picture(album, 60)
    album.clock.fast_forward(5_000)
    expect(album.get_by_role("button", name="Start the slideshow")).to_be_visible()
    album.keyboard.press("Space")
    expect(album.locator(".pswp__counter")).not_to_have_text("60 / 60")


def test_nothing_moves_for_readers_who_asked_for_less_motion(album):
    moving = "() => document.getAnimations().length"
    album.emulate_media(reduced_motion="reduce")
    album.goto(album.address)
    open_picture(album, 1)
    assert album.evaluate(moving) == 0
    album.keyboard.press("Space")
    album.keyboard.press("Space")
    album.keyboard.press("ArrowRight")
    assert album.evaluate(moving) == 0
    album.keyboard.press("Escape")
    expect_closed(album, 2)
    style = "getComputedStyle(document.querySelector('.pswp--playing .pswp__img')).animationName"
    album.goto(album.address)
    open_picture(album, 1)
    album.keyboard.press("Space")
    assert album.evaluate(style) == "none"
    album.emulate_media(reduced_motion="no-preference")
    assert album.evaluate(style) == "appear"


# --- pieces ---------------------------------------------------------------------------------


def scroll_through(page) -> None:
    while True:
        page.mouse.wheel(0, 500)
        page.wait_for_timeout(60)
        if page.evaluate("innerHeight + scrollY >= document.documentElement.scrollHeight - 5"):
            return


def hrefs(page, selector: str) -> list[str]:
    return page.eval_on_selector_all(selector, "all => all.map(a => a.getAttribute('href'))")


@pytest.mark.parametrize("width", [390, 1440])
def test_pieces_come_while_the_reader_scrolls_and_nothing_jumps(album, width):
    album.set_viewport_size({"width": width, "height": 844})
    album.goto(album.address)
    album.evaluate(SHIFTS)
    expect(album.locator(".photos figure")).to_have_count(24)
    assert hrefs(album, ".toc a") == ["#day-1", "#day-2", "/galleries/album/?page=2#day-3"]
    scroll_through(album)
    expect(album.locator(".photos figure")).to_have_count(60)
    shown = album.eval_on_selector_all(".photos figure", "all => all.map(f => +f.id.slice(1))")
    assert shown == album.keys
    assert hrefs(album, ".toc a") == ["#day-1", "#day-2", "#day-3"]
    assert album.locator("section[id^=day-]").count() == 3
    expect(album.locator(".pieces")).to_contain_text("Pictures 1 to 60 of 60")
    expect(album.locator(".pieces [role=status]")).to_have_text("12 more pictures")
    expect(album.locator(".pieces a")).to_have_count(0)
    assert album.evaluate("window.shifted") == 0


def test_a_row_half_in_sight_stays_when_the_next_piece_comes(album):
    album.set_viewport_size({"width": 1440, "height": 844})
    album.goto(album.address)
    album.evaluate(SHIFTS)
    last = "[...document.querySelectorAll('.photos figure')].pop().getBoundingClientRect()"
    cut_off = f"{last}.bottom - innerHeight - 8"  # a part of its caption
    album.evaluate(f"scrollBy({{ top: {cut_off}, behavior: 'instant' }})")
    expect(album.locator(".photos figure")).to_have_count(48)
    album.wait_for_timeout(200)  # a shift is told with the frame after
    assert album.evaluate("window.shifted") == 0


def test_more_pictures_come_by_key_and_take_the_focus_along(album):
    album.locator(".pieces [rel=next]").press("Enter")
    expect(album.locator(".photos figure")).to_have_count(48)
    expect(album).to_have_url(album.address)
    expect(album.locator(f"#p{album.keys[24]} a")).to_be_focused()
    expect(album.locator(".pieces [role=status]")).to_have_text("24 more pictures")
    assert hrefs(album, ".pieces a") == [f"{album.address}?page=3"]


def test_a_piece_that_does_not_come_leaves_a_link(album):
    album.route("**/galleries/album/?page=2", lambda route: route.abort())
    more = album.locator(".pieces [rel=next]")
    more.press("Enter")
    status = album.locator(".pieces [role=status]")
    expect(status).to_have_text("More pictures could not be loaded. Follow the link to try again.")
    expect(album.locator(".photos figure")).to_have_count(24)
    album.unroute("**/galleries/album/?page=2")
    more.press("Enter")
    expect(album).to_have_url(f"{album.address}?page=2")
    expect(album.locator("h2").first).to_have_text("Title 2")
    album.complaints.clear()  # the browser's own line on the piece that we kept from it


def test_lightbox_turns_through_pieces_that_are_not_on_the_page_yet(album):
    album.address = f"{album.address}?page=2"
    album.goto(album.address)
    open_picture(album, 26)
    expect_picture(album, 26)
    for number in range(25, 20, -1):
        album.keyboard.press("ArrowLeft")
        expect_picture(album, number)
    for _ in range(30):
        album.keyboard.press("ArrowRight")
    expect_picture(album, 51)
    album.keyboard.press("Escape")
    expect_closed(album, 51)
    expect(album.locator(".photos figure")).to_have_count(36)  # the two pieces from 25 on


def test_picture_of_a_slow_piece_appears_when_it_comes(album):
    held = []
    album.goto(f"{album.address}?page=2")
    album.route(album.address, lambda route: held.append(route))
    open_picture(album, 26)
    for _ in range(3):
        album.keyboard.press("ArrowLeft")
    expect(album.locator(".pswp__counter")).to_have_text("23 / 60")
    expect(album.locator(ON_SCREEN)).to_have_count(0)
    held[0].continue_()
    expect_picture(album, 23)
    album.keyboard.press("ArrowRight")
    expect_picture(album, 24)


def test_links_to_other_days_still_lead_there(album):
    album.get_by_role("link", name="Day 3").click()
    expect(album).to_have_url(f"{album.address}?page=2#day-3")
    expect(album.locator("#day-3")).to_be_in_viewport()


# --- weight, and no script ------------------------------------------------------------------


def test_first_screen_of_120_pictures_weighs_at_most_200_kilobytes(
    whole_browser, live_server, make_album
):
    """At 390 px, before scrolling; text as a server sends it, compressed (issue 3, Figures)."""
    gallery = make_album(120)
    weight = {}

    def weigh(response) -> None:
        body = response.body()
        is_text = response.headers["content-type"].startswith(("text/", "image/svg"))
        weight[response.url] = len(brotli.compress(body) if is_text else body)

    page = whole_browser.new_page(viewport={"width": 390, "height": 844})
    page.on("response", weigh)
    page.goto(f"{live_server.url}{gallery.get_absolute_url()}", wait_until="networkidle")
    assert sum(weight.values()) <= 200 * 1024, weight


def test_everything_can_be_reached_without_script(browser, live_server, make_album):
    gallery = make_album(60)
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{live_server.url}{gallery.get_absolute_url()}")
    assert page.locator(".photos figure").count() == 24
    page.get_by_role("link", name="More pictures").click()
    page.get_by_role("link", name="Seen 25").click()
    expect(page.locator("h1")).to_have_text("Caption 25")
    expect(page.locator("main")).to_contain_text("25 of 60")
    page.get_by_role("link", name="Previous picture").click()
    expect(page.locator("h1")).to_have_text("Caption 24")
    page.get_by_role("link", name="All pictures of this gallery").click()
    expect(page).to_have_url(re.compile(r"/galleries/album/#p\d+$"))
    expect(page.get_by_role("link", name="Seen 24")).to_be_in_viewport()
    page.context.close()
