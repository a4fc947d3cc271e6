"""Contrast of a city's accent colours with the pages that they stand on (WCAG 2.2, 1.4.3)."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Paper, panel and wash of the style sheet; the wash is 7 % (dark: 9 %) accent on paper.
LIGHT = ("#fafbf7", "#f0f2eb", 0.07)
DARK = ("#111615", "#19201e", 0.09)
WORDS, LINES = 4.5, 3.0  # the least contrast for words and for lines
HEX = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def _luminance(channels: list[float]) -> float:
    linear = [
        c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4
        for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: list[float], second: list[float]) -> float:
    """The ratio from 1 to 21 between two colours given as channels from 0 to 255."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def least_contrast(colour: str, *, accent: str, theme: tuple[str, str, float]) -> float:
    """The worst contrast of `colour` on paper, panel and the wash that `accent` gives."""
    paper, panel, share = theme
    wash = [
        a * share + p * (1 - share)
        for a, p in zip(_channels(accent), _channels(paper), strict=True)
    ]
    grounds: list[list[float]] = [list(_channels(paper)), list(_channels(panel)), wash]
    return min(contrast(list(_channels(colour)), ground) for ground in grounds)


def check_accents(colours: dict[str, str]) -> None:
    """Refuses colours that cannot be read, each beside its own field.

    `colours` holds accent, accent_line (light theme), accent_dark, accent_line_dark.
    """
    errors: dict[str, str] = {}
    for field, colour in colours.items():
        if not HEX.fullmatch(colour):
            errors[field] = _("Write a colour as # and six digits or letters a to f: #7b2a4e.")
    if errors:
        raise ValidationError(errors)
    for accent, line, theme, name in (
        ("accent", "accent_line", LIGHT, _("light")),
        ("accent_dark", "accent_line_dark", DARK, _("dark")),
    ):
        for field, least in ((accent, WORDS), (line, LINES)):
            found = least_contrast(colours[field], accent=colours[accent], theme=theme)
            if found < least:
                errors[field] = _(
                    "Too faint on the %(theme)s page: contrast %(found).1f, at least "
                    "%(least).1f is needed. Choose a %(way)s colour."
                ) % {
                    "theme": name,
                    "found": int(found * 10) / 10,
                    "least": least,
                    "way": _("darker") if theme is LIGHT else _("lighter"),
                }
    if errors:
        raise ValidationError(errors)
