"""A gallery's pictures in one file."""

import io

from django.core.files.storage import storages
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from exchanges import downloading
from exchanges.models import Gallery
from exchanges.views.galleries import published
from sistercities.shared.stored_files import PRIVATE


@require_safe
@cache_control(no_store=True)
def gallery_zip(request: HttpRequest, slug: str) -> FileResponse:
    return zip_of(request, published(slug))


def zip_of(request: HttpRequest, gallery: Gallery) -> FileResponse:
    """The ZIP that a job has made; 404 while there is none that is right. Asking makes nothing."""
    archive = downloading.ready(gallery)
    if archive is None:
        raise Http404
    try:
        is_head = request.method == "HEAD"
        file = io.BytesIO() if is_head else storages[PRIVATE].open(archive.file)
    except FileNotFoundError:  # it was let go of this very moment
        raise Http404 from None
    response = FileResponse(
        file,
        content_type="application/zip",
        as_attachment=True,
        filename=f"{gallery.title}.zip",
    )
    response["Content-Length"] = str(archive.bytes)
    return response
