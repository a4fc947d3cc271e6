"""How often the links of a letter are followed: off unless MAIL_LINK_COUNTS is on (mail.md E23).

A counted link names the letter and where it leads, signed so that it leads nowhere else. It holds
nothing of the person, so nobody can be told from it. There is no pixel.
"""

import logging
import re
from dataclasses import replace
from html import escape, unescape

from django.conf import settings
from django.core import signing
from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse

from sistercities.newsletter.models import Issue, LinkCount
from sistercities.newsletter.rendering import Letter
from sistercities.shared.limits import allowed, client_address, network

logger = logging.getLogger(__name__)
SIGNER = signing.Signer(salt="newsletter-link")
LINK = re.compile(r'href="(https?://[^"{}]{1,500})"')
HOUR = 60 * 60
ROBOT = re.compile(
    r"bot|crawl|spider|slurp|preview|scan|check|monitor|fetch|proxy|headless|python|curl|wget|java/"
    r"|go-http|libwww|okhttp|facebookexternalhit|whatsapp|telegram|proofpoint|barracuda|mimecast",
    re.IGNORECASE,
)
AHEAD_OF_TIME = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def counted(letter: Letter, issue: Issue) -> Letter:
    """The letter with its links counted, or as it is where that is off.

    Only the HTML part, and not the links that are one person's own: those are placeholders.
    """
    if not settings.MAIL_LINK_COUNTS:
        return letter

    def through_us(found: re.Match[str]) -> str:
        return f'href="{escape(counted_url(issue, unescape(found[1])))}"'

    return replace(letter, html=LINK.sub(through_us, letter.html))


def counted_url(issue: Issue, url: str) -> str:
    """The address that leads to `url` and counts it for this letter; the same for every reader."""
    signed = SIGNER.sign_object([issue.pk, url], compress=True)
    return settings.SITE_URL + reverse("newsletter:link", args=[signed])


def follow(token: str, request: HttpRequest) -> str:
    """Where a counted link leads; counts it. Raises `signing.BadSignature` for one of others.

    Robots, prefetching, HEAD and a second click from the same place within an hour count nothing.
    """
    pk, url = SIGNER.unsign_object(token)
    issue = Issue.objects.filter(pk=pk).first()
    if issue and _is_a_person(request) and _is_first(request, token):
        row, _new = LinkCount.objects.get_or_create(issue=issue, url=url)
        LinkCount.objects.filter(pk=row.pk).update(count=F("count") + 1)
    return url


def _is_a_person(request: HttpRequest) -> bool:
    agent = request.headers.get("User-Agent", "")
    is_early = any(
        word in request.headers.get(name, "").lower()
        for name in AHEAD_OF_TIME
        for word in ("prefetch", "preview", "prerender")
    )
    return request.method == "GET" and bool(agent) and not ROBOT.search(agent) and not is_early


def _is_first(request: HttpRequest, token: str) -> bool:
    place = network(client_address(request))
    try:
        return allowed("newsletter-link", f"{place} {token}", times=1, seconds=HOUR)
    except Exception:
        logger.exception("The shared cache did not answer; a click is not counted")
        return False
