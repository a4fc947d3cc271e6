"""Tickets to events: price = fair value + gift, and no seat sold twice (giving.md D9, D10)."""

import datetime as dt
import re
import time
from threading import Event as Flag

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client

from donations import documents, reconciling, selling, statements, taking_back
from donations.models import Donation, LedgerPosting, Ticket, TicketLine
from exchanges.models import Event
from sistercities.shared.models import OutgoingMessage

from .conftest import form_fields
from .test_races import together
from .test_receipt_register import a_lost_day, receipts
from .test_statements import has_words

PAGE = "/donate/tickets/dinner/"
LIST = "/admin/donations/ticketline/"


@pytest.fixture
def dinner(site, home_city, time_machine):
    """An evening in three months; the middle of a window in which tries are counted."""
    time_machine.move_to(dt.datetime(2026, 11, 22, 18, 5, tzinfo=dt.UTC))
    return Event.objects.create(
        title="Friendship Dinner", slug="dinner", summary="Eat with our guests.",
        starts_on=dt.date(2027, 2, 6), starts_at=dt.time(18), place="The Grange",
        address="5900 Olde Wadsworth Blvd", status="published",
        publish_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )  # fmt: skip


@pytest.fixture
def make_ticket(dinner):
    """`make_ticket(10000, 4000)`: a seat for $100 of which $40 is the dinner."""

    def make(price: int = 10_000, value: int | None = 4000, **fields) -> Ticket:
        values = {"title": "Seat at the dinner", "what": "the dinner", "event": dinner, **fields}
        ticket = Ticket(price_cents=price, value_cents=value, **values)
        ticket.full_clean()
        ticket.save()
        return ticket

    return make


@pytest.fixture
def order_form(client):
    """`order_form(seats)`: what the page posts: `{ticket: 2}` seats, keywords as typed."""

    def fill(seats: dict[Ticket, int], **fields) -> dict:
        typed = form_fields(client.get(PAGE).content.decode())
        chosen = {f"seats-{ticket.pk}": str(count) for ticket, count in seats.items()}
        return {**typed, "name": "Ann Lee", "email": "ann@example.org", **chosen, **fields}

    return fill


@pytest.fixture
def order(stripe, client, order_form, no_proof):
    """`order({ticket: 2})`: an order whose buyer stands at the hosted page."""

    def begin(seats: dict[Ticket, int], **fields) -> Donation:
        answer = client.post(PAGE, order_form(seats, **fields))
        assert answer.status_code == 303, answer.content.decode()
        session = re.search(r"cs_test_\w+", answer["Location"])[0]
        return Donation.objects.get(attempts__session_id=session)

    return begin


@pytest.fixture
def buy(order, stripe, hand_over_new):
    """`buy({ticket: 2})`: an order that was paid and of which all events have arrived."""

    def pay(seats: dict[Ticket, int], **fields) -> Donation:
        gift = order(seats, **fields)
        stripe.pay(gift, fee=320)
        hand_over_new()
        gift.refresh_from_db()
        return gift

    return pay


def left(ticket: Ticket) -> int | None:
    return Ticket.objects.with_taken().get(pk=ticket.pk).left


# --- what is said before and after paying ---------------------------------------------------


def test_d9_split_is_said_before_anybody_pays(client, make_ticket):
    make_ticket()
    said = "$40 is the dinner (our estimate in good faith), $60 is your gift and may be deductible."
    for page in (PAGE, "/events/dinner/"):
        html = client.get(page).text
        assert "Seat at the dinner <span>$100</span>" in html
        assert said in html
    assert "You can deduct at most the part that is your gift." in client.get(PAGE).text


@pytest.mark.parametrize("price", [500, 7500, 7501, 10_000])
def test_d9_disclosure_has_no_smallest_price(price, client, make_ticket):
    """The law asks from $75.01 on; we say it for $75.00 and for less as well."""
    assert make_ticket(price, 400).split in client.get(PAGE).content.decode()


def test_d9_hundred_dollars_for_a_forty_dollar_dinner(buy, make_ticket):
    gift = buy({make_ticket(): 2})
    assert (gift.state, gift.amount_cents, gift.benefit_cents) == ("paid", 20_000, 8000)
    assert (gift.benefit, gift.designation) == (
        "2 × Seat at the dinner", "Tickets: Friendship Dinner",
    )  # fmt: skip
    receipt = gift.receipts.get()
    assert receipt.inputs["deductible_cents"] == 12_000
    assert receipt.inputs["statement"] == (
        "In return you received: 2 × Seat at the dinner. We estimate in good faith that it is "
        "worth $80.00. What you can deduct is at most what you gave beyond that: $120.00."
    )
    assert has_words(documents.receipt_pdf(receipt), "$200.00", "$80.00", "$120.00") == [True] * 3
    year = statements.Period.parse("2026")
    found = statements.statement(donor=gift.donor, period=year)
    assert (found.given_cents, found.value_cents, found.deductible_cents) == (20_000, 8000, 12_000)
    books = LedgerPosting.objects.all().balances()
    assert (books["gift_revenue"], books["processing_fees"]) == (-20_000, 320)


def test_d9_ticket_without_a_gift_leaves_nothing_to_deduct(buy, make_ticket, client):
    ticket = make_ticket(1500, 1500)
    assert "No part is a gift, and none can be deducted." in client.get(PAGE).text
    gift = buy({ticket: 1})
    said = "You gave no more than that, so you cannot deduct any of it."
    assert gift.receipts.get().inputs["statement"].endswith(said)
    assert gift.receipts.get().inputs["deductible_cents"] == 0
    html = client.get(gift.get_absolute_url()).content.decode()
    assert "at most this can be deducted</td><td>$0.00</td>" in html


def test_d9_seat_that_is_free_to_all_is_a_gift_alone(buy, make_ticket, client):
    ticket = make_ticket(5000, 0)
    assert "All of it is your gift and may be deductible." in client.get(PAGE).text
    gift = buy({ticket: 1})
    assert (gift.goods_services, gift.benefit, gift.benefit_cents) == ("none", "", 0)
    assert "No goods or services" in gift.receipts.get().inputs["statement"]
    assert "1 × Seat at the dinner" in client.get(gift.get_absolute_url()).text


def test_two_kinds_in_one_order_are_one_payment(buy, make_ticket, stripe):
    adult = make_ticket()
    child = make_ticket(1500, 1500, title="Child's seat", order=1)
    gift = buy({adult: 2, child: 1})
    assert (gift.amount_cents, gift.benefit_cents) == (21_500, 9500)
    assert gift.benefit == "2 × Seat at the dinner, 1 × Child's seat"
    lines = gift.ticket_lines.order_by("pk").values_list("quantity", "price_cents", "value_cents")
    assert list(lines) == [(2, 10_000, 4000), (1, 1500, 1500)]
    [asked] = stripe.requests("/v1/checkout/sessions")
    assert gift.benefit in str(asked)
    assert "Gift:" not in str(asked)


def test_letter_says_what_was_bought_when_and_where(buy, make_ticket):
    buy({make_ticket(): 2})
    letter = OutgoingMessage.objects.get(to="ann@example.org")
    assert letter.subject == "TEST Your tickets for Friendship Dinner: receipt 2026-000001"
    for body in (letter.text, letter.html):
        for said in (
            "2 × Seat at the dinner", "February 6, 2027", "Sat 6 p.m.", "The Grange",
            "5900 Olde Wadsworth Blvd", "/events/dinner/", "This receipt is your ticket",
        ):  # fmt: skip
            assert said in body, said


def test_thanks_page_shows_seats_and_split(buy, make_ticket, client):
    html = client.get(buy({make_ticket(): 2}).get_absolute_url()).content.decode()
    for said in (
        "Your seats are booked: Friendship Dinner.", "2 × Seat at the dinner", "February 6, 2027",
        "The Grange", "$200.00", "<td>$80.00</td>", "<td>$120.00</td>", 'href="/events/dinner/"',
    ):  # fmt: skip
        assert said in html, said


def test_desk_shows_tickets_by_themselves(buy, make_ticket, admin_client, make_campaign):
    campaign = make_campaign()
    buy({make_ticket(): 1})
    html = admin_client.get("/admin/donations/donation/desk/").content.decode()
    assert '<th scope="row">Tickets: Friendship Dinner</th><td>1</td><td>$100.00</td>' in html
    assert type(campaign).objects.with_raised().get().raised_cents == 0


# --- what can be bought ---------------------------------------------------------------------


def test_d10_ticket_without_a_value_cannot_be_bought_and_is_reported(
    client, make_ticket, order_form, admin_client
):
    ticket = make_ticket(value=None)
    assert "No tickets are on sale" in client.get(PAGE).text
    assert "Choose your seats" not in client.get("/events/dinner/").text
    make_ticket(title="Other")
    answer = client.post(PAGE, order_form({ticket: 1}))
    assert "Please choose how many seats" in answer.text
    assert Donation.objects.count() == 0
    desk = admin_client.get("/admin/donations/donation/desk/").content.decode()
    assert "1 ticket on sale has no fair value, so nobody can buy it." in desk
    address = re.search(r'"(/admin/donations/ticket/\?[^"]+)"', desk)[1].replace("&amp;", "&")
    listed = admin_client.get(address).content.decode()
    assert "1 ticket" in listed
    assert "missing: it cannot be bought" in listed


@pytest.mark.parametrize(
    "change",
    [
        {"is_on_sale": False},
        {"sale_ends_on": dt.date(2026, 11, 21)},
        {"event": {"starts_on": dt.date(2026, 11, 21)}},
        {"event": {"status": "draft"}},
    ],
)
def test_ticket_that_is_not_on_sale_is_not_sold(change, client, make_ticket, order_form, stripe):
    ticket = make_ticket()
    fields = order_form({ticket: 1})
    if "event" in change:
        Event.objects.update(**change["event"])
    else:
        Ticket.objects.update(**change)
    answer = client.post(PAGE, fields)
    assert answer.status_code == (404 if "status" in change.get("event", {}) else 409)
    assert (Donation.objects.count(), stripe.requests("/v1")) == (0, [])


def test_last_day_of_the_sale_counts(client, make_ticket):
    make_ticket(sale_ends_on=dt.date(2026, 11, 22))
    assert "Seat at the dinner" in client.get(PAGE).text


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 0), "Please choose how many seats you would like."),
        ((6, 5), "At most 10 seats can be bought at once."),
        ((11, 0), "Please choose a number from the list."),
        (("-1", 0), "Please choose a number from the list."),
        (("x", 0), "Please choose a number from the list."),
        ((0, 1), "The smallest sum that we can take by card is $5."),
    ],
)
def test_numbers_that_are_refused(counts, said, client, make_ticket, order_form):
    first, cheap = make_ticket(), make_ticket(300, 100, title="Tea")
    answer = client.post(PAGE, order_form({first: counts[0], cheap: counts[1]}))
    assert said in answer.text
    assert Donation.objects.count() == 0


def test_price_that_changed_meanwhile_is_not_charged(client, make_ticket, order_form, stripe):
    """Nobody pays for another split than the one that was read (D9)."""
    ticket = make_ticket()
    fields = order_form({ticket: 1})
    Ticket.objects.update(value_cents=5000)
    answer = client.post(PAGE, fields)
    assert "The tickets have changed since you opened this page." in answer.text
    assert Donation.objects.count() == 0
    seen = {"offer": form_fields(answer.text)["offer"]}
    assert client.post(PAGE, fields | seen).status_code == 303
    assert Donation.objects.get().benefit_cents == 5000


def test_price_cannot_be_below_the_value(make_ticket):
    with pytest.raises(ValidationError, match="between zero and the price"):
        make_ticket(4000, 4001)
    with pytest.raises(IntegrityError), transaction.atomic():
        Ticket.objects.create(
            event=Event.objects.get(), title="x", what="x", price_cents=100, value_cents=101
        )


def test_tickets_pass_the_same_guards_as_gifts(site, client, make_ticket, order_form, stripe):
    ticket = make_ticket()
    codes = [
        client.post(PAGE, order_form({ticket: 1}, email=f"a{number}@example.org")).status_code
        for number in range(6)
    ]
    assert codes == [303] * 5 + [429]


# --- no seat is sold twice ------------------------------------------------------------------


def test_seats_are_kept_while_a_payment_page_is_open(order, make_ticket, client, order_form):
    ticket = make_ticket(places=3)
    fields = order_form({ticket: 2})
    order({ticket: 2})
    assert left(ticket) == 1
    assert "1 left." in client.get(PAGE).text
    answer = client.post(PAGE, fields)
    assert answer.status_code == 409
    assert "Seat at the dinner: only 1 seat is left. Nothing was charged." in answer.text
    assert Donation.objects.count() == TicketLine.objects.count() == 1
    order({ticket: 1})
    html = client.get(PAGE).text
    assert "Sold out" in html
    assert "All seats are taken." in html
    assert "<select" not in html.split("<main")[1].split("</main")[0]


def test_form_that_comes_twice_is_not_told_that_its_own_seats_are_gone(
    client, make_ticket, order_form, stripe
):
    ticket = make_ticket(places=2)
    fields = order_form({ticket: 2})
    first, second = client.post(PAGE, fields), client.post(PAGE, fields)
    assert first["Location"] == second["Location"]
    assert (Donation.objects.count(), left(ticket)) == (1, 0)
    assert client.post(PAGE, {**fields, f"seats-{ticket.pk}": "1"}).status_code == 409


def test_buyer_who_comes_back_is_not_kept_out_by_the_own_seats(order, make_ticket, stripe, client):
    ticket = make_ticket(places=4)
    first = order({ticket: 4})
    page = stripe.objects("checkout.session")[0]["cancel_url"].partition("/donate/")[2]
    html = client.get(f"/donate/{page}").content.decode()
    assert "You left the payment page. Nothing was charged." in html
    fields = {**form_fields(html), "name": "Ann Lee", "email": "ann@example.org"}
    assert fields["left"] == first.token
    answer = client.post(PAGE, {**fields, f"seats-{ticket.pk}": "3"})
    assert answer.status_code == 303
    states = Donation.objects.order_by("pk").values_list("state", "amount_cents")
    assert list(states) == [("expired", 40_000), ("open", 30_000)]
    assert left(ticket) == 1
    assert {row["status"] for row in stripe.objects("checkout.session")} == {"open", "expired"}


def test_buyer_who_paid_after_all_does_not_pay_twice(
    order, make_ticket, stripe, client, order_form
):
    ticket = make_ticket(places=4)
    first = order({ticket: 2})
    fields = order_form({ticket: 2}, left=first.token)
    stripe.pay(first, fee=320)
    answer = client.post(PAGE, fields)
    assert answer["Location"] == first.get_absolute_url()
    first.refresh_from_db()
    assert (first.state, Donation.objects.count()) == ("paid", 1)


def test_page_that_ended_gives_its_seats_back(order, make_ticket, stripe, hand_over_new):
    ticket = make_ticket(places=2)
    gift = order({ticket: 2})
    stripe.control(f"sessions/{gift.attempts.get().session_id}/expire")
    hand_over_new()
    assert left(ticket) == 2


def test_seats_come_back_by_time_even_if_nobody_tells_us(order, make_ticket, later):
    ticket = make_ticket(places=2)
    order({ticket: 2})
    later(minutes=35)  # the page is over, its last payment may still be told
    assert left(ticket) == 0
    later(minutes=2)
    assert left(ticket) == 2


def test_payment_after_the_seats_were_given_to_others_waits_for_a_person(
    order, make_ticket, stripe, later, hand_over_new, admin_client
):
    """The money was taken: it is booked and receipted, and staff must find room or give it back."""
    ticket = make_ticket(places=2)
    late = order({ticket: 2})
    stripe.pay(late, fee=320)
    later(minutes=40)
    other = order({ticket: 1}, email="bo@example.org")
    hand_over_new()
    late.refresh_from_db()
    assert (late.state, late.receipts.count()) == ("paid", 1)
    assert late.needs_attention == (
        "2 × Seat at the dinner was paid after the seats had been given to others; 1 can be had. "
        "Find room, or give the money back."
    )
    assert left(ticket) == 0
    stripe.pay(other, fee=320)
    hand_over_new()
    other.refresh_from_db()
    assert (other.state, other.needs_attention) == ("paid", "")  # its seat was kept for it
    assert LedgerPosting.objects.all().balances()["gift_revenue"] == -30_000
    assert "Ann Lee" in admin_client.get(f"{LIST}?seats=odd").content.decode()


def test_late_payment_with_seats_to_spare_is_like_any_other(
    order, make_ticket, stripe, later, hand_over_new
):
    ticket = make_ticket(places=2)
    gift = order({ticket: 2})
    stripe.pay(gift, fee=320)
    later(minutes=40)
    assert left(ticket) == 2
    hand_over_new()
    gift.refresh_from_db()
    assert (gift.state, gift.needs_attention, left(ticket)) == ("paid", "", 0)


def test_bank_debit_keeps_its_seats_for_days(order, make_ticket, stripe, later, hand_over_new):
    ticket = make_ticket(places=2)
    gift = order({ticket: 2})
    stripe.pay(gift, payment_status="unpaid")
    hand_over_new()
    later(days=2)
    assert left(ticket) == 0


def test_test_money_holds_no_seats_once_the_site_is_live(buy, make_ticket, settings):
    ticket = make_ticket(places=2)
    buy({ticket: 2})
    settings.STRIPE_LIVE_MODE = True
    assert left(ticket) == 2


@pytest.mark.django_db(transaction=True)
def test_two_buyers_of_the_last_seat(make_ticket, order_form, stripe, no_proof):
    """One has it, the other is told so; nobody is sent to pay for a seat that is not there."""
    ticket = make_ticket(places=1)
    forms = [order_form({ticket: 1}, email=f"a{number}@example.org") for number in range(4)]
    answers = together(*(lambda form=form: Client().post(PAGE, form) for form in forms))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    refused = [answer.text for answer in answers if answer.status_code == 409]
    assert all("Seat at the dinner: sold out. Nothing was charged." in text for text in refused)
    assert (Donation.objects.count(), TicketLine.objects.count(), left(ticket)) == (1, 1, 0)
    assert len(stripe.objects("checkout.session")) == 1


@pytest.mark.django_db(transaction=True)
def test_orders_of_two_kinds_at_once_do_not_wait_for_each_other(
    make_ticket, order_form, stripe, no_proof
):
    first, second = make_ticket(places=3), make_ticket(title="Table seat", order=1, places=3)
    forms = [
        order_form({first: 1, second: 1}, email=f"a{number}@example.org") for number in range(4)
    ]
    answers = together(*(lambda form=form: Client().post(PAGE, form) for form in forms))
    assert sorted(answer.status_code for answer in answers) == [303, 303, 303, 409]
    assert (left(first), left(second)) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_late_payment_while_somebody_else_asks_for_the_seat(
    make_ticket, order_form, stripe, no_proof, client, later
):
    """While a payment is being booked nobody is told that its seat is free."""
    ticket = make_ticket(places=1)
    client.post(PAGE, order_form({ticket: 1}))
    late = Donation.objects.get()
    later(minutes=40)
    form = order_form({ticket: 1}, email="bo@example.org")
    is_booking = Flag()

    def book() -> list[str]:
        """The end of `sync`, as slow as if the receipt took its time."""
        with transaction.atomic():
            found = list(selling.shortages(donation=late))
            rows = Donation.objects.filter(pk=late.pk)
            rows.update(state="paid", paid_at=late.created_at, given_on="2026-11-22")
            is_booking.set()
            time.sleep(0.4)
        return found

    def ask() -> int:
        is_booking.wait(10)
        return Client().post(PAGE, form).status_code

    assert together(book, ask) == [[], 409]
    assert left(ticket) == 0


# --- seats that come back -------------------------------------------------------------------


def test_d20_order_that_is_refunded_gives_its_seats_back(buy, make_ticket, ask, client):
    ticket = make_ticket(places=2)
    gift = buy({ticket: 2})
    ask(gift, 5000)
    assert left(ticket) == 0  # some money back is no word about seats
    ask(gift, 15_000, "form-2")
    assert left(ticket) == 2
    assert gift.receipts.filter(state="current").count() == 0
    html = client.get(gift.get_absolute_url()).text
    assert "This gift went back to you." in html
    assert "Your seats are booked" not in html


def test_d9_seat_taken_back_changes_what_can_be_deducted(
    buy, make_ticket, admin_client, ask, client
):
    """One of two guests stays at home: the money stays a gift, or half of it goes back."""
    ticket = make_ticket(places=2)
    gift = buy({ticket: 2})
    line = gift.ticket_lines.get()
    page = f"{LIST}{line.pk}/back/"
    assert "No money moves" in admin_client.get(page).text
    assert "This buyer has 2 seats" in admin_client.post(page, {"seats": "3"}).text
    answer = admin_client.post(page, {"seats": "1"}, follow=True)
    assert "Others can buy the seats." in answer.text
    assert left(ticket) == 1
    gift.refresh_from_db()
    receipt = gift.receipts.get(state="current")
    assert (receipt.amount_cents, receipt.inputs["deductible_cents"]) == (20_000, 16_000)
    ask(gift, 10_000)
    receipt = gift.receipts.get(state="current")
    assert (receipt.amount_cents, receipt.inputs["deductible_cents"]) == (10_000, 6000)
    assert "1 × Seat at the dinner" in client.get(gift.get_absolute_url()).text
    assert gift.receipts.count() == 3


def test_d9_all_seats_taken_back_leave_a_gift(buy, make_ticket):
    gift = buy({make_ticket(): 2})
    taking_back.take_back(line=gift.ticket_lines.get(), seats=2)
    receipt = gift.receipts.get(state="current")
    assert "No goods or services" in receipt.inputs["statement"]
    assert "deductible_cents" not in receipt.inputs


def test_seats_that_are_not_paid_are_not_taken_back(order, make_ticket):
    gift = order({make_ticket(): 2})
    with pytest.raises(taking_back.CannotTakeBack):
        taking_back.take_back(line=gift.ticket_lines.get(), seats=1)


def test_taking_seats_back_needs_the_permission(buy, make_ticket, client, treasurer):
    line = buy({make_ticket(): 2}).ticket_lines.get()
    client.force_login(treasurer)  # may give money back, not change tickets
    assert client.post(f"{LIST}{line.pk}/back/", {"seats": "1"}).status_code == 403
    assert TicketLine.objects.get().given_up == 0


# --- for staff ------------------------------------------------------------------------------


def test_list_for_the_door_has_who_paid_and_runs_no_formula(
    buy, order, make_ticket, ask, admin_client, dinner
):
    ticket, child = make_ticket(), make_ticket(1500, 1500, title="Child's seat", order=1)
    first = buy({ticket: 2, child: 1}, name="=1+1", guests="Bo\nCy: no nuts")
    taking_back.take_back(line=first.ticket_lines.get(ticket=ticket), seats=1)
    ask(first, 10_000, "form-0")
    ask(buy({ticket: 1}, name="Gone", email="gone@example.org"), 10_000)
    order({ticket: 1}, name="Still paying", email="still@example.org")
    answer = admin_client.get(f"{LIST}door/{dinner.pk}/")
    assert answer["Content-Disposition"] == 'attachment; filename="door-dinner.csv"'
    assert answer["Cache-Control"] == "private, no-store"
    assert answer.content.decode() == (
        "\ufeffName,Seats,Ticket,Guests,Email,Paid,Given back of the order,On\r\n"
        '\'=1+1,1,Seat at the dinner,"Bo, Cy: no nuts",ann@example.org,$200.00,$100.00,'
        "2026-11-22\r\n"
        "'=1+1,1,Child's seat,\"Bo, Cy: no nuts\",ann@example.org,$15.00,$100.00,2026-11-22\r\n"
    )


def test_buyers_are_listed_with_few_queries_and_many(
    buy, make_ticket, admin_client, django_assert_max_num_queries, dinner
):
    ticket = make_ticket()
    buy({ticket: 2}, guests="Bo Li")
    pages = (
        f"{LIST}?ticket__event__id__exact={dinner.pk}&seats=paid",
        f"{LIST}door/{dinner.pk}/",
        "/admin/donations/ticket/",
    )

    def queries() -> list[int]:
        counts = []
        for page in pages:
            with django_assert_max_num_queries(12) as asked:
                admin_client.get(page)
            counts.append(len(asked))
        return counts

    few = queries()
    gift = Donation.objects.get()
    for number in range(12):
        gift.pk, gift.token, gift.form_token = None, f"t{number}", f"f{number}"
        gift.provider_reference = f"pi_{number}"
        gift.save()
        TicketLine.objects.create(
            donation=gift, ticket=ticket, quantity=1, price_cents=1, value_cents=0,
            held_until=gift.created_at,
        )  # fmt: skip
    assert queries() == few
    assert admin_client.get(pages[1]).text.count("Bo Li") == 13


def test_ticket_page_asks_the_same_with_few_orders_and_many(
    buy, make_ticket, client, django_assert_num_queries
):
    ticket = make_ticket(places=50)
    for _ in range(2):
        for page, queries in ((PAGE, 4), ("/events/dinner/", 4)):
            with django_assert_num_queries(queries):
                client.get(page)
        for number in range(2):
            buy({ticket: 1}, email=f"a{number}@example.org")


def test_treasurer_may_sell_tickets(db):
    """Granted by a migration. Run here: a test that empties all tables takes the group away."""
    from importlib import import_module
    from types import SimpleNamespace

    from django.apps import apps
    from django.contrib.auth.models import Group
    from django.db import connection

    migration = import_module("donations.migrations.0029_treasurer_of_tickets")
    editor = SimpleNamespace(connection=connection)
    migration.let_treasurer_sell(apps, editor)
    names = Group.objects.get(name="Treasurer").permissions.values_list("codename", flat=True)
    assert {"change_ticket", "view_ticketline"} <= set(names)
    assert "delete_ticketline" not in names
    migration.take_tickets_from_treasurer(apps, editor)
    assert "change_ticket" not in Group.objects.get(name="Treasurer").permissions.values_list(
        "codename", flat=True
    )


def test_f10_order_that_began_after_the_copy_is_made_again(buy, make_ticket, stripe):
    adult, child = make_ticket(places=5), make_ticket(2000, 2000, title="Seat for a child")

    def known() -> list:
        lines = TicketLine.objects.order_by("pk").values_list(
            "donation__token", "ticket", "quantity", "price_cents", "value_cents"
        )
        gifts = Donation.objects.values_list("token", "state", "benefit", "benefit_cents")
        return [*lines, *gifts, receipts(), LedgerPosting.objects.all().balances(), left(adult)]

    with a_lost_day():
        gift = buy({adult: 2, child: 1})
        before = known()
    adult.places = 1  # and its seats were given to others meanwhile
    adult.save()
    since = gift.created_at - dt.timedelta(days=1)
    assert reconciling.reconcile(since=since, is_rebuilding=True).rebuilt == 1
    again = Donation.objects.get()
    assert again.needs_attention == ""  # still within the time for which they are kept
    assert [*known()[:-1], 3] == before


def test_f10_seats_of_a_refunded_order_are_left_to_staff(buy, make_ticket, stripe, hand_over_new):
    ticket = make_ticket()
    with a_lost_day():
        gift = buy({ticket: 2})
        stripe.control(f"payments/{gift.provider_reference}/refund", amount=10_000)
        hand_over_new()
        since = gift.created_at - dt.timedelta(days=1)
    reconciling.reconcile(since=since, is_rebuilding=True)
    again = Donation.objects.get()
    assert again.needs_attention.startswith("Money went back. Which of its seats")
    assert (again.ticket_lines.get().seats, left(ticket)) == (2, None)
