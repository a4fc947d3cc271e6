"""Pages that stand alone, search, and what machines ask for."""

import io

from django.conf import settings
from django.core.files.storage import storages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.common import no_append_slash
from django.views.decorators.http import require_safe
from django.views.generic import DetailView

from sistercities.pages import search as searching
from sistercities.pages.models import BoardMember, Document, Page
from sistercities.shared.headers import stored_briefly
from sistercities.shared.site import without_site
from sistercities.shared.stored_files import PRIVATE


@method_decorator(stored_briefly, "dispatch")
class PageDetail(DetailView):
    """About, contact, privacy and what else staff wrote."""

    http_method_names = ["get", "head", "options"]
    template_name = "pages/page.html"
    context_object_name = "page"

    def get_queryset(self) -> QuerySet[Page]:
        return Page.objects.published()


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """`?q=`: any text at all is an answer with 200, in four queries or fewer."""
    found = searching.search(request.GET.get("q", ""))
    return render(request, "pages/search.html", {"found": found})


@require_safe
@stored_briefly
def board(request: HttpRequest) -> HttpResponse:
    """Who runs the organisation, under the page `board` that staff write."""
    page = Page.objects.for_address("board", _("The board"))
    context = {"page": page, "members": BoardMember.objects.shown()}
    return render(request, "pages/board.html", context)


@require_safe
@stored_briefly
def documents(request: HttpRequest) -> HttpResponse:
    """Everything that we publish as a PDF, by kind, the latest first (giving.md D30).

    `?q=` keeps those that hold every word, in their title or in the PDF itself.
    """
    asked = searching.normalise(request.GET.get("q", ""))
    rows = Document.objects.published().newest_first()
    for word in asked.split():
        rows = rows.filter(searching.in_fields(("title", "text"), word))
    kinds: dict[str, list[Document]] = {value: [] for value in Document.Kind.values}
    for row in rows:
        kinds[row.kind].append(row)
    groups = [(Document.Kind(kind).label, found) for kind, found in kinds.items() if found]
    return render(request, "pages/documents.html", {"groups": groups, "asked": asked})


@require_safe
@without_site
def document(request: HttpRequest, slug: str) -> FileResponse:
    return pdf_of(request, get_object_or_404(Document.objects.published(), slug=slug))


def pdf_of(request: HttpRequest, row: Document) -> FileResponse:
    """To be saved, not shown: a PDF can carry scripts, and this is our own address."""
    is_head = request.method == "HEAD"
    try:
        file = io.BytesIO() if is_head else storages[PRIVATE].open(row.file)
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        file, content_type="application/pdf", as_attachment=True, filename=f"{row.slug}.pdf"
    )
    response["Content-Length"] = str(row.size_bytes)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@require_safe
@stored_briefly
@without_site
def robots(request: HttpRequest) -> HttpResponse:
    lines = (
        "User-agent: *",
        f"Disallow: {reverse('admin:index')}",
        f"Disallow: {reverse('pages:search')}",
        "Disallow: /replies/",
        f"Sitemap: {settings.SITE_URL}{reverse('pages:sitemap')}",
    )
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
@without_site
def healthz(request: HttpRequest) -> HttpResponse:
    """The process lives. Asks neither the database nor anything else."""
    response = HttpResponse("ok", content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: an old tab, a blocked cookie, or another site's doing.

    Nothing was stored. The way back is the page that held the form, if it is ours.
    """
    back = request.META.get("HTTP_REFERER", "")
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    context = {"back": back if is_ours else reverse("pages:home"), "is_ours": is_ours}
    return render(request, "pages/form_expired.html", context, status=403)


@no_append_slash  # or every missing picture would be sent on to itself with a slash
def nothing_here(request: HttpRequest) -> HttpResponse:
    """Any address that no part of the site knows: the helpful 404, with DEBUG too."""
    raise Http404
