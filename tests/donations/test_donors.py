"""Whose gift it is: mailboxes, people without one, merges that can be undone, Schedule B."""

import datetime as dt

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction

from donations import donors, statements
from donations.models import Donor

DAY = dt.date(2026, 11, 20)


def test_gifts_of_one_mailbox_are_one_donors(give, by_hand):
    first = give(email="Ann@Example.org")
    second = by_hand("A. Lee", email="ann@example.org", donor_address="1 Grandview Ave")
    assert first.donor == second.donor == Donor.objects.get()
    assert (second.donor.name, second.donor.email_key) == ("Ann Lee", "ann@example.org")
    second.donor.refresh_from_db()
    assert second.donor.address == "1 Grandview Ave"
    assert first.email == "Ann@Example.org"  # a gift keeps what was typed


def test_unpaid_form_makes_no_donor(begin):
    begin()
    assert Donor.objects.count() == 0


def test_without_mailbox_name_and_address_tell_people_apart(by_hand):
    ann = by_hand("Ann Lee", donor_address="1 Grandview Ave")
    again = by_hand("ann lee", donor_address="1 grandview ave ")
    other = by_hand("Ann Lee", donor_address="9 Olde Wadsworth")
    assert ann.donor == again.donor
    assert other.donor != ann.donor


def test_one_donor_a_mailbox(db):
    Donor.objects.create(name="Ann", email_key="ann@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        Donor.objects.create(name="Ann", email_key="ann@example.org")


def test_merge_joins_gifts_and_split_takes_them_apart(give):
    one, two, three = (give(email=f"{name}@example.org") for name in ("a", "b", "c"))
    donors.merge(donor=two.donor, into=one.donor)
    donors.merge(donor=one.donor, into=three.donor)
    root = Donor.objects.roots().get()
    assert root == three.donor
    assert set(donors.gifts_of(root)) == {one, two, three}
    donors.split(donor=two.donor)
    assert set(donors.gifts_of(root)) == {one, three}
    assert set(donors.gifts_of(two.donor)) == {two}
    with pytest.raises(donors.CannotMerge):
        donors.merge(donor=root, into=one.donor)  # one of them already


def test_staff_merge_and_split_on_the_pages(give, admin_client):
    one, two = (give(email=f"{name}@example.org") for name in ("a", "b"))
    chosen = {"action": "merge", "_selected_action": [one.donor.pk, two.donor.pk]}
    page = admin_client.post("/admin/donations/donor/", chosen)
    assert "Which row stays?" in page.content.decode()
    said = admin_client.post(
        "/admin/donations/donor/", {**chosen, "keep": two.donor.pk}, follow=True
    )
    assert "1 donor merged." in said.content.decode()
    html = admin_client.get(f"/admin/donations/donor/{two.donor.pk}/change/").content.decode()
    assert "a@example.org" in html
    assert "$100.00" in html
    split = f"/admin/donations/donor/{one.donor.pk}/split/"
    assert split in html
    assert admin_client.get(split).status_code == 403
    admin_client.post(split)
    assert Donor.objects.roots().count() == 2
    assert admin_client.post(split).status_code == 404


def test_split_needs_the_permission(give, client, django_user_model):
    one, two = (give(email=f"{name}@example.org") for name in ("a", "b"))
    donors.merge(donor=one.donor, into=two.donor)
    ed = django_user_model.objects.create_user("ed", is_staff=True)
    ed.user_permissions.set(Permission.objects.filter(codename="view_donor"))
    client.force_login(ed)
    assert client.post(f"/admin/donations/donor/{one.donor.pk}/split/").status_code == 403


def test_d27_large_donors_of_a_year_over_all_their_gifts(by_hand, admin_client):
    large = by_hand("Ann Lee", 300_000, email="a@example.org").donor
    also = by_hand("Ann Lee", 200_000, email="b@example.org").donor
    by_hand("Bo Li", 499_999)
    by_hand("Cy Orr", 900_000, given_on=dt.date(2025, 12, 31))
    donors.merge(donor=also, into=large)
    html = admin_client.get("/admin/donations/donor/?schedule_b=2026").content.decode()
    assert "Ann Lee" in html
    assert "$5,000.00" in html
    assert ("Bo Li" in html, "Cy Orr" in html) == (False, False)


def test_list_and_page_ask_the_same_with_few_gifts_and_many(
    give, by_hand, admin_client, django_assert_num_queries
):
    donor = give().donor
    page = f"/admin/donations/donor/{donor.pk}/change/"
    admin_client.get(page)
    for _ in range(2):
        with django_assert_num_queries(7):
            admin_client.get("/admin/donations/donor/")
        with django_assert_num_queries(8):
            admin_client.get(page)
        for number in range(12):
            by_hand("Ann Lee", email="ann@example.org")
            by_hand(f"Somebody {number}")


def test_givers_are_roots(give):
    one, two = (give(email=f"{name}@example.org") for name in ("a", "b"))
    donors.merge(donor=one.donor, into=two.donor)
    period = statements.Period.parse(str(one.given_on.year))
    assert list(statements.givers(period)) == [two.donor]
