import pytest
from django.core.exceptions import ValidationError

from cities.colours import DARK, LIGHT, check_accents, contrast, least_contrast

GOOD = {
    "accent": "#7b2a4e", "accent_line": "#3f7089",
    "accent_dark": "#e0a4bd", "accent_line_dark": "#93bcd0",
}  # fmt: skip


def test_contrast_of_black_and_white_is_21():
    assert contrast([0, 0, 0], [255, 255, 255]) == pytest.approx(21)


def test_reference_accents_have_the_contrast_that_the_design_measured():
    assert least_contrast("#7b2a4e", accent="#7b2a4e", theme=LIGHT) == pytest.approx(7.8, abs=0.15)
    assert least_contrast("#e0a4bd", accent="#e0a4bd", theme=DARK) == pytest.approx(7.6, abs=0.15)


def test_good_accents_pass():
    check_accents(GOOD)


@pytest.mark.parametrize(
    ("field", "colour", "says"),
    [
        ("accent", "#e0a4bd", "Choose a darker colour."),
        ("accent_line", "#fafbf7", "Choose a darker colour."),
        ("accent_dark", "#7b2a4e", "Choose a lighter colour."),
        ("accent_line_dark", "#111111", "Choose a lighter colour."),
        ("accent", "red", "Write a colour as #"),
        ("accent", "#12345", "Write a colour as #"),
        ("accent", "#12345g", "Write a colour as #"),
    ],
)
def test_a_colour_that_fails_is_refused_beside_its_own_field(field, colour, says):
    with pytest.raises(ValidationError) as refused:
        check_accents({**GOOD, field: colour})
    assert list(refused.value.message_dict) == [field]
    assert says in refused.value.message_dict[field][0]
