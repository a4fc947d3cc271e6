"""The sheet of a batch: what a volunteer says once for all photos of an evening."""

from django import forms
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from cities.models import City
from exchanges.models import Batch, Gallery, GuardianConsent, Photo, Visit


class SheetForm(forms.ModelForm):
    """`user` is who fills it in: without the permission there is no new gallery, no consent.

    `new_gallery` is to be saved before the batch, if the sheet asks for one.
    """

    user: AbstractBaseUser | AnonymousUser
    new_gallery: Gallery | None = None

    gallery = forms.ModelChoiceField(
        Gallery.objects.order_by("-pk"), label=_("Gallery"), required=False,
        empty_label=_("– a new one, as below –"),
    )  # fmt: skip
    new_title = forms.CharField(
        label=_("Title"), max_length=120, required=False,
        help_text=_("Such as: Sister City delegation to Jinzhou."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )  # fmt: skip
    new_visit = forms.ModelChoiceField(
        Visit.objects.order_by("-starts_on", "-pk"), label=_("Visit"), required=False,
        help_text=_("The photos fall into its days. It also tells the city."),
    )  # fmt: skip
    new_city = forms.ModelChoiceField(
        City.objects.order_by("name"), label=_("City"), required=False,
        help_text=_("Only if there was no visit."),
    )  # fmt: skip
    consents = forms.ModelMultipleChoiceField(
        GuardianConsent.objects.none(), label=_("Guardians’ consents"), required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("One for each child who can be seen. Without them the photos are kept and "
                    "shown to nobody; you can add them later."),
    )  # fmt: skip

    class Meta:
        model = Batch
        fields = ("gallery", "credit", "licence", "people", "consents")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not self.may_make_a_gallery(self.user):
            self.fields["gallery"].required = True
            self.fields["gallery"].empty_label = "---------"
            for name in ("new_title", "new_visit", "new_city"):
                del self.fields[name]
        if self.may_see_consents(self.user):
            over = GuardianConsent.objects.not_in_force()
            self.fields["consents"].queryset = GuardianConsent.objects.exclude(pk__in=over)
        else:
            del self.fields["consents"]

    @staticmethod
    def may_make_a_gallery(user) -> bool:
        return user.has_perm("exchanges.add_gallery")

    @staticmethod
    def may_see_consents(user) -> bool:
        return user.has_perm("exchanges.view_guardianconsent")

    def clean(self):
        said = super().clean() or {}
        if said.get("people") != Photo.People.MINORS and "consents" in said:
            said["consents"] = GuardianConsent.objects.none()
        if "new_title" in self.fields:
            self._clean_gallery(said)
        return said

    def _clean_gallery(self, said) -> None:
        title, visit = said.get("new_title"), said.get("new_visit")
        city = said.get("new_city") or (visit and visit.city)
        if said.get("gallery"):
            if title:
                self.add_error("new_title", _("Choose a gallery or name a new one, not both."))
        elif not title:
            self.add_error("gallery", _("Choose a gallery, or name a new one below."))
        elif not city:
            self.add_error("new_city", _("Say the visit or the city."))
        elif visit and visit.city_id != city.pk:
            self.add_error("new_visit", _("That visit belongs to another city."))
        else:
            first_day = visit.starts_on if visit else None
            self.new_gallery = Gallery(
                title=title, slug=free_slug(title), city=city, visit=visit, taken_on=first_day
            )


def free_slug(title: str) -> str:
    """An address for a gallery of this title that no other has."""
    stem = slugify(title)[:70] or "gallery"
    taken = set(Gallery.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    slugs = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 2)))
    return next(slug for slug in slugs if slug not in taken)
