"""A gallery as Media RSS, which feed readers and picture frames show (rssboard.org/media-rss)."""

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.feedgenerator import Rss201rev2Feed
from django.utils.html import escape
from django.utils.translation import gettext as _

from exchanges.album import Album
from exchanges.models import Gallery, Photo
from exchanges.views.galleries import published
from sistercities.shared.addresses import absolute, jpeg
from sistercities.shared.feeds import PublicFeed, tag, xml_text
from sistercities.shared.headers import BRIEFLY
from sistercities.shared.site import current_site

PHOTOS_IN_FEED = 100


class MediaRss(Rss201rev2Feed):
    """RSS 2.0 with the elements of Media RSS; each item brings its photo as `photo`."""

    def rss_attributes(self) -> dict[str, str]:
        return {**super().rss_attributes(), "xmlns:media": "http://search.yahoo.com/mrss/"}

    def add_item_elements(self, handler, item) -> None:
        super().add_item_elements(handler, item)
        photo: Photo = item["photo"]
        size = {"width": str(photo.picture_width), "height": str(photo.picture_height)}
        handler.addQuickElement(
            "media:content", None,
            {"url": absolute(jpeg(photo)), "type": "image/jpeg", "medium": "image", **size},
        )  # fmt: skip
        handler.addQuickElement("media:thumbnail", None, {"url": absolute(jpeg(photo, 800))})
        if photo.picture_credit:
            handler.addQuickElement("media:credit", xml_text(photo.picture_credit))
        if photo.picture_alt and not photo.is_decorative:
            handler.addQuickElement(
                "media:description", xml_text(photo.picture_alt), {"type": "plain"}
            )
        if photo.licence_url:
            handler.addQuickElement(
                "media:license", photo.get_licence_display(),
                {"type": "text/html", "href": photo.licence_url},
            )  # fmt: skip


@dataclass(frozen=True)
class Told:
    """A gallery with the photos that its feed tells of."""

    gallery: Gallery
    photos: list[Photo]


class GalleryFeed(PublicFeed):
    """The first photos of a gallery in their order. Addresses are those of `SITE_URL`."""

    feed_type = MediaRss
    max_age = BRIEFLY

    def get_object(self, request: HttpRequest, slug: str) -> Told:
        gallery = published(slug)
        album = Album.of(gallery, gallery.photos.shown(), home=current_site(request).zone)
        first = album.keys[:PHOTOS_IN_FEED]
        photos = album.load(first)
        return Told(gallery, [photos[key] for key in first if key in photos])

    def title(self, told: Told) -> str:
        return xml_text(_("Pictures: %s") % told.gallery.title)

    def description(self, told: Told) -> str:
        return xml_text(told.gallery.summary)

    def link(self, told: Told) -> str:
        return absolute(told.gallery.get_absolute_url())

    def feed_url(self, told: Told) -> str:
        return absolute(f"{told.gallery.get_absolute_url()}feed/")

    def items(self, told: Told) -> list[Photo]:
        return told.photos

    def item_title(self, photo: Photo) -> str:
        return xml_text(photo.picture_caption or photo.picture_alt or _("Picture"))

    def item_description(self, photo: Photo) -> str:
        words = (photo.picture_caption, photo.picture_credit)
        return escape(xml_text(" · ".join(word for word in words if word)))  # read as HTML

    def item_link(self, photo: Photo) -> str:
        return absolute(photo.get_absolute_url())

    def item_guid(self, photo: Photo) -> str:
        return tag("photo", photo.pk)

    item_guid_is_permalink = False

    def item_pubdate(self, photo: Photo) -> dt.datetime:
        return photo.gallery.publish_at

    def item_extra_kwargs(self, photo: Photo) -> dict[str, Photo]:
        return {"photo": photo}
