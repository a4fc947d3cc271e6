"""A real Chromium in front of a real server."""

import contextlib
import os
import shutil
import threading
import time
from urllib.parse import urlsplit

import pytest
from django.core.signals import request_finished, request_started
from playwright.sync_api import sync_playwright

from tests.thoroughness import IN_CI

WHOLE = shutil.which("chromium") or shutil.which("chromium-browser")
# Draws the same and starts no browser around the page: a quarter less to do.
SHELL = shutil.which("chromium-headless-shell")


def pytest_collection_modifyitems(items):
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)
            if not item.get_closest_marker("xdist_group"):
                item.add_marker(pytest.mark.xdist_group(item.path.stem))  # one Chromium a module


@pytest.fixture(autouse=True)
def chromium_is_here():
    if not WHOLE:
        if IN_CI:
            pytest.fail("CI must run the browser tests; install Debian's chromium.")
        pytest.skip("No Chromium on this machine. Debian has it in the package chromium.")


@pytest.fixture(autouse=True)
def last_answer_given(transactional_db, live_server, browser):
    """The database is emptied after the last answer: PostgreSQL would find the two in a deadlock.

    A page that is closed leaves its requests behind, and the server works on. Where it finds the
    line cut it ends its thread and says nothing of the request.
    """
    at_work = set()

    def begin(**kwargs):
        at_work.add(threading.current_thread())

    def end(**kwargs):
        at_work.discard(threading.current_thread())

    request_started.connect(begin)
    request_finished.connect(end)
    yield
    for context in browser.contexts:
        context.close()
    latest = time.monotonic() + 30
    while any(thread.is_alive() for thread in tuple(at_work)):
        assert time.monotonic() < latest, "a request has no end"
        time.sleep(0.01)
    request_started.disconnect(begin)
    request_finished.disconnect(end)


@pytest.fixture(scope="module")
def playwright():
    """Ended with its module: its event loop would stop later async code.

    Beside that loop, in the test's own thread, Django is told that it may be called.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        yield playwright
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def browser(playwright):
    with chromium(playwright, SHELL or WHOLE) as browser:
        yield browser


@pytest.fixture
def whole_browser(playwright):
    """As people have it: the shell loads pictures from much further below the screen."""
    with chromium(playwright, WHOLE) as browser:
        yield browser


@contextlib.contextmanager
def chromium(playwright, path):
    browser = playwright.chromium.launch(
        executable_path=path,
        args=[
            "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
        ],
    )  # fmt: skip
    yield browser
    browser.close()


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def watched(page, live_server):
    """The page, with all that it asked of other hosts and every complaint of the browser."""
    page.strangers, page.complaints = [], []
    hosts = {urlsplit(live_server.url).netloc}
    page.own_hosts = hosts

    def note_request(request):
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws"} and parts.netloc not in hosts:
            page.strangers.append(request.url)

    def note_console(message):
        if message.type in {"error", "warning"} or "Content Security Policy" in message.text:
            page.complaints.append(message.text)

    page.on("request", note_request)
    page.on("console", note_console)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.set_default_timeout(15000)
    return page


@pytest.fixture
def served_site(transactional_db, live_server, settings, site, home_city):
    """The organisation, its home city, and addresses that lead to the live server."""
    settings.SITE_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    return site


@pytest.fixture
def sandbox(transactional_db, live_server, settings):
    """The stand-in for Stripe, sending its webhooks to the live server."""
    from donations.sandbox import Sandbox

    box = Sandbox(
        port=0,
        secret_key=settings.STRIPE_SECRET_KEY,
        webhook_secret=settings.STRIPE_WEBHOOK_SECRETS[0],
        webhook_url=f"{live_server.url}/webhooks/stripe/",
        debug=True,
    )
    box.start()
    settings.STRIPE_API_BASE = box.base_url
    settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(box.base_url)
    yield box
    settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].remove(box.base_url)
    box.stop()
