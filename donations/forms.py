"""The donate form: reads and checks what a donor typed. It calls nobody and stores nothing."""

import datetime as dt
import unicodedata
from collections.abc import Collection
from typing import Any, cast

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from donations.amounts import (
    CURRENCY,
    PRESETS,
    Presets,
    charge_covering_fee,
)
from donations.checkout import Wish
from donations.due_days import after
from donations.models import Campaign, Donation
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings
from sistercities.shared.money import format_amount, parse_amount
from sistercities.shared.signing import new_token

OTHER = "other"
SELECTS = {"campaign", "tribute_kind"}
TRIBUTE = ("tribute_kind", "tribute_name", "notice_name", "notice_email", "notice_address")
FORM_LASTS = 24 * 60 * 60  # seconds
SIGNER = signing.TimestampSigner(salt="donations.form")


def new_form_token() -> str:
    """A token for one form: 192 random bits, signed so that only forms of ours are taken."""
    return SIGNER.sign(new_token())


def check_amount(cents: int, limits: tuple[int, int]) -> int:
    """Raises `ValidationError` in words for an amount beyond `SiteSettings.gift_limits`."""
    smallest, largest = limits
    if cents < smallest:
        raise ValidationError(
            gettext("The smallest gift that we can take by card is %s.")
            % format_amount(smallest, CURRENCY),
            code="small",
        )
    if cents > largest:
        raise ValidationError(
            gettext("The largest gift that we can take online is %s. For more, please write to us.")
            % format_amount(largest, CURRENCY),
            code="large",
        )
    return cents


def one_line(text: str) -> None:
    """Refuses line breaks and control characters, which could forge lines in a mail."""
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in text):
        raise ValidationError(_("Please write this on one line, without control characters."))


def initial_amount(
    typed: str, limits: tuple[int, int], presets: Presets = PRESETS
) -> dict[str, str]:
    """`preset` and `amount` for a link such as `/donate/?amount=50`; a bad one is passed over."""
    try:
        cents = check_amount(parse_amount(typed, CURRENCY), limits)
    except ValidationError:
        return {"preset": str(presets.chosen)}
    dollars, rest = divmod(cents, 100)
    if not rest and dollars in presets.dollars:
        return {"preset": str(dollars)}
    return {"preset": OTHER, "amount": format_amount(cents, CURRENCY).removeprefix("$")}


class DollarsField(forms.Field):
    """Cents in the row, dollars on the screen: `6,000` is 600000; empty, `empty_value`."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "size": 12, "maxlength": 30})

    def __init__(self, *, empty_value: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.empty_value = empty_value

    def prepare_value(self, value: Any) -> Any:
        if value == self.empty_value:
            return ""
        return format_amount(value, CURRENCY).removeprefix("$") if type(value) is int else value

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values or value == self.empty_value:
            return self.empty_value
        return value if isinstance(value, int) else parse_amount(value, CURRENCY)


class CampaignField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Campaign) -> str:
        return obj.designation


class PayerForm(forms.Form):
    """Who pays, and the token that keeps one form to one payment."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("As it should stand on the receipt."),
        max_length=120,
        strip=False,
        validators=[one_line],
        error_messages={"required": _("Please write your name. It stands on the receipt.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("Email"),
        help_text=_("For the receipt, and nothing else."),
        max_length=254,
        error_messages={
            "required": _("Please write your email address. The receipt goes there."),
            "invalid": _("This is not an email address. Please write one such as ann@example.org."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    form_token = forms.CharField(
        max_length=120,
        widget=forms.HiddenInput,
        error_messages={"required": _("This form was not complete. Please send it again.")},
    )
    proof = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_form_token(self) -> str:
        """The random part. A token that is not ours, or a day old, asks for the form again."""
        try:
            return SIGNER.unsign(self.cleaned_data["form_token"], max_age=FORM_LASTS)
        except signing.BadSignature:
            raise ValidationError(
                _("This form is too old. Please look over what you wrote and send it again."),
                code="stale",
            ) from None

    def clean_name(self) -> str:
        name = self.cleaned_data["name"].strip()
        if not name:
            raise ValidationError(self.fields["name"].error_messages["required"], code="required")
        return name

    def add_error(self, field: str | None, error: Any) -> None:
        super().add_error(field, error)
        if field:
            self.fields[field].widget.attrs["class"] += " is-invalid"

    def wish(self) -> Wish:
        """What was asked for, once the form is valid."""
        raise NotImplementedError

    def style(self, selects: Collection[str] = ()) -> None:
        """Gives each field the class that the style sheet knows it by."""
        for name, field in self.fields.items():
            is_box = isinstance(field, forms.BooleanField)
            kind = "form-check-input" if is_box else "form-control"
            field.widget.attrs["class"] = "form-select" if name in selects else kind


class DonationForm(PayerForm):
    """`cleaned_data["cents"]` is the amount; `wish()` is all of it for `checkout.start`.

    `site` has the limits, and the estimated card fee for donors who cover it. On the page of a
    `campaign` its own amounts are offered, whatever is then chosen under "Use it for".
    """

    field_order = ["preset", "amount", "frequency", "name", "email"]  # as on the page
    preset = forms.ChoiceField(
        label=_("How much?"),
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Please choose one of these amounts.")},
    )
    amount = forms.CharField(
        label=_("Your amount"),
        required=False,
        max_length=30,
        strip=False,
        error_messages={"max_length": _("This is not an amount. Please write one such as 25.")},
        widget=forms.TextInput(
            attrs={"inputmode": "decimal", "autocomplete": "transaction-amount",
                   "placeholder": _("5 or more"), "data-give": True}
        ),
    )  # fmt: skip
    frequency = forms.ChoiceField(
        label=_("How often?"),
        choices=Donation.Kind.choices,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Please choose: once, each month or each year.")},
    )
    campaign = CampaignField(
        label=_("Use it for"),
        help_text=_("A program, never a person: we keep the say over how it is spent."),
        queryset=Campaign.objects.none(),
        to_field_name="slug",
        required=False,
        empty_label=_("Where it is needed most"),
        error_messages={
            "invalid_choice": _("This campaign takes no gifts at present. Please choose another.")
        },
    )
    employer = forms.CharField(
        label=_("Your employer"), max_length=120, required=False, validators=[one_line],
        help_text=_("Optional. Many companies double what their people give. "
                    "We write to you before we ask yours."),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )  # fmt: skip
    address = forms.CharField(
        label=_("Your postal address"), max_length=300, required=False,
        help_text=_("Optional. It stands on your receipt, where the window of an envelope is, "
                    "and nowhere else."),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
    )  # fmt: skip
    cover_fees = forms.BooleanField(
        label=_("Add the card fee, so that all of my gift arrives"), required=False
    )
    anonymous = forms.BooleanField(label=_("Keep my name off every public list"), required=False)
    listed = forms.BooleanField(
        label=_("Show my name on this campaign’s page"),
        help_text=_("The name alone, never the amount. You can take it back at any time."),
        required=False,
    )
    message = forms.CharField(
        label=_("A word to us"),
        help_text=_("Optional. Only our staff read it."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )
    tribute_kind = forms.ChoiceField(
        label=_("In honor or memory"),
        choices=[("", _("Neither")), *Donation.Tribute.choices],
        required=False,
    )
    tribute_name = forms.CharField(
        label=_("Of whom"), max_length=120, required=False, validators=[one_line],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    notice_name = forms.CharField(
        label=_("Whom may we tell?"), max_length=120, required=False, validators=[one_line],
        help_text=_("Optional. A card says that you gave, never how much. It names you, unless "
                    "you keep your name off public lists."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    notice_email = forms.EmailField(
        label=_("Their email"), max_length=254, required=False,
        error_messages={
            "invalid": _("This is not an email address. Please write one such as ann@example.org.")
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email"}),
    )  # fmt: skip
    notice_address = forms.CharField(
        label=_("Or their postal address"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )  # fmt: skip

    def __init__(
        self, *args: Any, site: SiteSettings, campaign: Campaign | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.card_fee, self.limits = site.card_fee, site.gift_limits
        self.campaign_with_names = campaign if campaign and campaign.has_names else None
        self.suggested = campaign.presets if campaign else PRESETS
        cast(forms.ChoiceField, self.fields["preset"]).choices = [
            *((str(n), format_amount(n * 100, CURRENCY)) for n in self.suggested.dollars),
            (OTHER, _("Another amount")),
        ]
        campaigns = Campaign.objects.published().open().order_by("order", "title")
        cast(CampaignField, self.fields["campaign"]).queryset = campaigns
        self.style(SELECTS)

    def clean_frequency(self) -> str:
        """Nothing repeats unless the donor chose so (giving.md D24)."""
        return self.cleaned_data["frequency"] or Donation.Kind.ONE_TIME

    def clean_address(self) -> str:
        lines = (line.strip() for line in self.cleaned_data["address"].splitlines())
        return "\n".join(line for line in lines if line)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        preset = cleaned.get("preset")
        if preset and preset != OTHER:
            self.errors.pop("amount", None)  # what stands in the folded field does not count
            try:
                cleaned["cents"] = check_amount(int(preset) * 100, self.limits)
            except ValidationError as error:
                self.add_error("preset", error)
        elif "preset" in cleaned and "amount" in cleaned:
            try:
                cents = parse_amount(cleaned["amount"], CURRENCY)
                cleaned["cents"] = check_amount(cents, self.limits)
            except ValidationError as error:
                self.add_error("amount", error)
        if not any(name in self.errors for name in TRIBUTE):
            self._check_tribute(cleaned)
        return cleaned

    def _check_tribute(self, cleaned: dict[str, Any]) -> None:
        """What belongs together must be there together, or a card would be lost in silence."""
        where = cleaned["notice_email"] or cleaned["notice_address"]
        is_tribute = cleaned["tribute_name"] or cleaned["notice_name"] or where
        if cleaned["tribute_kind"] and not cleaned["tribute_name"]:
            self.add_error("tribute_name", _("Please write the name, or choose “Neither” above."))
        if is_tribute and not cleaned["tribute_kind"]:
            self.add_error("tribute_kind", _("Please choose: in honor or in memory."))
        if cleaned["notice_name"] and not where:
            self.add_error("notice_email", _("Please write an email or a postal address."))
        if where and not cleaned["notice_name"]:
            self.add_error("notice_name", _("Please write to whom the card goes."))

    def wish(self) -> Wish:
        cleaned = self.cleaned_data
        cents = cleaned["cents"]
        return Wish(
            form_token=cleaned["form_token"],
            chosen_cents=cents,
            covered_fee_cents=self.charge(cents) - cents if cleaned["cover_fees"] else 0,
            frequency=cleaned["frequency"],
            campaign=cleaned["campaign"],
            donor_name=cleaned["name"],
            email=cleaned["email"],
            donor_address=cleaned["address"],
            employer=cleaned["employer"],
            is_anonymous=cleaned["anonymous"],
            is_listed=self._is_listed(),
            message=cleaned["message"],
            **{name: cleaned[name] for name in TRIBUTE},
        )

    def _is_listed(self) -> bool:
        """The wish to be named holds for the page on which it was offered, and no other."""
        cleaned = self.cleaned_data
        is_here = self.campaign_with_names and cleaned["campaign"] == self.campaign_with_names
        return bool(is_here and cleaned["listed"] and not cleaned["anonymous"])

    def charge(self, cents: int) -> int:
        """What is charged for a gift of `cents` whose donor covers the fee."""
        return charge_covering_fee(cents, **self.card_fee)

    @property
    def tribute(self) -> list[forms.BoundField]:
        return [self[name] for name in TRIBUTE]

    @property
    def has_tribute(self) -> bool:
        """Whether something stands in the folded part."""
        return any(field.value() or field.errors for field in self.tribute)

    @property
    def folded(self) -> list[tuple[str, forms.BoundField, bool]]:
        """What a summary opens, the field below it, and whether something stands there."""
        parts = [
            (_("Does your employer match gifts?"), self["employer"]),
            (_("A postal address for the receipt"), self["address"]),
        ]
        return [(str(asks), field, bool(field.value() or field.errors)) for asks, field in parts]

    @property
    def example_charge(self) -> int:
        """What $100 becomes with the fee covered, in cents."""
        return self.charge(10_000)

    @property
    def presets(self) -> list[tuple[int, int, int]]:
        """The place of each on the form, its cents, and its cents with the fee covered."""
        sums = [dollars * 100 for dollars in self.suggested.dollars]
        return [(place, cents, self.charge(cents)) for place, cents in enumerate(sums)]

    @property
    def typed_frequency(self) -> str:
        """Which of these radio buttons is on: what a link or the donor chose, else once."""
        chosen = self.data.get("frequency") if self.is_bound else self.initial.get("frequency")
        return chosen if chosen in Donation.Kind.values else Donation.Kind.ONE_TIME

    @property
    def next_dates(self) -> list[tuple[str, dt.date]]:
        """The second gift of one that begins today: each month, each year (giving.md D24)."""
        today = clock.today()
        return [("month", after(today, 1)), ("year", after(today, 12))]

    @property
    def typed_preset(self) -> str:
        """Which of the radio buttons is on: an amount that was typed turns on the last."""
        if not self.is_bound:
            return str(self.initial.get("preset", self.suggested.chosen))
        return self.data.get("preset") or (OTHER if self.data.get("amount") else "")


class PlanAmountForm(forms.Form):
    """Another amount for a gift that repeats: `cleaned_data["amount"]` is in cents."""

    amount = forms.CharField(
        label=_("New amount"),
        max_length=30,
        strip=False,
        error_messages={
            "required": _("Please write an amount, such as 25."),
            "max_length": _("This is not an amount. Please write one such as 25."),
        },
    )

    def __init__(self, *args: Any, site: SiteSettings, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.limits = site.gift_limits

    def clean_amount(self) -> int:
        return check_amount(parse_amount(self.cleaned_data["amount"], CURRENCY), self.limits)
