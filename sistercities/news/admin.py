"""How staff write the news and choose whose headlines stand beside it."""

from django.contrib import admin, messages
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sistercities.news.feeds import read_feed
from sistercities.news.models import Article, FeedSource
from sistercities.shared.admin import PICTURE_SECTION, PublishableAdmin, thumbnail

MAX_READ_AT_ONCE = 5  # each may take ten seconds, and staff wait for the answer


@admin.register(Article)
class ArticleAdmin(PublishableAdmin):
    list_display = ("headline", "section", "publish_at", "visit", "shown_picture")
    search_fields = ("headline", "lead", "cities__name", "visit__title")
    list_filter = ("status", "section", "cities")
    list_select_related = ("visit",)
    ordering = ("-publish_at", "-pk")
    autocomplete_fields = ("cities", "visit", "source")
    prepopulated_fields = {"slug": ("headline",)}
    fieldsets = (
        (None, {"fields": ("headline", "lead", "section", "body")}),
        (
            _("What it is about"),
            {
                "fields": ("cities", "visit", "source"),
                "description": _("The cities choose its colors and what readers are offered next."),
            },
        ),
        PICTURE_SECTION,
        (
            _("Publishing"),
            {
                "fields": (
                    "status",
                    "publish_at",
                    "slug",
                    ("updated_on", "change_note"),
                    "takes_replies",
                )
            },
        ),
    )

    @admin.display(description=_("picture"))
    def shown_picture(self, obj):
        return thumbnail(obj)


@admin.register(FeedSource)
class FeedSourceAdmin(admin.ModelAdmin):
    list_display = ("title", "is_active", "order", "fetched_at", "tried_at", "last_error")
    search_fields = ("title", "url")
    list_filter = ("is_active", ("last_error", admin.EmptyFieldListFilter))
    list_select_related = ()
    ordering = ("order", "title")
    actions = ("read_now",)
    readonly_fields = ("fetched_at", "tried_at", "last_error", "headlines")
    fieldsets = (
        (None, {"fields": ("title", "url", "site_url", ("is_active", "order"))}),
        (
            _("How it goes"),
            {
                "fields": ("fetched_at", "tried_at", "last_error", "headlines"),
                "description": _(
                    "Read each hour. When it cannot be read, the headlines read last stay."
                ),
            },
        ),
    )

    @admin.display(description=_("headlines"))
    def headlines(self, obj):
        if not obj.items:
            return _("None read yet.")
        lines = ((item["title"],) for item in obj.items)
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", lines))

    @admin.action(description=_("Read now"), permissions=["change"])
    def read_now(self, request, queryset):
        sources = list(queryset[: MAX_READ_AT_ONCE + 1])
        if len(sources) > MAX_READ_AT_ONCE:
            self.message_user(
                request,
                _("Please choose at most %d at once; the others are read within the hour.")
                % MAX_READ_AT_ONCE,
                messages.WARNING,
            )
            return
        for source in sources:
            if error := read_feed(source):
                self.message_user(request, f"{source.title}: {error}", messages.ERROR)
            else:
                count = len(source.items)
                text = ngettext("%d headline read.", "%d headlines read.", count) % count
                self.message_user(request, f"{source.title}: {text}", messages.SUCCESS)
