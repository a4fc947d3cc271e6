"""A gallery, listed or not, for those who hold a link to it. All of it is personal.

Its pictures come out of private storage: an unlisted gallery has no public files. Each answer
asks anew whether the link opens and whether consent lets the photo be seen (trust.md, I7).
"""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import PurePosixPath

from django.core.files.storage import storages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.defaults import page_not_found

from exchanges.album import Album
from exchanges.models import Gallery, GalleryLink, Photo
from exchanges.models.gallery import PhotoQuerySet
from exchanges.views.downloads import zip_of
from exchanges.views.galleries import gallery_page, photo_page
from sistercities.shared.headers import personal
from sistercities.shared.images import rendition_names
from sistercities.shared.media import CONTENT_TYPES
from sistercities.shared.site import current_site
from sistercities.shared.stored_files import PRIVATE


class SharedAlbum(Album):
    """An album whose pictures have their addresses under its own, by their keys."""

    def load(self, keys: Iterable[int | None]) -> dict[int, Photo]:
        photos = super().load(keys)
        for photo in photos.values():
            photo.picture_base, photo.picture = f"{self.address}pictures/", _file_name(photo)
        return photos


def for_holders(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Hands `view` the gallery that the link opens. Every token that opens none: the same 404."""

    @require_safe
    @wraps(view)
    def opened(request: HttpRequest, token: str, **parts: object) -> HttpResponseBase:
        try:
            links = GalleryLink.objects.in_force().select_related(
                "gallery__city", "gallery__visit__city", "gallery__archive"
            )
            link = get_object_or_404(links, token=token)
            response = view(request, link, **parts)
        except Http404 as missing:
            response = page_not_found(request, missing)
        return personal(response)

    return opened


@for_holders
def shared_gallery(request: HttpRequest, link: GalleryLink) -> HttpResponse:
    context = gallery_page(link.gallery, _album(request, link), request.GET.get("page"))
    return render(request, "exchanges/shared_gallery.html", {**context, "link": link})


@for_holders
def shared_photo(request: HttpRequest, link: GalleryLink, pk: int) -> HttpResponse:
    context = photo_page(link.gallery, _album(request, link), pk)
    return render(request, "exchanges/shared_photo.html", {**context, "link": link})


@for_holders
def shared_picture(request: HttpRequest, link: GalleryLink, pk: int, rest: str) -> FileResponse:
    """One file of a photo: `17.webp`, `17-480.webp`, `17.jpg`."""
    photo = get_object_or_404(_photos(link.gallery), pk=pk)
    sizes = {"has_avif": photo.picture_has_avif}
    names = rendition_names(_file_name(photo), photo.picture_width, **sizes)
    stored = rendition_names(photo.stored_renditions, photo.picture_width, **sizes)
    name = f"{pk}{rest}"
    if name not in names:
        raise Http404
    try:
        file = storages[PRIVATE].open(stored[names.index(name)])
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(file, content_type=CONTENT_TYPES[PurePosixPath(name).suffix])


@for_holders
def shared_zip(request: HttpRequest, link: GalleryLink) -> FileResponse:
    return zip_of(request, link.gallery)


def _photos(gallery: Gallery) -> PhotoQuerySet:
    return gallery.photos.allowed().rendered()


def _album(request: HttpRequest, link: GalleryLink) -> Album:
    home = current_site(request).zone
    address = reverse("exchanges:shared_gallery", args=[link.token])
    return SharedAlbum.of(link.gallery, _photos(link.gallery), home=home, address=address)


def _file_name(photo: Photo) -> str:
    return f"{photo.pk}.webp"
