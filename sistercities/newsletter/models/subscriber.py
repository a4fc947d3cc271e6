"""Who gets the letter, and the proof that each of them asked for it."""

import datetime as dt
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Lower, Trim
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sistercities.newsletter.models.topic import Topic
from sistercities.shared import clock
from sistercities.shared.signing import fingerprint, fingerprints, new_token

CONFIRM_WITHIN = dt.timedelta(days=7)
RESEND_AFTER = dt.timedelta(hours=24)
KEEP_UNCONFIRMED = dt.timedelta(days=30)
TAKE_BACK_WITHIN = dt.timedelta(days=7)
ADDRESS_PURPOSE = "newsletter-address"
TOKEN_PURPOSE = "newsletter-token"


def normalise(email: str) -> str:
    """The form in which two addresses are compared: trimmed, lower case (mail.md E19)."""
    return email.strip().lower()


def address_key(email: str) -> str:
    """A keyed hash of an address: what a suppression and a delivery are kept under (E17, E18)."""
    return fingerprint(ADDRESS_PURPOSE, normalise(email))


def token_key(token: str) -> str:
    """A keyed hash of a person's link: what stays of it when the person is erased (E8, E25)."""
    return fingerprint(TOKEN_PURPOSE, token)


class SubscriberQuerySet(models.QuerySet):
    def with_token(self, token: str) -> Self:
        """Whose links hold this token: the present one, or one from before an erasure (E8)."""
        return self.filter(
            Q(token=token) | Q(earlier_token_key__in=fingerprints(TOKEN_PURPOSE, token))
        )

    def confirmed(self) -> Self:
        """Those who get the letter. Bulk mail starts here, never from `all()` (E1)."""
        return self.filter(status=Subscriber.Status.CONFIRMED)

    def due_for_question(self) -> Self:
        """Those whom a sign-up may send a confirmation mail: one in 24 hours (E2)."""
        return self.exclude(status=Subscriber.Status.CONFIRMED).filter(
            Q(confirm_sent_at=None) | Q(confirm_sent_at__lte=clock.now() - RESEND_AFTER)
        )

    def never_confirmed(self) -> Self:
        """Pending for 30 days since the last confirmation mail (trust.md, Personal data)."""
        last_asked = clock.now() - KEEP_UNCONFIRMED
        return self.filter(status=Subscriber.Status.PENDING).filter(
            Q(confirm_sent_at__lte=last_asked) | Q(confirm_sent_at=None, created_at__lte=last_asked)
        )


class Subscriber(models.Model):
    """One mail address and where it stands. Who has left stays here: old links must work (E8)."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Waiting for confirmation")
        CONFIRMED = "confirmed", _("Gets the letter")
        UNSUBSCRIBED = "unsubscribed", _("Has left")

    class Frequency(models.TextChoices):
        EVERY = "every", _("Every letter")
        SEASONAL = "seasonal", _("A few times a year")

    email = models.EmailField(_("mail address"), help_text=_("As the person wrote it."))
    email_key = models.CharField(max_length=254, editable=False)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(
        _("language"), max_length=20, default="en",
        help_text=_("The language of mail to this person."),
    )  # fmt: skip
    status = models.CharField(
        _("status"), max_length=12, choices=Status, default=Status.PENDING,
        help_text=_("Changed by the person's own click. Staff can only end a subscription."),
    )  # fmt: skip
    topics = models.ManyToManyField(
        Topic, blank=True, related_name="subscribers", verbose_name=_("topics"),
        help_text=_("None means all."),
    )  # fmt: skip
    frequency = models.CharField(
        _("how often"), max_length=8, choices=Frequency, default=Frequency.EVERY,
        db_default=Frequency.EVERY.value,
    )  # fmt: skip
    paused_until = models.DateField(
        _("pauses until"), null=True, blank=True, help_text=_("No letter before this day.")
    )
    token = models.CharField(max_length=64, default=new_token, editable=False)
    earlier_token_key = models.CharField(
        max_length=64, blank=True, default="", db_default="", db_index=True, editable=False
    )
    confirm_fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(_("first sign-up"), default=clock.now, editable=False)
    asked_at = models.DateTimeField(
        _("last sign-up"), default=clock.now, editable=False,
        help_text=_("When somebody last typed this address into the sign-up box."),
    )  # fmt: skip
    confirm_sent_at = models.DateTimeField(
        _("confirmation mail"), null=True, blank=True, editable=False
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True, editable=False)
    unsubscribed_at = models.DateTimeField(_("left"), null=True, blank=True, editable=False)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["email_key"], name="subscriber_address_once"),
            models.UniqueConstraint(fields=["token"], name="subscriber_token_once"),
            models.UniqueConstraint(
                fields=["confirm_fingerprint"], name="subscriber_confirm_token_once",
                condition=~Q(confirm_fingerprint=""),
            ),
            models.CheckConstraint(
                condition=Q(email_key=Lower(Trim("email_key"))) & ~Q(email_key=""),
                name="subscriber_address_normalised",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "confirmed", "unsubscribed"]),
                name="subscriber_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="confirmed") | Q(confirmed_at__isnull=False),
                name="subscriber_confirmed_at_a_moment",
            ),
            models.CheckConstraint(
                condition=~Q(status="unsubscribed") | Q(unsubscribed_at__isnull=False),
                name="subscriber_left_at_a_moment",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.email

    def save(self, *args, **kwargs):
        self.email_key = normalise(self.email)
        super().save(*args, **kwargs)

    @property
    def unsubscribe_url(self) -> str:
        """Opens for ever and needs nothing but itself (E5, E8)."""
        return settings.SITE_URL + reverse("newsletter:unsubscribe", args=[self.token])

    @property
    def preferences_url(self) -> str:
        """The page of this person's own wishes: opens for ever as well."""
        return settings.SITE_URL + reverse("newsletter:preferences", args=[self.token])

    @property
    def is_paused(self) -> bool:
        return self.paused_until is not None and self.paused_until > clock.today()


class Consent(models.Model):
    """One line of proof: who did what, when, how, and which words they read (E3). Never edited."""

    class Event(models.TextChoices):
        SIGNED_UP = "signed-up", _("Signed up")
        CONFIRMED = "confirmed", _("Confirmed")
        UNSUBSCRIBED = "unsubscribed", _("Left")
        RETURNED = "returned", _("Took leaving back")
        CHANGED = "changed", _("Changed what they get")
        IMPORTED = "imported", _("Imported")

    class How(models.TextChoices):
        FORM = "form", _("The sign-up form")
        LINK = "link", _("The button behind the link in the mail")
        PAGE = "page", _("The button on the page for leaving")
        ONE_CLICK = "one-click", _("The mail program's unsubscribe button")
        PREFERENCES = "preferences", _("The page of their own wishes")
        IMPORT = "import", _("A file with its reason")
        BOUNCE = "bounce", _("Mail came back")
        COMPLAINT = "complaint", _("Reported as spam")
        STAFF = "staff", _("By staff")

    subscriber = models.ForeignKey(
        Subscriber, models.CASCADE, related_name="consents", verbose_name=_("subscriber")
    )
    event = models.CharField(_("what"), max_length=12, choices=Event)
    at = models.DateTimeField(_("when"), default=clock.now)
    how = models.CharField(_("how"), max_length=12, choices=How)
    wording_version = models.CharField(_("version of the wording"), max_length=20, blank=True)
    wording = models.TextField(
        _("wording"), blank=True, help_text=_("What stood beside the button, word for word.")
    )
    chosen = models.JSONField(
        _("chosen"), default=dict, db_default=Value({}, models.JSONField()), blank=True,
        help_text=_("What they chose with it, such as topics. No topics means all."),
    )  # fmt: skip
    source = models.CharField(
        _("page"), max_length=300, blank=True, help_text=_("The page that they signed up on.")
    )
    address_fingerprint = models.CharField(
        _("fingerprint of the network address"), max_length=64, blank=True,
        help_text=_("Two lines with the same fingerprint came from the same place. The address "
                    "itself is not kept."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    event__in=[
                        "signed-up", "confirmed", "unsubscribed", "returned", "changed", "imported",
                    ]
                ),
                name="consent_event_known",
            ),
            models.CheckConstraint(
                condition=~Q(event="signed-up") | (~Q(wording="") & ~Q(wording_version="")),
                name="consent_sign_up_has_wording",
            ),
            models.CheckConstraint(
                condition=~Q(event="imported") | ~Q(wording=""), name="consent_import_has_basis"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_event_display()}, {self.at:%Y-%m-%d}"
