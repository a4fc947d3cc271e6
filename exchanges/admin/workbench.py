"""What the pages of a gallery's steps share: who may open them, their header, the history."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from exchanges.album import Chapter
from exchanges.models import Gallery, Photo
from exchanges.progress import progress_of
from exchanges.sorting import WITHOUT_TIME


def opened(request: HttpRequest, pk: int) -> Gallery:
    """The gallery, for who may change photos; `gallery.visit` and both cities at hand."""
    if not request.user.has_perm("exchanges.change_photo"):
        raise PermissionDenied
    galleries = Gallery.objects.select_related("city", "visit__city")
    return get_object_or_404(galleries, pk=pk)


def steps_of(gallery: Gallery, step: int) -> str:
    """The header of the gallery's steps as HTML, for a page that brings itself up to date."""
    return render_to_string(
        "admin/exchanges/gallery/steps.html",
        {"gallery": gallery, "step": step, "progress": progress_of(gallery)},
    )


def page_of(
    site_admin: ModelAdmin, request: HttpRequest, gallery: Gallery, *, step: int, title: str
) -> dict[str, Any]:
    """The context of a step's page. One query."""
    return {
        **site_admin.admin_site.each_context(request),
        "is_nav_sidebar_enabled": False,  # photos need the width
        "opts": site_admin.opts,
        "title": title,
        "gallery": gallery,
        "step": step,
        "progress": progress_of(gallery),
    }


def note(request: HttpRequest, rows: Sequence[Model], text: str) -> None:
    """Writes into the history of rows of one model what was done with them (trust.md, I8)."""
    LogEntry.objects.log_actions(cast(int, request.user.pk), rows, CHANGE, text)


def mark_of_deletion(photo: Photo) -> str:
    """The same for all photos that were deleted together, so that they can be brought back so."""
    return photo.deleted_at.astimezone(dt.UTC).isoformat() if photo.deleted_at else ""


def undo_address(photo: Photo) -> str:
    """The page where its gallery is sorted, with a button that brings back this photo."""
    address = reverse("admin:exchanges_gallery_sort", args=[photo.gallery_id])
    return f"{address}?{urlencode({'undo': mark_of_deletion(photo)})}"


def title_of(chapter: Chapter) -> str:
    if chapter.day:
        title = {"number": chapter.day.number, "title": chapter.day.title}
        return _("Day %(number)d: %(title)s") % title
    if chapter.anchor == WITHOUT_TIME:
        return _("Without a time")
    return _("Not a day of the visit")


def day_of(chapter: Chapter) -> str:
    return date_format(chapter.on, "l, F j, Y") if chapter.on else ""
