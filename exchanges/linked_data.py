"""What search engines and other programs read of galleries, visits and events (JSON-LD)."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from cities.models import City
from exchanges.models import Event, Gallery, Photo, Visit
from sistercities.shared.addresses import absolute, jpeg
from sistercities.shared.linked_data import CONTEXT, of_page, told, us


def of_gallery(gallery: Gallery, photos: Iterable[Photo], address: str) -> dict[str, Any]:
    """An `ImageGallery` with the photos of one piece. It tells no more than the page does."""
    return told(
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


def _image(photo: Photo, address: str) -> dict[str, Any]:
    return told(
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


def of_visit(visit: Visit) -> dict[str, Any]:
    """An `Event`: schema.org has no nearer word. Its days are no more exact than the page's."""
    is_exact = visit.has_exact_days
    status = "EventCancelled" if visit.is_cancelled else "EventScheduled"
    return of_page(
        visit, "Event", visit.title, visit.summary,
        startDate=_as_exact(visit.starts_on, visit),
        endDate=visit.ends_on.isoformat() if visit.ends_on and is_exact else "",
        eventStatus=f"{CONTEXT}/{status}",
        eventAttendanceMode=f"{CONTEXT}/OfflineEventAttendanceMode",
        location=_of_city(visit.city) if visit.is_outbound else None,
        organizer=us(),
    )  # fmt: skip


def of_event(event: Event) -> dict[str, Any]:
    """Hours carry the offset of the event's own zone; what lasts all day has only its days."""
    modes = {(True, True): "Mixed", (True, False): "Online"}
    mode = modes.get((event.is_online, bool(event.place or event.address)), "Offline")
    last = event.ends_on.isoformat() if event.ends_on else ""
    return of_page(
        event, "Event", event.title, event.summary,
        alternateName=event.native_title,
        startDate=(event.start or event.starts_on).isoformat(),
        endDate=event.end.isoformat() if event.end else last,
        eventStatus=f"{CONTEXT}/EventScheduled",
        eventAttendanceMode=f"{CONTEXT}/{mode}EventAttendanceMode",
        location=[
            told({"@type": "Place", "name": event.place, "address": event.address})
        ] * bool(event.place or event.address) + [
            {
                "@type": "VirtualLocation",
                "url": event.online_url or absolute(event.get_absolute_url()),
            }
        ] * event.is_online,
        organizer=us(),
    )  # fmt: skip


def _day(gallery: Gallery) -> str:
    if not gallery.taken_on:
        return ""
    return _as_exact(gallery.taken_on, gallery.visit)


def _as_exact(day: dt.date, visit: Visit | None) -> str:
    """A day in ISO 8601, or the month or year where no more is on file of its visit."""
    precision = visit.precision if visit else Visit.Precision.DAY
    parts = {Visit.Precision.YEAR: 1, Visit.Precision.MONTH: 2}.get(Visit.Precision(precision), 3)
    return "-".join(day.isoformat().split("-")[:parts])


def _place(gallery: Gallery) -> dict[str, Any] | None:
    """Where the pictures were taken; nothing for guests at home, whose city is elsewhere."""
    if gallery.visit and not gallery.visit.is_outbound:
        return None
    return _of_city(gallery.city)


def _of_city(city: City) -> dict[str, Any]:
    address = {
        "@type": "PostalAddress",
        "addressLocality": city.name,
        "addressRegion": city.region,
        "addressCountry": str(city.country),
    }
    return {"@type": "Place", "name": city.name, "address": told(address)}
