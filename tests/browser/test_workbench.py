"""Sorting and describing a gallery's photos with mouse, finger, keyboard, and without script."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from exchanges.models import Day, Gallery, GuardianConsent, Photo, Visit

CHINA = ZoneInfo("Asia/Shanghai")


def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2013, 9, day, hour, minute, tzinfo=CHINA)


@pytest.fixture
def gallery(served_site, make_city) -> Gallery:
    city = make_city("Jinzhou", native_name="锦州", native_language="zh-Hans")
    visit = Visit.objects.create(
        title="The gardens", slug="gardens", city=city, direction="outbound", stage="completed",
        starts_on=dt.date(2013, 9, 7), ends_on=dt.date(2013, 9, 8), summary="Two days.",
        status="published",
    )  # fmt: skip
    for number, title in enumerate(("The road", "The garden"), start=1):
        Day.objects.create(visit=visit, number=number, title=title, on=dt.date(2013, 9, 6 + number))
    return Gallery.objects.create(title="Album", slug="album", city=city, visit=visit)


@pytest.fixture
def take(gallery, picture_file, finish_pictures):
    """`take("A", at(7, 9), …)`: a photo with real renditions, dated by its camera or by nobody."""

    def make(name: str, moment: dt.datetime | None = None, **fields) -> Photo:
        photo = Photo.objects.create(
            gallery=gallery, picture=picture_file(600, 400), picture_caption=name
        )
        finish_pictures()
        values = {"camera": "Canon", "camera_time": moment, "taken_at": moment, **fields}
        Photo.objects.filter(pk=photo.pk).update(**values)
        photo.refresh_from_db()
        return photo

    return make


@pytest.fixture
def three(take) -> list[Photo]:
    return [take(name, at(7, 9 + number)) for number, name in enumerate("ABC")]


@pytest.fixture
def signed_in(watched, live_server):
    """The page of somebody on the staff."""
    client = Client()
    client.force_login(
        User.objects.create_superuser("ann", "ann@example.org", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    watched.context.add_cookies([{**cookie, "url": live_server.url}])
    return watched


@pytest.fixture
def open_page(signed_in, live_server, gallery):
    """`open_page("sort")`: the page with all that its script does at the start done."""

    def visit(name: str, query: str = ""):
        address = reverse(f"admin:exchanges_gallery_{name}", args=[gallery.pk])
        signed_in.goto(f"{live_server.url}{address}{query}")
        expect(signed_in.locator("html.is-scripted")).to_be_attached()
        return signed_in

    return visit


def order(page, chapter: str = "day-1") -> str:
    """The captions of a day's photos in the order in which the page shows them."""
    keys = page.locator(f"#{chapter} .card").evaluate_all("all => all.map(e => e.dataset.key)")
    names = dict(Photo.objects.values_list("pk", "picture_caption"))
    return "".join(names[int(key)] for key in keys)


def card(page, photo):
    return page.locator(f"#photo-{photo.pk}")


def saved(page) -> None:
    expect(page.locator("#sort.is-saving")).to_have_count(0)


def drag(page, photo, target, x: float = 0.1) -> None:
    """With the mouse, to a part of another element's width."""
    picture = card(page, photo).locator("img")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    goal = target.bounding_box()
    y = goal["y"] + min(goal["height"] / 2, 60)
    page.mouse.move(goal["x"] + goal["width"] * x, y - 10, steps=4)
    page.mouse.move(goal["x"] + goal["width"] * x, y, steps=2)
    page.mouse.up()


# --- sort -----------------------------------------------------------------------------------


def test_a_photo_dragged_with_the_mouse_stays_there(open_page, three):
    page = open_page("sort")
    assert order(page) == "ABC"
    drag(page, three[2], card(page, three[0]))
    expect(page.locator(".said")).to_contain_text("1 photo moved.")
    assert order(page) == "CAB"
    drag(page, three[2], card(page, three[1]), x=0.9)
    saved(page)
    assert order(page) == "ABC"
    drag(page, three[0], card(page, three[1]), x=0.9)
    saved(page)
    page.reload()
    assert order(page) == "BAC"
    assert page.locator("input:checked").count() == 0
    assert (page.strangers, page.complaints) == ([], [])


def test_a_photo_moved_with_the_keyboard_stays_there_and_keeps_the_focus(open_page, three):
    page = open_page("sort")
    grip = card(page, three[0]).locator(".grip")
    grip.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".said")).to_have_text(re.compile("Place 2 of 3|1 photo moved"))
    page.keyboard.press("ArrowRight")
    saved(page)
    expect(grip).to_be_focused()
    assert order(page) == "BCA"
    page.keyboard.press("Home")
    saved(page)
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    saved(page)
    page.reload()
    assert order(page) == "BAC"


def test_a_photo_dragged_with_a_finger_stays_there(browser, signed_in, open_page, three):
    page = open_page("sort")
    page.set_viewport_size({"width": 390, "height": 844})
    grip, goal = card(page, three[2]).locator(".grip"), card(page, three[0]).locator("img")
    grip.scroll_into_view_if_needed()
    touch = page.context.new_cdp_session(page)

    def finger(kind: str, *points) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    box, target = grip.bounding_box(), goal.bounding_box()
    start = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    end = {"x": target["x"] + 10, "y": target["y"] + target["height"] / 2}
    finger("touchStart", start)
    for part in (0.3, 0.7, 1):
        finger("touchMove", {axis: start[axis] + part * (end[axis] - start[axis]) for axis in "xy"})
    finger("touchEnd")
    saved(page)
    page.reload()
    assert order(page) == "CAB"


def test_a_photo_with_a_time_is_not_dragged_to_another_day(open_page, three, take):
    other = take("D", at(8, 9))
    page = open_page("sort")
    drag(page, three[0], card(page, other))
    expect(page.locator(".said")).to_contain_text("stays in its day")
    assert (order(page), order(page, "day-2")) == ("ABC", "D")


def test_a_photo_without_a_time_is_dragged_into_a_day(open_page, three, take):
    loose, late = take("X"), take("Y")
    page = open_page("sort")
    page.set_viewport_size({"width": 1280, "height": 1600})
    assert order(page, "more") == "XY"
    drag(page, loose, card(page, three[1]))
    saved(page)
    expect(page.locator(".said")).to_have_text("1 photo moved.")
    drag(page, late, page.locator(".days a[data-chapter=day-2]"))
    saved(page)
    page.reload()
    assert (order(page), order(page, "day-2")) == ("AXBC", "Y")
    loose.refresh_from_db(), late.refresh_from_db()
    assert loose.taken_at == at(7, 9) + dt.timedelta(seconds=1)
    assert late.taken_at == at(8, 12) + dt.timedelta(seconds=1)


def test_several_photos_are_chosen_moved_deleted_and_brought_back(open_page, three, take):
    fourth = take("D", at(7, 14))
    page = open_page("sort")
    card(page, three[0]).locator("img").click()
    card(page, three[1]).locator("img").click(modifiers=["Shift"])
    expect(page.locator(".chosen")).to_have_text("2 chosen")
    drag(page, three[0], card(page, fourth), x=0.9)
    saved(page)
    assert order(page) == "CDAB"
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".said")).to_contain_text("2 photos deleted.")
    assert order(page) == "CD"
    assert Photo.objects.kept().count() == 2
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".said")).to_have_text("2 photos brought back.")
    assert order(page) == "CDAB"
    page.locator("#day-1").get_by_role("button", name="Choose all").click()
    expect(page.locator(".chosen")).to_have_text("4 chosen")
    page.get_by_role("button", name="Hide", exact=True).click()
    expect(page.locator(".card.is-hidden")).to_have_count(4)
    assert (page.strangers, page.complaints) == ([], [])


def test_what_a_change_leaves_alone_stays_on_the_page(open_page, three):
    """No flicker, no lost place: only cards that the answer shows otherwise are made anew."""
    copies = [Photo.objects.get(pk=three[0].pk) for _number in range(60)]
    for copy in copies:
        copy.pk, copy.taken_at = None, at(8, 9)
    photo = Photo.objects.bulk_create(copies)[50]
    page = open_page("sort")
    page.locator(".card").evaluate_all("all => all.forEach(each => { each.isOld = true; })")
    card(page, photo).locator("img").click()
    before = page.evaluate("scrollY")
    page.get_by_role("button", name="Hide", exact=True).click()
    expect(card(page, photo)).to_have_class(re.compile("is-hidden"))
    saved(page)
    assert page.evaluate("scrollY") == pytest.approx(before, abs=2)
    assert before > 1000
    old = page.locator(".card").evaluate_all("all => all.map(each => Boolean(each.isOld))")
    assert (old.count(True), old.count(False)) == (62, 1)


def test_the_clock_of_a_camera_moves_its_series_to_the_right_day(open_page, three, take):
    """It stood on the time at home, 14 hours behind: the evening of the 7th was the 8th."""
    take("N", at(7, 23), camera="Nokia")
    page = open_page("sort")
    page.get_by_text("Was the clock of a camera wrong?").click()
    form = page.locator(".camera", has_text="Canon")
    form.get_by_label("Photo").select_option(str(three[0].pk))
    form.get_by_label("was really taken at").fill("2013-09-07T23:00:00")
    expect(form.locator("output")).to_contain_text("3 photos move by +14:00.")
    expect(form.locator("output")).to_contain_text(re.compile("Last: Sep 8, 2013, 1:00.AM"))
    form.get_by_role("button", name="Set the clock").click()
    expect(page.locator(".said")).to_have_text("The clock is set: 3 photos have a new time.")
    assert (order(page), order(page, "day-2")) == ("AN", "BC")
    expect(form).to_contain_text("Sep 7, 2013, 11 a.m. → Sep 8, 2013, 1 a.m.")
    form.get_by_role("button", name="Back to the camera’s time").click()
    expect(page.locator(".said")).to_contain_text("time of their camera again")
    assert order(page) == "ABCN"


def test_an_order_that_could_not_be_saved_is_not_shown_as_if_it_were(open_page, three):
    page = open_page("sort")
    page.route("**/sort/", lambda route: route.abort())
    drag(page, three[2], card(page, three[0]))
    expect(page.locator(".said .error")).to_contain_text("This was not saved")
    assert order(page) == "ABC"
    page.unroute("**/sort/")
    drag(page, three[2], card(page, three[0]))
    saved(page)
    page.reload()
    assert order(page) == "CAB"


# --- describe -------------------------------------------------------------------------------


def field(page, photo, name: str):
    return page.locator(f"[name={name}-{photo.pk}]")


def state(page, photo):
    return card(page, photo).locator(".state")


def test_five_photos_are_described_by_keyboard_alone(open_page, take):
    photos = [take(name, at(7, 9 + number)) for number, name in enumerate("ABCDE")]
    page = open_page("words")
    field(page, photos[0], "caption").focus()
    for number, photo in enumerate(photos):
        expect(field(page, photo, "caption")).to_be_focused()
        page.keyboard.press("Control+A")
        page.keyboard.type(f"Caption {number}")
        page.keyboard.press("Tab")
        page.keyboard.type(f"Description {number}")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(field(page, photo, "people")).to_be_focused()
        page.keyboard.type("Adults")
        page.keyboard.press("Control+Enter")
    for photo in photos:
        expect(state(page, photo)).to_have_text("Saved")
    rows = Photo.objects.in_order().values_list("picture_caption", "picture_alt", "people")
    assert list(rows) == [(f"Caption {n}", f"Description {n}", "adults") for n in range(5)]
    expect(page.locator(".steps")).to_contain_text("done")
    page.keyboard.press("Escape")
    field(page, photos[1], "alt").focus()
    page.keyboard.press("Shift+Enter")
    expect(field(page, photos[0], "caption")).to_be_focused()
    assert (page.strangers, page.complaints) == ([], [])


def test_words_that_could_not_be_saved_stay_and_are_tried_again(open_page, three):
    page = open_page("words")
    page.clock.install()
    page.route("**/words/", lambda route: route.abort())
    field(page, three[0], "alt").fill("A gate")
    page.keyboard.press("Enter")
    expect(state(page, three[0])).to_contain_text("Not saved: the site did not answer.")
    expect(field(page, three[0], "alt")).to_have_value("A gate")
    assert page.evaluate("!dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    page.unroute("**/words/")
    page.clock.run_for(10_000)
    expect(state(page, three[0])).to_have_text("Saved")
    assert not page.evaluate("!dispatchEvent(new Event('beforeunload', {cancelable: true}))")
    assert Photo.objects.get(pk=three[0].pk).picture_alt == "A gate"


def test_words_survive_being_signed_out_and_in_again(open_page, three, live_server):
    page = open_page("words")
    page.clock.install()
    page.context.clear_cookies()
    field(page, three[0], "alt").fill("A gate")
    page.keyboard.press("Enter")
    expect(state(page, three[0])).to_contain_text("you are no longer signed in")
    client = Client()
    client.force_login(User.objects.get(), "django.contrib.auth.backends.ModelBackend")
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.clock.run_for(10_000)
    expect(state(page, three[0])).to_have_text("Saved")
    assert Photo.objects.get(pk=three[0].pk).picture_alt == "A gate"


def test_what_somebody_else_changed_is_shown_beside_mine(open_page, three):
    """No silent overwrite (trust.md, Races)."""
    page = open_page("words")
    Photo.objects.update(picture_caption="Theirs", picture_credit="Bob")
    for photo, choice, expected in (
        (three[0], "Keep mine", "Mine"), (three[1], "Take theirs", "Theirs"),
    ):  # fmt: skip
        field(page, photo, "caption").fill("Mine")
        page.keyboard.press("Enter")
        notes = card(page, photo).locator(".notes")
        expect(notes.locator("dl")).to_have_text(re.compile(r"Caption, theirs\s*Theirs"))
        expect(field(page, photo, "caption")).to_have_value("Mine")
        assert Photo.objects.get(pk=photo.pk).picture_caption == "Theirs"
        notes.get_by_role("button", name=choice).click()
        expect(state(page, photo)).to_have_text("Saved")
        photo.refresh_from_db()
        assert (photo.picture_caption, photo.picture_credit) == (expected, "Bob")
    assert page.evaluate("dispatchEvent(new Event('beforeunload', {cancelable: true}))")


def test_children_are_asked_about_and_given_consents(open_page, three):
    consents = [
        GuardianConsent.objects.create(
            child=child, guardian="Li Na", given_on=dt.date(2026, 1, 1), for_web=True
        )
        for child in ("Mei", "Tom")
    ]
    page = open_page("words")
    row = card(page, three[0])
    field(page, three[0], "caption").fill("Mary Murphy")
    field(page, three[0], "people").select_option("minors")
    expect(row.locator(".notes")).to_contain_text("may name a child or a school: Mary Murphy")
    assert Photo.objects.get(pk=three[0].pk).people == ""
    row.get_by_label("It names no child").check()
    expect(state(page, three[0])).to_have_text("Saved")
    expect(row.locator(".consents")).to_contain_text("No consent yet: shown to nobody")
    row.get_by_role("button", name="Consents").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Search").fill("tom")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    dialog.get_by_label("Tom, by Li Na").check()
    dialog.get_by_role("button", name="Take these").click()
    expect(row.locator(".consents")).to_contain_text("1 consent")
    expect(state(page, three[0])).to_have_text("Saved")
    assert list(three[0].consents.all()) == consents[1:]
    assert page.complaints == []


def test_one_answer_for_all_photos_keeps_what_was_typed(open_page, three):
    page = open_page("words")
    field(page, three[0], "alt").fill("A gate")
    page.get_by_text("The same for all photos shown").click()
    page.locator("[name=all-people]").select_option("none")
    page.get_by_role("button", name="Set it for 3 photos").click()
    expect(page.locator(".said")).to_contain_text("saved")
    assert set(Photo.objects.values_list("people", flat=True)) == {"none"}
    assert Photo.objects.get(pk=three[0].pk).picture_alt == "A gate"


# --- without script, and for everybody ------------------------------------------------------


def test_all_of_it_works_without_script(browser, signed_in, live_server, gallery, three):
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(signed_in.context.cookies())
    page = context.new_page()
    page.goto(f"{live_server.url}{reverse('admin:exchanges_gallery_sort', args=[gallery.pk])}")
    card(page, three[2]).get_by_role("textbox").fill("1")
    page.get_by_role("button", name="Save the order").click()
    expect(page.locator(".said")).to_have_text("Sorted by your numbers.")
    card(page, three[2]).get_by_role("button", name="Later").click()
    card(page, three[0]).get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".said")).to_contain_text("1 photo deleted.")
    page.get_by_role("button", name="Undo").click()
    keys = page.locator("#day-1 .card").all()
    names = [str(photo.pk) for photo in (three[0], three[2], three[1])]
    assert [each.get_attribute("data-key") for each in keys] == names
    page.locator(".steps").get_by_role("link", name="Describe").click()
    field(page, three[0], "alt").fill("A gate")
    field(page, three[1], "people").select_option("adults")
    page.get_by_role("button", name="Save all").first.click()
    expect(page.locator(".said")).to_have_text("2 photos saved.")
    assert Photo.objects.get(pk=three[0].pk).picture_alt == "A gate"
    assert Photo.objects.get(pk=three[1].pk).people == "adults"
    context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 768), ("light", 1440)])
def test_the_pages_are_accessible_and_do_not_scroll_sideways(open_page, three, take, scheme, width):
    take("X")
    take("T", at(7, 9), is_hidden=True, picture_caption="", is_cover=True)
    take("W", at(8, 9), people="minors", picture_caption="A caption " * 24)
    Photo.objects.filter(pk=three[1].pk).update(picture_width=0)
    found = {}
    for name in ("sort", "words"):
        page = open_page(name)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
        for box in page.locator("#photos input[name=photo]").all()[:2]:
            box.check()
        sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        found[f"{name}: scrolls sideways"] = page.evaluate(sideways)
        for violation in Axe().run(page).response["violations"]:
            nodes = [node["html"][:160] for node in violation["nodes"][:3]]
            found[f"{name}: {violation['id']}"] = nodes
    assert {key: value for key, value in found.items() if value} == {}
    assert (page.strangers, page.complaints) == ([], [])
