"""Stored pictures, handed out as they are. Files of random names, so they never change."""

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from django.conf import settings
from django.core.files.storage import FileSystemStorage, storages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date
from django.views.decorators.http import require_safe

from sistercities.shared.site import without_site

if TYPE_CHECKING:
    from sistercities.shared.storage import PublicBucket

logger = logging.getLogger(__name__)

CONTENT_TYPES = {
    ".avif": "image/avif", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
}  # fmt: skip
KEPT_FOR_GOOD = "public, max-age=31536000, immutable"
# People's photos: whose consent is taken back is out of every copy in a minute (trust.md, Minors).
PEOPLE, KEPT_BRIEFLY = "photos/", "public, max-age=60"
# The shape of the names that we give: one address a file, and no `../` for an S3 server to follow.
NAME = re.compile(r"(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+\.[a-z]+")
LONGEST = 200
CONDITIONS = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")
CHUNK = 64 * 1024


@dataclass(frozen=True)
class Stored:
    """A file, and what HTTP says of it. `content` is None unless it was asked for."""

    size: int  # bytes
    etag: str  # with its quotation marks
    modified_at: int  # seconds since 1970
    content: IO[bytes] | None


@require_safe
@without_site
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """One file of the public storage, typed by its suffix alone; asks the database nothing.

    404 for everything else: other suffixes, folders, links that lead out, parent folders.
    503 while the storage does not answer.
    """
    asks_first = request.method == "HEAD" or any(name in request.headers for name in CONDITIONS)
    try:
        response = _answer(path, with_content=not asks_first)
        if asks_first and response.status_code == 200:
            response = _checked(request, response)
            if request.method == "GET" and response.status_code == 200:
                response = _answer(path, with_content=True)
    except OSError as error:
        logger.warning("A picture could not be read: %s", error)
        response = _nothing(503, "Try again later\n")
    if response.status_code in {200, 304}:
        # Mail read in a browser shows the letter's pictures: the one thing other sites may show.
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _answer(path: str, *, with_content: bool) -> HttpResponseBase:
    """The file, or its headers alone: 200 or 404."""
    content_type = CONTENT_TYPES.get(PurePosixPath(path).suffix)
    stored = _find(path, with_content=with_content) if content_type else None
    if stored is None:
        return _nothing(404, "Not found\n")
    if stored.content is None:
        response: HttpResponseBase = HttpResponse(content_type=content_type)
    else:
        response = FileResponse(stored.content, content_type=content_type)
        response.block_size = CHUNK
    response["Content-Length"] = str(stored.size)
    response["ETag"] = stored.etag
    response["Last-Modified"] = http_date(stored.modified_at)
    response["Cache-Control"] = KEPT_BRIEFLY if path.startswith(PEOPLE) else KEPT_FOR_GOOD
    return response


def _checked(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The same response, or 304 or 412 where the request's conditions say so."""
    modified_at = parse_http_date(response["Last-Modified"])
    headers = cast(HttpResponse, response)
    return get_conditional_response(request, response["ETag"], modified_at, headers) or response


def _nothing(status: int, words: str) -> HttpResponse:
    return HttpResponse(
        words, status=status, content_type="text/plain", headers={"Cache-Control": "no-store"}
    )


def _find(path: str, *, with_content: bool) -> Stored | None:
    if len(path) > LONGEST or not NAME.fullmatch(path):
        return None
    storage = storages["default"]
    if isinstance(storage, FileSystemStorage):
        return _in_folder(path, with_content=with_content)
    return cast("PublicBucket", storage).fetch(path, with_content=with_content)


def _in_folder(path: str, *, with_content: bool) -> Stored | None:
    file = _stored_file(path)
    if file is None:
        return None
    try:
        content = file.open("rb") if with_content else None
        stat = os.fstat(content.fileno()) if content else file.stat()
    except FileNotFoundError:  # deleted this very moment
        return None
    return Stored(
        size=stat.st_size,
        etag=f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"',
        modified_at=int(stat.st_mtime),
        content=content,
    )


def _stored_file(path: str) -> Path | None:
    root = Path(settings.MEDIA_ROOT).resolve()
    try:
        file = (root / path).resolve(strict=True)
    except (OSError, RuntimeError):  # absent, too long, a loop of links
        return None
    return file if file.is_relative_to(root) and file.is_file() else None
