"""What a reader agrees to, by version. A version is never edited: a new text is a new line.

The sign-up box shows the present one and posts its version, because a stored page may be older
than the text (mail.md E3).
"""

from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

WORDINGS = {
    "2026-11": _(
        "You ask us to send you our newsletter by mail. We keep your address for that and for "
        "nothing else. You can leave at any time with one click."
    ),
}
CURRENT = "2026-11"


class Wording(NamedTuple):
    version: str
    text: str


def wording(version: str = CURRENT) -> Wording:
    """The text in the active language. A version that never was gives the present one."""
    version = version if version in WORDINGS else CURRENT
    return Wording(version, str(WORDINGS[version]))
