"""A stand-in for Stripe's API and hosted payment page, for development, the demo and tests.

The real Stripe library speaks to it over HTTP. It moves no money, listens on 127.0.0.1 and
refuses to run without DEBUG. What it promises to tests is written in ``controls``.
"""

from .errors import ApiError
from .server import Sandbox, refuse_unless_debug

__all__ = ["ApiError", "Sandbox", "refuse_unless_debug"]
