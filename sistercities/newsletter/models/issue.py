"""One letter to all who follow it: its blocks, its words, and how far it has come."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sistercities.newsletter.models.topic import Topic
from sistercities.shared import clock
from sistercities.shared.images import Notes, Prepared, random_name
from sistercities.shared.pictures import Pictured
from sistercities.shared.richtext import RichTextField
from sistercities.shared.stored_files import PUBLIC, discard, store


class IssueQuerySet(models.QuerySet):
    def public(self) -> Self:
        """Those in the archive: from the moment that the first of them may have arrived."""
        return self.filter(
            status__in=Issue.PUBLIC, is_in_archive=True, began_at__isnull=False
        )  # one that was stopped before it began has reached nobody


class Issue(models.Model):
    """Its state goes forward: a draft is scheduled, sent, and never sent again (mail.md E18)."""

    shown_on_pages = True

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Waits for its time")
        HELD = "held", _("Waits for a person: its time has long passed")
        SENDING = "sending", _("Being sent")
        PAUSED = "paused", _("Paused")
        SENT = "sent", _("Sent")
        CANCELLED = "cancelled", _("Stopped")

    EDITABLE = (Status.DRAFT, Status.SCHEDULED, Status.HELD)
    PUBLIC = (Status.SENDING, Status.PAUSED, Status.SENT, Status.CANCELLED)

    slug = models.SlugField(
        _("address"), max_length=80, unique=True,
        help_text=_("The last part of its page in the archive."),
    )  # fmt: skip
    subject = models.CharField(
        _("subject"), max_length=120,
        help_text=_("Phones show about 40 letters. Say what is in it, not “newsletter”."),
    )  # fmt: skip
    preheader = models.CharField(
        _("line after the subject"), max_length=150, blank=True,
        help_text=_("Mail programs show it beside the subject: about 90 letters."),
    )  # fmt: skip
    language = models.CharField(
        _("language"), max_length=20, default="en", help_text=_("Of what you write here.")
    )
    topics = models.ManyToManyField(
        Topic, blank=True, related_name="issues", verbose_name=_("only for who follows"),
        help_text=_("Choose none for everybody."),
    )  # fmt: skip
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.DRAFT, editable=False
    )
    send_at = models.DateTimeField(_("to be sent"), null=True, blank=True, editable=False)
    covers_since = models.DateTimeField(
        _("tells what was published since"), null=True, blank=True, editable=False
    )
    people = models.PositiveIntegerField(
        _("people"), null=True, editable=False,
        help_text=_("How many it was for when it was released."),
    )  # fmt: skip
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+",
        verbose_name=_("released by"),
    )  # fmt: skip
    began_at = models.DateTimeField(_("sending began"), null=True, editable=False)
    ended_at = models.DateTimeField(_("sending ended"), null=True, editable=False)
    problem = models.CharField(_("what is wrong"), max_length=300, blank=True, editable=False)
    worked_at = models.DateTimeField(null=True, editable=False)  # by a worker, for the last time
    server_lost_at = models.DateTimeField(null=True, editable=False)  # it goes on once it answers
    troubles = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)  # in a row
    refusals = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)  # in a row
    is_in_archive = models.BooleanField(
        _("in the archive"), default=True, help_text=_("A public page, once it is being sent.")
    )
    updated_at = models.DateTimeField(_("last changed"), auto_now=True)
    created_at = models.DateTimeField(_("begun"), default=clock.now, editable=False)

    objects = IssueQuerySet.as_manager()

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        ordering = ["-created_at", "-pk"]
        permissions = [("release_issue", _("Can send letters"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "cancelled"]) | Q(send_at__isnull=False),
                name="issue_on_its_way_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "scheduled", "held", "cancelled"])
                | Q(began_at__isnull=False, people__isnull=False),
                name="issue_being_sent_has_its_people",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    def get_absolute_url(self) -> str:
        return reverse("newsletter:issue", args=[self.slug])

    @property
    def is_editable(self) -> bool:
        return self.status in self.EDITABLE

    @property
    def is_public(self) -> bool:
        return self.is_in_archive and self.status in self.PUBLIC and self.began_at is not None


class Block(Pictured):
    """A piece of a letter. What it tells of the site is copied in, so that staff can change the
    words and the letter stays what was sent.
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        PICTURE = "picture", _("Picture")
        VISIT = "visit", _("Visit")
        GALLERY = "gallery", _("Gallery")
        ARTICLE = "article", _("Article")
        EVENTS = "events", _("List of events")
        APPEAL = "appeal", _("Appeal")
        BUTTON = "button", _("Button")

    issue = models.ForeignKey(
        Issue, models.CASCADE, related_name="blocks", verbose_name=_("letter")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.TEXT)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    topic = models.ForeignKey(
        Topic, models.SET_NULL, null=True, blank=True, related_name="blocks",
        verbose_name=_("only for who follows"),
        help_text=_("Leave empty to show it to everybody."),
    )  # fmt: skip
    title = models.CharField(_("heading"), max_length=150, blank=True)
    text = RichTextField(_("text"))
    url = models.CharField(
        _("leads to"), max_length=500, blank=True,
        help_text=_("A page of this site such as /visits/…, or an https address."),
    )  # fmt: skip
    label = models.CharField(
        _("words of its link"), max_length=80, blank=True,
        help_text=_("Such as: See the pictures."),
    )  # fmt: skip
    lines = models.JSONField(
        _("lines"), default=list, blank=True, editable=False,
        help_text=_("Of a list of events: each with its day, title, place and page."),
    )  # fmt: skip
    source = models.CharField(
        _("tells of"), max_length=120, blank=True, editable=False,
        help_text=_("What it was drafted from, such as visit:kyzylorda-2026."),
    )  # fmt: skip
    about = models.ForeignKey(
        Topic, models.SET_NULL, null=True, editable=False, related_name="+",
        help_text=_("Whose flag and color it bears, also where it is shown to everybody."),
    )  # fmt: skip
    picture_source = models.CharField(
        max_length=120, blank=True, default="", db_default="", editable=False,
        help_text=_("Of a photo with people in it: photo:12. It goes when their consent does."),
    )  # fmt: skip

    is_drafted = False  # set while `composing` gives it the picture of what it tells of

    PEOPLE = "photos"  # the folder of pictures that nobody keeps for long (trust.md, Minors)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return self.title or str(self.get_kind_display())

    @property
    def dress(self) -> Topic | None:
        """Whose flag and colors it bears."""
        return self.topic or self.about

    def picture_received(self, notes: Notes) -> None:
        """Another picture than the one that it was drafted with is nobody's photo.

        The copy of somebody's photo goes at once: should the new picture be refused, nobody would
        know any more whose consent the copy needs.
        """
        if self.picture_source and not self.is_drafted:
            discard(PUBLIC, self.public_traces())
            self.picture, self.picture_width, self.picture_source = "", 0, ""

    def save_renditions(self, prepared: Prepared) -> str:
        """A photo of people is stored where no cache keeps it for long."""
        if not self.picture_source:
            return super().save_renditions(prepared)
        name = random_name(self.PEOPLE, ".webp")
        store(PUBLIC, prepared.named(name))
        return name
