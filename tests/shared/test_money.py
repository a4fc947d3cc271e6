import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from sistercities.shared.money import format_amount, format_exact, parse_amount

MOST = 99_999_999_999  # $999,999,999.99


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("25", 2500),
        ("$25", 2500),
        (" $ 25 ", 2500),
        ("25.5", 2550),
        ("25.50", 2550),
        ("1,250.50", 125050),
        ("1250.50", 125050),
        ("1,234,567.89", 123456789),
        ("999999999.99", MOST),
        ("007", 700),
        ("0.01", 1),
        ("0", 0),  # a form refuses what is below its least gift
    ],
)
def test_amounts_that_people_type(typed, cents):
    assert parse_amount(typed) == cents


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "required"),
        ("   ", "required"),
        ("$", "required"),
        ("-25", "negative"),
        ("$-25", "negative"),
        ("−25", "negative"),
        ("-$25", "negative"),
        ("25.505", "decimals"),
        ("0.001", "decimals"),
        ("１００", "digits"),
        ("²5", "digits"),
        ("1000000000", "large"),
        ("1,234,567,890", "large"),
        ("9" * 10_000, "large"),
        ("٢٥", "invalid"),
        ("1e3", "invalid"),
        ("1E3", "invalid"),
        ("+25", "invalid"),
        ("0x19", "invalid"),
        ("1_000", "invalid"),
        ("25 000", "invalid"),
        ("25\n000", "invalid"),
        ("2\x005", "invalid"),
        ("$$25", "invalid"),
        ("25$", "invalid"),
        ("25 USD", "invalid"),
        ("€25", "invalid"),
        ("NaN", "invalid"),
        ("Infinity", "invalid"),
        ("twenty", "invalid"),
        ("25.", "invalid"),
        (".50", "invalid"),
        (".", "invalid"),
        ("1.250,50", "invalid"),
    ],
)
def test_anything_else_is_refused_in_words(typed, code):
    with pytest.raises(ValidationError) as refusal:
        parse_amount(typed)
    assert refusal.value.code == code
    assert refusal.value.messages[0].endswith(".")


@pytest.mark.parametrize("typed", ["25,00", "1,25", "12,50.00", "1,2,3", ",250", "1,250,", "250,"])
def test_a_comma_anywhere_but_before_three_digits_is_never_guessed(typed):
    with pytest.raises(ValidationError):
        parse_amount(typed)


@pytest.mark.parametrize("typed", ["25,00", "1,25", "12,50.00"])
def test_a_misplaced_comma_is_not_called_too_large(typed):
    with pytest.raises(ValidationError) as refusal:
        parse_amount(typed)
    assert refusal.value.code == "invalid"


def test_a_currency_that_we_do_not_take_is_a_programming_error():
    with pytest.raises(KeyError):
        parse_amount("25", currency="XXX")


@pytest.mark.parametrize(
    ("cents", "short", "exact"),
    [
        (0, "$0", "$0.00"),
        (1, "$0.01", "$0.01"),
        (2500, "$25", "$25.00"),
        (2550, "$25.50", "$25.50"),
        (125050, "$1,250.50", "$1,250.50"),
        (-500, "-$5", "-$5.00"),
        (-5, "-$0.05", "-$0.05"),
    ],
)
def test_amounts_as_shown(cents, short, exact):
    assert (format_amount(cents), format_exact(cents)) == (short, exact)


@given(st.integers(0, MOST))
def test_what_is_shown_can_be_typed_again(cents):
    assert parse_amount(format_amount(cents)) == cents
    assert parse_amount(format_exact(cents)) == cents


@given(st.text(max_size=40))
def test_any_text_is_cents_or_a_refusal(typed):
    try:
        cents = parse_amount(typed)
    except ValidationError as refusal:
        assert refusal.code
    else:
        assert isinstance(cents, int)
        assert 0 <= cents <= MOST


@given(st.from_regex(r"[$]?[0-9]{1,12}(,[0-9]{1,4}){0,3}([.][0-9]{0,4})?", fullmatch=True))
def test_an_accepted_amount_is_exactly_what_its_digits_say(typed):
    try:
        cents = parse_amount(typed)
    except ValidationError:
        return
    whole, _, part = typed.removeprefix("$").replace(",", "").partition(".")
    assert cents == int(whole) * 100 + int(part.ljust(2, "0") or 0)
