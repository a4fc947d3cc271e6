"""Names of files as people's computers give them, fit to be shown (issue 3, Bad input)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sistercities.shared.file_names import LONGEST, clean

HIDDEN = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0x200C, 0x200E, 0x200F, 0x061C]


@pytest.mark.parametrize(
    "name",
    [
        "IMG_2041.jpg",
        "锦州市 代表团（2019）.jpg",
        "Қазақстан, Өскемен.heic",
        "Seán Ó Cléirigh, Loch Garman.png",
        "עִיר תְּאוֹמָה.jpg",
        "🎉🎊.png",
        "👩‍👩‍👧‍👦.jpg",
        "🏴󠁧󠁢󠁷󠁬󠁳󠁿 and 🏳️‍🌈 and ❤️‍🔥 and 👩🏽‍🚀.jpg",
        "no suffix",
        "two.dots.jpeg",
        "葛󠄀城.jpg",
    ],
)
def test_name_of_any_script_stays_as_it_is(name):
    assert clean(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\Pictures\\1.jpg", "1.jpg"),
        ("/album/day 1/2.jpg", "2.jpg"),
        ("album\\day 1/3.jpg", "3.jpg"),
        ("album/", "album"),
    ],
)
def test_name_with_path_keeps_its_last_part(name, shown):
    assert clean(name) == shown


@pytest.mark.parametrize("code", HIDDEN)
def test_mark_of_direction_is_taken_out(code):
    """U+202E shows `evil.gpj.exe` as `evil.exe.jpg`."""
    assert clean(f"evil{chr(code)}gpj.exe") == "evilgpj.exe"


@pytest.mark.parametrize(
    "unseen",
    ["\0", "\r\n", "\x1b", "\x85", "\u2028", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u3164",
     "\u034f", "\ud83d", "\U000e0041\U000e007f", "\u200d\u200d"],
)  # fmt: skip
def test_sign_that_nobody_sees_is_taken_out(unseen):
    assert clean(f"a{unseen}b.jpg") == "ab.jpg"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("❤️\ufe0f\ufe0f\U000e0100.jpg", "❤️.jpg"),
        ("🎉\u200d.jpg", "🎉.jpg"),
        ("🎉\u200d\u200d🎉.jpg", "🎉🎉.jpg"),
    ],
)
def test_emoji_carries_nothing_hidden(name, shown):
    assert clean(name) == shown


def test_accents_are_joined_to_their_letters():
    """Macs write them apart: one name would be two."""
    assert clean("Sea\u0301n.jpg") == "Se\u00e1n.jpg"


@pytest.mark.parametrize("name", ["", " ", ".", "..", "...", "/", "a/..", "\\", "\u202e", "\u3164"])
def test_name_of_nothing_gets_one(name):
    assert clean(name) == "picture"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x" * 116 + ".jpg", "x" * 116 + ".jpg"),
        ("x" * 300 + ".jpeg", "x" * 114 + "….jpeg"),
        ("照" * 300 + ".heic", "照" * 114 + "….heic"),
        ("x" * 300, "x" * 119 + "…"),
        ("x." + "y" * 300, "x." + "y" * 117 + "…"),
        ("." + "y" * 300, "." + "y" * 118 + "…"),
        ("x" * 113 + "👩‍👩‍👧‍👦" + "x" * 9 + ".jpg", "x" * 113 + "👩….jpg"),
        ("e\u0301" * 110 + ".jpg", "\u00e9" * 110 + ".jpg"),
    ],
)
def test_long_name_keeps_its_suffix(name, shown):
    assert clean(name) == shown


def test_name_of_countless_accents_is_cut_before_they_are_joined():
    """The time to join them grows with their square: 3 seconds for 60,000."""
    assert len(clean("a" + "\u0316\u0301" * 100_000 + ".jpg")) == LONGEST


@given(st.text(st.characters(codec=None), max_size=400))
def test_any_text_becomes_a_name(text):
    name = clean(text)
    assert 1 <= len(name) <= LONGEST
    assert name not in {".", ".."} and not set(name) & set("/\\")
    assert unicodedata.is_normalized("NFC", name)
    assert not {unicodedata.category(sign) for sign in name} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set(name) & {chr(code) for code in HIDDEN}
    assert clean(name) == name
    name.encode()
