"""How staff keep visits, days, galleries, photos and events."""

from django.contrib import admin
from django.db.models import Count
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from exchanges.models import Day, Event, Gallery, Host, Participant, Photo, Stop, Visit
from sistercities.shared.admin import (
    PICTURE_FIELDS,
    PICTURE_SECTION,
    NonceMixin,
    PublishableAdmin,
    thumbnail,
)


class DayInline(admin.StackedInline):
    model = Day
    extra = 0
    fields = (("number", "on"), "title", "text")
    show_change_link = True
    classes = ["collapse"]
    verbose_name_plural = _("days: save, then open a day to write its program")


class ParticipantInline(admin.TabularInline):
    model = Participant
    extra = 0
    fields = ("name", "role", "organisation", "agreed_to_be_named")
    classes = ["collapse"]


class HostInline(admin.TabularInline):
    model = Host
    extra = 0
    fields = ("name", "native_name", "url")
    classes = ["collapse"]


@admin.register(Visit)
class VisitAdmin(PublishableAdmin):
    list_display = ("title", "city", "shown_days", "direction", "stage", "shown_picture")
    search_fields = ("title", "summary", "city__name", "city__native_name")
    list_filter = ("status", "stage", "direction", "city")
    list_select_related = ("city",)
    ordering = ("-starts_on", "-pk")
    autocomplete_fields = ("city", "answers")
    prepopulated_fields = {"slug": ("title",)}
    inlines = (DayInline, ParticipantInline, HostInline)
    fieldsets = (
        (None, {"fields": ("title", "summary", ("city", "direction", "stage"))}),
        (
            _("When"),
            {
                "fields": (("starts_on", "ends_on", "precision"),),
                "description": _("Visitors are told no more than what is on file."),
            },
        ),
        (_("What it is about"), {"fields": ("cooperation", "story", "answers")}),
        PICTURE_SECTION,
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )

    @admin.display(description=_("when"), ordering="starts_on")
    def shown_days(self, obj):
        return obj.when

    @admin.display(description=_("picture"))
    def shown_picture(self, obj):
        return thumbnail(obj)


class StopInline(admin.TabularInline):
    model = Stop
    extra = 3
    fields = ("at", "title", "native")


@admin.register(Day)
class DayAdmin(NonceMixin, admin.ModelAdmin):
    """A day with its program; reached from its visit."""

    list_display = ("title", "visit", "number", "on")
    search_fields = ("title", "visit__title")
    list_filter = ("visit__city",)
    list_select_related = ("visit",)
    ordering = ("-visit__starts_on", "visit", "number")
    autocomplete_fields = ("visit",)
    fields = ("visit", ("number", "on"), "title", "text")
    inlines = (StopInline,)


@admin.register(Participant)
class ParticipantAdmin(admin.ModelAdmin):
    list_display = ("name", "role", "organisation", "visit", "agreed_to_be_named")
    search_fields = ("name", "organisation", "visit__title")
    list_filter = ("agreed_to_be_named", "visit__city")
    list_select_related = ("visit",)
    ordering = ("name", "pk")
    autocomplete_fields = ("visit",)
    fields = ("visit", "name", "role", "organisation", "agreed_to_be_named")


class PhotoInline(admin.StackedInline):
    model = Photo
    extra = 0
    fields = (
        "shown_picture", *PICTURE_FIELDS, "is_decorative", ("order", "is_cover", "is_hidden"),
    )  # fmt: skip
    readonly_fields = ("shown_picture",)
    ordering = ("order", "pk")
    show_change_link = True

    @admin.display(description=_("picture"))
    def shown_picture(self, obj):
        return thumbnail(obj)


@admin.register(Gallery)
class GalleryAdmin(PublishableAdmin):
    list_display = ("title", "city", "visit", "taken_on", "photo_count")
    search_fields = ("title", "summary", "city__name", "visit__title")
    list_filter = ("status", "city")
    list_select_related = ("city", "visit")
    ordering = ("-taken_on", "title", "pk")
    autocomplete_fields = ("city", "visit")
    prepopulated_fields = {"slug": ("title",)}
    inlines = (PhotoInline,)
    fieldsets = (
        (None, {"fields": ("title", "summary", ("city", "visit", "taken_on"))}),
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(photo_count=Count("photos"))

    @admin.display(description=_("pictures"), ordering="photo_count")
    def photo_count(self, obj):
        return obj.photo_count


@admin.register(Photo)
class PhotoAdmin(admin.ModelAdmin):
    list_display = (
        "shown_picture", "shown_words", "gallery", "taken_at", "order", "is_cover", "is_hidden",
    )  # fmt: skip
    list_display_links = ("shown_picture", "shown_words")
    search_fields = ("picture_caption", "picture_alt", "picture_credit", "gallery__title")
    list_filter = ("is_hidden", "is_decorative", "gallery__city")
    list_select_related = ("gallery",)
    ordering = ("-gallery__taken_on", "gallery", "order", "pk")
    autocomplete_fields = ("gallery",)
    actions = ("hide", "show")
    fieldsets = (
        PICTURE_SECTION,
        (_("Who sees it"), {"fields": ("is_decorative", "is_hidden")}),
        (
            _("Where it belongs"),
            {
                "fields": ("gallery", ("order", "is_cover"), "taken_at"),
                "description": _(
                    "The moment sorts it into its day. Visitors are not told the hour."
                ),
            },
        ),
    )

    @admin.display(description=_("picture"))
    def shown_picture(self, obj):
        return thumbnail(obj)

    @admin.display(description=_("caption"), ordering="picture_caption")
    def shown_words(self, obj):
        return str(obj)

    @admin.action(description=_("Hide the chosen pictures"), permissions=["change"])
    def hide(self, request, queryset):
        self.message_user(request, _("%d hidden.") % queryset.update(is_hidden=True))

    @admin.action(description=_("Show the chosen pictures again"), permissions=["change"])
    def show(self, request, queryset):
        self.message_user(request, _("%d shown again.") % queryset.update(is_hidden=False))


@admin.register(Event)
class EventAdmin(PublishableAdmin):
    list_display = ("title", "shown_days", "starts_at", "city", "visit", "place")
    search_fields = ("title", "native_title", "summary", "place", "city__name")
    list_filter = ("status", "is_online", "city")
    list_select_related = ("city", "visit")
    ordering = ("-starts_on", "-pk")
    autocomplete_fields = ("city", "visit")
    prepopulated_fields = {"slug": ("title",)}
    readonly_fields = ("shown_file",)
    fieldsets = (
        (None, {"fields": ("title", ("native_title", "native_language"), "summary", "body")}),
        (
            _("When"),
            {
                "fields": (
                    ("starts_on", "starts_at"), ("ends_on", "ends_at"), "time_zone",
                    "shown_file",
                ),
                "description": _(
                    "Hours are those of the clock in this time zone; pages show both clocks."
                ),
            },
        ),
        (_("Where"), {"fields": ("place", "address", ("is_online", "online_url"))}),
        (_("With"), {"fields": (("city", "visit"),)}),
        PICTURE_SECTION,
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )  # fmt: skip

    @admin.display(description=_("when"), ordering="starts_on")
    def shown_days(self, obj):
        return obj.when

    @admin.display(description=_("for calendars"))
    def shown_file(self, obj):
        if not obj.pk or not obj.is_public:
            return _("Once it is published.")
        address = reverse("exchanges:event_ics", args=[obj.slug])
        return format_html('<a href="{}">{}</a>', address, address)
