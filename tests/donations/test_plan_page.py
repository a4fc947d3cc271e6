"""A donor's page for a gift that repeats: what it shows, and each wish carried out once (D24)."""

import datetime as dt

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from donations import changing, sync
from donations.models import PlanChange, RecurringGift
from sistercities.shared.models import OutgoingMessage

SUBSCRIPTIONS = "/v1/subscriptions"


@pytest.fixture
def plan(give_plan, at):
    at("2026-11-21")
    return give_plan()


@pytest.fixture
def wish(client, plan):
    """`wish("amount", amount="40")`: one of the page's forms is sent; the response."""

    def send(action: str, *, number: int | None = None, **fields):
        number = changing.next_number(plan) if number is None else number
        fields = {"action": action, "number": number, **fields}
        response = client.post(f"{plan.get_absolute_url()}change/", fields)
        plan.refresh_from_db()
        return response

    return send


@pytest.fixture
def stop(client, plan):
    def send(number: int = 1):
        response = client.post(f"{plan.get_absolute_url()}stop/", {"number": number})
        plan.refresh_from_db()
        return response

    return send


def page(client, plan) -> str:
    return client.get(plan.get_absolute_url()).content.decode()


def subscription(stripe) -> dict:
    return stripe.objects("subscription")[0]


def changes_sent(stripe) -> int:
    return len(stripe.requests(SUBSCRIPTIONS)) + len(stripe.requests(SUBSCRIPTIONS, "DELETE"))


# --- what it shows ----------------------------------------------------------------------------


def test_page_shows_the_gift_and_is_for_its_donor_alone(client, plan, renew, at):
    at("2026-12-21")
    renew(plan)
    response = client.get(plan.get_absolute_url())
    html = response.content.decode()
    for words in (
        "Your monthly gift", "$25.00", "Each month", "Active", "January 21, 2027",
        "November 21, 2026", "December 21, 2026", "2026-000001", "2026-000002",
    ):  # fmt: skip
        assert words in html
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "same-origin"
    assert '<meta name="robots" content="noindex,nofollow">' in html


def test_d23_return_page_reads_and_thanks(client, begin_plan, stripe):
    plan = begin_plan()
    assert "One moment" in page(client, plan)
    stripe.pay(plan)
    html = client.get(f"{plan.get_absolute_url()}?session_id=cs_test_x").content.decode()
    assert "<h1>Thank you</h1>" in html
    assert "2026-000001" in html
    assert plan.donations.count() == 1


def test_page_waits_while_stripe_is_down(client, begin_plan, stripe):
    plan = begin_plan()
    stripe.control("faults", path="/v1", times=9, status=503)
    assert "One moment" in page(client, plan)


def test_gift_that_never_began_says_so(client, begin_plan, stripe):
    plan = begin_plan()
    stripe.control(f"sessions/{plan.attempts.get().session_id}/expire")
    assert "This gift did not begin" in page(client, plan)


@pytest.mark.parametrize("path", ["", "change/", "card/", "stop/"])
def test_another_token_opens_nothing(path, client, plan):
    gift = plan.donations.get()
    for token in ("nonsense", gift.token, plan.form_token):
        address = f"/donate/recurring/{token}/{path}"
        assert client.post(address).status_code in {404, 405}
        assert client.get(address).status_code in {404, 405}


def test_number_of_queries_does_not_grow_with_the_gifts(client, plan, renew, at):
    from django.db import connection

    with CaptureQueriesContext(connection) as few:
        page(client, plan)
    for month in ("2026-12", "2027-01", "2027-02", "2027-03"):
        at(f"{month}-21")
        renew(plan)
    with CaptureQueriesContext(connection) as many:
        html = page(client, plan)
    assert "2027-000003" in html
    assert len(many) == len(few) <= 8


def test_forms_are_guarded_against_forgery(plan):
    guarded = Client(enforce_csrf_checks=True)
    for path in ("change/", "card/", "stop/"):
        assert guarded.post(f"{plan.get_absolute_url()}{path}").status_code == 403


# --- changes ----------------------------------------------------------------------------------


def test_amount_changes_from_the_next_gift_on(wish, plan, stripe, renew, at, client):
    response = wish("amount", amount="$40.50")
    assert (response.status_code, response["Location"]) == (303, plan.get_absolute_url())
    assert (plan.amount_cents, plan.donations.get().amount_cents) == (4050, 2500)
    assert "$40.50" in page(client, plan)
    [request] = stripe.requests(SUBSCRIPTIONS)
    assert request["idempotency_key"] == f"plan:{plan.token}:amount:1"
    assert request["params"]["proration_behavior"] == "none"
    at("2026-12-21")
    renew(plan)
    assert list(plan.donations.order_by("pk").values_list("amount_cents", flat=True)) == [
        2500, 4050,
    ]  # fmt: skip


def test_amount_of_a_gift_that_covered_the_fee_is_the_whole_charge(client, give_plan):
    plan = give_plan(cover_fees="on")
    address = f"{plan.get_absolute_url()}change/"
    client.post(address, {"action": "amount", "number": "1", "amount": "30"})
    plan.refresh_from_db()
    assert (plan.amount_cents, plan.covered_fee_cents) == (3000, 0)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("4.99", "The smallest gift that we can take by card is $5."),
        ("25001", "The largest gift that we can take online is $25,000."),
        ("-5", "Please write an amount above zero"),
        ("", "Please write an amount, such as 25."),
        ("many", "This is not an amount."),
    ],
)
def test_bad_amount_is_answered_beside_its_field(typed, said, wish, plan, stripe):
    html = wish("amount", amount=typed).content.decode()
    assert f'<div id="id_amount_error" class="invalid-feedback">{said}' in html
    assert f'value="{typed}"' in html
    assert (plan.amount_cents, plan.changes.count(), changes_sent(stripe)) == (2500, 0, 0)


@pytest.mark.parametrize(
    ("day", "then"), [("5", "2026-12-05"), ("28", "2026-12-28"), ("21", "2026-12-21")]
)
def test_day_moves_without_a_charge(day, then, wish, plan, stripe, renew, at):
    wish("day", value=day)
    assert (plan.state, plan.next_on) == ("active", dt.date.fromisoformat(then))
    assert plan.donations.count() == 1
    at("2026-12-29")
    renew(plan)
    assert plan.donations.count() == 2
    assert plan.next_on == dt.date(2027, 1, int(day))


def test_next_gift_is_skipped_once(wish, plan, renew, at, hand_over_new):
    wish("skip")
    assert (plan.state, plan.next_on) == ("paused", dt.date(2027, 1, 21))
    at("2026-12-21")
    renew(plan)
    assert plan.donations.count() == 1
    at("2027-01-21")
    renew(plan)
    assert (plan.state, plan.donations.count()) == ("active", 2)
    assert plan.next_on == dt.date(2027, 2, 21)


@pytest.mark.parametrize(("months", "then"), [("1", "2027-01-21"), ("2", "2027-02-21"),
                                              ("3", "2027-03-21")])  # fmt: skip
def test_pause_leaves_out_so_many_gifts(months, then, wish, plan, client, at):
    at("2026-11-22")
    wish("pause", value=months)
    assert (plan.state, plan.next_on) == ("paused", dt.date.fromisoformat(then))
    wish("resume")
    assert (plan.state, plan.next_on) == ("active", dt.date(2026, 12, 21))


def test_yearly_gift_is_skipped_but_not_paused_by_months(client, give_plan, at):
    at("2026-11-21")
    plan = give_plan(frequency="yearly")
    assert changing.possible(plan) == {"amount", "day", "skip", "cancel"}
    client.post(f"{plan.get_absolute_url()}change/", {"action": "skip", "number": "1"})
    plan.refresh_from_db()
    assert plan.next_on == dt.date(2028, 11, 21)


@pytest.mark.parametrize(
    "fields",
    [
        {"action": ""}, {"action": "cancel"}, {"action": "steal"},
        {"action": "day", "value": "0"}, {"action": "day", "value": "29"}, {"action": "day"},
        {"action": "pause", "value": "4"}, {"action": "pause", "value": "x"},
        {"action": "skip", "number": ""}, {"action": "skip", "number": "-1"},
        {"action": "skip", "number": "9" * 30}, {"action": "skip", "number": "١"},
    ],
)  # fmt: skip
def test_what_is_not_understood_changes_nothing(fields, client, plan, stripe):
    answer = client.post(f"{plan.get_absolute_url()}change/", {"number": "1", **fields})
    assert answer.status_code == 400
    assert "This was not understood, and nothing was changed." in answer.content.decode()
    assert (PlanChange.objects.count(), changes_sent(stripe)) == (0, 0)


def test_what_the_state_does_not_allow_is_said(wish, stop, plan, stripe):
    stop()
    answer = wish("skip")
    assert answer.status_code == 409
    assert "This cannot be done at present." in answer.content.decode()
    assert changes_sent(stripe) == 1


# --- once, whatever fails ---------------------------------------------------------------------


def test_button_pressed_twice_changes_once(wish, plan, stripe):
    assert [wish("skip", number=1).status_code for _ in range(2)] == [303, 303]
    assert (plan.changes.count(), changes_sent(stripe)) == (1, 1)


def test_page_that_is_out_of_date_changes_nothing(wish, plan, stripe):
    wish("amount", number=1, amount="40")
    for number in (1, 3):
        answer = wish("amount", number=number, amount="90")
        assert answer.status_code == 409
        assert "This page was out of date." in answer.content.decode()
    assert (plan.amount_cents, changes_sent(stripe)) == (4000, 1)


def test_f5_stripe_is_down_before_anything_was_kept(wish, plan, stripe):
    stripe.control("faults", path="/v1", times=9, status=503)
    answer = wish("amount", amount="40")
    assert answer.status_code == 409
    assert "We cannot reach our card processor at the moment. Nothing was changed." in (
        answer.content.decode()
    )
    assert plan.changes.count() == 0


def test_lost_reply_is_repeated_under_the_same_key(wish, plan, stripe, client):
    stripe.control("faults", path=SUBSCRIPTIONS, method="POST", times=2, drop_reply=True)
    wish("amount", amount="40")
    assert plan.changes.get().state == "asked"
    assert "We carry it out as soon as it does" in page(client, plan)
    assert sync.sweep() == 1
    plan.refresh_from_db()
    assert (plan.amount_cents, plan.changes.get().state) == (4000, "done")
    rows = stripe.requests(SUBSCRIPTIONS)
    assert {row["idempotency_key"] for row in rows} == {f"plan:{plan.token}:amount:1"}
    assert [row["replayed"] for row in rows] == [False, True, True]
    assert sync.sweep() == 0


def test_d24_stop_is_kept_while_stripe_is_down_and_carried_out_later(stop, plan, stripe, client):
    stripe.control("faults", path="/v1", times=99, status=429)
    assert stop().status_code == 303
    assert plan.state == "active"
    assert "We carry it out as soon as it does" in page(client, plan)
    stripe.control("faults", path="/v1", times=0)
    assert sync.sweep() == 1
    plan.refresh_from_db()
    assert (plan.state, plan.changes.get().state) == ("canceled", "done")


def test_later_wish_overtakes_one_that_waits(wish, stop, plan, stripe):
    stripe.control("faults", path=SUBSCRIPTIONS, method="POST", times=2, status=429)
    wish("amount", amount="40")
    stop(number=2)
    assert plan.state == "canceled"
    assert list(plan.changes.values_list("action", "state")) == [
        ("amount", "dropped"), ("cancel", "done"),
    ]  # fmt: skip
    assert sync.sweep() == 0


def test_wish_that_waits_too_long_is_given_up_but_a_stop_never(wish, plan, stripe, later):
    stripe.control("faults", path=SUBSCRIPTIONS, method="POST", times=2, status=429)
    wish("amount", amount="40")
    PlanChange.objects.update(asked_at=dt.datetime(2026, 11, 20, tzinfo=dt.UTC))
    sync.sweep()
    assert plan.changes.get().state == "refused"
    plan.refresh_from_db()
    assert plan.amount_cents == 2500


def test_refusal_is_said(wish, plan, stripe):
    stripe.control("faults", path=SUBSCRIPTIONS, method="POST", times=1, status=400)
    answer = wish("amount", amount="40")
    assert answer.status_code == 409
    assert "Our card processor did not take this." in answer.content.decode()
    assert plan.changes.get().state == "refused"
    assert wish("amount", amount="40").status_code == 303
    assert plan.amount_cents == 4000


# --- the end ----------------------------------------------------------------------------------


def test_d24_two_clicks_stop_the_chosen_gift_only(client, plan, give_plan, stripe):
    other = give_plan(amount="60")
    assert plan.email == other.email
    first = page(client, plan)
    assert f'href="{plan.get_absolute_url()}stop/"' in first
    asked = client.get(f"{plan.get_absolute_url()}stop/")
    assert "Stop this gift?" in asked.content.decode()
    assert "$25.00 each month" in asked.content.decode()
    assert asked["Referrer-Policy"] == "same-origin"
    plan.refresh_from_db()
    assert plan.state == "active"  # GET asks, POST acts
    answer = client.post(f"{plan.get_absolute_url()}stop/", {"number": "1"})
    assert answer.status_code == 303
    html = page(client, plan)
    assert "Your gift of $25.00 has ended. Nothing more will be taken." in html
    assert "2026-000001" in html
    assert "<form" not in html.split("<main")[1].split("</main")[0]
    states = dict(RecurringGift.objects.values_list("pk", "state"))
    assert states == {plan.pk: "canceled", other.pk: "active"}
    [letter] = OutgoingMessage.objects.filter(key__endswith=":ended")
    assert "Your gift of $25.00 to Arvada Sister Cities International is stopped." in letter.text


def test_page_shows_a_change_that_was_made_while_the_plan_was_busy(
    stop, plan, client, monkeypatch, at
):
    at("2026-11-22")
    monkeypatch.setattr(changing, "WAIT", 0.1)
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    RecurringGift.objects.update(lease="an event", lease_until=soon)
    stop()
    assert (plan.state, plan.changes.get().state) == ("active", "done")
    RecurringGift.objects.update(lease="", lease_until=None)
    assert "has ended. Nothing more will be taken." in page(client, plan)


def test_stopped_elsewhere_and_then_here(stop, plan, stripe):
    changing.provider.cancel_plan(plan_ref=plan.provider_reference)
    assert stop().status_code == 303
    assert (plan.state, plan.changes.get().state) == ("canceled", "done")


def test_stop_page_of_an_ended_gift_leads_back(client, stop, plan):
    stop()
    answer = client.get(f"{plan.get_absolute_url()}stop/")
    assert (answer.status_code, answer["Location"]) == (302, plan.get_absolute_url())


def test_failing_gift_can_be_stopped(stop, plan, renew, at, stripe):
    at("2026-12-21")
    renew(plan, result="failed")
    stop()
    assert plan.state == "canceled"
    assert stripe.objects("invoice")[-1]["next_payment_attempt"] is None


# --- another card -----------------------------------------------------------------------------


def test_failing_card_is_mended_in_the_portal(client, plan, renew, at, stripe, hand_over_new):
    import requests

    at("2026-12-21")
    renew(plan, result="failed")
    html = page(client, plan)
    assert "Your card did not pay the last gift" in html
    assert plan.pay_url in html
    answer = client.post(f"{plan.get_absolute_url()}card/")
    assert answer.status_code == 303
    back = requests.post(answer["Location"], timeout=10, allow_redirects=False)
    assert back.headers["Location"].endswith(plan.get_absolute_url())
    hand_over_new()
    plan.refresh_from_db()
    assert (plan.state, plan.pay_url) == ("active", "")
    assert plan.donations.filter(state="paid").count() == 2


def test_portal_that_cannot_be_opened_is_said(client, plan, stripe):
    stripe.control("faults", path="/v1/billing_portal", times=9, status=503)
    answer = client.post(f"{plan.get_absolute_url()}card/")
    assert answer.status_code == 503
    assert "We cannot reach our card processor at the moment." in answer.content.decode()


# --- staff ------------------------------------------------------------------------------------


def test_staff_stops_a_gift_for_a_donor_who_phones(admin_client, admin_user, plan, stripe):
    address = f"/admin/donations/recurringgift/{plan.pk}/"
    assert f"{address}cancel/" in admin_client.get(f"{address}change/").content.decode()
    assert "It stops at once" in admin_client.get(f"{address}cancel/").content.decode()
    answer = admin_client.post(f"{address}cancel/", {"number": "1"}, follow=True)
    assert "The gift is stopped. The donor is told by mail." in answer.content.decode()
    plan.refresh_from_db()
    assert (plan.state, plan.changes.get().asked_by) == ("canceled", admin_user)
    assert "This gift has ended" in admin_client.get(f"{address}cancel/").content.decode()


def test_staff_without_the_permission_cannot_stop_a_gift(client, django_user_model, plan, stripe):
    from django.contrib.auth.models import Permission

    staff = django_user_model.objects.create_user("ann", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_recurringgift"))
    client.force_login(staff)
    address = f"/admin/donations/recurringgift/{plan.pk}/"
    html = client.get(f"{address}change/").content.decode()
    assert "$25.00" in html
    assert f"{address}cancel/" not in html
    assert client.post(f"{address}cancel/", {"number": "1"}).status_code == 403
    assert changes_sent(stripe) == 0


def test_staff_finds_failing_gifts(client, admin_user, plan, give_plan, renew, at):
    give_plan(name="Bob Ray", email="bob@example.org")
    at("2026-12-21")
    renew(plan, result="failed")
    client.force_login(admin_user)
    html = client.get("/admin/donations/recurringgift/?card=failing").content.decode()
    assert "Ann Lee" in html
    assert "Bob Ray" not in html
    gift = plan.donations.earliest("pk")
    html = client.get(f"/admin/donations/donation/{gift.pk}/change/").content.decode()
    assert f"/admin/donations/recurringgift/{plan.pk}/change/" in html
