"""How fast letters go, over all processes: `MAIL_RATE` a second.

A second has so many places in the shared cache. Whoever takes one with an atomic add sends at its
moment, so letters go evenly and two processes never take the same place.
"""

import time

from django.conf import settings
from django.core.cache import cache

KEPT = 30  # seconds; the names come again after 60, so the cache stays small


def seconds_to_wait() -> float:
    """Takes the next free place; the seconds until its moment, 0 where there is no limit.

    Real time, never the site's clock, which tests may hold still. Raises what the shared cache
    raises when it is away.
    """
    rate = settings.MAIL_RATE
    if not rate:
        return 0
    place = int(time.time() * rate) + 1
    while not cache.add(f"letter-place:{rate}:{place % (60 * rate)}", 1, timeout=KEPT):
        place += 1
    return max(0, place / rate - time.time())
