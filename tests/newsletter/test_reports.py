import datetime as dt
import re

import dns.resolver
import pytest
from django.core.cache import caches

from sistercities.newsletter import counting, mail_setup
from sistercities.newsletter.models import (
    Delivery,
    Issue,
    LinkCount,
    MailEvent,
    Subscriber,
    Topic,
    address_key,
)
from sistercities.newsletter.rendering import Letter
from tests.newsletter.name_server import NameServer

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
REPORTS = "/admin/newsletter/letterreport/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def issue(site):
    return Issue.objects.create(
        slug="autumn", subject="Autumn", status="sent", people=6, send_at=NOON, began_at=NOON,
        ended_at=NOON,
    )  # fmt: skip


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


# --- what became of a letter ----------------------------------------------------------------


@pytest.fixture
def six(issue):
    """Six deliveries: one each bounced for good, softly, left, complained, erased, left out."""
    jinzhou = Topic.objects.create(slug="jinzhou", title="Jinzhou")
    people = [
        Subscriber.objects.create(email=f"p{n}@x.org", status="confirmed", confirmed_at=NOON)
        for n in range(6)
    ]
    for person in people[:3]:
        person.topics.add(jinzhou)
    special = [
        {"bounced_at": NOON, "is_hard_bounce": True},
        {"bounced_at": NOON},
        {"left_at": NOON},
        {"complained_at": NOON},
        {"subscriber": None},
        {"state": "skipped", "skip_reason": "paused", "sent_at": None},
    ]
    for person, more in zip(people, special, strict=True):
        values = {"subscriber": person, "state": "sent", "sent_at": NOON, **more}
        row = Delivery.objects.create(issue=issue, address_key=address_key(person.email), **values)
    MailEvent.objects.create(source="x", event_id="1", kind="rejected", delivery=row)
    return issue


def test_report_says_what_became_of_each(admin_client, six):
    text = text_of(admin_client.get(f"{REPORTS}{six.pk}/change/").content.decode())
    for line in (
        "It was for 6 people.",
        "Handed over 5",
        "Delivered (not come back) 3",
        "Came back: no such mailbox 1",
        "Came back for now 1",
        "Not wanted by the other side's server 1",
        "Left by this letter 1",
        "Reported as spam 1 (16.66 %)",
        "Left out: Pauses 1",
        "Jinzhou 3 1 2 1 0",
        "Everything (chose no topic) 1 1 0 0 1",
        "How far it is Its page in the archive Each delivery: did Ann get it?",
        "Links are not counted.",
    ):
        assert line in text, line


def test_report_costs_the_same_for_any_number(admin_client, six, django_assert_num_queries):
    def ask() -> None:
        with django_assert_num_queries(12):
            admin_client.get(f"{REPORTS}{six.pk}/change/")

    ask()
    Delivery.objects.bulk_create(
        Delivery(issue=six, address_key=str(n), state="sent", sent_at=NOON) for n in range(300)
    )
    ask()


def test_only_letters_on_their_way_have_a_report(admin_client, site):
    draft = Issue.objects.create(slug="draft", subject="A draft")
    assert "A draft" not in admin_client.get(REPORTS).content.decode()
    for bad in (draft.pk, "x", "0", "9" * 40):
        assert admin_client.get(f"{REPORTS}{bad}/change/").status_code == 404


def test_reports_are_for_staff_who_may_look_at_letters(client, issue, django_user_model):
    client.force_login(django_user_model.objects.create_user("ann", is_staff=True))
    for page in (REPORTS, f"{REPORTS}{issue.pk}/change/", f"{REPORTS}mail-setup/"):
        assert client.get(page).status_code == 403


# --- counted links --------------------------------------------------------------------------

LETTER = Letter(
    "Autumn", "https://example.org/a?b=1&c=2",
    '<a href="https://example.org/a?b=1&amp;c=2">x</a><a href="{{ unsubscribe_url }}">leave</a>'
    '<a href="mailto:a@b.org">m</a>',
)  # fmt: skip


@pytest.fixture
def counts(settings):
    settings.MAIL_LINK_COUNTS = True


def link_in(letter: Letter) -> str:
    return re.search(r'href="http://127\.0\.0\.1:8000(/newsletter/go/[^"]+)"', letter.html)[1]


def test_e23_nothing_is_counted_unless_it_is_switched_on(issue):
    assert counting.counted(LETTER, issue) == LETTER


def test_e23_counted_link_leads_on_and_holds_nothing_of_the_person(client, issue, counts):
    letter = counting.counted(LETTER, issue)
    assert letter == counting.counted(LETTER, issue)  # the same for every reader
    assert letter.text == LETTER.text
    assert 'href="{{ unsubscribe_url }}"' in letter.html
    assert 'href="mailto:a@b.org"' in letter.html

    answer = client.get(link_in(letter), headers={"User-Agent": FIREFOX})

    assert (answer.status_code, answer["Location"]) == (302, "https://example.org/a?b=1&c=2")
    assert answer["Cache-Control"] == "private, no-store"
    assert not answer.cookies
    assert list(LinkCount.objects.values_list("issue", "url", "count")) == [
        (issue.pk, "https://example.org/a?b=1&c=2", 1)
    ]
    assert {field.name for field in LinkCount._meta.fields} == {"id", "issue", "url", "count"}


def test_e23_a_place_counts_once_an_hour(client, issue, counts):
    path = link_in(counting.counted(LETTER, issue))
    for place in ("192.0.2.1", "192.0.2.1", "198.51.100.7"):
        client.get(path, headers={"User-Agent": FIREFOX}, REMOTE_ADDR=place)
    assert LinkCount.objects.get().count == 2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-Agent": "Googlebot/2.1"},
        {"User-Agent": "python-requests/2.32"},
        {"User-Agent": "Mozilla/5.0 (compatible; Barracuda Sentinel)"},
        {"User-Agent": FIREFOX, "Sec-Purpose": "prefetch;prerender"},
        {"User-Agent": FIREFOX, "X-Moz": "prefetch"},
    ],
)
def test_e23_robots_and_prefetching_count_nothing(client, issue, counts, headers):
    path = link_in(counting.counted(LETTER, issue))
    assert client.get(path, headers=headers).status_code == 302
    assert client.head(path, headers={"User-Agent": FIREFOX}).status_code == 302
    assert not LinkCount.objects.exists()


def test_a_link_that_we_did_not_sign_leads_nowhere(client, issue, counts):
    path = link_in(counting.counted(LETTER, issue))
    for wrong in (path[:-2] + "/", path.replace("go/", "go/x"), "/newsletter/go/nonsense/"):
        answer = client.get(wrong, headers={"User-Agent": FIREFOX})
        assert (answer.status_code, answer.get("Location")) == (404, None)


def test_a_link_of_a_deleted_letter_still_leads_on(client, issue, counts):
    path = link_in(counting.counted(LETTER, issue))
    issue.delete()
    assert client.get(path, headers={"User-Agent": FIREFOX}).status_code == 302


def test_a_cache_that_does_not_answer_stops_no_reader(client, issue, counts, settings):
    path = link_in(counting.counted(LETTER, issue))
    caches["default"].close()
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    assert client.get(path, headers={"User-Agent": FIREFOX}).status_code == 302


def test_report_shows_counts(admin_client, issue):
    LinkCount.objects.create(issue=issue, url="https://example.org/a", count=7)
    text = text_of(admin_client.get(f"{REPORTS}{issue.pk}/change/").content.decode())
    assert "https://example.org/a 7" in text


# --- is our mail believed? ------------------------------------------------------------------

GOOD = {
    ("example.org", "TXT"): ["google-site-verification=x", "v=spf1 include:mx.example.net ~all"],
    ("pm._domainkey.example.org", "TXT"): ["v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3"],
    ("_dmarc.example.org", "TXT"): ["v=DMARC1; p=none"],
    ("mail.example.org", "A"): ["192.0.2.9"],
    ("9.2.0.192.in-addr.arpa", "PTR"): ["mail.example.org."],
}


@pytest.fixture
def names(monkeypatch, settings, site):
    """`names.table` is what the world's name servers hold; at first everything is right."""
    server = NameServer()
    server.table = dict(GOOD)
    monkeypatch.setattr(dns.resolver, "default_resolver", server.resolver())
    settings.DEFAULT_FROM_EMAIL = "Arvada Sister Cities <hello@example.org>"
    settings.SITE_URL = "https://www.example.org"
    settings.DKIM_SELECTOR = "pm"
    settings.MAIL_WEBHOOK_SECRET = "a:b"
    yield server
    server.shutdown()
    server.server_close()


def lights() -> dict[str, str]:
    return {check.title: check.light.value for check in mail_setup.checks()}


def text(title: str) -> str:
    return next(check.text for check in mail_setup.checks() if check.title == title)


def test_e14_all_lights_are_green_where_all_is_right(names, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS = "mail.example.org", True
    assert lights() == {
        "Who letters are from": "green", "Postal address": "green",
        "Bounces and complaints": "green", "SPF": "green", "DKIM": "green", "DMARC": "green",
        "Encryption": "green", "Mail server": "green",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("title", "name", "found", "light", "words"),
    [
        ("SPF", "example.org", [], "red", "enter it as a TXT record"),
        ("SPF", "example.org", ["v=spf1 -all", "v=spf1 ~all"], "red", "Only one"),
        ("SPF", "example.org", ["v=spf1 a +all"], "red", "everybody"),
        ("SPF", "example.org", ["v=spf1 a"], "yellow", "Write ~all"),
        ("SPF", "example.org", ["v=spf1 redirect=x.org"], "green", ""),
        ("DKIM", "pm._domainkey.example.org", [], "red", "no key"),
        ("DKIM", "pm._domainkey.example.org", ["v=DKIM1; p="], "red", "taken back"),
        ("DMARC", "_dmarc.example.org", [], "red", "v=DMARC1; p=none"),
        ("DMARC", "_dmarc.example.org", ["v=DMARC1; p=perhaps"], "red", "cannot be understood"),
        ("DMARC", "_dmarc.example.org", ["v=DMARC1; p=reject"], "green", ""),
    ],
)
def test_e14_each_light_says_what_to_do(names, title, name, found, light, words):
    names.table[name, "TXT"] = found
    assert lights()[title] == light
    assert words in text(title)


def test_on_ones_own_machine_no_name_server_is_asked(names, settings):
    settings.DEFAULT_FROM_EMAIL, settings.SITE_URL = "a@127.0.0.1", "http://127.0.0.1:8000"
    assert "DMARC" not in lights()
    assert lights()["Name servers"] == "yellow"


def test_e14_dmarc_of_the_domain_above_counts(names, settings):
    settings.DEFAULT_FROM_EMAIL = "hello@letters.example.org"
    assert lights()["DMARC"] == "green"


def test_e14_name_servers_that_are_silent_are_no_fault_of_ours(names, monkeypatch):
    names.is_silent = True
    monkeypatch.setattr(mail_setup, "PATIENCE", 0.2)
    found = lights()
    assert [found[title] for title in ("SPF", "DKIM", "DMARC")] == ["yellow"] * 3


def test_e14_server_without_a_way_back_and_in_the_clear(names, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS = "mail.example.org", False
    names.table["9.2.0.192.in-addr.arpa", "PTR"] = ["somewhere.example.net."]
    found = lights()
    assert (found["Encryption"], found["Mail server"]) == ("red", "yellow")


def test_e12_e11_sender_and_postal_address(names, settings, site):
    settings.DEFAULT_FROM_EMAIL = "arvada.cities@gmail.com"
    site.postal_address = " "
    site.save()
    found = lights()
    assert (found["Who letters are from"], found["Postal address"]) == ("red", "red")


def test_e16_bounces_must_have_a_way_back(names, settings):
    settings.MAIL_WEBHOOK_SECRET = ""
    assert lights()["Bounces and complaints"] == "red"
    settings.BOUNCE_ADDRESS = "bounce@example.org"
    assert "nobody reads it" in text("Bounces and complaints")
    settings.BOUNCE_IMAP_URL = "imaps://a:b@mail.example.org"
    assert lights()["Bounces and complaints"] == "green"


@pytest.mark.parametrize(("count", "light"), [(0, "green"), (1, "yellow"), (3, "red")])
def test_e15_complaints_of_the_last_letter(names, issue, count, light):
    Delivery.objects.bulk_create(
        Delivery(
            issue=issue, address_key=str(n), state="sent", sent_at=NOON,
            complained_at=NOON if n < count else None,
        )
        for n in range(1000)
    )  # fmt: skip
    assert lights()["Complaints"] == light


RECEIVED = """\
Authentication-Results: mx.google.com; dkim=pass header.i=@example.org; spf=pass; dmarc=pass
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=pm;
\th=from:to:subject:date{more}; bh=x; b=y
From: Arvada Sister Cities <hello@example.org>
List-Unsubscribe: <https://www.example.org/newsletter/unsubscribe/x/>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Subject: Autumn

Dear Ann
"""


@pytest.mark.parametrize(
    ("domain", "more", "light", "words"),
    [
        ("example.org", ":List-Unsubscribe\n\t:List-Unsubscribe-Post", "green", "both"),
        ("example.org", ":list-unsubscribe", "red", "not the lines"),
        ("pm.mtasv.net", ":list-unsubscribe:list-unsubscribe-post", "red", "No signature by"),
    ],
)
def test_e7_signature_must_cover_both_lines_for_leaving(domain, more, light, words):
    first, *verdicts = mail_setup.checks_of_received(RECEIVED.format(domain=domain, more=more))
    assert first.light == light
    assert words in first.text
    assert [check.light.value for check in verdicts] == ["green"] * 3


@pytest.mark.parametrize(
    "source", ["nonsense", "From: \n\nx", "DKIM-Signature: ;;=\nFrom: a@b\n\n"]
)
def test_e7_what_is_no_letter_is_said(source):
    assert mail_setup.checks_of_received(source)[0].light == "red"


def test_e14_set_up_page_shows_lights_and_looks_at_a_letter(admin_client, names):
    page = admin_client.get(f"{REPORTS}mail-setup/")
    assert page.status_code == 200
    assert "v=spf1 include:mx.example.net ~all" in page.content.decode()
    source = RECEIVED.format(domain="example.org", more=":list-unsubscribe:list-unsubscribe-post")
    answer = admin_client.post(f"{REPORTS}mail-setup/", {"source": source})
    assert "with both header lines for leaving" in answer.content.decode()
