"""What staff do with one trip fee: send its link again, withdraw it, write down a check, say that
it is at the bank, give it back. GET says what would happen, POST does it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from donations import refunds, trip_fees
from donations.admin.refund_page import PERMISSION, RefundForm
from donations.models import Refund, TripFee
from donations.providers.base import ProviderDown, ProviderRefused
from donations.sync import GiftBusy
from sistercities.shared import clock
from sistercities.shared.money import format_exact
from sistercities.shared.signing import new_token

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

Reason = Refund.Reason


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"})


class SendForm(forms.Form):
    number = forms.IntegerField(widget=forms.HiddenInput, min_value=1)


class WithdrawForm(forms.Form):
    """Nothing to fill in: the button is the answer."""


class ByHandForm(forms.Form):
    method = forms.ChoiceField(
        label=gettext_lazy("How it came"), choices=[("", "---------"), *TripFee.Method.choices]
    )
    check_number = forms.CharField(
        label=gettext_lazy("Number of the check"), max_length=30, required=False
    )
    on = forms.DateField(label=gettext_lazy("Day on which you got it"), widget=_day())
    is_at_bank = forms.BooleanField(label=gettext_lazy("It is at the bank already"), required=False)


class DepositForm(forms.Form):
    on = forms.DateField(label=gettext_lazy("Day at the bank"), widget=_day())


class FeeRefundForm(RefundForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reasons = [Reason.WITHDREW, Reason.DUPLICATE, Reason.FRAUD, Reason.BOUNCED, Reason.OTHER]
        self.fields["reason"] = forms.ChoiceField(
            label=_("Reason"),
            choices=[("", "---------"), *((reason, reason.label) for reason in reasons)],
        )


@dataclass(frozen=True)
class Step:
    """`act` gets the fee and what the form has, and returns what is said when it is done."""

    title: Any
    button: Any
    form: type[forms.Form]
    act: Callable[..., str]
    facts: tuple[Any, ...]
    is_possible: Callable[[TripFee], bool]
    initial: Callable[[TripFee], dict[str, Any]] = lambda fee: {}
    permission: str = "donations.change_tripfee"
    needs_user: bool = False


def _send(fee: TripFee, number: int) -> str:
    trip_fees.send(fee=fee, number=number)
    return _("The link is on its way to %s.") % fee.email


def _withdraw(fee: TripFee) -> str:
    trip_fees.withdraw(fee=fee)
    return _("The fee is withdrawn. Its page says so.")


def _by_hand(fee: TripFee, **received: Any) -> str:
    trip_fees.take_by_hand(fee=fee, **received)
    return _("The fee is paid. The delegate is thanked by mail.")


def _deposit(fee: TripFee, **received: Any) -> str:
    trip_fees.deposit(fee=fee, **received)
    return _("The books say now that this money is at the bank.")


def _give_back(fee: TripFee, **wish: Any) -> str:
    refund = refunds.ask_of_fee(fee=fee, **wish)
    amount = format_exact(refund.amount_cents, fee.currency)
    if refund.state == Refund.State.REFUSED:
        raise trip_fees.CannotChange(
            _("The card processor did not give %(amount)s back: %(problem)s")
            % {"amount": amount, "problem": refund.problem}
        )
    if refund.state == Refund.State.ASKED:
        return _(
            "The card processor does not answer. %s will be given back as soon as it does; you "
            "need not ask again."
        ) % amount  # fmt: skip
    return _("%s goes back to the delegate, who is told by mail.") % amount


def _refund_start(fee: TripFee) -> dict[str, Any]:
    return {"cents": refunds.refundable_cents(fee), "form_token": new_token()}


STEPS = {
    "send": Step(
        gettext_lazy("Send the link again"), gettext_lazy("Send it"), SendForm, _send,
        (gettext_lazy("One mail goes to the address of the delegate, with the same link as "
                      "before."),),
        lambda fee: fee.is_unpaid,
        lambda fee: {"number": fee.times_sent + 1},
    ),
    "withdraw": Step(
        gettext_lazy("Withdraw"), gettext_lazy("Withdraw it"), WithdrawForm, _withdraw,
        (gettext_lazy("It is not asked for any more, and its page says so. A card page that is "
                      "open is closed."),
         gettext_lazy("It cannot be undone: you would ask for a new fee.")),
        lambda fee: fee.is_unpaid,
    ),
    "by_hand": Step(
        gettext_lazy("Paid by check, cash or transfer"), gettext_lazy("Book it"), ByHandForm,
        _by_hand,
        (gettext_lazy("The whole fee is booked, and the delegate is thanked by mail."),
         gettext_lazy("A card page that is open is closed, so that nobody pays twice.")),
        lambda fee: fee.is_unpaid,
        lambda fee: {"on": clock.today()},
    ),
    "deposit": Step(
        gettext_lazy("Taken to the bank"), gettext_lazy("It is at the bank"), DepositForm, _deposit,
        (gettext_lazy("The day of the stamp on the deposit slip. The money then counts as being at "
                      "the bank."),),
        lambda fee: fee.is_with_us,
        lambda fee: {"on": clock.today()},
    ),
    "refund": Step(
        gettext_lazy("Give money back"), gettext_lazy("Give it back"), FeeRefundForm, _give_back,
        (gettext_lazy("Money from a card goes back to that card. For a check or cash nothing is "
                      "sent from here: write down what the bank or you have done."),
         gettext_lazy("The card fee is not given back to us."),
         gettext_lazy("No gift is touched. The delegate is told by mail."),
         gettext_lazy("It cannot be undone.")),
        lambda fee: refunds.refundable_cents(fee) > 0,
        _refund_start,
        PERMISSION,
        True,
    ),
}  # fmt: skip


def possible_steps(request: HttpRequest, fee: TripFee) -> list[tuple[str, Any]]:
    """The address and the name of each step that this person can take with this fee now."""
    return [
        (reverse(f"admin:donations_tripfee_{name}", args=[fee.pk]), step.title)
        for name, step in STEPS.items()
        if request.user.has_perm(step.permission) and step.is_possible(fee)
    ]


def step_page(request: HttpRequest, pk: int, name: str, page: "ModelAdmin") -> HttpResponse:
    step = STEPS[name]
    if not request.user.has_perm(step.permission):
        raise PermissionDenied
    fee = get_object_or_404(TripFee.objects.select_related("visit"), pk=pk)
    form = step.form(request.POST if request.method == "POST" else None, initial=step.initial(fee))
    if request.method == "POST" and form.is_valid():
        by = {"asked_by": cast(User, request.user)} if step.needs_user else {}
        try:
            said = step.act(fee, **form.cleaned_data, **by)
        except (trip_fees.CannotChange, refunds.CannotRefund) as reason:
            form.add_error(None, str(reason))
        except (GiftBusy, ProviderDown, ProviderRefused):
            form.add_error(
                None, _("The card processor does not answer. Nothing was changed; try again soon.")
            )
        else:
            page.log_change(request, fee, [{"changed": {"fields": [str(step.title)]}}])
            messages.success(request, said)
            return redirect(reverse("admin:donations_tripfee_change", args=[pk]))
    return TemplateResponse(
        request,
        "admin/donations/tripfee/step.html",
        {
            **page.admin_site.each_context(request),
            "title": step.title,
            "opts": page.opts,
            "fee": fee,
            "form": form,
            "facts": step.facts,
            "button": step.button,
            "is_possible": form.is_bound or step.is_possible(fee),
        },
    )
