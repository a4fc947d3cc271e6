"""A gallery's photos put in order: by the cameras' clocks, and by hand where those do not tell.

`Photo.order` numbers runs of photos. Within a run they stand as they were taken, so a later
upload and a clock that is set right fall into place by themselves; only a photo that was moved
by hand has a number of its own. A photo's day is that of its moment in the gallery's zone.
"""

from exchanges.sorting.clocks import Camera, cameras_of, follow_zones, forget_clock, set_clock
from exchanges.sorting.keeping import (
    KEPT_FOR,
    bring_back,
    choose_cover,
    delete,
    hide,
    move,
    remove_deleted,
    show,
)
from exchanges.sorting.order import (
    WITHOUT_TIME,
    Story,
    confirm_guessed,
    is_free,
    place,
    sort_by_numbers,
    sort_by_time,
    step,
)

__all__ = [
    "KEPT_FOR", "WITHOUT_TIME", "Camera", "Story", "bring_back", "cameras_of", "choose_cover",
    "confirm_guessed", "delete", "follow_zones", "forget_clock", "hide", "is_free", "move", "place",
    "remove_deleted", "set_clock", "show", "sort_by_numbers", "sort_by_time", "step",
]  # fmt: skip
