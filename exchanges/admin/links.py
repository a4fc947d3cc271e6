"""How staff give a gallery to those who were there, and the ZIPs that jobs have made."""

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from exchanges.models import GalleryArchive, GalleryLink
from sistercities.shared import clock


@admin.register(GalleryLink)
class GalleryLinkAdmin(admin.ModelAdmin):
    """Who holds the address sees the gallery, so its own page is for those who may change it."""

    list_display = ("note", "gallery", "shown_state", "expires_at", "made_by")
    search_fields = ("note", "gallery__title")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "expires_at")
    list_select_related = ("gallery", "made_by")
    ordering = ("-made_at", "-pk")
    autocomplete_fields = ("gallery",)
    view_on_site = False
    fields = ("gallery", "note", "expires_at", "shown_state", "shown_address", "shown_closing")
    readonly_fields = ("shown_state", "shown_address", "shown_closing")

    def get_urls(self):
        close = self.admin_site.admin_view(self.close)
        return [
            path("<int:pk>/close/", close, name="exchanges_gallerylink_close"),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request, obj=None):
        return (*self.readonly_fields, "gallery") if obj else self.readonly_fields

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not (obj and obj.revoked_at)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.made_by = request.user
        super().save_model(request, obj, form, change)

    def close(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks first; POST closes the link for good."""
        link = get_object_or_404(GalleryLink.objects.select_related("gallery"), pk=pk)
        if not super().has_change_permission(request, link):
            raise PermissionDenied
        if request.method == "POST":
            with transaction.atomic():
                open_ones = GalleryLink.objects.filter(pk=pk, revoked_at=None)
                if open_ones.update(revoked_at=clock.now()):
                    self.log_change(request, link, str(_("Closed.")))
            self.message_user(request, _("The link is closed. It opens nothing any more."))
            return redirect("admin:exchanges_gallerylink_changelist")
        return TemplateResponse(
            request,
            "admin/exchanges/gallerylink/close.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Close the link: %s") % link,
                "opts": self.opts,
                "link": link,
            },
        )

    @admin.display(description=_("state"))
    def shown_state(self, obj):
        if obj.pk is None:
            return "–"
        if obj.revoked_at:
            return _("Closed")
        if obj.expires_at <= clock.now():
            return _("Run out")
        if obj.gallery.status != obj.gallery.Status.PUBLISHED:
            return _("Opens once the gallery is published")
        return _("Open")

    @admin.display(description=_("address to give away"))
    def shown_address(self, obj):
        if obj.pk is None:
            return _("Once it is saved.")
        address = f"{settings.SITE_URL}{obj.get_absolute_url()}"
        return format_html('<a href="{0}" rel="noreferrer">{0}</a>', address)

    @admin.display(description=_("close it"))
    def shown_closing(self, obj):
        if obj.pk is None or obj.revoked_at:
            return "–"
        address = reverse("admin:exchanges_gallerylink_close", args=[obj.pk])
        return format_html('<a href="{}">{}</a>', address, _("Close it now …"))


@admin.register(GalleryArchive)
class GalleryArchiveAdmin(admin.ModelAdmin):
    """Read only: a job makes them. One that is deleted is made anew."""

    list_display = ("gallery", "photo_count", "shown_size", "made_at", "attempts", "next_try_at")
    search_fields = ("gallery__title",)
    list_filter = ("made_at",)
    list_select_related = ("gallery",)
    ordering = ("-made_at", "-pk")
    fields = ("gallery", "photo_count", "shown_size", "made_at", "attempts", "next_try_at")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    @admin.display(description=_("size"), ordering="bytes")
    def shown_size(self, obj):
        return filesizeformat(obj.bytes) if obj.file else "–"
