"""What all our feeds have in common: read only, addresses of `SITE_URL`, text that XML can hold."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # no XML 1.0 may hold these


def xml_text(text: str) -> str:
    """`text` without the signs that would make the whole document unreadable."""
    return FORBIDDEN.sub("", text)


def tag(kind: str, pk: int) -> str:
    """The name of a row in feeds (RFC 4151): the same when its address or its day changes."""
    return f"tag:{urlsplit(settings.SITE_URL).hostname},2026:{kind}-{pk}"


class PublicFeed(Feed):
    """A feed that anybody may keep for `max_age` seconds."""

    max_age = 900

    def __call__(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = super().__call__(request, *args, **kwargs)
        response["Cache-Control"] = f"public, max-age={self.max_age}"
        return response
