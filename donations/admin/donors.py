"""Donors: who gave what, who is the same person, and who stands on Schedule B."""

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Max, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, ExtractYear
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from donations import donors
from donations.admin.showing import ReadOnly
from donations.admin.statements_page import statements_page, statements_zip
from donations.amounts import CURRENCY
from donations.models import Donation, Donor, DonorLink
from sistercities.shared import clock
from sistercities.shared.money import format_exact

SCHEDULE_B_CENTS = 500_000  # giving.md D27
GIFTS_SHOWN = 100


class LargeDonorFilter(admin.SimpleListFilter):
    """Those who gave $5,000 or more in a year, for Form 990, Schedule B (giving.md D27)."""

    title = _("$5,000 or more in a year (Form 990, Schedule B)")
    parameter_name = "schedule_b"

    def lookups(self, request, model_admin):
        this_year = clock.today().year
        return [(str(year), str(year)) for year in range(this_year, this_year - 5, -1)]

    def queryset(self, request, queryset):
        year = self.value()
        if not year:
            return queryset
        given = (
            Donation.objects.counting()
            .filter(given_on__year=int(year))
            .values(root=Coalesce("donor__merged_into", "donor"))
            .annotate(cents=Sum("amount_cents"))
            .filter(cents__gte=SCHEDULE_B_CENTS)
        )
        return queryset.filter(pk__in=[row["root"] for row in given])


@admin.register(Donor)
class DonorAdmin(admin.ModelAdmin):
    """A donor begins with a first gift. What each gift says of its donor stays as it was typed."""

    change_form_template = "admin/donations/donor/change_form.html"
    change_list_template = "admin/donations/donor/change_list.html"
    list_display = ("name", "email_key", "gift_count", "given", "last_on")
    search_fields = ("name", "email_key", "merged__email_key", "merged__name", "address")
    list_filter = (LargeDonorFilter,)
    list_select_related = ()
    ordering = ("name", "pk")
    fields = ("name", "email_key", "address", "note")
    readonly_fields = ("email_key",)
    actions = ["merge"]

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("statements/", view(self.statements), name="donations_donor_statements"),
            path("statements/all.zip", view(self.zip), name="donations_donor_statements_zip"),
            path("<int:pk>/split/", view(self.split), name="donations_donor_split"),
            *super().get_urls(),
        ]

    def statements(self, request):
        return statements_page(request, self)

    def zip(self, request):
        return statements_zip(request, self)

    def get_queryset(self, request):
        rows = Donor.objects.same_as(OuterRef(OuterRef("pk")))
        own = Donation.objects.counting().filter(donor__in=rows)
        own = own.order_by().annotate(one=F("pk") * 0).values("one")
        return super().get_queryset(request).roots().annotate(
            gift_count=Coalesce(Subquery(own.annotate(n=Count("pk")).values("n")), 0),
            given_cents=Coalesce(Subquery(own.annotate(n=Sum("amount_cents")).values("n")), 0),
            last_on=Subquery(own.annotate(n=Max("given_on")).values("n")),
        )  # fmt: skip

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description=_("gifts"), ordering="gift_count")
    def gift_count(self, obj):
        return obj.gift_count

    @admin.display(description=_("together"), ordering="given_cents")
    def given(self, obj):
        return format_exact(obj.given_cents, CURRENCY)

    @admin.display(description=_("last gift"), ordering="last_on")
    def last_on(self, obj):
        return obj.last_on

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj:
            gifts = donors.gifts_of(obj).with_returned()
            by_year = gifts.order_by().annotate(year=ExtractYear("given_on")).values("year")
            context |= {
                "gifts": gifts.order_by("-given_on", "-pk")[:GIFTS_SHOWN],
                "years": by_year.annotate(cents=Sum("amount_cents"), gifts=Count("pk")).order_by(
                    "-year"
                ),
                "merged": obj.merged.all(),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    @admin.action(description=_("Merge: the chosen donors are one"), permissions=["change"])
    def merge(self, request, queryset):
        """Asks which row stays, then points the others to it."""
        chosen = list(queryset)
        if len(chosen) < 2:
            self.message_user(request, _("Choose two donors or more."), messages.ERROR)
            return None
        keep = next((row for row in chosen if str(row.pk) == request.POST.get("keep")), None)
        if keep:
            for donor in chosen:
                if donor != keep:
                    donors.merge(donor=donor, into=keep)
                    self.log_change(request, keep, [{"changed": {"fields": [str(donor)]}}])
            count = len(chosen) - 1
            text = ngettext("%d donor merged.", "%d donors merged.", count) % count
            self.message_user(request, text, messages.SUCCESS)
            return None
        return TemplateResponse(
            request,
            "admin/donations/donor/merge.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Which row stays?"),
                "opts": self.opts,
                "donors": chosen,
                "checkbox": ACTION_CHECKBOX_NAME,
            },
        )

    def split(self, request, pk):
        """Undoes the merge of one donor, by the button on the page of the other."""
        donor = get_object_or_404(Donor.objects.exclude(merged_into=None), pk=pk)
        if not self.has_change_permission(request, donor) or request.method != "POST":
            raise PermissionDenied
        into = donor.merged_into_id
        donors.split(donor=donor)
        self.log_change(request, donor, [{"changed": {"fields": [str(_("split"))]}}])
        self.message_user(request, _("They are two donors again."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:donations_donor_change", args=[into]))


@admin.register(DonorLink)
class DonorLinkAdmin(ReadOnly, admin.ModelAdmin):
    """Which donors asked for a link to their gifts, and whether they used it."""

    list_display = ("donor", "expires_at", "used_at")
    search_fields = ("donor__name", "donor__email_key")
    list_filter = ("used_at",)
    list_select_related = ("donor",)
    ordering = ("-expires_at",)
    fields = ("donor", "expires_at", "used_at")
