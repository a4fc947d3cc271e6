"""How often a test of chance is repeated: a few times at a desk, more often where `CI` is set, and
as often as the promises name where `THOROUGH` is.
"""

import os

IN_CI = bool(os.environ.get("CI"))
IS_THOROUGH = bool(os.environ.get("THOROUGH"))


def rounds(usual: int, *, in_ci: int, thorough: int | None = None) -> int:
    if IS_THOROUGH and thorough:
        return thorough
    return in_ci if IN_CI else usual
