"""Campaigns are written here."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from donations.admin.showing import DollarsMixin
from donations.models import Campaign, CampaignCost
from sistercities.shared.admin import PICTURE_SECTION, PublishableAdmin, thumbnail
from sistercities.shared.money import format_amount


class CampaignCostInline(DollarsMixin, admin.TabularInline):
    model = CampaignCost
    extra = 1
    fields = ("what", "amount_cents", "order")


@admin.register(Campaign)
class CampaignAdmin(DollarsMixin, PublishableAdmin):
    list_display = ("title", "goal", "raised", "visit", thumbnail)
    search_fields = ("title", "summary", "designation")
    list_filter = ("status", "starts_on", "ends_on")
    list_select_related = ("visit",)
    ordering = ("order", "title")
    autocomplete_fields = ("visit",)
    prepopulated_fields = {"slug": ("title",)}
    inlines = [CampaignCostInline]
    fieldsets = (
        (None, {"fields": ("title", "summary", "designation", "visit")}),
        (_("Goal"), {"fields": ("goal_cents", "starts_on", "ends_on", "order")}),
        (_("Text"), {"fields": ("body",)}),
        PICTURE_SECTION,
        (_("Publishing"), {"fields": PublishableAdmin.publishing_fields}),
    )

    def get_queryset(self, request):
        return super().get_queryset(request).with_raised()

    @admin.display(description=_("goal"), ordering="goal_cents")
    def goal(self, obj):
        return format_amount(obj.goal_cents, obj.currency)

    @admin.display(description=_("raised"), ordering="raised_cents")
    def raised(self, obj):
        return format_amount(obj.raised_cents, obj.currency)
