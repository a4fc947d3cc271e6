"""Puts the organisation on each request, and its clock on the wall."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from sistercities.shared.models import SiteSettings


class CurrentSite:
    """Sets `request.site` and the organisation's time zone, for views that show pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: Callable, *_: object) -> None:
        if not getattr(view, "without_site", False):
            request.site = SiteSettings.load()
            timezone.activate(request.site.zone)


def without_site(view: Callable) -> Callable:
    """For views that answer without knowing the organisation: health, files, hooks."""
    view.without_site = True
    return view
