import re

from sistercities.shared.signing import fingerprint, new_token


def test_a_token_holds_at_least_128_random_bits_and_fits_an_address():
    tokens = {new_token() for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", token) for token in tokens)


def test_a_fingerprint_is_the_same_for_the_same_purpose_only(settings):
    first = fingerprint("mail", "ann@example.org")
    assert first == fingerprint("mail", "ann@example.org")
    assert first != fingerprint("address", "ann@example.org")
    assert first != fingerprint("mail", "bob@example.org")
    settings.SECRET_KEY = "another key that is long enough to be one " * 2
    assert first != fingerprint("mail", "ann@example.org")
