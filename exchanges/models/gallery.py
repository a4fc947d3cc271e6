"""Galleries and their photos. What makes a photo public is `PhotoQuerySet.publishable`."""

import datetime as dt
from functools import cached_property
from pathlib import PurePosixPath
from typing import Self
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from cities.models import City
from exchanges.models.consent import GuardianConsent
from exchanges.models.visit import Visit, when
from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.images import Notes, Prepared, rendition_names
from sistercities.shared.pictures import Pictured
from sistercities.shared.publishing import Publishable, PublishableQuerySet
from sistercities.shared.queue import wake
from sistercities.shared.stored_files import PRIVATE, PUBLIC, discard, store

UNDATED = dt.date(1, 1, 1)  # for the order of galleries: after all that have a day


def wake_releaser() -> None:
    """Has public files brought in line soon; the minute's run does it where the queue is down."""
    from exchanges.tasks import settle_photos

    wake(settle_photos)


def cover_of(gallery: str) -> models.QuerySet:
    """For a subquery: the shown photos of the outer row's `gallery`, its cover first."""
    return Photo.objects.shown().filter(gallery=models.OuterRef(gallery)).cover_first()


def count_of(gallery: str) -> Coalesce:
    """For an annotation: how many photos of the outer row's `gallery` are shown."""
    photos = Photo.objects.shown().filter(gallery=models.OuterRef(gallery)).order_by()
    counted = photos.values("gallery").annotate(count=models.Count("pk")).values("count")
    return Coalesce(models.Subquery(counted), 0)


class GalleryQuerySet(PublishableQuerySet):
    def published(self) -> Self:
        """What anybody finds: without the galleries that only a link opens."""
        return super().published().filter(is_unlisted=False)

    def first_photos(self, count: int) -> "PhotoQuerySet":
        """The first shown photos of these galleries, gallery by gallery."""
        photos = Photo.objects.shown().filter(gallery__in=self.values("pk"))
        in_turn = ("gallery_id", "order", F("taken_at").asc(nulls_last=True), "pk")
        return photos.order_by(*in_turn).first_few(count)

    def newest(self) -> Self:
        """The latest first, those without a day last. Adds `day`."""
        return self.annotate(day=Coalesce("taken_on", UNDATED)).order_by("-day", "-pk")

    def with_cover(self) -> Self:
        """Adds `cover_id`, the cover or else the first photo shown, and `photo_count`."""
        return self.annotate(
            cover_id=models.Subquery(cover_of("pk").values("pk")[:1]), photo_count=count_of("pk")
        )

    def cards(self) -> models.QuerySet:
        """A gallery's picture is its cover, or else its first photo."""
        cover = cover_of("pk")
        return as_cards(
            self, "gallery", slug="slug", title="title", summary="summary", on="taken_on",
            **{
                name: models.Subquery(cover.values(column)[:1])
                for name, column in picture_columns().items()
            },
            more={"count": count_of("pk")},
        )  # fmt: skip


class Gallery(Publishable):
    title = models.CharField(_("title"), max_length=120)
    summary = models.TextField(_("summary"), max_length=300, blank=True)
    city = models.ForeignKey(
        City, models.PROTECT, related_name="galleries", verbose_name=_("city"),
        help_text=_("The city whose page shows these pictures."),
    )  # fmt: skip
    visit = models.ForeignKey(
        Visit, models.SET_NULL, null=True, blank=True, related_name="galleries",
        verbose_name=_("visit"),
    )  # fmt: skip
    taken_on = models.DateField(_("first day"), null=True, blank=True)
    is_unlisted = models.BooleanField(
        _("only by link"), default=False,
        help_text=_("It stands in no list and has no page of its own; only links that you give "
                    "away open it."),
    )  # fmt: skip

    objects = GalleryQuerySet.as_manager()

    class Meta:
        verbose_name = _("gallery")
        verbose_name_plural = _("galleries")
        ordering = [F("taken_on").desc(nulls_last=True), "title"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("exchanges:gallery", args=[self.slug])

    def clean(self):
        super().clean()
        if self.visit and self.city_id and self.visit.city_id != self.city_id:
            raise ValidationError({"visit": _("That visit belongs to another city.")})
        if self.pk and self.status == self.Status.PUBLISHED:
            self._refuse_wordless()

    def _refuse_wordless(self) -> None:
        count = self.photos.kept().filter(is_hidden=False).wordless().count()
        if count:
            text = ngettext(
                "%d photo has no description yet. Describe it, mark it as decorative or hide it.",
                "%d photos have no description yet. Describe them, mark them as decorative or "
                "hide them.",
                count,
            )
            raise ValidationError({"status": text % count})

    @property
    def is_public(self) -> bool:
        return super().is_public and not self.is_unlisted

    @property
    def when(self) -> str:
        """The month in words, or the year where no more is on file of its visit; may be empty."""
        if not self.taken_on:
            return ""
        is_year = self.visit and self.visit.precision == Visit.Precision.YEAR
        return when(self.taken_on, None, Visit.Precision.YEAR if is_year else Visit.Precision.MONTH)

    def zone(self, home: ZoneInfo) -> ZoneInfo:
        """The clock of the place where its photos were taken."""
        return self.visit.zone(home) if self.visit else ZoneInfo(self.city.time_zone)

    @cached_property
    def local_zone(self) -> ZoneInfo:
        """The same, for code that does not know the home city's clock yet."""
        home = City.objects.filter(relationship=City.Relationship.HOME).first()
        return self.zone(ZoneInfo((home or self.city).time_zone))

    @cached_property
    def clock_shifts(self) -> dict[str, dt.timedelta]:
        """By camera, what its clock must be put forward by."""
        return dict(self.camera_clocks.values_list("camera", "shift"))


class PhotoQuerySet(models.QuerySet):
    def first_few(self, count: int) -> Self:
        return self.__class__(self.model).filter(pk__in=self.values("pk")[:count])

    def in_order(self) -> Self:
        """As staff dragged them; where nobody did, as they were taken."""
        return self.order_by("order", F("taken_at").asc(nulls_last=True), "pk")

    def cover_first(self) -> Self:
        return self.order_by(
            F("is_cover").desc(), "order", F("taken_at").asc(nulls_last=True), "pk"
        )  # fmt: skip

    def kept(self) -> Self:
        """Without those that were deleted and can still be brought back."""
        return self.filter(deleted_at=None)

    def allowed(self) -> Self:
        """Those that consent lets people outside see, if somebody also publishes them.

        No people, adults who agreed, or minors for all of whom a guardian's consent to the web
        is on file, not expired and not taken back (trust.md, Minors; invariant I7).
        """
        of_photo = GuardianConsent.objects.filter(photos=models.OuterRef("pk"))
        return self.kept().filter(
            Q(people__in=[Photo.People.NONE, Photo.People.ADULTS])
            | Q(
                models.Exists(of_photo),
                ~models.Exists(of_photo.not_in_force()),
                people=Photo.People.MINORS,
            ),
            is_hidden=False,
        )

    def allowed_in_letters(self) -> Self:
        """Those that may also stand in mail: each guardian's consent names the newsletter."""
        return self._allowed_also("for_newsletter")

    def allowed_on_other_sites(self) -> Self:
        """Those that social networks may show: each guardian's consent names them."""
        return self._allowed_also("for_social")

    def _allowed_also(self, scope: str) -> Self:
        of_photo = GuardianConsent.objects.filter(photos=models.OuterRef("pk"))
        return self.allowed().exclude(
            models.Exists(of_photo.filter(**{scope: False})), people=Photo.People.MINORS
        )

    def worded(self) -> Self:
        return self.exclude(picture_alt="", is_decorative=False)

    def wordless(self) -> Self:
        return self.filter(picture_alt="", is_decorative=False)

    def rendered(self) -> Self:
        return self.filter(picture_width__gt=0)

    def shown(self) -> Self:
        """Those that stand on the page of their gallery, if that is public: files and all."""
        return self.allowed().worded().exclude(picture="")

    def publishable(self) -> Self:
        """Those whose files may be public at this moment."""
        return self.allowed().worded().rendered().filter(gallery__in=Gallery.objects.published())

    def published(self) -> Self:
        return self.shown().filter(gallery__in=Gallery.objects.published())

    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "photo", more=None, slug="gallery__slug", title="picture_caption",
            rank="order", **picture_columns(),
        )  # fmt: skip


class Photo(Pictured):
    """A photo of a gallery. `picture` is set only while it is public.

    Its renditions stay in private storage; `exchanges.releasing` copies them to a fresh public
    address and takes them back. Moment, place and camera stay private.
    """

    class People(models.TextChoices):
        NOT_ASKED = "", _("Not answered yet")
        NONE = "none", _("Nobody can be recognized")
        ADULTS = "adults", _("Adults, and they agreed")
        MINORS = "minors", _("Children or teenagers")

    class Licence(models.TextChoices):
        RESERVED = "reserved", _("All rights reserved; we may show it")
        BY = "by", _("Creative Commons BY 4.0: anyone may use it and name the author")
        BY_SA = "by-sa", _("Creative Commons BY-SA 4.0: the same, and share alike")
        CC0 = "cc0", _("Creative Commons Zero: no rights reserved")

    gallery = models.ForeignKey(Gallery, models.CASCADE, related_name="photos")
    batch = models.ForeignKey(
        "Batch", models.SET_NULL, null=True, blank=True, editable=False, related_name="photos"
    )
    file_name = models.CharField(_("file"), max_length=120, blank=True, editable=False)
    sha256 = models.CharField(max_length=64, blank=True, editable=False, db_index=True)
    camera = models.CharField(_("camera"), max_length=120, blank=True, editable=False)
    camera_time = models.DateTimeField(null=True, blank=True, editable=False)
    clock_zone = models.CharField(
        max_length=63, blank=True, default="", db_default="", editable=False
    )
    order = models.PositiveIntegerField(_("order"), default=0)
    is_cover = models.BooleanField(_("cover"), default=False)
    is_hidden = models.BooleanField(
        _("hidden"), default=False, help_text=_("Keep it, but show it to nobody.")
    )
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)
    is_decorative = models.BooleanField(
        _("decorative"), default=False,
        help_text=_("It says nothing that the text does not say; readers by ear skip it."),
    )  # fmt: skip
    people = models.CharField(
        _("people in it"), max_length=6, choices=People, blank=True, default=People.NOT_ASKED,
        help_text=_("Visitors see it only when this is answered, and children only with the "
                    "consent of each one’s guardian."),
    )  # fmt: skip
    consents = models.ManyToManyField(
        GuardianConsent, blank=True, related_name="photos", verbose_name=_("guardians’ consents"),
        help_text=_("One for each child in the picture."),
    )  # fmt: skip
    confirmed_caption = models.CharField(max_length=250, blank=True, editable=False)
    licence = models.CharField(
        _("license"), max_length=10, choices=Licence, default=Licence.RESERVED
    )
    taken_at = models.DateTimeField(
        _("taken at"), null=True, blank=True,
        help_text=_("Read from the picture if the camera wrote it down."),
    )  # fmt: skip
    latitude = models.FloatField(null=True, blank=True, editable=False)
    longitude = models.FloatField(null=True, blank=True, editable=False)

    objects = PhotoQuerySet.as_manager()

    LICENCE_URLS = {
        Licence.BY: "https://creativecommons.org/licenses/by/4.0/",
        Licence.BY_SA: "https://creativecommons.org/licenses/by-sa/4.0/",
        Licence.CC0: "https://creativecommons.org/publicdomain/zero/1.0/",
    }

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ["order", F("taken_at").asc(nulls_last=True), "pk"]
        indexes = [models.Index(fields=["gallery", "order"], name="photo_in_gallery_order")]

    def __str__(self) -> str:
        return self.picture_caption or self.picture_alt or _("Photo %d") % (self.pk or 0)

    def get_absolute_url(self) -> str:
        return reverse("exchanges:photo", args=[self.gallery.slug, self.pk])

    def clean(self):
        super().clean()
        if not (self.picture or self.picture_original):
            raise ValidationError({"picture": _("Choose a picture.")})

    def picture_received(self, notes: Notes) -> None:
        """Keeps what the camera wrote: its place, and its clock read in the visited city's zone.

        `clock_zone` names that zone; it is empty where the camera wrote its own offset or no time.
        """
        self.camera = notes.camera
        self.latitude, self.longitude = notes.latitude, notes.longitude
        self.camera_time = self.moment_of(notes)
        is_local = notes.taken is not None and notes.offset is None
        self.clock_zone = self.gallery.local_zone.key if is_local else ""
        shift = self.gallery.clock_shifts.get(self.camera) if self.gallery_id else None
        if self.camera_time and not self.taken_at:
            self.taken_at = self.camera_time + (shift or dt.timedelta())

    def moment_of(self, notes: Notes) -> dt.datetime | None:
        """The camera's wall clock as a moment: by its own offset, else in the city's zone."""
        if notes.taken is None:
            return None
        zone = self.gallery.local_zone if notes.offset is None else dt.timezone(notes.offset)
        return notes.taken.replace(tzinfo=zone)

    @property
    def stored_renditions(self) -> str:
        """The name, in private storage, of the widest of its renditions."""
        original = PurePosixPath(self.picture_original)
        return f"renditions/{original.parent.name}/{original.stem}.webp"

    def save_renditions(self, prepared: Prepared) -> str:
        store(PRIVATE, prepared.named(self.stored_renditions))
        return ""

    def discard_renditions(self, name: str, prepared: Prepared) -> None:
        discard(PRIVATE, prepared.named(self.stored_renditions))

    def keep_avif(self, files: dict[int, bytes]) -> bool:
        """Also beside public copies, where there are some. Nobody can take those back meanwhile."""
        named = self.avif_named(self.stored_renditions, files)
        store(PRIVATE, named)
        with transaction.atomic():
            rows = Photo.objects.filter(pk=self.pk, picture_original=self.picture_original)
            now = rows.select_for_update().first()
            if now is None:
                discard(PRIVATE, named)
                return False
            if now.picture:
                store(PUBLIC, self.avif_named(str(now.picture), files))
            rows.update(picture_has_avif=True)
        return True

    def picture_rendered(self, name: str, prepared: Prepared) -> None:
        super().picture_rendered(name, prepared)
        transaction.on_commit(wake_releaser)

    def picture_refused(self, reason: str) -> None:
        """A new photo of a batch goes; the batch's record of the file says why."""
        upload = getattr(self, "upload", None)
        if upload and not self.picture_width:
            upload.state, upload.reason = upload.State.REFUSED, reason
            upload.save()
            self.delete()
        else:
            super().picture_refused(reason)
            rows = Photo.objects.filter(pk=self.pk, picture_original="")
            rows.update(picture_width=0)  # nothing is left that could be published

    def private_files(self) -> list[str]:
        names = super().private_files()
        if self.picture_original and self.picture_width:
            names += rendition_names(
                self.stored_renditions, self.picture_width, has_avif=self.picture_has_avif
            )
        return names

    def mend_files(self, *, public: list[str], private: list[str]) -> list[str]:
        """Makes lost renditions again; lost copies lie at a fresh address a moment later."""
        if public:
            self.forget_address()
            transaction.on_commit(wake_releaser)
        if set(private) <= {self.picture_original}:
            return private
        return super().mend_files(public=[], private=private)

    def adopt_original(self) -> bool:
        """Copies from before cannot stay: nobody has said yet who is in the picture."""
        if is_found := super().adopt_original():
            self.forget_address()
            Photo.objects.filter(pk=self.pk).update(picture_width=0)
        return is_found

    def forget_address(self) -> None:
        """Has the public copies deleted; runs in a transaction that holds the row."""
        discard(PUBLIC, self.public_traces())
        Photo.objects.filter(pk=self.pk).update(picture="")
        self.picture = ""

    @property
    def thumbnail_url(self) -> str:
        """For staff, from private storage: most photos in the admin are not public yet."""
        if not self.picture_width:
            return ""
        return reverse("admin:exchanges_photo_preview", args=[self.pk, 480])

    @property
    def licence_url(self) -> str:
        return self.LICENCE_URLS.get(self.Licence(self.licence), "")
