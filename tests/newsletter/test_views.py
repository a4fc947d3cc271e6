import datetime as dt
import re
import warnings

import pytest
import time_machine
from django.conf import settings as site_settings
from django.core import mail
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sistercities.newsletter.models import Consent, Subscriber
from sistercities.newsletter.subscribing import list_headers
from sistercities.shared.models import OutgoingMessage
from tests.newsletter.at_once import at_once, leave_cache

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
ONE_CLICK = "List-Unsubscribe=One-Click"
URLENCODED = "application/x-www-form-urlencoded"


def at(**later):
    return time_machine.travel(NOON + dt.timedelta(**later), tick=False)


def leave_path(subscriber: Subscriber) -> str:
    return reverse("newsletter:unsubscribe", args=[subscriber.token])


def states() -> list[tuple[str, str]]:
    return list(Subscriber.objects.order_by("pk").values_list("email_key", "status"))


# --- E1: pending, one confirmation, a button ------------------------------------------------


def test_e1_sign_up_makes_pending_and_one_mail(sign_up, mails):
    response = sign_up(" Ann@Example.org ", name="Ann Lee")

    assert (response.status_code, response["Location"]) == (303, "/newsletter/thanks/")
    row = Subscriber.objects.get()
    assert (row.email, row.email_key, row.name, row.language, row.status) == (
        "Ann@Example.org", "ann@example.org", "Ann Lee", "en", "pending",
    )  # fmt: skip
    assert [(m.to, m.subject) for m in mails()] == [
        (["Ann@Example.org"], "Please confirm: the letter of Arvada Sister Cities")
    ]


def test_e1_sign_up_from_the_box_of_a_page(client, site, mails):
    """What is posted is read from the box itself, so that box and view cannot drift apart."""
    box = render_to_string("components/signup.html", {"source": "/visits/jinzhou-2013/"})
    assert re.search(r'<form class="signup" method="post" action="([^"]+)"', box)[1] == (
        "/newsletter/"
    )
    fields = dict(re.findall(r'<input[^>]* name="(\w+)"(?:[^>]* value="([^"]*)")?', box))
    assert fields == {
        "email": "", "source": "/visits/jinzhou-2013/", "wording": "2026-11", "proof": "",
        "subject": "",
    }  # fmt: skip
    client.post("/newsletter/", {**fields, "email": "ann@example.org"})
    assert len(mails()) == 1
    assert Consent.objects.get().source == "/visits/jinzhou-2013/"


@pytest.mark.parametrize("method", ["get", "head"])
def test_e1_opening_the_link_changes_nothing(client, link, method):
    path = link()
    before = Subscriber.objects.values().get()

    response = getattr(client, method)(path)

    assert response.status_code == 200
    assert Subscriber.objects.values().get() == before
    if method == "get":
        assert '<form class="form gap-m" method="post">' in response.content.decode()


def test_e1_pressing_the_button_confirms(client, link):
    path = link()
    response = client.post(path)

    assert response.status_code == 200
    assert "You are on the list" in response.content.decode()
    row = Subscriber.objects.get()
    assert (row.status, row.confirm_fingerprint) == ("confirmed", "")
    assert row.confirmed_at is not None


def test_e1_confirming_sends_the_welcome_and_nothing_else(client, link, mails):
    path = link()
    client.post(path)
    assert [message.subject for message in mails()] == [
        "Please confirm: the letter of Arvada Sister Cities",
        "Welcome: the letter of Arvada Sister Cities",
    ]


def test_e1_token_works_once(client, link):
    path = link()
    client.post(path)
    row = Subscriber.objects.get()
    client.post(leave_path(row))

    again = client.post(path)

    assert again.status_code == 404
    assert states() == [("ann@example.org", "unsubscribed")]
    assert client.get(path).content == again.content


def test_e1_token_is_kept_as_a_fingerprint_only(link):
    token = link().split("/")[-2]
    assert len(token) == 32
    values = [str(v) for v in Subscriber.objects.values_list().get()]
    assert not any(token in value for value in values)


def test_e1_link_runs_out_after_seven_days(client, link):
    with at():
        path = link()
    with at(days=7, seconds=-1):
        assert client.get(path).status_code == 200
    with at(days=7):
        for response in (client.get(path), client.post(path)):
            assert response.status_code == 410
            assert "This link has run out" in response.content.decode()
            assert b"ann@example.org" not in response.content
    assert states() == [("ann@example.org", "pending")]


def test_e1_expired_pages_are_alike(client, link):
    with at():
        paths = [link("ann@example.org"), link("bob@example.org")]
    with at(days=8):
        first, second = (client.get(path) for path in paths)
    assert first.content == second.content


def test_e1_someone_who_left_stays_out_until_the_press(client, confirmed, link, mails):
    with at():
        row = confirmed()
        client.post(leave_path(row))
    with at(days=2):
        path = link()
        assert states() == [("ann@example.org", "unsubscribed")]
        assert client.post(path).status_code == 200
    assert states() == [("ann@example.org", "confirmed")]
    assert [message.subject.partition(":")[0] for message in mails()] == [
        "Please confirm", "Welcome", "Please confirm",
    ]  # fmt: skip


# --- E2: the same answer for all ------------------------------------------------------------


@pytest.fixture
def four_kinds(confirmed, sign_up, client, no_proof):
    """One address of each kind, all a week old; `new@` is on no list."""
    with at(days=-6):
        confirmed("in@example.org")
        left = confirmed("left@example.org")
        client.post(leave_path(left))
        sign_up("waiting@example.org")
    return ["new@example.org", "waiting@example.org", "in@example.org", "left@example.org"]


def test_e2_same_bytes_for_every_kind_of_address(four_kinds, sign_up):
    with at():
        answers = [sign_up(address) for address in four_kinds]
    seen = {
        (answer.status_code, tuple(sorted(answer.items())), answer.content) for answer in answers
    }
    assert len(seen) == 1


def test_e2_every_kind_of_address_costs_alike(four_kinds, sign_up):
    """The same writes and one commit each; a silent one only takes its own back at the end."""
    costs = {}
    with at():
        for address in four_kinds:
            with CaptureQueriesContext(connection) as queries:
                sign_up(address)
            costs[address.partition("@")[0]] = len(queries)
    usual = costs["waiting"]
    assert costs == {"new": usual + 3, "waiting": usual, "in": usual + 1, "left": usual}


def test_e2_only_the_right_ones_get_mail(four_kinds, sign_up, mails):
    mails().clear()
    with at():
        for address in four_kinds:
            sign_up(address)
        sent = [message.to for message in mails()]
    assert sent == [["new@example.org"], ["waiting@example.org"], ["left@example.org"]]


def test_e2_confirmed_address_keeps_its_row_and_gains_no_proof(confirmed, sign_up, mails):
    with at():
        confirmed()
        mails().clear()
    before = Subscriber.objects.values().get()
    with at(days=3):
        sign_up("ANN@example.org", name="Somebody else")
    after = Subscriber.objects.values().get()
    assert {key for key in after if after[key] != before[key]} == {"asked_at"}
    assert Consent.objects.filter(event="signed-up").count() == 1
    assert mails() == []


def test_e2_no_second_mail_within_24_hours(client, link, sign_up, mails):
    with at():
        path = link()
    for later in ({"minutes": 1}, {"hours": 23, "minutes": 59}):
        with at(**later):
            assert sign_up().status_code == 303
            assert len(mails()) == 1
    assert Consent.objects.count() == 1
    with at(hours=24):
        newer = link(name="Ann Lee")
        assert len(mails()) == 2
        assert client.post(path).status_code == 404  # the newest mail counts
        assert client.post(newer).status_code == 200
    assert Subscriber.objects.get().name == "Ann Lee"


@pytest.mark.django_db(transaction=True)
def test_e2_posts_at_once_send_one_mail(site, no_proof, mails):
    def post() -> int:
        return Client().post("/newsletter/", {"email": "ann@example.org"}).status_code

    assert at_once(6, post) == [303] * 6
    assert states() == [("ann@example.org", "pending")]
    assert len(mails()) == 1
    assert (OutgoingMessage.objects.count(), Consent.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_e2_posts_at_once_for_one_who_waits_send_one_mail(site, no_proof, sign_up, mails):
    """The row is there and due again, so that only the condition in the update can decide."""
    with at(days=-3):
        sign_up()

    def post() -> int:
        return Client().post("/newsletter/", {"email": "ann@example.org"}).status_code

    assert at_once(6, post) == [303] * 6
    assert len(mails()) == 2
    assert Consent.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_e1_presses_at_once_confirm_once(link):
    path = link()
    answers = at_once(4, lambda: Client().post(path).status_code)
    assert sorted(answers) == [200, 404, 404, 404]
    assert Consent.objects.filter(event="confirmed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_e6_clicks_at_once_leave_one_proof(confirmed):
    path = leave_path(confirmed())
    assert at_once(4, lambda: Client().post(path).status_code) == [200] * 4
    assert Consent.objects.filter(event="unsubscribed").count() == 1


def test_e2_filled_trap_gets_the_same_answer_and_leaves_nothing(sign_up, mails):
    honest = sign_up("ann@example.org")
    robot = sign_up("robot@example.org", subject="Buy")
    assert (robot.status_code, robot.content, robot.items()) == (
        honest.status_code, honest.content, honest.items(),
    )  # fmt: skip
    assert states() == [("ann@example.org", "pending")]
    assert [message.to for message in mails()] == [["ann@example.org"]]


def test_e2_posts_without_script_have_a_strict_budget(sign_up, solved):
    answers = [sign_up(f"reader{n}@example.org").status_code for n in range(6)]
    assert answers == [303] * 5 + [429]
    refused = sign_up("reader6@example.org", name="Ann")
    assert "Too many sign-ups came in just now. Please try again in an hour." in (
        refused.content.decode()
    )
    assert 'value="reader6@example.org"' in refused.content.decode()
    assert Subscriber.objects.count() == 5
    # Another place, or the same one with its puzzle solved, is served.
    assert sign_up("other@example.org", place="198.51.100.7").status_code == 303
    assert sign_up("reader6@example.org", proof=solved()).status_code == 303


def test_e2_refusal_says_nothing_about_the_address(sign_up):
    for n in range(5):
        sign_up(f"reader{n}@example.org")
    known, unknown = sign_up("reader0@example.org"), sign_up("nobody0@example.org")
    assert known.status_code == unknown.status_code == 429
    assert known.content.replace(b"reader0", b"") == unknown.content.replace(b"nobody0", b"")


def test_e2_budget_without_script_is_shared_by_all_places(sign_up):
    answers = [
        sign_up(f"reader{n}@example.org", place=f"198.51.100.{n}").status_code for n in range(61)
    ]
    assert answers == [303] * 60 + [429]


def test_e2_a_roomful_with_script_passes(sign_up, no_proof):
    answers = [sign_up(f"guest{n}@example.org").status_code for n in range(61)]
    assert answers == [303] * 60 + [429]


def test_e2_solved_puzzle_counts_once(sign_up, solved):
    proof = solved()
    assert sign_up("ann@example.org", proof=proof).status_code == 303
    again = sign_up("bob@example.org", proof=proof, name="Bob")
    assert again.status_code == 422
    page = again.content.decode()
    assert "The check against robots had run out. Please press the button again." in page
    assert 'value="bob@example.org"' in page
    assert 'value="Bob"' in page
    assert states() == [("ann@example.org", "pending")]


@pytest.mark.parametrize("proof", ["x", "e30=", "W10=", "bnVsbA==", "{}", "é", "9" * 5000])
def test_e2_nonsense_for_a_proof_is_refused(sign_up, proof):
    assert sign_up(proof=proof).status_code == 422
    assert Subscriber.objects.count() == 0


def test_e2_variants_of_one_mailbox_are_counted_together(sign_up, mails, no_proof):
    variants = ["a.nn@gmail.com", "ann+1@gmail.com", "a.n.n+2@googlemail.com"]
    variants += [f"ann+{n}@gmail.com" for n in range(3, 9)]
    answers = {sign_up(variant).content for variant in variants}
    assert len(answers) == 1
    assert len(mails()) == 5


def test_e2_cache_that_does_not_answer_means_later(sign_up, settings):
    leave_cache()
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    assert sign_up().status_code == 429
    assert Subscriber.objects.count() == 0


# --- E3: proof ------------------------------------------------------------------------------


def test_e3_each_step_leaves_its_proof(client, sign_up, link, mails):
    with at():
        path = link(name="Ann")
        client.post(path, REMOTE_ADDR="192.0.2.1")
    row = Subscriber.objects.get()
    with at(days=1):
        client.post(leave_path(row), REMOTE_ADDR="203.0.113.9")

    lines = list(row.consents.order_by("at", "pk").values_list(
        "event", "at", "how", "wording_version", "source"
    ))  # fmt: skip
    assert lines == [
        ("signed-up", NOON, "form", "2026-11", "/cities/jinzhou/"),
        ("confirmed", NOON, "link", "", ""),
        ("unsubscribed", NOON + dt.timedelta(days=1), "page", "", ""),
    ]
    first = row.consents.get(event="signed-up")
    assert first.wording == (
        "You ask us to send you our newsletter by mail. We keep your address for that and for "
        "nothing else. You can leave at any time with one click."
    )
    places = [c.address_fingerprint for c in row.consents.order_by("at", "pk")]
    assert places[0] == places[1] != places[2]
    assert all(re.fullmatch(r"[0-9a-f]{64}", place) for place in places)


def test_e3_wording_is_on_the_page_and_nothing_is_ticked(client, site, sign_up):
    page = client.get("/newsletter/").content.decode()
    sign_up()
    assert Consent.objects.get().wording in page
    assert 'type="checkbox"' not in page


@pytest.mark.parametrize(
    "source",
    ["https://evil.example/", "//evil.example/", "/\\evil", "javascript:alert(1)", "cities/", "",
     "/a b", "/" + "a" * 300, "/cities/?email=ann@example.org"],
)  # fmt: skip
def test_e3_source_that_is_no_page_of_ours_is_left_out(sign_up, source):
    assert sign_up(source=source).status_code == 303
    assert Consent.objects.get().source == ""


def test_e3_source_never_holds_a_token(sign_up, confirmed):
    row = confirmed()
    sign_up("bob@example.org", source=leave_path(row))
    assert Consent.objects.get(subscriber__email_key="bob@example.org").source == ""


def test_e3_unknown_wording_language_and_topics_do_not_stand_in_the_way(sign_up):
    assert sign_up(wording="1999", language="tlh", topics=["jinzhou", "x"]).status_code == 303
    assert Consent.objects.get().wording_version == "2026-11"
    assert Subscriber.objects.get().language == "en"


# --- E4, E5, E6, E8: leaving ----------------------------------------------------------------


def test_e4_one_https_address_and_the_one_click_header(confirmed, settings):
    row = confirmed()
    settings.SITE_URL = "https://www.example.org"
    assert list_headers(row) == {
        "List-Unsubscribe": f"<https://www.example.org/newsletter/unsubscribe/{row.token}/>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_e5_address_is_opaque_and_each_persons_own(confirmed):
    ann, bob = confirmed("ann@example.org"), confirmed("bob@example.org")
    assert ann.token != bob.token
    for row in (ann, bob):
        assert re.fullmatch(r"[\w-]{32}", row.token)  # 24 random bytes: 192 bits
        assert str(row.pk) != row.token


def test_e5_nothing_but_the_address_is_needed(confirmed):
    row = confirmed()
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(leave_path(row), ONE_CLICK, content_type=URLENCODED)
    assert response.status_code == 200
    assert response.cookies == {}
    assert states() == [("ann@example.org", "unsubscribed")]


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
def test_e6_one_click_ends_it_at_once(client, confirmed, encoding):
    row = confirmed()
    body = (
        {"data": ONE_CLICK, "content_type": URLENCODED}
        if encoding == "urlencoded"
        else {"data": {"List-Unsubscribe": "One-Click"}}
    )
    for _ in range(2):
        response = client.post(leave_path(row), **body)
        assert response.status_code == 200
        assert not response.has_header("Location")
    row.refresh_from_db()
    assert row.status == "unsubscribed"
    assert list(row.consents.filter(event="unsubscribed").values_list("how", flat=True)) == [
        "one-click"
    ]


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_e6_reading_changes_nothing(client, confirmed, method):
    row = confirmed()
    before = Subscriber.objects.values().get()
    response = getattr(client, method)(leave_path(row))
    assert Subscriber.objects.values().get() == before
    assert Consent.objects.filter(event="unsubscribed").count() == 0
    if method == "get":
        assert response.status_code == 200
        assert '<form class="form gap-m" method="post">' in response.content.decode()


def test_e6_the_buttons_own_post_shows_a_page(client, confirmed):
    row = confirmed()
    for _ in range(2):
        response = client.post(leave_path(row))
        assert response.status_code == 200
        assert "You have left" in response.content.decode()
    assert row.consents.get(event="unsubscribed").how == "page"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"--broken", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"List-Unsubscribe=One-Click", "text/plain"),
        (b"\xff\xfe=\x00", URLENCODED),
        (b"&".join(b"a%d=1" % n for n in range(6000)), URLENCODED),
    ],
)
def test_e6_broken_body_keeps_nobody_on(client, confirmed, body, kind):
    row = confirmed()
    assert client.post(leave_path(row), body, content_type=kind).status_code == 200
    row.refresh_from_db()
    assert row.status == "unsubscribed"


def test_e8_old_link_still_works_after_coming_back(client, confirmed, link):
    with at():
        row = confirmed()
        client.post(leave_path(row))
    with at(days=400):
        client.post(link())
        assert states() == [("ann@example.org", "confirmed")]
        assert client.post(leave_path(row)).status_code == 200
    assert states() == [("ann@example.org", "unsubscribed")]


def test_e6_leaving_before_confirming_closes_the_link(client, link):
    path = link()
    client.post(leave_path(Subscriber.objects.get()))
    assert client.post(path).status_code == 404
    assert states() == [("ann@example.org", "unsubscribed")]


# --- unknown tokens, headers, cookies -------------------------------------------------------


@pytest.mark.parametrize("page", ["confirm", "unsubscribe"])
def test_unknown_tokens_get_the_same_bytes(client, site, page):
    tokens = ["x", "A" * 32, "a" * 500, "%00", "%0d%0aX:1", "ä", "1"]
    answers = [
        answer
        for token in tokens
        for answer in (
            client.get(f"/newsletter/{page}/{token}/"),
            client.post(f"/newsletter/{page}/{token}/"),
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert "Sign up for the letter" in answers[0].content.decode()


def test_token_pages_are_personal(client, link, confirmed):
    row = confirmed("bob@example.org")
    for path in (link(), leave_path(row), "/newsletter/confirm/unknown/"):
        for response in (client.get(path), client.post(path)):
            assert response["Cache-Control"] == "private, no-store"
            assert response["X-Robots-Tag"] == "noindex, nofollow"
            assert response["Referrer-Policy"] == "no-referrer"


def test_token_pages_do_not_repeat_the_token(client, link, confirmed):
    row = confirmed("bob@example.org")
    for path in (link(), leave_path(row)):
        token = path.split("/")[-2].encode()
        for response in (client.get(path), client.post(path)):
            assert token not in response.content


def test_no_cookie_anywhere(client, link, sign_up, confirmed):
    row = confirmed("bob@example.org")
    answers = [
        client.get("/newsletter/"),
        client.get("/newsletter/thanks/"),
        client.get("/newsletter/challenge/"),
        sign_up("carol@example.org"),
        sign_up("carol@"),
        client.get(path := link("dora@example.org")),
        client.post(path),
        client.get(leave_path(row)),
        client.post(leave_path(row)),
    ]
    assert [answer.cookies for answer in answers] == [{}] * len(answers)


def test_sign_up_page_is_the_same_for_all_and_carries_no_token(client, site):
    first, second = client.get("/newsletter/"), Client().get("/newsletter/?utm=1")
    assert first.content == second.content
    assert b"csrf" not in first.content
    assert "None has been sent yet" in first.content.decode()
    assert site.letter_line in first.content.decode()


def test_sign_up_needs_no_csrf_token(site):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/newsletter/", {"email": "ann@example.org"}).status_code == 303


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(client, site, method):
    for path in ("/newsletter/", "/newsletter/thanks/", "/newsletter/confirm/x/"):
        assert getattr(client, method)(path).status_code == 405


def test_challenge_is_fresh_and_stored_nowhere(client, db):
    first, second = client.get("/newsletter/challenge/"), client.get("/newsletter/challenge/")
    assert first["Cache-Control"] == "no-store"
    assert first.json() != second.json()
    assert set(first.json()) == {"parameters", "signature"}


# --- what is refused, in a sentence ---------------------------------------------------------


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("", "Please write your mail address."),
        ("   ", "Please write your mail address."),
        ("ann", "A mail address has an @ in it, such as ann@example.org."),
        ("a@", "The part after the @ is missing, such as example.org."),
        ("@example.org", "The part before the @ is missing."),
        ("a b@example.org", "A mail address has no spaces in it."),
        ("a@exam ple.org", "A mail address has no spaces in it."),
        ("ann@example", "This address has no ending such as .com or .org."),
        ("root@localhost", "This address has no ending such as .com or .org."),
        ("a@@example.org", "This does not look like a mail address, such as ann@example.org."),
        ("a@[192.0.2.1]", "This does not look like a mail address, such as ann@example.org."),
        ('"<x>"@example.org', "This does not look like a mail address, such as ann@example.org."),
        ("josé@example.org",
         "Before the @ we can write only to the letters a to z, digits and signs."),
        ("a" * 288 + "@example.org",
         "This address is too long to be one. Please look at it again."),
        ("a" * 2000, "This address is too long to be one. Please look at it again."),
        ("a" * 65 + "@example.org",
         "This address is too long to be one. Please look at it again."),
        ("ann@example.org\r\nBcc: b@example.org",
         "Please write this on one line, without line breaks."),
        ("ann@example.org\n", "Please write this on one line, without line breaks."),
        ("ann\0@example.org", "Please write this on one line, without line breaks."),
    ],
)  # fmt: skip
def test_bad_address_gets_a_sentence_twice(sign_up, mails, email, sentence):
    response = sign_up(email, name="Ann Lee")
    page = response.content.decode()

    assert response.status_code == 422
    assert f'<li><a href="#id_email">{sentence}</a></li>' in page
    assert f'class="invalid-feedback"><strong>{sentence}</strong></span>' in page
    assert 'aria-describedby="id_email_helptext error_1_id_email"' in page
    assert 'value="Ann Lee"' in page
    assert 'name="source" value="/cities/jinzhou/"' in page
    assert response["Cache-Control"] == "private, no-store"
    assert (Subscriber.objects.count(), mails()) == (0, [])


@pytest.mark.parametrize(
    "email",
    ["ann+letters@example.org", "o'neill@example.ie", "a@b.co", "ann@bücher.example",
     "a" * 64 + "@example.org"],
)  # fmt: skip
def test_good_address_is_taken(sign_up, email):
    assert sign_up(email).status_code == 303
    assert Subscriber.objects.get().email == email


def test_what_was_typed_comes_back_escaped(sign_up):
    page = sign_up('"><script>alert(1)</script>', name='"><b>').content.decode()
    assert "<script>alert(1)" not in page
    assert 'value="&quot;&gt;&lt;b&gt;"' in page


@pytest.mark.parametrize(
    "name", ["A" * 121, "Ann\r\nBcc: x@example.org", "Ann\n", "A\x07", "A\u2028B"]
)
def test_e22_name_that_could_reach_a_header_is_refused(sign_up, name):
    response = sign_up(name=name)
    assert response.status_code == 422
    assert '<a href="#id_name">' in response.content.decode()
    assert Subscriber.objects.count() == 0


@pytest.mark.parametrize("name", ["Жанар Өмірзаққызы", "李雷", "Ó Súilleabháin", "{{ 7|add:7 }}"])
def test_name_comes_back_byte_for_byte(sign_up, name):
    assert sign_up(name=f"  {name} ").status_code == 303
    assert Subscriber.objects.get().name == name


# --- E19, E21, E22: the mail ----------------------------------------------------------------


@pytest.mark.parametrize("again", ["ANN@EXAMPLE.ORG", "  ann@example.org  ", "Ann@Example.Org"])
def test_e19_one_person_is_one_row(sign_up, mails, again):
    sign_up("ann@example.org")
    sign_up(again)
    assert states() == [("ann@example.org", "pending")]
    assert len(mails()) == 1


def test_e21_confirmation_mail_is_plain_business(link, mails, site):
    path = link(name="Win a prize http://evil.example")
    message = mails()[0]
    html = message.alternatives[0].content

    assert not [name for name in message.extra_headers if name.lower().startswith("list-")]
    for text in (message.body, html):
        assert text.count(f"{site_settings.SITE_URL}{path}") == 1
        assert "ignore this mail" in text
        assert "Arvada Sister Cities International" in text
        assert "8101 Ralston Road" in text
        assert "evil.example" not in text  # a stranger's words are not carried to others
        assert "donate" not in text.lower()
    assert "<img" not in html
    assert message.body.count("http") == 1


def test_e21_organisation_name_is_not_escaped_in_text(sign_up, mails, site):
    site.name = site.short_name = "Arvada & Friends\nInc"
    site.save()
    sign_up()
    message = mails()[0]
    assert message.subject == "Please confirm: the letter of Arvada & Friends Inc"
    assert "Arvada & Friends" in message.body
    assert "Arvada &amp; Friends" in message.alternatives[0].content


def test_e22_confirmation_has_text_and_html(link, mails):
    link()
    message = mails()[0]
    assert message.message().get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.message().get_payload()] == [
        "text/plain", "text/html",
    ]  # fmt: skip


# --- through a real mail server -------------------------------------------------------------


@pytest.fixture
def smtp(settings):
    """A mail server on this machine; what arrives is in `.arrived`, parsed."""
    import email
    import email.policy
    import socket

    from aiosmtpd.controller import Controller

    class Sink:
        arrived: list = []

        async def handle_DATA(self, server, session, envelope):
            self.arrived.append(
                (envelope.rcpt_tos, email.message_from_bytes(
                    envelope.content, policy=email.policy.default
                ))
            )  # fmt: skip
            return "250 Taken"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sink = Sink()
    sink.arrived = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        controller = Controller(sink, hostname="127.0.0.1", port=port)
        controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield sink
    controller.stop()


def test_e21_what_a_mail_server_gets(smtp, sign_up, mails, client):
    sign_up("Ann@Example.org", name="Ann Lee")
    mails()
    [(to, message)] = smtp.arrived

    assert to == ["Ann@Example.org"]
    assert message["To"] == "Ann@Example.org"
    assert message["From"] == "Arvada Sister Cities <hello@127.0.0.1>"
    assert message["Subject"] == "Please confirm: the letter of Arvada Sister Cities"
    assert [key for key in message if key.lower().startswith("list-")] == []
    text = message.get_body(("plain",)).get_content()
    path = re.search(r"http://127\.0\.0\.1:8000(\S+)", text)[1]
    assert client.post(path).status_code == 200
    assert states() == [("ann@example.org", "confirmed")]


def test_e4_headers_arrive_whole_and_the_address_in_them_works(smtp, confirmed, settings, client):
    settings.SITE_URL = "https://www.a-rather-long-name-of-a-sister-cities-association.example.org"
    row = Subscriber.objects.create(email="ann@example.org")
    mail.EmailMessage("The letter", "Hello", to=[row.email], headers=list_headers(row)).send()
    [(_to, message)] = smtp.arrived

    assert message.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    [header] = message.get_all("List-Unsubscribe")
    [uri] = re.findall(r"<([^>]+)>", header.replace("\n", "").replace("\r", ""))
    assert header.strip() == f"<{uri}>"
    assert uri.startswith("https://www.a-rather-long-name")
    path = uri.removeprefix(settings.SITE_URL)
    response = client.post(path, ONE_CLICK, content_type=URLENCODED)
    assert response.status_code == 200
    row.refresh_from_db()
    assert row.status == "unsubscribed"
