"""How staff keep one photo, and find it among all of them."""

import datetime as dt

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.core.exceptions import PermissionDenied
from django.core.files.storage import storages
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from exchanges import captions, releasing, sorting
from exchanges.admin.workbench import note, undo_address
from exchanges.models import Photo
from exchanges.models.gallery import wake_releaser
from sistercities.shared.admin import PICTURE_SECTION, thumbnail
from sistercities.shared.images import rendition_name, widths_of
from sistercities.shared.stored_files import PRIVATE


class LocalMomentField(forms.SplitDateTimeField):
    """A moment on the clock of `zone`, whatever the site's own clock says."""

    widget = AdminSplitDateTime
    zone: dt.tzinfo = dt.UTC

    def compress(self, data_list):
        with timezone.override(self.zone):
            return super().compress(data_list)


class PhotoForm(forms.ModelForm):
    taken_at = LocalMomentField(label=_("taken at"), required=False)
    names_no_child = forms.BooleanField(
        label=_("It names no child and no child’s school"), required=False,
        widget=forms.HiddenInput,
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "taken_at" in self.fields and self.instance.pk:
            zone = self.instance.gallery.local_zone
            self.fields["taken_at"].zone = zone
            self.fields["taken_at"].help_text = _(
                "On the clock of %(zone)s. It sorts the photo into its day; visitors are not told "
                "the hour. A moment that you type is not moved when a camera’s clock is set."
            ) % {"zone": zone}
            if taken_at := self.instance.taken_at:
                self.initial["taken_at"] = timezone.make_naive(taken_at, zone)

    def _post_clean(self):
        super()._post_clean()
        photo = self.instance
        if self.errors or not photo.gallery_id:
            return
        found = captions.doubts(photo, known=captions.names_known_to(photo.gallery))
        if found and self.cleaned_data.get("names_no_child"):
            captions.confirm(photo)
        elif found:
            self.fields["names_no_child"].widget = forms.CheckboxInput()
            text = _("This photo shows children, and its words may name a child or a school: %s. "
                     "Take it out, or tick this box.")  # fmt: skip
            self.add_error("names_no_child", text % ", ".join(f"“{word}”" for word in found))


class DeletedFilter(admin.SimpleListFilter):
    """Without it the list shows what is kept."""

    title = _("deleted")
    parameter_name = "deleted"

    def lookups(self, request, model_admin):
        return [("yes", _("Deleted")), ("all", _("All"))]

    def choices(self, changelist):
        every, *others = super().choices(changelist)
        return [{**every, "display": _("Kept")}, *others]

    def queryset(self, request, queryset):
        match self.value():
            case "yes":
                return queryset.exclude(deleted_at=None)
            case "all":
                return queryset
        return queryset.kept()


@admin.register(Photo)
class PhotoAdmin(admin.ModelAdmin):
    """Deleting can be undone for 30 days, wherever it is done."""

    form = PhotoForm
    delete_confirmation_template = "admin/exchanges/photo/delete_confirmation.html"
    list_display = (
        "shown_picture", "shown_words", "gallery", "people", "taken_at", "is_cover", "is_hidden",
        "deleted_at",
    )  # fmt: skip
    list_display_links = ("shown_picture", "shown_words")
    search_fields = (
        "picture_caption", "picture_alt", "picture_credit", "file_name", "gallery__title",
    )  # fmt: skip
    list_filter = (
        DeletedFilter, "people", "is_hidden", "is_decorative", "gallery__status", "gallery__city",
    )  # fmt: skip
    list_select_related = ("gallery",)
    ordering = ("-gallery__taken_on", "gallery", "order", "taken_at", "pk")
    autocomplete_fields = ("gallery", "consents")
    readonly_fields = ("shown_gallery", "shown_file")
    actions = ("hide", "show", "delete", "bring_back")
    fieldsets = (
        PICTURE_SECTION,
        (
            _("Who is in it"),
            {"fields": ("people", "consents", "names_no_child", "is_decorative", "is_hidden")},
        ),
        (
            _("Where it belongs"),
            {"fields": ("shown_gallery", "is_cover", "taken_at", "shown_file", "licence")},
        ),
    )

    def get_urls(self):
        preview = self.admin_site.admin_view(self.preview)
        return [
            path("<int:pk>/preview/<int:width>/", preview, name="exchanges_photo_preview"),
            *super().get_urls(),
        ]

    def preview(self, request: HttpRequest, pk: int, width: int) -> FileResponse:
        """The rendition of at least this width, out of private storage, for staff."""
        photo = get_object_or_404(Photo, pk=pk)
        if not self.has_view_permission(request, photo):
            raise PermissionDenied
        fitting = [step for step in widths_of(photo.picture_width) if step >= width]
        if not photo.picture_width:
            raise Http404
        name = rendition_name(
            photo.stored_renditions, photo.picture_width, min(fitting, default=photo.picture_width)
        )
        try:
            file = storages[PRIVATE].open(name)
        except FileNotFoundError:
            raise Http404 from None
        return FileResponse(file, content_type="image/webp")

    # --- forms ------------------------------------------------------------------------------

    def get_fieldsets(self, request, obj=None):
        """A new photo goes into a gallery and gets its moment from its camera."""
        hidden = set() if request.user.has_perm("exchanges.view_guardianconsent") else {"consents"}
        swapped: dict[object, str] = {} if obj else {"shown_gallery": "gallery"}
        hidden |= set() if obj else {"taken_at", "shown_file"}
        return [
            (title, {"fields": [swapped.get(f, f) for f in block["fields"] if f not in hidden]})
            for title, block in self.fieldsets
        ]

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not (obj and obj.deleted_at)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if obj.is_cover:
            sorting.choose_cover(obj)

    def save_related(self, request, form, formsets, change):
        """With the consents saved it is clear whether anybody may see the photo."""
        super().save_related(request, form, formsets, change)
        releasing.withhold(Photo.objects.filter(pk=form.instance.pk))
        transaction.on_commit(wake_releaser)

    @admin.display(description=_("gallery"))
    def shown_gallery(self, obj):
        address = reverse("admin:exchanges_gallery_sort", args=[obj.gallery_id])
        text = _("It was deleted.") if obj.deleted_at else _("Sort, move or delete it there.")
        return format_html('<a href="{}#photo-{}">{}</a> {}', address, obj.pk, obj.gallery, text)

    @admin.display(description=_("file and camera"))
    def shown_file(self, obj):
        return ", ".join(filter(None, (obj.file_name, obj.camera))) or "–"

    # --- lists ------------------------------------------------------------------------------

    @admin.display(description=_("picture"))
    def shown_picture(self, obj):
        return thumbnail(obj)

    @admin.display(description=_("caption"), ordering="picture_caption")
    def shown_words(self, obj):
        return str(obj)

    def get_actions(self, request):
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # ours can be undone
        return actions

    @admin.action(description=_("Hide the chosen photos"), permissions=["change"])
    def hide(self, request, queryset):
        count = self._do(request, sorting.hide, queryset, _("Hidden."))
        self.message_user(request, ngettext("%d hidden.", "%d hidden.", count) % count)

    @admin.action(description=_("Show the chosen photos again"), permissions=["change"])
    def show(self, request, queryset):
        count = self._do(request, sorting.show, queryset, _("No longer hidden."))
        text = ngettext("%d no longer hidden.", "%d no longer hidden.", count)
        self.message_user(request, text % count)

    @admin.action(description=_("Delete the chosen photos"), permissions=["delete"])
    def delete(self, request, queryset):
        count = self._do(request, sorting.delete, queryset, _("Deleted."))
        text = ngettext("%d photo deleted.", "%d photos deleted.", count) % count
        link = format_html(
            '{} <a href="?deleted=yes">{}</a>', text,
            _("For 30 days you can bring deleted photos back."),
        )  # fmt: skip
        self.message_user(request, link)

    @admin.action(description=_("Bring the chosen photos back"), permissions=["delete"])
    def bring_back(self, request, queryset):
        count = self._do(request, sorting.bring_back, queryset, _("Brought back."))
        text = ngettext("%d photo brought back.", "%d photos brought back.", count)
        self.message_user(request, text % count)

    def _do(self, request, verb, photos, text) -> int:
        """Row by row in the history; the rows are read before the verb changes what is found."""
        chosen = list(photos)
        count = verb(photos)
        note(request, chosen, str(text))
        return count

    def get_deleted_objects(self, objs, request):
        """Nothing else goes with a photo that is put aside."""
        return [str(photo) for photo in objs], {}, set(), []

    def delete_model(self, request, obj):
        sorting.delete(Photo.objects.filter(pk=obj.pk))

    def response_delete(self, request, obj_display, obj_id):
        """To the gallery's page, where it can be undone at once."""
        if not self.has_change_permission(request):
            return super().response_delete(request, obj_display, obj_id)
        self.message_user(request, _("1 photo deleted."), messages.SUCCESS)
        return HttpResponseRedirect(undo_address(Photo.objects.get(pk=obj_id)))
