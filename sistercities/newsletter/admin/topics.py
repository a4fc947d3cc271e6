"""What readers can choose. Cities are added by themselves when a letter is drafted."""

from django.contrib import admin

from sistercities.newsletter.models import Topic


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin):
    list_display = ("title", "native_title", "slug", "order", "is_offered")
    search_fields = ("title", "native_title", "slug", "description")
    list_filter = ("is_offered",)
    list_select_related = ()
    ordering = ("order", "title")
    prepopulated_fields = {"slug": ("title",)}
