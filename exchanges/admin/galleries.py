"""How staff keep galleries. Their photos have pages of their own: sort and describe."""

from django.contrib import admin
from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from exchanges import releasing
from exchanges.admin.sort_page import sort_page
from exchanges.admin.words_page import words_page
from exchanges.models import CameraClock, Gallery, Photo
from exchanges.models.gallery import wake_releaser
from exchanges.progress import progress_of
from sistercities.shared.admin import PublishableAdmin


@admin.register(Gallery)
class GalleryAdmin(PublishableAdmin):
    change_form_template = "admin/exchanges/gallery/change_form.html"
    change_list_template = "admin/exchanges/gallery/change_list.html"
    list_display = (
        "shown_cover", "title", "city", "taken_on", "photo_count", "left_count", "shown_steps",
    )  # fmt: skip
    list_display_links = ("shown_cover", "title")
    search_fields = ("title", "summary", "city__name", "visit__title")
    list_filter = ("status", "is_unlisted", "city")
    list_select_related = ("city", "visit")
    ordering = ("-taken_on", "title", "pk")
    autocomplete_fields = ("city", "visit")
    prepopulated_fields = {"slug": ("title",)}
    fieldsets = (
        (None, {"fields": ("title", "summary", ("city", "visit", "taken_on"), "is_unlisted")}),
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/sort/", view(self.sort), name="exchanges_gallery_sort"),
            path("<int:pk>/words/", view(self.words), name="exchanges_gallery_words"),
            *super().get_urls(),
        ]

    def sort(self, request, pk):
        return sort_page(request, pk, self)

    def words(self, request, pk):
        return words_page(request, pk, self)

    def get_queryset(self, request):
        kept = Q(photos__deleted_at=None)
        left = kept & Q(photos__is_hidden=False) & (
            Q(photos__picture_alt="", photos__is_decorative=False)
            | Q(photos__people=Photo.People.NOT_ASKED)
        )  # fmt: skip
        covers = Photo.objects.kept().rendered().filter(gallery=OuterRef("pk"))
        covers = covers.order_by("-is_cover", *Photo._meta.ordering)
        return super().get_queryset(request).annotate(
            photo_count=Count("photos", filter=kept),
            left_count=Count("photos", filter=left),
            cover_key=Subquery(covers.values("pk")[:1]),
        )  # fmt: skip

    def change_view(self, request, object_id, form_url="", extra_context=None):
        gallery = self.get_object(request, object_id)
        extra = {"progress": progress_of(gallery), "gallery": gallery} if gallery else {}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | extra)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        self._bring_in_line(obj)

    def _keep_status(self, request, page):
        super()._keep_status(request, page)
        self._bring_in_line(page)

    def _bring_in_line(self, gallery: Gallery) -> None:
        """What may not be public any more is taken back at once; the rest is published soon."""
        releasing.withhold(gallery.photos.all())
        transaction.on_commit(wake_releaser)

    @admin.display(description=_("cover"))
    def shown_cover(self, obj):
        if not obj.cover_key:
            return "–"
        address = reverse("admin:exchanges_photo_preview", args=[obj.cover_key, 480])
        return format_html('<img class="thumb" src="{}" alt="" width="72" loading="lazy">', address)

    @admin.display(description=_("photos"), ordering="photo_count")
    def photo_count(self, obj):
        return obj.photo_count

    @admin.display(description=_("to describe"), ordering="left_count")
    def left_count(self, obj):
        return obj.left_count or "–"

    @admin.display(description=_("work"))
    def shown_steps(self, obj):
        return format_html(
            '<a href="{}?gallery={}">{}</a> · <a href="{}">{}</a> · <a href="{}">{}</a>',
            reverse("admin:exchanges_batch_add"), obj.pk, _("Add many photos"),
            reverse("admin:exchanges_gallery_sort", args=[obj.pk]), _("Sort"),
            reverse("admin:exchanges_gallery_words", args=[obj.pk]), _("Describe"),
        )  # fmt: skip


@admin.register(CameraClock)
class CameraClockAdmin(admin.ModelAdmin):
    """Read only: a clock is set on the page where its gallery is sorted, with its photos."""

    list_display = ("shown_camera", "gallery", "shift")
    search_fields = ("camera", "gallery__title")
    list_filter = ("gallery__city",)
    list_select_related = ("gallery",)
    ordering = ("gallery", "camera", "pk")
    fields = ("shown_camera", "gallery", "shift")
    readonly_fields = ("shown_camera",)

    @admin.display(description=_("camera"), ordering="camera")
    def shown_camera(self, obj):
        return obj.camera or _("Camera without a name")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
