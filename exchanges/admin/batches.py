"""How staff bring many photos at once: a sheet that holds for all of them, then the drop zone."""

import errno
import hashlib
import uuid
from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, TooManyFilesSent
from django.db import OperationalError
from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.cache import get_conditional_response
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exchanges import intake, receiving
from exchanges.admin.sheets import SheetForm
from exchanges.admin.workbench import steps_of
from exchanges.models import Batch, Upload
from exchanges.progress import progress_of
from sistercities.shared.images import MAX_BYTES

read_or_post = require_http_methods(["GET", "HEAD", "POST"])

State = Upload.State
HEADERS = 1024**2  # what a form adds to its files
MOST_IN_A_FILE = max(receiving.LARGEST_WHOLE, receiving.PIECE) + HEADERS
MOST_IN_A_FORM = 2 * 1024**3 + HEADERS
THUMBNAIL = 480

# Where a file stands on the page, by its state, in the order of the page.
GROUPS = {
    "asked": (_("Here already: your answer, please"), [State.DUPLICATE]),
    "refused": (_("Not taken"), [State.REFUSED]),
    "coming": (_("On their way"), [State.ARRIVING, State.WAITING]),
    "done": (_("Done"), [State.STORED, State.OPENED, State.LEFT_OUT]),
}
GROUP_OF: dict[str, str] = {
    state: group for group, (_title, states) in GROUPS.items() for state in states
}

# What the page's script says; `{…}` is filled in there.
WORDS = {
    "waits": _("Waits its turn"),
    "sending": _("On its way"),
    "arrived": _("Arrived; being looked at"),
    "too_large": _("This file is larger than 1 GB. Please make several smaller ZIP files."),
    "not_sent": _("It could not be sent (error {status})."),
    "going": _("{done} of {all}"),
    "minutes": _("{done} of {all}, about {minutes} minutes left"),
    "minute": _("{done} of {all}, about a minute left"),
    "paused": _("{done} of {all}. Paused: nothing is sent until you go on."),
    "lost": _("{done} of {all}. The site cannot be reached. Leave this page open: it goes on by "
              "itself."),
    "signed_out": _("{done} of {all}. You are signed out. Sign in again in another tab, then go "
                    "on here."),
    "full": _("{done} of {all}. The site’s disk is full. What was stored is kept. Tell who runs "
              "the site, then go on here."),
    "no_answer": _("The site did not answer. Please try again."),
    "back": _("The site can be reached again. It goes on."),
    "through": _("All {all} have arrived."),
    "through_one": _("It has arrived."),
    "ready": _("{stored} stored, {ready} ready to show"),
    "outcome": _("{stored} stored, {asked} here already, {refused} not taken."),
    "failed": _("Try the {count} that failed again"),
    "stop": _("Pause"),
    "go": _("Go on"),
}  # fmt: skip


class FileForm(forms.Form):
    """A file of this size, or the piece of it with this number. `key` is the sender's.

    Where the connection breaks, the start of a file looks like a file; only its size tells.
    """

    key = forms.UUIDField()
    file = forms.FileField(allow_empty_file=True)
    size = forms.IntegerField(min_value=0)
    piece = forms.IntegerField(min_value=0, required=False)

    def clean(self):
        said = super().clean() or {}
        is_whole = said.get("piece") is None
        if is_whole and "file" in said and said["file"].size != said.get("size"):
            raise forms.ValidationError("This is not all of the file.")
        return said


class AnswerForm(forms.Form):
    """What to do with a file that was here already, or with all such files of the batch."""

    upload = forms.IntegerField(required=False)
    answer = forms.ChoiceField(choices=[("add", ""), ("leave", "")])


class OnlyForWhoAddsPhotos(admin.ModelAdmin):
    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("exchanges.add_photo")

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Batch)
class BatchAdmin(OnlyForWhoAddsPhotos):
    """A sheet is filled in once and not changed: each photo took a copy. Its page is the drop."""

    form = SheetForm
    add_form_template = "admin/exchanges/batch/sheet.html"
    list_display = ("gallery", "credit", "people", "shown_count", "made_by", "made_at")
    search_fields = ("gallery__title", "credit", "uploads__name")
    list_filter = ("people", "licence", "made_at")
    list_select_related = ("gallery", "made_by")
    ordering = ("-made_at", "-pk")
    radio_fields = {"people": admin.VERTICAL}

    def get_urls(self):
        return [
            self._address("drop", read_or_post(self.drop), MOST_IN_A_FORM),
            self._address("file", read_or_post(self.file), MOST_IN_A_FILE),
            self._address("state", require_safe(self.state), 0),
            self._address("answer", require_POST(self.answer), HEADERS),
            *super().get_urls(),
        ]

    def _address(self, part: str, view: Callable, most_bytes: int):
        """Django reads all that is sent before it asks who sends it; here it is read last."""
        view = csrf_exempt(self._guarded(csrf_protect(view), most_bytes))
        view = csrf_exempt(self.admin_site.admin_view(view))
        return path(f"<int:pk>/{part}/", view, name=f"exchanges_batch_{part}")

    def _guarded(self, view: Callable, most_bytes: int) -> Callable:
        def guarded(request: HttpRequest, pk: int) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            batch = get_object_or_404(Batch.objects.select_related("gallery"), pk=pk)
            try:
                if int(request.META.get("CONTENT_LENGTH") or 0) > most_bytes:
                    return self._problem(request, batch, 413, _("That is too much at once."))
                return view(request, batch)
            except TooManyFilesSent:
                return self._problem(request, batch, 413, _("That is too many files at once."))
            except (OSError, OperationalError) as error:
                if not is_full(error):
                    raise
                return self._problem(
                    request, batch, 507, _("The site’s disk is full. What was stored is kept.")
                )

        return guarded

    def has_add_permission(self, request):
        return self.has_view_permission(request)

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(photo_count=Count("photos"))

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        return type("SheetForm", (form,), {"user": request.user})

    def get_fieldsets(self, request, obj=None):
        same = ["credit", "licence", "people"]
        if SheetForm.may_see_consents(request.user):
            same.append("consents")
        fields = ["new_title", "new_visit", "new_city"]
        new = (_("A new gallery"), {"fields": fields, "classes": ["new-gallery"]})
        return [
            (_("Where they go"), {"fields": ["gallery"]}),
            *([new] if SheetForm.may_make_a_gallery(request.user) else []),
            (_("What holds for all of them"), {"fields": same}),
        ]

    def save_model(self, request, obj, form, change):
        if form.new_gallery:
            form.new_gallery.save()
            obj.gallery = form.new_gallery
            self.log_addition(request, obj.gallery, [{"added": {}}])
        obj.made_by = request.user
        super().save_model(request, obj, form, change)

    def response_add(self, request, obj, post_url_continue=None):
        return redirect("admin:exchanges_batch_drop", obj.pk)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = self.get_object(request, object_id)
        if batch is None:
            raise Http404
        return redirect("admin:exchanges_batch_drop", batch.pk)

    @admin.display(description=_("photos"), ordering="photo_count")
    def shown_count(self, obj):
        return obj.photo_count

    # --- the drop zone ----------------------------------------------------------------------

    def drop(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        """The page; and without script also where its form goes, with all files at once."""
        if request.method != "POST":
            return self._page(request, batch)
        files = request.FILES.getlist("files")
        for file in files:
            receiving.receive(batch=batch, file=file, name=file.name or "", key=uuid.uuid4())
        if files:
            text = ngettext("%d file has arrived.", "%d files have arrived.", len(files))
            self.message_user(request, text % len(files))
        else:
            self.message_user(request, _("Choose some photos first."), messages.WARNING)
        return redirect("admin:exchanges_batch_drop", batch.pk)

    def file(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        """Takes one file, or a piece of one, and answers when its row is stored.

        GET says which pieces of a file need not be sent, and whether any.
        """
        if request.method != "POST":
            return self._pieces(request, batch)
        form = FileForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._problem(request, batch, 400, _("This was not sent by our page."))
        said = form.cleaned_data
        what = {"batch": batch, "file": said["file"], "name": said["file"].name, "key": said["key"]}
        try:
            if said["piece"] is None:
                upload = receiving.receive(**what)
            else:
                upload = receiving.receive_piece(number=said["piece"], size=said["size"], **what)
        except receiving.NotAPiece as error:
            return self._problem(request, batch, 400, str(error))
        is_too_large = upload.state == State.REFUSED and upload.bytes > MAX_BYTES
        return JsonResponse(row(upload), status=413 if is_too_large else 200)

    def _pieces(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        try:
            key = uuid.UUID(request.GET.get("key", ""))
        except ValueError:
            return self._problem(request, batch, 400, _("This was not sent by our page."))
        return JsonResponse(
            {
                "is_settled": receiving.settled(batch=batch, key=key) is not None,
                "pieces": receiving.pieces_there(batch=batch, key=key),
            }
        )

    def state(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        """What became of the files: counts, the rows after `after` and all that ask for a look.

        Answers 304 from one cheap question while nothing has changed.
        """
        after = request.GET.get("after", "")
        after = int(after) if after.isdecimal() else 0
        counts = counted(batch.uploads)
        etag = f'"{hashlib.sha256(repr((counts, after)).encode()).hexdigest()[:32]}"'
        if unchanged := get_conditional_response(request, etag=etag):
            return unchanged
        uploads = batch.uploads.select_related("photo", "duplicate_of")
        rows = uploads.exclude(state=State.ARRIVING)  # only their sender knows how far they are
        rows = rows.filter(Q(pk__gt=after) | ~Q(state=State.STORED))
        answer = {
            **counts,
            "rows": [row(upload) for upload in rows],
            "unready": list(unready(uploads).values_list("pk", flat=True)),
            "steps": steps_of(batch.gallery, 1),
            "token": get_token(request),  # a new one, for who signed in again in another tab
        }
        return JsonResponse(answer, headers={"ETag": etag})

    def answer(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        """Adds files that were here already, or leaves them out: one, or all of the batch."""
        form = AnswerForm(request.POST)
        if not form.is_valid():
            return self._problem(request, batch, 400, _("This was not sent by our page."))
        chosen, answer = form.cleaned_data["upload"], form.cleaned_data["answer"]
        act = intake.add_anyway if answer == "add" else intake.leave_out
        if chosen is None:
            uploads = list(batch.uploads.filter(state=State.DUPLICATE))
        else:
            uploads = [get_object_or_404(batch.uploads, pk=chosen)]
        rows = [row(act(upload)) for upload in uploads]
        if is_from_script(request):
            return JsonResponse({"rows": rows})
        return redirect("admin:exchanges_batch_drop", batch.pk)

    def _problem(
        self, request: HttpRequest, batch: Batch, status: int, sentence: str | Promise
    ) -> HttpResponse:
        if is_from_script(request):
            return JsonResponse({"reason": sentence}, status=status)
        self.message_user(request, str(sentence), messages.ERROR)
        return self._page(request, batch, status=status)

    def _page(self, request: HttpRequest, batch: Batch, *, status: int = 200) -> HttpResponse:
        groups = {name: {"title": title, "rows": []} for name, (title, _states) in GROUPS.items()}
        for upload in batch.uploads.select_related("photo", "duplicate_of"):
            groups[GROUP_OF[upload.state]]["rows"].append(row(upload))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Add many photos"),
            "opts": self.opts,
            "batch": batch,
            "gallery": batch.gallery,
            "progress": progress_of(batch.gallery),
            "groups": groups,
            "counts": counted(batch.uploads),
            "words": {name: str(sentence) for name, sentence in WORDS.items()},
            "piece": receiving.PIECE,
            "largest_whole": receiving.LARGEST_WHOLE,
            "largest": receiving.LARGEST,
        }
        return TemplateResponse(request, "admin/exchanges/batch/drop.html", context, status=status)


@admin.register(Upload)
class UploadAdmin(OnlyForWhoAddsPhotos):
    """Read only: what became of each file that was brought."""

    list_display = ("name", "state", "reason", "batch", "made_at")
    search_fields = ("name", "reason", "batch__gallery__title")
    list_filter = ("state", "made_at")
    list_select_related = ("batch__gallery",)
    ordering = ("-pk",)
    fields = ("name", "bytes", "state", "reason", "batch", "archive", "photo", "made_at")

    def has_add_permission(self, request):
        return False


def row(upload: Upload) -> dict:
    """A file as the page and its script show it; `thumbnail` may not be asked for before ready."""
    photo = upload.photo or upload.duplicate_of
    broken_off = _("Not all of it is here. Add the same file again and it goes on.")
    return {
        "id": upload.pk,
        "key": upload.key.hex,
        "name": upload.name,
        "group": GROUP_OF[upload.state],
        "words": broken_off if upload.state == State.ARRIVING else upload.words,
        "thumbnail": photo and reverse("admin:exchanges_photo_preview", args=[photo.pk, THUMBNAIL]),
        "is_ready": bool(photo and photo.picture_width),
    }


def unready(uploads) -> QuerySet[Upload]:
    """Those whose photo, or its twin that was here already, a job still has to render."""
    return uploads.filter(
        Q(state=State.STORED, photo__picture_width=0)
        | Q(state=State.DUPLICATE, duplicate_of__picture_width=0)
    )


def counted(uploads) -> dict[str, int]:
    """How many files are stored, ready to be shown, …; `last` is the newest one's key."""
    is_stored = Q(state=State.STORED)
    return uploads.aggregate(
        stored=Count("pk", filter=is_stored),
        ready=Count("pk", filter=is_stored & Q(photo__picture_width__gt=0)),
        asked=Count("pk", filter=Q(state=State.DUPLICATE)),
        refused=Count("pk", filter=Q(state=State.REFUSED)),
        opening=Count("pk", filter=Q(state=State.WAITING)),
        last=Coalesce(Max("pk"), 0),
    )


def is_from_script(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def is_full(error: Exception) -> bool:
    """Whether a disk had no room: that of the files or that of the database."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT}
    return any(words in str(error) for words in ("disk is full", "No space left on device"))
