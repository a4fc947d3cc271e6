"""Galleries and their photos. A photo is public when its gallery is and it is not hidden."""

from typing import Self
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from cities.models import City
from exchanges.models.visit import Visit, when
from sistercities.shared import clock
from sistercities.shared.cards import as_cards, picture_columns
from sistercities.shared.images import Pictured, Prepared
from sistercities.shared.publishing import Publishable, PublishableQuerySet


def cover_of(gallery: str) -> models.QuerySet:
    """For a subquery: the shown photos of the outer row's `gallery`, its cover first."""
    photos = Photo.objects.shown().filter(gallery=models.OuterRef(gallery))
    return photos.order_by(F("is_cover").desc(), "order", "pk")


class GalleryQuerySet(PublishableQuerySet):
    def first_photos(self, count: int) -> "PhotoQuerySet":
        """The first shown photos of these galleries, gallery by gallery."""
        photos = Photo.objects.shown().filter(gallery__in=self.values("pk"))
        return photos.order_by("gallery_id", "order", "pk").first_few(count)

    def newest(self) -> Self:
        return self.order_by(F("taken_on").desc(nulls_last=True), "title", "pk")

    def with_cover(self) -> Self:
        """Adds `cover_id`, the cover or else the first photo shown, and `photo_count`."""
        return self.annotate(
            cover_id=models.Subquery(cover_of("pk").values("pk")[:1]),
            photo_count=models.Count("photos", filter=Q(photos__is_hidden=False)),
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
            more={"count": models.Count("photos", filter=Q(photos__is_hidden=False))},
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


class PhotoQuerySet(models.QuerySet):
    def first_few(self, count: int) -> Self:
        return self.__class__(self.model).filter(pk__in=self.values("pk")[:count])

    def shown(self) -> Self:
        return self.filter(is_hidden=False)

    def published(self) -> Self:
        return self.shown().filter(
            gallery__status=Gallery.Status.PUBLISHED, gallery__publish_at__lte=clock.now()
        )

    def cards(self) -> models.QuerySet:
        return as_cards(
            self, "photo", more=None, slug="gallery__slug", title="picture_caption",
            rank="order", **picture_columns(),
        )  # fmt: skip


class Photo(Pictured):
    """`taken_at` is the wall clock at the place; it and the place itself stay private."""

    gallery = models.ForeignKey(Gallery, models.CASCADE, related_name="photos")
    order = models.PositiveIntegerField(_("order"), default=0)
    is_cover = models.BooleanField(_("cover"), default=False)
    is_hidden = models.BooleanField(
        _("hidden"), default=False, help_text=_("Keep it, but show it to nobody.")
    )
    is_decorative = models.BooleanField(
        _("decorative"), default=False,
        help_text=_("It says nothing that the text does not say; readers by ear skip it."),
    )  # fmt: skip
    taken_at = models.DateTimeField(
        _("taken at"), null=True, blank=True,
        help_text=_("Read from the picture if the camera wrote it down."),
    )  # fmt: skip
    latitude = models.FloatField(null=True, blank=True, editable=False)
    longitude = models.FloatField(null=True, blank=True, editable=False)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ["order", "pk"]
        indexes = [models.Index(fields=["gallery", "order"], name="photo_in_gallery_order")]

    def __str__(self) -> str:
        return self.picture_caption or self.picture_alt or _("Photo %d") % (self.pk or 0)

    def clean(self):
        super().clean()
        if not self.picture:
            raise ValidationError({"picture": _("Choose a picture.")})

    def picture_prepared(self, prepared: Prepared) -> None:
        """Keeps what the camera wrote: its clock read in the visited city's zone, its place."""
        if prepared.taken_at and not self.taken_at:
            self.taken_at = prepared.taken_at.replace(tzinfo=self.zone)
        self.latitude, self.longitude = prepared.latitude, prepared.longitude

    @property
    def zone(self) -> ZoneInfo:
        home = City.objects.filter(relationship=City.Relationship.HOME).first()
        return self.gallery.zone(ZoneInfo((home or self.gallery.city).time_zone))
