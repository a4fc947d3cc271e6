import logging
import re
import sys

import pytest

from sistercities.shared.logs import OneLineFormatter

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"


def line(message: str, *args: object, exc_info=None) -> str:
    record = logging.LogRecord("site", logging.INFO, "x.py", 1, message, args, exc_info)
    return OneLineFormatter().format(record)


def said(message: str, *args: object) -> str:
    text = line(message, *args)
    stamp = re.match(rf"{STAMP} INFO site ", text)
    assert stamp
    return text[stamp.end() :]


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("Mail to ann@example.org failed", "Mail to [mail address] failed"),
        ("<Ann.Lee+news@mail.example.co.uk>", "<[mail address]>"),
        ("a@b.example, c@d.example", "[mail address], [mail address]"),
        ("ann%40example.org", "[mail address]"),
        ("Ann@EXAMPLE.ORG.", "[mail address]."),
        ("жанар@пошта.қаз asks", "[mail address] asks"),
        ("ann@localhost", "[mail address]"),
        ("key sk_live_abc123DEF", "key [secret]"),
        ("rk_test_abc", "[secret]"),
        ("whsec_abc/+=def", "[secret]"),
        ("Bearer sk_test_4eC39HqLyjWDarjtT1zdp7dc", "Bearer [secret]"),
        (
            "GET /newsletter/unsubscribe/abcdefghijklmnopqrstuvwxyz012345/ 200",
            "GET /newsletter/unsubscribe/[token]/ 200",
        ),
        (
            '"GET /donate/thanks/abcdefghijklmnopqrstuvwxyz012345/?a=1 HTTP/1.1"',
            '"GET /donate/thanks/[token]/?a=1 HTTP/1.1"',
        ),
        (
            "/donate/thanks/abcdefghijklmnopqrstuvwxyz012345?x=1",
            "/donate/thanks/[token]?x=1",
        ),
        (
            '"/donate/thanks/abcdefghijklmnopqrstuvwxyz012345"',
            '"/donate/thanks/[token]"',
        ),
        ("/cities/jinzhou/", "/cities/jinzhou/"),
        ("12:30 @ the town hall", "12:30 @ the town hall"),
    ],
)
def test_people_and_keys_are_left_out(message, written):
    assert said(message) == written


def test_arguments_are_cleaned_as_well():
    assert said("to %s", "ann@example.org") == "to [mail address]"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\x0b", "\x0c"])
def test_no_line_can_be_forged(end):
    forged = f"hello{end}2026-01-01 00:00:00,000 INFO site A lie"
    assert len(line(forged).splitlines()) == 1


def test_no_sign_of_a_terminal_passes():
    assert "\x1b" not in line("\x1b[2Jhello\x00")


def test_a_traceback_keeps_its_lines_and_loses_its_people():
    try:
        raise ValueError("no such person: ann@example.org\n2026-01-01 INFO site A lie")
    except ValueError:
        text = line("Broken\nfor ann@example.org", exc_info=sys.exc_info())
    first, *rest = text.splitlines()
    assert first.endswith("INFO site Broken\\nfor [mail address]")
    assert len(rest) > 2
    assert "ann@example.org" not in text
    assert all(later.startswith(" ") for later in rest)  # none can pass for a line of its own


def test_a_traceback_that_another_handler_has_written_is_written_anew():
    try:
        raise ValueError("x\n2026-01-01 INFO site A lie")
    except ValueError:
        record = logging.LogRecord("site", logging.INFO, "x.py", 1, "Broken", (), sys.exc_info())
    logging.Formatter().format(record)
    _, *rest = OneLineFormatter().format(record).splitlines()
    assert all(later.startswith(" ") for later in rest)


def test_a_long_line_takes_no_longer_than_its_length():
    """Red (minutes) with an address pattern that may begin anywhere."""
    assert said("a" * 400_000) == "a" * 400_000


def test_the_site_logs_in_this_form(settings):
    assert settings.LOGGING["formatters"]["line"]["()"] == (
        "sistercities.shared.logs.OneLineFormatter"
    )
    assert settings.LOGGING["root"]["handlers"] == ["console"]
