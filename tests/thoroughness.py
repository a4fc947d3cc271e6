"""How often a test of chance is repeated: a few times at a desk, many times where `CI` is set."""

import os

IN_CI = bool(os.environ.get("CI"))


def rounds(usual: int, *, in_ci: int) -> int:
    return in_ci if IN_CI else usual
