"""Gifts in honor or memory of somebody: who is told, when, and of what."""

import pytest
from django.core import mail

from donations.models import Donation
from sistercities.shared.mail import send_waiting

MEMORY = {"tribute_kind": "memory", "tribute_name": "Grace Lee"}
BY_MAIL = {"notice_name": "The Lees", "notice_email": "lees@example.org"}
BY_POST = {"notice_name": "The Lees", "notice_address": "12 Elm Street\nArvada, CO 80002"}


def letters() -> dict[str, mail.EmailMultiAlternatives]:
    """What was sent, by who reads it."""
    send_waiting()
    found = {message.to[0]: message for message in mail.outbox}
    assert len(found) == len(mail.outbox)
    return found


def both_forms(message) -> str:
    return message.subject + message.body + message.alternatives[0][0]


def test_d18_receipt_goes_to_the_payer_and_the_card_names_no_amount(give):
    give(amount="137", **MEMORY, **BY_MAIL)
    sent = letters()
    assert set(sent) == {"ann@example.org", "lees@example.org", "hello@example.org"}
    card = sent["lees@example.org"]
    assert card.subject == "TEST A gift in memory of Grace Lee"
    assert "Dear The Lees," in card.body
    assert (
        "Ann Lee has made a gift to Arvada Sister Cities International in memory of Grace Lee."
        in card.body
    )
    assert "Lees" not in both_forms(sent["ann@example.org"])
    for reader in ("lees@example.org", "hello@example.org"):
        assert "137" not in both_forms(sent[reader])
        assert "receipt" not in both_forms(sent[reader]).lower()


def test_d18_nobody_is_told_unless_the_donor_asks(give):
    give(**MEMORY)
    sent = letters()
    assert set(sent) == {"ann@example.org", "hello@example.org"}
    assert "does not ask that anybody be told" in sent["hello@example.org"].body


def test_d18_note_to_staff_carries_the_address_of_the_card(give):
    give(**MEMORY, **BY_POST)
    sent = letters()
    assert set(sent) == {"ann@example.org", "hello@example.org"}
    note = sent["hello@example.org"]
    assert note.subject == "TEST Please post a card: a gift for Grace Lee"
    assert "The Lees\n12 Elm Street\nArvada, CO 80002" in note.body.replace("\r", "")
    assert "Please name Ann Lee on it, and never the amount." in note.body


def test_card_of_an_unnamed_donor_keeps_the_name(give):
    give(anonymous="on", **MEMORY, **BY_MAIL)
    card = both_forms(letters()["lees@example.org"])
    assert "Somebody who wishes to stay unnamed has made a gift" in card
    assert "Ann" not in card


def test_unnamed_donor_is_not_named_on_a_posted_card(give):
    give(anonymous="on", **MEMORY, **BY_POST)
    note = letters()["hello@example.org"]
    assert "please write neither the name nor the amount on it" in both_forms(note)
    assert "Please name" not in both_forms(note)


def test_card_by_mail_is_not_posted_too(give):
    give(**{**MEMORY, **BY_POST, **BY_MAIL})
    sent = letters()
    assert "lees@example.org" in sent
    assert "A card to The Lees at lees@example.org is on its way." in sent["hello@example.org"].body
    assert "posted" not in sent["hello@example.org"].body


def test_no_card_before_the_money(begin, stripe):
    begin(**MEMORY, **BY_MAIL)
    assert letters() == {}


def test_events_that_come_again_bring_no_second_card(give, stripe, deliver):
    give(**MEMORY, **BY_MAIL)
    deliver(*stripe.events(), *stripe.events())
    assert len(letters()) == 3


def test_names_of_the_world_are_words_and_not_markup(give):
    name = "Қызылорда <b>锦州</b> {{ x }} & Co"
    give(tribute_kind="honor", tribute_name=name, **BY_MAIL)
    card = letters()["lees@example.org"]
    assert f"in honor of {name}." in card.body
    assert "&lt;b&gt;锦州&lt;/b&gt; {{ x }} &amp; Co" in card.alternatives[0][0]
    assert Donation.objects.get().tribute_name == name


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"tribute_kind": "memory"}, "Please write the name, or choose “Neither” above."),
        ({"tribute_name": "Grace Lee"}, "Please choose: in honor or in memory."),
        (BY_MAIL, "Please choose: in honor or in memory."),
        ({**MEMORY, "notice_name": "The Lees"}, "Please write an email or a postal address."),
        ({**MEMORY, "notice_email": "lees@example.org"}, "Please write to whom the card goes."),
        ({**MEMORY, **BY_MAIL, "notice_email": "lees"}, "This is not an email address."),
        ({**MEMORY, "tribute_name": "Grace\nBcc: x@example.org"}, "on one line"),
        ({"tribute_kind": "sale", "tribute_name": "Grace"}, "Select a valid choice."),
    ],
)
def test_what_does_not_fit_is_said_and_keeps_the_part_open(
    fields, sentence, site, stripe, client, gift_form
):
    page = client.post("/donate/", gift_form(preset="25", **fields)).content.decode()
    assert sentence in page
    assert '<details class="more" open>' in page
    assert not Donation.objects.exists()


def test_form_of_the_same_gift_with_another_tribute_is_shown_again(begin, client, gift_form):
    fields = gift_form(preset="25", **MEMORY)
    assert client.post("/donate/", fields).status_code == 303
    changed = client.post("/donate/", {**fields, "tribute_name": "Grace Li"})
    assert changed.status_code == 409
    assert "This form was sent before" in changed.content.decode()
