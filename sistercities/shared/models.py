"""What every part needs: who the organisation is, and the mail that waits to be sent."""

import datetime as dt
import functools
import zoneinfo
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sistercities.shared import clock
from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.pictures import Pictured
from sistercities.shared.redirects import Redirect
from sistercities.shared.rendering import AvifTrial, Rendering
from sistercities.shared.stored_files import DiscardedFile

__all__ = [
    "AvifTrial", "DiscardedFile", "OutgoingMessage", "Redirect", "Rendering", "SiteLink",
    "SiteSettings",
]  # fmt: skip

valid_ein = RegexValidator(
    r"^(?!00)[0-9]{2}-[0-9]{7}\Z",
    _("An EIN has two digits, a hyphen and seven digits: 84-1234567."),
)


@functools.cache
def time_zones() -> list[str]:
    """The names of all zones; Python opens six hundred files to find them."""
    return sorted(zoneinfo.available_timezones())


def time_zone_choices() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in time_zones()]


def validate_time_zone(name: str) -> None:
    if name not in time_zones():
        raise ValidationError(_("This is not a time zone. Choose one such as America/Denver."))


class SiteSettings(models.Model):
    """The organisation, in one row. Receipts, letters and every page read it."""

    shown_on_pages = True

    name = models.CharField(
        _("name"), max_length=120, default="Sister Cities",
        help_text=_("The full legal name. It stands on receipts and in the footer."),
    )  # fmt: skip
    short_name = models.CharField(
        _("short name"), max_length=60, default="Sister Cities",
        help_text=_("The name at the top of every page."),
    )  # fmt: skip
    tagline = models.CharField(
        _("line under the name"), max_length=120, blank=True,
        help_text=_("A few words, such as: Arvada, Colorado, and three cities abroad."),
    )  # fmt: skip
    headline = models.CharField(
        _("headline of the front page"), max_length=80, blank=True,
        help_text=_("A short sentence that says something."),
    )  # fmt: skip
    mission = models.TextField(
        _("mission"), max_length=400, blank=True,
        help_text=_("One or two sentences for the front page: who you are and what you do."),
    )  # fmt: skip
    ein = models.CharField(
        _("EIN"), max_length=10, blank=True, validators=[valid_ein],
        help_text=_("The tax number from the IRS, such as 84-1234567. Printed on every receipt; "
                    "gifts cannot be taken without it."),
    )  # fmt: skip
    postal_address = models.TextField(
        _("postal address"), max_length=300, blank=True,
        help_text=_("Street or PO box, as on an envelope. By law it stands in every newsletter."),
    )  # fmt: skip
    email = models.EmailField(_("mail address"), blank=True, help_text=_("Read by people."))
    phone = models.CharField(_("telephone"), max_length=30, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="America/Denver", choices=time_zone_choices,
        validators=[validate_time_zone],
        help_text=_("Days and tax years begin and end in this zone."),
    )  # fmt: skip
    card_fee_percent = models.DecimalField(
        _("card fee in percent"), max_digits=4, decimal_places=2, default=Decimal("2.90"),
        db_default=Decimal("2.90"),
        validators=[MinValueValidator(0), MaxValueValidator(10)],
        help_text=_("What your card processor keeps of a gift, by your contract with it. Donors "
                    "who cover the fee are asked for as much; the books use the true fee."),
    )  # fmt: skip
    card_fee_cents = models.PositiveSmallIntegerField(
        _("and in cents"),
        default=30,
        db_default=30,
        validators=[MaxValueValidator(100)],
        help_text=_("What it keeps of each gift besides, whatever its size."),
    )
    smallest_gift = models.PositiveIntegerField(
        _("smallest gift by card"), default=5, db_default=5, validators=[MinValueValidator(1)],
        help_text=_("In dollars. Thieves test stolen cards with small sums."),
    )  # fmt: skip
    largest_gift = models.PositiveIntegerField(
        _("largest gift by card"), default=25_000, db_default=25_000,
        validators=[MaxValueValidator(500_000)], help_text=_("In dollars."),
    )  # fmt: skip
    registration_ends_on = models.DateField(
        _("charity registration good until"), null=True, blank=True,
        help_text=_("Colorado: register with the Secretary of State before you ask for gifts. "
                    "The treasurer is reminded 60 days before this day. The number itself is a "
                    "registration line below."),
    )  # fmt: skip
    deductibility_text = models.TextField(
        _("on deducting gifts"), max_length=600, blank=True, default="", db_default="",
        help_text=_("Stands on the donate page with the day below. What you know of the tax law "
                    "for donors, in plain words."),
    )  # fmt: skip
    deductibility_on = models.DateField(
        _("as of"), null=True, blank=True, help_text=_("When you last checked that text.")
    )
    nonprofit_line = models.CharField(
        _("nonprofit line"), max_length=250, blank=True,
        help_text=_("Stands in the footer, such as: A 501(c)(3) nonprofit run by volunteers."),
    )  # fmt: skip
    letter_line = models.CharField(
        _("newsletter line"), max_length=200, blank=True,
        help_text=_("Beside the sign-up box: how often it comes and what is in it."),
    )  # fmt: skip
    appeal_text = models.CharField(
        _("appeal"), max_length=200, blank=True,
        help_text=_("One sentence shown on every page between the two days below."),
    )  # fmt: skip
    appeal_link = models.CharField(
        _("appeal leads to"), max_length=200, blank=True, default="/donate/",
        validators=[
            RegexValidator(r"^/[^/\\]", _("Write an address of this site, such as /donate/."))
        ],
    )  # fmt: skip
    appeal_from = models.DateField(_("appeal from"), null=True, blank=True)
    appeal_until = models.DateField(
        _("appeal until"), null=True, blank=True, help_text=_("The last day. It then goes away.")
    )
    picture_note = models.CharField(
        _("note on pictures"), max_length=200, blank=True,
        help_text=_("A line in the footer, such as: Pictures are illustrations."),
    )  # fmt: skip
    is_demo = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = _("site settings")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="site_settings_has_one_row")
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def load(cls) -> "SiteSettings":
        """The one row, or defaults where staff have not saved it yet. One query."""
        return cls.objects.first() or cls(pk=1)

    def save(self, *args, **kwargs):
        self.pk = 1
        super().save(*args, **kwargs)

    def clean(self):
        super().clean()
        if self.appeal_from and self.appeal_until and self.appeal_until < self.appeal_from:
            raise ValidationError({"appeal_until": _("The appeal ends before it begins.")})
        if self.smallest_gift > self.largest_gift:
            raise ValidationError({"largest_gift": _("The largest gift is below the smallest.")})
        if self.deductibility_text and not self.deductibility_on:
            raise ValidationError({"deductibility_on": _("A text on the tax law needs its day.")})

    @property
    def card_fee(self) -> dict[str, int]:
        """What `donations.amounts` calls `basis_points` and `fixed_cents`."""
        return {
            "basis_points": int(self.card_fee_percent * 100),
            "fixed_cents": self.card_fee_cents,
        }

    @property
    def gift_limits(self) -> tuple[int, int]:
        """The smallest and the largest gift that is taken online, in cents."""
        return self.smallest_gift * 100, self.largest_gift * 100

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)

    def today(self) -> dt.date:
        return timezone.localdate(clock.now(), self.zone)

    @property
    def appeal_is_on(self) -> bool:
        """The appeal turns itself on and off: both days count, in the organisation's zone."""
        if not self.appeal_text:
            return False
        today = self.today()
        return (not self.appeal_from or self.appeal_from <= today) and (
            not self.appeal_until or today <= self.appeal_until
        )


class SiteLinkQuerySet(models.QuerySet):
    def cards(self):
        return as_cards(
            self, "link", title="label", rank="order", **picture_columns(),
            more={"kind": "kind", "url": "url"},
        )  # fmt: skip


class SiteLink(Pictured):
    """A line of the footer: a social page, a membership with its badge, a registration."""

    class Kind(models.TextChoices):
        SOCIAL = "social", _("Social page")
        MEMBERSHIP = "membership", _("Membership or partner")
        REGISTRATION = "registration", _("Registration line")

    settings = models.ForeignKey(SiteSettings, models.CASCADE, related_name="links")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.SOCIAL)
    label = models.CharField(_("text"), max_length=160)
    url = models.URLField(_("address"), blank=True)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    objects = SiteLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("footer line")
        verbose_name_plural = _("footer lines")
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return self.label


class OutgoingMessage(models.Model):
    """One finished mail. `key` says what it announces, so it is written once (giving.md F6)."""

    key = models.CharField(max_length=120, unique=True)
    to = models.EmailField(_("to"))
    subject = models.CharField(_("subject"), max_length=250)
    text = models.TextField(_("text"))
    html = models.TextField()
    headers = models.JSONField(default=dict, blank=True)
    message_id = models.CharField(max_length=200)
    created_at = models.DateTimeField(_("written"), default=clock.now)
    next_try_at = models.DateTimeField(_("next try"), default=clock.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("tries"), default=0)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("outgoing message")
        verbose_name_plural = _("outgoing mail")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(
                fields=["next_try_at"], name="outgoing_mail_waiting",
                condition=models.Q(sent_at__isnull=True),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.subject
