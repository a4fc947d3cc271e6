"""How often something may be done. Counts live in the shared cache, so all processes agree."""

import ipaddress
import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from sistercities.shared.signing import fingerprint


def client_address(request: HttpRequest) -> str:
    """The visitor's network address.

    Forwarded addresses are believed only from the configured number of proxies
    (`TRUSTED_PROXIES`): the last ones in the header, which those proxies wrote themselves.
    """
    hops = settings.TRUSTED_PROXIES
    if hops:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(forwarded) >= hops:
            return forwarded[-hops].strip()
    return request.META.get("REMOTE_ADDR", "")


def network(address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that one IPv6 home is given."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def allowed(action: str, who: str, *, times: int, seconds: int) -> bool:
    """Counts one try of `action` by `who`; False when there were `times` in this window.

    Windows are fixed (the clock divided by `seconds`). Each try takes a numbered place with an
    atomic add, so two processes cannot take the same one.
    """
    window = int(time.time()) // seconds
    key = fingerprint("limit", f"{action}:{who}:{window}")
    places = [f"limit:{key}:{place}" for place in range(times)]
    taken = cache.get_many(places)  # one question, however large the limit is
    return any(cache.add(place, 1, timeout=seconds) for place in places if place not in taken)
