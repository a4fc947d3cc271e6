"""The stock admin under our names, with its own security header."""

from typing import Any, cast

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.admin.sites import AdminSite
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _

from sistercities.shared.headers import personal


class StaffSite(AdminSite):
    """The stock admin under our names; no answer of it is stored by any cache."""

    site_title = site_header = _("Sister cities: staff")
    index_title = _("What would you like to do?")
    empty_value_display = "–"

    def admin_view(self, view, cacheable=False):
        inner = csp_replace(settings.ADMIN_CONTENT_SECURITY_POLICY)(
            super().admin_view(view, cacheable)
        )

        def private(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = cast(HttpResponse, inner(request, *args, **kwargs))
            return personal(response, referrer="same-origin")

        return private

    @method_decorator(csp_replace(settings.ADMIN_CONTENT_SECURITY_POLICY))
    def login(self, request, extra_context=None):
        return personal(super().login(request, extra_context), referrer="same-origin")
