"""What the pages of money have in common: how amounts look, and that records are not written."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from donations.amounts import money
from donations.forms import DollarsField
from donations.models import Dispute, LedgerEntry, Refund


class ReadOnly:
    """A record: shown, never written."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ReadOnlyInline(ReadOnly, admin.TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True


@admin.display(description=_("amount"), ordering="amount_cents")
def amount(obj):
    return money(obj.amount_cents, getattr(obj, "currency", "USD"))


def payment_link(row: LedgerEntry | Refund | Dispute) -> str | None:
    """A link to the gift or the trip fee of a row; None for an entry that is of neither."""
    payment = row.donation or row.trip_fee
    if payment is None:
        return None
    address = reverse(f"admin:donations_{payment._meta.model_name}_change", args=[payment.pk])
    return format_html('<a href="{}">{}</a>', address, payment)


def shown_lines(entry: LedgerEntry) -> str:
    return "; ".join(
        f"{money(line.amount_cents, entry.currency)} "
        f"{line.get_credit_display()} → {line.get_debit_display()}"
        for line in entry.postings.all()
    )


class DollarsMixin:
    """Staff read and write dollars; the row keeps cents."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name.endswith("_cents"):
            return DollarsField(
                label=capfirst(db_field.verbose_name),
                help_text=db_field.help_text,
                required=not db_field.has_default(),
                empty_value=db_field.default if db_field.has_default() else None,
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)
