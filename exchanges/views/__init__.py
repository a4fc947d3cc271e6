from exchanges.views.downloads import gallery_zip
from exchanges.views.events import (
    calendar,
    city_calendar,
    event_detail,
    event_ics,
    event_list,
    national_calendar,
)
from exchanges.views.galleries import gallery_detail, gallery_list, photo_detail
from exchanges.views.shared import shared_gallery, shared_photo, shared_picture, shared_zip
from exchanges.views.visits import visit_detail, visit_list

__all__ = [
    "calendar", "city_calendar", "event_detail", "event_ics", "event_list", "gallery_detail",
    "gallery_list", "gallery_zip", "national_calendar", "photo_detail", "shared_gallery",
    "shared_photo", "shared_picture", "shared_zip", "visit_detail", "visit_list",
]  # fmt: skip
