"""Galleries as visitors see them: the list, one gallery, one picture."""

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from exchanges.album import Album
from exchanges.linked_data import of_gallery
from exchanges.models import Gallery, Photo
from sistercities.shared.headers import stored_briefly
from sistercities.shared.images import STEPS
from sistercities.shared.keyset import Keyset, number
from sistercities.shared.site import current_site

GALLERIES_ON_PAGE = 24
NEWEST = Keyset({"day": dt.date.fromisoformat, "pk": number})


@require_safe
@stored_briefly
def gallery_list(request: HttpRequest) -> HttpResponse:
    galleries = Gallery.objects.published().with_cover().newest().select_related("city", "visit")
    page = NEWEST.page(request, galleries, GALLERIES_ON_PAGE)
    covers = Photo.objects.in_bulk({gallery.cover_id for gallery in page} - {None})
    for gallery in page:
        gallery.cover = covers.get(gallery.cover_id)
    return render(request, "exchanges/gallery_list.html", {"page": page})


def published(slug: str) -> Gallery:
    """A gallery that anybody may see, with its city and visit; 404 for any other."""
    galleries = Gallery.objects.published().select_related("city", "visit__city", "archive")
    return get_object_or_404(galleries, slug=slug)


@require_safe
@stored_briefly
def gallery_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One piece of a gallery; `?page=` asks for another than the first."""
    gallery = published(slug)
    album = Album.of(gallery, gallery.photos.shown(), home=current_site(request).zone)
    context = gallery_page(gallery, album, request.GET.get("page"))
    shown = [photo for chapter in context["chapters"] for photo in chapter.photos]
    context["linked_data"] = of_gallery(gallery, shown, album.address)
    return render(request, "exchanges/gallery_detail.html", context)


def gallery_page(gallery: Gallery, album: Album, number: str | None) -> dict[str, Any]:
    """What the page of a gallery shows of one piece of its album."""
    page = album.piece(number)
    photos = album.load([*page, album.cover])
    here = photos.keys() & set(page)
    for chapter in album.chapters:
        chapter.photos = [photos[key] for key in chapter.keys if key in here]
    return {
        "gallery": gallery,
        "city": gallery.city,
        "visit": gallery.visit if gallery.visit and gallery.visit.is_public else None,
        "address": album.address,
        "page": page,
        "contents": album.contents(page),
        "chapters": [chapter for chapter in album.chapters if chapter.photos],
        "cover": photos.get(album.cover) if album.cover else None,
        "steps": STEPS,
    }


@require_safe
@stored_briefly
def photo_detail(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One picture with its place in the row: what the lightbox shows, without script."""
    gallery = published(slug)
    album = Album.of(gallery, gallery.photos.shown(), home=current_site(request).zone)
    return render(request, "exchanges/photo_detail.html", photo_page(gallery, album, pk))


def photo_page(gallery: Gallery, album: Album, pk: int) -> dict[str, Any]:
    """What the page of one picture shows; 404 for one that is not in the album."""
    photo = album.load([pk]).get(pk) if pk in album.keys else None
    if photo is None:
        raise Http404
    keys, index = album.keys, album.keys.index(pk)
    return {
        "gallery": gallery,
        "city": gallery.city,
        "photo": photo,
        "chapter": album.chapter_of(pk),
        "number": index + 1,
        "count": len(keys),
        "before": album.page_of(keys[index - 1]) if index else "",
        "after": album.page_of(keys[index + 1]) if index + 1 < len(keys) else "",
        "back": album.address_of(pk, f"p{pk}"),
    }
