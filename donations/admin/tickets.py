"""Tickets to events, who bought them, and the list for the door."""

import csv
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from donations import taking_back
from donations.admin.showing import DollarsMixin, ReadOnly, money
from donations.models import Donation, Ticket, TicketLine
from exchanges.models import Event
from sistercities.shared.headers import personal
from sistercities.shared.money import format_exact
from sistercities.shared.spreadsheets import inert

PERMISSION = "donations.change_ticket"
State = Donation.State


@admin.register(Ticket)
class TicketAdmin(DollarsMixin, admin.ModelAdmin):
    """What is sold. A price that changes holds for who buys from then on."""

    list_display = (
        "title", "event", "price", "value", "sold", "is_on_sale", "buyers",
    )  # fmt: skip
    search_fields = ("title", "event__title")
    list_filter = (
        "is_on_sale", ("value_cents", admin.EmptyFieldListFilter), "event__starts_on",
    )  # fmt: skip
    list_select_related = ("event",)
    ordering = ("-event__starts_on", "event", "order", "pk")
    autocomplete_fields = ("event",)
    fieldsets = (
        (None, {"fields": ("event", "title", "what", "order")}),
        (
            _("Money"),
            {
                "fields": ("price_cents", "value_cents"),
                "description": _("Price = fair value + gift. Buyers read both before they pay, "
                                 "and only the gift can be deducted."),
            },
        ),
        (_("Sale"), {"fields": ("places", "is_on_sale", "sale_ends_on")}),
    )  # fmt: skip

    def get_queryset(self, request):
        return super().get_queryset(request).with_taken()

    @admin.display(description=_("price"), ordering="price_cents")
    def price(self, obj):
        return format_exact(obj.price_cents)

    @admin.display(description=_("fair value"), ordering="value_cents")
    def value(self, obj):
        if obj.value_cents is None:
            return _("missing: it cannot be bought")
        return format_exact(obj.value_cents)

    @admin.display(description=_("sold or being paid"))
    def sold(self, obj):
        if obj.places is None:
            return obj.taken
        return _("%(taken)d of %(places)d") % {"taken": obj.taken, "places": obj.places}

    @admin.display(description=_("buyers"))
    def buyers(self, obj):
        rows = reverse("admin:donations_ticketline_changelist")
        door = reverse("admin:donations_ticketline_door", args=[obj.event_id])
        return format_html(
            '<a href="{}?ticket__event__id__exact={}">{}</a> · <a href="{}">{}</a>',
            rows, obj.event_id, _("List"), door, _("CSV for the door"),
        )  # fmt: skip


class EventWithTickets(admin.RelatedFieldListFilter):
    """Only events that ever sold tickets."""

    def field_choices(self, field, request, model_admin):
        events = Event.objects.filter(tickets__isnull=False).distinct()
        return [(event.pk, str(event)) for event in events.order_by("-starts_on", "pk")]


class HoldingFilter(admin.SimpleListFilter):
    title = _("seats")
    parameter_name = "seats"

    def lookups(self, request, model_admin):
        return [
            ("paid", _("Paid")),
            ("held", _("Paid, or being paid")),
            ("odd", _("Needs a person")),
        ]

    def queryset(self, request, queryset):
        match self.value():
            case "paid":
                return queryset.paid()
            case "held":
                return queryset.holding()
            case "odd":
                return queryset.exclude(donation__needs_attention="")
        return queryset


@admin.register(TicketLine)
class TicketLineAdmin(ReadOnly, admin.ModelAdmin):
    """Who has seats. Money is given back on the page of the gift, and frees all its seats."""

    change_form_template = "admin/donations/ticketline/change_form.html"
    list_display = (
        "donor_name", "seats_now", "ticket", "event", "guests", "state", "refunded", "form_sent",
    )  # fmt: skip
    search_fields = ("donation__donor_name", "donation__email", "donation__message")
    list_filter = (HoldingFilter, ("ticket__event", EventWithTickets), "donation__state")
    list_select_related = ("donation", "ticket__event")
    ordering = ("donation__donor_name", "pk")
    fields = (
        "donation", "ticket", "event", "quantity", "given_up", "guests", "price", "value", "state",
        "refunded", "held_until",
    )  # fmt: skip

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("door/<int:pk>/", view(self.door), name="donations_ticketline_door"),
            path("<int:pk>/back/", view(self.take_back), name="donations_ticketline_take_back"),
            *super().get_urls(),
        ]

    def get_queryset(self, request):
        return super().get_queryset(request).with_refunded()

    def change_view(self, request, object_id, form_url="", extra_context=None):
        line = self.get_object(request, object_id)
        extra = {}
        if line and request.user.has_perm(PERMISSION):
            extra = {"can_be_taken_back": _can_be_taken_back(line)}
        return super().change_view(request, object_id, form_url, (extra_context or {}) | extra)

    def door(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Who has paid for an event, by name, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = get_object_or_404(Event, pk=pk)
        lines = TicketLine.objects.filter(ticket__event=event).paid()
        lines = lines.select_related("donation", "ticket").order_by("donation__donor_name", "pk")
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="door-{event.slug}.csv"'
        response.write("\ufeff")  # spreadsheets read Chinese and Kazakh names only with it
        writer = csv.writer(response, lineterminator="\r\n")
        writer.writerow(
            inert(str(heading))
            for heading in (_("Name"), _("Seats"), _("Ticket"), _("Guests"), _("Email"),
                            _("Paid"), _("Given back of the order"), _("On"))
        )  # fmt: skip
        for line in lines:
            if line.seats:
                writer.writerow(inert(str(cell)) for cell in _door_cells(line))
        return personal(response)

    def take_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET asks how many, POST does it. Only for who may change tickets."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        line = get_object_or_404(TicketLine.objects.select_related("donation", "ticket"), pk=pk)
        form = TakeBackForm(request.POST or None, initial={"seats": line.seats})
        if request.method == "POST" and form.is_valid():
            seats = form.cleaned_data["seats"]
            try:
                taking_back.take_back(line=line, seats=seats)
            except taking_back.CannotTakeBack as reason:
                form.add_error("seats", str(reason))
            else:
                self.log_change(request, line, [{"changed": {"fields": [f"-{seats}"]}}])
                messages.success(request, _("Others can buy the seats. The receipt is corrected."))
                return redirect(reverse("admin:donations_ticketline_change", args=[pk]))
        return TemplateResponse(
            request,
            "admin/donations/ticketline/take_back.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Take seats back"),
                "opts": self.opts,
                "line": line,
                "form": form,
                "can_be_taken_back": _can_be_taken_back(line),
            },
        )

    @admin.display(description=_("buyer"), ordering="donation__donor_name")
    def donor_name(self, obj):
        return obj.donation.donor_name

    @admin.display(description=_("seats"), ordering="quantity")
    def seats_now(self, obj):
        return obj.seats

    @admin.display(description=_("event"), ordering="ticket__event__starts_on")
    def event(self, obj):
        return obj.ticket.event

    @admin.display(description=_("guests"))
    def guests(self, obj):
        return obj.donation.message

    @admin.display(description=_("state"), ordering="donation__state")
    def state(self, obj):
        return obj.donation.get_state_display()

    @admin.display(description=_("form sent"), ordering="donation__created_at")
    def form_sent(self, obj):
        return obj.donation.created_at

    @admin.display(description=_("given back"))
    def refunded(self, obj):
        cents = obj.refunded_cents
        return money(cents, obj.donation.currency) if cents else "–"

    @admin.display(description=_("price of a seat"))
    def price(self, obj):
        return money(obj.price_cents, obj.donation.currency)

    @admin.display(description=_("fair value of a seat"))
    def value(self, obj):
        return money(obj.value_cents, obj.donation.currency)


class TakeBackForm(forms.Form):
    seats = forms.IntegerField(label=_("How many seats"), min_value=1)


def _can_be_taken_back(line: TicketLine) -> bool:
    return line.donation.state == State.PAID and line.seats > 0


def _door_cells(line: TicketLine) -> tuple[Any, ...]:
    gift = line.donation
    back = format_exact(line.refunded_cents, gift.currency) if line.refunded_cents else ""
    guests = ", ".join(gift.message.splitlines())
    return (
        gift.donor_name, line.seats, line.ticket.title, guests, gift.email,
        format_exact(line.paid_cents, gift.currency), back, gift.given_on,
    )  # fmt: skip
