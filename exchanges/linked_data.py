"""What programs read of a gallery and of an event: schema.org's words, as JSON-LD."""

from collections.abc import Iterable
from typing import Any

from exchanges.models import Event, Gallery, Photo, Visit
from sistercities.shared.addresses import absolute, jpeg

CONTEXT = "https://schema.org"


def of_gallery(gallery: Gallery, photos: Iterable[Photo], address: str) -> dict[str, Any]:
    """An `ImageGallery` with the photos of one piece. It tells no more than the page does."""
    return _told(
        {
            "@context": CONTEXT,
            "@type": "ImageGallery",
            "name": gallery.title,
            "description": gallery.summary,
            "url": absolute(address),
            "dateCreated": _day(gallery),
            "contentLocation": _place(gallery),
            "image": [_image(photo, address) for photo in photos],
        }
    )


def of_event(event: Event, *, organiser: str) -> dict[str, Any]:
    """An `Event`: whole days as days, hours with their offset."""
    modes = {(True, True): "Mixed", (True, False): "Online"}
    mode = modes.get((event.is_online, bool(event.place or event.address)), "Offline")
    return _told(
        {
            "@context": CONTEXT,
            "@type": "Event",
            "name": event.title,
            "description": event.summary,
            "url": absolute(event.get_absolute_url()),
            "startDate": (event.start or event.starts_on).isoformat(),
            "endDate": (event.end or event.ends_on or event.starts_on).isoformat(),
            "eventAttendanceMode": f"{CONTEXT}/{mode}EventAttendanceMode",
            "location": _where(event),
            "image": absolute(jpeg(event)) if event.picture else "",
            "organizer": {"@type": "Organization", "name": organiser, "url": absolute("/")},
        }
    )


def _where(event: Event) -> list[dict[str, Any]]:
    places = []
    if event.place or event.address:
        place = {"@type": "Place", "name": event.place, "address": event.address}
        places.append(_told(place))
    if event.is_online:
        places.append(
            {
                "@type": "VirtualLocation",
                "url": event.online_url or absolute(event.get_absolute_url()),
            }
        )
    return places


def _image(photo: Photo, address: str) -> dict[str, Any]:
    return _told(
        {
            "@type": "ImageObject",
            "url": absolute(f"{address}{photo.pk}/"),
            "contentUrl": absolute(jpeg(photo)),
            "width": photo.picture_width,
            "height": photo.picture_height,
            "caption": photo.picture_caption or photo.picture_alt,
            "creditText": photo.picture_credit,
            "license": photo.licence_url,
        }
    )


def _day(gallery: Gallery) -> str:
    """The first day in ISO 8601, or the month or year where no more is on file of its visit."""
    if not gallery.taken_on:
        return ""
    precision = gallery.visit.precision if gallery.visit else Visit.Precision.DAY
    parts = {Visit.Precision.YEAR: 1, Visit.Precision.MONTH: 2}.get(Visit.Precision(precision), 3)
    return "-".join(gallery.taken_on.isoformat().split("-")[:parts])


def _place(gallery: Gallery) -> dict[str, Any] | None:
    """Where the pictures were taken; nothing for guests at home, whose city is elsewhere."""
    city = gallery.city
    if gallery.visit and not gallery.visit.is_outbound:
        return None
    address = {
        "@type": "PostalAddress",
        "addressLocality": city.name,
        "addressRegion": city.region,
        "addressCountry": str(city.country),
    }
    return {"@type": "Place", "name": city.name, "address": _told(address)}


def _told(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value not in ("", None, [])}
