import pytest

from sistercities.shared.spreadsheets import inert, plain


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_a_formula_is_made_text_and_back(cell):
    assert inert(cell) == f"'{cell}"
    assert plain(inert(cell)) == cell


@pytest.mark.parametrize("cell", ["", "Ann", "'tis", "1+1", "a@x.org"])
def test_other_text_stays_as_it_is(cell):
    assert inert(cell) == cell
    assert plain(cell) == cell
