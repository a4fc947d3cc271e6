"""A donor's own pages: the mailed link, what it opens, and that it opens nothing else."""

import datetime as dt
import re

import pytest
from django.test import Client

from donations import documents, donors
from donations.models import Donation, Donor, DonorLink, Receipt
from sistercities.shared.models import OutgoingMessage
from sistercities.shared.signing import new_token

from .test_statements import has_words

PAGE = "/donate/my-gifts/"


def mailed_link(email: str) -> str:
    mail = OutgoingMessage.objects.filter(to=email, key__startswith="donor-link:").last()
    return re.search(r"https?://[^/]+(/donate/my-gifts/open/\S+/)", mail.text)[1]


@pytest.fixture
def open_gifts(client):
    """`open_gifts("ann@example.org")`: a browser in which this mailbox's link was used."""

    def walk(email: str, browser: Client = client) -> Client:
        answer = browser.post(PAGE, {"email": email}, follow=True)
        assert "Look into your mail" in answer.content.decode()
        answer = browser.post(mailed_link(email))
        assert (answer.status_code, answer["Location"]) == (302, PAGE)
        return browser

    return walk


def test_donor_sees_gifts_receipts_and_years(give, open_gifts):
    gift = give(amount="50")
    give(amount="77", email="somebody@example.org")
    html = open_gifts("ann@example.org").get(PAGE).content.decode()
    assert "$50.00" in html
    assert gift.get_absolute_url() in html
    assert f"{gift.given_on.year} (PDF)" in html
    assert "$77" not in html


def test_link_is_good_once(give, open_gifts, client):
    give()
    open_gifts("ann@example.org")
    link = mailed_link("ann@example.org")
    for method in (Client().get, Client().post):
        answer = method(link)
        assert answer.status_code == 404
        assert "This link is over" in answer.content.decode()
    assert DonorLink.objects.get().used_at is not None


def test_looking_at_a_link_does_not_use_it_up(give, client):
    give()
    client.post(PAGE, {"email": "ann@example.org"})
    link = mailed_link("ann@example.org")
    for _ in range(3):
        assert "Show my gifts" in Client().get(link).content.decode()
    assert client.post(link).status_code == 302


def test_link_ends_after_fifteen_minutes_and_the_page_after_thirty(give, open_gifts, later):
    give()
    browser = open_gifts("ann@example.org")
    assert "$50.00" in browser.get(PAGE).content.decode()
    browser.post(PAGE, {"email": "ann@example.org"})
    later(minutes=16)
    assert browser.post(mailed_link("ann@example.org")).status_code == 404
    later(minutes=31)
    assert "Mail me a link" in browser.get(PAGE).content.decode()


def test_link_used_over_is_the_same_page_as_one_that_never_was(give, open_gifts, later):
    give()
    open_gifts("ann@example.org")
    used = Client().post(mailed_link("ann@example.org"))
    never = Client().post("/donate/my-gifts/open/nonsense/")
    strip = re.compile(r'nonce="[^"]*"|open/[\w-]+/')
    assert used.status_code == never.status_code == 404
    pages = [strip.sub("", answer.content.decode()) for answer in (used, never)]
    assert pages[0] == pages[1]


def test_form_says_of_nobody_whether_they_give(give, client, mailoutbox):
    give()
    OutgoingMessage.objects.all().delete()
    answers = [
        client.post(PAGE, {"email": email}) for email in ("ann@example.org", "x@example.org")
    ]
    assert [(row.status_code, row["Location"]) for row in answers] == [
        (302, "/donate/my-gifts/sent/")
    ] * 2
    mails = {row.to: row.text for row in OutgoingMessage.objects.all()}
    assert "We know of none." in mails["x@example.org"]
    assert "/donate/my-gifts/open/" not in mails["x@example.org"]


def test_one_mailbox_gets_at_most_five_mails_a_day(client, site, time_machine):
    time_machine.move_to("2026-11-21T12:05:00Z")  # not at the end of a window
    for _ in range(8):
        assert client.post(PAGE, {"email": "Ann@example.org"}).status_code == 302
    assert OutgoingMessage.objects.count() == 5


def test_one_place_asks_at_most_ten_times_an_hour(client, site, time_machine):
    time_machine.move_to("2026-11-21T12:05:00Z")
    codes = [
        client.post(PAGE, {"email": f"{number}@example.org"}).status_code for number in range(11)
    ]
    assert codes == [302] * 10 + [429]


@pytest.mark.parametrize(
    "email", ["", "nonsense", "a@b", "a" * 300 + "@example.org", "a@b.org\r\nBcc: x"]
)
def test_slips_in_the_mailbox_are_told(email, client, site):
    answer = client.post(PAGE, {"email": email})
    assert answer.status_code == 422
    assert 'href="#id_email"' in answer.content.decode()


def test_another_donors_gift_is_nowhere(give, open_gifts):
    """trust.md: a neighbour's id or token answers as one that never was."""
    theirs = give(email="theirs@example.org")
    give(email="ann@example.org")
    browser = open_gifts("ann@example.org")
    answers = [
        browser.post(f"/donate/my-gifts/gifts/{token}/", {"anonymous": "on"})
        for token in (theirs.token, "nonsense")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    theirs.refresh_from_db()
    assert not theirs.is_anonymous
    statement = browser.get(f"/donate/my-gifts/statement.pdf?period={theirs.given_on.year}")
    number = theirs.receipts.get().number
    assert has_words(statement.content, "Ann Lee", number) == [True, False]


def test_merged_donor_sees_the_gifts_of_both_mailboxes(give, open_gifts):
    one, two = give(amount="50", email="a@example.org"), give(amount="60", email="b@example.org")
    donors.merge(donor=one.donor, into=two.donor)
    html = open_gifts("a@example.org").get(PAGE).content.decode()
    assert ("$50.00" in html, "$60.00" in html) == (True, True)


def test_donor_changes_anonymity_and_address(give, open_gifts):
    gift = give()
    browser = open_gifts("ann@example.org")
    change = f"/donate/my-gifts/gifts/{gift.token}/"
    assert browser.post(change, {"anonymous": "on"}).status_code == 302
    assert Donation.objects.get().is_anonymous
    assert "Show my name" in browser.get(PAGE).content.decode()
    browser.post(change)
    assert not Donation.objects.get().is_anonymous
    browser.post("/donate/my-gifts/address/", {"address": " 1 Grandview Ave \nArvada"})
    assert Donor.objects.get().address == "1 Grandview Ave \nArvada"
    browser.post("/donate/my-gifts/leave/")
    assert browser.post(change, {"anonymous": "on"}).status_code == 404
    assert "Mail me a link" in browser.get(PAGE).content.decode()


def test_forms_of_the_open_page_are_guarded_against_forgery(give):
    gift = give()
    browser = Client(enforce_csrf_checks=True)
    browser.post(PAGE, {"email": "ann@example.org"})
    link = mailed_link("ann@example.org")
    assert browser.post(link).status_code == 403
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', browser.get(link).content.decode())[1]
    assert browser.post(link, {"csrfmiddlewaretoken": token}).status_code == 302
    for address in (f"gifts/{gift.token}/", "address/", "leave/"):
        assert browser.post(PAGE + address, {"anonymous": "on"}).status_code == 403
    assert not Donation.objects.get().is_anonymous


def test_statement_as_pdf_for_a_year_and_a_fiscal_year(give, open_gifts):
    gift = give(amount="50")
    browser = open_gifts("ann@example.org")
    for period in (gift.given_on.year, f"{gift.given_on.year}-07", f"{gift.given_on.year - 1}-12"):
        answer = browser.get(f"/donate/my-gifts/statement.pdf?period={period}")
        assert answer["Content-Type"] in {"application/pdf", "text/html; charset=utf-8"}
        assert answer["Cache-Control"] == "private, no-store"
    answer = browser.get(f"/donate/my-gifts/statement.pdf?period={gift.given_on.year}")
    assert has_words(answer.content, "$50.00") == [True]
    assert browser.get("/donate/my-gifts/statement.pdf?period=1999").status_code == 404
    for nonsense in ("", "x", "2026-13", "9" * 50):
        answer = browser.get("/donate/my-gifts/statement.pdf", {"period": nonsense})
        assert answer.status_code == 404


def test_receipt_as_pdf_behind_the_gifts_own_address(give, client):
    gift = give(amount="50", cover_fees="on")
    receipt = gift.receipts.get()
    html = client.get(gift.get_absolute_url()).content.decode()
    address = f"{gift.get_absolute_url()}receipt.pdf"
    assert address in html
    answer = client.get(address)
    words = (receipt.number, "Ann Lee", "84-1234567", "No goods or services were provided")
    assert has_words(answer.content, *words) == [True] * len(words)
    assert answer["Cache-Control"] == "private, no-store"
    assert answer.content == client.get(address).content


def test_receipt_pdf_is_set_as_it_was_when_it_was_issued(give, client, site, caplog):
    """giving.md, PDF: number, inputs and fingerprint are kept; what is made again must match."""
    gift = give()
    assert [documents.keep_fingerprints(), documents.keep_fingerprints()] == [1, 0]
    site.name, site.nonprofit_line = "Another name", "Another line"
    site.save()
    client.get(f"{gift.get_absolute_url()}receipt.pdf")
    assert "not set as it was" not in caplog.text
    Receipt.objects.update(pdf_sha256="0" * 64)
    client.get(f"{gift.get_absolute_url()}receipt.pdf")
    assert "not set as it was" in caplog.text


def test_name_that_no_font_has_blocks_paper_and_no_receipt(give, client):
    gift = give(name="Ann \U0001f33b Lee")
    assert [documents.keep_fingerprints(), documents.keep_fingerprints()] == [1, 0]
    assert (gift.state, gift.receipts.get().pdf_sha256) == ("paid", "")
    answer = client.get(f"{gift.get_absolute_url()}receipt.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (422, "text/html; charset=utf-8")
    assert "Our fonts lack some characters" in answer.content.decode()


def test_genuine_receipt_is_told_without_naming_anybody(give, ask, client):
    gift = give(amount="50", name="Ann Lee")
    first = gift.receipts.get()
    html = client.get(first.get_absolute_url()).content.decode()
    assert "This receipt is genuine." in html
    assert "$50.00" in html
    assert not [word for word in ("Ann", "ann@example.org", "needed most") if word in html]
    ask(gift, 2000)
    html = client.get(first.get_absolute_url()).content.decode()
    second = gift.receipts.get(state="current")
    assert f"This receipt is void. Receipt {second.number} has taken its place." in html
    ask(gift, 3000, "form-2")
    html = client.get(second.get_absolute_url()).content.decode()
    assert "This receipt is void, and no other has taken its place." in html
    assert client.get(f"{gift.get_absolute_url()}receipt.pdf").status_code == 404


def test_page_asks_the_same_with_few_gifts_and_many(give, open_gifts, django_assert_num_queries):
    give()
    browser = open_gifts("ann@example.org")
    browser.get(PAGE)
    for _ in range(2):
        with django_assert_num_queries(7):
            browser.get(PAGE)
        donor = Donor.objects.get()
        for number in range(15):
            Donation.objects.create(
                form_token=new_token(), amount_cents=100, state="paid", donor=donor,
                donor_name="Ann", designation="x", goods_services="none",
                given_on=dt.date(2010 + number, 1, 1), paid_at=dt.datetime.now(dt.UTC),
            )  # fmt: skip


def test_running_plans_are_listed_with_their_pages(give_plan, open_gifts):
    plan = give_plan(amount="25", frequency="monthly")
    html = open_gifts("ann@example.org").get(PAGE).content.decode()
    assert plan.get_absolute_url() in html
    assert "$25.00 each month" in html
