"""Stored pictures, handed out as they are. Files of random names, so they never change."""

from pathlib import Path, PurePosixPath

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from sistercities.shared.site import without_site

CONTENT_TYPES = {".webp": "image/webp", ".jpg": "image/jpeg", ".png": "image/png"}


@require_safe
@without_site
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """One file of `MEDIA_ROOT`, typed by its suffix alone; asks the database nothing.

    404 for everything else: other suffixes, folders, links that lead out, parent folders.
    """
    content_type = CONTENT_TYPES.get(PurePosixPath(path).suffix)
    file = _stored_file(path) if content_type else None
    if file is None:
        return HttpResponseNotFound("Not found\n", content_type="text/plain")
    response = FileResponse(file.open("rb"), content_type=content_type)
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    # Mail read in a browser shows the letter's pictures: the one thing other sites may show.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _stored_file(path: str) -> Path | None:
    root = Path(settings.MEDIA_ROOT).resolve()
    if path != str(PurePosixPath(path)):  # one address a file: no `a//b`, no `b/` for `b`
        return None
    try:
        file = (root / path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # absent, too long, a loop of links, a NUL
        return None
    return file if file.is_relative_to(root) and file.is_file() else None
