"""The picture of a row: taken in by a form, rendered by a job, shown once that is done.

`picture` names the public file and is empty until there is one, so whoever asks "is there a
picture?" never names a file that does not exist.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import storages
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sistercities.shared.images import (
    Notes,
    Prepared,
    inspect,
    random_name,
    rendition_name,
    rendition_names,
)
from sistercities.shared.rendering import request_rendering
from sistercities.shared.stored_files import PRIVATE, PUBLIC, KeepsFiles, discard, store

MIDDLE = 50  # percent of a picture's height
FOLDER = "pictures"
EARLIER_SUFFIXES = (
    ".jpeg", ".png", ".webp", ".heif", ".avif", ".gif", ".tiff", ".mpo", ".bin",
)  # fmt: skip
# Written by intake and by jobs, never by a form that was opened before they were done.
KEPT_BY_JOBS = (
    "picture", "picture_original", "picture_width", "picture_height", "picture_colour",
    "picture_has_avif", "picture_problem",
)  # fmt: skip


@dataclass(frozen=True)
class Received:
    """An original in private storage, with what its header said."""

    name: str
    notes: Notes


def store_original(file: IO[bytes], *, size: int) -> Received:
    """Checks the header and keeps the file as it came, privately, under a random name.

    Raises `ValidationError` in one sentence for what is no picture of ours, `OSError` if it
    cannot be stored; then nothing of it is left.
    """
    notes = inspect(file, size=size)
    file.seek(0)
    name = random_name("originals", notes.suffix)
    store(PRIVATE, {name: File(file)})
    return Received(name, notes)


class PreparedFile(ContentFile):
    """An original that has been through `prepare` already: its row need not wait for a job."""

    def __init__(self, content: bytes, prepared: Prepared) -> None:
        self.prepared = prepared
        super().__init__(content, name="picture")


class PictureFormField(forms.FileField):
    widget = forms.ClearableFileInput

    def to_python(self, data):
        upload = super().to_python(data)
        if upload:
            inspect(upload, size=upload.size)
        return upload

    def widget_attrs(self, widget):
        return {**super().widget_attrs(widget), "accept": "image/*"}


class PictureField(models.ImageField):
    """What is assigned to it and saved goes to private storage; `Pictured` does the rest."""

    def formfield(self, **kwargs):
        return models.Field.formfield(
            self, **{"form_class": PictureFormField, "max_length": self.max_length, **kwargs}
        )

    def update_dimension_fields(self, instance, force=False, *args, **kwargs):
        """Sizes come from the rendering; opening the file again would cost a read a row."""

    def save_form_data(self, instance, data):
        if data is False:  # the form's box "Clear"
            instance.picture_is_cleared = True
        elif data is not None:
            setattr(instance, self.attname, data or "")

    def pre_save(self, model_instance, add):
        return getattr(model_instance, self.attname)


class Pictured(KeepsFiles):
    """A row with one picture."""

    shown_on_pages = True

    picture = PictureField(
        gettext_lazy("picture"),
        upload_to="",
        max_length=120,
        blank=True,
        help_text=gettext_lazy("JPEG, PNG, WebP, HEIC, AVIF, GIF or TIFF, at most 40 MB. Place and "
                               "camera data are removed from what visitors see."),
    )  # fmt: skip
    picture_original = models.CharField(max_length=120, blank=True, editable=False)
    picture_width = models.PositiveIntegerField(default=0, editable=False)
    picture_height = models.PositiveIntegerField(default=0, editable=False)
    picture_colour = models.CharField(max_length=7, blank=True, editable=False)
    picture_has_avif = models.BooleanField(default=False, editable=False)
    picture_problem = models.CharField(max_length=200, blank=True, editable=False)
    picture_alt = models.CharField(
        gettext_lazy("picture in words"),
        max_length=250,
        blank=True,
        help_text=gettext_lazy("What a person who cannot see it should know. "
                               "It is read aloud in place of the picture."),
    )  # fmt: skip
    picture_focus = models.PositiveSmallIntegerField(
        gettext_lazy("height of what matters"),
        default=MIDDLE,
        blank=True,
        validators=[MaxValueValidator(100)],
        help_text=gettext_lazy("Where a wide crop should look: 0 is the top edge, 100 the bottom."),
    )
    picture_caption = models.CharField(gettext_lazy("caption"), max_length=250, blank=True)
    picture_credit = models.CharField(
        gettext_lazy("credit"),
        max_length=120,
        blank=True,
        help_text=gettext_lazy("Who made the picture, such as: Photo: Ann Lee."),
    )

    picture_base = settings.MEDIA_URL  # what comes before `picture` in an address
    picture_is_cleared = False

    class Meta:
        abstract = True

    def clean(self):
        super().clean()
        if self.picture_focus is None:
            self.picture_focus = MIDDLE
        has_picture = (self.picture or self.picture_original) and not self.picture_is_cleared
        if has_picture and not self.picture_alt and not getattr(self, "is_decorative", False):
            raise ValidationError({"picture_alt": _("Please say in words what the picture shows.")})

    def save(self, *args, **kwargs):
        """Takes in a new picture and leaves it to a job; the old one stays until that is done."""
        upload = self._upload()
        received = store_original(upload, size=upload.size) if upload else None
        with transaction.atomic():
            self._read_what_jobs_wrote()
            if received or self.picture_is_cleared:
                discard(PRIVATE, self.private_files())
            if self.picture_is_cleared:
                discard(PUBLIC, self.public_traces())
                self._set_picture()
            if received:
                self.picture_original, self.picture_problem = received.name, ""
                self.picture_received(received.notes)
            super().save(*args, **kwargs)
            if isinstance(upload, PreparedFile):
                self.picture_rendered(self.save_renditions(upload.prepared), upload.prepared)
            elif received:
                request_rendering(self)
        self.picture_is_cleared = False

    def _read_what_jobs_wrote(self) -> None:
        """A form that was opened an hour ago must not take back what a job has done since."""
        rows = type(self)._base_manager.select_for_update().filter(pk=self.pk)
        stored = None if self._state.adding else rows.values(*KEPT_BY_JOBS).first()
        if stored:
            self.__dict__.update(stored)
        elif self._upload():
            self.picture = ""

    def _upload(self) -> Any:
        """The file that was assigned and not taken in yet, if any."""
        picture: Any = self.picture
        return picture.file if picture and not picture._committed else None

    def _set_picture(self, name: str = "", prepared: Prepared | None = None) -> None:
        self.picture = name
        self.picture_width = prepared.width if prepared else 0
        self.picture_height = prepared.height if prepared else 0
        self.picture_colour = prepared.colour if prepared else ""
        self.picture_has_avif = False
        if not prepared:
            self.picture_original = self.picture_problem = ""

    def picture_received(self, notes: Notes) -> None:
        """Called when a new original has been stored; a photo keeps its time and place."""

    def save_renditions(self, prepared: Prepared) -> str:
        """Writes the public files and returns the name of the widest; no row knows it yet."""
        name = random_name(FOLDER, ".webp")
        store(PUBLIC, prepared.named(name))
        return name

    def discard_renditions(self, name: str, prepared: Prepared) -> None:
        """Lets go of what `save_renditions` wrote."""
        discard(PUBLIC, prepared.named(name))

    def picture_rendered(self, name: str, prepared: Prepared) -> None:
        """Shows the new picture in the place of the old one; runs in a transaction.

        If the row took another picture meanwhile, only the new files go.
        """
        rows = type(self)._base_manager.filter(pk=self.pk, picture_original=self.picture_original)
        # As it is now: another worker may have been quicker, or the old picture is gone by now.
        before = rows.select_for_update().first()
        if before is None:
            self.discard_renditions(name, prepared)
            return
        self._set_picture(name, prepared)
        values = {field: getattr(self, field) for field in KEPT_BY_JOBS}
        rows.update(**{**values, "picture": name})
        discard(PUBLIC, before.public_traces())

    def picture_refused(self, reason: str) -> None:
        """Says why the new picture cannot be shown and lets go of it; runs in a transaction."""
        discard(PRIVATE, [self.picture_original])
        type(self)._base_manager.filter(pk=self.pk, picture_original=self.picture_original).update(
            picture_original="", picture_problem=reason[:200]
        )

    def keep_avif(self, files: dict[int, bytes]) -> bool:
        """Adds AVIF files, by their widths, to the others, and then says so.

        Whether the row still had this picture; if not, nothing is left of them.
        """
        named = self.avif_named(str(self.picture), files)
        store(PUBLIC, named)
        rows = type(self)._base_manager.filter(
            pk=self.pk, picture=str(self.picture), picture_original=self.picture_original
        )
        with transaction.atomic():
            is_kept = bool(rows.update(picture_has_avif=True))
            if not is_kept:
                discard(PUBLIC, named)
        return is_kept

    def avif_named(self, name: str, files: dict[int, bytes]) -> dict[str, bytes]:
        """AVIF files by the names that they have beside the widest WebP file, `name`."""
        return {
            rendition_name(name, self.picture_width, width, ".avif"): content
            for width, content in files.items()
        }

    def public_files(self) -> list[str]:
        if not self.picture:
            return []
        return rendition_names(
            str(self.picture), self.picture_width, has_avif=self.picture_has_avif
        )

    def public_traces(self) -> list[str]:
        if not self.picture:
            return []
        return rendition_names(str(self.picture), self.picture_width, has_avif=True)

    def private_files(self) -> list[str]:
        return [self.picture_original] if self.picture_original else []

    def mend_files(self, *, public: list[str], private: list[str]) -> list[str]:
        """Has the renditions made again, if the original is there."""
        if not self.picture_original or self.picture_original in private:
            return [*public, *private]
        request_rendering(self)
        return []

    @property
    def earlier_originals(self) -> list[str]:
        """Where its upload may lie, if the row is from before uploads had names of their own."""
        if self.picture_original or not self.picture:
            return []
        path = PurePosixPath(str(self.picture))
        return [str(path.with_suffix(suffix)) for suffix in EARLIER_SUFFIXES]

    def adopt_original(self) -> bool:
        """Takes over such an upload and has it rendered anew; whether there is one.

        Runs in a transaction that holds the row.
        """
        for name in self.earlier_originals:
            if storages[PRIVATE].exists(name):
                self.picture_original = name
                type(self)._base_manager.filter(pk=self.pk).update(picture_original=name)
                request_rendering(self)
                return True
        return False

    @property
    def picture_is_waiting(self) -> bool:
        """Whether an upload was taken in that no job has rendered yet and nothing else is shown."""
        return bool(self.picture_original) and not self.picture_width

    @property
    def thumbnail_url(self) -> str:
        """A small rendition for staff; empty if there is none."""
        if not self.picture:
            return ""
        return self.picture_base + rendition_name(str(self.picture), self.picture_width, 480)

    @property
    def picture_shape(self) -> str:
        """The nearest of the style sheet's shapes (`r32` is three to two), for even rows."""
        shapes = {
            "r219": 21 / 9, "r169": 16 / 9, "r32": 3 / 2, "r43": 4 / 3,
            "r11": 1.0, "r45": 4 / 5, "r34": 3 / 4, "r23": 2 / 3,
        }  # fmt: skip
        ratio = self.picture_width / (self.picture_height or 1)
        return min(shapes, key=lambda shape: abs(shapes[shape] - ratio))
