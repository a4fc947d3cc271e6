import threading

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import RequestFactory

from sistercities.shared.limits import allowed, client_address, network

WINDOW = 2_000_000_400  # a multiple of 600: the first second of a window


@pytest.fixture
def at():
    """The clock, at the first second of a window: `at.move_to(seconds)`."""
    with time_machine.travel(WINDOW, tick=False) as clock:
        yield clock


def tries(count: int, **options) -> list[bool]:
    given = {"action": "give", "who": "192.0.2.1", "times": 3, "seconds": 600, **options}
    action, who = given.pop("action"), given.pop("who")
    return [allowed(action, who, **given) for _ in range(count)]


def test_as_many_as_allowed_and_no_more(db, at):
    assert tries(5) == [True, True, True, False, False]


def test_another_person_and_another_action_have_counts_of_their_own(db, at):
    tries(3)
    assert tries(1, who="192.0.2.2") == [True]
    assert tries(1, action="subscribe") == [True]
    assert tries(1) == [False]


def test_the_next_window_begins_anew(db, at):
    assert tries(4)[-1] is False
    at.move_to(WINDOW + 599)
    assert tries(1) == [False]
    at.move_to(WINDOW + 600)
    assert tries(1) == [True]


def everything_in_the_cache() -> str:
    """What an operator would see: the table's rows, or Redis's keys with their values."""
    if settings.CACHES["default"]["BACKEND"].endswith("RedisCache"):
        redis = cache._cache.get_client()
        return str([(key, redis.get(key)) for key in redis.keys("*")])
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM shared_cache")
        return str(cursor.fetchall())


def test_nobody_is_named_in_the_cache(db, at):
    tries(1, who="ann@example.org")
    stored = everything_in_the_cache()
    assert "limit:" in stored
    assert "ann" not in stored and "give" not in stored


def test_a_separator_in_a_name_does_not_reach_into_another_count(db, at):
    tries(3, action="give", who="a")
    assert tries(1, action="give:a", who="") == [True]


def test_a_full_cache_does_not_forget_counts(db, at):
    tries(3)
    for number in range(400):  # Django's table culls at 300 unless it is told otherwise
        cache.add(f"other:{number}", 1, timeout=600)
    assert tries(1) == [False]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_no_more_than_the_limit():
    """Red when `allowed` counts with get and set instead of add."""
    together, answers = threading.Barrier(8), []

    def one() -> None:
        try:
            together.wait(timeout=20)
            answers.append(allowed("give", "192.0.2.9", times=3, seconds=86_400))
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(answers) == [False] * 5 + [True] * 3


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "10.0.0.9"),
        (0, "203.0.113.5", "10.0.0.9"),  # nobody vouches for it
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "6.6.6.6, 203.0.113.5", "203.0.113.5"),  # the visitor wrote the first one
        (2, "6.6.6.6, 203.0.113.5, 10.0.0.1", "203.0.113.5"),
        (2, "203.0.113.5", "10.0.0.9"),  # shorter than the chain: not through our proxies
        (1, "", ""),
        (1, " 203.0.113.5 ", "203.0.113.5"),
    ],
)
def test_whose_address_counts(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded or proxies else {}
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.9", **headers)
    assert client_address(request) == address


@pytest.mark.parametrize(
    ("address", "place"),
    [("2001:db8:1:2::5", "2001:db8:1:2::/64"), ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
     ("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"), ("", "")],
)  # fmt: skip
def test_one_home_is_one_place_whatever_address_it_takes(address, place):
    assert network(address) == place
