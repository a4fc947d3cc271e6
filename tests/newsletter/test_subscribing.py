import datetime as dt

import pytest
import time_machine
from django.db import IntegrityError, transaction

from sistercities.newsletter import subscribing
from sistercities.newsletter.models import Consent, Subscriber
from sistercities.shared.models import OutgoingMessage
from sistercities.shared.signing import new_token

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def at(**later):
    return time_machine.travel(NOON + dt.timedelta(**later), tick=False)


def test_subscribe_gives_nothing_back(site):
    assert subscribing.subscribe(email="ann@example.org") is None
    assert subscribing.subscribe(email="ann@example.org") is None


def test_subscribe_leaves_mail_proof_and_row_together(site):
    with pytest.raises(RuntimeError), transaction.atomic():
        subscribing.subscribe(email="ann@example.org")
        raise RuntimeError
    counts = (Subscriber.objects, Consent.objects, OutgoingMessage.objects)
    assert [rows.count() for rows in counts] == [0, 0, 0]


def test_confirm_raises_for_a_token_that_opens_nothing(site):
    for call in (subscribing.confirm, subscribing.check_confirmation):
        for token in ("", "x", new_token()):
            with pytest.raises(subscribing.UnknownToken):
                call(token=token)


def test_confirm_with_an_empty_token_never_finds_the_confirmed(site):
    Subscriber.objects.create(email="ann@example.org", status="confirmed", confirmed_at=NOON)
    with pytest.raises(subscribing.UnknownToken):
        subscribing.confirm(token="")


def test_unsubscribe_raises_for_an_unknown_token(site):
    with pytest.raises(subscribing.UnknownToken):
        subscribing.unsubscribe(token=new_token(), how=Consent.How.PAGE)


def test_e1_only_the_confirmed_get_letters(site):
    for status in Subscriber.Status:
        Subscriber.objects.create(
            email=f"{status}@example.org", status=status, confirmed_at=NOON, unsubscribed_at=NOON
        )
    assert [s.email for s in Subscriber.objects.confirmed()] == ["confirmed@example.org"]


def test_purge_removes_who_never_confirmed_and_nothing_else(site):
    with at():
        subscribing.subscribe(email="old@example.org")
        subscribing.subscribe(email="again@example.org")
        Subscriber.objects.create(email="in@example.org", status="confirmed", confirmed_at=NOON)
        Subscriber.objects.create(
            email="left@example.org", status="unsubscribed", unsubscribed_at=NOON
        )
    with at(days=10):
        subscribing.subscribe(email="again@example.org")
    with at(days=30, seconds=-1):
        assert subscribing.purge() == 0
    with at(days=30):
        assert subscribing.purge() == 1
        assert subscribing.purge() == 0
    left = Subscriber.objects.order_by("email").values_list("email", flat=True)
    assert list(left) == ["again@example.org", "in@example.org", "left@example.org"]
    assert not OutgoingMessage.objects.filter(to="old@example.org").exists()
    assert not Consent.objects.filter(subscriber__email="old@example.org").exists()


def test_purge_takes_confirmation_mail_whose_link_is_dead(site):
    with at():
        subscribing.subscribe(email="ann@example.org")
        OutgoingMessage.objects.create(
            key="receipt:1", to="ann@example.org", subject="x", text="x", html="x", message_id="x"
        )
    with at(days=7, seconds=-1):
        subscribing.purge()
        assert OutgoingMessage.objects.count() == 2
    with at(days=7):
        subscribing.purge()
    assert [m.key for m in OutgoingMessage.objects.all()] == ["receipt:1"]
    assert Subscriber.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"email": "ANN@example.org "}, "subscriber_address_once"),
        ({"token": "taken"}, "subscriber_token_once"),
        ({"confirm_fingerprint": "taken"}, "subscriber_confirm_token_once"),
        ({"email": "  "}, "subscriber_address_normalised"),
        ({"status": "vip"}, "subscriber_status_known"),
        ({"status": "confirmed"}, "subscriber_confirmed_at_a_moment"),
        ({"status": "unsubscribed"}, "subscriber_left_at_a_moment"),
    ],
)
def test_impossible_subscriber_is_refused_by_the_database(site, fields, constraint):
    Subscriber.objects.create(email="ann@example.org", token="taken", confirm_fingerprint="taken")
    column = {
        "subscriber_address_once": "email_key", "subscriber_token_once": "token",
        "subscriber_confirm_token_once": "confirm_fingerprint",
    }.get(constraint, constraint)  # fmt: skip
    with pytest.raises(IntegrityError, match=f"{column}|{constraint}"), transaction.atomic():
        Subscriber.objects.create(**{"email": "bob@example.org", **fields})


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"event": "dreamed"}, "consent_event_known"),
        ({"event": "signed-up", "wording_version": "2026-11"}, "consent_sign_up_has_wording"),
    ],
)
def test_e3_impossible_proof_is_refused_by_the_database(site, fields, constraint):
    row = Subscriber.objects.create(email="ann@example.org")
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Consent.objects.create(subscriber=row, how="form", **fields)
