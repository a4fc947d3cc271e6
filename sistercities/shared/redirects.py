"""Old addresses of pages: asked only where nothing is found, and never leading off the site.

A published page whose address changes leaves a row here by itself (`publishing.Publishable`).
"""

from collections.abc import Callable
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

LONGEST = 400
HOUR = 3600
# One slash in front, no second one, nothing invisible: never the address of another site.
on_this_site = RegexValidator(
    r"^/(?![/\\])[^\s\\\x00-\x1f\x7f]*\Z",
    _("Write an address of this site that begins with one slash, such as /visits/jinzhou-2013/."),
)


class RedirectQuerySet(models.QuerySet["Redirect"]):
    def for_path(self, path: str, query: str) -> "Redirect | None":
        """The row for an address: the most exact one first. One query."""
        exact = {path, iri_to_uri(path), f"{path}?{query}"}
        above = {path[: at + 1] for at, sign in enumerate(path[:LONGEST]) if sign == "/"}
        wanted = [old for old in exact | above if len(old) <= LONGEST]
        rows = self.filter(old_path__in=wanted).order_by(Length("old_path").desc())
        return next((row for row in rows if row.old_path in exact or row.has_parts), None)

    @transaction.atomic
    def record(self, *, old: str, new: str) -> None:
        """A page moved. What led to its former address leads to the new one at once, and the
        new address is one no more that leads elsewhere: no chains and no circles.
        """
        self.filter(old_path=new).delete()
        self.filter(new_path=old).update(new_path=new)
        values = {"new_path": new, "has_parts": old.endswith("/"), "is_automatic": True}
        self.update_or_create(old_path=old, defaults=values)


class Redirect(models.Model):
    old_path = models.CharField(
        _("old address"), max_length=LONGEST, unique=True, validators=[on_this_site],
        help_text=_("What follows the site's name, such as /index.php?id=12 or /old-page/."),
    )  # fmt: skip
    new_path = models.CharField(
        _("leads to"), max_length=LONGEST, validators=[on_this_site],
        help_text=_("An address of this site, such as /visits/jinzhou-2013/."),
    )  # fmt: skip
    has_parts = models.BooleanField(
        _("and all below it"), default=False,
        help_text=_("What stands below the old address leads to the same below the new one."),
    )  # fmt: skip
    is_automatic = models.BooleanField(_("written by the site"), default=False, editable=False)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    objects = RedirectQuerySet.as_manager()

    class Meta:
        verbose_name = _("old address")
        verbose_name_plural = _("old addresses")
        ordering = ["old_path"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(old_path=F("new_path")),
                name="redirect_leads_elsewhere",
                violation_error_message=_("The two addresses are the same."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.old_path} → {self.new_path}"

    def clean(self):
        super().clean()
        if self.has_parts and not (self.old_path.endswith("/") and self.new_path.endswith("/")):
            raise ValidationError({"has_parts": _("Then both addresses must end with a slash.")})
        if self.has_parts and self.new_path.startswith(self.old_path):
            raise ValidationError({"new_path": _("This lies below the old address.")})
        self._refuse_circles()

    def _refuse_circles(self) -> None:
        """A row leads to a page, not to a row: nothing is followed twice."""
        others = Redirect.objects.exclude(pk=self.pk)
        path, _mark, query = self.new_path.partition("?")
        onward = others.for_path(path, query)
        if onward:
            reason = _("This is an old address itself. Write where it leads: %s")
            raise ValidationError({"new_path": reason % onward.new_path})
        if others.filter(new_path=self.old_path).exists():
            reason = _("Other old addresses lead here. Change them first.")
            raise ValidationError({"old_path": reason})

    def target(self, path: str, query: str) -> str:
        """Where a request for `path` goes, ready for the header; "" if that is no place of ours."""
        rest = path.removeprefix(self.old_path) if self.has_parts else ""
        target = iri_to_uri(self.new_path) + quote(rest, safe="/")
        if query and "?" not in self.old_path and "?" not in target:
            target += f"?{query}"
        return target if url_has_allowed_host_and_scheme(target, allowed_hosts=None) else ""


class OldAddresses:
    """Looks into the table where the site itself has found nothing: a page costs no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 404 or request.method not in {"GET", "HEAD"}:
            return response
        path, query = request.path, request.META.get("QUERY_STRING", "")
        if "\0" in path or "\0" in query:  # PostgreSQL takes no such text
            return response
        if path.startswith(settings.MEDIA_URL):  # a file has a new name, never another's
            return response
        row = Redirect.objects.for_path(path, query)
        target = row.target(path, query) if row else ""
        if not target or target == request.get_full_path():
            return response
        moved = HttpResponsePermanentRedirect(target)
        moved["Cache-Control"] = f"public, max-age={HOUR}"  # staff may use the address again
        return moved
