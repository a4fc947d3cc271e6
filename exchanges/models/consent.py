"""What the guardians of children agreed to (trust.md, Minors)."""

from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from sistercities.shared import clock
from sistercities.shared.stored_files import KeepsFiles


class GuardianConsentQuerySet(models.QuerySet):
    def not_in_force(self) -> Self:
        """Those that do not let a photo stand on the web today."""
        return self.filter(
            Q(for_web=False) | Q(withdrawn_at__isnull=False) | Q(expires_on__lt=clock.today())
        )


class GuardianConsent(KeepsFiles):
    """One guardian's word for one child: who, when, for what, until when, and where it is kept.

    All of it is private. Taking it back is final: a new word is a new row.
    """

    shown_on_pages = True

    child = models.CharField(
        _("child"), max_length=120,
        help_text=_("As you will recognize the child: a first name and a row is enough."),
    )  # fmt: skip
    guardian = models.CharField(_("guardian"), max_length=120, help_text=_("Who agreed."))
    given_on = models.DateField(_("given on"))
    for_web = models.BooleanField(_("this website"), default=False)
    for_print = models.BooleanField(_("print"), default=False)
    for_social = models.BooleanField(_("social networks"), default=False)
    for_newsletter = models.BooleanField(_("newsletter"), default=False)
    expires_on = models.DateField(
        _("last day"), null=True, blank=True,
        help_text=_("After this day the pictures go by themselves. Empty: until it is taken back."),
    )  # fmt: skip
    evidence_note = models.CharField(
        _("where it is kept"), max_length=250, blank=True,
        help_text=_("Such as: signed form in the blue folder, or mail of May 3."),
    )  # fmt: skip
    evidence = models.CharField(max_length=120, blank=True, editable=False)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("recorded by"),
    )  # fmt: skip
    recorded_at = models.DateTimeField(_("recorded"), default=clock.now, editable=False)
    withdrawn_at = models.DateTimeField(_("taken back"), null=True, blank=True, editable=False)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("taken back by"),
    )  # fmt: skip

    withdrawn_note = models.CharField(
        _("why it was taken back"), max_length=250, blank=True, editable=False
    )

    objects = GuardianConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("guardian’s consent")
        verbose_name_plural = _("guardians’ consents")
        ordering = ["-given_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_on=None) | Q(expires_on__gte=F("given_on")),
                name="consent_expires_after_it_was_given",
            )
        ]

    def __str__(self) -> str:
        return _("%(child)s, by %(guardian)s") % {"child": self.child, "guardian": self.guardian}

    def clean(self):
        super().clean()
        if self.expires_on and self.given_on and self.expires_on < self.given_on:
            raise ValidationError({"expires_on": _("It ends before it was given.")})
        if not (self.for_web or self.for_print or self.for_social or self.for_newsletter):
            raise ValidationError(_("Say at least one thing that the guardian agreed to."))

    @property
    def is_in_force(self) -> bool:
        """Whether it lets a photo stand on the web today."""
        is_over = self.expires_on is not None and self.expires_on < clock.today()
        return self.for_web and not is_over and self.withdrawn_at is None

    def private_files(self) -> list[str]:
        return [self.evidence] if self.evidence else []
