"""What every admin page of ours shares: publishing, pictures, the editor's nonce."""

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from js_asset import Media

from sistercities.shared.models import (
    AvifTrial,
    DiscardedFile,
    OutgoingMessage,
    Redirect,
    Rendering,
    SiteLink,
    SiteSettings,
)


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
        """Each page is checked as its form would check it; what is refused stays as it was."""
        count = 0
        for page in queryset:
            page.status = page.Status.PUBLISHED
            try:
                page.full_clean()
            except ValidationError as refused:
                reasons = " ".join(refused.messages)
                text = _("%(page)s was not published. %(reasons)s")
                shown = text % {"page": page, "reasons": reasons}
                self.message_user(request, shown, messages.ERROR)
                continue
            self._keep_status(request, page)
            count += 1
        if count:
            self.message_user(request, ngettext("%d published.", "%d published.", count) % count)

    @admin.action(description=_("Take the chosen pages back to draft"), permissions=["change"])
    def withdraw(self, request, queryset):
        for page in queryset:
            page.status = page.Status.DRAFT
            self._keep_status(request, page)
        count = len(queryset)
        text = ngettext("%d taken back to draft.", "%d taken back to draft.", count)
        self.message_user(request, text % count)

    def _keep_status(self, request, page):
        """Row by row: an update of all at once leaves neither a date of change nor a history."""
        page.save(update_fields=["status", "updated_at"])
        self.log_change(request, page, [{"changed": {"fields": [str(_("status"))]}}])

    def view_on_site(self, obj):
        return obj.get_absolute_url() if obj.is_public else None


PICTURE_FIELDS = (
    "picture", "picture_alt", "picture_caption", "picture_credit", "picture_focus",
)  # fmt: skip
PICTURE_SECTION = (_("Picture"), {"fields": PICTURE_FIELDS})


@admin.display(description=_("picture"))
def thumbnail(obj):
    """For list pages: the small rendition, with its own words, or why there is none yet."""
    if obj.picture_problem:
        return obj.picture_problem
    if not obj.thumbnail_url:
        return _("in the works") if obj.picture_is_waiting else "–"
    return format_html(
        '<img class="thumb" src="{}" alt="{}" width="72" height="{}" loading="lazy">',
        obj.thumbnail_url,
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
        (
            _("Gifts by card"),
            {
                "fields": (
                    ("card_fee_percent", "card_fee_cents"),
                    ("smallest_gift", "largest_gift"),
                )
            },
        ),
        (
            _("The law"),
            {"fields": ("registration_ends_on", "deductibility_text", "deductibility_on")},
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


@admin.register(Redirect)
class RedirectAdmin(admin.ModelAdmin):
    """Where old addresses lead. A page whose address changes stands here by itself."""

    list_display = ("old_path", "new_path", "has_parts", "is_automatic", "created_at")
    search_fields = ("old_path", "new_path")
    list_filter = ("is_automatic", "has_parts", "created_at")
    list_select_related = ()
    ordering = ("old_path",)
    fields = ("old_path", "new_path", "has_parts")

    def view_on_site(self, obj):
        return obj.new_path


class ReadOnlyAdmin(admin.ModelAdmin):
    """For records: what was done, or waits to be done, is not written by hand."""

    list_select_related = ()

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(OutgoingMessage)
class OutgoingMessageAdmin(ReadOnlyAdmin):
    """Read only: what was said to whom is a record."""

    list_display = ("subject", "to", "created_at", "sent_at", "attempts", "last_error")
    search_fields = ("to", "subject")
    list_filter = (("sent_at", admin.EmptyFieldListFilter), "created_at")
    ordering = ("-created_at",)
    date_hierarchy = "created_at"
    fields = (
        "to", "subject", "text", "created_at", "sent_at", "attempts", "last_error", "next_try_at",
    )  # fmt: skip


@admin.register(Rendering, AvifTrial)
class PictureWorkAdmin(ReadOnlyAdmin):
    """Usually empty: what stands here for long has a reason in the log."""

    list_display = ("original", "label", "object_id", "attempts", "next_try_at")
    search_fields = ("original",)
    list_filter = ("label",)
    ordering = ("pk",)


@admin.register(DiscardedFile)
class DiscardedFileAdmin(ReadOnlyAdmin):
    """Usually empty: what stands here for long could not be deleted."""

    list_display = ("name", "storage", "discarded_at")
    search_fields = ("name",)
    list_filter = ("storage",)
    ordering = ("pk",)
