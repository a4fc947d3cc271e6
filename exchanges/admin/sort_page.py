"""The page on which staff sort a gallery's photos into the story.

Each change is a form of its own, posted with or without script; the answer is the page again.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.gzip import gzip_page

from exchanges import sorting
from exchanges.admin.workbench import (
    day_of,
    mark_of_deletion,
    note,
    opened,
    page_of,
    title_of,
    undo_address,
)
from exchanges.album import Chapter
from exchanges.models import Gallery, Photo
from exchanges.models.gallery import PhotoQuerySet


@dataclass(frozen=True)
class Card:
    """A photo as the page shows it; `time` on the clock of the place, `number` in its day."""

    photo: Photo
    number: int
    time: str
    is_guessed: bool
    is_free: bool

    @property
    def key(self) -> str:
        return str(self.photo.pk)


@dataclass(frozen=True)
class Section:
    """A day with its cards."""

    chapter: Chapter
    title: str
    date: str
    cards: list[Card]

    @property
    def is_timeless(self) -> bool:
        return self.chapter.anchor == sorting.WITHOUT_TIME

    @property
    def takes_free_photos(self) -> bool:
        return self.is_timeless or self.chapter.on is not None


@gzip_page
def sort_page(request: HttpRequest, pk: int, site_admin: ModelAdmin) -> HttpResponse:
    gallery = opened(request, pk)
    if request.method == "POST":
        return _obey(request, gallery)
    photos = list(gallery.photos.in_order())
    kept = [photo for photo in photos if not photo.deleted_at]
    story = sorting.Story.of(gallery, kept)
    undo = request.GET.get("undo", "")
    context = page_of(site_admin, request, gallery, step=2, title=_("Sort “%s”") % gallery) | {
        "sections": _sections(story, gallery.local_zone),
        "mark": story.mark,
        "guessed": len(story.guessed()),
        "is_by_hand": len({photo.order for photo in kept}) > 1,
        "zone": gallery.local_zone.key.replace("_", " "),
        "cameras": _cameras(gallery, kept),
        "deleted": [photo for photo in photos if photo.deleted_at],
        "undo": undo,
        "undoable": undo and any(mark_of_deletion(photo) == undo for photo in photos),
        "galleries": Gallery.objects.exclude(pk=gallery.pk).newest().only("title"),
        "may_delete": request.user.has_perm("exchanges.delete_photo"),
        "days_kept": sorting.KEPT_FOR.days,
    }
    return TemplateResponse(request, "admin/exchanges/gallery/sort.html", context)


def _sections(story: sorting.Story, zone: ZoneInfo) -> list[Section]:
    """Those without a time first: they wait for somebody."""
    guessed = story.guessed()
    sections = [_section(chapter, guessed, zone) for chapter in story.chapters]
    timeless = sections.pop()
    return [timeless, *sections] if timeless.cards else sections


def _section(chapter: Chapter, guessed: set[int], zone: ZoneInfo) -> Section:
    cards = [
        Card(
            photo,
            number,
            time_format(photo.taken_at.astimezone(zone)) if photo.taken_at else "",
            photo.pk in guessed,
            sorting.is_free(photo),
        )
        for number, photo in enumerate(chapter.photos, start=1)
    ]
    return Section(chapter, title_of(chapter), day_of(chapter), cards)


def _cameras(gallery: Gallery, photos: list[Photo]) -> list[dict]:
    zone = gallery.local_zone

    def shown(moment: dt.datetime) -> str:
        return date_format(moment.astimezone(zone), "M j, Y, P")

    return [
        {
            "name": camera.name,
            "count": len(camera.photos),
            "by_hand": camera.by_hand,
            "shift": camera.shift,
            "ends": [
                {"camera": shown(photo.camera_time), "shown": shown(photo.taken_at)}
                for photo in (camera.first, camera.last)
                if photo.camera_time and photo.taken_at
            ],
            "photos": [
                {
                    "photo": photo,
                    "time": shown(photo.camera_time),
                    "wall": photo.camera_time.astimezone(zone).replace(tzinfo=None).isoformat(),
                }
                for photo in camera.photos
                if photo.camera_time
            ],
        }
        for camera in sorting.cameras_of(gallery, photos)
    ]


# --- what is done ---------------------------------------------------------------------------


def _obey(request: HttpRequest, gallery: Gallery) -> HttpResponse:
    """Does what one button says and leads back to the page."""
    data = request.POST
    step = next((name for name in ("earlier", "later") if name in data), "")
    done = COMMANDS.get(step or data.get("do", ""))
    address = reverse("admin:exchanges_gallery_sort", args=[gallery.pk])
    try:
        if done is None:
            raise ValidationError(_("Nothing was chosen to be done."))
        if done in NEED_DELETING and not request.user.has_perm("exchanges.delete_photo"):
            raise PermissionDenied
        text = done(gallery, data)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect(address)
    messages.success(request, text)
    keys = " ".join(data.getlist("photo")) or data.get(step, "")
    note(request, [gallery], f"{text} ({keys})" if keys else text)
    if done is _delete:
        deleted = _chosen(gallery, data).exclude(deleted_at=None).order_by("-deleted_at").first()
        return redirect(undo_address(deleted) if deleted else address)
    return redirect(f"{address}#photo-{data[step]}" if step else address)


def _number(typed: object) -> int:
    """A key or a place; raises `ValidationError`."""
    text = str(typed)
    if not (text.strip().isdecimal() and len(text) < 19):
        raise ValidationError(_("“%s” is not a number.") % text)
    return int(text)


def _chosen(gallery: Gallery, data: QueryDict, name: str = "photo") -> PhotoQuerySet:
    keys = [_number(key) for key in data.getlist(name)]
    if not keys:
        raise ValidationError(_("Choose photos first."))
    return gallery.photos.filter(pk__in=keys)


def _place(gallery: Gallery, data: QueryDict) -> str:
    keys = _chosen(gallery, data).values_list("pk", flat=True)
    before = _number(data["before"]) if data.get("before") else None
    chapter = data.get("chapter", "")
    sorting.place(gallery=gallery, keys=set(keys), chapter=chapter, before=before)
    return ngettext("%d photo moved.", "%d photos moved.", len(keys)) % len(keys)


def _earlier(gallery: Gallery, data: QueryDict) -> str:
    sorting.step(gallery=gallery, key=_number(data["earlier"]), by=-1)
    return _("Moved one place earlier.")


def _later(gallery: Gallery, data: QueryDict) -> str:
    sorting.step(gallery=gallery, key=_number(data["later"]), by=1)
    return _("Moved one place later.")


def _sort_by_numbers(gallery: Gallery, data: QueryDict) -> str:
    numbers = {
        _number(name.removeprefix("number-")): _number(value)
        for name, value in data.items()
        if name.startswith("number-") and value
    }
    moved = sorting.sort_by_numbers(gallery=gallery, numbers=numbers, mark=data.get("mark", ""))
    return _("Sorted by your numbers.") if moved else _("Nothing moved: no number was changed.")


def _sort_by_time(gallery: Gallery, data: QueryDict) -> str:
    sorting.sort_by_time(gallery=gallery)
    return _("All photos are sorted by time.")


def _confirm_guessed(gallery: Gallery, data: QueryDict) -> str:
    sorting.confirm_guessed(gallery=gallery)
    return _("The order of photos of the same second is settled.")


def _choose_cover(gallery: Gallery, data: QueryDict) -> str:
    photos = list(_chosen(gallery, data).kept()[:2])
    if len(photos) != 1:
        raise ValidationError(_("Choose one photo for the cover."))
    sorting.choose_cover(photos[0])
    return _("This photo is the cover now.")


def _hide(gallery: Gallery, data: QueryDict) -> str:
    count = sorting.hide(_chosen(gallery, data))
    return ngettext("%d photo hidden.", "%d photos hidden.", count) % count


def _show(gallery: Gallery, data: QueryDict) -> str:
    count = sorting.show(_chosen(gallery, data))
    return ngettext("%d photo no longer hidden.", "%d photos no longer hidden.", count) % count


def _move(gallery: Gallery, data: QueryDict) -> str:
    to = Gallery.objects.filter(pk=_number(data.get("gallery") or "0")).first()
    if to is None:
        raise ValidationError(_("Choose the gallery that they should move to."))
    count = sorting.move(_chosen(gallery, data), gallery=to)
    text = ngettext("%(n)d photo moved to “%(to)s”.", "%(n)d photos moved to “%(to)s”.", count)
    return text % {"n": count, "to": to}


def _delete(gallery: Gallery, data: QueryDict) -> str:
    count = sorting.delete(_chosen(gallery, data))
    return ngettext("%d photo deleted.", "%d photos deleted.", count) % count


def _bring_back(gallery: Gallery, data: QueryDict) -> str:
    return _brought_back(sorting.bring_back(_chosen(gallery, data, "deleted")))


def _undo(gallery: Gallery, data: QueryDict) -> str:
    try:
        moment = dt.datetime.fromisoformat(data.get("moment", ""))
    except ValueError:
        raise ValidationError(_("There is nothing to undo any more.")) from None
    return _brought_back(sorting.bring_back(gallery.photos.filter(deleted_at=moment)))


def _brought_back(count: int) -> str:
    return ngettext("%d photo brought back.", "%d photos brought back.", count) % count


def _set_clock(gallery: Gallery, data: QueryDict) -> str:
    photo = gallery.photos.kept().filter(pk=_number(data.get("of") or "0")).first()
    if photo is None:
        raise ValidationError(_("Choose a photo whose real time you know."))
    try:
        real_time = dt.datetime.fromisoformat(data.get("real_time", "")).replace(tzinfo=None)
    except ValueError:
        raise ValidationError(_("Type the day and the time when it was taken.")) from None
    count = sorting.set_clock(gallery=gallery, photo=photo, real_time=real_time)
    text = ngettext(
        "The clock is set: %d photo has a new time.",
        "The clock is set: %d photos have a new time.",
        count,
    )
    return text % count


def _forget_clock(gallery: Gallery, data: QueryDict) -> str:
    count = sorting.forget_clock(gallery=gallery, camera=data.get("camera", ""))
    text = ngettext(
        "%d photo has the time of its camera again.",
        "%d photos have the time of their camera again.",
        count,
    )
    return text % count


NEED_DELETING = (_delete, _bring_back, _undo)
COMMANDS: dict[str, Callable[[Gallery, QueryDict], str]] = {
    "place": _place,
    "earlier": _earlier,
    "later": _later,
    "numbers": _sort_by_numbers,
    "by-time": _sort_by_time,
    "guessed": _confirm_guessed,
    "cover": _choose_cover,
    "hide": _hide,
    "show": _show,
    "move": _move,
    "delete": _delete,
    "bring-back": _bring_back,
    "undo": _undo,
    "clock": _set_clock,
    "no-clock": _forget_clock,
}
