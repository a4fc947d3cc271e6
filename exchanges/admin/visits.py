"""How staff keep visits, their days and the people of each."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from exchanges.models import Day, Host, Participant, Stop, Visit
from sistercities.shared.admin import PICTURE_SECTION, NonceMixin, PublishableAdmin, thumbnail


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
        (
            _("Publishing"),
            {"fields": (*PublishableAdmin.publishing_fields, "takes_replies")},
        ),
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
