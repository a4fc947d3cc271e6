"""January: everybody's statement, told by mail or printed, once."""

import datetime as dt
import io
import zipfile

import pytest
from django.core import mail
from django.utils import timezone

from donations import year_end
from donations.models import Donor
from donations.statements import Period
from sistercities.shared.models import OutgoingMessage
from tests.donations.test_statements import has_words

PAGE = "/admin/donations/donor/statements/"
ZIP = f"{PAGE}all.zip"


def names_in(response) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def names(people) -> list[str]:
    return [donor.name for donor in people]


@pytest.fixture
def year_of_gifts(by_hand, time_machine):
    """Two donors with a mail address, one without; it is January of the next year."""
    time_machine.move_to(dt.datetime(2027, 1, 4, 18, tzinfo=dt.UTC), tick=False)
    by_hand("Ann Lee", 5000, email="ann@example.org")
    by_hand("Bo Li", 7000, email="bo@example.org")
    by_hand("Cy Orr", 2500, donor_address="1 Grandview Ave\nArvada, CO 80002")


def test_d6_everybody_is_told_in_january_once_and_the_rest_is_printed(year_of_gifts, admin_client):
    page = admin_client.get(PAGE).content.decode()
    assert "Statements for 2026" in page
    assert "Tell 2 donors by mail" in page
    assert "January 31, 2027" in page
    for _ in range(2):
        assert admin_client.post(PAGE, {"period": "2026"}).status_code == 302
    letters = OutgoingMessage.objects.filter(key__startswith="statement:")
    assert sorted(letters.values_list("to", flat=True)) == ["ann@example.org", "bo@example.org"]
    assert all("$" not in letter.text for letter in letters)
    page = admin_client.get(PAGE).content.decode()
    assert "Everybody with a mail address has been told." in page
    assert "Cy Orr" in page
    assert [name[-10:] for name in names_in(admin_client.get(f"{ZIP}?period=2026&who=post"))] == [
        "cy-orr.pdf"
    ]
    assert len(names_in(admin_client.get(f"{ZIP}?period=2026"))) == 3


def test_d6_receipt_leaves_with_the_payment(give):
    donation = give()
    message = OutgoingMessage.objects.get(key=f"receipt:{donation.token}:1")
    assert [letter.to for letter in mail.outbox] == [["ann@example.org"]]
    assert message.sent_at - donation.paid_at < dt.timedelta(minutes=5)


def test_d7_receipt_comes_as_text_as_html_and_as_pdf_with_the_same_words(give, client):
    donation = give(amount="250")
    [message] = mail.outbox
    words = (
        "Ann Lee", "$250.00", donation.receipts.get().number,
        "No goods or services were provided in exchange for this gift.",
    )  # fmt: skip
    paper = client.get(f"{donation.get_absolute_url()}receipt.pdf")
    assert has_words(paper.content, *words) == [True] * len(words)
    for text in (message.body, message.alternatives[0][0]):
        assert [word in text for word in words] == [True] * len(words)


def test_page_asks_the_same_with_few_donors_and_many(
    year_of_gifts, by_hand, admin_client, django_assert_num_queries
):
    with django_assert_num_queries(7):
        admin_client.get(PAGE)
    for number in range(12):
        by_hand(f"Donor {number}", 100, email=f"donor-{number}@example.org")
    with django_assert_num_queries(7):
        admin_client.get(PAGE)


def test_who_was_told_of_one_period_is_not_told_of_another(year_of_gifts, site):
    assert year_end.tell(Period.parse("2026"), site=site) == 2
    fiscal = year_end.recipients(Period.parse("2026-07"))
    assert (names(fiscal.told), names(fiscal.to_tell)) == ([], ["Ann Lee", "Bo Li"])


def test_donor_whose_letters_no_font_has_is_named_and_stops_nobody(year_of_gifts, admin_client):
    Donor.objects.filter(name="Cy Orr").update(name="Cy \U0001f3d4 Orr")
    found = names_in(admin_client.get(f"{ZIP}?period=2026"))
    assert sorted(name[-4:] for name in found) == [".pdf", ".pdf", ".txt"]


@pytest.mark.parametrize("text", ["soon", "", "2026-13", "\0"])
def test_no_period_is_said_in_words(text, site, admin_client):
    page = admin_client.get(PAGE, {"period": text})
    assert page.status_code == 400
    assert "This is neither a year nor a month." in page.content.decode()
    assert admin_client.post(PAGE, {"period": text}).status_code == 400
    assert admin_client.get(ZIP, {"period": text}).status_code == 400


def test_year_without_gifts_and_year_that_is_not_over_say_so(site, by_hand, admin_client):
    assert "Nobody has a gift in 2019" in admin_client.get(f"{PAGE}?period=2019").content.decode()
    this_year = timezone.localdate().year
    by_hand("Ann Lee", given_on=dt.date(this_year, 1, 2))
    page = admin_client.get(f"{PAGE}?period={this_year}").content.decode()
    assert f"{this_year} ends on December 31, {this_year}." in page


def test_page_is_for_who_may_see_donors_and_mail_for_who_may_change_them(
    year_of_gifts, client, treasurer
):
    from django.contrib.auth.models import Permission

    client.force_login(treasurer)
    assert client.get(PAGE).status_code == 403
    treasurer.user_permissions.add(Permission.objects.get(codename="view_donor"))
    assert client.get(PAGE).status_code == 200
    assert client.get(f"{ZIP}?period=2026").status_code == 200
    assert client.post(PAGE, {"period": "2026"}).status_code == 403
    assert OutgoingMessage.objects.filter(key__startswith="statement:").count() == 0
