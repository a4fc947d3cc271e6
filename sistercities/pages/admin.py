"""Pages that stand alone, for staff."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from sistercities.pages.models import Page
from sistercities.shared.admin import PICTURE_SECTION, PublishableAdmin


@admin.register(Page)
class PageAdmin(PublishableAdmin):
    list_display = ("title", "slug", "menu", "order")
    search_fields = ("title", "lede", "body")
    list_filter = ("status", "menu")
    list_select_related = ()
    ordering = ("order", "title")
    prepopulated_fields = {"slug": ("title",)}
    fieldsets = (
        (None, {"fields": ("title", "lede", "body")}),
        PICTURE_SECTION,
        (_("Footer"), {"fields": ("menu", "order")}),
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )
