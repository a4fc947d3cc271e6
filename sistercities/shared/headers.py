"""Response headers that Django does not set by itself."""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import cache_control

Response = TypeVar("Response", bound=HttpResponseBase)
BRIEFLY = 30  # seconds
MAIL_FLAGS = "/flag-icons/mail/"
# For pages that are the same for everybody: the site stores them, and anybody else may. A photo
# whose consent is taken back is gone within a minute (trust.md, Minors): half of it is for a
# proxy's copy, half for a browser's copy of that. Never for a page that sets a cookie.
stored_briefly = cache_control(public=True, max_age=BRIEFLY)


class CrossOriginHeaders:
    """Keeps the site's answers, static files included, out of other sites' pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # Mail read in a browser shows its flags, as it shows its pictures.
        is_for_mail = MAIL_FLAGS in request.path
        response.setdefault(
            "Cross-Origin-Resource-Policy", "cross-origin" if is_for_mail else "same-origin"
        )
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response


def personal(response: Response, *, referrer: str = "no-referrer") -> Response:
    """Marks a page that one person may see: stored nowhere, indexed nowhere, told to nobody.

    A page with a form that Django guards against forgery needs `referrer="same-origin"`: under
    `no-referrer` browsers send `Origin: null` with the form, and Django refuses it.
    """
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = referrer
    return response
