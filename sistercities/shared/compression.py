"""Pages go out compressed: readers on a slow line wait for bytes, not for our processor."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

TEXTS = (
    "text/", "application/json", "application/xml", "application/rss+xml", "application/atom+xml",
    "application/ld+json", "application/feed+json", "image/svg+xml",
)  # fmt: skip


class CompressTexts(GZipMiddleware):
    """Django's own, with its guard against BREACH, for texts alone.

    Pictures are compressed already, and a file that is streamed would lose its length.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.streaming or not response.get("Content-Type", "").startswith(TEXTS):
            return response
        return super().process_response(request, response)
