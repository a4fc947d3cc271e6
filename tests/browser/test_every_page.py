"""Every kind of page, with the demo's content: accessible, quiet, and its own host's alone."""

from itertools import product

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command

pytestmark = pytest.mark.xdist_group("demo")  # the process that has loaded it
KINDS = [
    "/", "/cities/", "/cities/?kind=sister", "/cities/jinzhou/", "/cities/arvada/", "/visits/",
    "visit", "/galleries/", "gallery", "photo", "/events/", "/events/?month=2027-02", "event",
    "/news/", "article", "/newsletter/", "/donate/", "campaign", "/search/?q=jinzhou",
    "/search/?q=zzzz", "/about/", "/contact/", "/privacy/", "/documents/", "/board/",
    "/replies/cities/jinzhou/", "report", "/cities/jinzhuo/", "/no-such-page/",
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


# What colours and widths can change is looked at twice, the rest once.
LOOKS = (("light", 390, None), ("dark", 1440, {"runOnly": ["color-contrast", "target-size"]}))


def test_no_violation_no_stranger_no_report(watched, demo_site, live_server):
    page = watched
    axe = Axe()
    found = {}
    for (scheme, width, rules), kind in product(LOOKS, KINDS):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{live_server.url}{real_address(kind)}")
        sideways = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if sideways > 0:
            found[f"{kind} {scheme}: scrolls sideways"] = sideways
        for violation in axe.run(page, options=rules).response["violations"]:
            nodes = [node["html"][:160] for node in violation["nodes"][:3]]
            found[f"{kind} {scheme}: {violation['id']}"] = nodes
    complaints = [text for text in page.complaints if "404 (Not Found)" not in text]
    assert found == {}
    assert (page.strangers, complaints) == ([], [])
