"""Every kind of page, with the demo's content: accessible, quiet, and its own host's alone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.management import call_command

pytestmark = pytest.mark.xdist_group("demo")  # the process that has loaded it
KINDS = [
    "/", "/cities/", "/cities/?kind=sister", "/cities/jinzhou/", "/cities/arvada/", "/visits/",
    "visit", "/galleries/", "gallery", "photo", "/events/", "/events/?month=2027-02", "event",
    "/news/", "article", "/newsletter/", "/donate/", "campaign", "/search/?q=jinzhou",
    "/search/?q=zzzz", "/about/", "/contact/", "/privacy/", "/documents/", "/board/",
    "/replies/cities/jinzhou/", "report", "/cities/jinzhuo/", "/styleguide/",
]  # fmt: skip


@pytest.fixture
def demo_site(kept_demo, transactional_db, live_server, settings):
    settings.SITE_URL = live_server.url
    for name, value in kept_demo.folders.items():
        setattr(settings, name, value)
    call_command("loaddata", kept_demo.rows, verbosity=0)


def real_address(kind: str) -> str:
    """One real address of each kind of page."""
    from donations.models import Campaign
    from exchanges.models import Event, Gallery, Photo, Visit
    from sistercities.comments.models import Comment
    from sistercities.news.models import Article

    models = {
        "visit": Visit, "gallery": Gallery, "photo": Photo, "event": Event, "article": Article,
        "campaign": Campaign,
    }  # fmt: skip
    if kind == "report":
        return f"/replies/report/{Comment.objects.published().latest('pk').pk}/"
    if kind in models:
        return models[kind].objects.published().first().get_absolute_url()
    return kind


# Both looks in one load: 320 pixels are a screen of 1280 at 400 % (WCAG 1.4.10). What colours and
# widths can change is looked at twice, the rest once.
NARROW, WIDE = 320, 1440
AGAIN = {"runOnly": ["color-contrast", "target-size"]}
SAMPLES = {"rules": {"landmark-unique": {"enabled": False}}}  # a piece stands there several times


@pytest.fixture
def as_staff(page, client, admin_user, live_server):
    """The style guide is a page for staff."""
    client.force_login(admin_user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
    )


def test_no_violation_no_stranger_no_report(watched, demo_site, live_server, as_staff):
    page = watched
    axe = Axe()
    found = {}

    def look(kind: str, scheme: str, rules: dict | None) -> None:
        sideways = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if sideways > 0:
            found[f"{kind} {scheme}: scrolls sideways"] = sideways
        for violation in axe.run(page, options=rules).response["violations"]:
            nodes = [node["html"][:160] for node in violation["nodes"][:3]]
            found[f"{kind} {scheme}: {violation['id']}"] = nodes

    for kind in KINDS:
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.set_viewport_size({"width": NARROW, "height": 900})
        page.goto(f"{live_server.url}{real_address(kind)}")
        look(kind, "light", SAMPLES if kind == "/styleguide/" else None)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        page.set_viewport_size({"width": WIDE, "height": 900})
        look(kind, "dark", AGAIN)
    complaints = [text for text in page.complaints if "404 (Not Found)" not in text]
    assert found == {}
    assert (page.strangers, complaints) == ([], [])
    walk_by_keyboard(page, f"{live_server.url}{real_address('visit')}")


def walk_by_keyboard(page, address: str) -> None:
    """The skip link, the menu by its names, and passing a page on, without a mouse."""
    page.goto(address)
    focused = "document.activeElement.textContent.trim()"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Skip to the page"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    menu = page.get_by_role("navigation", name="Main").get_by_role("link")
    names = ["Cities", "Visits", "Pictures", "Events", "News", "Newsletter"]
    assert menu.all_inner_texts() == names
    for link in menu.all():
        link.focus()
        assert link.evaluate("e => getComputedStyle(e).outlineStyle") != "none"
    share = page.get_by_role("region", name="Pass it on")
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    share.get_by_role("button", name="WeChat").press("Enter")
    code = page.get_by_role("img", name="QR code: this page on the web")
    assert code.is_visible()
    page.keyboard.press("Escape")
    assert code.is_hidden()
    assert page.evaluate(focused) == "WeChat"
    motion = "document.getAnimations().length"
    assert page.evaluate(motion) == 0
