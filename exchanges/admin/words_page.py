"""The page on which staff describe a gallery's photos, row by row.

Without script all rows come in one form. With it each row comes by itself as soon as it is left,
and the answer is JSON. Both go the same way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.gzip import gzip_page

from exchanges import describing, sorting
from exchanges.admin.workbench import day_of, note, opened, page_of, steps_of, title_of
from exchanges.models import Gallery, GuardianConsent, Photo
from exchanges.models.gallery import PhotoQuerySet

ROWS = 500  # on a page: with nine fields each they stay below DATA_UPLOAD_MAX_NUMBER_FIELDS
SHOW = {
    "all": gettext_lazy("All photos"),
    "wordless": gettext_lazy("Without a description"),
    "unanswered": gettext_lazy("Nobody has said who is in it"),
    "consent": gettext_lazy("Children without consent"),
}
# What a field is called in the form, before the photo's key, and the column that it fills.
NAMES = {
    "caption": "picture_caption",
    "alt": "picture_alt",
    "decorative": "is_decorative",
    "people": "people",
    "consents": "consents",
    "credit": "picture_credit",
    "licence": "licence",
}
LABELS = {each.name: each.verbose_name for each in (*Photo._meta.fields, *Photo._meta.many_to_many)}
FORM_NAMES = {column: name for name, column in NAMES.items()}


@dataclass
class Row:
    """A photo with the words that its fields show, which may be typed and not saved yet."""

    photo: Photo
    words: describing.Words
    mark: str
    errors: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    theirs: list[tuple[str, str]] = field(default_factory=list)  # a label, another one's words
    day: str = ""  # stands above the row that begins it

    @classmethod
    def of(cls, photo: Photo) -> "Row":
        words = describing.words_of(photo)
        return cls(photo, words, describing.mark_of(words))

    @property
    def key(self) -> str:
        return str(self.photo.pk)

    @property
    def is_left(self) -> bool:
        """Whether something of it is not saved."""
        return bool(self.errors or self.doubts or self.theirs)

    @property
    def shows_children(self) -> bool:
        return self.words["people"] == Photo.People.MINORS

    @property
    def consent_keys(self) -> str:
        return " ".join(str(key) for key in self.words["consents"])


@gzip_page
def words_page(request: HttpRequest, pk: int, site_admin: ModelAdmin) -> HttpResponse:
    gallery = opened(request, pk)
    if request.method == "POST" and "row" in request.POST:
        return _save_one(request, gallery)
    if request.method == "POST":
        left, saved = _save_all(request, gallery)
        if saved:
            text = ngettext("%d photo saved.", "%d photos saved.", saved) % saved
            messages.success(request, text)
        if not left:
            return redirect(request.get_full_path())
        return _show(request, gallery, site_admin, left=left)
    return _show(request, gallery, site_admin, left=[])


def _show(
    request: HttpRequest, gallery: Gallery, site_admin: ModelAdmin, *, left: list[Row]
) -> HttpResponse:
    """The rows of the chosen kind; after a form that could not be saved whole, what is left."""
    show = request.GET.get("show", "")
    show = show if show in SHOW else "all"
    photos = _photos(gallery, show).in_order().prefetch_related("consents")
    page = Paginator(photos, ROWS).get_page(request.GET.get("page"))
    rows = left or _rows(gallery, list(page.object_list))
    context = page_of(site_admin, request, gallery, step=3, title=_("Describe “%s”") % gallery) | {
        "rows": rows,
        "left": left,
        "page": page,
        "show": show,
        "shows": SHOW.items(),
        # Plain strings: a choice is written for each of 500 rows.
        "people": [(value, str(label)) for value, label in Photo.People.choices],
        "licences": [(value, str(label)) for value, label in Photo.Licence.choices],
        "consents": _consents(gallery) if _may_see_consents(request) else None,
    }
    return TemplateResponse(request, "admin/exchanges/gallery/words.html", context)


def _photos(gallery: Gallery, show: str) -> PhotoQuerySet:
    photos: PhotoQuerySet = gallery.photos.kept()
    if show == "all":
        return photos
    photos = photos.filter(is_hidden=False)
    if show == "wordless":
        return photos.wordless()
    if show == "unanswered":
        return photos.filter(people=Photo.People.NOT_ASKED)
    return photos.filter(people=Photo.People.MINORS).exclude(
        pk__in=Photo.objects.filter(gallery=gallery).allowed().values("pk")
    )


def _rows(gallery: Gallery, photos: Sequence[Photo]) -> list[Row]:
    rows = []
    for chapter in sorting.Story.of(gallery, photos).chapters:
        of_day = [Row.of(photo) for photo in chapter.photos]
        if of_day:
            of_day[0].day = " · ".join(filter(None, (title_of(chapter), day_of(chapter))))
        rows += of_day
    return rows


def _may_see_consents(request: HttpRequest) -> bool:
    """They name children and guardians, so a photo editor alone may not."""
    return request.user.has_perm("exchanges.view_guardianconsent")


def _consents(gallery: Gallery) -> list[GuardianConsent]:
    """Those that can let a photo be shown, and those that photos of this gallery have."""
    not_in_force = GuardianConsent.objects.all().not_in_force()
    chosen = Photo.consents.through.objects.filter(photo__gallery=gallery)
    return list(
        GuardianConsent.objects.filter(
            ~Q(pk__in=not_in_force.values("pk"))
            | Q(pk__in=chosen.values("guardianconsent"))
        ).order_by("child", "pk")
    )  # fmt: skip


# --- saving ---------------------------------------------------------------------------------


def _save_one(request: HttpRequest, gallery: Gallery) -> HttpResponse:
    """One row, for the script: how it went, what the photo holds now, and words for people."""
    key = request.POST["row"]
    photos = gallery.photos.kept().prefetch_related("consents")
    if not (key.isdecimal() and len(key) < 19 and photos.filter(pk=key).exists()):
        raise Http404
    rows, _saved = _save(request, gallery, [key])
    now = Row.of(photos.get(pk=key))
    return JsonResponse(
        {
            "saved": not rows,
            "overtaken": any(row.theirs for row in rows),
            "mark": now.mark,
            "words": {FORM_NAMES[column]: value for column, value in now.words.items()},
            "notes": "".join(
                render_to_string("admin/exchanges/gallery/notes.html", {"row": row}) for row in rows
            ),
            "steps": steps_of(gallery, 3),
        }
    )


def _save_all(request: HttpRequest, gallery: Gallery) -> tuple[list[Row], int]:
    """Every row of the form that was changed: those that are not saved, and how many are."""
    keys = [name.removeprefix("mark-") for name in request.POST if name.startswith("mark-")]
    return _save(request, gallery, [key for key in keys if key.isdecimal() and len(key) < 19])


def _save(request: HttpRequest, gallery: Gallery, keys: Iterable[str]) -> tuple[list[Row], int]:
    data = request.POST
    rows = [
        describing.Said(
            key=int(key),
            words=_said(data, key),
            mark=data.get(f"mark-{key}", ""),
            is_sure=f"sure-{key}" in data,
        )
        for key in keys
    ]
    outcomes = describing.describe(
        gallery=gallery,
        rows=[row for row in rows if describing.changed_since(row.words, row.mark)],
        fields=describing.FIELDS if _may_see_consents(request) else describing.COLUMNS,
    )
    changed: dict[str, list[Photo]] = {}
    for outcome in outcomes:
        if outcome.changed and outcome.photo:
            labels = ", ".join(_label(name) for name in outcome.changed)
            changed.setdefault(labels, []).append(outcome.photo)
    for labels, photos in changed.items():
        note(request, photos, _("Changed: %s.") % labels)
    left = [_left(outcome) for outcome in outcomes if not outcome.is_saved]
    return left, sum(len(photos) for photos in changed.values())


def _left(outcome: describing.Outcome) -> Row:
    """The row as it was typed, with what hinders it."""
    said, photo = outcome.said, outcome.photo
    row = Row(photo or Photo(pk=said.key), said.words, said.mark, doubts=outcome.doubts)
    row.errors = [f"{_label(name)}: {text}" if name else text for name, text in outcome.errors]
    if photo and outcome.overtaken:
        now = describing.words_of(photo)
        touched = describing.changed_since(said.words, said.mark)
        row.words = {name: said.words[name] if name in touched else now[name] for name in now}
        row.theirs = [(_label(name), _shown(photo, name)) for name in outcome.overtaken]
        row.mark = describing.mark_of(now)
    return row


def _said(data: QueryDict, key: str) -> dict[str, Any]:
    """What the form says of one photo. Line breaks become blanks: these are single lines.

    With the button for all photos shown, its answers take the place of the row's: the credit, who
    is in it unless the row says children, and more consents where it does.
    """

    def text(name: str) -> str:
        return " ".join(data.get(f"{name}-{key}", "").splitlines()).strip()

    words: dict[str, Any] = {column: text(name) for name, column in NAMES.items()}
    words["is_decorative"] = f"decorative-{key}" in data
    words["consents"] = _keys(words["consents"])
    if data.get("do") == "same":
        if data.get("all-people") and words["people"] != Photo.People.MINORS:
            words["people"] = data["all-people"]
        words["picture_credit"] = data.get("all-credit", "").strip() or words["picture_credit"]
        if words["people"] == Photo.People.MINORS:
            words["consents"] = _keys(f"{text('consents')} {data.get('all-consents', '')}")
    return words


def _keys(text: str) -> list[int]:
    parts = {part for part in text.split() if part.isdecimal() and len(part) < 19}
    return sorted(int(part) for part in parts)


def _label(column: str) -> str:
    return str(capfirst(LABELS[column]))


def _shown(photo: Photo, column: str) -> str:
    """What a photo holds, as people read it."""
    if column == "consents":
        return "; ".join(str(consent) for consent in photo.consents.all()) or "–"
    if column == "is_decorative":
        return _("yes") if photo.is_decorative else _("no")
    if column in ("people", "licence"):
        return str(getattr(photo, f"get_{column}_display")())
    return getattr(photo, column) or "–"
