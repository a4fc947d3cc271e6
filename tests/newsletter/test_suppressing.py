import datetime as dt

import pytest
import time_machine

from sistercities.newsletter import subscribing, suppressing
from sistercities.newsletter.models import Consent, Subscriber, Suppression

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
Reason = Suppression.Reason


def test_e17_address_is_kept_as_a_keyed_hash_only(site):
    suppressing.suppress(
        address="Ann@Example.org ", reason=Reason.HARD_BOUNCE,
        note="550 5.1.1 <ann@example.org>: no such user",
    )  # fmt: skip
    values = [str(value) for value in Suppression.objects.values_list().get()]
    assert not any("example.org" in value.lower() for value in values)
    assert Suppression.objects.get().note == "550 5.1.1 … no such user"
    assert suppressing.is_suppressed(" ANN@example.ORG")
    assert not suppressing.is_suppressed("bob@example.org")


def test_e17_changing_the_secret_key_forgets_nobody(site, settings):
    suppressing.suppress(address="ann@example.org", reason=Reason.COMPLAINT)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key that is long enough to be one " * 2

    assert suppressing.reason_for("ann@example.org") == Reason.COMPLAINT
    assert suppressing.suppressed_among(["ann@example.org", "bob@example.org"]) == {
        "ann@example.org": Reason.COMPLAINT
    }


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (Reason.LEFT, Reason.COMPLAINT, Reason.COMPLAINT),
        (Reason.COMPLAINT, Reason.LEFT, Reason.COMPLAINT),
        (Reason.HARD_BOUNCE, Reason.ERASED, Reason.HARD_BOUNCE),
        (Reason.LEFT, Reason.STAFF, Reason.STAFF),
    ],
)
def test_e17_a_weaker_reason_never_takes_the_place_of_a_stronger(site, first, second, kept):
    suppressing.suppress(address="ann@example.org", reason=first)
    suppressing.suppress(address="ann@example.org", reason=second)
    assert Suppression.objects.get().reason == kept


def test_e16_suppressing_ends_the_subscription_and_leaves_its_proof(site):
    person = Subscriber.objects.create(email="Ann@x.org", status="confirmed", confirmed_at=NOON)
    with time_machine.travel(NOON, tick=False):
        suppressing.suppress(address="ann@X.org", reason=Reason.HARD_BOUNCE)
        suppressing.suppress(address="ann@X.org", reason=Reason.HARD_BOUNCE)
    person.refresh_from_db()
    assert (person.status, person.unsubscribed_at) == ("unsubscribed", NOON)
    assert list(person.consents.values_list("event", "how", "at")) == [
        ("unsubscribed", "bounce", NOON)
    ]


def test_suppressed_among_many_asks_few_questions(site, django_assert_num_queries):
    suppressing.suppress(address="person7@x.org", reason=Reason.LEFT)
    suppressing.suppress(address="person900@x.org", reason=Reason.STAFF)
    addresses = [f"person{n}@x.org" for n in range(1000)]
    with django_assert_num_queries(3):
        found = suppressing.suppressed_among(addresses)
    assert found == {"person7@x.org": Reason.LEFT, "person900@x.org": Reason.STAFF}


@pytest.mark.parametrize("reason", Reason)
def test_e17_only_a_new_double_opt_in_lifts(client, site, link, reason):
    suppressing.suppress(address="ann@example.org", reason=reason)
    path = link()
    assert suppressing.reason_for("ann@example.org") == reason
    client.post(path)
    assert not suppressing.is_suppressed("ann@example.org")
    assert Subscriber.objects.get().status == "confirmed"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (Consent.How.PAGE, Reason.LEFT),
        (Consent.How.ONE_CLICK, Reason.LEFT),
        (Consent.How.PREFERENCES, Reason.LEFT),
        (Consent.How.STAFF, Reason.STAFF),
    ],
)
def test_e17_leaving_suppresses(confirmed, how, reason):
    subscribing.unsubscribe(token=confirmed().token, how=how)
    assert suppressing.reason_for("ann@example.org") == reason
