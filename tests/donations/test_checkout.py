"""From our form to the hosted page, once, whatever fails on the way (F1 to F3)."""

import datetime as dt
import re

import pytest

from donations import checkout
from donations.models import CheckoutAttempt, Donation

from .conftest import form_fields

SESSIONS = "/v1/checkout/sessions"
DOWN = "We cannot reach our card processor at the moment. Nothing was charged."


def sessions_opened(stripe) -> int:
    return len(stripe.objects("checkout.session"))


def test_session_is_asked_for_as_the_specification_says(begin, stripe, time_machine, make_campaign):
    time_machine.move_to(dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC), tick=False)
    stripe.control("clock", now="2026-11-21T12:00:00Z")
    campaign = make_campaign(designation="The visit from Kyzylorda")
    donation = begin(amount="62.50", campaign=campaign.slug, email="ann@example.org")
    [request] = stripe.requests(SESSIONS)
    metadata = {
        "gift": donation.token, "attempt": "1", "form_token": donation.form_token,
        "designation": "The visit from Kyzylorda", "donor_name": "Ann Lee",
        "campaign": campaign.slug,
    }  # fmt: skip
    assert request["stripe_version"] == "2026-10-28.endive"
    assert request["idempotency_key"] == f"gift:{donation.token}:checkout:1"
    assert request["params"] == {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "submit_type": "donate",
        "locale": "en",
        "client_reference_id": donation.token,
        "customer_email": "ann@example.org",
        "success_url": f"http://127.0.0.1:8000/donate/thanks/{donation.token}/"
        "?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": f"http://127.0.0.1:8000/donate/{campaign.slug}/?amount=62.50&stopped=1",
        "expires_at": str(int(dt.datetime(2026, 11, 21, 12, 31, tzinfo=dt.UTC).timestamp())),
        "metadata": metadata,
        "adaptive_pricing": {"enabled": "false"},
        "payment_intent_data": {
            "metadata": metadata,
            "description": "Gift: The visit from Kyzylorda",
            "statement_descriptor_suffix": "GIFT",
        },
        "line_items": {
            "0": {
                "quantity": "1",
                "price_data": {
                    "currency": "usd",
                    "unit_amount": "6250",
                    "product_data": {"name": "Gift: The visit from Kyzylorda"},
                },
            }
        },
    }


def test_gift_keeps_what_was_asked(begin, make_campaign):
    campaign = make_campaign()
    donation = begin(
        amount="50", campaign=campaign.slug, anonymous="on", message="Good luck", name="Ann Lee"
    )
    assert donation.state == "open"
    assert (donation.amount_cents, donation.currency) == (5000, "USD")
    assert (donation.campaign, donation.designation) == (campaign, campaign.designation)
    assert (donation.donor_name, donation.email) == ("Ann Lee", "ann@example.org")
    assert (donation.is_anonymous, donation.message) == (True, "Good luck")
    assert (donation.goods_services, donation.livemode) == ("none", False)
    assert re.fullmatch(r"[\w-]{32}", donation.token)
    assert donation.form_token != donation.token


def test_form_sent_twice_leads_to_the_same_page(site, stripe, client, gift_form):
    fields = gift_form(preset="25")
    first, second = client.post("/donate/", fields), client.post("/donate/", fields)
    assert first["Location"] == second["Location"]
    assert (Donation.objects.count(), sessions_opened(stripe)) == (1, 1)


def test_form_changed_after_it_was_sent_is_shown_again(site, stripe, client, gift_form):
    fields = gift_form(preset="25")
    client.post("/donate/", fields)
    response = client.post("/donate/", {**fields, "preset": "100"})
    html = response.content.decode()
    assert response.status_code == 409
    assert "This form was sent before, and nothing was charged for it." in html
    again = form_fields(html)
    assert again["preset"] == "100"
    assert again["form_token"] != fields["form_token"]
    assert client.post("/donate/", again).status_code == 303
    assert sorted(Donation.objects.values_list("amount_cents", flat=True)) == [2500, 10000]


def test_form_of_a_paid_gift_leads_to_its_thanks(site, stripe, client, gift_form):
    fields = gift_form(preset="25")
    client.post("/donate/", fields)
    donation = Donation.objects.get()
    stripe.pay(donation)
    response = client.post("/donate/", fields)
    assert (response.status_code, response["Location"]) == (303, donation.get_absolute_url())
    assert sessions_opened(stripe) == 1


def test_form_of_an_expired_page_is_shown_again(site, stripe, client, gift_form):
    fields = gift_form(preset="25")
    client.post("/donate/", fields)
    stripe.control(f"sessions/{CheckoutAttempt.objects.get().session_id}/expire")
    assert client.post("/donate/", fields).status_code == 409
    assert Donation.objects.get().state == "expired"


def test_f1_killed_before_the_request_the_retry_uses_the_same_key(site, stripe, client, gift_form):
    fields = gift_form(preset="25")
    stripe.control("faults", path=SESSIONS, method="POST", times=1, status=429)
    assert client.post("/donate/", fields).status_code == 503
    attempt = CheckoutAttempt.objects.get()
    assert (attempt.session_id, attempt.donation.state) == (None, "draft")
    assert client.post("/donate/", fields).status_code == 303
    keys = {row["idempotency_key"] for row in stripe.requests(SESSIONS)}
    assert keys == {attempt.idempotency_key}
    assert (CheckoutAttempt.objects.count(), sessions_opened(stripe)) == (1, 1)


def test_f2_lost_reply_is_replayed(site, stripe, client, gift_form):
    fields = gift_form(preset="25")
    stripe.control("faults", path=SESSIONS, method="POST", times=2, drop_reply=True)
    response = client.post("/donate/", fields)
    assert response.status_code == 503
    assert DOWN in response.content.decode()
    assert sessions_opened(stripe) == 1  # it was opened, but we do not know
    again = form_fields(response.content.decode())
    assert again["form_token"] == fields["form_token"]
    assert client.post("/donate/", again).status_code == 303
    assert (Donation.objects.count(), sessions_opened(stripe)) == (1, 1)
    assert [row["replayed"] for row in stripe.requests(SESSIONS)] == [False, True, True]


def test_f2_payment_on_a_page_whose_address_we_never_got(begin, stripe, deliver):
    donation = begin()
    stripe.pay(donation)
    # The process died before it could write down what it had opened.
    CheckoutAttempt.objects.update(session_id=None, url="")
    Donation.objects.update(state="draft")
    deliver(*stripe.events())
    donation.refresh_from_db()
    assert donation.state == "paid"
    assert donation.needs_attention == ""
    assert donation.receipts.count() == 1


def test_error_kept_under_a_key_gets_a_new_key(site, stripe, client, gift_form):
    fields = gift_form(preset="25")
    stripe.control("faults", path=SESSIONS, method="POST", times=1, status=500)
    assert client.post("/donate/", fields).status_code == 503
    assert client.post("/donate/", fields).status_code == 303
    attempts = CheckoutAttempt.objects.order_by("number")
    assert [(a.number, a.is_spent) for a in attempts] == [(1, True), (2, False)]
    assert sessions_opened(stripe) == 1


@pytest.mark.parametrize("minutes", [5, 40])
def test_request_that_grew_too_old_gets_a_new_key(
    minutes, site, stripe, client, gift_form, time_machine
):
    start = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
    time_machine.move_to(start, tick=False)
    fields = gift_form(preset="25")
    stripe.control("faults", path=SESSIONS, method="POST", times=1, status=429)
    assert client.post("/donate/", fields).status_code == 503
    later = start + dt.timedelta(minutes=minutes)
    time_machine.move_to(later, tick=False)
    stripe.control("clock", now=later.isoformat())
    assert client.post("/donate/", fields).status_code == 303
    attempts = CheckoutAttempt.objects.order_by("number")
    assert [bool(attempt.session_id) for attempt in attempts] == [False, True]
    assert sessions_opened(stripe) == 1


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"status": 401},
                                   {"drop_reply": True}])  # fmt: skip
def test_f5_dead_stripe_is_said_before_money_moves(fault, site, stripe, client, gift_form):
    fields = gift_form(preset="other", amount="62.50", message="Hello")
    stripe.control("faults", path="/v1", times=9, **fault)
    response = client.post("/donate/", fields)
    assert response.status_code == 503
    assert response["Cache-Control"] == "private, no-store"
    assert DOWN in response.content.decode()
    assert form_fields(response.content.decode()) == {
        **fields, "csrfmiddlewaretoken": form_fields(response.content.decode())[
            "csrfmiddlewaretoken"
        ],
    }  # fmt: skip


def test_f5_no_stripe_at_all(site, client, gift_form, settings, stripe, make_campaign):
    fields = gift_form(preset="25")
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    response = client.post("/donate/", fields)
    assert response.status_code == 503
    assert DOWN in response.content.decode()
    assert client.get("/donate/").status_code == 200
    assert client.get(make_campaign().get_absolute_url()).status_code == 200


def test_email_that_stripe_refuses_is_answered_beside_the_field(site, stripe, client, gift_form):
    response = client.post("/donate/", gift_form(preset="25", email='"a@b"@example.org'))
    html = response.content.decode()
    assert response.status_code == 200
    assert "The card processor does not take this email address." in html
    again = {**form_fields(html), "email": "ann@example.org"}
    assert client.post("/donate/", again).status_code == 303


def test_d8_start_refuses_without_an_ein(db, stripe):
    wish = checkout.Wish(
        form_token="x" * 32, chosen_cents=5000, campaign=None, donor_name="Ann", email="a@b.org"
    )
    with pytest.raises(checkout.GiftsClosed):
        checkout.start(wish)
    assert Donation.objects.count() == 0


def test_cancel_leads_back_with_the_amount(begin, stripe, client):
    begin(amount="62.50")
    [request] = stripe.requests(SESSIONS)
    page = client.get(request["params"]["cancel_url"])
    fields = form_fields(page.content.decode())
    assert (fields["preset"], fields["amount"]) == ("other", "62.50")
    assert "cover_fees" not in fields


def test_cancel_leads_back_with_the_fee_still_covered(begin, stripe, client):
    begin(amount="62.50", cover_fees="on")
    [request] = stripe.requests(SESSIONS)
    fields = form_fields(client.get(request["params"]["cancel_url"]).content.decode())
    assert (fields["amount"], fields["cover_fees"]) == ("62.50", "on")
