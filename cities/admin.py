"""How staff keep cities: one form a city, with its facts, places and people below it."""

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from cities.facts import disagreeing
from cities.models import (
    City,
    DistrictLink,
    Fact,
    Honour,
    Measure,
    Partner,
    Person,
    Place,
    Section,
    Source,
)
from sistercities.shared.admin import PICTURE_FIELDS, PICTURE_SECTION, PublishableAdmin, thumbnail

SHORT_TEXT: dict = {models.CharField: {"widget": forms.TextInput(attrs={"size": 30})}}


class SectionInline(admin.StackedInline):
    model = Section
    extra = 0
    autocomplete_fields = ["source"]
    fields = ("heading", "body", "order", "source", *PICTURE_FIELDS)
    classes = ["collapse"]


class FactInline(admin.TabularInline):
    model = Fact
    extra = 0
    autocomplete_fields = ["measure", "source"]
    fields = (
        "measure", "detail", "qualifier", "value", "unit", "paired_value", "paired_unit",
        "exchange_rate", "as_of_year", "as_of_date", "source",
    )  # fmt: skip
    formfield_overrides = {models.CharField: {"widget": forms.TextInput(attrs={"size": 14})}}
    classes = ["collapse"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("measure", "source")


class PlaceInline(admin.StackedInline):
    model = Place
    extra = 0
    autocomplete_fields = ["source"]
    fields = (
        ("name", "native_name", "kind"), "text", ("season_from", "season_until"),
        ("opens_at", "closes_at"), ("price_from", "price_until", "price_currency"),
        ("order", "source"), *PICTURE_FIELDS,
    )  # fmt: skip
    classes = ["collapse"]


class HonourInline(admin.TabularInline):
    model = Honour
    extra = 0
    autocomplete_fields = ["source"]
    fields = ("year", "title", "giver", "source", "order")
    classes = ["collapse"]


class PersonInline(admin.TabularInline):
    model = Person
    extra = 0
    autocomplete_fields = ["source"]
    fields = ("name", "native_name", "known_for", "source", "order")
    formfield_overrides = SHORT_TEXT
    classes = ["collapse"]


class PartnerInline(admin.StackedInline):
    model = Partner
    extra = 0
    fields = (("name", "native_name"), "text", "url", "order", "picture", "picture_alt")
    classes = ["collapse"]


class DistrictLinkInline(admin.TabularInline):
    model = DistrictLink
    extra = 0
    fields = ("district", "town", "country", "since_year", "note", "order")
    formfield_overrides = SHORT_TEXT
    classes = ["collapse"]


class Disagreement(admin.SimpleListFilter):
    """Cities and facts whose sources contradict each other."""

    title = _("sources")
    parameter_name = "sources"

    def lookups(self, request, model_admin):
        return [("differ", _("contradict each other"))]

    def queryset(self, request, queryset):
        if self.value() != "differ":
            return queryset
        rows = rows_that_disagree()
        if queryset.model is City:
            return queryset.filter(pk__in={row.facts[0].city_id for row in rows})
        return queryset.filter(pk__in={fact.pk for row in rows for fact in row.facts})


def with_source(fact: Fact) -> str:
    return f"{fact.value.normalize():f} ({fact.source})"


def rows_that_disagree() -> list:
    """Every measure of every city on which sources contradict each other. One query."""
    by_city: dict[int, list[Fact]] = {}
    for fact in Fact.objects.for_page():
        by_city.setdefault(fact.city_id, []).append(fact)
    return [row for facts in by_city.values() for row in disagreeing(facts)]


@admin.register(City)
class CityAdmin(PublishableAdmin):
    list_display = ("name", "native_name", "relationship", "country", "shown_picture")
    search_fields = ("name", "native_name", "other_names", "region")
    list_filter = ("status", "relationship", Disagreement)
    list_select_related = ()
    ordering = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("contradictions",)
    inlines = (
        SectionInline, FactInline, PlaceInline, HonourInline, PersonInline, PartnerInline,
        DistrictLinkInline,
    )  # fmt: skip
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "native_name", "native_language"), "other_names", "summary",
                    "contradictions",
                )
            },
        ),
        (_("Where it is"), {"fields": (
            ("country", "region"), ("latitude", "longitude"), "time_zone", "postal_address",
        )}),
        (_("Partnership"), {"fields": (("relationship", "signed_on"), "partnership")}),
        PICTURE_SECTION,
        (_("Colors"), {
            "fields": (("accent", "accent_line"), ("accent_dark", "accent_line_dark")),
            "description": _("Two from the city's life, each for light and for dark pages."),
        }),
        (_("Publishing"), {"fields": (*PublishableAdmin.publishing_fields, "takes_replies")}),
    )  # fmt: skip

    @admin.display(description=_("picture"))
    def shown_picture(self, obj):
        return thumbnail(obj)

    @admin.display(description=_("sources that contradict each other"))
    def contradictions(self, obj):
        if not obj.pk:
            return "–"
        rows = disagreeing(obj.facts.for_page())
        if not rows:
            return _("None.")
        lines = [(row.facts[0].measure, "; ".join(map(with_source, row.facts))) for row in rows]
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}</li>", lines))

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        rows = disagreeing(form.instance.facts.for_page())
        if rows:
            self.message_user(
                request,
                ngettext(
                    "Sources contradict each other on %(count)d measure: %(names)s. "
                    "The page shows every value with its year.",
                    "Sources contradict each other on %(count)d measures: %(names)s. "
                    "The page shows every value with its year.",
                    len(rows),
                )
                % {
                    "count": len(rows),
                    "names": ", ".join(str(row.facts[0].measure) for row in rows),
                },
                messages.WARNING,
            )


@admin.register(Fact)
class FactAdmin(admin.ModelAdmin):
    list_display = ("measure", "detail", "value", "unit", "as_of_year", "city", "source")
    search_fields = ("measure__name", "city__name", "source__title")
    list_filter = (Disagreement, "city")
    list_select_related = ("measure", "city", "source")
    ordering = ("city__name", "measure__order")
    autocomplete_fields = ("city", "measure", "source")


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    list_display = ("title", "publisher", "year", "url")
    search_fields = ("title", "publisher")
    list_filter = ("year",)
    list_select_related = ()
    ordering = ("title",)


@admin.register(Measure)
class MeasureAdmin(admin.ModelAdmin):
    list_display = ("name", "order")
    search_fields = ("name",)
    list_filter = ()
    list_select_related = ()
    ordering = ("order", "name")


class CityPartAdmin(admin.ModelAdmin):
    """Parts of a city's page, for finding and mending them across cities."""

    list_filter = ("city",)
    list_select_related = ("city",)
    ordering = ("city__name", "order")
    autocomplete_fields = ("city", "source")


@admin.register(Place)
class PlaceAdmin(CityPartAdmin):
    list_display = ("name", "native_name", "kind", "city")
    search_fields = ("name", "native_name", "text")


@admin.register(Section)
class SectionAdmin(CityPartAdmin):
    list_display = ("heading", "city", "order")
    search_fields = ("heading", "body")


@admin.register(Honour)
class HonourAdmin(CityPartAdmin):
    list_display = ("title", "year", "giver", "city")
    search_fields = ("title", "giver")


@admin.register(Person)
class PersonAdmin(CityPartAdmin):
    list_display = ("name", "native_name", "known_for", "city")
    search_fields = ("name", "native_name", "known_for")


@admin.register(Partner)
class PartnerAdmin(CityPartAdmin):
    list_display = ("name", "native_name", "city", "url")
    search_fields = ("name", "native_name", "text")


@admin.register(DistrictLink)
class DistrictLinkAdmin(CityPartAdmin):
    list_display = ("district", "town", "country", "since_year", "city")
    search_fields = ("district", "town", "note")
