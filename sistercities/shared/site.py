"""Puts the organisation on each request, and its clock on the wall."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.defaults import page_not_found

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
            site = SiteSettings.load()
            request.site = cast(Any, site)  # the stubs know only Django's own sites framework
            timezone.activate(site.zone)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The helpful 404 page, also where DEBUG would show Django's own."""
        if isinstance(exception, Http404):
            return page_not_found(request, exception)
        return None


def current_site(request: HttpRequest) -> SiteSettings:
    """The organisation that `CurrentSite` put on this request."""
    return cast(SiteSettings, request.site)


def without_site(view: Callable) -> Callable:
    """For views that answer without knowing the organisation: health, files, hooks."""
    setattr(view, "without_site", True)  # noqa: B010  (a function has no such attribute to mypy)
    return view


@contextlib.contextmanager
def at_home() -> Iterator[None]:
    """The organisation's clock on the wall, for jobs: a request has it from `CurrentSite`."""
    with timezone.override(SiteSettings.load().zone):
        yield
