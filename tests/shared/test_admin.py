"""The settings of the site, the outbox and publishing, as staff use them."""

import datetime as dt

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from sistercities.pages.models import Page
from sistercities.shared.models import OutgoingMessage, SiteSettings

pytestmark = pytest.mark.usefixtures("told_templates")

SITE = {
    "name": "Arvada Sister Cities International",
    "short_name": "Arvada Sister Cities",
    "ein": "84-1234567",
    "time_zone": "America/Denver",
    "card_fee_percent": "2.90",
    "card_fee_cents": "30",
    "smallest_gift": "5",
    "largest_gift": "25000",
    "appeal_link": "/donate/",
    "links-TOTAL_FORMS": "0",
    "links-INITIAL_FORMS": "0",
}
PAGE = {"title": "About", "slug": "about", "order": "0", "status": "draft"}
PAGE |= {"publish_at_0": "2026-01-01", "publish_at_1": "12:00:00"}


def errors_of(response) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].errors)


def save_settings(admin_client, **change):
    path = reverse("admin:shared_sitesettings_change", args=[1])
    return admin_client.post(path, {**SITE, **change})


# --- settings of the site -------------------------------------------------------------------


def test_the_settings_are_entered_once(admin_client, db):
    add = reverse("admin:shared_sitesettings_add")
    assert admin_client.get(add).status_code == 200
    assert admin_client.post(add, SITE).status_code == 302
    assert SiteSettings.objects.get().name == "Arvada Sister Cities International"
    assert admin_client.get(add).status_code == 403
    assert admin_client.post(add, SITE).status_code == 403
    assert SiteSettings.objects.count() == 1


def test_the_settings_cannot_be_deleted(admin_client, site):
    path = reverse("admin:shared_sitesettings_delete", args=[1])
    assert admin_client.post(path, {"post": "yes"}).status_code == 403
    assert SiteSettings.objects.count() == 1


def test_the_settings_are_changed(admin_client, site):
    assert save_settings(admin_client, appeal_text="Help us.").status_code == 302
    site.refresh_from_db()
    assert site.appeal_text == "Help us."


@pytest.mark.parametrize(
    "ein", ["841234567", "84-123456", "00-1234567", "ab-cdefghi", "٨٤-1234567"]
)
def test_a_wrong_ein_is_refused_in_a_clear_sentence(admin_client, site, ein):
    sentence = "An EIN has two digits, a hyphen and seven digits: 84-1234567."
    assert sentence in errors_of(save_settings(admin_client, ein=ein))["ein"]


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        (
            {"appeal_from": "2027-04-02", "appeal_until": "2027-04-01"},
            "appeal_until",
            "The appeal ends before it begins.",
        ),
        (
            {"appeal_link": "https://elsewhere.example/"},
            "appeal_link",
            "Write an address of this site, such as /donate/.",
        ),
        (
            {"appeal_link": "//elsewhere.example/"},
            "appeal_link",
            "Write an address of this site, such as /donate/.",
        ),
        ({"email": "ann@example"}, "email", "Enter a valid email address."),
        ({"name": ""}, "name", "This field is required."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(admin_client, site, change, field, sentence):
    assert errors_of(save_settings(admin_client, **change)) == {field: [sentence]}


def test_a_time_zone_that_does_not_exist_is_refused(admin_client, site):
    assert "time_zone" in errors_of(save_settings(admin_client, time_zone="Mars/Olympus"))


@pytest.mark.parametrize(
    ("today", "is_on"),
    [("2027-03-31", False), ("2027-04-01", True), ("2027-04-30", True), ("2027-05-01", False)],
)
def test_the_appeal_turns_itself_on_and_off_in_the_zone_of_the_site(site, settings, today, is_on):
    site.appeal_text = "Help us."
    site.appeal_from, site.appeal_until = dt.date(2027, 4, 1), dt.date(2027, 4, 30)
    for hour in ("00:00:01", "23:59:59"):
        settings.CLOCK = dt.datetime.fromisoformat(f"{today}T{hour}").replace(tzinfo=site.zone)
        assert site.appeal_is_on is is_on


# --- the outbox -----------------------------------------------------------------------------


@pytest.fixture
def message(db):
    return OutgoingMessage.objects.create(
        key="k", to="ann@example.org", subject="Hello", text="Dear Ann", html="<p>Dear Ann</p>",
        message_id="<1@example.org>",
    )  # fmt: skip


def test_the_outbox_is_read_and_never_changed(admin_client, message):
    change = reverse("admin:shared_outgoingmessage_change", args=[message.pk])
    page = admin_client.get(change).content.decode()
    assert "Dear Ann" in page and 'name="_save"' not in page
    assert admin_client.post(change, {"to": "bob@example.org"}).status_code == 403
    delete = reverse("admin:shared_outgoingmessage_delete", args=[message.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    assert admin_client.get(reverse("admin:shared_outgoingmessage_add")).status_code == 403
    message.refresh_from_db()
    assert message.to == "ann@example.org"


def test_the_outbox_is_searched_by_person(admin_client, message):
    path = reverse("admin:shared_outgoingmessage_changelist")
    assert "Hello" in admin_client.get(path, {"q": "ann@example.org"}).content.decode()
    assert "0 outgoing mail" in admin_client.get(path, {"q": "bob"}).content.decode()


# --- publishing -----------------------------------------------------------------------------


def act(admin_client, action: str, *pages: Page):
    path = reverse("admin:pages_page_changelist")
    chosen = {"action": action, "_selected_action": [page.pk for page in pages]}
    return admin_client.post(path, chosen, follow=True)


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_a_page_is_written_and_published(admin_client, client, site):
    path = reverse("admin:pages_page_add")
    assert admin_client.get(path).status_code == 200
    response = admin_client.post(path, {**PAGE, "body": "<p>We.</p><script>x</script>"})
    assert response.status_code == 302
    page = Page.objects.get()
    assert page.body == "<p>We.</p>"
    admin_client.get(path)  # shows, and so forgets, that it was added
    assert client.get("/about/").status_code == 404

    assert said(act(admin_client, "publish", page)) == ["1 published."]
    assert client.get("/about/").status_code == 200
    assert said(act(admin_client, "withdraw", page)) == ["1 taken back to draft."]
    assert client.get("/about/").status_code == 404


def test_publishing_leaves_a_date_and_a_history(admin_client, admin_user, site):
    """trust.md I8: each staff change is in the history with who and when."""
    page = Page.objects.create(title="About", slug="about")
    Page.objects.update(updated_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    act(admin_client, "publish", page)
    page.refresh_from_db()
    assert page.updated_at.year > 2020
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, str(page.pk))
    assert entry.get_change_message() == "Changed status."


def test_a_page_that_its_form_would_refuse_is_not_published(admin_client, site, picture_file):
    good = Page.objects.create(title="Good", slug="good")
    bad = Page.objects.create(title="Bad", slug="bad", picture=picture_file())
    assert said(act(admin_client, "publish", good, bad)) == [
        "Bad was not published. Please say in words what the picture shows.",
        "1 published.",
    ]
    assert list(Page.objects.published()) == [good]


def test_the_list_says_draft_scheduled_or_published(admin_client, site):
    Page.objects.create(title="One", slug="one")
    Page.objects.create(title="Two", slug="two", status="published")
    later = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
    Page.objects.create(title="Three", slug="three", status="published", publish_at=later)
    page = admin_client.get(reverse("admin:pages_page_changelist")).content.decode()
    states = page.split('field-shown_state">')[1:]
    assert sorted(state.split("<")[0] for state in states) == ["Draft", "Published", "Scheduled"]


def test_the_link_to_the_site_is_there_for_public_pages_only(admin_client, site):
    page = Page.objects.create(title="One", slug="one")
    path = reverse("admin:pages_page_change", args=[page.pk])
    assert "View on site" not in admin_client.get(path).content.decode()
    Page.objects.update(status="published")
    assert "View on site" in admin_client.get(path).content.decode()


def test_the_staff_pages_wear_our_own_style(admin_client, site):
    page = admin_client.get(reverse("admin:index")).content.decode()
    assert '<link rel="stylesheet" href="/static/admin_site/staff.css">' in page
    assert "Sister cities: staff" in page
