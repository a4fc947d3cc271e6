"""What every admin page of ours shares: publishing, pictures, the editor's nonce."""

from django.conf import settings
from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from js_asset import Media

from sistercities.shared.images import rendition_name
from sistercities.shared.models import OutgoingMessage, SiteLink, SiteSettings


class NonceMixin:
    """Hands the text editor's scripts the nonce that the strict policy asks for."""

    def render_change_form(self, request, context, *args, **kwargs):
        context["media"] = Media.from_media(context["media"], nonce=request.csp_nonce)
        return super().render_change_form(request, context, *args, **kwargs)


class PublishableAdmin(NonceMixin, admin.ModelAdmin):
    """For pages with an address of their own."""

    date_hierarchy = None
    save_on_top = True
    publishing_fields = ("status", "publish_at", "slug", "change_note")
    actions = ["publish", "withdraw"]

    def get_list_display(self, request):
        return (*self.list_display, "shown_state", "updated_at")

    @admin.display(description=_("state"), ordering="status")
    def shown_state(self, obj):
        return obj.state

    @admin.action(description=_("Publish the chosen pages"), permissions=["change"])
    def publish(self, request, queryset):
        count = queryset.update(status="published")
        self.message_user(request, _("%d published.") % count)

    @admin.action(description=_("Take the chosen pages back to draft"), permissions=["change"])
    def withdraw(self, request, queryset):
        count = queryset.update(status="draft")
        self.message_user(request, _("%d taken back to draft.") % count)

    def view_on_site(self, obj):
        return obj.get_absolute_url() if obj.is_public else None


PICTURE_FIELDS = ("picture", "picture_alt", "picture_caption", "picture_credit")
PICTURE_SECTION = (_("Picture"), {"fields": PICTURE_FIELDS})


@admin.display(description=_("picture"))
def thumbnail(obj):
    """For list pages: the small rendition, with its own words."""
    if not obj.picture:
        return "–"
    return format_html(
        '<img class="thumb" src="{}{}" alt="{}" width="72" height="{}" loading="lazy">',
        settings.MEDIA_URL,
        rendition_name(obj.picture.name, 800),
        obj.picture_alt,
        round(72 * obj.picture_height / (obj.picture_width or 72)),
    )


class SiteLinkInline(admin.StackedInline):
    model = SiteLink
    extra = 0
    fields = ("kind", "label", "url", "order", "picture", "picture_alt")


@admin.register(SiteSettings)
class SiteSettingsAdmin(admin.ModelAdmin):
    list_display = ("name", "ein", "time_zone")
    search_fields = ("name",)
    list_filter = ("time_zone",)
    list_select_related = ()
    ordering = ("pk",)
    inlines = [SiteLinkInline]
    fieldsets = (
        (_("Who you are"), {"fields": ("name", "short_name", "tagline", "headline", "mission")}),
        (
            _("For receipts and letters"),
            {"fields": ("ein", "postal_address", "email", "phone", "time_zone")},
        ),
        (_("Footer"), {"fields": ("nonprofit_line", "letter_line", "picture_note")}),
        (
            _("Appeal on every page"),
            {"fields": ("appeal_text", "appeal_link", "appeal_from", "appeal_until")},
        ),
    )

    def has_add_permission(self, request):
        return super().has_add_permission(request) and not SiteSettings.objects.exists()

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(OutgoingMessage)
class OutgoingMessageAdmin(admin.ModelAdmin):
    """Read only: what was said to whom is a record."""

    list_display = ("subject", "to", "created_at", "sent_at", "attempts", "last_error")
    search_fields = ("to", "subject")
    list_filter = (("sent_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ()
    ordering = ("-created_at",)
    date_hierarchy = "created_at"
    fields = (
        "to", "subject", "text", "created_at", "sent_at", "attempts", "last_error", "next_try_at",
    )  # fmt: skip

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
