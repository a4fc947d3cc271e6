"""What staff can see and, mostly, cannot change."""

import pytest
from django.contrib.admin.models import LogEntry

from donations.models import Campaign, Donation, LedgerEntry, ProviderEvent, Receipt, ReceiptSeries

from .conftest import send_event

MODELS = [
    "campaign", "closedmonth", "dispute", "donation", "donor", "donorlink", "giftbatch",
    "ledgerentry", "providerevent", "receipt", "receiptseries", "refund", "tokenlimit",
]  # fmt: skip


@pytest.fixture
def paid(give, make_campaign):
    return give(amount="50", campaign=make_campaign().slug)


@pytest.mark.parametrize("model", MODELS)
def test_every_list_and_search_opens(model, paid, admin_client):
    page = f"/admin/donations/{model}/"
    assert admin_client.get(page).status_code == 200
    assert admin_client.get(page, {"q": "Ann"}).status_code == 200


@pytest.mark.parametrize("model", [Campaign, Donation, LedgerEntry, Receipt, ReceiptSeries,
                                   ProviderEvent])  # fmt: skip
def test_every_row_opens(model, paid, admin_client):
    row = model.objects.first()
    response = admin_client.get(f"/admin/donations/{model._meta.model_name}/{row.pk}/change/")
    assert response.status_code == 200


@pytest.mark.parametrize("model", ["ledgerentry", "receipt", "receiptseries", "providerevent"])
def test_records_are_read_only(model, paid, admin_client):
    page = f"/admin/donations/{model}/"
    row = {"ledgerentry": LedgerEntry, "receipt": Receipt, "receiptseries": ReceiptSeries,
           "providerevent": ProviderEvent}[model].objects.first()  # fmt: skip
    assert admin_client.get(f"{page}add/").status_code == 403
    assert admin_client.post(f"{page}{row.pk}/change/", {}).status_code == 403
    assert admin_client.get(f"{page}{row.pk}/delete/").status_code == 403


def test_gift_shows_its_ledger_and_receipt(paid, admin_client):
    html = admin_client.get(f"/admin/donations/donation/{paid.pk}/change/").content.decode()
    assert "$50.00 Gifts → Money at Stripe" in html
    assert paid.receipts.get().number in html


def test_only_the_public_name_can_be_corrected(paid, admin_client):
    page = f"/admin/donations/donation/{paid.pk}/change/"
    posted = {"is_anonymous": "on", "amount_cents": "1", "state": "failed", "donor_name": "X"}
    for prefix in (
        "ticket_lines", "receipts", "refunds", "disputes", "expected_matches", "ledger_entries",
        "attempts",
    ):  # fmt: skip
        posted |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    assert admin_client.post(page, posted).status_code == 302
    changed = Donation.objects.get()
    assert changed.is_anonymous
    assert (changed.amount_cents, changed.state, changed.donor_name) == (5000, "paid", "Ann Lee")
    assert LogEntry.objects.get().object_id == str(paid.pk)
    assert admin_client.get("/admin/donations/donation/add/").status_code == 403
    assert admin_client.get(page.replace("change", "delete")).status_code == 403


def test_note_for_staff_can_be_cleared(paid, admin_client):
    Donation.objects.update(needs_attention="Look")
    admin_client.post(
        "/admin/donations/donation/", {"action": "clear_attention", "_selected_action": [paid.pk]}
    )
    assert Donation.objects.get().needs_attention == ""
    assert LogEntry.objects.count() == 1


def test_events_can_be_tried_again(begin, stripe, admin_client):
    stripe.pay(begin())
    send_event(stripe.events("checkout.session.completed")[0])
    ProviderEvent.objects.update(state="failed", attempts=16)
    row = ProviderEvent.objects.get()
    admin_client.post(
        "/admin/donations/providerevent/", {"action": "retry", "_selected_action": [row.pk]}
    )
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("received", 0)


def test_staff_write_dollars(admin_client, db):
    page = "/admin/donations/campaign/add/"
    posted = {
        "title": "The bus", "slug": "the-bus", "summary": "A bus.", "designation": "The bus",
        "goal_cents": "6,000", "order": "0", "status": "published", "publish_at_0": "2026-01-01",
        "publish_at_1": "12:00:00", "costs-TOTAL_FORMS": "1", "costs-INITIAL_FORMS": "0",
        "costs-0-what": "Bus", "costs-0-amount_cents": "$2,100.50", "costs-0-order": "0",
        "updates-TOTAL_FORMS": "0", "updates-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert admin_client.post(page, posted).status_code == 302
    campaign = Campaign.objects.get()
    assert (campaign.goal_cents, campaign.costs.get().amount_cents) == (600_000, 210_050)
    html = admin_client.get(f"/admin/donations/campaign/{campaign.pk}/change/").content.decode()
    assert 'value="6,000"' in html
    assert 'value="2,100.50"' in html
    wrong = admin_client.post(page, {**posted, "slug": "b", "goal_cents": "six thousand"})
    assert "This is not an amount." in wrong.content.decode()


def test_lists_cost_the_same_with_many_rows(
    paid, give, admin_client, django_assert_max_num_queries
):
    def queries(model: str) -> int:
        with django_assert_max_num_queries(16) as seen:
            admin_client.get(f"/admin/donations/{model}/")
        return len(seen)

    few = {model: queries(model) for model in MODELS}
    for number in range(4):
        give(email=f"b{number}@example.org")
    assert {model: queries(model) for model in MODELS} == few


def test_receipt_is_printed_and_marked(paid, admin_client):
    receipt = Receipt.objects.get()
    Receipt.objects.update(is_to_print=True)
    answer = admin_client.get(f"/admin/donations/receipt/{receipt.pk}/pdf/")
    assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")
    assert "to_print" in admin_client.get("/admin/donations/receipt/").content.decode()
    action = {"action": "mark_printed", "_selected_action": receipt.pk}
    said = admin_client.post("/admin/donations/receipt/", action, follow=True).content.decode()
    assert "1 receipt is printed." in said
    assert not Receipt.objects.get().is_to_print


def test_receipt_on_paper_needs_the_permission(paid, client, django_user_model):
    client.force_login(django_user_model.objects.create_user("ed", is_staff=True))
    address = f"/admin/donations/receipt/{Receipt.objects.get().pk}/pdf/"
    assert client.get(address).status_code == 403
