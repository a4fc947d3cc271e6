"""Matches that employers promised: written down here, received by booking the company's gift."""

from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from donations import matching
from donations.admin.showing import DollarsMixin, ReadOnlyInline, money
from donations.amounts import CURRENCY
from donations.models import Donation, ExpectedMatch, OfflineGift
from sistercities.shared.money import format_exact


class EmployerFilter(admin.SimpleListFilter):
    """Gifts whose donors named an employer, of whose match nobody has heard yet."""

    title = _("employer's match")
    parameter_name = "match"

    def lookups(self, request, model_admin):
        return [("may", _("The employer may match")), ("expected", _("A match is expected"))]

    def queryset(self, request, queryset):
        expected = ExpectedMatch.objects.filter(employee_gift=OuterRef("pk"))
        if self.value() == "may":
            came = OfflineGift.objects.filter(matched_gift=OuterRef("pk"))
            named = queryset.exclude(employer="").counting().kept()
            return named.exclude(Exists(expected)).exclude(Exists(came))
        if self.value() == "expected":
            return queryset.filter(Exists(expected.waiting()))
        return queryset


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [
            ("waiting", _("Waiting")),
            ("overdue", _("Overdue")),
            ("received", _("Received")),
            ("given_up", _("Given up")),
        ]

    def queryset(self, request, queryset):
        match self.value():
            case "waiting":
                return queryset.waiting()
            case "overdue":
                return queryset.overdue()
            case "received":
                return queryset.exclude(received=None)
            case "given_up":
                return queryset.exclude(given_up_at=None)
        return queryset


@admin.display(description=_("amount"), ordering="amount_cents")
def promised(obj):
    return money(obj.amount_cents, CURRENCY)


@admin.display(description=_("state"))
def state(obj):
    if obj.received_id:
        return _("Received")
    return _("Given up") if obj.given_up_at else _("Waiting")


def expect_match_address(gift: Donation) -> str:
    """The form of a new expected match, filled in; empty where no employer could match, or one is
    waited for already.
    """
    is_paid = gift.state == Donation.State.PAID
    if not (gift.employer and is_paid) or gift.expected_matches.waiting().exists():
        return ""
    known = {
        "company": gift.employer,
        "employee_gift": gift.pk,
        "campaign": gift.campaign_id or "",
        "amount_cents": format_exact(gift.amount_cents, CURRENCY).removeprefix("$"),
    }
    return f"{reverse('admin:donations_expectedmatch_add')}?{urlencode(known)}"


class ExpectedMatchInline(ReadOnlyInline):
    """On the page of the employee's gift."""

    model = ExpectedMatch
    fk_name = "employee_gift"
    fields = ("company", promised, "expected_on", state)
    readonly_fields = (promised, state)


@admin.register(ExpectedMatch)
class ExpectedMatchAdmin(DollarsMixin, admin.ModelAdmin):
    """Once a match has come it stays as it was promised; the company's gift says what came."""

    list_display = ("company", promised, "campaign", "employee_gift", "expected_on", state)
    search_fields = ("company", "employee_gift__donor_name", "employee_gift__email", "note")
    list_filter = (StateFilter, "campaign", "expected_on")
    list_select_related = ("campaign", "employee_gift")
    ordering = ("expected_on", "pk")
    date_hierarchy = "expected_on"
    autocomplete_fields = ("employee_gift", "campaign")
    readonly_fields = ("received", "given_up_at", "created_at")
    fields = (
        "company", "amount_cents", "employee_gift", "campaign", "expected_on", "note",
        "received", "given_up_at", "created_at",
    )  # fmt: skip
    actions = ["give_up"]

    def has_change_permission(self, request, obj=None):
        is_settled = obj and (obj.received_id or obj.given_up_at)
        return super().has_change_permission(request, obj) and not is_settled

    def has_delete_permission(self, request, obj=None):
        is_received = obj and obj.received_id
        return super().has_delete_permission(request, obj) and not is_received

    @admin.action(description=_("Give up: this match will not come"), permissions=["change"])
    def give_up(self, request, queryset):
        chosen = list(queryset.waiting())
        for match in chosen:
            self.log_change(request, match, [{"changed": {"fields": [str(_("given up"))]}}])
        count = matching.give_up(matches=chosen)
        text = ngettext("%d match is given up.", "%d matches are given up.", count)
        self.message_user(request, text % count)
