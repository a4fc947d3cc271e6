"""Payouts to the bank, each opened to the gifts, refunds, disputes and fees in it."""

from collections.abc import Iterator

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from donations import payouts
from donations.admin.seen_page import seen_page
from donations.admin.showing import ReadOnly, amount, money
from donations.models import LedgerEntry, Payout, PayoutLine
from sistercities.shared.headers import personal

LINES_AT_ONCE = 200


class PayoutList(ChangeList):
    """Sums of the rows of this page alone, in one query."""

    def get_results(self, request):
        super().get_results(request)
        sums = payouts.sums_of(self.result_list)
        for payout in self.result_list:
            payout.sums = sums[payout.pk]


class FitsFilter(admin.SimpleListFilter):
    title = _("fits the books")
    parameter_name = "fits"

    def lookups(self, request, model_admin):
        return [("yes", _("yes")), ("no", _("no"))]

    def queryset(self, request, queryset):
        match self.value():
            case "yes":
                return queryset.filter(problem="", is_listed=True)
            case "no":
                return queryset.exclude(problem="")
        return queryset


@admin.register(Payout)
class PayoutAdmin(ReadOnly, admin.ModelAdmin):
    """What the card processor sent to the bank. Nothing of it is changed here but the tick."""

    change_form_template = "admin/donations/payout/change_form.html"
    list_display = (
        "arrives_on", amount, "gifts", "gross", "went_back", "fees", "other", "fits", "seen_on",
        "status",
    )  # fmt: skip
    search_fields = ("provider_reference",)
    list_filter = (FitsFilter, "status", "seen_on")
    list_select_related = ()
    list_per_page = 50
    ordering = ("-arrives_on", "-pk")
    date_hierarchy = "arrives_on"
    fields = (
        "arrives_on", amount, "status", "problem", "seen_on", "seen_by", "provider_reference",
        "checked_at",
    )  # fmt: skip
    readonly_fields = (amount, "seen_on", "seen_by")

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/seen/", view(self.seen), name="donations_payout_seen"),
            path("<int:pk>/csv/", view(self.csv), name="donations_payout_csv"),
            *super().get_urls(),
        ]

    def get_changelist(self, request, **kwargs):
        return PayoutList

    def change_view(self, request, object_id, form_url="", extra_context=None):
        payout = self.get_object(request, unquote(object_id))
        extra = {}
        if payout:
            extra = {
                "kinds": list(_kinds(payout)),
                "lines": _shown_page(payout, request.GET.get("p")),
                "may_tick": request.user.has_perm("donations.change_payout"),
            }
        return super().change_view(request, object_id, form_url, (extra_context or {}) | extra)

    def seen(self, request, pk):
        return seen_page(request, pk, self)

    def csv(self, request, pk):
        """The list of one payout, for a spreadsheet."""
        payout = get_object_or_404(Payout, pk=pk)
        if not self.has_view_permission(request, payout):
            raise PermissionDenied
        response = HttpResponse(payouts.sheet(payout), content_type="text/csv; charset=utf-8")
        name = f"payout-{payout.arrives_on}-{payout.pk}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return personal(response)

    @admin.display(description=_("gifts"))
    def gifts(self, obj):
        return obj.sums.gifts

    @admin.display(description=_("given"))
    def gross(self, obj):
        return money(obj.sums.gross_cents, obj.currency)

    @admin.display(description=_("fees"))
    def fees(self, obj):
        return money(obj.sums.fee_cents, obj.currency)

    @admin.display(description=_("refunds and disputes"))
    def went_back(self, obj):
        return money(obj.sums.returned_cents, obj.currency)

    @admin.display(description=_("other"))
    def other(self, obj):
        return money(obj.sums.other_cents, obj.currency)

    @admin.display(description=_("fits"), boolean=True)
    def fits(self, obj):
        """Unknown while there is no list to hold against the books."""
        if obj.problem:
            return False
        return True if obj.is_listed else None


def _kinds(payout: Payout) -> Iterator[dict]:
    """The table of a payout: a row for each kind, then the sum of all."""
    names = {**dict(LedgerEntry.Kind.choices), LedgerEntry.Kind.SUSPENSE: _("Other movements")}
    sums = payouts.sums_of([payout])[payout.pk]
    for row in sums.kinds:
        yield {
            "label": names.get(row["entry__kind"], _("Not in the books")),
            "lines": row["lines"],
            "amount": money(row["amount"], payout.currency),
            "fee": money(-row["fee"], payout.currency),
            "net": money(row["amount"] - row["fee"], payout.currency),
        }
    if sums.kinds:
        yield {
            "label": _("Together"),
            "lines": sum(row["lines"] for row in sums.kinds),
            "amount": money(sums.net_cents - sums.fee_cents, payout.currency),
            "fee": money(sums.fee_cents, payout.currency),
            "net": money(sums.net_cents, payout.currency),
        }


def _shown_page(payout: Payout, number: str | None):
    """Some of the lines, those that do not fit marked."""
    page = Paginator(payouts.lines_of(payout).parts(), LINES_AT_ONCE).get_page(number)
    waiting = set(
        LedgerEntry.objects.in_suspense()
        .filter(payout_line__payout=payout)
        .values_list("provider_txn_id", flat=True)
    )
    for line in page.object_list:
        line.waits = line.entry_id in waiting
        line.kind = payouts.kind_of(line)
        line.gift = line.entry.donation if line.entry else None
        line.shown = [
            money(cents, line.currency)
            for cents in (line.amount_cents, -line.fee_cents, line.net_cents)
        ]
        line.booked = None if line.entry is None else money(line.booked_cents, line.currency)
    return page


@admin.register(PayoutLine)
class PayoutLineAdmin(ReadOnly, admin.ModelAdmin):
    """In which payout a gift or a refund reached the bank."""

    list_display = ("occurred_at", "type", amount, "gift", "payout_link")
    search_fields = ("entry__provider_txn_id", "entry__donation__donor_name")
    list_filter = ("occurred_at",)
    list_select_related = ("entry__donation", "payout")
    ordering = ("-pk",)
    fields = ("payout", "entry", "type", amount, "occurred_at")

    @admin.display(description=_("gift"))
    def gift(self, obj):
        return obj.entry.donation if obj.entry else None

    @admin.display(description=_("payout"))
    def payout_link(self, obj):
        address = reverse("admin:donations_payout_change", args=[obj.payout_id])
        return format_html('<a href="{}">{}</a>', address, obj.payout.arrives_on)
