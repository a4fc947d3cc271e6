"""Campaigns are written here."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.db.models import TextField
from django.urls import path
from django.utils.translation import gettext_lazy as _

from donations.admin.letter_page import letter_page
from donations.admin.showing import DollarsMixin, ReadOnly
from donations.models import Campaign, CampaignCost, CampaignLetter, CampaignUpdate
from sistercities.shared.admin import PICTURE_SECTION, PublishableAdmin, thumbnail
from sistercities.shared.money import format_amount


class CampaignCostInline(DollarsMixin, admin.TabularInline):
    model = CampaignCost
    extra = 1
    fields = ("what", "amount_cents", "order")


class CampaignUpdateInline(admin.TabularInline):
    model = CampaignUpdate
    extra = 0
    fields = ("published_on", "text")
    formfield_overrides: ClassVar = {
        TextField: {"widget": forms.Textarea(attrs={"rows": 4, "cols": 60})}
    }


@admin.register(Campaign)
class CampaignAdmin(DollarsMixin, PublishableAdmin):
    list_display = ("title", "goal", "raised", "visit", thumbnail)
    search_fields = ("title", "summary", "designation")
    list_filter = ("status", "starts_on", "ends_on")
    list_select_related = ("visit",)
    ordering = ("order", "title")
    autocomplete_fields = ("visit",)
    prepopulated_fields = {"slug": ("title",)}
    inlines = [CampaignCostInline, CampaignUpdateInline]
    change_form_template = "admin/donations/campaign/change_form.html"
    fieldsets = (
        (None, {"fields": ("title", "summary", "designation", "visit")}),
        (_("Goal"), {"fields": ("goal_cents", "starts_on", "ends_on", "order")}),
        (_("The form"), {"fields": (("suggested", "suggested_first"), "has_names")}),
        (_("Text"), {"fields": ("body",)}),
        PICTURE_SECTION,
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/letter/", view(self.letter), name="donations_campaign_letter"),
            *super().get_urls(),
        ]

    def letter(self, request, pk):
        return letter_page(request, pk, self)

    def get_queryset(self, request):
        return super().get_queryset(request).with_raised()

    @admin.display(description=_("goal"), ordering="goal_cents")
    def goal(self, obj):
        return format_amount(obj.goal_cents, obj.currency)

    @admin.display(description=_("raised"), ordering="raised_cents")
    def raised(self, obj):
        return format_amount(obj.raised_cents, obj.currency)


@admin.register(CampaignLetter)
class CampaignLetterAdmin(ReadOnly, admin.ModelAdmin):
    """What was told to whom, and by whom it was released."""

    list_display = ("subject", "campaign", "readers", "released_at", "released_by")
    search_fields = ("subject", "opening", "campaign__title")
    list_filter = ("released_at", "campaign")
    list_select_related = ("campaign", "released_by")
    ordering = ("-released_at", "-pk")
    fields = ("campaign", "subject", "opening", "readers", "released_at", "released_by")
