"""Many photos brought at once: what was said of all of them, and what became of each file."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from exchanges.models.consent import GuardianConsent
from exchanges.models.gallery import Gallery, Photo
from sistercities.shared import clock
from sistercities.shared.stored_files import KeepsFiles


class Batch(models.Model):
    """What a volunteer says once for all photos of an evening; each photo takes a copy."""

    gallery = models.ForeignKey(
        Gallery, models.CASCADE, related_name="batches", verbose_name=_("gallery")
    )
    credit = models.CharField(
        _("credit"), max_length=120, help_text=_("Who took them, such as: Photos: Ann Lee.")
    )
    licence = models.CharField(
        _("license"), max_length=10, choices=Photo.Licence, default=Photo.Licence.RESERVED
    )
    people = models.CharField(
        _("people in them"), max_length=6, choices=Photo.People, blank=True,
        default=Photo.People.NOT_ASKED,
        help_text=_("What holds for most of them. You can answer for each photo later; until it "
                    "is answered, a photo is shown to nobody."),
    )  # fmt: skip
    consents = models.ManyToManyField(
        GuardianConsent, blank=True, related_name="batches", verbose_name=_("guardians’ consents")
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("brought by"),
    )  # fmt: skip
    made_at = models.DateTimeField(_("brought"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("batch of photos")
        verbose_name_plural = _("batches of photos")
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.gallery}, {self.credit}"


class Upload(KeepsFiles):
    """One file that was brought and what became of it: the batch's record for people.

    `original` is set while a duplicate waits for a decision; afterwards the photo keeps it.
    `pieces` names what is there of a large file that arrives, and of an archive that is to be
    opened: {"0": name in private storage, …}. `next_try_at` is when a job may take an archive,
    and when an upload that was broken off is let go.
    """

    class State(models.TextChoices):
        ARRIVING = "arriving", _("On its way")
        STORED = "stored", _("Stored")
        DUPLICATE = "duplicate", _("Here already")
        REFUSED = "refused", _("Refused")
        WAITING = "waiting", _("Waiting to be opened")
        OPENED = "opened", _("Opened")
        LEFT_OUT = "left_out", _("Left out")

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="uploads")
    key = models.UUIDField(default=uuid.uuid4, editable=False)
    name = models.CharField(_("file"), max_length=120)
    bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.ARRIVING)
    reason = models.CharField(_("reason"), max_length=250, blank=True)
    original = models.CharField(max_length=120, blank=True)
    pieces = models.JSONField(default=dict, blank=True)
    archive = models.ForeignKey("self", models.CASCADE, null=True, related_name="entries")
    photo = models.OneToOneField(Photo, models.SET_NULL, null=True, related_name="upload")
    duplicate_of = models.ForeignKey(Photo, models.SET_NULL, null=True, related_name="+")
    next_try_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("uploaded file")
        verbose_name_plural = _("uploaded files")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "key"], name="one_row_per_uploaded_file")
        ]

    def __str__(self) -> str:
        return self.name

    def private_files(self) -> list[str]:
        return [name for name in (self.original, *self.pieces.values()) if name]

    @property
    def words(self) -> str:
        """What became of it, in one sentence."""
        is_over = self.state == self.State.LEFT_OUT  # its reason was why somebody was asked
        return self.reason if self.reason and not is_over else str(self.get_state_display())
