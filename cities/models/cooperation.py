"""The fields in which cities work together."""

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


class Cooperation(models.TextChoices):
    ECONOMY = "economy", _("Economy")
    TRADE = "trade", _("Trade")
    SCIENCE = "science", _("Science and technology")
    CULTURE = "culture", _("Culture")
    EDUCATION = "education", _("Education")
    HEALTH = "health", _("Health")
    YOUTH = "youth", _("Youth")
    SPORT = "sport", _("Sport")


class CooperationField(models.JSONField):
    """A list of `Cooperation` values, ticked in the admin."""

    def formfield(self, **kwargs):
        return forms.MultipleChoiceField(
            choices=Cooperation.choices,
            widget=forms.CheckboxSelectMultiple,
            required=not self.blank,
            label=self.verbose_name,
            help_text=self.help_text,
        )

    def validate(self, value, model_instance):
        super().validate(value, model_instance)
        if unknown := set(value) - set(Cooperation.values):
            raise ValidationError(_("Unknown field: %s") % ", ".join(sorted(unknown)))


def in_words(chosen: list[str]) -> list[str]:
    """The names of the fields, in the order of `Cooperation`."""
    return [str(field.label) for field in Cooperation if field.value in chosen]
