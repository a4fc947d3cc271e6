"""How staff keep events."""

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from exchanges.models import Event
from exchanges.repeating import MOST_DATES, Rhythm, carry_over, dates_of, repeat
from sistercities.shared.admin import PICTURE_SECTION, PublishableAdmin


class EventForm(forms.ModelForm):
    rhythm = forms.ChoiceField(
        label=_("comes back"),
        required=False,
        choices=[("", _("No")), *Rhythm.choices],
        help_text=_("Saving makes an event for each date. Each can then be changed by itself."),
    )
    until = forms.DateField(label=_("until"), required=False, widget=AdminDateWidget)

    def clean(self):
        data = super().clean() or self.cleaned_data
        rhythm, until, first = (data.get(name) for name in ("rhythm", "until", "starts_on"))
        if rhythm and not until:
            raise ValidationError({"until": _("Until which day does it come back?")})
        if until and not rhythm:
            raise ValidationError({"rhythm": _("How often does it come back?")})
        if rhythm and first and until:
            count = (
                0 if until.year > first.year + MOST_DATES else len(dates_of(first, rhythm, until))
            )
            if not 0 < count <= MOST_DATES:
                text = _("Choose a day that makes between 1 and %d further dates.") % MOST_DATES
                raise ValidationError({"until": text})
        return data


@admin.register(Event)
class EventAdmin(PublishableAdmin):
    form = EventForm
    list_display = ("title", "shown_days", "starts_at", "city", "visit", "place")
    search_fields = ("title", "native_title", "summary", "place", "city__name")
    list_filter = ("status", "is_online", "city")
    list_select_related = ("city", "visit")
    ordering = ("-starts_on", "-pk")
    autocomplete_fields = ("city", "visit")
    prepopulated_fields = {"slug": ("title",)}
    readonly_fields = ("shown_file", "shown_series")
    actions = ("carry_over_to_later",)
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
        (_("Does it come back?"), {"fields": (("rhythm", "until"), "shown_series")}),
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

    @admin.display(description=_("dates of this event"))
    def shown_series(self, obj):
        count = obj.dates.count()
        return ngettext("%d other date", "%d other dates", count) % count if count else "–"

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if rhythm := form.cleaned_data.get("rhythm"):
            made = repeat(event=form.instance, rhythm=rhythm, until=form.cleaned_data["until"])
            text = ngettext("%d further date made.", "%d further dates made.", len(made))
            self.message_user(request, text % len(made))

    @admin.action(
        description=_("Give all later dates the words, hours and place of the chosen one"),
        permissions=["change"],
    )
    def carry_over_to_later(self, request, queryset):
        for event in queryset:
            count = carry_over(event=event)
            text = ngettext("%(event)s: %(count)d later date changed.",
                            "%(event)s: %(count)d later dates changed.", count)  # fmt: skip
            self.message_user(request, text % {"event": event, "count": count})
