import base64
import json
import time

import altcha
import pytest
import time_machine
from django.core.cache import cache
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sistercities.shared import limits, proof_of_work
from tests.newsletter.at_once import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pairs():
    """`pairs()`: a fresh challenge and its solution, as dictionaries."""

    def make() -> tuple[dict, dict]:
        challenge = proof_of_work.new_challenge()
        solution = altcha.solve_challenge(altcha.Challenge.from_dict(challenge))
        return challenge, solution.to_dict()

    return make


def packed(challenge: dict, solution: dict) -> str:
    """As proof.js packs it: `btoa(JSON.stringify({challenge, solution}))`."""
    body = {"challenge": challenge, "solution": solution}
    return base64.b64encode(json.dumps(body).encode()).decode()


def test_solution_holds_once(pairs):
    proof = packed(*pairs())
    assert proof_of_work.holds(proof) is True
    assert proof_of_work.holds(proof) is False


def test_used_solution_in_other_clothes_does_not_hold(pairs):
    challenge, solution = pairs()
    assert proof_of_work.holds(packed(challenge, solution))
    dressed = {**solution, "time": 1, "derivedKey": solution["derivedKey"].upper()}
    assert not proof_of_work.holds(packed(challenge, dressed))
    assert not proof_of_work.holds(packed({**challenge, "x": 1}, solution))


@pytest.mark.django_db(transaction=True)
def test_solution_posted_at_once_holds_once(pairs):
    proof = packed(*pairs())
    answers = at_once(6, lambda: proof_of_work.holds(proof))
    assert sorted(answers) == [False] * 5 + [True]


def test_wrong_solution_does_not_hold(pairs):
    challenge, solution = pairs()
    other = {**solution, "derivedKey": "00" * 32}
    assert not proof_of_work.holds(packed(challenge, other))
    assert proof_of_work.holds(packed(challenge, solution))  # a wrong try spends nothing


@pytest.mark.parametrize("change", [{"cost": 1}, {"keyPrefix": "00"}, {"expiresAt": 4102444800}])
def test_challenge_made_easier_does_not_hold(pairs, change):
    challenge, _solution = pairs()
    challenge["parameters"] |= change
    solution = altcha.solve_challenge(altcha.Challenge.from_dict(challenge), timeout=1)
    solution = solution.to_dict() if solution else {"counter": 1, "derivedKey": "00"}
    assert not proof_of_work.holds(packed(challenge, solution))


def test_challenge_of_somebody_else_does_not_hold():
    challenge = altcha.create_challenge(
        "SHA-256", 1, hmac_secret="other", expires_at=int(time.time()) + 60
    )
    solution = altcha.solve_challenge(challenge)
    assert not proof_of_work.holds(altcha.Payload(challenge, solution).to_base64())


def test_solution_runs_out(pairs):
    proof = packed(*pairs())
    with time_machine.travel(time.time() + proof_of_work.LIFETIME + 2, tick=False):
        assert not proof_of_work.holds(proof)


def test_work_is_bounded():
    for _ in range(20):
        parameters = proof_of_work.new_challenge()["parameters"]
        assert parameters["cost"] == 5000
        assert parameters["algorithm"] == "PBKDF2/SHA-256"
    challenge = altcha.Challenge.from_dict(proof_of_work.new_challenge())
    counter = altcha.solve_challenge(challenge).counter
    assert proof_of_work.FEWEST_TRIES <= counter <= proof_of_work.MOST_TRIES


def test_switched_off_everything_holds(settings):
    settings.PROOF_OF_WORK = False
    assert proof_of_work.holds("")
    assert proof_of_work.is_off()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["challenge", "solution", "parameters", "signature", "counter", "data"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@hypothesis_settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=json_values)
def test_nonsense_never_raises(db, value):
    payload = base64.b64encode(json.dumps(value).encode()).decode()
    assert proof_of_work.holds(payload) is False


@pytest.mark.parametrize("payload", ["", "\0", "é", "=", "a" * 4001, "\ud800", "[" * 3000])
def test_what_is_no_payload_does_not_hold(payload):
    assert proof_of_work.holds(payload) is False


def test_shared_cache_forgets_nothing_that_is_still_valid():
    """Django's own bound of 300 entries would make used puzzles and full limits fresh again."""
    assert limits.allowed("test", "one", times=1, seconds=3600)
    for number in range(400):
        cache.add(f"filler:{number}", 1, timeout=3600)
    assert not limits.allowed("test", "one", times=1, seconds=3600)
    assert all(cache.get(f"filler:{number}") for number in range(400))


def test_full_limit_costs_one_question(django_assert_max_num_queries):
    for _ in range(50):
        assert limits.allowed("test", "many", times=50, seconds=3600)
    with django_assert_max_num_queries(1):
        assert not limits.allowed("test", "many", times=50, seconds=3600)
