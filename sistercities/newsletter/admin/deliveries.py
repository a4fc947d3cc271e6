"""Did Ann get it? Every letter to every person, to look up and never to edit."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from sistercities.newsletter.models import Delivery, Subscriber
from sistercities.newsletter.suppressing import keys_of
from sistercities.shared.admin import ReadOnlyAdmin

FOUND = 1000


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = (
        "subscriber", "issue", "state", "skip_reason", "sent_at", "answer", "bounced_at", "left_at",
    )  # fmt: skip
    search_fields = ("subscriber__email_key", "issue__subject")
    list_filter = ("state", "issue")
    list_select_related = ("subscriber", "issue")
    ordering = ("-pk",)
    show_full_result_count = False
    fields = (
        "issue", "subscriber", "state", "skip_reason", "attempts", "next_try_at", "claimed_at",
        "sent_at", "answer", "message_id", "bounced_at", "is_hard_bounce", "complained_at",
        "left_at",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """By any part of the address; by the whole of it also where the person was erased."""
        term = search_term.strip().lower()
        if not term:
            return queryset, False
        people = Subscriber.objects.filter(email_key__contains=term).values_list("pk", flat=True)
        found = Q(subscriber__in=list(people[:FOUND])) | Q(address_key__in=keys_of(term))
        return queryset.filter(found), False
